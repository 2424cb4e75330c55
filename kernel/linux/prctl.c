/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prctl(2). */
#include <lib/errno.h>
#include <lib/string.h>
#include <linux/seccomp_call.h>
#include <mm/aspace.h>
#include <mm/ucopy.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#include <linux/prctl.h>
#include <linux/securebits.h>

/* Edits the credentials of the current task. */
static long install(struct credentials *new)
{
	task_set_credentials(new);
	return 0;
}

static long drop_bounding(unsigned long capability)
{
	struct credentials *new;

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (capability > CAP_LAST_CAP)
		return -EINVAL;
	if (credentials_copy(current_credentials(), &new))
		return -ENOMEM;
	new->capabilities_bounding &= ~BIT(capability);
	return install(new);
}

/* The bits may be set without locks being overturned, by who has CAP_SETPCAP. */
static long set_securebits(unsigned long bits)
{
	const struct credentials *old = current_credentials();
	struct credentials *new;
	u32 locked = old->securebits & SECURE_ALL_LOCKS;

	if ((((u32)bits ^ old->securebits) & locked >> 1) || (locked & ~bits) ||
	    bits & ~(unsigned long)(SECURE_ALL_LOCKS | SECURE_ALL_BITS) || !capable(CAP_SETPCAP))
		return -EPERM;
	if (credentials_copy(old, &new))
		return -ENOMEM;
	new->securebits = (u32)bits;
	return install(new);
}

static long set_keep_capabilities(unsigned long value)
{
	const struct credentials *old = current_credentials();
	struct credentials *new;

	if (value > 1)
		return -EINVAL;
	if (old->securebits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	if (credentials_copy(old, &new))
		return -ENOMEM;
	new->securebits &= ~(u32)SECBIT_KEEP_CAPS;
	if (value)
		new->securebits |= SECBIT_KEEP_CAPS;
	return install(new);
}

static long raise_ambient(struct credentials *new, u64 bit)
{
	if (!(new->capabilities_permitted & new->capabilities_inheritable & bit) ||
	    (new->securebits & SECBIT_NO_CAP_AMBIENT_RAISE)) {
		credentials_put(new);
		return -EPERM;
	}
	new->capabilities_ambient |= bit;
	return install(new);
}

static long ambient(unsigned long operation, unsigned long capability)
{
	const struct credentials *old = current_credentials();
	struct credentials *new;
	bool clear = operation == PR_CAP_AMBIENT_CLEAR_ALL;

	if (clear ? capability != 0 : capability > CAP_LAST_CAP)
		return -EINVAL;
	if (operation == PR_CAP_AMBIENT_IS_SET)
		return old->capabilities_ambient >> capability & 1;
	if (!clear && operation != PR_CAP_AMBIENT_RAISE && operation != PR_CAP_AMBIENT_LOWER)
		return -EINVAL;
	if (credentials_copy(old, &new))
		return -ENOMEM;
	if (operation == PR_CAP_AMBIENT_RAISE)
		return raise_ambient(new, BIT(capability));
	new->capabilities_ambient &= clear ? 0 : ~BIT(capability);
	return install(new);
}

static long capability_option(int option, unsigned long a2, unsigned long a3, bool rest_zero)
{
	const struct credentials *c = current_credentials();

	switch (option) {
	case PR_CAPBSET_READ:
		return a2 > CAP_LAST_CAP ? -EINVAL : (long)(c->capabilities_bounding >> a2 & 1);
	case PR_CAPBSET_DROP:
		return drop_bounding(a2);
	case PR_GET_SECUREBITS:
		return c->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits(a2);
	case PR_GET_KEEPCAPS:
		return !!(c->securebits & SECBIT_KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		return set_keep_capabilities(a2);
	case PR_SET_NO_NEW_PRIVS:
		if (a2 != 1 || a3 || !rest_zero)
			return -EINVAL;
		current_task()->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a2 || a3 || !rest_zero ? -EINVAL : current_task()->no_new_privs;
	case PR_CAP_AMBIENT:
		return rest_zero ? ambient(a2, a3) : -EINVAL;
	default:
		return -EINVAL;
	}
}

static long set_name(unsigned long address)
{
	char name[THREAD_NAME_MAX] = {};
	ssize_t length = copy_string_from_user(name, __force_user(const char __user *, address),
					       sizeof(name));

	if (length < 0 && length != -ENAMETOOLONG)
		return length;
	name[sizeof(name) - 1] = 0;
	thread_set_name(&current_task()->thread, name);
	return 0;
}

static long get_name(unsigned long address)
{
	char name[THREAD_NAME_MAX] = {};

	string_copy(name, current_task()->thread.name, sizeof(name));
	return copy_to_user(__force_user(void __user *, address), name, sizeof(name));
}

static long task_option(int option, unsigned long a2)
{
	struct task *task = current_task();

	switch (option) {
	case PR_SET_NAME:
		return set_name(a2);
	case PR_GET_NAME:
		return get_name(a2);
	case PR_SET_PDEATHSIG:
		if (a2 > SIGNAL_COUNT)
			return -EINVAL;
		task->parent_death_signal = (int)a2;
		return 0;
	case PR_GET_PDEATHSIG:
		return put_user(task->parent_death_signal, __force_user(int __user *, a2));
	case PR_SET_TIMERSLACK:
		task->timer_slack_ns = (long)a2 > 0 ? a2 : 50000;
		return 0;
	case PR_GET_TIMERSLACK:
		return (long)task->timer_slack_ns;
	default:
		return -EINVAL;
	}
}

static long process_option(int option, unsigned long a2, bool rest_zero)
{
	struct process *process = current_process();

	switch (option) {
	case PR_SET_DUMPABLE:
		if (a2 > 1)
			return -EINVAL;
		process->aspace->dumpable = (u32)a2;
		return 0;
	case PR_GET_DUMPABLE:
		return process->aspace->dumpable;
	case PR_SET_CHILD_SUBREAPER:
		process->child_subreaper = a2;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_user((int)process->child_subreaper, __force_user(int __user *, a2));
	case PR_GET_THP_DISABLE:
		/* There are no transparent huge pages to disable. */
		return a2 || !rest_zero ? -EINVAL : 1;
	case PR_SET_THP_DISABLE:
		return rest_zero ? 0 : -EINVAL;
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING:
		return a2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_GET_SECCOMP:
		return current_task()->seccomp_mode;
	case PR_GET_TID_ADDRESS:
		return put_user((u64)(uintptr_t)current_task()->clear_child_tid,
				__force_user(u64 __user *, a2));
	case PR_MCE_KILL_GET:
		return PR_MCE_KILL_DEFAULT;
	default:
		return -EINVAL;
	}
}

long sys_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	switch (option) {
	case PR_SET_SECCOMP:
		return seccomp_prctl_set(a2, a3);
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
	case PR_GET_SECUREBITS:
	case PR_SET_SECUREBITS:
	case PR_GET_KEEPCAPS:
	case PR_SET_KEEPCAPS:
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
	case PR_CAP_AMBIENT:
		return capability_option(option, a2, a3, !a4 && !a5);
	case PR_SET_NAME:
	case PR_GET_NAME:
	case PR_SET_PDEATHSIG:
	case PR_GET_PDEATHSIG:
	case PR_SET_TIMERSLACK:
	case PR_GET_TIMERSLACK:
		return task_option(option, a2);
	default:
		return process_option(option, a2, !a3 && !a4 && !a5);
	}
}
