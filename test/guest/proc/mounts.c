/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a mount of /proc shows: numbers of its own name space, and what hidepid= leaves (proc(5)). */
#include "guest_test.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The text of a file behind the name of a field; "" if it is not there. */
static const char *field(const char *path, const char *name)
{
	static char text[8192];
	char *at;

	text[0] = 0;
	if (read_file(path, text, sizeof(text)) < 0)
		return "";
	at = strstr(text, name);
	if (!at)
		return "";
	at += strlen(name);
	at[strcspn(at, "\n")] = 0;
	return at;
}

/* Process 1 of a name space tells by `up` that its /proc is mounted, and waits for `down`. */
static void live_inside(int up, int down)
{
	char byte;

	EXPECT_EQ(mount("proc", "inner", "proc", 0, NULL), 0);
	/* Seen from inside through the mount of outside it has the outer numbers. */
	char outer[64];
	snprintf(outer, sizeof(outer), "%s", field("/proc/self/status", "\nPid:\t"));
	EXPECT(atoi(outer) > 1);
	EXPECT_STREQ(field("inner/self/status", "\nPid:\t"), "1");
	EXPECT_STREQ(field("inner/self/status", "\nNSpid:\t"), "1");
	EXPECT_EQ(atoi(field("/proc/self/status", "\nNSpid:\t")), atoi(outer));
	write(up, test_has_failed() ? "x" : "k", 1);
	read(down, &byte, 1);
	_exit(test_has_failed());
}

TEST(numbers_are_of_the_mounts_name_space)
{
	int up[2], down[2];
	char byte = 0, path[64], link[32] = "";

	REQUIRE(pipe(up) == 0 && pipe(down) == 0);
	mkdir("inner", 0755);
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWPID), 0);
		IN_CHILD(first)
		{
			live_inside(up[1], down[0]);
		}
		EXPECT_EQ(read(up[0], &byte, 1), 1);
		EXPECT_EQ(byte, 'k');
		/* From outside: by the mount of inside it is process 1, by ours what fork said. */
		EXPECT_STREQ(field("inner/1/status", "\nPid:\t"), "1");
		EXPECT_STREQ(field("inner/1/status", "\nPPid:\t"), "0");
		EXPECT_EQ(atoi(field("inner/1/stat", "")), 1);
		snprintf(path, sizeof(path), "/proc/%d/status", first);
		EXPECT_EQ(atoi(field(path, "\nPid:\t")), first);
		EXPECT_EQ(atoi(field(path, "\nNSpid:\t")), first);
		snprintf(path, sizeof(path), "%d\t1", first);
		char status[64];
		snprintf(status, sizeof(status), "/proc/%d/status", first);
		EXPECT_STREQ(field(status, "\nNSpid:\t"), path);
		EXPECT_EQ(access("inner/1/task/1/stat", F_OK), 0);
		/* Who looks is not there. */
		EXPECT_ERRNO(readlink("inner/self", link, sizeof(link)), ENOENT);
		EXPECT(readlink("/proc/self", link, sizeof(link)) > 0);
		/* A pidfd says of itself what the mount knows of the process. */
		int fd = (int)syscall(SYS_pidfd_open, first, 0);
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		EXPECT_EQ(atoi(field(path, "Pid:\t")), first);
		close(fd);
		write(down[1], "", 1);
		EXPECT_EQ(wait_status(first), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(umount("inner"), 0);
}

static bool is_listed(const char *directory, pid_t pid)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	bool found = false;

	while (dir && (entry = readdir(dir)))
		found |= atoi(entry->d_name) == pid;
	if (dir)
		closedir(dir);
	return found;
}

#define SOME_ERROR                                                                                 \
	(-1) /* ENOENT, or EPERM if somebody else looked before: both are seen on Linux */

struct view {
	const char *options;
	int stat,
		open; /* what a stranger gets from stat("p/1"), open("p/1/status"): 0 or an errno */
	bool listed;
	int group_open; /* who is in the group 4242 */
};

static int outcome(int result)
{
	return result < 0 ? errno : 0;
}

static int open_outcome(const char *path)
{
	int fd = open(path, O_RDONLY), result = outcome(fd);

	if (fd >= 0)
		close(fd);
	return result;
}

