/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the futexes: what priority inheritance needs of keys, buckets and waiters. */
#pragma once

#include <core/lock.h>
#include <ipc/futex.h>
#include <lib/list.h>

struct futex_bucket {
	struct spinlock lock;
	struct list_head waiters;
} __aligned(64);

/* One thread that waits for a futex with priority inheritance, on its stack. */
struct futex_pi_waiter {
	struct list_head node; /* in futex_pi.waiters */
	struct task *task;
	struct futex_pi *state;
	/* FUTEX_WAIT_REQUEUE_PI: where it agreed to be moved to; holds a reference */
	struct futex_key target;
	bool granted;	 /* atomic: the wait is over, the word is the waiter's */
	bool owner_died; /* and it must write it itself */
};

struct futex_bucket *futex_bucket_of(const struct futex_key *key);
bool futex_key_equal(const struct futex_key *a, const struct futex_key *b);

/* Names a word. With a reference for futex_key_put. -EFAULT, -EINVAL. May sleep. */
[[nodiscard]] int futex_key_get(u32 __user *word, bool shared, struct futex_key *key);
void futex_key_put(struct futex_key *key);

/* Loads the word, whose address was checked; -EFAULT if its page is not there. */
[[nodiscard]] int futex_load_nofault(u32 __user *word, u32 *value);

/* Queues the current thread if the word has its value: 0, -EAGAIN, -EFAULT, -EINVAL. May sleep. */
[[nodiscard]] int futex_queue_waiter(struct futex_waiter *waiter);
/* Takes the waiter off its queue; true if it had been woken. */
bool futex_unqueue_waiter(struct futex_waiter *waiter);
