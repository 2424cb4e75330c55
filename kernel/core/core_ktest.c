/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of timers, RCU, deferred work, the log and random numbers in the running kernel. */
#include <core/irq.h>
#include <core/lock.h>
#include <core/log.h>
#include <core/random.h>
#include <core/rcu.h>
#include <core/time.h>
#include <core/wait.h>
#include <core/work.h>
#include <lib/errno.h>
#include <lib/test.h>

struct test_timer {
	struct timer timer;
	unsigned expired;
	u64 at_ns;
	unsigned again; /* how often it arms itself */
	bool in_interrupt;
};

static unsigned order;

static void expire(struct timer *timer)
{
	struct test_timer *t = container_of(timer, struct test_timer, timer);

	t->expired = ++order;
	t->at_ns = clock_monotonic_ns();
	t->in_interrupt = in_interrupt();
	if (t->again) {
		t->again--;
		timer_set(timer, timer->deadline_ns + NSEC_PER_MSEC);
	}
}

static void wait_ms(u64 ms)
{
	struct wait_queue q;
	int r;

	wait_queue_init(&q);
	r = wait_event_until(&q, false, SLEEP_UNINTERRUPTIBLE,
			     clock_monotonic_ns() + ms * NSEC_PER_MSEC);
	EXPECT_EQ(r, -ETIMEDOUT);
}

TEST(timers_fire_in_order)
{
	static const u8 places[5] = { 3, 1, 5, 2, 4 };
	struct test_timer t[5] = { 0 };
	irqflags_t flags;
	u64 now;

	order = 0;
	flags = arch_irq_save(); /* all on this CPU, and none before all are armed */
	now = clock_monotonic_ns();
	for (int i = 0; i < 5; i++) {
		timer_init(&t[i].timer, expire);
		timer_set(&t[i].timer, now + places[i] * NSEC_PER_MSEC);
		EXPECT(timer_armed(&t[i].timer));
	}
	arch_irq_restore(flags);
	wait_ms(20);
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(t[i].expired, (unsigned)places[i]);
		EXPECT_LE(t[i].timer.deadline_ns, t[i].at_ns);
		EXPECT(t[i].in_interrupt);
		EXPECT(!timer_armed(&t[i].timer));
	}
}

TEST(timer_moves_and_cancels)
{
	struct test_timer a = { 0 }, b = { 0 };
	u64 now = clock_monotonic_ns();

	order = 0;
	timer_init(&a.timer, expire);
	timer_init(&b.timer, expire);
	timer_set(&a.timer, now + NSEC_PER_SEC);
	timer_set(&a.timer, now + NSEC_PER_MSEC); /* earlier */
	timer_set(&b.timer, now + NSEC_PER_MSEC);
	EXPECT(timer_cancel(&b.timer));
	EXPECT(!timer_cancel(&b.timer));
	wait_ms(10);
	EXPECT_EQ(a.expired, 1u);
	EXPECT_EQ(b.expired, 0u);
	EXPECT(!timer_cancel_wait(&a.timer));
}

TEST(timer_arms_itself_again)
{
	struct test_timer t = { .again = 4 };

	order = 0;
	timer_init(&t.timer, expire);
	timer_set(&t.timer, 0); /* the past: at once */
	wait_ms(5);
	t.again = 0;
	EXPECT_EQ(t.expired, 5u);
	(void)timer_cancel_wait(&t.timer);
}

struct rcu_note {
	struct rcu_head head;
	bool called;
};

static void note_call(struct rcu_head *head)
{
	EXPECT(!in_interrupt());
	container_of(head, struct rcu_note, head)->called = true;
}

TEST(rcu_calls_after_a_grace_period)
{
	static struct rcu_note notes[300];

	for (unsigned i = 0; i < ARRAY_SIZE(notes); i++) {
		notes[i].called = false;
		rcu_call(&notes[i].head, note_call);
	}
	rcu_barrier();
	for (unsigned i = 0; i < ARRAY_SIZE(notes); i++)
		EXPECT(notes[i].called);
}

TEST(rcu_waits_for_readers)
{
	struct rcu_note note = { .called = false };

	rcu_read_lock();
	rcu_call(&note.head, note_call);
	delay_ns(30 * NSEC_PER_MSEC); /* beyond the time after which callbacks are looked at */
	EXPECT(!READ_ONCE(note.called));
	rcu_read_unlock();
	wait_ms(50); /* without anybody asking */
	EXPECT(READ_ONCE(note.called));
	rcu_synchronize();
}

struct test_work {
	struct work work;
	unsigned runs, again;
};

static void run_work(struct work *work)
{
	struct test_work *w = container_of(work, struct test_work, work);

	w->runs++;
	if (w->again) {
		w->again--;
		EXPECT(work_queue(work));
	}
}

struct gate {
	struct work work;
	bool open;
};

static void run_gate(struct work *work)
{
	const struct gate *gate = container_of(work, struct gate, work);

	while (!READ_ONCE(gate->open))
		wait_ms(1);
}

TEST(work_runs_once_per_queueing)
{
	struct gate gate = { .open = false };
	struct test_work w = { 0 };

	work_init(&gate.work, run_gate);
	work_init(&w.work, run_work);
	EXPECT(work_queue(
		&gate.work)); /* keeps the thread busy, so that what follows stays queued */
	EXPECT(work_queue(&w.work));
	EXPECT(!work_queue(&w.work));
	WRITE_ONCE(gate.open, true);
	work_flush();
	EXPECT_EQ(w.runs, 1u);
	w.again = 3;
	EXPECT(work_queue(&w.work));
	for (int i = 0; i < 4; i++)
		work_flush();
	EXPECT_EQ(w.runs, 5u);
}

TEST(log_keeps_records)
{
	static struct log_record r;
	u64 last = 0;
	bool found = false;

	log_debug("a record for the test %d", 42);
	for (u64 sequence = 0; !log_read(sequence, &r); sequence = r.sequence + 1) {
		EXPECT_LE(sequence, r.sequence);
		last = r.sequence;

		found |= r.size == 24 && !memcmp(r.text, "a record for the test 42", 24);
	}
	EXPECT(found);
	EXPECT_EQ(log_read(last + 1000, &r), -EAGAIN);
}

TEST(random_numbers_differ)
{
	u64 a[4], b[4];
	unsigned counts[3] = { 0 };

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)));
	EXPECT(a[0] != a[1] && a[2] != a[3]);
	for (int i = 0; i < 300; i++)
		counts[random_below(3)]++;
	for (int i = 0; i < 3; i++)
		EXPECT_LT(50u, counts[i]);
}
