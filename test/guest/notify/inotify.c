/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inotify(7): which events come, in which order, with which names. */
#include "guest_test.h"

#include <dirent.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif

static int fd;
static unsigned first_cookie;

static void begin(void)
{
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	REQUIRE(fd >= 0);
}

/* The events that are queued, as a text: "wd:mask:name " each, a cookie as its distance from the first. */
static char *events(void)
{
	static char text[8192];
	char buf[8192] __attribute__((aligned(8)));
	size_t used = 0;
	ssize_t n;

	text[0] = 0;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (void *)p;

			used += (size_t)snprintf(text + used, sizeof(text) - used, "%d:%x%s%s",
						 e->wd, e->mask, e->len ? ":" : "",
						 e->len ? e->name : "");
			if (e->cookie && !first_cookie)
				first_cookie = e->cookie;
			if (e->cookie)
				used += (size_t)snprintf(text + used, sizeof(text) - used, "+%u",
							 e->cookie - first_cookie);
			text[used++] = ' ';
			text[used] = 0;
			EXPECT_EQ(e->len % 16, 0);
			p += sizeof(*e) + e->len;
		}
	}
	EXPECT_EQ(errno, EAGAIN);
	return text;
}

TEST(file_and_directory_are_told)
{
	char c;
	int f;

	begin();
	make_file("f", "hello");
	EXPECT_EQ(inotify_add_watch(fd, ".", IN_ALL_EVENTS), 1);
	EXPECT_EQ(inotify_add_watch(fd, "f", IN_ALL_EVENTS), 2);
	f = open("f", O_RDWR);
	EXPECT_STREQ(events(), "1:20:f 2:20 ");
	EXPECT_EQ(read(f, &c, 1), 1);
	EXPECT_EQ(read(f, &c, 1), 1);
	EXPECT_STREQ(events(), "1:1:f 2:1 1:1:f 2:1 ");
	EXPECT_EQ(write(f, "x", 1), 1);
	EXPECT_EQ(ftruncate(f, 0), 0);
	EXPECT_EQ(read(f, &c, 1), 0);
	EXPECT_STREQ(events(), "1:2:f 2:2 1:2:f 2:2 ");
	EXPECT_EQ(fchmod(f, 0600), 0);
	EXPECT_STREQ(events(), "1:4:f 2:4 ");
	close(f);
	EXPECT_STREQ(events(), "1:8:f 2:8 ");
	close(open("f", O_RDONLY));
	EXPECT_STREQ(events(), "1:20:f 2:20 1:10:f 2:10 ");
	close(open("f", O_WRONLY | O_TRUNC));
	EXPECT_STREQ(events(), "1:2:f 2:2 1:20:f 2:20 1:8:f 2:8 ");
	close(open("f", O_PATH));
	EXPECT_STREQ(events(), "");
	EXPECT_EQ(chown("f", 1, 1), 0);
	EXPECT_EQ(truncate("f", 10), 0);
	EXPECT_EQ(utimensat(AT_FDCWD, "f", NULL, 0), 0);
	EXPECT_STREQ(events(), "1:4:f 2:4 1:2:f 2:2 1:4:f 2:4 ");
	close(fd);
}

TEST(names_come_and_go)
{
	int f;

	begin();
	EXPECT_EQ(inotify_add_watch(fd, ".", IN_ALL_EVENTS), 1);
	close(open("f", O_CREAT | O_WRONLY, 0644));
	EXPECT_STREQ(events(), "1:100:f 1:20:f 1:8:f ");
	mkdir("d", 0755);
	symlink("f", "s");
	mkfifo("p", 0644);
	EXPECT_STREQ(events(), "1:40000100:d 1:100:s 1:100:p ");
	link("f", "g");
	EXPECT_STREQ(events(), "1:100:g ");
	unlink("g");
	rmdir("d");
	EXPECT_STREQ(events(), "1:200:g 1:40000200:d ");
	EXPECT_EQ(inotify_add_watch(fd, "f", IN_ALL_EVENTS), 2);
	link("f", "g");
	unlink("g");
	EXPECT_STREQ(events(), "2:4 1:100:g 2:4 1:200:g ");
	f = open("f", O_RDONLY);
	events();
	unlink("f");
	EXPECT_STREQ(events(), "2:4 1:200:f ");
	close(f);
	EXPECT_STREQ(events(), "1:10:f 2:10 2:400 2:8000 ");
	make_file("f", "x");
	EXPECT_EQ(inotify_add_watch(fd, "f", IN_ALL_EVENTS), 3);
	events();
	unlink("f");
	EXPECT_STREQ(events(), "3:4 3:400 3:8000 1:200:f ");
	close(fd);
}

