/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of threads, sleeping and waking, shares of the CPU, sleeping locks. */
#include <core/lock.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/time.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/test.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <sched/thread.h>

#include <linux/sched.h>

#define THREADS 4

/* A group of threads that run a function and are waited for. */
struct crew {
	struct completion done[THREADS];
	void (*fn)(unsigned index);
	unsigned next;
};

static struct crew crew;

static void crew_main(void *unused)
{
	unsigned index = __atomic_fetch_add(&crew.next, 1, __ATOMIC_RELAXED);

	(void)unused;
	crew.fn(index);
	complete(&crew.done[index]);
}

static void crew_start(unsigned n, void (*fn)(unsigned index))
{
	crew = (struct crew){ .fn = fn };
	for (unsigned i = 0; i < n; i++)
		completion_init(&crew.done[i]);
	for (unsigned i = 0; i < n; i++)
		ASSERT(!kthread_start("test", crew_main, nullptr));
}

static void crew_wait(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		EXPECT_EQ(wait_for_completion(&crew.done[i], SLEEP_UNINTERRUPTIBLE), 0);
}

TEST(sleep_lasts_as_long_as_asked)
{
	u64 start = clock_monotonic_ns(), slept;

	thread_sleep_ns(20 * NSEC_PER_MSEC);
	slept = clock_monotonic_ns() - start;
	EXPECT_GE(slept, 20 * NSEC_PER_MSEC);
	EXPECT_LT(slept, 200 * NSEC_PER_MSEC);
}

TEST(wait_times_out)
{
	struct wait_queue q;
	int r;

	wait_queue_init(&q);
	r = wait_event_until(&q, false, SLEEP_UNINTERRUPTIBLE,
			     clock_monotonic_ns() + NSEC_PER_MSEC);
	EXPECT_EQ(r, -ETIMEDOUT);
	EXPECT(wait_queue_empty(&q));
	r = wait_event_until(&q, true, SLEEP_UNINTERRUPTIBLE, 0);
	EXPECT_EQ(r, 0);
}

/* A wake-up between wait_prepare and wait_sleep must end the sleep. */
TEST(wake_before_sleep_is_not_lost)
{
	wait_prepare(SLEEP_UNINTERRUPTIBLE);
	EXPECT(thread_wake(current_thread()));
	EXPECT_EQ(wait_sleep(clock_monotonic_ns() + NSEC_PER_SEC), 0);
	EXPECT(!thread_wake(current_thread()));
}

static struct wait_queue turn_queue = WAIT_QUEUE_INIT(turn_queue);
static unsigned turn;

static void take_turns(unsigned index)
{
	for (unsigned i = 0; i < 1000; i++) {
		wait_event(&turn_queue, __atomic_load_n(&turn, __ATOMIC_ACQUIRE) % 2 == index);
		__atomic_add_fetch(&turn, 1, __ATOMIC_RELEASE);
		wake_up(&turn_queue, 0);
	}
}

TEST(two_threads_take_turns)
{
	turn = 0;
	crew_start(2, take_turns);
	crew_wait(2);
	EXPECT_EQ(turn, 2000u);
}

static struct wait_queue exclusive_queue = WAIT_QUEUE_INIT(exclusive_queue);
static unsigned tickets;

static bool take_ticket(void)
{
	unsigned n = __atomic_load_n(&tickets, __ATOMIC_RELAXED);

	return n && __atomic_compare_exchange_n(&tickets, &n, n - 1, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED);
}

static unsigned woken;

static void wait_exclusively(unsigned index)
{
	struct wait_entry e;

	(void)index;
	wait_entry_init(&e);
	wait_queue_add_exclusive(&exclusive_queue, &e);
	for (;;) {
		wait_prepare(SLEEP_UNINTERRUPTIBLE);
		if (take_ticket())
			break;
		EXPECT_EQ(wait_sleep(NO_DEADLINE), 0);
		__atomic_add_fetch(&woken, 1, __ATOMIC_RELAXED);
	}
	wait_cancel();
	wait_queue_remove(&exclusive_queue, &e);
}

TEST(wake_up_one_wakes_one)
{
	woken = tickets = 0;
	crew_start(THREADS, wait_exclusively);
	thread_sleep_ns(5 * NSEC_PER_MSEC); /* all of them wait */
	for (unsigned i = 1; i <= THREADS; i++) {
		__atomic_add_fetch(&tickets, 1, __ATOMIC_RELEASE);
		wake_up_one(&exclusive_queue, 0);
		for (unsigned ms = 0; ms < 1000 && READ_ONCE(woken) < i; ms++)
			thread_sleep_ns(NSEC_PER_MSEC);
		EXPECT_EQ(READ_ONCE(woken), i);
	}
	crew_wait(THREADS);
}

static struct mutex test_mutex = MUTEX_INIT(RANK_PIPE);
static u64 guarded;

static void use_mutex(unsigned index)
{
	for (unsigned i = 0; i < 200; i++) {
		u64 before;

		mutex_lock(&test_mutex);
		EXPECT(mutex_is_held(&test_mutex));
		before = READ_ONCE(guarded);
		if (i % 20 == index)
			thread_sleep_ns(NSEC_PER_MSEC / 10);
		else
			thread_yield();
		WRITE_ONCE(guarded, before + 1);
		mutex_unlock(&test_mutex);
	}
}

