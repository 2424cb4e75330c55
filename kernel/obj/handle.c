/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles: looking up, making, duplicating and closing them. The theory is in handle.h; pool.c has
 * the tables.
 *
 * How look-up does without the lock: the flags word of a slot carries a sequence number
 * (SLOT_SEQUENCE) that changes with every change of the slot, beside the rights in one 64-bit word.
 * A reader loads the word, the object, takes a reference, and loads the word again: if it is the
 * same, the object and the rights belonged together and the reference was taken while the slot held
 * the object. The object's memory outlives an RCU grace period (O5), so the attempt on an object
 * that is just being destroyed is harmless: its count is zero, and the slot has changed.
 */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <obj/pool_priv.h>

static inline u64 slot_word(const struct handle *slot)
{
	return __atomic_load_n(&slot->rights_and_flags, __ATOMIC_ACQUIRE);
}

/* (H2). `object` null means that the slot is free or reserved. */
static inline int slot_check(const struct object *object, u32 have, const struct object_type *type,
			     u32 rights)
{
	if (unlikely(type && object->type != type))
		return -EINVAL;
	if (unlikely(rights & ~have))
		return -EACCES;
	return 0;
}

static inline const struct handle *slot_find(struct pool *pool, int fd)
{
	struct pool_table *table = rcu_dereference(pool->table);

	if (unlikely((unsigned)fd >= table->size))
		return nullptr;
	return &table->slots[fd];
}

enum slot_state { SLOT_EMPTY, SLOT_FOUND, SLOT_CHANGED };

/*
 * Under RCU: the slot's contents, with a reference of the object and the derivation counted. SLOT_CHANGED: it changed meanwhile; out->object
 * has a reference all the same, which may be the last and is dropped where one may sleep.
 */
static enum slot_state slot_acquire(struct pool *pool, int fd, struct handle *out)
{
	const struct handle *slot;

	do {
		slot = slot_find(pool, fd);
		if (!slot)
			return SLOT_EMPTY;
		out->rights_and_flags = slot_word(slot);
		out->object = __atomic_load_n(&slot->object, __ATOMIC_ACQUIRE);
		if (!out->object)
			return SLOT_EMPTY;
		out->derivation = __atomic_load_n(&slot->derivation, __ATOMIC_ACQUIRE);
		out->badge = __atomic_load_n(&slot->badge, __ATOMIC_ACQUIRE);
	} while (!object_get_unless_zero(out->object));
	/* The table may have been replaced too: then changes went to the new one. */
	if (likely(slot_word(slot) == out->rights_and_flags && slot_find(pool, fd) == slot) &&
	    likely(!out->derivation || derivation_handle_opened_unless_zero(out->derivation)))
		return SLOT_FOUND;
	return SLOT_CHANGED;
}

static int slot_get(struct pool *pool, int fd, const struct object_type *type, u32 rights,
		    struct handle *out)
{
	enum slot_state state;
	int error;

	for (;;) {
		rcu_read_lock();
		state = slot_acquire(pool, fd, out);
		rcu_read_unlock();
		if (likely(state != SLOT_CHANGED))
			break;
		object_put(out->object);
	}
	if (state == SLOT_EMPTY)
		return -EBADF;
	error = slot_check(out->object, out->rights, type, rights);
	if (unlikely(out->derivation)) {
		if (error)
			derivation_handle_closed(out->derivation);
		else
			error = derivation_enter(out->derivation);
	}
	if (error)
		object_put(out->object);
	return error;
}

int handle_get(struct pool *pool, int fd, const struct object_type *type, u32 rights,
	       struct object **out)
{
	struct handle slot;
	int error = slot_get(pool, fd, type, rights, &slot);

	if (!error)
		*out = slot.object;
	return error;
}

int handle_get_badge(struct pool *pool, int fd, const struct object_type *type, u32 rights,
		     struct object **out, u64 *badge)
{
	struct handle slot;
	int error = slot_get(pool, fd, type, rights, &slot);

	if (!error) {
		*out = slot.object;
		*badge = slot.badge;
	}
	return error;
}

