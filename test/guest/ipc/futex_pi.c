/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Futexes with priority inheritance, raw and through mutexes. */
#include "guest_test.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static unsigned word, condition;

static long futex(unsigned *at, int operation, unsigned value, const void *timeout, unsigned *at2,
		  unsigned value3)
{
	return syscall(SYS_futex, at, operation, value, timeout, at2, value3);
}

static unsigned tid(void)
{
	return (unsigned)syscall(SYS_gettid);
}

static unsigned load(unsigned *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static void wait_for(unsigned *at, unsigned bits)
{
	while ((load(at) & bits) != bits)
		sleep_ms(1);
}

TEST(lock_and_unlock_without_others)
{
	EXPECT_EQ(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	EXPECT_EQ(word, tid());
	EXPECT_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	EXPECT_ERRNO(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	EXPECT_EQ(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	EXPECT_EQ(word, 0);
	EXPECT_ERRNO(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
	EXPECT_EQ(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), 0);
	EXPECT_EQ(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	EXPECT_EQ(futex(&word, FUTEX_LOCK_PI2, 0, NULL, NULL, 0), 0);
	EXPECT_EQ(word, tid());
}

TEST(lock_errors)
{
	void *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_ERRNO(futex(hole, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex(hole, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex((unsigned *)((char *)&word + 1), FUTEX_LOCK_PI, 0, NULL, NULL, 0),
		     EINVAL);
	word = 0x3ffffff; /* nobody has this number */
	EXPECT_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);
	word = 0;
	EXPECT_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PI, 2, (void *)1, &condition, 0), EINVAL);
	EXPECT_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &word, 0), EINVAL);
	EXPECT_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &condition, 5), EAGAIN);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_REQUEUE_PI, 5, NULL, &condition, 0), EAGAIN);
}

static void *lock_and_pass_on(void *unused)
{
	EXPECT_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	EXPECT_EQ(load(&word) & FUTEX_TID_MASK, tid());
	EXPECT_EQ(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	return NULL;
}

TEST(waiters_get_the_lock_in_turn)
{
	pthread_t threads[3];

	word = tid();
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, lock_and_pass_on, NULL);
	wait_for(&word, FUTEX_WAITERS);
	sleep_ms(20);
	EXPECT_EQ(load(&word), tid() | FUTEX_WAITERS);
	EXPECT_EQ(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(word & FUTEX_TID_MASK, 0);
}

TEST(waiting_ends_in_time)
{
	struct timespec until;

	IN_CHILD(pid)
	{
		pause();
	}
	word = (unsigned)pid;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 30000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	EXPECT_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, &until, NULL, 0), ETIMEDOUT);
	EXPECT_EQ(word, (unsigned)pid | FUTEX_WAITERS);
	clock_gettime(CLOCK_MONOTONIC, &until);
	EXPECT_ERRNO(futex(&word, FUTEX_LOCK_PI2, 0, &until, NULL, 0), ETIMEDOUT);
	EXPECT_ERRNO(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
	kill(pid, SIGKILL);
	wait_status(pid);
	EXPECT_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);
}

