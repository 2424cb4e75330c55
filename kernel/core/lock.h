/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks and their annotations.
 *
 *   spinlock  short critical sections; disables preemption; never sleeps while held. Where an
 *             interrupt handler takes the lock too, everybody uses the _irqsave form.
 *   mutex     sleeping, not recursive, unlocked by the thread that locked it.
 *   rwsem     sleeping; many readers or one writer; writers are not starved.
 *
 * Every lock has a rank (enum lock_rank). A debug build (DEBUG=1) checks that ranks are taken in
 * strictly increasing order, except that LOCK_NESTED marks a second lock of the same rank whose order the
 * caller guarantees. docs/locking.md explains the order.
 *
 * Static checking: Clang's thread-safety analysis (-Wthread-safety) knows these types as
 * capabilities. Fields are marked __guarded_by(&lock), helpers that need it __must_hold(&x->lock).
 * Field checks are per type and function checks per instance, so touch guarded data inside
 * `_locked(struct x *)` helpers.
 */
#pragma once

#include <arch/irqflags.h>
#include <lib/types.h>

#if defined(__clang__)
#define __tsa(x) __attribute__((x))
#else
#define __tsa(x)
#endif
#define __capability(name) __tsa(capability(name))
#define __guarded_by(l) __tsa(guarded_by(l))
#define __pt_guarded_by(l) __tsa(pt_guarded_by(l))
#define __must_hold(...) __tsa(requires_capability(__VA_ARGS__))
#define __must_hold_shared(...) __tsa(requires_shared_capability(__VA_ARGS__))
#define __must_not_hold(...) __tsa(locks_excluded(__VA_ARGS__))
#define __acquires(...) __tsa(acquire_capability(__VA_ARGS__))
#define __acquires_shared(...) __tsa(acquire_shared_capability(__VA_ARGS__))
#define __try_acquires(ok, ...) __tsa(try_acquire_capability(ok, __VA_ARGS__))
#define __releases(...) __tsa(release_capability(__VA_ARGS__))
#define __releases_shared(...) __tsa(release_shared_capability(__VA_ARGS__))
#define __no_lock_analysis __tsa(no_thread_safety_analysis)

/*
 * Global order: a lock may be taken while a lock of a lower number is held, never the reverse.
 * Keep this list and docs/locking.md in step.
 */
enum lock_rank {
	/* sleeping locks */
	RANK_PROCESS_TABLE = 10, /* proc: pid tables, parent/child links */
	RANK_EXEC = 20,		 /* proc: one exec at a time in a process */
	RANK_TTY = 30,		 /* dev: terminal settings */
	RANK_MOUNT = 40,	 /* vfs: mount tree */
	RANK_RENAME = 50,	 /* vfs: cross-directory renames of a file system */
	RANK_FILE_POSITION = 55, /* obj: offset of an open file */
	RANK_INODE = 60,	 /* vfs: contents and attributes of an inode */
	RANK_ASPACE = 70,	 /* mm: mappings of an address space */
	RANK_MEMORY_OBJECT = 80, /* mm: pages of a memory object */
	RANK_PIPE = 90,		 /* ipc: one pipe's buffers and the like */
	RANK_ALLOCATOR_SLEEP = 100,
	/* spinlocks */
	RANK_PROCESS = 200, /* proc: one process's state, signals */
	RANK_SIGNAL = 205,
	RANK_DENTRY = 210,
	RANK_INODE_STATE = 215,
	RANK_POOL = 220, /* obj: slots of a pool */
	RANK_TTY_BUFFER = 230,
	RANK_EPOLL = 235,
	RANK_FUTEX = 240,
	RANK_TIMER_USER = 250, /* locks that a timer's users take before arming or cancelling it */
	RANK_PAGE_TABLE = 260,
	RANK_WAIT_QUEUE = 300,
	RANK_TIMER = 310,
	RANK_RUN_QUEUE = 320,
	RANK_SLAB = 330,
	RANK_FRAME = 340, /* mm: buddy allocator */
	RANK_IRQ = 350,
	RANK_LOG = 360,
	RANK_CONSOLE = 370,
};

struct __capability("spinlock") spinlock {
	u32 word; /* 0 free, 1 held */
#ifdef CONFIG_DEBUG_LOCKS
	u32 owner_cpu;
	u16 rank;
	const char *name;
#endif
};

