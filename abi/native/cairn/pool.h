/* SPDX-License-Identifier: MIT */
/*
 * Pools: tables of handles, and themselves objects. The handle table of a process is a pool; one that was made from an untyped
 * (CAIRN_TYPE_POOL) can be filled slot by slot and given to a new process as its whole authority (<cairn/task.h>).
 *
 * A slot is named by a path: a number in the caller's own table or in a pool that one has, and then a number in that pool, if it is a
 * pool too, and so on. Each pool on the way is looked up with the rights of its own handle: READ to pass through it or to copy from
 * it, WRITE to put something into it or to take it out, INSPECT to look.
 *
 * A pool goes only into the caller's own table and into pools that were made before it, so that none can hold itself; and not
 * through channels or sockets. When its last handle is closed and no process uses it, its handles are closed.
 *
 * Errors of all calls besides those of <cairn/handle.h>, for any handle on the way: EFAULT, a bad address; EINVAL also for a path that
 * is empty or too long.
 */
#pragma once

#include <linux/types.h>

#include <cairn/handle.h>

#define CAIRN_PATH_MAX 6
#define CAIRN_SLOT_ANY 0xffffffffu /* as the last number of a destination: the lowest that is free */

struct cairn_slot {
	__s32 pool;			/* where the path begins: a handle of a pool; -1: the caller's own table */
	__u32 depth;			/* how many numbers follow */
	__u32 path[CAIRN_PATH_MAX]; /* pools on the way, then the slot */
};

#define CAIRN_POOL_MOVE 0u
#define CAIRN_POOL_COPY 1u

#ifndef __KERNEL__
#include <stddef.h>

/*
 * Copies or moves the handle in slot `from` to slot `to`, which is free. rights: CAIRN_RIGHTS_SAME, or fewer. A copy needs DUPLICATE of the
 * handle; badge and derivation go along. flags: CAIRN_HANDLE_KEEP_*.
 * The number of the slot in the last pool of `to`. EACCES also if a right is asked for that the handle lacks; EBUSY: the slot is in use;
 * ELOOP: a pool would go into one that is not older; EMFILE: no such slot can be; ENOMEM.
 */
int cairn_pool_put(const struct cairn_slot *from, const struct cairn_slot *to, unsigned operation,
		   unsigned rights, unsigned flags);

/* Closes the handle in a slot. 0. */
int cairn_pool_close(const struct cairn_slot *slot);

/*
 * Tells what is in a slot, or in the next one that is in use, and which one that is.
 * The number of the slot. EBADF: there is none; EINVAL: size is below 40.
 */
int cairn_pool_next(const struct cairn_slot *slot, struct cairn_handle_info *info, size_t size);
#endif
