/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests that run as Linux programs in the guest, first on Debian's kernel, then on this one. All files below test/guest
 * become one static program, which is also the guest's init (main.c); a test is named for its folder.
 *
 *   TEST(write_to_a_closed_pipe_fails) { EXPECT_ERRNO(write(fd, "x", 1), EPIPE); }
 *
 * Each test runs in a process of its own that leads a process group; what it leaves running is killed. Current
 * directory: an empty tmpfs, made anew for each test. User: root.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct guest_test {
	const char *area; /* the folder, AREA of the command line */
	const char *name;
	void (*run)(void);
};

#define TEST(name_)                                                                                \
	static void test_##name_(void);                                                            \
	__attribute__((section("guest_tests"), used,                                               \
		       aligned(8))) static const struct guest_test guest_##name_ = {               \
		AREA, #name_, test_##name_                                                         \
	};                                                                                         \
	static void test_##name_(void)

/* Makes /work what a test of this area finds: an empty tmpfs, unless a layer brings a function of its own. */
void mount_work(const char *area);

/* A program for tests of exec: run_helper("name", ...) executes it; it returns the exit status. */
struct guest_helper {
	const char *name;
	int (*run)(int argc, char **argv);
};
#define HELPER(name_)                                                                              \
	static int helper_##name_(int argc, char **argv);                                          \
	__attribute__((section("guest_helpers"), used,                                             \
		       aligned(8))) static const struct guest_helper guest_helper_##name_ = {      \
		#name_, helper_##name_                                                             \
	};                                                                                         \
	static int helper_##name_(int argc, char **argv)
#define GUEST_PROGRAM "/init" /* execute with argv[1] = "helper", argv[2] = name */

/* Records a failure of the running test. */
__attribute__((format(printf, 3, 4))) void test_fail(const char *file, int line, const char *fmt,
						     ...);
/* True once a check of this process has failed: the exit status of children. */
bool test_has_failed(void);

#define EXPECT(e)                                                                                  \
	({                                                                                         \
		bool ok_ = !!(e);                                                                  \
		if (!ok_)                                                                          \
			test_fail(__FILE__, __LINE__, "%s (errno %d)", #e, errno);                 \
		ok_;                                                                               \
	})
#define EXPECT_OP_(a, op, b)                                                                       \
	({                                                                                         \
		long long a_ = (long long)(a), b_ = (long long)(b);                                \
		bool ok_ = a_ op b_;                                                               \
		if (!ok_)                                                                          \
			test_fail(__FILE__, __LINE__, "%s %s %s: %lld, %lld (errno %d)", #a, #op,  \
				  #b, a_, b_, errno);                                              \
		ok_;                                                                               \
	})
#define EXPECT_EQ(a, b) EXPECT_OP_(a, ==, b)
#define EXPECT_NE(a, b) EXPECT_OP_(a, !=, b)
#define EXPECT_LT(a, b) EXPECT_OP_(a, <, b)
#define EXPECT_LE(a, b) EXPECT_OP_(a, <=, b)
#define EXPECT_GE(a, b) EXPECT_OP_(a, >=, b)
#define EXPECT_STREQ(a, b)                                                                         \
	({                                                                                         \
		const char *a_ = (a), *b_ = (b);                                                   \
		bool ok_ = strcmp(a_, b_) == 0;                                                    \
		if (!ok_)                                                                          \
			test_fail(__FILE__, __LINE__, "%s: \"%s\", not \"%s\"", #a, a_, b_);       \
		ok_;                                                                               \
	})
/* The call fails with this errno. */
#define EXPECT_ERRNO(call, wanted)                                                                 \
	({                                                                                         \
		errno = 0;                                                                         \
		long long r_ = (long long)(call);                                                  \
		bool ok_ = r_ == -1 && errno == (wanted);                                          \
		if (!ok_)                                                                          \
			test_fail(__FILE__, __LINE__, "%s: %lld, errno %d, not %s", #call, r_,     \
				  errno, #wanted);                                                 \
		ok_;                                                                               \
	})
/* As EXPECT, but ends the test. */
#define REQUIRE(e)                                                                                 \
	do {                                                                                       \
		if (!EXPECT(e))                                                                    \
			exit(1);                                                                   \
	} while (0)

/* Runs the body that follows in a child; `pid` is its id in the parent. IN_CHILD(pid) { ...; _exit(0); } */
#define IN_CHILD(pid)                                                                              \
	fflush(stdout);                                                                            \
	pid_t pid = fork();                                                                        \
	if (pid < 0)                                                                               \
		test_fail(__FILE__, __LINE__, "fork: errno %d", errno);                            \
	if (pid == 0)

/* Waits for a child: its exit status, or 128 + the signal that killed it; -1 if there is no such child. */
int wait_status(pid_t pid);

/* Sleeps. */
void sleep_ms(long ms);
/* CLOCK_MONOTONIC in milliseconds. */
long long now_ms(void);

/* Makes a file with this text; reads a whole (small) file into buf, terminated: its length or -1. */
void make_file(const char *path, const char *text);
ssize_t read_file(const char *path, char *buf, size_t size);
