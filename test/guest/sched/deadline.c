/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCHED_DEADLINE (sched(7), sched_setattr(2)): parameters, rights, bandwidth, throttling, order, what children get. */
#include "guest_test.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* <sched.h> has its own struct sched_param, and no sched_attr. */
int sched_setaffinity(pid_t pid, size_t size, const void *mask);
int sched_yield(void);

#define MS 1000000ull
#define NOBODY 65534

static int set(const struct sched_attr *attr)
{
	return (int)syscall(SYS_sched_setattr, 0, attr, 0);
}

static struct sched_attr deadline(uint64_t runtime, uint64_t relative, uint64_t period)
{
	return (struct sched_attr){ .size = sizeof(struct sched_attr),
				    .sched_policy = SCHED_DEADLINE,
				    .sched_runtime = runtime,
				    .sched_deadline = relative,
				    .sched_period = period };
}

static int set_deadline(uint64_t runtime, uint64_t relative, uint64_t period, uint64_t flags)
{
	struct sched_attr attr = deadline(runtime, relative, period);

	attr.sched_flags = flags;
	return set(&attr);
}

static int set_fifo(unsigned priority)
{
	struct sched_attr attr = { .size = sizeof(attr),
				   .sched_policy = SCHED_FIFO,
				   .sched_priority = priority };

	return set(&attr);
}

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* How the child ended; -1 stands for any. */
static int status_of(pid_t pid)
{
	int status = -1;

	EXPECT(waitpid(pid, &status, 0) > 0);
	return status;
}

TEST(deadline_parameters_come_back)
{
	struct sched_attr attr = deadline(2 * MS, 10 * MS, 20 * MS);

	attr.sched_flags = SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN;
	REQUIRE(set(&attr) == 0);
	memset(&attr, 0xff, sizeof(attr));
	EXPECT_EQ(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0), 0);
	EXPECT_EQ(attr.sched_policy, SCHED_DEADLINE);
	EXPECT_EQ(attr.sched_flags,
		  SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN);
	EXPECT_EQ(attr.sched_priority, 0);
	EXPECT_EQ(attr.sched_nice, 0);
	EXPECT_EQ(attr.sched_runtime, 2 * MS);
	EXPECT_EQ(attr.sched_deadline, 10 * MS);
	EXPECT_EQ(attr.sched_period, 20 * MS);
	EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_DEADLINE | SCHED_RESET_ON_FORK);

	EXPECT_EQ(set_deadline(2 * MS, 10 * MS, 0, 0), 0); /* the period is the deadline */
	EXPECT_EQ(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0), 0);
	EXPECT_EQ(attr.sched_period, 10 * MS);
	EXPECT_EQ(set(&(struct sched_attr){ .size = sizeof(attr) }), 0);
	EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_NORMAL);
}

TEST(deadline_parameters_must_make_sense)
{
	int priority = 0;

	EXPECT_ERRNO(set_deadline(0, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(set_deadline(1023, 10 * MS, 10 * MS, 0), EINVAL);
	EXPECT_ERRNO(set_deadline(11 * MS, 10 * MS, 10 * MS, 0), EINVAL);
	EXPECT_ERRNO(set_deadline(1 * MS, 11 * MS, 10 * MS, 0), EINVAL);
	EXPECT_ERRNO(set_deadline(1 * MS, 10 * MS, 1ull << 63, 0), EINVAL);
	EXPECT_ERRNO(set_deadline(10000, 50000, 50000, 0), EINVAL); /* period below 100 us */
	EXPECT_ERRNO(set_deadline(1 * MS, 5000 * MS, 5000 * MS, 0), EINVAL); /* above 4 s */
	EXPECT_ERRNO(set_deadline(1 * MS, 10 * MS, 10 * MS, 1ull << 20), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_DEADLINE, &priority), EINVAL);
	EXPECT_ERRNO(set_deadline(1 * MS, 10 * MS, 10 * MS, SCHED_FLAG_UTIL_CLAMP_MIN), EOPNOTSUPP);
}

TEST(a_deadline_is_for_the_privileged)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(NOBODY), 0);
		EXPECT_ERRNO(set_deadline(1 * MS, 10 * MS, 10 * MS, 0), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(status_of(pid), 0);
}

/* Linux keeps what it promised until the deadline of the dead. */
static int set_when_free(uint64_t runtime, uint64_t period)
{
	for (int i = 0; i < 100; i++) {
		if (set_deadline(runtime, period, period, 0) == 0)
			return 0;
		if (errno != EBUSY)
			return -1;
		usleep(20000);
	}
	return -1;
}

