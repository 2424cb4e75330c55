/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the two files of the dentry cache. The rules are in dcache.c. */
#pragma once

#include <vfs/dcache.h>

static inline void dentry_flags_set(struct dentry *dentry, u32 flags)
{
	__atomic_fetch_or(&dentry->flags, flags, __ATOMIC_RELEASE);
}

/* Turns an unused dentry into a dead one, which the caller then owns. */
static inline bool dentry_claim(struct dentry *dentry)
{
	u32 refs = 0;

	return __atomic_compare_exchange_n(&dentry->refs, &refs, DENTRY_DEAD, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Frees a claimed dentry. Returns its parent, whose reference goes to the caller; null for a root. */
struct dentry *dentry_kill(struct dentry *dentry);

/* The list of unused dentries. Takes its lock; adding may start the work that frees the oldest. */
void dentry_lru_add(struct dentry *dentry);
void dentry_lru_remove(struct dentry *dentry);
/* Boot. How many dentries may be unused. */
u64 dentry_lru_init(void);
