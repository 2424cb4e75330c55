/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that confine themselves. */
#include <guest_test.h>

#include <cairn/confine.h>
#include <cairn/handle.h>
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
