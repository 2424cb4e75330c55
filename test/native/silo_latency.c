/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that answers a timer, in one silo, beside a fork bomb, a memory hog and a CPU hog in another, on one CPU. */
#include "silo_test.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define SAMPLES 301
#define PERIOD_NS 4000000l

static long ns_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - from->tv_sec) * 1000000000 + now.tv_nsec - from->tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	long one = *(const long *)a, other = *(const long *)b;

	return (one > other) - (one < other);
}

/* From the moment when a timer is due until a piece of work is done: the median. */
static long answer_ns(void)
{
	static long samples[SAMPLES];
	struct timespec due;

	clock_gettime(CLOCK_MONOTONIC, &due);
	for (int i = 0; i < SAMPLES; i++) {
		volatile unsigned n = 0;

		due.tv_nsec += PERIOD_NS;
		due.tv_sec += due.tv_nsec / 1000000000;
		due.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		while (n < 20000)
			n++;
		samples[i] = ns_since(&due);
		if (samples[i] > PERIOD_NS)
			clock_gettime(CLOCK_MONOTONIC, &due);
	}
	qsort(samples, SAMPLES, sizeof(samples[0]), by_size);
	return samples[SAMPLES / 2];
}

/* The median of a program in a silo of its own. */
static long measure(void)
{
	long *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int hogs = silo;

	make_silo();
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		*shared = answer_ns();
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 0);
	close(silo);
	silo = hogs;
	return *shared;
}

static void bomb(void)
{
	for (;;)
		if (fork() > 0)
			continue;
}

static void hog_memory(void)
{
	for (;;) {
		char *memory = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (size_t at = 0; memory != MAP_FAILED && at < 12 << 20; at += 4096)
			memory[at] = 1;
		munmap(memory, 64 << 20);
	}
}

static void hog(void)
{
	if (fork() == 0)
		bomb();
	if (fork() == 0)
		hog_memory();
	for (;;)
		;
}

TEST(hogs_do_not_delay_another_silo)
{
	long alone, beside;

	use_one_cpu();
	alone = measure();
	make_silo();
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_TASKS, 64), 0);
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_MEMORY, 24 << 20), 0);
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		hog();
	}
	sleep_ms(200);
	beside = measure();
	EXPECT_EQ(cairn_silo_control(silo, CAIRN_SILO_KILL), 0);
	EXPECT(wait_status(pid) != 0);
	/* GUEST_WORDS=latency=1, on a host that does nothing else: what is asked for. Else it is only not starved. */
	EXPECT_LE(beside, getenv("latency") ? alone * 2 : 1000000000);
}
