/* SPDX-License-Identifier: MIT */
/*
 * Untyped memory: a size set aside, from which objects are made and with which they end.
 *
 * An untyped's size is reserved where it is made: in the budget of the caller's silo, in another untyped, or in what the system leaves
 * for untypeds. Every object made from it is charged to it, with all that the kernel spends on it: structures, kernel stacks, page
 * tables, pages, queued messages. When it is full, making or growing an object fails with ENOMEM, and nothing else in the system
 * notices. The untyped's own books are charged to it too.
 *
 * Handles that cairn_untyped_retype returns are children in the sense of cairn_handle_derive: an untyped that ends revokes them.
 * It ends by cairn_untyped_end, with its last handle, or with the untyped that it is a part of.
 *
 * Errors of all calls besides those of <cairn/handle.h>: EFAULT, a bad address.
 */
#pragma once

#include <linux/types.h>

/* What cairn_untyped_retype makes, and what its argument means. */
#define CAIRN_TYPE_UNTYPED 0u /* a part; bytes */
#define CAIRN_TYPE_POOL 1u    /* a table of handles, see <cairn/pool.h>; 0 */
#define CAIRN_TYPE_CHANNEL 2u /* two handles: receives, sends; messages it holds, 1 to 1024 */
#define CAIRN_TYPE_EVENT 3u   /* a counter as of eventfd(2); its value, below 2^32 */
#define CAIRN_TYPE_TIMER 4u   /* a timer as of timerfd_create(2); CLOCK_MONOTONIC or CLOCK_REALTIME */
#define CAIRN_TYPE_MEMORY 5u  /* pages, for mmap(2), read(2), write(2) and <cairn/aspace.h>; bytes, whole pages */
#define CAIRN_TYPE_ASPACE 6u  /* an address space, see <cairn/aspace.h>; 0 */
#define CAIRN_TYPE_TASK 7u    /* a process of one thread, see <cairn/task.h>; 0 */
#define CAIRN_TYPE_SILO 8u    /* a silo, see <cairn/silo.h>; its memory in bytes */

struct cairn_untyped_info {
	__u64 size, used, peak; /* bytes */
	__u64 refused;		/* how often it was full */
	__u32 objects;		/* made from it, that exist */
	__u32 reserved;
};

#ifndef __KERNEL__
#include <stddef.h>

/*
 * Sets `size` bytes (whole pages) aside. flags: CAIRN_HANDLE_KEEP_*. Needs CAP_SYS_RESOURCE if the process is charged to nobody.
 * The handle. EPERM; ENOMEM: so much is not left, or it would not hold its own books; EINVAL: not whole pages; EMFILE.
 */
int cairn_untyped_create(__u64 size, unsigned flags);

/*
 * Makes an object of CAIRN_TYPE_* from the untyped. handles[0] gets its handle, with all rights that the type has; handles[1] the
 * sending end of a channel, and is left alone otherwise. flags: CAIRN_HANDLE_KEEP_*. Needs WRITE.
 * 0. EINVAL: no such type or argument; ENOMEM: it is full, or has ended; EMFILE; EAGAIN: too many tasks.
 */
int cairn_untyped_retype(int untyped, unsigned type, __u64 argument, int handles[2], unsigned flags);

/* Tells size and consumption. Needs INSPECT. 0. EINVAL: size is below that of the structure. */
int cairn_untyped_inspect(int untyped, struct cairn_untyped_info *info, size_t size);

/*
 * Ends everything that was made from it and from its parts: handles are revoked, processes killed, memory unmapped. When it returns
 * its size is free again where it was reserved. The handle stays, of an untyped that is full for good. Needs CONTROL. May wait for the
 * processes to end; a caller that is one of them does not return. 0.
 */
int cairn_untyped_end(int untyped);
#endif