/* 95 % of the processors can be promised. */
TEST(no_more_is_promised_than_there_is)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), granted = 0, refused = 0;
	int ready[2], go[2];
	char c;

	EXPECT_EQ(pipe(ready), 0);
	EXPECT_EQ(pipe(go), 0);
	for (long i = 0; i < 2 * cpus + 1; i++) {
		IN_CHILD(pid)
		{
			int err = set_when_free(45 * MS, 100 * MS) ? errno : 0;

			c = err == 0 ? 'g' : err == EBUSY ? 'r' : '?';
			EXPECT_EQ(write(ready[1], &c, 1), 1);
			EXPECT_EQ(read(go[0], &c, 1), 1);
			_exit(0);
		}
		EXPECT_EQ(read(ready[0], &c, 1), 1);
		granted += c == 'g';
		refused += c == 'r';
	}
	EXPECT_EQ(granted, 2 * cpus + (cpus >= 9)); /* 0.45 each of 0.95 */
	EXPECT_EQ(granted + refused, 2 * cpus + 1);
	for (long i = 0; i < 2 * cpus + 1; i++)
		EXPECT_EQ(write(go[1], "", 1), 1);
	for (long i = 0; i < 2 * cpus + 1; i++)
		EXPECT_EQ(status_of(-1), 0);
}

TEST(what_was_promised_to_the_dead_is_free_again)
{
	for (int i = 0; i < 5; i++) {
		IN_CHILD(pid)
		{
			EXPECT_EQ(set_when_free(90 * MS, 100 * MS), 0);
			_exit(test_has_failed());
		}
		EXPECT_EQ(status_of(pid), 0);
	}
	EXPECT_EQ(set_when_free(90 * MS, 100 * MS), 0);
	EXPECT_EQ(set_deadline(80 * MS, 100 * MS, 100 * MS, 0), 0); /* the old promise is over */
}

TEST(a_thread_with_a_deadline_has_all_processors)
{
	unsigned long one = 1;

	if (sysconf(_SC_NPROCESSORS_ONLN) == 1)
		return;
	IN_CHILD(pid)
	{
		EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
		EXPECT_ERRNO(set_deadline(1 * MS, 10 * MS, 10 * MS, 0), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(status_of(pid), 0);
	EXPECT_EQ(set_deadline(1 * MS, 10 * MS, 10 * MS, 0), 0);
	EXPECT_ERRNO(sched_setaffinity(0, sizeof(one), &one), EBUSY);
}

TEST(children_have_no_deadline)
{
	EXPECT_EQ(set_deadline(1 * MS, 10 * MS, 10 * MS, 0), 0);
	EXPECT_ERRNO(fork(), EAGAIN);
	EXPECT_EQ(set_deadline(1 * MS, 10 * MS, 10 * MS, SCHED_FLAG_RESET_ON_FORK), 0);
	IN_CHILD(pid)
	{
		EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_NORMAL);
		_exit(test_has_failed());
	}
	EXPECT_EQ(status_of(pid), 0);
	EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_DEADLINE | SCHED_RESET_ON_FORK);
}

/* A hog is kept to its bandwidth: 5 ms of each 50. */
TEST(a_thread_that_never_sleeps_has_its_runtime_and_no_more)
{
	uint64_t start, used, passed;

	REQUIRE(set_deadline(5 * MS, 50 * MS, 50 * MS, 0) == 0);
	sched_yield(); /* begins a period */
	start = now(CLOCK_MONOTONIC);
	used = now(CLOCK_THREAD_CPUTIME_ID);
	while (now(CLOCK_MONOTONIC) - start < 500 * MS)
		;
	used = now(CLOCK_THREAD_CPUTIME_ID) - used;
	passed = now(CLOCK_MONOTONIC) - start;
	EXPECT_LE(used, passed / 10 + 40 * MS); /* room for a machine that stands still */
	EXPECT_GE(used, 5 * MS);
}

/* What is used beyond the budget is not forgotten by sleeping: 20 us of each ms, taken 200 at a time. */
TEST(sleeping_does_not_fill_the_budget)
{
	uint64_t start = now(CLOCK_MONOTONIC), used = now(CLOCK_THREAD_CPUTIME_ID);

	REQUIRE(set_deadline(MS / 50, MS, MS, 0) == 0);
	while (now(CLOCK_MONOTONIC) - start < 500 * MS) {
		uint64_t turn = now(CLOCK_THREAD_CPUTIME_ID);

		while (now(CLOCK_THREAD_CPUTIME_ID) - turn < MS / 5)
			;
		usleep(10);
	}
	used = now(CLOCK_THREAD_CPUTIME_ID) - used;
	EXPECT_LE(used, (now(CLOCK_MONOTONIC) - start) / 4);
}

TEST(sched_yield_waits_for_the_next_period)
{
	uint64_t start;

	REQUIRE(set_deadline(5 * MS, 30 * MS, 30 * MS, 0) == 0);
	sched_yield();
	start = now(CLOCK_MONOTONIC);
	for (int i = 0; i < 5; i++)
		sched_yield();
	EXPECT_GE(now(CLOCK_MONOTONIC) - start, 4 * 30 * MS);
}

