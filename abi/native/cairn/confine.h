/* SPDX-License-Identifier: MIT */
/*
 * Confining oneself: what a process gives up for good, and its children with it. Each call narrows what the calls before left.
 *
 * Errors of all calls: EFAULT, a bad address.
 */
#pragma once

#include <linux/types.h>

#define CAIRN_UNVEIL_MAX 64u

struct cairn_unveil {
	__u64 path; /* address of an absolute path */
	__u32 rights; /* besides reading: CAIRN_RIGHT_WRITE, CAIRN_RIGHT_EXECUTE of <cairn/handle.h> */
	__u32 zero;
};

#ifndef __KERNEL__
/*
 * The process, of one thread, sees these paths from now on, with what is below them and mounted there, and no others. A path keeps its
 * name; symbolic links are followed now. No rule (count 0): nothing. Directory handles that it has are not walked from any more, files are
 * not opened anew by /proc/self/fd, and what it executes gains no privileges (PR_SET_NO_NEW_PRIVS). Its working directory is "/" then.
 * 0; on failure nothing has changed. EBUSY: more threads; EINVAL: not absolute, unknown rights, too many; ENOENT, ENOTDIR, EACCES: no
 * such path; ENOMEM.
 */
int cairn_unveil(const struct cairn_unveil *rules, unsigned count);
#endif