TEST(renames_have_a_cookie)
{
	begin();
	mkdir("a", 0755);
	mkdir("b", 0755);
	make_file("a/f", "x");
	make_file("b/g", "x");
	EXPECT_EQ(inotify_add_watch(fd, "a", IN_ALL_EVENTS), 1);
	EXPECT_EQ(inotify_add_watch(fd, "b", IN_ALL_EVENTS), 2);
	EXPECT_EQ(inotify_add_watch(fd, "a/f", IN_ALL_EVENTS), 3);
	first_cookie = 0;
	EXPECT_EQ(rename("a/f", "b/f"), 0);
	EXPECT_STREQ(events(), "1:40:f+0 2:80:f+0 3:800 ");
	EXPECT_EQ(rename("b/f", "b/h"), 0);
	EXPECT_STREQ(events(), "2:40:f+1 2:80:h+1 3:800 ");
	EXPECT_EQ(inotify_add_watch(fd, "b/g", IN_ALL_EVENTS), 4);
	EXPECT_EQ(rename("b/h", "b/g"), 0);
	EXPECT_STREQ(events(), "2:40:h+2 2:80:g+2 4:4 3:800 4:400 4:8000 ");
	mkdir("a/d", 0755);
	events();
	EXPECT_EQ(rename("a/d", "b/d"), 0);
	EXPECT_STREQ(events(), "1:40000040:d+3 2:40000080:d+3 ");
	EXPECT_EQ(rename("b/g", "b/g"), 0);
	EXPECT_STREQ(events(), "");
	close(fd);
}

TEST(directory_itself_is_told)
{
	char buf[1024];
	int d;

	begin();
	mkdir("d", 0755);
	EXPECT_EQ(inotify_add_watch(fd, "d", IN_ALL_EVENTS), 1);
	EXPECT_EQ(inotify_add_watch(fd, ".", IN_ALL_EVENTS), 2);
	d = open("d", O_RDONLY | O_DIRECTORY);
	EXPECT_STREQ(events(), "2:40000020:d 1:40000020 ");
	EXPECT(getdents64(d, buf, sizeof(buf)) > 0);
	close(d);
	EXPECT_STREQ(events(), "2:40000001:d 1:40000001 2:40000010:d 1:40000010 ");
	EXPECT_EQ(rename("d", "e"), 0);
	first_cookie = 0;
	EXPECT_STREQ(events(), "2:40000040:d+0 2:40000080:e+0 1:800 ");
	EXPECT_EQ(rmdir("e"), 0);
	EXPECT_STREQ(events(), "1:400 1:8000 2:40000200:e ");
	close(fd);
}

TEST(flags_of_a_watch)
{
	int f;

	begin();
	make_file("f", "x");
	symlink("f", "s");
	EXPECT_ERRNO(inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
	EXPECT_ERRNO(inotify_add_watch(fd, "f", 0), EINVAL);
	EXPECT_ERRNO(inotify_add_watch(fd, "n", IN_OPEN), ENOENT);
	EXPECT_ERRNO(inotify_add_watch(0, "f", IN_OPEN), EINVAL);
	EXPECT_ERRNO(inotify_add_watch(-1, "f", IN_OPEN), EBADF);
	EXPECT_ERRNO(inotify_init1(1), EINVAL);
	EXPECT_EQ(inotify_add_watch(fd, "f", IN_OPEN), 1);
	EXPECT_EQ(inotify_add_watch(fd, "s", IN_OPEN), 1);
	EXPECT_EQ(inotify_add_watch(fd, "s", IN_OPEN | IN_DONT_FOLLOW), 2);
	EXPECT_ERRNO(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE), EEXIST);
	EXPECT_ERRNO(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD), EINVAL);
	EXPECT_EQ(inotify_add_watch(fd, "f", IN_CLOSE_NOWRITE | IN_MASK_ADD), 1);
	close(open("f", O_RDONLY));
	EXPECT_STREQ(events(), "1:20 1:10 ");
	EXPECT_EQ(inotify_add_watch(fd, "f", IN_OPEN | IN_ONESHOT), 1);
	close(open("f", O_RDONLY));
	close(open("f", O_RDONLY));
	EXPECT_STREQ(events(), "1:20 1:8000 ");
	EXPECT_ERRNO(inotify_rm_watch(fd, 1), EINVAL);
	EXPECT_EQ(inotify_rm_watch(fd, 2), 0);
	EXPECT_STREQ(events(), "2:8000 ");
	EXPECT_EQ(inotify_add_watch(fd, ".", IN_ALL_EVENTS | IN_EXCL_UNLINK), 3);
	f = open("f", O_RDWR);
	unlink("f");
	events();
	EXPECT_EQ(write(f, "y", 1), 1);
	close(f);
	EXPECT_STREQ(events(), "");
	close(fd);
}

TEST(equal_events_are_one)
{
	int f;

	begin();
	make_file("f", "x");
	EXPECT_EQ(inotify_add_watch(fd, "f", IN_MODIFY), 1);
	f = open("f", O_WRONLY);
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(write(f, "x", 1), 1);
	EXPECT_STREQ(events(), "1:2 ");
	close(f);
	close(fd);
}