static volatile sig_atomic_t overruns;

static void count_overrun(int signo)
{
	(void)signo;
	overruns++;
}

TEST(an_overrun_is_told_to_who_asks)
{
	uint64_t start = now(CLOCK_MONOTONIC);

	signal(SIGXCPU, count_overrun);
	REQUIRE(set_deadline(2 * MS, 20 * MS, 20 * MS, SCHED_FLAG_DL_OVERRUN) == 0);
	while (!overruns && now(CLOCK_MONOTONIC) - start < 5000 * MS)
		;
	EXPECT(overruns > 0);
	EXPECT_EQ(set_deadline(2 * MS, 20 * MS, 20 * MS, 0), 0);
	overruns = 0;
	start = now(CLOCK_MONOTONIC);
	while (now(CLOCK_MONOTONIC) - start < 100 * MS)
		;
	EXPECT_LE(overruns, 1); /* one may have been on its way */
}

/* Hogs of the highest real-time priority, on all processors, do not keep it from its runtime. */
TEST(deadlines_come_before_real_time_priorities)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t hogs[64];
	uint64_t longest = 0;

	REQUIRE(cpus <= 64);
	REQUIRE(set_deadline(10 * MS, 100 * MS, 100 * MS, SCHED_FLAG_RESET_ON_FORK) == 0);
	for (long i = 0; i < cpus; i++) {
		IN_CHILD(pid)
		{
			if (set_fifo(99))
				_exit(1);
			for (;;)
				;
		}
		hogs[i] = pid;
	}
	for (int i = 0; i < 10; i++) {
		uint64_t start = now(CLOCK_MONOTONIC);

		usleep(2000);
		longest = now(CLOCK_MONOTONIC) - start > longest ? now(CLOCK_MONOTONIC) - start
								 : longest;
	}
	EXPECT_LE(longest, 600 * MS); /* a hog lets others run after 950 ms at the soonest */
	for (long i = 0; i < cpus; i++) {
		EXPECT_EQ(kill(hogs[i], SIGKILL), 0);
		EXPECT(WIFSIGNALED(status_of(hogs[i])));
	}
}

/* The same, while it is throttled, and changed, and killed. */
TEST(a_throttled_thread_can_be_changed_and_killed)
{
	for (int i = 0; i < 4; i++) {
		struct sched_attr normal = { .size = sizeof(normal) };
		uint64_t start = now(CLOCK_MONOTONIC);
		int ready[2];
		char c;

		EXPECT_EQ(pipe(ready), 0);
		IN_CHILD(pid)
		{
			if (set_deadline(50 * MS, 4000 * MS, 4000 * MS, 0) ||
			    write(ready[1], "", 1) != 1)
				_exit(1);
			while (i % 2 || syscall(SYS_sched_getscheduler, 0) == SCHED_DEADLINE)
				;
			_exit(0);
		}
		EXPECT_EQ(read(ready[0], &c, 1), 1);
		usleep(200000); /* it is out of budget now */
		EXPECT_EQ(syscall(SYS_sched_setattr, pid, &normal, 0), 0);
		if (i % 2)
			EXPECT_EQ(kill(pid, SIGKILL), 0);
		EXPECT_EQ(status_of(pid), i % 2 ? SIGKILL : 0);
		EXPECT_LE(now(CLOCK_MONOTONIC) - start, 3500 * MS);
		close(ready[0]);
		close(ready[1]);
	}
}

/* Many come and go on all processors. */
TEST(many_deadlines_come_and_go)
{
	for (int i = 0; i < 12; i++) {
		IN_CHILD(pid)
		{
			uint64_t period = (uint64_t)(10 + 3 * i) * MS;

			for (int n = 0; n < 6; n++) {
				uint64_t start = now(CLOCK_THREAD_CPUTIME_ID);

				if (set_deadline(period / 10, period, period,
						 n & 1 ? SCHED_FLAG_RECLAIM : 0) &&
				    errno != EBUSY)
					_exit(1);
				while (now(CLOCK_THREAD_CPUTIME_ID) - start < MS / 10)
					;
				if (set(&(struct sched_attr){ .size = sizeof(struct sched_attr) }))
					_exit(2);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 12; i++)
		EXPECT_EQ(status_of(-1), 0);
}

TEST(the_limits_of_real_time_respect_what_was_promised)
{
	int fd = open("/proc/sys/kernel/sched_rt_runtime_us", O_RDWR);

	REQUIRE(fd >= 0);
	EXPECT_EQ(set_deadline(50 * MS, 100 * MS, 100 * MS, 0), 0);
	EXPECT_ERRNO(pwrite(fd, "1000\n", 5, 0), EBUSY);
	EXPECT_ERRNO(pwrite(fd, "2000000\n", 8, 0), EINVAL);
	EXPECT_EQ(pwrite(fd, "950000\n", 7, 0), 7);
	close(fd);
}