int handle_get_copy(struct pool *pool, int fd, struct handle *out)
{
	spin_guard(&pool->lock);
	struct handle *slot = pool_slot_locked(pool, fd);

	if (!slot)
		return -EBADF;
	*out = *slot;
	out->flags &= HANDLE_FLAGS;
	object_get(out->object);
	derivation_handle_opened(out->derivation);
	return 0;
}

void handle_copy_put(struct handle *copy)
{
	derivation_handle_closed(copy->derivation);
	object_put(copy->object);
	copy->object = nullptr;
}

/* Rights only shrink (H1). */
static int narrow(u32 have, u32 want, u32 *out)
{
	if (want == RIGHTS_SAME)
		want = have;
	if (want & ~have)
		return -EACCES;
	*out = want;
	return 0;
}

int handle_install(struct pool *pool, struct object *object, u32 rights, u32 flags, int min,
		   unsigned limit)
{
	int fd = handle_reserve(pool, min, limit);

	if (fd >= 0)
		handle_publish(pool, fd, object, rights, flags);
	return fd;
}

int handle_reserve(struct pool *pool, int min, unsigned limit)
{
	int fd;

	spin_lock(&pool->lock);
	fd = pool_claim_locked(pool, min, limit);
	spin_unlock(&pool->lock);
	return fd == -ENOSPC ? pool_grow_and_claim(pool, min, limit) : fd;
}

int handle_reserve_exact(struct pool *pool, u32 fd, unsigned limit)
{
	bool claimed = false;
	int error;

	if (fd >= MIN(limit, POOL_SIZE_MAX))
		return -EMFILE;
	error = fd < pool_size(pool) ? 0 : pool_grow(pool, fd + 1);
	if (error)
		return error;
	spin_lock(&pool->lock);
	claimed = pool_claim_exact_locked(pool, (int)fd);
	spin_unlock(&pool->lock);
	return claimed ? (int)fd : -EBUSY;
}

void handle_publish(struct pool *pool, int fd, struct object *object, u32 rights, u32 flags)
{
	struct handle handle = { .object = object, .rights = rights, .flags = flags };

	object_handle_opened(object);
	spin_lock(&pool->lock);
	pool_fill_locked(pool, fd, &handle);
	spin_unlock(&pool->lock);
}

void handle_cancel(struct pool *pool, int fd)
{
	spin_lock(&pool->lock);
	pool_release_locked(pool, fd);
	spin_unlock(&pool->lock);
}

int handle_duplicate(struct pool *pool, int fd, u32 rights, u32 flags, int min, unsigned limit)
{
	struct handle copy;
	int error = handle_get_copy(pool, fd, &copy);
	int to;

	if (error)
		return error;
	to = copy.rights & RIGHT_DUPLICATE ? narrow(copy.rights, rights, &copy.rights) : -EACCES;
	if (!to && derivation_revoked(copy.derivation))
		to = -EKEYREVOKED;
	if (!to)
		to = handle_reserve(pool, min, limit);
	if (to < 0) {
		handle_copy_put(&copy);
		return to;
	}
	/* The reference of the copy becomes that of the new handle. */
	__atomic_fetch_add(&copy.object->handles, 1, __ATOMIC_RELAXED);
	copy.flags = flags;
	spin_lock(&pool->lock);
	pool_fill_locked(pool, to, &copy);
	spin_unlock(&pool->lock);
	return to;
}

/* Puts a second handle like that of slot `fd` into slot `to`; what was there leaves in *old. */
static int duplicate_to_locked(struct pool *pool, int fd, int to, u32 flags, struct handle *old)
	__must_hold(&pool->lock)
{
	const struct handle *from = pool_slot_locked(pool, fd);
	struct handle copy;

	*old = (struct handle){};
	if (!from)
		return -EBADF;
	if (!(from->rights & RIGHT_DUPLICATE))
		return -EACCES;
	if (derivation_revoked(from->derivation))
		return -EKEYREVOKED;
	if ((unsigned)to >= pool->table->size)
		return -ENOSPC;
	copy = *from;
	copy.flags = flags;
	if (!pool_take_locked(pool, to, old) && !pool_claim_exact_locked(pool, to))
		return -EBUSY;
	object_handle_opened(copy.object);
	derivation_handle_opened(copy.derivation);
	pool_fill_locked(pool, to, &copy);
	return 0;
}

