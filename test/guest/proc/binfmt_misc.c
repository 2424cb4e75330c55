/* SPDX-License-Identifier: GPL-2.0-or-later */
/* binfmt_misc: registering, matching, the arguments that interpreters get. */
#include <guest_test.h>

#include <dirent.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT "formats/"

static void mount_formats(void)
{
	mkdir("formats", 0755);
	REQUIRE(mount("binfmt_misc", "formats", "binfmt_misc", 0, NULL) == 0);
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n = write(fd, text, strlen(text));
	int saved = errno;

	close(fd);
	errno = saved;
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Registers with this test's program as the interpreter, by an absolute path. */
static int add(const char *before, const char *after)
{
	char text[400];

	snprintf(text, sizeof(text), "%s/init%s", before, after);
	return put(AT "register", text);
}

static void remove_all(void)
{
	EXPECT_EQ(put(AT "status", "-1"), 0);
	EXPECT_EQ(umount("formats"), 0);
}

static const char *shown(const char *path)
{
	static char text[600];
	ssize_t n = read_file(path, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	return text;
}

TEST(binfmt_registrations_are_shown)
{
	mount_formats();
	EXPECT_STREQ(shown(AT "status"), "enabled\n");
	EXPECT_EQ(put(AT "register", ":one:M:2:\\x41b\\x00:\\xff\\xff\\x00:/bin/sh:OC"), 0);
	EXPECT_EQ(put(AT "register", "+two+E++ext++/bin/sh+P\n"), 0);
	EXPECT_STREQ(
		shown(AT "one"),
		"enabled\ninterpreter /bin/sh\nflags: OC\noffset 2\nmagic 416200\nmask ffff00\n");
	EXPECT_STREQ(shown(AT "two"), "enabled\ninterpreter /bin/sh\nflags: P\nextension .ext\n");
	EXPECT_EQ(put(AT "one", "0"), 0);
	EXPECT_EQ(strncmp(shown(AT "one"), "disabled\n", 9), 0);
	EXPECT_EQ(put(AT "one", "1\n"), 0);
	EXPECT_ERRNO(put(AT "one", "2"), EINVAL);
	EXPECT_EQ(put(AT "one", "-1"), 0);
	EXPECT_NE(access(AT "one", F_OK), 0);
	EXPECT_EQ(access(AT "two", F_OK), 0);
	EXPECT_EQ(put(AT "status", "0\n"), 0);
	EXPECT_STREQ(shown(AT "status"), "disabled\n");
	EXPECT_EQ(put(AT "status", "1"), 0);
	remove_all();
}

TEST(binfmt_malformed_registrations)
{
	static const char *const bad[] = {
		"",
		":x:M::ab:",
		":x:Z::ab::/bin/sh:",
		"::M::ab::/bin/sh:",
		":..:M::ab::/bin/sh:",
		":a/b:M::ab::/bin/sh:",
		":x:M::::/bin/sh:",
		":x:M:-1:ab::/bin/sh:",
		":x:M::ab:\\xff:/bin/sh:",
		":x:M::ab:::",
		":x:M::ab::/bin/sh:Q",
		":x:E::a/b::/bin/sh:",
		":x:E::::/bin/sh:",
	};

	mount_formats();
	for (unsigned i = 1; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_ERRNO(put(AT "register", bad[i]), EINVAL);
	EXPECT_EQ(put(AT "register", ":x:M::ab::/bin/sh:"), 0);
	EXPECT_ERRNO(put(AT "register", ":x:M::cd::/bin/sh:"), EEXIST);
	EXPECT_ERRNO(put(AT "register", ":y:M::ab::/no/such/file:F"), ENOENT);
	remove_all();
}

/* Prints what an interpreter was given. */
HELPER(words)
{
	for (int i = 0; i < argc; i++)
		printf("%s%s", i ? " " : "", argv[i]);
	printf("\n");
	return 0;
}

static void run_file(const char *path, const char *argv0, char *out, size_t size)
{
	int ends[2];
	ssize_t n;

	REQUIRE(pipe(ends) == 0);
	IN_CHILD(pid)
	{
		char *argv[] = { (char *)argv0, "words", "x", NULL };

		dup2(ends[1], 1);
		execv(path, argv);
		_exit(errno);
	}
	close(ends[1]);
	n = read(ends[0], out, size - 1);
	out[n < 0 ? 0 : n] = 0;
	close(ends[0]);
	EXPECT_EQ(wait_status(pid), 0);
}

static void make_program(const char *path, const char *text)
{
	make_file(path, text);
	EXPECT_EQ(chmod(path, 0755), 0);
}

/* The interpreter is this program, and the file is called "helper", which it takes for its first argument. */
TEST(binfmt_arguments_of_interpreters)
{
	char out[100];

	mount_formats();
	make_program("helper", "12MAGIC");
	EXPECT_EQ(add(":t:M:2:MAGIC::", ":"), 0);
	run_file("helper", "zero", out, sizeof(out));
	EXPECT_STREQ(out, "words x\n"); /* argv[0] gave way */
	EXPECT_EQ(put(AT "t", "-1"), 0);
	EXPECT_EQ(add(":t:M:2:mAGIC:\\xdf\\xff\\xff\\xff\\xff:", ":"), 0);
	run_file("helper", "zero", out, sizeof(out));
	EXPECT_STREQ(out, "words x\n");		   /* the mask hides the case of one letter */
	EXPECT_EQ(add(":p:M:2:MAGIC::", ":P"), 0); /* the newest counts */
	run_file("helper", "words", out, sizeof(out));
	EXPECT_STREQ(out, "words words x\n");
	remove_all();
}

static int exec_errno(const char *path)
{
	char *argv[] = { (char *)path, NULL };

	IN_CHILD(pid)
	{
		execv(path, argv);
		_exit(errno);
	}
	return wait_status(pid);
}

TEST(binfmt_which_files_match)
{
	mount_formats();
	make_program("x.ext", "anything");
	make_program("x.other", "anything");
	EXPECT_EQ(put(AT "register", ":e:E::ext::/no/such/file:"), 0);
	EXPECT_EQ(exec_errno("./x.ext"), ENOENT);
	EXPECT_EQ(exec_errno("./x.other"), ENOEXEC);
	EXPECT_EQ(put(AT "e", "0"), 0);
	EXPECT_EQ(exec_errno("./x.ext"), ENOEXEC);
	EXPECT_EQ(put(AT "e", "1"), 0);
	EXPECT_EQ(put(AT "status", "0"), 0);
	EXPECT_EQ(exec_errno("./x.ext"), ENOEXEC);
	EXPECT_EQ(put(AT "status", "1"), 0);
	EXPECT_EQ(exec_errno("./x.ext"), ENOENT);
	/* A script may have a registered interpreter, and a registered format wins over #!. */
	make_program("script", "#!x.ext\n");
	EXPECT_EQ(exec_errno("./script"), ENOENT);
	EXPECT_EQ(put(AT "register", ":s:M::#!x::/no:"), 0);
	EXPECT_EQ(exec_errno("./script"), ENOENT);
	remove_all();
}

HELPER(execfd)
{
	char text[8] = "";
	unsigned long fd = getauxval(AT_EXECFD);

	if (argc > 9 || pread((int)fd, text, 7, 0) != 7)
		return 1;
	printf("%s\n", text);
	return 0;
}

TEST(binfmt_an_opened_file_is_passed)
{
	char *argv[] = { "zero", "execfd", NULL };
	int ends[2];
	char out[100];

	mount_formats();
	make_program("helper", "12MAGIC");
	EXPECT_EQ(add(":t:M:2:MAGIC::", ":O"), 0);
	REQUIRE(pipe(ends) == 0);
	IN_CHILD(pid)
	{
		dup2(ends[1], 1);
		execv("helper", argv);
		_exit(errno);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(read(ends[0], out, sizeof(out)), 8);
	EXPECT_EQ(memcmp(out, "12MAGIC\n", 8), 0);
	remove_all();
}

TEST(binfmt_a_fixed_interpreter_may_go)
{
	char out[100];

	mount_formats();
	make_program("helper", "12MAGIC");
	EXPECT_EQ(symlink("/init", "link"), 0);
	EXPECT_EQ(put(AT "register", ":t:M:2:MAGIC::link:F"), 0);
	EXPECT_EQ(unlink("link"), 0);
	run_file("helper", "zero", out, sizeof(out));
	EXPECT_STREQ(out, "words x\n");
	remove_all();
}
