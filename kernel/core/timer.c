/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel timers: per CPU a tree by deadline with its first node cached. The hardware timer is set
 * only when the first deadline becomes earlier; after a cancel it fires once too early, which is
 * cheaper than setting it twice for the many timers (time-outs) that never expire.
 *
 * A timer belongs to the tree of timer.cpu, also while it is not armed; `cpu` changes only under
 * that tree's lock, when the timer is armed on another CPU while it is neither armed nor running.
 * `running` of a tree is the timer whose function runs, without the lock.
 */
#include <arch/time.h>
#include <arch/trap.h>
#include <core/irq.h>
#include <core/lock.h>
#include <core/log.h>
#include <core/percpu.h>
#include <core/time.h>

struct timer_base {
	struct spinlock lock; /* RANK_TIMER; interrupts masked */
	struct rb_tree tree __guarded_by(&lock);
	struct timer *first __guarded_by(&lock); /* earliest, or null */
	struct timer *running __guarded_by(&lock);
	u64 programmed_ns __guarded_by(&lock); /* what the hardware was told; 0: nothing yet */
};

DEFINE_PER_CPU(struct timer_base, timer_base) = { .lock = SPINLOCK_INIT(RANK_TIMER) };

#define timer_of(n) rb_entry(n, struct timer, node)

void timer_init(struct timer *timer, void (*expire)(struct timer *timer))
{
	*timer = (struct timer){ .expire = expire };
}

static void program(struct timer_base *b) __must_hold(&b->lock)
{
	u64 deadline = b->first ? b->first->deadline_ns : UINT64_MAX;

	if (deadline == b->programmed_ns)
		return;
	b->programmed_ns = deadline;
	if (add_overflows(deadline, clock_base_ns, &deadline))
		deadline = UINT64_MAX;
	arch_timer_set(deadline);
}

static void insert_locked(struct timer_base *b, struct timer *timer) __must_hold(&b->lock)
{
	struct rb_node **link = &b->tree.root, *parent = nullptr;
	bool first = true;

	while (*link) {
		parent = *link;
		if (timer->deadline_ns < timer_of(parent)->deadline_ns) {
			link = &parent->left;
		} else {
			link = &parent->right;
			first = false;
		}
	}
	rb_insert(&b->tree, &timer->node, parent, link, nullptr);
	timer->armed = true;
	if (first)
		b->first = timer;
}

static void erase_locked(struct timer_base *b, struct timer *timer) __must_hold(&b->lock)
{
	if (b->first == timer) {
		struct rb_node *next = rb_next(&timer->node);

		b->first = next ? timer_of(next) : nullptr;
	}
	rb_erase(&b->tree, &timer->node, nullptr);
	timer->armed = false;
}

/* Locks the tree that `timer` belongs to. The analysis cannot follow a lock chosen in a loop. */
static struct timer_base *lock_base(struct timer *timer, irqflags_t *flags) __no_lock_analysis
{
	for (;;) {
		unsigned cpu = __atomic_load_n(&timer->cpu, __ATOMIC_RELAXED);
		struct timer_base *b = &per_cpu(timer_base, cpu);

		*flags = spin_lock_irqsave(&b->lock);
		if (timer->cpu == cpu)
			return b;
		spin_unlock_irqrestore(&b->lock, *flags);
	}
}

static void unlock_base(struct timer_base *b, irqflags_t flags) __no_lock_analysis
{
	spin_unlock_irqrestore(&b->lock, flags);
}

/* Locks this CPU's tree with the timer belonging to it, not armed; another CPU's while its function
 * runs there. */
static struct timer_base *lock_base_for_arming(struct timer *timer,
					       irqflags_t *flags) __no_lock_analysis
{
	for (;;) {
		struct timer_base *b = lock_base(timer, flags);

		if (timer->armed)
			erase_locked(b, timer);
		if (timer->cpu == cpu_id() || b->running == timer)
			return b;
		timer->cpu = cpu_id();
		unlock_base(b, *flags);
	}
}