int handle_duplicate_to(struct pool *pool, int fd, int to, u32 flags, unsigned limit)
{
	struct handle old;
	int error;

	if (to < 0 || (unsigned)to >= limit)
		return -EBADF;
	for (;;) {
		spin_lock(&pool->lock);
		error = duplicate_to_locked(pool, fd, to, flags, &old);
		spin_unlock(&pool->lock);
		if (error != -ENOSPC)
			break;
		error = pool_grow(pool, (unsigned)to + 1);
		if (error)
			return error;
	}
	if (old.object)
		handle_dispose(&old);
	return error ? error : to;
}

/* The badge of a derived handle: inherited, or given once (D3). */
static int derive_badge(const struct handle *source, u64 badge)
{
	return source->badge && badge && source->badge != badge ? -EACCES : 0;
}

static int derive_from(struct pool *pool, struct handle *copy, u32 flags, unsigned limit)
{
	struct derivation *source = copy->derivation;
	int fd = handle_reserve(pool, 0, limit);
	int error;

	if (fd < 0)
		return fd;
	error = derivation_create(copy->object, source, &copy->derivation);
	if (error) {
		handle_cancel(pool, fd);
		return error;
	}
	object_handle_opened(copy->object);
	copy->flags = flags;
	spin_lock(&pool->lock);
	pool_fill_locked(pool, fd, copy);
	spin_unlock(&pool->lock);
	copy->derivation = source;
	return fd;
}

int handle_derive(struct pool *pool, int fd, u32 rights, u64 badge, u32 flags, unsigned limit)
{
	struct handle copy;
	int result = handle_get_copy(pool, fd, &copy);

	if (result)
		return result;
	result = copy.rights & RIGHT_DERIVE ? narrow(copy.rights, rights, &copy.rights) : -EACCES;
	if (!result)
		result = derive_badge(&copy, badge);
	if (!result && derivation_revoked(copy.derivation))
		result = -EKEYREVOKED;
	if (!result) {
		copy.badge = copy.badge ?: badge;
		result = derive_from(pool, &copy, flags, limit);
	}
	handle_copy_put(&copy);
	return result;
}

long handle_revoke(struct pool *pool, int fd)
{
	struct handle copy;
	long result = handle_get_copy(pool, fd, &copy);

	if (result)
		return result;
	if (!(copy.rights & RIGHT_REVOKE))
		result = -EACCES;
	else if (derivation_revoked(copy.derivation))
		result = -EKEYREVOKED;
	else
		result = derivation_revoke(copy.object, copy.derivation);
	handle_copy_put(&copy);
	return result;
}

int handle_close(struct pool *pool, int fd)
{
	struct handle old;
	bool was_open;

	spin_lock(&pool->lock);
	was_open = pool_take_locked(pool, fd, &old);
	if (was_open)
		pool_release_locked(pool, fd);
	spin_unlock(&pool->lock);
	return was_open ? handle_dispose(&old) : -EBADF;
}

int handle_dispose(struct handle *handle)
{
	struct object *object = handle->object;
	int result = object->type->flush ? object->type->flush(object) : 0;

	handle_drop(handle);
	return result;
}

void handle_drop(struct handle *handle)
{
	struct object *object = handle->object;

	derivation_handle_closed(handle->derivation);
	handle->object = nullptr;
	object_handle_closed(object);
}

int handle_flags(struct pool *pool, int fd)
{
	const struct handle *slot;
	int flags = -EBADF;

	spin_lock(&pool->lock);
	slot = pool_slot_locked(pool, fd);
	if (slot)
		flags = (int)(slot->flags & HANDLE_FLAGS);
	spin_unlock(&pool->lock);
	return flags;
}