#ifdef CONFIG_DEBUG_LOCKS
#define SPINLOCK_INIT(lock_rank_) { .rank = (lock_rank_), .name = #lock_rank_ }
#else
#define SPINLOCK_INIT(lock_rank_) { .word = 0 }
#endif

/* Prepares a lock for use. `rank` is its place in the global order. */
void spin_init(struct spinlock *lock, enum lock_rank rank);

/* Takes the lock with preemption disabled. Not for locks that interrupt handlers take. */
void spin_lock(struct spinlock *lock) __acquires(lock);
void spin_unlock(struct spinlock *lock) __releases(lock);
[[nodiscard]] bool spin_trylock(struct spinlock *lock) __try_acquires(true, lock);

/* Takes a second lock of the rank already held; the caller guarantees the order (by address). */
void spin_lock_nested(struct spinlock *lock) __acquires(lock);

/* Takes the lock with interrupts off; returns what spin_unlock_irqrestore needs. */
[[nodiscard]] irqflags_t spin_lock_irqsave(struct spinlock *lock) __acquires(lock);
void spin_unlock_irqrestore(struct spinlock *lock, irqflags_t flags) __releases(lock);

/* True when this CPU holds the lock; always true in a build without lock debugging. */
bool spin_is_held(const struct spinlock *lock);

struct thread;
struct wait_entry;

struct __capability("mutex") mutex {
	struct thread *owner;	   /* atomic; null when free */
	struct spinlock wait_lock; /* guards `waiters` */
	struct wait_entry *waiters_head;
	struct wait_entry *waiters_tail;
#ifdef CONFIG_DEBUG_LOCKS
	u16 rank;
	const char *name;
#endif
};

void mutex_init(struct mutex *m, enum lock_rank rank);

/* Takes the mutex, sleeping until it is free. Thread context only, no spinlock held. */
void mutex_lock(struct mutex *m) __acquires(m);
void mutex_lock_nested(struct mutex *m) __acquires(m);
[[nodiscard]] bool mutex_trylock(struct mutex *m) __try_acquires(true, m);
void mutex_unlock(struct mutex *m) __releases(m);
bool mutex_is_held(const struct mutex *m); /* by the current thread */

struct __capability("rwsem") rwsem {
	struct spinlock lock;
	s32 readers;		  /* > 0: that many readers; -1: a writer */
	u32 writers_waiting;
	struct wait_entry *waiters_head;
	struct wait_entry *waiters_tail;
#ifdef CONFIG_DEBUG_LOCKS
	u16 rank;
	const char *name;
#endif
};

void rwsem_init(struct rwsem *s, enum lock_rank rank);
void read_lock(struct rwsem *s) __acquires_shared(s);
void read_unlock(struct rwsem *s) __releases_shared(s);
[[nodiscard]] bool read_trylock(struct rwsem *s) __try_acquires(true, s);
void write_lock(struct rwsem *s) __acquires(s);
void write_lock_nested(struct rwsem *s) __acquires(s);
void write_unlock(struct rwsem *s) __releases(s);

/* Preemption. Nests. preempt_enable() reschedules when that is due. */
void preempt_disable(void);
void preempt_enable(void);

/* Scoped guards: the lock is released when the variable leaves its scope. */
static inline void spin_guard_exit(struct spinlock *const *l) __releases(*l)
{
	spin_unlock(*l);
}
static inline void mutex_guard_exit(struct mutex *const *l) __releases(*l)
{
	mutex_unlock(*l);
}
static inline void read_guard_exit(struct rwsem *const *l) __releases_shared(*l)
{
	read_unlock(*l);
}
static inline void write_guard_exit(struct rwsem *const *l) __releases(*l)
{
	write_unlock(*l);
}
#define GUARD_NAME_(a, b) a##b
#define GUARD_NAME(a, b) GUARD_NAME_(a, b)
#define GUARD_(type, exit, lock_fn, l)                                                             \
	type *const GUARD_NAME(guard_, __LINE__) __cleanup(exit) = (l);                            \
	lock_fn(GUARD_NAME(guard_, __LINE__))
#define spin_guard(l) GUARD_(struct spinlock, spin_guard_exit, spin_lock, l)
#define mutex_guard(l) GUARD_(struct mutex, mutex_guard_exit, mutex_lock, l)
#define read_guard(l) GUARD_(struct rwsem, read_guard_exit, read_lock, l)
#define write_guard(l) GUARD_(struct rwsem, write_guard_exit, write_lock, l)
