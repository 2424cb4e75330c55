// SPDX-License-Identifier: GPL-2.0-or-later
/* Silos, to be read beside name spaces of Linux: what makes one, and what ends it. */
#define _GNU_SOURCE
#include "bench.h"

#include <cairn/silo.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNS)

/* A child does `work` and ends; false if it could not. */
#define IN_CHILD(work)                                                                             \
	({                                                                                         \
		int status_ = -1;                                                                  \
		pid_t pid_ = fork();                                                               \
		if (pid_ == 0)                                                                     \
			_exit((work) ? 1 : 0);                                                     \
		waitpid(pid_, &status_, 0);                                                        \
		status_ == 0;                                                                      \
	})

/* What the two rows behind it include. */
BENCH("silo", fork_end, 500)
{
	return TIMED(n, (void)IN_CHILD(0));
}

/* unshare -a of the name spaces that a silo has. */
BENCH("silo", unshare_fork_end, 200)
{
	if (!IN_CHILD(unshare(NAMESPACES)))
		return -1;
	return TIMED(n, (void)IN_CHILD(unshare(NAMESPACES)));
}

static int silo_with_root(int root)
{
	int silo = cairn_silo_create(0);

	if (silo < 0 || cairn_silo_configure(silo, CAIRN_SILO_ROOT, (__u64)root))
		return -1;
	return silo;
}

/* A silo is made, entered and ended. */
BENCH("silo", silo_fork_enter_end, 200)
{
	int root = open("/", O_RDONLY | O_DIRECTORY);

	if (!IN_CHILD(cairn_silo_enter(silo_with_root(root), NULL, 0)))
		return -1;
	return TIMED(n, (void)IN_CHILD(cairn_silo_enter(silo_with_root(root), NULL, 0)));
}

/* One that nobody enters. */
BENCH("silo", silo_create_close, 1000)
{
	int root = open("/", O_RDONLY | O_DIRECTORY), silo = silo_with_root(root);

	if (silo < 0 || close(silo))
		return -1;
	return TIMED(n, close(silo_with_root(root)));
}
