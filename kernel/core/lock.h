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
#include <core/thread_base.h>
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
	RANK_TASK_REST = 19,	 /* proc: who works on a task at rest */
	RANK_EXEC = 20,		 /* proc: one exec at a time in a process */
	RANK_FILE_POSITION = 22, /* obj: offset of an open file; held during a read or write */
	RANK_SYNTHETIC = 24, /* fs: text of an open file of /proc or /sys; held while it is made */
	RANK_TTY = 30,	     /* dev: terminal settings */
	RANK_MOUNT_CONTEXT = 35,    /* vfs: a mount in preparation; making file systems follows */
	RANK_LOOP = 36,		    /* dev: loop devices, what they are bound to */
	RANK_BLOCK_PARTITIONS = 38, /* block: changes of the partitions of a disk; reads it */
	RANK_MOUNT = 40,	    /* vfs: mount tree */
	RANK_OVERLAY_RENAME = 44,   /* fs: renames of an overlay, whose layers have theirs */
	RANK_OVERLAY_INODE = 46,    /* fs: inodes of an overlay */
	RANK_OVERLAY_COPY = 48,	    /* fs: one copy-up of an overlay at a time */
	RANK_RENAME = 50,	    /* vfs: cross-directory renames of a file system */
	RANK_INODE = 60,	    /* vfs: contents and attributes of an inode */
	RANK_DEVICE_LIST = 61,	 /* vfs, dev: devices, pseudo terminals; looked into under inodes */
	RANK_EPOLL_WATCHES = 62, /* vfs: who watches what through epoll */
	RANK_EPOLL = 63,	 /* vfs: one epoll's items; held while user memory is copied */
	RANK_NET_LINKS = 63,	 /* net: making, destroying and moving devices */
	RANK_NET_CONFIG = 64,	 /* net: devices, addresses, routes of a name space */
	RANK_NET_SEND = 66, /* net: one sender, one receiver at a time; user memory is copied */
	RANK_PIPE = 65,	    /* ipc: one pipe's buffers; held while user memory is copied */
	RANK_ASPACE = 70,   /* mm: mappings of an address space */
	RANK_SYSV = 74,	    /* ipc: tables of System V objects; taken when a segment is unmapped */
	RANK_EXT4_COMMIT = 76,	 /* fs: one commit or checkpoint of a journal at a time */
	RANK_EXT4_MAP = 77,	 /* fs: where an inode's blocks are; taken inside handles */
	RANK_EXT4_ORPHAN = 78,	 /* fs: the list of orphans of an ext4 */
	RANK_EXT4_GROUP = 79,	 /* fs: bitmaps and counts of a block group */
	RANK_MEMORY_OBJECT = 80, /* mm: pages of a memory object */
	RANK_DERIVATION =
		90, /* obj: who derived from whom; taken when a derived handle is closed */
	RANK_BLOCK_DEVICES = 90, /* block: the list of devices, who has them open */
	RANK_ALLOCATOR_SLEEP = 100,
	/* spinlocks */
	RANK_THREAD_LIST = 190,	  /* sched: the list of all threads */
	RANK_PROCESS_TABLE = 190, /* proc: pid table, parents and children, groups, sessions */
	RANK_SILO = 207,	  /* proc: records of a silo */
	RANK_PROCESS = 200,	  /* proc: one process's state, signals */
	RANK_SIGNAL = 205,
	RANK_SYSV_QUEUE = 208, /* ipc: the messages of a System V queue */
	RANK_DENTRY = 210,
	RANK_INODE_STATE = 215,
	RANK_FUSE = 218,	   /* fs: requests of a connection, its inodes */
	RANK_UNTYPED = 219,	   /* obj: what was made from an untyped */
	RANK_POOL = 220,	   /* obj: slots of a pool */
	RANK_NET_PORTS = 222,	   /* net: who is bound to which port */
	RANK_NET_SOCKET = 224,	   /* net: one connection or datagram socket */
	RANK_NET_ACCEPT = 225,	   /* net: connections that wait for accept */
	RANK_NET_BINDING = 226,	   /* net: ports and their owners */
	RANK_NET_HASH = 227,	   /* net: tables of sockets by address */
	RANK_DERIVATION_USE = 225, /* obj: calls in progress and mappings through derived handles */
	RANK_TTY_BUFFER = 230,
	RANK_CHANNEL = 235, /* ipc: queue and waiting receivers of a channel */
	RANK_FUTEX = 240,
	RANK_FUTEX_PI = 242,   /* ipc: who waits for which priority inheriting futex */
	RANK_NET_LINK = 245,   /* net: neighbours, fragments */
	RANK_NET_DEVICE = 246, /* net: queues of a device */
	RANK_NET_WORKER = 247, /* net: what the network threads have to do */
	RANK_NET_MAP = 248,    /* net: one hash table of programs, which run under most of net */
	RANK_TIMER_USER = 250, /* locks that a timer's users take before arming or cancelling it */
	RANK_PAGE_TABLE = 260,
	RANK_CACHE_SHARE = 265,	 /* mm: who pays for page cache */
	RANK_LOCK_WAITERS = 290, /* the waiters of a mutex or rwsem */
	RANK_WORK = 295,	 /* core: deferred work */
	RANK_VIRTIO_QUEUE = 297, /* dev: one virtqueue, with what is in it */
	RANK_BLOCK_QUEUE = 298,	 /* block: requests that wait for a driver, statistics */
	RANK_WAIT_QUEUE = 300,
	RANK_RUN_QUEUE = 310,
	RANK_TIMER = 320,
	RANK_SLAB = 330,
	RANK_FRAME = 340,     /* mm: buddy allocator */
	RANK_IRQ_TABLE = 345, /* core: handlers of the lines */
	RANK_IRQ = 350,	      /* arch: registers of the interrupt controller */
	RANK_RANDOM = 355,
	RANK_CONSOLE = 357, /* the log feeds its consoles; only tried, so anything may be held */
	RANK_LOG = 360,
	RANK_UART = 370, /* dev: registers of a console device */
};

