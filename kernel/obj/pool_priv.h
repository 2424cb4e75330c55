/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots of a pool, for handle.c and pool.c. */
#pragma once

#include <obj/handle.h>

/* The flags word: HANDLE_* below, a sequence number above that every change of the slot's object
 * advances. */
#define HANDLE_FLAGS (HANDLE_CLOEXEC | HANDLE_CLOFORK)
#define SLOT_SEQUENCE BIT(8)

/* A published slot, or null. */
static inline struct handle *pool_slot_locked(struct pool *pool, int fd) __must_hold(&pool->lock)
{
	struct pool_table *table = pool->table;

	if ((unsigned)fd >= table->size || !table->slots[fd].object)
		return nullptr;
	return &table->slots[fd];
}

/* Changes the flags of a slot that others read without the lock. */
static inline void pool_set_flags_locked(struct handle *slot, u32 flags)
{
	__atomic_store_n(&slot->flags, flags, __ATOMIC_RELAXED);
}

/*
 * Marks the lowest free slot >= min and < limit as used. -EMFILE, -EINVAL is not possible; -ENOSPC:
 * the table must grow first.
 */
[[nodiscard]] int pool_claim_locked(struct pool *pool, int min, unsigned limit)
	__must_hold(&pool->lock);

/* Marks exactly this slot, which is in the table; false if it is used. */
[[nodiscard]] bool pool_claim_exact_locked(struct pool *pool, int fd) __must_hold(&pool->lock);

/* Publishes a handle, whose reference and handle count move in, in a claimed slot. */
void pool_fill_locked(struct pool *pool, int fd, const struct handle *handle)
	__must_hold(&pool->lock);

/* Empties a published slot, which stays claimed; the handle moves out. False if nothing is
 * published there. */
bool pool_take_locked(struct pool *pool, int fd, struct handle *out) __must_hold(&pool->lock);

/* Gives a claimed, empty slot back. */
void pool_release_locked(struct pool *pool, int fd) __must_hold(&pool->lock);

/* Makes room for at least `size` slots. -EMFILE, -ENOMEM. May sleep. */
[[nodiscard]] int pool_grow(struct pool *pool, unsigned size) __must_not_hold(&pool->lock);
[[nodiscard]] int pool_grow_and_claim(struct pool *pool, int min, unsigned limit)
	__must_not_hold(&pool->lock);

/* Ends a handle that left its slot by close: flush, then drop. Returns flush's result. May sleep.
 */
int handle_dispose(struct handle *handle);
