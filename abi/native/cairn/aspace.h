/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: what is mapped where, by hand. An address space is made from an untyped (CAIRN_TYPE_ASPACE), which pays for its page
 * tables, mappings and private pages, and is given to a task before that starts (<cairn/task.h>). -1 names the caller's own.
 *
 * A mapping shows a memory object (CAIRN_TYPE_MEMORY, or any file that mmap(2) can map) or private zeros, in whole pages, down to a
 * single one. What was mapped through a handle that is revoked is unmapped.
 *
 * A pager is a task that maps what another one misses: an access to an address where nothing is mapped becomes a call on a channel, with
 * the words {address, CAIRN_FAULT_*, task, instruction}. The pager maps something there and replies: words[0] 0 lets the access try
 * again, anything else makes it SIGSEGV, and so does a channel that nobody answers. System calls that are given such an address do not
 * ask the pager; they fail with EFAULT.
 *
 * Errors of all calls besides those of <cairn/handle.h>: EFAULT, a bad address.
 */
#pragma once

#include <linux/types.h>

#define CAIRN_MAP_READ 1u /* as PROT_READ, PROT_WRITE, PROT_EXEC */
#define CAIRN_MAP_WRITE 2u
#define CAIRN_MAP_EXECUTE 4u
#define CAIRN_MAP_PRIVATE 0x100u /* writes make copies; always so for zeros */
#define CAIRN_MAP_FIXED 0x200u	 /* at the address, where nothing is mapped yet */

#define CAIRN_FAULT_WRITE 1u
#define CAIRN_FAULT_EXECUTE 2u

struct cairn_mapping {
	__u64 address; /* where, with CAIRN_MAP_FIXED; out: where it is */
	__u64 length;  /* bytes, whole pages */
	__u64 offset;  /* into the object, whole pages */
	__s32 memory;  /* its handle; -1: zeros. cairn_aspace_query stores -1 */
	__u32 flags;   /* CAIRN_MAP_* */
};

#ifndef __KERNEL__
/*
 * Maps. Needs WRITE of the address space, and MAP of the memory, with READ, and WRITE for a mapping that is shared and written to.
 * 0. EACCES; EEXIST: something is mapped there; ENODEV: it cannot be mapped; ENOMEM; EINVAL: not whole pages, no such flag.
 */
int cairn_aspace_map(int aspace, struct cairn_mapping *mapping);

/* Unmaps whatever is mapped in a range of whole pages. Needs WRITE. 0. EINVAL; ENOMEM. */
int cairn_aspace_unmap(int aspace, __u64 address, __u64 length);

/* Changes the rights of all that is mapped in the range to CAIRN_MAP_READ, WRITE, EXECUTE. Needs WRITE.
 * 0. EACCES: more than the handle it was mapped through allowed; ENOMEM: not all of it is mapped, or no memory; EINVAL. */
int cairn_aspace_protect(int aspace, __u64 address, __u64 length, unsigned rights);

/* Tells the mapping that contains the address, or the next one above. Needs INSPECT. 0. ENOENT: there is none. */
int cairn_aspace_query(int aspace, __u64 address, struct cairn_mapping *mapping);

/* Names the pager: the sending handle of a channel (needs WRITE and DUPLICATE of it), or -1 for none. Needs CONTROL. 0. ENOMEM. */
int cairn_aspace_set_pager(int aspace, int sender);
#endif
