/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sleeping locks. Without contention each operation is one compare-and-swap on one word. The `waiters` bit of that word is set
 * and cleared under wait_lock only, and the fast paths fail while it is set. A waiter lives on its thread's stack: once
 * `granted` is stored it may be gone, so its thread is read before. wait_lock keeps preemption off, hence the thread itself
 * stays (its memory is freed after an RCU grace period).
 *
 * An rwsem hands over: an unlock that finds waiters gives the lock to the first of them (to the leading readers), who own it
 * when they wake.
 *
 * A mutex is for short sections, where a hand-over to somebody who still has to be woken costs more than the section: two
 * threads that take it in turn would change hands by a sleep for ever. So who wants it spins while its owner runs; an unlock
 * with waiters frees it and wakes the first, and whoever comes first has it. A waiter that woke and lost says so (`passed_over`),
 * and then the next unlock gives it the mutex: nobody is passed over twice.
 */
#include <core/lock.h>
#include <core/panic.h>
#include <core/wait.h>

#define MUTEX_WAITERS ((uintptr_t)1)
/* Looks at the owner before a sleep: some times what a switch costs. */
#define SPINS_MAX 2000

#ifdef CONFIG_DEBUG_LOCKS
#define DEBUG_ACQUIRE(l, mode) lock_debug_acquire(l, (l)->rank, (l)->name, mode)
#define DEBUG_RELEASE(l) lock_debug_release(l)
#else
#define DEBUG_ACQUIRE(l, mode) ((void)0)
#define DEBUG_RELEASE(l) ((void)0)
#endif

static void queue_add(struct lock_queue *q, struct lock_waiter *w)
{
	if (q->head)
		q->tail->next = w;
	else
		q->head = w;
	q->tail = w;
}

static struct lock_waiter *queue_take(struct lock_queue *q)
{
	struct lock_waiter *w = q->head;

	q->head = w->next;
	return w;
}

static void grant(struct lock_waiter *w)
{
	struct thread *thread = w->thread;

	__atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
	thread_wake(thread);
}

static void wait_for_grant(struct lock_waiter *w)
{
	for (;;) {
		wait_prepare(SLEEP_UNINTERRUPTIBLE);
		if (__atomic_load_n(&w->granted, __ATOMIC_ACQUIRE))
			break;
		(void)wait_sleep(NO_DEADLINE); /* nothing but the wake-up ends it */
	}
	wait_cancel();
}

