/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sparse maps from a u64 index to a pointer (page cache, ids). The pointers stored are not null and at least
 * 2-aligned. Changes need the user's lock; radix_load alone may run at the same time under rcu_read_lock, and
 * then sees the old or the new value of an index.
 */
#pragma once

#include <lib/types.h>

struct radix_node;

struct radix_tree {
	void *root;  /* null; the value of index 0; or a node, tagged with bit 0 */
	u64 entries; /* how many indices have a value */
};

#define RADIX_TREE_INIT { nullptr, 0 }

static inline void radix_init(struct radix_tree *t)
{
	*t = (struct radix_tree)RADIX_TREE_INIT;
}

/* The value at `index`, or null. Under the user's lock or rcu_read_lock. */
void *radix_load(const struct radix_tree *t, u64 index);

/*
 * Copies the values at `index` and after it, up to the first index without one, the end of a node, or `count` of them
 * (at least 1); how many. As radix_load() for each.
 */
unsigned radix_load_run(const struct radix_tree *t, u64 index, void **values, unsigned count);

/*
 * Stores `value` at `index`, replacing what is there; the former value goes to *former unless that is null.
 * Returns 0, or -ENOMEM with the map unchanged. Replacing never fails.
 */
[[nodiscard]] int radix_store(struct radix_tree *t, u64 index, void *value, void **former);

/* Removes and returns the value at `index`, or null. Frees the nodes that became empty. */
void *radix_remove(struct radix_tree *t, u64 index);

/*
 * The value at the smallest index in [*index, last], which is stored in *index; null when there is none.
 * To walk: index = 0; while ((v = radix_next(t, &index, last))) { ...; if (index++ == last) break; }
 */
void *radix_next(const struct radix_tree *t, u64 *index, u64 last);

/* The smallest index in [start, last] without a value. Returns 0, or -ENOSPC. */
[[nodiscard]] int radix_next_free(const struct radix_tree *t, u64 start, u64 last, u64 *index);

/* Forgets everything; `release` (may be null) is called with each value. */
void radix_destroy(struct radix_tree *t, void (*release)(void *value));
