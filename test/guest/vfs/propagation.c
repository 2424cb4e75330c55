/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared subtrees: mount_namespaces(7), mount(2). */
#include <guest_test.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* A line of /proc/self/mountinfo by the last part of its mount point; false: there is none. */
static bool find_line(const char *name, char *line, size_t size)
{
	FILE *file = fopen("/proc/self/mountinfo", "r");
	char cwd[256], where[512], at[512];
	bool found = false;

	snprintf(where, sizeof(where), "%s/%s", getcwd(cwd, sizeof(cwd)), name);
	while (!found && fgets(line, (int)size, file))
		found = sscanf(line, "%*d %*d %*s %*s %511s", at) == 1 && strcmp(at, where) == 0;
	fclose(file);
	return found;
}

/* The number after "shared:", "master:" or "propagate_from:" of a mount; 0: not there. */
static int field(const char *name, const char *key)
{
	char line[1024], text[32], *at;

	if (!find_line(name, line, sizeof(line)))
		return -1;
	snprintf(text, sizeof(text), " %s", key);
	at = strstr(line, text);
	return !at ? 0 : strchr(key, ':') ? atoi(at + strlen(text)) : 1;
}

static bool mounted(const char *name)
{
	char line[1024];

	return find_line(name, line, sizeof(line));
}

/* A tmpfs at `name` of this type. */
static void make_mount(const char *name, unsigned long type)
{
	mkdir(name, 0755);
	EXPECT_EQ(mount("t", name, "tmpfs", 0, NULL), 0);
	if (type)
		EXPECT_EQ(mount(NULL, name, NULL, type, NULL), 0);
}

static void make_bind(const char *from, const char *to, unsigned long flags)
{
	mkdir(to, 0755);
	EXPECT_EQ(mount(from, to, NULL, MS_BIND | flags, NULL), 0);
}

