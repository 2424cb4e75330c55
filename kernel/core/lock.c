/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spinlocks, slow half, and the run-time checks of a debug build.
 *
 * Every thread has a list of the locks it holds. A lock is refused (panic with both names) when the
 * list has one of the same or a higher rank, except for _nested; ranks of what an interrupt handler
 * takes are compared only with its own, because it may come at any point of the thread.
 */
#include <core/irq.h>
#include <core/lock.h>
#include <core/panic.h>
#include <core/percpu.h>

void spin_lock_contended(struct spinlock *lock)
{
	do {
		while (__atomic_load_n(&lock->word, __ATOMIC_RELAXED))
			arch_pause();
	} while (__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE));
}

#ifdef CONFIG_DEBUG_LOCKS

static bool disabled; /* in a panic: locks were broken open, and a second complaint would hide the
			 first */

void lock_debug_disable(void)
{
	disabled = true;
}

static unsigned interrupt_level(const struct thread_base *t)
{
	return t->preempt_count / PREEMPT_INTERRUPT;
}

void lock_debug_acquire(const void *lock, unsigned rank, const char *name,
			enum lock_debug_mode mode)
{
	struct thread_base *t = current_base();
	irqflags_t flags;
	unsigned level = interrupt_level(t);

	if (disabled)
		return;
	flags = arch_irq_save();

	for (unsigned i = 0; i < t->held_count; i++) {
		const struct held_lock *h = &t->held[i];

		if (h->lock == lock)
			panic("lock %s %p is taken twice", name, lock);
		if (h->interrupt_level == level && h->rank >= rank && mode != LOCK_TRY &&
		    (mode != LOCK_NESTED || h->rank > rank))
			panic("lock order: %s (%u) taken with %s (%u) held", name, rank, h->name,
			      h->rank);
	}
	ASSERT(t->held_count < HELD_LOCKS_MAX);
	t->held[t->held_count++] = (struct held_lock){ lock, name, (u16)rank, (u16)level };
	arch_irq_restore(flags);
}

void lock_debug_release(const void *lock)
{
	struct thread_base *t = current_base();
	irqflags_t flags;
	unsigned i = t->held_count;

	if (disabled)
		return;
	flags = arch_irq_save();
	do
		ASSERT(i > 0); /* else it is released by a thread that does not hold it */
	while (t->held[--i].lock != lock);
	for (t->held_count--; i < t->held_count; i++)
		t->held[i] = t->held[i + 1];
	arch_irq_restore(flags);
}

void lock_debug_spin_taken(struct spinlock *lock)
{
	lock->owner_cpu = cpu_id() + 1;
}

void lock_debug_may_sleep(const char *what)
{
	struct thread_base *t = current_base();

	if (!disabled && (t->preempt_count || !arch_irq_enabled()))
		panic("%s where sleeping is not allowed (preemption count %#x)", what,
		      t->preempt_count);
}

bool spin_is_held(const struct spinlock *lock)
{
	return lock->owner_cpu == cpu_id() + 1;
}

#else

bool spin_is_held(const struct spinlock *lock)
{
	(void)lock;
	return true;
}

#endif
