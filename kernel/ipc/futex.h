/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Futexes (futex(2)): sleeping on the value of a word in user memory. A word is named by its key:
 * of private memory the address space and address, of shared mappings the memory object and offset,
 * so that processes meet on it.
 */
#pragma once

#include <core/wait.h>
#include <lib/types.h>

#include <linux/futex.h>

struct aspace;
struct memory_object;
struct task;
struct thread;
struct futex_bucket;
struct futex_pi_waiter;

struct futex_key {
	u64 base;		      /* address of the aspace or the memory object */
	u64 offset;		      /* user address, or offset in the object */
	struct memory_object *object; /* holds a reference; null for private memory */
};

/* One wait for one word. The caller fills in the first block; the rest is of futex.c. */
struct futex_waiter {
	u32 __user *word;
	u32 value;
	u32 bitset;
	bool shared; /* may be in a shared mapping */

	struct list_head node;
	struct futex_bucket *bucket; /* changes when requeued */
	struct futex_key key;
	struct thread *thread;
	struct futex_pi_waiter *pi; /* FUTEX_WAIT_REQUEUE_PI: it may only be moved; else null */
	bool woken;
};

#define FUTEX_WAITERS_MAX FUTEX_WAITV_MAX

/*
 * Sleeps while all words have their values, until one is woken: returns its index. -EAGAIN (a word
 * has another value), -EFAULT, -EINVAL (misaligned), -ETIMEDOUT, -ERESTARTSYS. May sleep.
 */
[[nodiscard]] int futex_wait(struct futex_waiter *waiters, unsigned n, u64 deadline_ns);

/* Wakes at most n waiters whose bitset meets `bitset`. Their number, -EFAULT, -EINVAL. May sleep.
 */
[[nodiscard]] int futex_wake(u32 __user *word, bool shared, int n, u32 bitset);

struct futex_pair {
	u32 __user *first, *second;
	bool shared;
};

/*
 * FUTEX_REQUEUE and FUTEX_CMP_REQUEUE: wakes n_wake waiters of the first word and moves n_requeue
 * to the second, if the first still is *expected (null: in any case). How many in all, -EAGAIN,
 * -EFAULT, -EINVAL.
 */
[[nodiscard]] int futex_requeue(const struct futex_pair *words, int n_wake, int n_requeue,
				const u32 *expected);

/* FUTEX_WAKE_OP with its encoded operation. The number woken, -EFAULT, -EINVAL, -ENOSYS (unknown
 * operation). */
[[nodiscard]] int futex_wake_op(const struct futex_pair *words, int n_first, int n_second,
				u32 operation);

/* Wakes one waiter of a word, shared or private: clear_child_tid. Errors do not matter. */
void futex_wake_address(u32 __user *word);

/* The current task ends or execs: marks the robust futexes that it holds as ownerless and wakes a
 * waiter of each. */
void futex_exit_robust(struct task *task);

/*
 * FUTEX_LOCK_PI (`try`: FUTEX_TRYLOCK_PI) until `deadline_ns`, and FUTEX_UNLOCK_PI. 0, -EFAULT, -EINVAL, -EAGAIN (`try`:
 * it is locked), -EDEADLK, -ESRCH (no such owner), -EPERM (unlock: not the owner), -ETIMEDOUT, -ENOMEM, -ERESTARTNOINTR.
 * May sleep.
 */
[[nodiscard]] int futex_lock_pi(u32 __user *word, bool shared, bool try, u64 deadline_ns);
[[nodiscard]] int futex_unlock_pi(u32 __user *word, bool shared);

/*
 * FUTEX_WAIT_REQUEUE_PI: waits as futex_wait on a word until futex_requeue_pi has moved the wait to `target` and that is
 * locked for the caller. The errors of both; -EAGAIN when a signal came after the move. FUTEX_CMP_REQUEUE_PI: locks the
 * second word for one waiter of the first, or has it wait for it, and moves n_requeue more. How many in all. May sleep.
 */
[[nodiscard]] int futex_wait_requeue_pi(struct futex_waiter *waiter, u32 __user *target,
					u64 deadline_ns);
[[nodiscard]] int futex_requeue_pi(const struct futex_pair *words, int n_requeue, u32 expected);

/* The task ends: hands the futexes that others wait for to them. After futex_exit_robust. */
void futex_exit_pi(struct task *task);

/* The scheduling parameters of the task have changed: who waits for whom is put in order again. */
void futex_priority_changed(struct task *task);

/* Boot. */
void futex_init(void);
