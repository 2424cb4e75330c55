/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of silos: tasks, memory, handles, CPU time. */
#include "silo_test.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

TEST(a_fork_bomb_stays_inside)
{
	make_silo();
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_TASKS, 20), 0);
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		for (;;)
			if (fork() < 0)
				sleep_ms(1);
	}
	sleep_ms(300);
	EXPECT_EQ(info().tasks, 20);
	EXPECT_EQ(cairn_silo_control(silo, CAIRN_SILO_KILL), 0);
	EXPECT_EQ(info().tasks, 0);
	EXPECT_EQ(info().state, CAIRN_SILO_STATE_KILLED);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
	EXPECT(was_denied(CAIRN_SILO_DENIED_TASK, 20));
	IN_CHILD(late)
	{
		EXPECT_ERRNO(cairn_silo_enter(silo, standard, 3), EAGAIN);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(late), 0);
}

static char *hog[] = { "program", "helper", "hog", NULL };

HELPER(hog)
{
	for (size_t i = 0;; i++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (p == MAP_FAILED)
			return 3;
		memset(p, 1, 1 << 20);
	}
}

TEST(a_memory_hog_stays_inside)
{
	struct cairn_silo_event event;

	make_silo();
	copy_program("root/program");
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_MEMORY, 8 << 20), 0);
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		execv("/program", hog);
		_exit(99);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
	EXPECT_LE(info().memory_peak, 8 << 20);
	EXPECT_LE(7 << 20, info().memory_peak);
	sleep_ms(50);
	EXPECT_EQ(info().memory_used, 0);
	EXPECT(event_of(CAIRN_SILO_EVENT_OUT_OF_MEMORY, &event));
	EXPECT_EQ(event.value, 8 << 20);
}

HELPER(sparse)
{
	char *p = mmap(NULL, 1ul << 40, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		       0);
	volatile char sum = 0;

	/* The page of zeros costs nothing, but a table for each 2 MiB does. */
	for (size_t at = 0; p != MAP_FAILED && at < 1ul << 40; at += 2 << 20)
		sum += p[at];
	return 3;
}

TEST(page_tables_are_charged)
{
	char *argv[] = { "program", "helper", "sparse", NULL };

	make_silo();
	copy_program("root/program");
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_MEMORY, 4 << 20), 0);
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		execv("/program", argv);
		_exit(99);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
	EXPECT_LE(3 << 20, info().memory_peak);
	sleep_ms(50);
	EXPECT_EQ(info().memory_used, 0);
}

/* Time that a second of work took, in a silo of its own or outside. */
static long work_ms(void)
{
	struct timespec from, to;
	volatile unsigned long n = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	while (n < 30000000)
		n++;
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}

static void spin_in_silo(int threads)
{
	for (int i = 1; i < threads; i++)
		if (fork() == 0)
			break;
	for (;;)
		;
}

/* Sixteen busy processes in a silo have the share of one: a program outside gets half of the CPU. */
TEST(a_cpu_hog_stays_inside)
{
	long alone, beside;

	use_one_cpu();
	alone = work_ms();
	make_silo();
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		spin_in_silo(16);
	}
	sleep_ms(100);
	beside = work_ms();
	EXPECT_EQ(cairn_silo_control(silo, CAIRN_SILO_KILL), 0);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
	/* Twice, and a part for what differs between the runs; without groups it would be 17 times. */
	EXPECT_LE(beside, alone * 4);
	EXPECT_LE(1, (long)info().cpu_ns);
}

TEST(a_quota_of_cpu_time)
{
	make_silo();
	EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_CPU_QUOTA, CAIRN_SILO_CPU_TIME(10, 100)),
		     EINVAL);
	EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_CPU_WEIGHT, 0), EINVAL);
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_CPU_QUOTA,
				       CAIRN_SILO_CPU_TIME(10000, 100000)),
		  0);
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		spin_in_silo(3);
	}
	sleep_ms(1000);
	EXPECT_LE((long)info().cpu_ns, 400000000); /* 100 ms, and what a slow clock adds */
	EXPECT_LE(3, (long)info().throttled);
	/* Who waits for time can be killed, and signals reach it. */
	EXPECT_EQ(cairn_silo_control(silo, CAIRN_SILO_KILL), 0);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
}

TEST(a_limit_of_handles)
{
	make_silo();
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_HANDLES, 8), 0);
	IN_CHILD(pid)
	{
		struct rlimit limit = { 1024, 1024 };

		ENTER(standard, 3);
		EXPECT_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
		for (int i = 3; i < 8; i++)
			EXPECT_EQ(dup(0), i);
		EXPECT_ERRNO(dup(0), EMFILE);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}