static void isolate(void)
{
	EXPECT_EQ(unshare(CLONE_NEWNS), 0);
	EXPECT_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

/* Peers "a" and "b", with a directory "d". */
static void make_peers(void)
{
	make_mount("a", MS_SHARED);
	mkdir("a/d", 0755);
	make_bind("a", "b", 0);
}

TEST(propagation_types_are_shown)
{
	isolate();
	make_mount("a", 0);
	EXPECT_EQ(field("a", "shared:"), 0);
	EXPECT_EQ(mount(NULL, "a", NULL, MS_SHARED, NULL), 0);
	int id = field("a", "shared:");
	EXPECT(id > 0);
	EXPECT_EQ(mount(NULL, "a", NULL, MS_SHARED, NULL), 0);
	EXPECT_EQ(field("a", "shared:"), id);
	make_bind("a", "b", 0);
	EXPECT_EQ(field("b", "shared:"), id);
	EXPECT_EQ(mount(NULL, "b", NULL, MS_SLAVE, NULL), 0);
	EXPECT_EQ(field("b", "shared:"), 0);
	EXPECT_EQ(field("b", "master:"), id);
	EXPECT_EQ(mount(NULL, "b", NULL, MS_SHARED, NULL), 0);
	EXPECT(field("b", "shared:") > 0);
	EXPECT_NE(field("b", "shared:"), id);
	EXPECT_EQ(field("b", "master:"), id);
	EXPECT_EQ(mount(NULL, "b", NULL, MS_UNBINDABLE, NULL), 0);
	EXPECT_EQ(field("b", "unbindable"), 1);
	EXPECT_EQ(field("b", "shared:"), 0);
	EXPECT_EQ(field("b", "master:"), 0);
	EXPECT_EQ(mount(NULL, "b", NULL, MS_PRIVATE, NULL), 0);
	EXPECT_EQ(field("b", "unbindable"), 0);
	/* The last of a group has nobody to be the slave of. */
	EXPECT_EQ(mount(NULL, "a", NULL, MS_SLAVE, NULL), 0);
	EXPECT_EQ(field("a", "master:"), 0);
}

TEST(propagation_type_is_one_and_of_a_mount)
{
	isolate();
	make_mount("a", 0);
	mkdir("a/d", 0755);
	EXPECT_ERRNO(mount(NULL, "a/d", NULL, MS_SHARED, NULL), EINVAL);
	EXPECT_ERRNO(mount(NULL, "a", NULL, MS_SHARED | MS_PRIVATE, NULL), EINVAL);
	EXPECT_ERRNO(mount(NULL, "a", NULL, MS_SHARED | MS_NOSUID, NULL), EINVAL);
	EXPECT_EQ(mount(NULL, "a", NULL, MS_SHARED | MS_SILENT, NULL), 0);
}

TEST(propagation_spreads_between_peers)
{
	isolate();
	make_peers();
	EXPECT_EQ(mount("t", "a/d", "tmpfs", 0, NULL), 0);
	make_file("a/d/f", "x");
	EXPECT_EQ(access("b/d/f", F_OK), 0);
	EXPECT(field("a/d", "shared:") > 0);
	EXPECT_EQ(field("a/d", "shared:"), field("b/d", "shared:"));
	/* A bind below one appears below the other, and so does what is mounted deeper. */
	mkdir("a/d/e", 0755);
	EXPECT_EQ(mount("t", "b/d/e", "tmpfs", 0, NULL), 0);
	EXPECT(mounted("a/d/e"));
	EXPECT_EQ(umount("a/d/e"), 0);
	EXPECT(!mounted("b/d/e"));
	EXPECT_EQ(umount("b/d"), 0);
	EXPECT(!mounted("a/d"));
	EXPECT_ERRNO(access("a/d/f", F_OK), ENOENT);
}

TEST(propagation_to_a_slave_goes_one_way)
{
	isolate();
	make_mount("a", MS_SHARED);
	mkdir("a/d", 0755);
	mkdir("a/e", 0755);
	make_bind("a", "b", 0);
	EXPECT_EQ(mount(NULL, "b", NULL, MS_SLAVE, NULL), 0);
	EXPECT_EQ(mount("t", "a/d", "tmpfs", 0, NULL), 0);
	EXPECT(mounted("b/d"));
	EXPECT_EQ(field("b/d", "master:"), field("a/d", "shared:"));
	EXPECT_EQ(field("b/d", "shared:"), 0);
	EXPECT_EQ(mount("t", "b/e", "tmpfs", 0, NULL), 0);
	EXPECT(!mounted("a/e"));
	EXPECT_EQ(umount("b/e"), 0);
	EXPECT_EQ(umount("b/d"), 0);
	EXPECT(mounted("a/d"));
	EXPECT_EQ(umount("a/d"), 0);
}

TEST(propagation_through_a_chain_of_slaves)
{
	isolate();
	make_peers();
	EXPECT_EQ(mount(NULL, "b", NULL, MS_SLAVE, NULL), 0);
	EXPECT_EQ(mount(NULL, "b", NULL, MS_SHARED, NULL), 0);
	make_bind("b", "b2", 0);
	make_bind("b", "c", 0);
	EXPECT_EQ(mount(NULL, "c", NULL, MS_SLAVE, NULL), 0);
	EXPECT_EQ(field("c", "master:"), field("b", "shared:"));
	EXPECT_EQ(mount("t", "a/d", "tmpfs", 0, NULL), 0);
	EXPECT(mounted("b/d"));
	EXPECT(mounted("b2/d"));
	EXPECT(mounted("c/d"));
	EXPECT_EQ(field("b/d", "master:"), field("a/d", "shared:"));
	EXPECT(field("b/d", "shared:") > 0);
	EXPECT_EQ(field("b2/d", "shared:"), field("b/d", "shared:"));
	EXPECT_EQ(field("c/d", "master:"), field("b/d", "shared:"));
	EXPECT_EQ(umount("b2/d"), 0);
	EXPECT(!mounted("c/d"));
	EXPECT(!mounted("b/d"));
	EXPECT(mounted("a/d"));
	/* When the group in the middle goes, its slaves go to its master. */
	EXPECT_EQ(umount("b"), 0);
	EXPECT_EQ(umount("b2"), 0);
	EXPECT_EQ(field("c", "master:"), field("a", "shared:"));
}

TEST(propagation_of_a_tree_and_what_is_unbindable)
{
	isolate();
	make_mount("x", 0);
	mkdir("x/u", 0755);
	mkdir("x/v", 0755);
	EXPECT_EQ(mount("t", "x/u", "tmpfs", 0, NULL), 0);
	EXPECT_EQ(mount("t", "x/v", "tmpfs", 0, NULL), 0);
	EXPECT_EQ(mount(NULL, "x/u", NULL, MS_UNBINDABLE, NULL), 0);
	mkdir("y", 0755);
	EXPECT_ERRNO(mount("x/u", "y", NULL, MS_BIND, NULL), EINVAL);
	make_bind("x", "y", MS_REC);
	EXPECT(mounted("y/v"));
	EXPECT(!mounted("y/u"));
	make_peers();
	EXPECT_EQ(mount("y", "a/d", NULL, MS_BIND | MS_REC, NULL), 0);
	EXPECT(mounted("b/d"));
	EXPECT(mounted("b/d/v"));
	EXPECT_EQ(field("b/d/v", "shared:"), field("a/d/v", "shared:"));
	EXPECT(field("a/d/v", "shared:") > 0);
	EXPECT_EQ(umount2("b/d", MNT_DETACH), 0);
	EXPECT(!mounted("a/d"));
	EXPECT(!mounted("a/d/v"));
	/* What cannot be copied cannot move to where it would be. */
	EXPECT_ERRNO(mount("x", "a/d", NULL, MS_MOVE, NULL), EINVAL);
	EXPECT_EQ(mount("y", "a/d", NULL, MS_MOVE, NULL), 0);
	EXPECT(mounted("b/d/v"));
	/* Nothing moves away from a shared mount. */
	EXPECT_ERRNO(mount("a/d", "y", NULL, MS_MOVE, NULL), EINVAL);
}

TEST(propagation_of_recursive_types)
{
	isolate();
	make_mount("a", 0);
	mkdir("a/d", 0755);
	EXPECT_EQ(mount("t", "a/d", "tmpfs", 0, NULL), 0);
	EXPECT_EQ(mount(NULL, "a", NULL, MS_SHARED | MS_REC, NULL), 0);
	EXPECT(field("a/d", "shared:") > 0);
	EXPECT_EQ(mount(NULL, "a", NULL, MS_PRIVATE, NULL), 0);
	EXPECT_EQ(field("a", "shared:"), 0);
	EXPECT(field("a/d", "shared:") > 0);
	EXPECT_EQ(mount(NULL, "a", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	EXPECT_EQ(field("a/d", "shared:"), 0);
}

TEST(propagation_into_a_bind_of_a_directory)
{
	isolate();
	make_mount("a", MS_SHARED);
	mkdir("a/d", 0755);
	mkdir("a/d/e", 0755);
	mkdir("a/f", 0755);
	make_bind("a/d", "b", 0);
	EXPECT_EQ(mount("t", "a/d/e", "tmpfs", 0, NULL), 0);
	EXPECT(mounted("b/e"));
	EXPECT_EQ(umount("b/e"), 0);
	EXPECT(!mounted("a/d/e"));
	/* What the other does not show does not get there. */
	EXPECT_EQ(mount("t", "a/f", "tmpfs", 0, NULL), 0);
	EXPECT_EQ(umount("a/f"), 0);
}

TEST(propagation_unmount_when_busy_elsewhere)
{
	isolate();
	make_peers();
	EXPECT_EQ(mount("t", "a/d", "tmpfs", 0, NULL), 0);
	int fd = open("b/d", O_RDONLY);
	EXPECT_ERRNO(umount("a/d"), EBUSY);
	close(fd);
	/* A mount on the other that is not here keeps that one where it is. */
	mkdir("a/d/e", 0755);
	EXPECT_EQ(mount(NULL, "b/d", NULL, MS_PRIVATE, NULL), 0);
	EXPECT_EQ(mount("t", "b/d/e", "tmpfs", 0, NULL), 0);
	EXPECT_EQ(umount("a/d"), 0);
	EXPECT(mounted("b/d"));
	EXPECT(mounted("b/d/e"));
}

TEST(propagation_below_what_covers_the_place)
{
	isolate();
	make_peers();
	EXPECT_EQ(mount(NULL, "b", NULL, MS_SLAVE, NULL), 0);
	EXPECT_EQ(mount("t", "b/d", "tmpfs", 0, NULL), 0);
	make_file("b/d/own", "x");
	EXPECT_EQ(mount("t", "a/d", "tmpfs", 0, NULL), 0);
	EXPECT_EQ(access("b/d/own", F_OK), 0);
	EXPECT_EQ(umount("a/d"), 0);
	EXPECT_EQ(access("b/d/own", F_OK), 0);
	EXPECT_EQ(mount("t", "a/d", "tmpfs", 0, NULL), 0);
	EXPECT_EQ(umount("b/d"), 0);
	EXPECT(mounted("b/d"));
	EXPECT_ERRNO(access("b/d/own", F_OK), ENOENT);
}

/* Two processes, a pipe each way: a step is a byte. */
static int to_child[2], to_parent[2];

static void tell(int *pipe_fds)
{
	EXPECT_EQ(write(pipe_fds[1], "", 1), 1);
}

static void await(int *pipe_fds)
{
	char byte;

	EXPECT_EQ(read(pipe_fds[0], &byte, 1), 1);
}

TEST(propagation_between_name_spaces)
{
	isolate();
	REQUIRE(pipe(to_child) == 0 && pipe(to_parent) == 0);
	make_mount("a", MS_SHARED);
	mkdir("a/d", 0755);
	mkdir("a/e", 0755);
	IN_CHILD(pid)
	{
		int id = field("a", "shared:");

		EXPECT_EQ(unshare(CLONE_NEWNS), 0);
		EXPECT_EQ(field("a", "shared:"), id);
		tell(to_parent);
		await(to_child);
		EXPECT(mounted("a/d"));
		EXPECT_EQ(mount(NULL, "a", NULL, MS_SLAVE, NULL), 0);
		EXPECT_EQ(field("a", "master:"), id);
		EXPECT_EQ(mount("t", "a/e", "tmpfs", 0, NULL), 0);
		tell(to_parent);
		await(to_child);
		EXPECT(!mounted("a/d"));
		_exit(test_has_failed());
	}
	await(to_parent);
	EXPECT_EQ(mount("t", "a/d", "tmpfs", 0, NULL), 0);
	tell(to_child);
	await(to_parent);
	EXPECT(!mounted("a/e"));
	EXPECT_EQ(umount("a/d"), 0);
	tell(to_child);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(propagate_from_names_the_nearest_group_in_sight)
{
	isolate();
	make_mount("a", MS_SHARED);
	mkdir("a/in", 0755);
	mkdir("jail", 0755);
	/* b is a slave of a, and c one of b; the process that looks sees a and c. */
	make_bind("a", "b", 0);
	EXPECT_EQ(mount(NULL, "b", NULL, MS_SLAVE, NULL), 0);
	EXPECT_EQ(mount(NULL, "b", NULL, MS_SHARED, NULL), 0);
	make_mount("jail", 0);
	make_bind("b", "jail/c", 0);
	EXPECT_EQ(mount(NULL, "jail/c", NULL, MS_SLAVE, NULL), 0);
	make_bind("a", "jail/a", 0);
	EXPECT_EQ(field("jail/c", "propagate_from:"), 0);
	mkdir("jail/proc", 0755);
	EXPECT_EQ(mount("proc", "jail/proc", "proc", 0, NULL), 0);
	int master = field("jail/c", "master:"), from = field("a", "shared:");
	IN_CHILD(pid)
	{
		EXPECT_EQ(chroot("jail"), 0);
		EXPECT_EQ(chdir("/"), 0);
		FILE *file = fopen("/proc/self/mountinfo", "r");
		char line[1024], wanted[64];
		bool found = false;

		snprintf(wanted, sizeof(wanted), " master:%d propagate_from:%d ", master, from);
		while (fgets(line, sizeof(line), file))
			found = found || (strstr(line, " /c ") && strstr(line, wanted));
		EXPECT(found);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(mountinfo_shows_what_a_bind_shows)
{
	char line[1024], root[256];

	isolate();
	make_mount("a", 0);
	mkdir("a/d", 0755);
	mkdir("a/d/e", 0755);
	make_bind("a/d/e", "b", 0);
	EXPECT(find_line("b", line, sizeof(line)));
	EXPECT_EQ(sscanf(line, "%*d %*d %*s %255s", root), 1);
	EXPECT_STREQ(root, "/d/e");
	EXPECT_EQ(rmdir("a/d/e"), 0);
	EXPECT(find_line("b", line, sizeof(line)));
	EXPECT_EQ(sscanf(line, "%*d %*d %*s %255s", root), 1);
	EXPECT_STREQ(root, "/d/e//deleted");
}

TEST(name_space_file_is_bound_and_entered)
{
	char line[1024], root[64], link[64] = {};
	int fd;

	isolate();
	make_file("ns", "");
	make_file("mnt", "");
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWUTS), 0);
		EXPECT_EQ(sethostname("kept", 4), 0);
		EXPECT_EQ(mount("/proc/self/ns/uts", "ns", NULL, MS_BIND, NULL), 0);
		EXPECT(readlink("/proc/self/ns/uts", link, sizeof(link) - 1) > 0);
		EXPECT(find_line("ns", line, sizeof(line)));
		EXPECT_EQ(sscanf(line, "%*d %*d %*s %63s", root), 1);
		EXPECT_STREQ(root, link);
		EXPECT(strstr(line, " - nsfs nsfs rw"));
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	IN_CHILD(visitor)
	{
		char name[64];

		fd = open("ns", O_RDONLY);
		EXPECT_EQ(setns(fd, CLONE_NEWUTS), 0);
		EXPECT_EQ(gethostname(name, sizeof(name)), 0);
		EXPECT_STREQ(name, "kept");
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(visitor), 0);
	EXPECT_ERRNO(unlink("ns"), EBUSY);
	EXPECT_EQ(umount("ns"), 0);
	EXPECT_EQ(unlink("ns"), 0);
	/* A name space of mounts that holds itself would never end. */
	EXPECT_ERRNO(mount("/proc/self/ns/mnt", "mnt", NULL, MS_BIND, NULL), EINVAL);
}

TEST(removing_a_name_ends_mounts_of_other_name_spaces)
{
	isolate();
	REQUIRE(pipe(to_child) == 0 && pipe(to_parent) == 0);
	mkdir("d", 0755);
	make_file("f", "");
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWNS), 0);
		EXPECT_EQ(mount("t", "d", "tmpfs", 0, NULL), 0);
		EXPECT_EQ(mount("/proc/version", "f", NULL, MS_BIND, NULL), 0);
		EXPECT_ERRNO(rmdir("d"), EBUSY);
		EXPECT_ERRNO(rename("f", "g"), EBUSY);
		tell(to_parent);
		await(to_child);
		EXPECT(!mounted("d"));
		EXPECT(!mounted("f"));
		_exit(test_has_failed());
	}
	await(to_parent);
	EXPECT_EQ(rmdir("d"), 0);
	EXPECT_EQ(unlink("f"), 0);
	tell(to_child);
	EXPECT_EQ(wait_status(pid), 0);
}

static void set_mounts_max(const char *text)
{
	int fd = open("/proc/sys/fs/mount-max", O_WRONLY);

	EXPECT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

TEST(mounts_are_limited)
{
	char text[32] = {};
	int fd = open("/proc/sys/fs/mount-max", O_RDONLY), err;

	isolate();
	EXPECT(read(fd, text, sizeof(text) - 1) > 1);
	close(fd);
	EXPECT_EQ(atoi(text), 100000);
	mkdir("a", 0755);
	set_mounts_max("1");
	err = mount("t", "a", "tmpfs", 0, NULL) ? errno : 0;
	set_mounts_max(text);
	EXPECT_EQ(err, ENOSPC);
	EXPECT_EQ(mount("t", "a", "tmpfs", 0, NULL), 0);
	EXPECT_EQ(umount("a"), 0);
}