TEST(an_owner_that_dies_leaves_it_to_a_waiter)
{
	unsigned *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	IN_CHILD(pid)
	{
		EXPECT_EQ(futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
		wait_for(shared, FUTEX_WAITERS);
		sleep_ms(10);
		_exit(test_has_failed());
	}
	while (!load(shared))
		sleep_ms(1);
	EXPECT_EQ(futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	EXPECT_EQ(*shared & FUTEX_TID_MASK, tid());
	EXPECT(*shared & FUTEX_OWNER_DIED);
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(futex(shared, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	EXPECT_EQ(*shared & FUTEX_TID_MASK, 0);
}

static void *deadlocked(void *unused)
{
	EXPECT_EQ(futex(&condition, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	EXPECT_EQ(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	futex(&condition, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	return NULL;
}

TEST(circles_are_refused)
{
	pthread_t thread;

	EXPECT_EQ(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	pthread_create(&thread, NULL, deadlocked, NULL);
	wait_for(&word, FUTEX_WAITERS);
	EXPECT_ERRNO(futex(&condition, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	EXPECT_EQ(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	pthread_join(thread, NULL);
}

/* --- mutexes --- */

static pthread_mutex_t mutex, second_mutex;
static volatile bool stop, urgent_done;
static volatile unsigned long inherited;

static void make_mutex(pthread_mutex_t *m, bool robust)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	if (robust)
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	REQUIRE(pthread_mutex_init(m, &attr) == 0);
}

static void be_real_time(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	EXPECT_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
}

static void *hold_for_a_while(void *held)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	pthread_mutex_lock(&mutex);
	*(volatile bool *)held = true;
	for (long long end = now_ms() + 50; now_ms() < end;)
		;
	EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER); /* what was set, not what was lent */
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void *hog_first_cpu(void *unused)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	be_real_time(10);
	while (!urgent_done)
		;
	return NULL;
}

static void *want_urgently(void *unused)
{
	be_real_time(20);
	pthread_mutex_lock(&mutex);
	urgent_done = true;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

/*
 * A thread of ordinary priority holds a mutex, one of real-time priority hogs its CPU, a more urgent one wants the
 * mutex. Without inheritance the holder would never run.
 */
TEST(an_urgent_waiter_lends_its_priority)
{
	pthread_t holder, hog, urgent;
	volatile bool held = false;

	be_real_time(30);
	make_mutex(&mutex, false);
	pthread_attr_t attr;
	struct sched_param ordinary = { 0 };
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_OTHER);
	pthread_attr_setschedparam(&attr, &ordinary);
	REQUIRE(pthread_create(&holder, &attr, hold_for_a_while, (void *)&held) == 0);
	while (!held)
		sleep_ms(1);
	REQUIRE(pthread_create(&urgent, NULL, want_urgently, NULL) == 0);
	REQUIRE(pthread_create(&hog, NULL, hog_first_cpu, NULL) == 0);
	pthread_join(urgent, NULL);
	pthread_join(hog, NULL);
	pthread_join(holder, NULL);
}

static void *count_under_mutex(void *counter)
{
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_lock(&second_mutex);
		++*(volatile unsigned long *)counter;
		pthread_mutex_unlock(&second_mutex);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

TEST(mutexes_exclude)
{
	pthread_t threads[4];
	unsigned long counter = 0;

	make_mutex(&mutex, false);
	make_mutex(&second_mutex, true);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, count_under_mutex, &counter);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(counter, 8000);
}

static void *lock_and_die(void *unused)
{
	pthread_mutex_lock(&mutex);
	sleep_ms(20);
	return NULL;
}

TEST(robust_mutexes_outlive_their_owners)
{
	pthread_t thread;

	make_mutex(&mutex, true);
	for (int waiting = 0; waiting < 2; waiting++) {
		pthread_create(&thread, NULL, lock_and_die, NULL);
		if (waiting)
			sleep_ms(5);
		else
			pthread_join(thread, NULL);
		EXPECT_EQ(pthread_mutex_lock(&mutex), EOWNERDEAD);
		EXPECT_EQ(pthread_mutex_consistent(&mutex), 0);
		EXPECT_EQ(pthread_mutex_unlock(&mutex), 0);
		if (waiting)
			pthread_join(thread, NULL);
	}
	EXPECT_EQ(pthread_mutex_lock(&mutex), 0);
	EXPECT_EQ(pthread_mutex_unlock(&mutex), 0);
}

/* --- requeueing --- */

static unsigned awake;

static void *wait_requeued(void *unused)
{
	EXPECT_EQ(futex(&condition, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &word, 0), 0);
	EXPECT_EQ(load(&word) & FUTEX_TID_MASK, tid());
	__atomic_add_fetch(&awake, 1, __ATOMIC_RELEASE);
	EXPECT_EQ(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	return NULL;
}

TEST(waiters_are_requeued_to_a_lock)
{
	pthread_t threads[3];

	EXPECT_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, wait_requeued, NULL);
	sleep_ms(50);
	EXPECT_ERRNO(futex(&condition, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	EXPECT_EQ(futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &word, 0), 2);
	EXPECT_EQ(futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10, &word, 0), 1);
	sleep_ms(20);
	EXPECT_EQ(load(&awake), 0);
	EXPECT_EQ(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(awake, 3);
}

TEST(a_free_lock_is_taken_for_the_first_waiter)
{
	pthread_t thread;

	pthread_create(&thread, NULL, wait_requeued, NULL);
	sleep_ms(30);
	EXPECT_EQ(futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)0, &word, 0), 1);
	pthread_join(thread, NULL);
	EXPECT_EQ(awake, 1);
}

TEST(a_wait_for_requeueing_ends_in_time)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	EXPECT_ERRNO(futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &until, &word, 0), ETIMEDOUT);
	EXPECT_EQ(word, 0);
}