/* Takes the mutex, or queues `w` and leaves the waiters bit set for the holder to see. */
static bool mutex_take_or_queue(struct mutex *m, struct lock_waiter *w) __must_hold(&m->wait_lock)
{
	uintptr_t old = __atomic_load_n(&m->owner, __ATOMIC_RELAXED);

	for (;;) {
		bool free = !(old & ~MUTEX_WAITERS);
		uintptr_t new = free ? old | (uintptr_t)w->thread : old | MUTEX_WAITERS;

		if (__atomic_compare_exchange_n(&m->owner, &old, new, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			break;
	}
	if (!(old & ~MUTEX_WAITERS))
		return true;
	queue_add(&m->waiters, w);
	return false;
}

/* Waits without sleeping while the owner runs, on another CPU. True if the mutex was taken. */
static bool mutex_spin(struct mutex *m)
{
	bool taken = false;

	preempt_disable(); /* an RCU reader section: the owner's memory stays */
	for (unsigned i = 0; i < SPINS_MAX && !(READ_ONCE(current_base()->work) & WORK_RESCHEDULE);
	     i++) {
		uintptr_t old = __atomic_load_n(&m->owner, __ATOMIC_RELAXED);
		uintptr_t owner = old & ~MUTEX_WAITERS;

		if (!owner)
			taken = __atomic_compare_exchange_n(&m->owner, &old,
							    old | (uintptr_t)arch_current(), false,
							    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
		if (taken || (owner && !thread_is_running((const struct thread *)owner)))
			break;
		arch_pause();
	}
	preempt_enable();
	return taken;
}

/* For a waiter that woke: takes a mutex that is free, if it is the first to wait, and leaves the queue. */
static bool mutex_claim(struct mutex *m, struct lock_waiter *w) __must_hold(&m->wait_lock)
{
	uintptr_t free = MUTEX_WAITERS;
	uintptr_t mine = (uintptr_t)w->thread | (w->next ? MUTEX_WAITERS : 0);

	if (w->granted)
		return true;
	if (m->waiters.head != w)
		return false;
	if (__atomic_compare_exchange_n(&m->owner, &free, mine, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED)) {
		queue_take(&m->waiters);
		return true;
	}
	w->passed_over |= w->woken;
	w->woken = false;
	return false;
}

static void mutex_wait(struct mutex *m, struct lock_waiter *w)
{
	for (;;) {
		bool taken;

		wait_prepare(SLEEP_UNINTERRUPTIBLE);
		spin_lock(&m->wait_lock);
		taken = mutex_claim(m, w);
		spin_unlock(&m->wait_lock);
		if (taken)
			break;
		(void)wait_sleep(NO_DEADLINE); /* nothing but the wake-up ends it */
	}
	wait_cancel();
}

static __noinline void mutex_lock_slow(struct mutex *m)
{
	struct lock_waiter w = { .thread = arch_current() };
	bool taken;

	lock_debug_may_sleep("mutex_lock");
	if (mutex_spin(m))
		return;
	spin_lock(&m->wait_lock);
	taken = mutex_take_or_queue(m, &w);
	spin_unlock(&m->wait_lock);
	if (taken)
		return;
	current_base()->blocked_on = m;
	mutex_wait(m, &w);
	current_base()->blocked_on = nullptr;
}

static inline void mutex_take(struct mutex *m)
{
	uintptr_t free = 0;

	if (unlikely(!__atomic_compare_exchange_n(&m->owner, &free, (uintptr_t)arch_current(),
						  false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		mutex_lock_slow(m);
}

/* The analysis cannot see that the word is the lock. */
void mutex_lock(struct mutex *m) __no_lock_analysis
{
	DEBUG_ACQUIRE(m, LOCK_ORDERED);
	mutex_take(m);
}

void mutex_lock_nested(struct mutex *m) __no_lock_analysis
{
	DEBUG_ACQUIRE(m, LOCK_NESTED);
	mutex_take(m);
}

bool mutex_trylock(struct mutex *m) __no_lock_analysis
{
	uintptr_t free = 0;

	if (!__atomic_compare_exchange_n(&m->owner, &free, (uintptr_t)arch_current(), false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	DEBUG_ACQUIRE(m, LOCK_TRY);
	return true;
}

/* Gives the mutex to the first waiter if it was passed over, else to whoever comes first. */
static void mutex_release(struct mutex *m) __must_hold(&m->wait_lock)
{
	struct lock_waiter *w = m->waiters.head;
	uintptr_t more = w->next ? MUTEX_WAITERS : 0;

	if (w->passed_over) {
		queue_take(&m->waiters);
		__atomic_store_n(&m->owner, (uintptr_t)w->thread | more, __ATOMIC_RELEASE);
		grant(w);
		return;
	}
	__atomic_store_n(&m->owner, MUTEX_WAITERS, __ATOMIC_RELEASE);
	if (!w->woken) {
		w->woken = true;
		thread_wake(w->thread);
	}
}

static __noinline void mutex_unlock_slow(struct mutex *m)
{
	ASSERT(mutex_is_held(m));
	spin_lock(&m->wait_lock);
	mutex_release(m);
	spin_unlock(&m->wait_lock);
}

void mutex_unlock(struct mutex *m) __no_lock_analysis
{
	uintptr_t me = (uintptr_t)arch_current();

	DEBUG_RELEASE(m);
	if (unlikely(!__atomic_compare_exchange_n(&m->owner, &me, 0, false, __ATOMIC_RELEASE,
						  __ATOMIC_RELAXED)))
		mutex_unlock_slow(m);
}

bool mutex_is_held(const struct mutex *m)
{
	return (__atomic_load_n(&m->owner, __ATOMIC_RELAXED) & ~MUTEX_WAITERS) ==
	       (uintptr_t)arch_current();
}

/* What a newcomer adds to the state, and what must not be there for it to succeed. */
static inline u64 share_of(const struct lock_waiter *w)
{
	return w->writer ? RWSEM_WRITER : RWSEM_READER;
}

static bool rwsem_take_or_queue(struct rwsem *s, struct lock_waiter *w) __must_hold(&s->wait_lock)
{
	u64 blockers = w->writer ? ~0ull : RWSEM_WRITER | RWSEM_WAITERS;
	u64 old = __atomic_load_n(&s->state, __ATOMIC_RELAXED);

	for (;;) {
		u64 new = old & blockers ? old | RWSEM_WAITERS : old + share_of(w);

		if (__atomic_compare_exchange_n(&s->state, &old, new, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			break;
	}
	if (!(old & blockers))
		return true;
	queue_add(&s->waiters, w);
	return false;
}

/*
 * Gives a lock that nobody holds any more to the first writer or to all leading readers. With the
 * waiters bit set only releases change the state, and the last of them brings us here.
 */
static void rwsem_hand_over(struct rwsem *s) __must_hold(&s->wait_lock)
{
	u64 state = 0;
	struct lock_waiter *granted = nullptr, **end = &granted, *w, *next;

	do {
		w = queue_take(&s->waiters);
		state += share_of(w);
		*end = w;
		end = &w->next;
	} while (!w->writer && s->waiters.head && !s->waiters.head->writer);
	*end = nullptr;
	if (s->waiters.head)
		state |= RWSEM_WAITERS;
	__atomic_store_n(&s->state, state, __ATOMIC_RELEASE);
	for (w = granted; w; w = next) {
		next = w->next;
		grant(w);
	}
}

static __noinline void rwsem_wake(struct rwsem *s)
{
	spin_lock(&s->wait_lock);
	/* Others may have come here first and handed over already. */
	if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == RWSEM_WAITERS)
		rwsem_hand_over(s);
	spin_unlock(&s->wait_lock);
}

static __noinline void rwsem_lock_slow(struct rwsem *s, bool writer)
{
	struct lock_waiter w = { .thread = arch_current(), .writer = writer };
	bool taken;

	lock_debug_may_sleep("rwsem");
	spin_lock(&s->wait_lock);
	taken = rwsem_take_or_queue(s, &w);
	spin_unlock(&s->wait_lock);
	if (taken)
		return;
	current_base()->blocked_on_rwsem = s;
	wait_for_grant(&w);
	current_base()->blocked_on_rwsem = nullptr;
}

static inline bool read_take(struct rwsem *s)
{
	u64 old = __atomic_load_n(&s->state, __ATOMIC_RELAXED);

	while (!(old & (RWSEM_WRITER | RWSEM_WAITERS)))
		if (__atomic_compare_exchange_n(&s->state, &old, old + RWSEM_READER, false,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

void read_lock(struct rwsem *s) __no_lock_analysis
{
	DEBUG_ACQUIRE(s, LOCK_ORDERED);
	if (unlikely(!read_take(s)))
		rwsem_lock_slow(s, false);
}

bool read_trylock(struct rwsem *s) __no_lock_analysis
{
	if (!read_take(s))
		return false;
	DEBUG_ACQUIRE(s, LOCK_TRY);
	return true;
}

void read_unlock(struct rwsem *s) __no_lock_analysis
{
	DEBUG_RELEASE(s);
	if (unlikely(__atomic_sub_fetch(&s->state, RWSEM_READER, __ATOMIC_RELEASE) ==
		     RWSEM_WAITERS))
		rwsem_wake(s);
}

static inline bool write_take(struct rwsem *s)
{
	u64 free = 0;

	return __atomic_compare_exchange_n(&s->state, &free, RWSEM_WRITER, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

void write_lock(struct rwsem *s) __no_lock_analysis
{
	DEBUG_ACQUIRE(s, LOCK_ORDERED);
	if (unlikely(!write_take(s)))
		rwsem_lock_slow(s, true);
}

void write_lock_nested(struct rwsem *s) __no_lock_analysis
{
	DEBUG_ACQUIRE(s, LOCK_NESTED);
	if (unlikely(!write_take(s)))
		rwsem_lock_slow(s, true);
}

bool write_trylock(struct rwsem *s) __no_lock_analysis
{
	if (!write_take(s))
		return false;
	DEBUG_ACQUIRE(s, LOCK_TRY);
	return true;
}

void write_unlock(struct rwsem *s) __no_lock_analysis
{
	DEBUG_RELEASE(s);
	if (unlikely(__atomic_sub_fetch(&s->state, RWSEM_WRITER, __ATOMIC_RELEASE) ==
		     RWSEM_WAITERS))
		rwsem_wake(s);
}

/* Readers that wait behind stay queued until the next hand-over: downgrading is rare. */
void write_downgrade(struct rwsem *s) __no_lock_analysis
{
	__atomic_add_fetch(&s->state, RWSEM_READER - RWSEM_WRITER, __ATOMIC_RELEASE);
}
