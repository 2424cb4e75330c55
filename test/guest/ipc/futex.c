/* SPDX-License-Identifier: GPL-2.0-or-later */
/* futex(2). */
#include "guest_test.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* Not known to the compiler, which would warn. */
static void *volatile bad_address = (void *)8;

static long futex(uint32_t *word, int op, uint32_t value, const void *timeout, uint32_t *word2,
		  uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static uint32_t *shared_words(void)
{
	uint32_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

TEST(futex_errors)
{
	uint32_t word = 1;
	struct timespec bad = { 0, 1000000000 }, past = { 0, 0 };

	EXPECT_ERRNO(futex(&word, FUTEX_WAIT, 2, NULL, NULL, 0), EAGAIN);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT, 1, &bad, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT, 1, &past, NULL, 0), ETIMEDOUT);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 1, &past, NULL, 0), ETIMEDOUT);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET, 1, &past, NULL, 1), ETIMEDOUT);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex((uint32_t *)((char *)&word + 1), FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex(bad_address, FUTEX_WAIT, 1, NULL, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex(&word, 99, 1, NULL, NULL, 0), ENOSYS);
	EXPECT_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
}

TEST(futex_times_out_relative_and_absolute)
{
	uint32_t word = 0;
	struct timespec t = { 0, 20000000 };
	long long start = now_ms();

	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0), ETIMEDOUT);
	EXPECT_GE(now_ms() - start, 19);
	start = now_ms();
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 20000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &t, NULL, 1),
		     ETIMEDOUT);
	EXPECT_GE(now_ms() - start, 19);
}

TEST(futex_wakes_between_processes)
{
	uint32_t *word = shared_words();

	IN_CHILD(pid)
	{
		while (!__atomic_load_n(word, __ATOMIC_ACQUIRE))
			futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(5);
	}
	sleep_ms(30);
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	EXPECT_EQ(futex(word, FUTEX_WAKE, 10, NULL, NULL, 0), 1);
	EXPECT_EQ(wait_status(pid), 5);
}

static pid_t start_waiter(uint32_t *word, uint32_t bitset)
{
	IN_CHILD(pid)
	{
		_exit(futex(word, FUTEX_WAIT_BITSET, 0, NULL, NULL, bitset) == 0 ? 0 : 1);
	}
	return pid;
}

TEST(futex_bitsets_select)
{
	uint32_t *word = shared_words();
	pid_t a = start_waiter(word, 1), b = start_waiter(word, 2);

	sleep_ms(50);
	EXPECT_EQ(futex(word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 4), 0);
	EXPECT_EQ(futex(word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 2), 1);
	EXPECT_EQ(wait_status(b), 0);
	EXPECT_EQ(futex(word, FUTEX_WAKE, 10, NULL, NULL, 0), 1);
	EXPECT_EQ(wait_status(a), 0);
}

TEST(futex_requeues)
{
	uint32_t *words = shared_words();
	pid_t pids[3];

	for (int i = 0; i < 3; i++)
		pids[i] = start_waiter(&words[0], ~0u);
	sleep_ms(50);
	EXPECT_ERRNO(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)10, &words[1], 1), EAGAIN);
	EXPECT_EQ(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)10, &words[1], 0), 3);
	EXPECT_EQ(futex(&words[0], FUTEX_WAKE, 10, NULL, NULL, 0), 0);
	EXPECT_EQ(futex(&words[1], FUTEX_WAKE, 10, NULL, NULL, 0), 2);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(wait_status(pids[i]), 0);
}

TEST(futex_wake_op_changes_and_wakes)
{
	uint32_t *words = shared_words();
	pid_t a = start_waiter(&words[0], ~0u), b = start_waiter(&words[1], ~0u);

	sleep_ms(50);
	EXPECT_EQ(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1],
			FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_GT, 0)),
		  1);
	EXPECT_EQ(words[1], 5);
	EXPECT_EQ(wait_status(a), 0);
	EXPECT_EQ(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1],
			FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 5)),
		  1);
	EXPECT_EQ(words[1], 9);
	EXPECT_EQ(wait_status(b), 0);
}

#define ROUNDS 2000
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn, rounds;

static void *player(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != me)
			pthread_cond_wait(&condition, &mutex);
		turn = (turn + 1) % 3;
		rounds++;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

TEST(futex_carries_threads)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		REQUIRE(pthread_create(&threads[i], NULL, player, (void *)(intptr_t)i) == 0);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(pthread_join(threads[i], NULL), 0);
	EXPECT_EQ(rounds, 3 * ROUNDS);
}

TEST(futex_robust_owner_dies)
{
	pthread_mutex_t *m = (pthread_mutex_t *)shared_words();
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	REQUIRE(pthread_mutex_init(m, &attr) == 0);
	IN_CHILD(pid)
	{
		pthread_mutex_lock(m);
		sleep_ms(50);
		_exit(0);
	}
	sleep_ms(20);
	EXPECT_EQ(pthread_mutex_lock(m), EOWNERDEAD);
	EXPECT_EQ(pthread_mutex_consistent(m), 0);
	EXPECT_EQ(pthread_mutex_unlock(m), 0);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(futex_waitv_waits_for_many)
{
	uint32_t *words = shared_words();
	struct futex_waitv v[2] = { { .uaddr = (uintptr_t)&words[0], .flags = FUTEX_32 },
				    { .uaddr = (uintptr_t)&words[1], .flags = FUTEX_32 } };

	IN_CHILD(pid)
	{
		_exit((int)syscall(SYS_futex_waitv, v, 2, 0, NULL, CLOCK_MONOTONIC));
	}
	sleep_ms(50);
	EXPECT_EQ(futex(&words[1], FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	EXPECT_EQ(wait_status(pid), 1);
	v[0].val = 7;
	EXPECT_ERRNO(syscall(SYS_futex_waitv, v, 2, 0, NULL, CLOCK_MONOTONIC), EAGAIN);
	EXPECT_ERRNO(syscall(SYS_futex_waitv, v, 2, 1, NULL, CLOCK_MONOTONIC), EINVAL);
	EXPECT_ERRNO(syscall(SYS_futex_waitv, v, 0, 0, NULL, CLOCK_MONOTONIC), EINVAL);
}
