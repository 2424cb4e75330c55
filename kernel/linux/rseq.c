/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rseq(2), membarrier(2). */
#include <lib/errno.h>
#include <proc/rseq.h>

#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <syscall_prototypes.h>

long sys_rseq(struct rseq __user *area, u32 size, u32 flags, u32 signature)
{
	if (flags & RSEQ_FLAG_UNREGISTER)
		return flags == RSEQ_FLAG_UNREGISTER ? rseq_unregister(area, size, signature)
						     : -EINVAL;
	return flags ? -EINVAL : rseq_register(area, size, signature);
}

long sys_membarrier(int command, unsigned flags, int cpu)
{
	if (flags &&
	    (command != MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ || flags != MEMBARRIER_CMD_FLAG_CPU))
		return -EINVAL;
	return membarrier(command, flags ? cpu & INT32_MAX : -1);
}
