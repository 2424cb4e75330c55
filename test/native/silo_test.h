/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of silos share: one silo, and what it recorded. */
#pragma once

#include "program.h"

#include <cairn/handle.h>
#include <cairn/silo.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((unused)) static int silo, outside; /* a pid that is not in the silo */

/* A silo with the directory "root", where there is a file "inside". */
static inline void make_silo(void)
{
	int root;

	mkdir("root", 0755);
	make_file("root/inside", "in");
	make_file("secret", "out");
	root = open("root", O_RDONLY | O_DIRECTORY);
	silo = cairn_silo_create(CAIRN_HANDLE_KEEP_ON_FORK);
	REQUIRE(silo >= 0 && root >= 0);
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_ROOT, (__u64)root), 0);
	EXPECT_EQ(close(root), 0);
	outside = getpid();
}

/* Whoever is started from here on shares the first CPU. */
static inline void use_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
}

static inline struct cairn_silo_info info(void)
{
	struct cairn_silo_info got = {};

	EXPECT_EQ(cairn_silo_inspect(silo, &got, sizeof(got)), 0);
	return got;
}

__attribute__((unused)) static const int standard[] = { 0, 1, 2 };

#define ENTER(keep, count) REQUIRE(cairn_silo_enter(silo, keep, count) == 0)

/* The next event of a kind that is not STARTED or STOPPED, or of `kind` itself. */
static inline int event_of(unsigned kind, struct cairn_silo_event *event)
{
	while (cairn_silo_event(silo, event, CAIRN_SILO_NONBLOCK) == 0)
		if (event->kind == kind)
			return 1;
	return 0;
}

static inline bool was_denied(unsigned kind, unsigned long value)
{
	struct cairn_silo_event event;

	while (event_of(kind, &event))
		if (event.value == value)
			return true;
	return false;
}