void timer_set(struct timer *timer, u64 deadline_ns) __no_lock_analysis
{
	irqflags_t flags;
	struct timer_base *b = lock_base_for_arming(timer, &flags);
	bool local = timer->cpu == cpu_id();
	u32 cpu = timer->cpu;

	timer->deadline_ns = deadline_ns;
	insert_locked(b, timer);
	if (b->first == timer && local)
		program(b);
	unlock_base(b, flags);
	if (!local)
		arch_ipi_send(cpu, IPI_RESCHEDULE);
}

bool timer_cancel(struct timer *timer) __no_lock_analysis
{
	irqflags_t flags;
	struct timer_base *b;
	bool was_armed;

	b = lock_base(timer, &flags);
	was_armed = timer->armed;
	if (was_armed)
		erase_locked(b, timer);
	unlock_base(b, flags);
	return was_armed;
}

bool timer_cancel_wait(struct timer *timer) __no_lock_analysis
{
	bool was_armed = false;

	for (;;) {
		irqflags_t flags;
		struct timer_base *b = lock_base(timer, &flags);
		bool running = b->running == timer;

		if (timer->armed) {
			erase_locked(b, timer);
			was_armed = true;
		}
		unlock_base(b, flags);
		if (!running)
			return was_armed;
		arch_pause();
	}
}

bool timer_armed(const struct timer *timer)
{
	return __atomic_load_n(&timer->armed, __ATOMIC_RELAXED);
}

u64 timer_next_deadline(void) __no_lock_analysis
{
	struct timer_base *b = &this_cpu(timer_base);
	irqflags_t flags = spin_lock_irqsave(&b->lock);
	u64 deadline = b->first ? b->first->deadline_ns : UINT64_MAX;

	spin_unlock_irqrestore(&b->lock, flags);
	return deadline;
}

void timer_reprogram(void) __no_lock_analysis
{
	struct timer_base *b = &this_cpu(timer_base);
	irqflags_t flags = spin_lock_irqsave(&b->lock);

	program(b);
	spin_unlock_irqrestore(&b->lock, flags);
}

/* `masked`: interrupt flags of the masked state, in which the functions run. */
static void run_expired(struct timer_base *b, irqflags_t masked)
	__must_hold(&b->lock) __no_lock_analysis
{
	while (b->first && b->first->deadline_ns <= clock_monotonic_ns()) {
		struct timer *timer = b->first;

		erase_locked(b, timer);
		b->running = timer;
		spin_unlock_irqrestore(&b->lock, masked);
		timer->expire(timer);
		(void)spin_lock_irqsave(&b->lock);
		b->running = nullptr;
	}
}

void trap_timer(struct trap_frame *frame) __no_lock_analysis
{
	struct timer_base *b = &this_cpu(timer_base);
	irqflags_t flags;

	irq_enter(frame);
	this_cpu(own_interrupts)[OWN_TIMER]++;
	flags = spin_lock_irqsave(&b->lock);
	b->programmed_ns = 0; /* it has fired: whatever is first must be programmed again */
	run_expired(b, flags);
	program(b);
	spin_unlock_irqrestore(&b->lock, flags);
	irq_exit();
}

static void log_deadline(const char *what, u64 deadline_ns, u64 now_ns)
{
	if (deadline_ns == UINT64_MAX)
		log_info("  %s: never", what);
	else
		log_info("  %s: in %lld ns", what, (long long)(deadline_ns - now_ns));
}

void timer_dump_all(void) __no_lock_analysis
{
	u64 now = clock_monotonic_ns();

	for_each_cpu (cpu) {
		struct timer_base *b = &per_cpu(timer_base, cpu);
		irqflags_t flags = spin_lock_irqsave(&b->lock);
		u64 first = b->first ? b->first->deadline_ns : UINT64_MAX;
		u64 programmed = b->programmed_ns;

		spin_unlock_irqrestore(&b->lock, flags);
		log_info("cpu %u: timers", cpu);
		log_deadline("first", first, now);
		log_deadline("programmed", programmed, now);
	}
}