TEST(queue_is_readable)
{
	struct pollfd p;
	char small[20];
	int n = -1;

	begin();
	p = (struct pollfd){ .fd = fd, .events = POLLIN };
	EXPECT_EQ(inotify_add_watch(fd, ".", IN_CREATE), 1);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	mkdir("d", 0755);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT_EQ(ioctl(fd, FIONREAD, &n), 0);
	EXPECT_EQ(n, 32);
	EXPECT_ERRNO(read(fd, small, sizeof(small)), EINVAL);
	EXPECT_STREQ(events(), "1:40000100:d ");
	EXPECT_ERRNO(write(fd, "x", 1), EBADF);
	close(fd);
}

TEST(reader_is_woken)
{
	char buf[256];

	mkdir("d", 0755);
	fd = inotify_init();
	EXPECT_EQ(inotify_add_watch(fd, "d", IN_CREATE), 1);
	IN_CHILD(pid)
	{
		sleep_ms(50);
		mkdir("d/x", 0755);
		_exit(0);
	}
	EXPECT_EQ(read(fd, buf, sizeof(buf)), 32);
	EXPECT_EQ(wait_status(pid), 0);
	close(fd);
}

TEST(overflow_is_one_event)
{
	char text[32], old[32], *all;

	begin();
	EXPECT(read_file("/proc/sys/fs/inotify/max_queued_events", old, sizeof(old)) > 0);
	make_file("/proc/sys/fs/inotify/max_queued_events", "10");
	close(fd);
	begin();
	EXPECT_EQ(inotify_add_watch(fd, ".", IN_CREATE), 1);
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "f%d", i);
		mknod(text, S_IFREG | 0644, 0);
	}
	all = events();
	EXPECT(strncmp(all, "1:100:f0 1:100:f1 ", 18) == 0);
	EXPECT(strstr(all, "1:100:f9 -1:4000 ") != NULL);
	EXPECT(strstr(all, "f10") == NULL);
	make_file("/proc/sys/fs/inotify/max_queued_events", old);
	close(fd);
}

TEST(limits_of_a_user)
{
	char instances[32], watches[32];

	EXPECT(read_file("/proc/sys/fs/inotify/max_user_instances", instances, 32) > 0);
	EXPECT(read_file("/proc/sys/fs/inotify/max_user_watches", watches, 32) > 0);
	make_file("/proc/sys/fs/inotify/max_user_instances", "2");
	make_file("/proc/sys/fs/inotify/max_user_watches", "1");
	chmod(".", 0777);
	mkdir("d", 0777);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(4242), 0);
		begin();
		EXPECT(inotify_init() >= 0);
		EXPECT_ERRNO(inotify_init(), EMFILE);
		EXPECT_EQ(inotify_add_watch(fd, ".", IN_CREATE), 1);
		EXPECT_ERRNO(inotify_add_watch(fd, "d", IN_CREATE), ENOSPC);
		EXPECT_EQ(inotify_rm_watch(fd, 1), 0);
		EXPECT(inotify_add_watch(fd, "d", IN_CREATE) > 1);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	make_file("/proc/sys/fs/inotify/max_user_instances", instances);
	make_file("/proc/sys/fs/inotify/max_user_watches", watches);
}

TEST(unmount_ends_a_watch)
{
	begin();
	mkdir("m", 0755);
	REQUIRE(mount("t", "m", "tmpfs", 0, "") == 0);
	mkdir("m/d", 0755);
	EXPECT_EQ(inotify_add_watch(fd, "m/d", IN_CREATE), 1);
	EXPECT_EQ(umount("m"), 0);
	EXPECT_STREQ(events(), "1:40002000 1:8000 ");
	close(fd);
}

TEST(description_of_watches)
{
	char path[64], text[1024], wanted[64];
	struct stat st;

	begin();
	EXPECT_EQ(inotify_add_watch(fd, ".", IN_CREATE), 1);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	EXPECT(read_file(path, text, sizeof(text)) > 0);
	EXPECT_EQ(stat(".", &st), 0);
	snprintf(wanted, sizeof(wanted), "inotify wd:1 ino:%lx sdev:", (unsigned long)st.st_ino);
	EXPECT(strstr(text, wanted) != NULL);
	EXPECT(strstr(text, " mask:100 ignored_mask:0") != NULL);
	close(fd);
}

TEST(attributes_and_programs)
{
	char *argv[] = { "x", NULL };
	void *map;
	int f;

	begin();
	make_file("f", "hello");
	EXPECT_EQ(inotify_add_watch(fd, "f", IN_ALL_EVENTS), 1);
	EXPECT_EQ(setxattr("f", "trusted.a", "1", 1, 0), 0);
	EXPECT_EQ(removexattr("f", "trusted.a"), 0);
	EXPECT_STREQ(events(), "1:4 ");
	/* A mapping keeps the file open. */
	f = open("f", O_RDWR);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	close(f);
	EXPECT_STREQ(events(), "1:20 ");
	munmap(map, 4096);
	EXPECT_STREQ(events(), "1:8 ");
	chmod("f", 0755);
	events();
	EXPECT_ERRNO(execv("f", argv), ENOEXEC);
	EXPECT_STREQ(events(), "1:20 1:1 1:10 ");
	close(fd);
}