struct __capability("spinlock") spinlock {
	u32 word; /* 0 free, 1 held */
#ifdef CONFIG_DEBUG_LOCKS
	u32 owner_cpu; /* + 1; 0 while free */
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
#define spin_init(lock_, rank_) (*(lock_) = (struct spinlock)SPINLOCK_INIT(rank_))

/*
 * Preemption. Nests. preempt_enable() reschedules when that is due; the _no_resched form leaves that to the next
 * occasion, for callers that are about to schedule anyway.
 */
void preempt_reschedule(void); /* sched/: switches if that is due and allowed here */

static inline void preempt_disable(void)
{
	current_base()->preempt_count++;
	asm volatile("" ::: "memory");
}
static inline void preempt_enable_no_resched(void)
{
	asm volatile("" ::: "memory");
	current_base()->preempt_count--;
}
static inline void preempt_enable(void)
{
	struct thread_base *t = current_base();

	asm volatile("" ::: "memory");
	if (!--t->preempt_count && unlikely(READ_ONCE(t->work) & WORK_RESCHEDULE))
		preempt_reschedule();
}

/* The slow halves, in core/lock.c: wait for the lock; check the order and keep the books of a debug build. */
void spin_lock_contended(struct spinlock *lock);
#ifdef CONFIG_DEBUG_LOCKS
enum lock_debug_mode { LOCK_ORDERED, LOCK_NESTED, LOCK_TRY };
void lock_debug_acquire(const void *lock, unsigned rank, const char *name,
			enum lock_debug_mode mode);
void lock_debug_release(const void *lock);
void lock_debug_spin_taken(struct spinlock *lock);
void lock_debug_may_sleep(const char *what);
void lock_debug_disable(void);
#define SPIN_DEBUG_ACQUIRE(l, mode) lock_debug_acquire(l, (l)->rank, (l)->name, mode)
#define SPIN_DEBUG_TAKEN(l) lock_debug_spin_taken(l)
#define SPIN_DEBUG_RELEASE(l) (lock_debug_release(l), (l)->owner_cpu = 0)
#else
#define SPIN_DEBUG_ACQUIRE(l, mode) ((void)0)
#define SPIN_DEBUG_TAKEN(l) ((void)0)
#define SPIN_DEBUG_RELEASE(l) ((void)0)
static inline void lock_debug_may_sleep(const char *what)
{
}
static inline void lock_debug_disable(void)
{
}
#endif

/*
 * The bare lock word: for the scheduler, which releases a run queue in another thread than it was taken in.
 * Interrupts are masked. A test-and-set lock, not a queue: under emulation and in guests the
 * next CPU of a queue is often one that does not run.
 */
static inline void spin_lock_raw(struct spinlock *lock) __acquires(lock) __no_lock_analysis
{
	if (unlikely(__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE)))
		spin_lock_contended(lock);
}
static inline void spin_unlock_raw(struct spinlock *lock) __releases(lock) __no_lock_analysis
{
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}

/* Takes the lock with preemption disabled. Not for locks that interrupt handlers take. */
static inline void spin_lock(struct spinlock *lock) __acquires(lock) __no_lock_analysis
{
	preempt_disable();
	SPIN_DEBUG_ACQUIRE(lock, LOCK_ORDERED);
	spin_lock_raw(lock);
	SPIN_DEBUG_TAKEN(lock);
}
static inline void spin_unlock(struct spinlock *lock) __releases(lock) __no_lock_analysis
{
	SPIN_DEBUG_RELEASE(lock);
	spin_unlock_raw(lock);
	preempt_enable();
}
[[nodiscard]] static inline bool spin_trylock(struct spinlock *lock)
	__try_acquires(true, lock) __no_lock_analysis
{
	preempt_disable();
	if (__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE)) {
		preempt_enable();
		return false;
	}
	SPIN_DEBUG_ACQUIRE(lock, LOCK_TRY);
	SPIN_DEBUG_TAKEN(lock);
	return true;
}

