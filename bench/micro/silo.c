// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows that each kernel does in its own way: a silo, or on Linux a process with name spaces and a cgroup of its own; a small message
 * and its answer through a channel, or on Linux through two pipes.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <cairn/channel.h>
#include <cairn/handle.h>
#include <cairn/silo.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUP "/tmp/cgroup/bench"

/* 1 on this kernel, 0 on Linux. */
static int have_silos(void)
{
	int silo = cairn_silo_create(0);

	if (silo < 0)
		return 0;
	close(silo);
	return 1;
}

/* Makes and destroys a silo, that nobody entered; the name spaces of a process that does nothing, and a cgroup. */
static int silo_empty(void)
{
	int silo = cairn_silo_create(0);

	return silo < 0 ? -1 : close(silo);
}

static int wait_for(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && !status ? 0 : -1;
}

static int unshare_all(void)
{
	pid_t pid;

	if (mkdir(GROUP, 0755))
		return -1;
	pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID) != 0);
	if (wait_for(pid))
		return -1;
	return rmdir(GROUP);
}

static void mount_cgroups(void)
{
	mkdir("/tmp/cgroup", 0755);
	mount("none", "/tmp/cgroup", "cgroup2", 0, 0);
}

BENCH("silo", silo_create_destroy, 300)
{
	if (have_silos())
		return TIMED(n, ({
				     if (silo_empty())
					     return -1;
			     }));
	mount_cgroups();
	return TIMED(n, ({
			     if (unshare_all())
				     return -1;
		     }));
}

BENCH("silo", small_message_round_trip, 3000)
{
	return have_silos() ? channel_round_trips(n, 0) : pipe_round_trips(n);
}