int handle_set_flags(struct pool *pool, int fd, u32 flags)
{
	struct handle *slot;

	spin_lock(&pool->lock);
	slot = pool_slot_locked(pool, fd);
	if (slot)
		pool_set_flags_locked(slot, (slot->flags & ~HANDLE_FLAGS) | flags);
	spin_unlock(&pool->lock);
	return slot ? 0 : -EBADF;
}

/* What moving or duplicating list[i] needs. */
static int transfer_check_locked(struct pool *pool, const struct transfer *list, unsigned i,
				 u32 needed) __must_hold(&pool->lock)
{
	const struct handle *slot = pool_slot_locked(pool, list[i].fd);
	bool move = list[i].operation == TRANSFER_MOVE;
	u32 rights;

	if (!slot)
		return -EBADF;
	if (needed & ~slot->rights || (!move && !(slot->rights & RIGHT_DUPLICATE)))
		return -EACCES;
	for (unsigned j = 0; j < i; j++)
		if (list[j].fd == list[i].fd && (move || list[j].operation == TRANSFER_MOVE))
			return -EINVAL;
	if (derivation_revoked(slot->derivation))
		return -EKEYREVOKED;
	return narrow(slot->rights, list[i].rights, &rights);
}

static void transfer_copy_locked(struct pool *pool, const struct transfer *item, struct handle *out)
	__must_hold(&pool->lock)
{
	*out = *pool_slot_locked(pool, item->fd);
	object_handle_opened(out->object);
	derivation_handle_opened(out->derivation);
	(void)narrow(out->rights, item->rights, &out->rights);
	out->flags = 0;
}

int handles_copy(struct pool *pool, const struct transfer *list, unsigned n, u32 rights,
		 struct handle *out)
{
	int error = 0;

	spin_lock(&pool->lock);
	for (unsigned i = 0; i < n && !error; i++)
		error = transfer_check_locked(pool, list, i, rights);
	for (unsigned i = 0; i < n && !error; i++)
		transfer_copy_locked(pool, &list[i], &out[i]);
	spin_unlock(&pool->lock);
	return error;
}

void handles_close_moved(struct pool *pool, const struct transfer *list, unsigned n,
			 struct object *const *objects)
{
	for (unsigned i = 0; i < n; i++) {
		struct handle old = {};

		if (list[i].operation != TRANSFER_MOVE)
			continue;
		spin_lock(&pool->lock);
		const struct handle *slot = pool_slot_locked(pool, list[i].fd);

		if (slot && slot->object == objects[i] && pool_take_locked(pool, list[i].fd, &old))
			pool_release_locked(pool, list[i].fd);
		spin_unlock(&pool->lock);
		if (old.object)
			handle_drop(&old);
	}
}

int handles_collect(struct pool *pool, const struct transfer *list, unsigned n, struct handle *out)
{
	int error = handles_copy(pool, list, n, RIGHT_TRANSFER, out);

	for (unsigned i = 0; i < n && !error; i++)
		handles_close_moved(pool, &list[i], 1, &out[i].object);
	return error;
}

void handle_publish_moved(struct pool *pool, int fd, struct handle *handle, u32 flags)
{
	handle->flags = flags;
	spin_lock(&pool->lock);
	pool_fill_locked(pool, fd, handle);
	spin_unlock(&pool->lock);
	handle->object = nullptr;
}

int handle_make_derived(struct object *object, u32 rights, struct handle *out)
{
	*out = (struct handle){ .rights = rights };
	int error = derivation_create(object, nullptr, &out->derivation);

	if (error)
		return error;
	object_handle_opened(object);
	out->object = object;
	return 0;
}

void handle_copy(const struct handle *from, struct handle *out)
{
	*out = *from;
	object_handle_opened(out->object);
	derivation_handle_opened(out->derivation);
}

int handle_install_moved(struct pool *pool, struct handle *handle, u32 flags, unsigned limit)
{
	int fd = handle_reserve(pool, 0, limit);

	if (fd >= 0)
		handle_publish_moved(pool, fd, handle, flags);
	return fd;
}