TEST(mutex_excludes)
{
	guarded = 0;
	crew_start(THREADS, use_mutex);
	crew_wait(THREADS);
	EXPECT_EQ(guarded, THREADS * 200ull);
	if (!mutex_trylock(&test_mutex)) {
		EXPECT(!"the mutex is free");
		return;
	}
	mutex_unlock(&test_mutex);
}

static struct rwsem test_rwsem = RWSEM_INIT(RANK_PIPE);
static int readers_inside, writers_inside, most_readers, readers_ready;

static void read_some(void)
{
	read_lock(&test_rwsem);
	int n = __atomic_add_fetch(&readers_inside, 1, __ATOMIC_RELAXED);

	most_readers = MAX(most_readers, n);
	EXPECT_EQ(writers_inside, 0);
	thread_yield();
	__atomic_sub_fetch(&readers_inside, 1, __ATOMIC_RELAXED);
	read_unlock(&test_rwsem);
}

static void write_some(bool downgrade)
{
	write_lock(&test_rwsem);
	EXPECT_EQ(++writers_inside, 1);
	EXPECT_EQ(readers_inside, 0);
	thread_yield();
	writers_inside--;
	if (!downgrade) {
		write_unlock(&test_rwsem);
		return;
	}
	write_downgrade(&test_rwsem);
	EXPECT_EQ(writers_inside, 0);
	read_unlock(&test_rwsem);
}

static void use_rwsem(unsigned index)
{
	/* Together, not one after the other. */
	__atomic_add_fetch(&readers_ready, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&readers_ready, __ATOMIC_ACQUIRE) < THREADS)
		thread_yield();
	for (unsigned i = 0; i < 300; i++) {
		if ((i + index) % 5 == 0)
			write_some(i % 2);
		else
			read_some();
	}
}

TEST(rwsem_lets_readers_or_a_writer_in)
{
	most_readers = readers_ready = 0;
	crew_start(THREADS, use_rwsem);
	crew_wait(THREADS);
	EXPECT_LE(2, most_readers);
	EXPECT_EQ(test_rwsem.state, 0ull);
}

static volatile bool stop;
static volatile u64 spun[THREADS];

static void set_nice(s8 nice)
{
	struct sched_params p = { .policy = SCHED_NORMAL, .nice = nice };

	EXPECT_EQ(thread_set_params(current_thread(), &p), 0);
}

static void spin_nicely(unsigned index)
{
	u64 user, system;

	EXPECT_EQ(thread_set_affinity(current_thread(), 1), 0);
	EXPECT_EQ(current_thread()->cpu, 0u);
	set_nice(index == 0 ? 5 : 0);
	while (!stop)
		;
	thread_times(current_thread(), &user, &system);
	spun[index] = user + system;
}

/* 1.25^5 is 3.05: the share of the thread with nice 5 against one with nice 0. A host that takes a slice away shifts it. */
TEST(shares_follow_weights)
{
	stop = false;
	crew_start(3, spin_nicely);
	thread_sleep_ns(300 * NSEC_PER_MSEC);
	stop = true;
	crew_wait(3);
	EXPECT_LT(spun[1] * 10, spun[2] * 13);
	EXPECT_LT(spun[2] * 10, spun[1] * 13);
	EXPECT_LT(spun[0] * 2, spun[1]);
	EXPECT_LT(spun[1], spun[0] * 5);
}

static volatile bool rt_ran;

static void spin_fairly(unsigned index)
{
	struct sched_params p = { .policy = SCHED_FIFO, .rt_priority = 10 };

	if (index == 0) {
		while (!rt_ran)
			;
		return;
	}
	EXPECT_EQ(thread_set_params(current_thread(), &p), 0);
	thread_sleep_ns(2 * NSEC_PER_MSEC);
	/* Woken by an interrupt of the spinning thread, and at once before it. */
	rt_ran = true;
	delay_ns(10 * NSEC_PER_MSEC);
}

TEST(real_time_preempts)
{
	struct sched_params bad = { .policy = SCHED_FIFO };

	rt_ran = false;
	crew_start(2, spin_fairly);
	crew_wait(2);
	EXPECT_EQ(thread_set_params(current_thread(), &bad), -EINVAL);
}

static void do_nothing(void *unused)
{
	(void)unused;
}

/* Ended threads are reaped on their CPUs in their own time. */
static bool frames_come_back(u64 free)
{
	struct frame_stats now;

	for (unsigned i = 0; i < 200; i++) {
		rcu_barrier();
		slab_shrink();
		frame_stats(&now);
		if (free <= now.free + 16 * cpu_online_count())
			return true;
		thread_sleep_ns(5 * NSEC_PER_MSEC);
	}
	EXPECT_EQ(free, now.free);
	return false;
}

static void start_many(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		EXPECT_EQ(kthread_start("short", do_nothing, nullptr), 0);
		if (i % 50 == 0)
			thread_sleep_ns(NSEC_PER_MSEC);
	}
	rcu_barrier();
}

TEST(threads_leave_nothing_behind)
{
	struct frame_stats before;

	start_many(1000); /* fills caches */
	slab_shrink();
	frame_stats(&before);
	start_many(1000);
	EXPECT(frames_come_back(before.free));
}