static void expect_view(const struct view *v, gid_t group)
{
	struct stat st;
	char own[64];

	EXPECT_EQ(setgid(group), 0);
	EXPECT_EQ(setuid(4711), 0);
	bool helped = group == 4242;
	int wanted = helped ? v->group_open : v->open, got = open_outcome("p/1/status");
	if (wanted == SOME_ERROR)
		EXPECT(got == ENOENT || got == EPERM);
	else
		EXPECT_EQ(got, wanted);
	if (!helped) {
		EXPECT_EQ(outcome(stat("p/1", &st)), v->stat);
		EXPECT_EQ(is_listed("p", 1), v->listed);
	}
	/* One's own stays. */
	snprintf(own, sizeof(own), "p/%d/status", getpid());
	EXPECT_EQ(open_outcome(own), 0);
	EXPECT(is_listed("p", getpid()));
	EXPECT_EQ(open_outcome("p/self/status"), 0);
}

TEST(hidepid_hides_processes_of_others)
{
	static const struct view views[] = {
		{ "hidepid=0", 0, 0, true, 0 },
		{ "hidepid=1,gid=4242", 0, EPERM, true, 0 },
		{ "hidepid=noaccess,gid=4242", 0, EPERM, true, 0 },
		{ "hidepid=2,gid=4242", ENOENT, ENOENT, false, 0 },
		{ "gid=4242,hidepid=invisible", ENOENT, ENOENT, false, 0 },
		{ "hidepid=ptraceable,gid=4242", ENOENT, SOME_ERROR, false, SOME_ERROR },
		{ "hidepid=4", ENOENT, SOME_ERROR, false, SOME_ERROR },
	};

	chmod(".", 0755);
	mkdir("p", 0755);
	for (unsigned i = 0; i < sizeof(views) / sizeof(*views); i++) {
		REQUIRE(mount("proc", "p", "proc", 0, views[i].options) == 0);
		/* Root sees everything, and what it saw does not help others. */
		EXPECT_EQ(open_outcome("p/1/status"), 0);
		EXPECT(is_listed("p", 1));
		IN_CHILD(stranger)
		{
			expect_view(&views[i], 4711);
			_exit(test_has_failed());
		}
		if (!EXPECT_EQ(wait_status(stranger), 0))
			printf("with %s\n", views[i].options);
		IN_CHILD(member)
		{
			expect_view(&views[i], strstr(views[i].options, "gid") ? 4242 : 4711);
			_exit(test_has_failed());
		}
		if (!EXPECT_EQ(wait_status(member), 0))
			printf("in the group, with %s\n", views[i].options);
		EXPECT_EQ(open_outcome("p/1/status"), 0);
		EXPECT_EQ(umount("p"), 0);
	}
}

TEST(proc_options_are_checked_and_shown)
{
	char mounts[16384];

	mkdir("p", 0755);
	EXPECT_ERRNO(mount("proc", "p", "proc", 0, "hidepid=3"), EINVAL);
	EXPECT_ERRNO(mount("proc", "p", "proc", 0, "hidepid=never"), EINVAL);
	EXPECT_ERRNO(mount("proc", "p", "proc", 0, "hidepid"), EINVAL);
	EXPECT_ERRNO(mount("proc", "p", "proc", 0, "subset=all"), EINVAL);
	EXPECT_ERRNO(mount("proc", "p", "proc", 0, "colour=red"), EINVAL);
	REQUIRE(mount("shown", "p", "proc", 0, "subset=pid,gid=12,hidepid=2") == 0);
	EXPECT(read_file("/proc/self/mounts", mounts, sizeof(mounts)) > 0);
	EXPECT(strstr(mounts, "shown "));
	EXPECT(strstr(mounts, " proc rw,relatime,gid=12,hidepid=invisible,subset=pid 0 0"));
	EXPECT_ERRNO(access("p/uptime", F_OK), ENOENT);
	EXPECT_EQ(mount("shown", "p", "proc", MS_REMOUNT, "hidepid=noaccess"), 0);
	EXPECT(read_file("/proc/self/mounts", mounts, sizeof(mounts)) > 0);
	EXPECT(strstr(mounts, " proc rw,relatime,gid=12,hidepid=noaccess,subset=pid 0 0"));
	EXPECT_EQ(umount("p"), 0);
}