/* Takes a second lock of the rank already held; the caller guarantees the order (by address). */
static inline void spin_lock_nested(struct spinlock *lock) __acquires(lock) __no_lock_analysis
{
	preempt_disable();
	SPIN_DEBUG_ACQUIRE(lock, LOCK_NESTED);
	spin_lock_raw(lock);
	SPIN_DEBUG_TAKEN(lock);
}

/*
 * Takes the lock with interrupts off; returns what spin_unlock_irqrestore needs. Masked interrupts keep the
 * thread from being preempted, so the preemption count is left alone; a reschedule that became due meanwhile happens
 * at the release.
 */
[[nodiscard]] static inline irqflags_t spin_lock_irqsave(struct spinlock *lock)
	__acquires(lock) __no_lock_analysis
{
	irqflags_t flags = arch_irq_save();

	SPIN_DEBUG_ACQUIRE(lock, LOCK_ORDERED);
	spin_lock_raw(lock);
	SPIN_DEBUG_TAKEN(lock);
	return flags;
}
static inline void spin_unlock_irqrestore(struct spinlock *lock, irqflags_t flags)
	__releases(lock) __no_lock_analysis
{
	SPIN_DEBUG_RELEASE(lock);
	spin_unlock_raw(lock);
	arch_irq_restore(flags);
	if (unlikely(READ_ONCE(current_base()->work) & WORK_RESCHEDULE))
		preempt_reschedule();
}

/* True when this CPU holds the lock; always true in a build without lock debugging. */
bool spin_is_held(const struct spinlock *lock);

struct thread;

/* A thread that waits for a mutex or rwsem; lives on its stack. */
struct lock_waiter {
	struct lock_waiter *next;
	struct thread *thread;
	bool writer;
	bool granted; /* atomic: the lock is now the waiter's, which may return at once */
	/* Of a mutex: it is on its way; somebody else was faster (mutex.c). */
	bool woken, passed_over;
};

struct lock_queue {
	struct lock_waiter *head, *tail;
};

struct __capability("mutex") mutex {
	uintptr_t owner; /* atomic: struct thread *, bit 0: there are waiters; 0 when free */
	struct spinlock wait_lock;
	struct lock_queue waiters __guarded_by(&wait_lock);
#ifdef CONFIG_DEBUG_LOCKS
	u16 rank;
	const char *name;
#endif
};

#ifdef CONFIG_DEBUG_LOCKS
#define LOCK_DEBUG_INIT(lock_rank_) .rank = (lock_rank_), .name = #lock_rank_
#else
#define LOCK_DEBUG_INIT(lock_rank_)
#endif
#define MUTEX_INIT(lock_rank_)                                                                     \
	{ .wait_lock = SPINLOCK_INIT(RANK_LOCK_WAITERS), LOCK_DEBUG_INIT(lock_rank_) }
#define mutex_init(mutex_, rank_) (*(mutex_) = (struct mutex)MUTEX_INIT(rank_))

/* Takes the mutex, sleeping until it is free. Thread context only, no spinlock held. */
void mutex_lock(struct mutex *m) __acquires(m);
void mutex_lock_nested(struct mutex *m) __acquires(m);
[[nodiscard]] bool mutex_trylock(struct mutex *m) __try_acquires(true, m);
void mutex_unlock(struct mutex *m) __releases(m);
bool mutex_is_held(const struct mutex *m); /* by the current thread */

struct __capability("rwsem") rwsem {
	u64 state; /* atomic: RWSEM_* */
	struct spinlock wait_lock;
	struct lock_queue waiters __guarded_by(&wait_lock);
#ifdef CONFIG_DEBUG_LOCKS
	u16 rank;
	const char *name;
#endif
};

/* rwsem.state: a writer or any number of readers hold it; with waiters nobody else gets in. */
#define RWSEM_WRITER 1ull
#define RWSEM_WAITERS 2ull
#define RWSEM_READER 4ull /* one reader */

#define RWSEM_INIT(lock_rank_)                                                                     \
	{ .wait_lock = SPINLOCK_INIT(RANK_LOCK_WAITERS), LOCK_DEBUG_INIT(lock_rank_) }
#define rwsem_init(sem_, rank_) (*(sem_) = (struct rwsem)RWSEM_INIT(rank_))

/* As the mutex: thread context only, no spinlock held. Not recursive, not even for readers. */
void read_lock(struct rwsem *s) __acquires_shared(s);
void read_unlock(struct rwsem *s) __releases_shared(s);
[[nodiscard]] bool read_trylock(struct rwsem *s) __tsa(try_acquire_shared_capability(true, s));
void write_lock(struct rwsem *s) __acquires(s);
void write_lock_nested(struct rwsem *s) __acquires(s);
[[nodiscard]] bool write_trylock(struct rwsem *s) __try_acquires(true, s);
void write_unlock(struct rwsem *s) __releases(s);
/* Turns the writer's hold into a reader's without letting another writer in. */
void write_downgrade(struct rwsem *s) __releases(s) __acquires_shared(s);

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
