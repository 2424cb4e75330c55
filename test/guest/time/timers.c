/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interval timers, POSIX timers, clocks, sleeping. */
#include "guest_test.h"

#include <sys/syscall.h>
#include <sys/time.h>

static volatile sig_atomic_t calls;
static siginfo_t last;

static void note(int signo, siginfo_t *info, void *context)
{
	calls++;
	last = *info;
}

static void install(int signo)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART };

	REQUIRE(!sigaction(signo, &action, NULL));
}

TEST(real_timer_repeats)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, left, none = { 0 };
	long long end;

	install(SIGALRM);
	EXPECT_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
	EXPECT_EQ(getitimer(ITIMER_REAL, &left), 0);
	EXPECT_EQ(left.it_interval.tv_usec, 20000);
	EXPECT(left.it_value.tv_usec > 0 && left.it_value.tv_usec <= 20000);
	/* On a busy host expirations coalesce, so only the least time that they take is certain. */
	long long start = now_ms();

	for (end = start + 5000; calls < 5 && now_ms() < end;)
		;
	EXPECT_GE(now_ms() - start, 90);
	EXPECT_EQ(setitimer(ITIMER_REAL, &none, &left), 0);
	EXPECT_GE(calls, 5);
	EXPECT_EQ(last.si_code, SI_KERNEL);
	EXPECT_EQ(getitimer(ITIMER_REAL, &left), 0);
	EXPECT_EQ(left.it_value.tv_sec + left.it_value.tv_usec, 0);
	EXPECT_ERRNO(getitimer((__itimer_which_t)5, &left), EINVAL);
	often.it_value.tv_usec = 2000000;
	EXPECT_ERRNO(setitimer(ITIMER_REAL, &often, NULL), EINVAL);
}

TEST(cpu_timers_fire)
{
	struct itimerval soon = { .it_value = { 0, 50000 } };
	long long end;

	install(SIGVTALRM);
	install(SIGPROF);
	EXPECT_EQ(setitimer(ITIMER_VIRTUAL, &soon, NULL), 0);
	EXPECT_EQ(setitimer(ITIMER_PROF, &soon, NULL), 0);
	sleep_ms(100);
	EXPECT_EQ(calls, 0);
	for (end = now_ms() + 3000; calls < 2 && now_ms() < end;)
		;
	EXPECT_EQ(calls, 2);
}

TEST(alarm_returns_what_was_left)
{
	EXPECT_EQ(alarm(10), 0);
	EXPECT_EQ(alarm(0), 10);
	EXPECT_EQ(alarm(0), 0);
	IN_CHILD(pid)
	{
		alarm(1);
		for (;;)
			pause();
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGALRM);
}

TEST(timers_are_not_inherited)
{
	struct itimerval soon = { .it_value = { 0, 30000 } };

	install(SIGALRM);
	setitimer(ITIMER_REAL, &soon, NULL);
	IN_CHILD(pid)
	{
		struct itimerval left;

		getitimer(ITIMER_REAL, &left);
		sleep_ms(60);
		_exit(calls || left.it_value.tv_usec);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(calls, 1);
}

TEST(posix_timer_signals_with_its_value)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGRTMIN,
				  .sigev_value.sival_int = 99 };
	struct itimerspec soon = { .it_value = { 0, 20000000 } }, left;
	timer_t timer;

	install(SIGRTMIN);
	REQUIRE(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	EXPECT_EQ(timer_settime(timer, 0, &soon, NULL), 0);
	EXPECT_EQ(timer_gettime(timer, &left), 0);
	EXPECT(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 20000000);
	sleep_ms(60);
	EXPECT_EQ(calls, 1);
	EXPECT_EQ(last.si_code, SI_TIMER);
	EXPECT_EQ(last.si_value.sival_int, 99);
	EXPECT_EQ(timer_gettime(timer, &left), 0);
	EXPECT_EQ(left.it_value.tv_nsec + left.it_value.tv_sec, 0);
	EXPECT_EQ(timer_delete(timer), 0);
	EXPECT_ERRNO(syscall(SYS_timer_delete, 12345), EINVAL);
	EXPECT_ERRNO(timer_create(1234, &event, &timer), EINVAL);
	event.sigev_signo = 99;
	EXPECT_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
}

TEST(posix_timer_counts_overruns)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec often = { { 0, 10000000 }, { 0, 10000000 } };
	struct timespec before, after;
	sigset_t set;
	siginfo_t info;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	REQUIRE(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	EXPECT_EQ(timer_settime(timer, 0, &often, NULL), 0);
	sleep_ms(105);
	EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
	EXPECT_GE(info.si_overrun, 7);
	EXPECT_EQ(timer_getoverrun(timer), info.si_overrun);
	/* Counting begins anew: no more than fit into the time since. */
	clock_gettime(CLOCK_MONOTONIC, &before);
	EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
	clock_gettime(CLOCK_MONOTONIC, &after);
	long ms =
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	EXPECT_LE(info.si_overrun, ms / 10 + 3);
	EXPECT_EQ(timer_delete(timer), 0);
}

TEST(posix_timer_of_absolute_time_and_cpu_time)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec at = { 0 };
	timer_t timer;
	long long end;

	install(SIGRTMIN);
	REQUIRE(!timer_create(CLOCK_REALTIME, &event, &timer));
	clock_gettime(CLOCK_REALTIME, &at.it_value);
	EXPECT_EQ(timer_settime(timer, TIMER_ABSTIME, &at, NULL), 0);
	sleep_ms(30);
	EXPECT_EQ(calls, 1);
	timer_delete(timer);
	REQUIRE(!timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer));
	at = (struct itimerspec){ .it_value = { 0, 50000000 } };
	EXPECT_EQ(timer_settime(timer, 0, &at, NULL), 0);
	for (end = now_ms() + 3000; calls < 2 && now_ms() < end;)
		;
	EXPECT_EQ(calls, 2);
}

TEST(sigev_none_only_counts)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	struct itimerspec soon = { .it_value = { 0, 20000000 } }, left;
	timer_t timer;

	REQUIRE(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	EXPECT_EQ(timer_settime(timer, 0, &soon, NULL), 0);
	sleep_ms(40);
	EXPECT_EQ(timer_gettime(timer, &left), 0);
	EXPECT_EQ(left.it_value.tv_nsec + left.it_value.tv_sec, 0);
}

TEST(clocks)
{
	static const clockid_t good[] = {
		CLOCK_REALTIME,		 CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
		CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE,	 CLOCK_BOOTTIME,      CLOCK_TAI
	};
	struct timespec t, resolution;

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		EXPECT_EQ(syscall(SYS_clock_gettime, good[i], &t), 0);
		EXPECT_EQ(clock_getres(good[i], &resolution), 0);
	}
	EXPECT_ERRNO(syscall(SYS_clock_gettime, 77, &t), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8), EFAULT);
	EXPECT_ERRNO(clock_settime(CLOCK_MONOTONIC, &t), EINVAL);
}

TEST(sleeping)
{
	struct timespec t = { 0, 30000000 }, bad = { 0, 1000000000 };
	long long start = now_ms();

	EXPECT_EQ(nanosleep(&t, NULL), 0);
	EXPECT_GE(now_ms() - start, 30);
	EXPECT_ERRNO(nanosleep(&bad, NULL), EINVAL);
	bad = (struct timespec){ -1, 0 };
	EXPECT_ERRNO(nanosleep(&bad, NULL), EINVAL);
	t = (struct timespec){ 0, 1 };
	EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	EXPECT_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL), EINVAL);
}
