/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes and goes leaves nothing behind; memory hogs and fork bombs end, the rest survives. */
#include "guest_test.h"

#include <sys/resource.h>

/* Objects in use in a cache of /proc/slabinfo; -1 where Linux does not have it. */
static long in_use(const char *cache)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[400], name[64];
	long count = -1, n;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", name, &n) == 2 && !strcmp(name, cache))
			count = n;
	if (file)
		fclose(file);
	return count;
}

static void fork_and_exec(int times)
{
	for (int i = 0; i < times; i++) {
		pid_t pid = fork();

		if (!pid) {
			execl(GUEST_PROGRAM, "x", "helper", "zero", NULL);
			_exit(99);
		}
		REQUIRE(wait_status(pid) == 0);
	}
	sleep_ms(100); /* what waits for a grace period */
}

TEST(five_hundred_execs_leave_nothing)
{
	static const char *const caches[] = { "task", "process", "dentry", "aspace",
					      "vma",  "file",	 "pool",   "kmalloc-384" };
	long before[8];

	fork_and_exec(20);
	for (int i = 0; i < 8; i++)
		before[i] = in_use(caches[i]);
	fork_and_exec(500);
	/* Linux's caches grow with its own business; ours are exact but for what runs beside. */
	for (int i = 0; i < 8; i++)
		if (in_use("process") >= 0)
			EXPECT_LE(in_use(caches[i]), before[i] + 20);
}

TEST(fork_bomb_is_ended)
{
	struct rlimit limit = { 200, 200 };

	IN_CHILD(pid)
	{
		setpgid(0, 0);
		setrlimit(RLIMIT_NPROC, &limit);
		if (setuid(6789))
			_exit(1);
		for (;;)
			fork();
	}
	setpgid(pid, pid);
	sleep_ms(500);
	/* Zombies count as members, so the end shows only in that nobody is left to fork. */
	for (int i = 0; i < 100; i++) {
		kill(-pid, SIGKILL);
		sleep_ms(3);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
}
