/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks and waiting on the host. There is one thread, so a lock that is taken while held, a sleep that nobody can end, and
 * sleeping with a spinlock held are bugs of the test or of the code: each one panics.
 */
#include <core/lock.h>
#include <core/panic.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <sched/thread.h>

void preempt_disable(void)
{
	boot_thread.base.preempt_count++;
}

void preempt_enable(void)
{
	ASSERT(boot_thread.base.preempt_count > 0);
	boot_thread.base.preempt_count--;
}

void spin_init(struct spinlock *lock, enum lock_rank rank)
{
	*lock = (struct spinlock)SPINLOCK_INIT(rank);
}

__no_lock_analysis /* is the lock's implementation */
void spin_lock(struct spinlock *lock)
{
	preempt_disable();
	ASSERT(lock->word == 0);
	lock->word = 1;
}

__no_lock_analysis /* is the lock's implementation */
void spin_unlock(struct spinlock *lock)
{
	ASSERT(lock->word == 1);
	lock->word = 0;
	preempt_enable();
}

__no_lock_analysis /* is the lock's implementation */
bool spin_trylock(struct spinlock *lock)
{
	if (lock->word)
		return false;
	spin_lock(lock);
	return true;
}

__no_lock_analysis /* is the lock's implementation */
void spin_lock_nested(struct spinlock *lock)
{
	spin_lock(lock);
}

__no_lock_analysis /* is the lock's implementation */
irqflags_t spin_lock_irqsave(struct spinlock *lock)
{
	irqflags_t flags = arch_irq_save();

	spin_lock(lock);
	return flags;
}

__no_lock_analysis /* is the lock's implementation */
void spin_unlock_irqrestore(struct spinlock *lock, irqflags_t flags)
{
	spin_unlock(lock);
	arch_irq_restore(flags);
}

bool spin_is_held(const struct spinlock *lock)
{
	return lock->word;
}

static void assert_may_sleep(void)
{
	ASSERT(boot_thread.base.preempt_count == 0 && arch_irq_enabled());
}

void mutex_init(struct mutex *m, enum lock_rank rank)
{
	*m = (struct mutex){};
}

__no_lock_analysis /* is the lock's implementation */
void mutex_lock(struct mutex *m)
{
	assert_may_sleep();
	ASSERT(!m->owner);
	m->owner = &boot_thread;
}

__no_lock_analysis /* is the lock's implementation */
void mutex_lock_nested(struct mutex *m)
{
	mutex_lock(m);
}

__no_lock_analysis /* is the lock's implementation */
bool mutex_trylock(struct mutex *m)
{
	if (m->owner)
		return false;
	m->owner = &boot_thread;
	return true;
}

__no_lock_analysis /* is the lock's implementation */
void mutex_unlock(struct mutex *m)
{
	ASSERT(m->owner == &boot_thread);
	m->owner = nullptr;
}

bool mutex_is_held(const struct mutex *m)
{
	return m->owner == &boot_thread;
}

void rwsem_init(struct rwsem *s, enum lock_rank rank)
{
	*s = (struct rwsem){};
}

__no_lock_analysis /* is the lock's implementation */
void read_lock(struct rwsem *s)
{
	assert_may_sleep();
	ASSERT(s->readers >= 0);
	s->readers++;
}

__no_lock_analysis /* is the lock's implementation */
void read_unlock(struct rwsem *s)
{
	ASSERT(s->readers > 0);
	s->readers--;
}

__no_lock_analysis /* is the lock's implementation */
bool read_trylock(struct rwsem *s)
{
	if (s->readers < 0)
		return false;
	s->readers++;
	return true;
}

__no_lock_analysis /* is the lock's implementation */
void write_lock(struct rwsem *s)
{
	assert_may_sleep();
	ASSERT(s->readers == 0);
	s->readers = -1;
}

__no_lock_analysis /* is the lock's implementation */
void write_lock_nested(struct rwsem *s)
{
	write_lock(s);
}

__no_lock_analysis /* is the lock's implementation */
void write_unlock(struct rwsem *s)
{
	ASSERT(s->readers == -1);
	s->readers = 0;
}

/* Wait queues come from core/wait.c; this is the sleep under them. */

void wait_prepare(enum sleep_mode mode)
{
	assert_may_sleep();
	boot_thread.state = THREAD_SLEEPING;
}

int wait_sleep(u64 deadline_ns)
{
	bool woken = boot_thread.state != THREAD_SLEEPING;

	boot_thread.state = THREAD_RUNNABLE;
	if (woken)
		return 0;
	if (deadline_ns == NO_DEADLINE)
		panic("a sleep that nobody ends");
	return -ETIMEDOUT;
}

void wait_cancel(void)
{
	boot_thread.state = THREAD_RUNNABLE;
}

bool wait_interrupted(enum sleep_mode mode)
{
	return false;
}

bool thread_wake(struct thread *thread)
{
	bool slept = thread->state == THREAD_SLEEPING;

	thread->state = THREAD_RUNNABLE;
	return slept;
}
