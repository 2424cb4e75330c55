/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Native calls on pools: abi/native/cairn/pool.h. */
#include <mm/ucopy.h>
#include <native/native.h>

#include <cairn/pool.h>
#include <syscall_prototypes.h>

_Static_assert(sizeof(struct cairn_slot) == 32);
_Static_assert(CAIRN_POOL_MOVE == TRANSFER_MOVE && CAIRN_POOL_COPY == TRANSFER_DUPLICATE);

/* A slot that was looked up. */
struct place {
	struct pool *pool;
	struct object *object; /* of the pool, with a reference; null: the caller's own */
	u32 slot;
};

static void place_put(struct place *place)
{
	if (place->object)
		object_put(place->object);
}

/* The next pool on the way. */
static int step(struct place *place, int fd, u32 rights)
{
	struct object *next;
	int error = handle_get(place->pool, fd, &pool_type, rights, &next);

	if (error)
		return error;
	place_put(place);
	place->object = next;
	place->pool = pool_of(next);
	return 0;
}

/* The pool that holds the slot must be held with `rights`; one's own table is. */
static int place_find(const struct cairn_slot __user *user, u32 rights, struct place *place)
{
	struct cairn_slot slot;
	int error = 0;

	if (copy_from_user(&slot, user, sizeof(slot)))
		return -EFAULT;
	if (!slot.depth || slot.depth > CAIRN_PATH_MAX)
		return -EINVAL;
	*place = (struct place){ .pool = current_pool(), .slot = slot.path[slot.depth - 1] };
	if (slot.pool != -1)
		error = step(place, slot.pool, slot.depth == 1 ? rights : RIGHT_READ);
	for (u32 i = 0; i + 1 < slot.depth && !error; i++) {
		if (slot.path[i] > INT32_MAX)
			error = -EBADF;
		else
			error = step(place, (int)slot.path[i],
				     i + 2 == slot.depth ? rights : RIGHT_READ);
	}
	if (error)
		place_put(place);
	return error;
}

static unsigned limit_of(const struct place *place)
{
	return place->object ? POOL_SIZE_MAX : handle_limit();
}

static int put(const struct place *from, const struct place *to, const struct transfer *what,
	       u32 flags)
{
	struct handle handle;
	struct object *object;
	int slot, error = handles_copy(from->pool, what, 1, 0, &handle);

	if (error)
		return error;
	object = handle.object;
	if (object->type == &pool_type && !pool_may_hold(to->pool, pool_of(object)))
		slot = -ELOOP;
	else if (to->slot == CAIRN_SLOT_ANY)
		slot = handle_reserve(to->pool, 0, limit_of(to));
	else
		slot = handle_reserve_exact(to->pool, to->slot, limit_of(to));
	if (slot < 0) {
		handle_drop(&handle);
		return slot;
	}
	handle_publish_moved(to->pool, slot, &handle, flags);
	handles_close_moved(from->pool, what, 1, &object);
	return slot;
}

long sys_pool_put(const struct cairn_slot __user *from_user,
		  const struct cairn_slot __user *to_user, unsigned operation, unsigned rights,
		  unsigned flags)
{
	struct transfer what = { .operation = operation, .rights = rights };
	bool moves = operation == CAIRN_POOL_MOVE;
	struct place from, to;
	u32 slot_flags;
	int result;

	if (operation > CAIRN_POOL_COPY || (rights & ~RIGHTS_ALL && rights != RIGHTS_SAME) ||
	    native_handle_flags(flags, &slot_flags))
		return -EINVAL;
	result = place_find(from_user, moves ? RIGHT_READ | RIGHT_WRITE : RIGHT_READ, &from);
	if (result)
		return result;
	result = place_find(to_user, RIGHT_WRITE, &to);
	if (!result) {
		what.fd = (int)MIN(from.slot, (u32)INT32_MAX);
		result = put(&from, &to, &what, slot_flags);
		place_put(&to);
	}
	place_put(&from);
	return result;
}

long sys_pool_close(const struct cairn_slot __user *user)
{
	struct place place;
	int error = place_find(user, RIGHT_WRITE, &place);

	if (error)
		return error;
	error = handle_close(place.pool, (int)MIN(place.slot, (u32)INT32_MAX));
	place_put(&place);
	return error;
}

long sys_pool_next(const struct cairn_slot __user *user, struct cairn_handle_info __user *out,
		   size_t size)
{
	struct place place;
	int fd, error = place_find(user, RIGHT_INSPECT, &place);

	if (error)
		return error;
	/* A slot may be emptied between the two. */
	do {
		fd = pool_next(place.pool, (int)MIN(place.slot, (u32)INT32_MAX));
		error = fd < 0 ? -EBADF : native_handle_info(place.pool, fd, out, size);
	} while (fd >= 0 && error == -EBADF);
	place_put(&place);
	return error ? error : fd;
}
