/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that confine themselves. */
#include <guest_test.h>

#include <cairn/confine.h>
#include <cairn/handle.h>
#include <cairn/silo.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char here[200];

static struct cairn_unveil rule(char *path, unsigned rights)
{
	return (struct cairn_unveil){ .path = (unsigned long)path, .rights = rights };
}

static void make_files(void)
{
	REQUIRE(getcwd(here, sizeof(here)));
	mkdir("read", 0755);
	mkdir("write", 0755);
	make_file("read/file", "text");
	make_file("secret", "out");
}

static char *in(char *buffer, const char *name)
{
	snprintf(buffer, 300, "%s/%s", here, name);
	return buffer;
}

TEST(unveil_shows_what_is_named)
{
	char a[300], b[300], c[300], text[16];
	struct cairn_unveil rules[2];
	int directory;

	make_files();
	directory = open(".", O_RDONLY | O_DIRECTORY);
	rules[0] = rule(in(a, "read"), CAIRN_RIGHT_READ);
	rules[1] = rule(in(b, "write"), CAIRN_RIGHT_WRITE);
	IN_CHILD(pid)
	{
		EXPECT_EQ(cairn_unveil(rules, 2), 0);
		EXPECT_EQ(read_file(in(c, "read/file"), text, sizeof(text)), 4);
		EXPECT_ERRNO(open(in(c, "read/new"), O_CREAT | O_WRONLY, 0600), EROFS);
		EXPECT(open(in(c, "write/new"), O_CREAT | O_WRONLY, 0600) >= 0);
		EXPECT_ERRNO(open(in(c, "secret"), O_RDONLY), ENOENT);
		EXPECT_ERRNO(open("/init", O_RDONLY), ENOENT);
		EXPECT_ERRNO(mkdir("/new", 0700), EROFS);
		EXPECT_ERRNO(openat(directory, "secret", O_RDONLY), EACCES);
		EXPECT_ERRNO(fchdir(directory), EACCES);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(access("write/new", F_OK), 0);
	EXPECT_EQ(access("secret", F_OK), 0); /* only the child confined itself */
}

TEST(unveil_only_narrows)
{
	char a[300], b[300];
	struct cairn_unveil all = rule("/", CAIRN_RIGHT_WRITE), one, back;

	make_files();
	one = rule(in(a, "read/file"), CAIRN_RIGHT_READ);
	IN_CHILD(pid)
	{
		EXPECT_EQ(cairn_unveil(&one, 1), 0);
		EXPECT_EQ(access(a, R_OK), 0);
		EXPECT_EQ(cairn_unveil(&all, 1), 0);
		EXPECT_ERRNO(open(a, O_WRONLY), EROFS);
		back = rule(in(b, "secret"), CAIRN_RIGHT_READ);
		EXPECT_ERRNO(cairn_unveil(&back, 1), ENOENT);
		EXPECT_EQ(access(a, R_OK), 0); /* which changed nothing */
		EXPECT_EQ(cairn_unveil(NULL, 0), 0);
		EXPECT_ERRNO(access(a, R_OK), ENOENT);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(unveil_needs_no_privilege)
{
	char a[300];
	struct cairn_unveil one, bad;

	make_files();
	one = rule(in(a, "read"), CAIRN_RIGHT_READ);
	bad = rule("relative", CAIRN_RIGHT_READ);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setresuid(1000, 1000, 1000), 0);
		EXPECT_ERRNO(cairn_unveil(&bad, 1), EINVAL);
		EXPECT_EQ(cairn_unveil(&one, 1), 0);
		EXPECT_EQ(access(a, R_OK), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

#define CALLS_FAIL(expression) EXPECT_ERRNO(expression, EPERM)

TEST(pledge_leaves_what_was_promised)
{
	make_file("file", "text");
	IN_CHILD(pid)
	{
		char text[8];
		int ends[2], fd;

		EXPECT_ERRNO(cairn_pledge(~0u, 0), EINVAL);
		EXPECT_ERRNO(cairn_pledge(0, 4), EINVAL);
		EXPECT_EQ(
			cairn_pledge(CAIRN_PROMISE_STDIO | CAIRN_PROMISE_RPATH | CAIRN_PROMISE_UNIX,
				     0),
			0);
		fd = open("file", O_RDONLY);
		EXPECT_EQ(read(fd, text, 8), 4);
		EXPECT_EQ(close(fd), 0);
		EXPECT_EQ(pipe(ends), 0);
		EXPECT_EQ(kill(getpid(), 0), 0);
		EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
		CALLS_FAIL(open("file", O_RDWR));
		CALLS_FAIL(open("file", O_RDONLY | O_TRUNC));
		CALLS_FAIL(open("new", O_RDONLY | O_CREAT, 0600));
		CALLS_FAIL(mkdir("d", 0755));
		CALLS_FAIL(unlink("file"));
		CALLS_FAIL(chmod("file", 0600));
		CALLS_FAIL(socket(AF_INET, SOCK_STREAM, 0));
		CALLS_FAIL(socket(AF_NETLINK, SOCK_RAW, 0));
		CALLS_FAIL(kill(getppid(), 0));
		CALLS_FAIL(fork());
		CALLS_FAIL(execl("/init", "init", NULL));
		CALLS_FAIL(mount("none", "/", "tmpfs", 0, NULL));
		CALLS_FAIL(setuid(1));
		CALLS_FAIL(ioctl(0, TIOCSTI, "x"));
		CALLS_FAIL(cairn_silo_create(0));
		/* Less, never more. */
		EXPECT_EQ(cairn_pledge(CAIRN_PROMISES_ALL, 0), 0);
		CALLS_FAIL(open("file", O_RDWR));
		EXPECT_EQ(cairn_pledge(CAIRN_PROMISE_STDIO, 0), 0);
		CALLS_FAIL(open("file", O_RDONLY));
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

HELPER(pledged)
{
	CALLS_FAIL(open("file", O_RDWR));
	IN_CHILD(pid)
	{
		CALLS_FAIL(unlink("file"));
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	return test_has_failed();
}

TEST(pledge_waits_for_exec)
{
	make_file("file", "text");
	IN_CHILD(pid)
	{
		EXPECT_EQ(
			cairn_pledge(CAIRN_PROMISE_STDIO | CAIRN_PROMISE_RPATH | CAIRN_PROMISE_PROC,
				     CAIRN_PLEDGE_ON_EXEC),
			0);
		EXPECT(open("file", O_RDWR) >= 0);
		execl("/init", "init", "helper", "pledged", NULL);
		_exit(99);
	}
	EXPECT_EQ(wait_status(pid), 0);
}
