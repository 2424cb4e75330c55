/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seccomp(2), and prctl(2)'s older way to it. */
#include <lib/errno.h>
#include <linux/seccomp_call.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/seccomp.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#include <linux/seccomp.h>

static long add_filter(u32 flags, const void __user *user)
{
	struct sock_fprog header;
	struct sock_filter *program;
	long err;

	if (copy_from_user(&header, user, sizeof(header)))
		return -EFAULT;
	if (!header.len || header.len > BPF_MAXINSNS)
		return -EINVAL;
	program = kvmalloc(header.len * sizeof(*program), 0);
	if (!program)
		return -ENOMEM;
	err = copy_from_user(program, __force_user(void __user *, header.filter),
			     header.len * sizeof(*program))
		      ? -EFAULT
		      : seccomp_add_filter(program, header.len, flags);
	kvfree(program);
	return err;
}

long seccomp_prctl_set(unsigned long mode, unsigned long filter)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT:
		return seccomp_set_strict();
	case SECCOMP_MODE_FILTER:
		return add_filter(0, __force_user(const void __user *, filter));
	default:
		return -EINVAL;
	}
}

long sys_seccomp(unsigned operation, unsigned flags, void __user *args)
{
	u32 action;

	switch (operation) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || args ? -EINVAL : seccomp_set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return add_filter(flags, args);
	case SECCOMP_GET_ACTION_AVAIL:
		if (flags)
			return -EINVAL;
		if (get_user(action, (u32 __user *)args))
			return -EFAULT;
		return seccomp_action_available(action);
	default:
		return -EINVAL;
	}
}
