/* SPDX-License-Identifier: MIT */
/*
 * Handles: small integers that name objects, with rights. Every file descriptor is a handle, and every handle a file
 * descriptor: close(2), dup(2), poll(2), epoll(7), /proc/self/fd and SCM_RIGHTS work on all of them.
 *
 * New handles are closed on exec and by fork, unless the call's flags say otherwise.
 *
 * Errors of every call that takes a handle, in this order:
 *   EBADF        no such handle
 *   EINVAL       it is of another type than the call wants, or an unknown flag is set
 *   EACCES       it lacks a right that the call needs
 *   EKEYREVOKED  it was revoked; all that can still be done with it is close(2). A call that waits while its handle is
 *                revoked ends with it too
 *   ENOMEM       no memory for the book-keeping of a derived handle
 */
#pragma once

#include <linux/types.h>

/* Rights. They only shrink. */
#define CAIRN_RIGHT_READ 0x001u	     /* read(2), receive from a channel */
#define CAIRN_RIGHT_WRITE 0x002u     /* write(2), send to a channel, change */
#define CAIRN_RIGHT_EXECUTE 0x004u   /* execute, start */
#define CAIRN_RIGHT_MAP 0x008u	     /* map into memory */
#define CAIRN_RIGHT_DUPLICATE 0x010u /* dup(2), cairn_handle_duplicate */
#define CAIRN_RIGHT_TRANSFER 0x020u  /* send through a channel or with SCM_RIGHTS */
#define CAIRN_RIGHT_WAIT 0x040u	     /* poll(2), epoll(7) */
#define CAIRN_RIGHT_CONTROL 0x080u   /* ioctl(2), stop, limit, configure */
#define CAIRN_RIGHT_INSPECT 0x100u   /* fstat(2), ask for state */
#define CAIRN_RIGHT_DERIVE 0x200u    /* cairn_handle_derive */
#define CAIRN_RIGHT_REVOKE 0x400u    /* cairn_handle_revoke */
#define CAIRN_RIGHTS_ALL 0x7ffu
#define CAIRN_RIGHTS_SAME 0x80000000u /* in requests: the rights of the source */

/* Flags of new handles. */
#define CAIRN_HANDLE_KEEP_ON_EXEC 0x1u /* not closed by execve(2) */
#define CAIRN_HANDLE_KEEP_ON_FORK 0x2u /* children of fork(2) get it too */

#define CAIRN_HANDLE_REVOKED 0x1u /* cairn_handle_info.state */
#define CAIRN_HANDLE_DERIVED 0x2u

struct cairn_handle_info {
	char type[16]; /* name of the object's type, terminated */
	__u32 rights;
	__u32 flags;   /* CAIRN_HANDLE_KEEP_* */
	__u32 state;   /* CAIRN_HANDLE_REVOKED, CAIRN_HANDLE_DERIVED */
	__u32 handles; /* that name the object, in all processes and messages */
	__u64 badge;
};

#ifndef __KERNEL__
#include <stddef.h>

/*
 * Tells what a handle is, also of a revoked one. Needs no right. At most `size` bytes are written: newer kernels may know
 * more fields, and an older program does not see them.
 * 0. EFAULT; EINVAL: size is below 40.
 */
int cairn_handle_inspect(int handle, struct cairn_handle_info *info, size_t size);

/*
 * A second handle to the same object with these rights or CAIRN_RIGHTS_SAME; it shares badge and derivation with the first.
 * Needs DUPLICATE. flags: CAIRN_HANDLE_KEEP_*.
 * The handle. EACCES: also if a right is asked for that the first lacks; EMFILE.
 */
int cairn_handle_duplicate(int handle, unsigned rights, unsigned flags);

/*
 * A child: as a duplicate, but revocable through `handle` and its duplicates. Needs DERIVE. A badge other than 0 is
 * delivered with each message sent through the child and all that is made from it; once given it does not change.
 * The handle. EACCES: also if a right is asked for that the source lacks, or a badge and the source has another one; EMFILE.
 */
int cairn_handle_derive(int handle, unsigned rights, __u64 badge, unsigned flags);

/*
 * Revokes all that was ever derived from the handle and its duplicates, directly or not, wherever it is: in any process,
 * silo or queued message. Needs REVOKE. When it returns nothing done through them is still in progress, and what was mapped
 * through them is unmapped. The handle itself stays. May wait for calls in progress.
 * The number of derivations revoked. EINTR: all are revoked, but a call in progress has not ended.
 */
long cairn_handle_revoke(int handle);
#endif
