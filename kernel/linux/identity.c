/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls: user and group ids (credentials(7)), supplementary groups, capabilities (capabilities(7)). Each change
 * edits a copy of the credentials and installs it.
 */
#include <lib/errno.h>
#include <mm/ucopy.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/securebits.h>

#define KEEP ((u32) - 1) /* "leave it as it is" */

long sys_getuid(void)
{
	return current_credentials()->uid;
}
long sys_geteuid(void)
{
	return current_credentials()->euid;
}
long sys_getgid(void)
{
	return current_credentials()->gid;
}
long sys_getegid(void)
{
	return current_credentials()->egid;
}

static long put_three(u32 a, u32 b, u32 c, u32 __user *to_a, u32 __user *to_b, u32 __user *to_c)
{
	return put_user(a, to_a) || put_user(b, to_b) || put_user(c, to_c) ? -EFAULT : 0;
}

long sys_getresuid(u32 __user *real, u32 __user *effective, u32 __user *saved)
{
	const struct credentials *c = current_credentials();

	return put_three(c->uid, c->euid, c->suid, real, effective, saved);
}

long sys_getresgid(u32 __user *real, u32 __user *effective, u32 __user *saved)
{
	const struct credentials *c = current_credentials();

	return put_three(c->gid, c->egid, c->sgid, real, effective, saved);
}

/* What a change of user ids does to capabilities (capabilities(7), "Effect of user ID changes on capabilities"). */
static void adjust_capabilities(struct credentials *new, const struct credentials *old)
{
	bool was_root = !old->uid || !old->euid || !old->suid;
	bool is_root = !new->uid || !new->euid || !new->suid;

	if (new->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was_root && !is_root && !(new->securebits & SECBIT_KEEP_CAPS)) {
		new->capabilities_permitted = 0;
		new->capabilities_effective = 0;
	}
	if (was_root && !is_root)
		new->capabilities_ambient = 0;
	if (!old->euid && new->euid)
		new->capabilities_effective = 0;
	if (old->euid && !new->euid)
		new->capabilities_effective = new->capabilities_permitted;
}

/* The same for the file system user id alone: only the capabilities over files. */
static void adjust_file_capabilities(struct credentials *new, const struct credentials *old)
{
	static const u64 over_files = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) |
				      BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |
				      BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MKNOD) |
				      BIT(CAP_MAC_OVERRIDE);

	if (new->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (!old->fsuid && new->fsuid)
		new->capabilities_effective &= ~over_files;
	if (old->fsuid && !new->fsuid)
		new->capabilities_effective |= new->capabilities_permitted & over_files;
}

/* Installs `new` (consumed) after a change of user ids. */
static long install_user(struct credentials *new)
{
	new->fsuid = new->euid;
	adjust_capabilities(new, current_credentials());
	task_set_credentials(new);
	return 0;
}

static long install_group(struct credentials *new)
{
	new->fsgid = new->egid;
	task_set_credentials(new);
	return 0;
}

static long refuse(struct credentials *new)
{
	credentials_put(new);
	return -EPERM;
}

long sys_setuid(u32 uid)
{
	const struct credentials *old = current_credentials();
	struct credentials *new;

	if (uid == KEEP)
		return -EINVAL;
	if (credentials_copy(old, &new))
		return -ENOMEM;
	if (capable(CAP_SETUID))
		new->uid = new->suid = uid;
	else if (uid != old->uid && uid != old->suid)
		return refuse(new);
	new->euid = uid;
	return install_user(new);
}

long sys_setgid(u32 gid)
{
	const struct credentials *old = current_credentials();
	struct credentials *new;

	if (gid == KEEP)
		return -EINVAL;
	if (credentials_copy(old, &new))
		return -ENOMEM;
	if (capable(CAP_SETGID))
		new->gid = new->sgid = gid;
	else if (gid != old->gid && gid != old->sgid)
		return refuse(new);
	new->egid = gid;
	return install_group(new);
}

long sys_setreuid(u32 real, u32 effective)
{
	const struct credentials *old = current_credentials();
	bool privileged = capable(CAP_SETUID);
	struct credentials *new;

	if (credentials_copy(old, &new))
		return -ENOMEM;
	if (real != KEEP) {
		if (!privileged && real != old->uid && real != old->euid)
			return refuse(new);
		new->uid = real;
	}
	if (effective != KEEP) {
		if (!privileged && effective != old->uid && effective != old->euid &&
		    effective != old->suid)
			return refuse(new);
		new->euid = effective;
	}
	if (real != KEEP || (effective != KEEP && effective != old->uid))
		new->suid = new->euid;
	return install_user(new);
}

long sys_setregid(u32 real, u32 effective)
{
	const struct credentials *old = current_credentials();
	bool privileged = capable(CAP_SETGID);
	struct credentials *new;

	if (credentials_copy(old, &new))
		return -ENOMEM;
	if (real != KEEP) {
		if (!privileged && real != old->gid && real != old->egid)
			return refuse(new);
		new->gid = real;
	}
	if (effective != KEEP) {
		if (!privileged && effective != old->gid && effective != old->egid &&
		    effective != old->sgid)
			return refuse(new);
		new->egid = effective;
	}
	if (real != KEEP || (effective != KEEP && effective != old->gid))
		new->sgid = new->egid;
	return install_group(new);
}

static bool may_become(u32 id, u32 a, u32 b, u32 c)
{
	return id == KEEP || id == a || id == b || id == c;
}

long sys_setresuid(u32 real, u32 effective, u32 saved)
{
	const struct credentials *old = current_credentials();
	struct credentials *new;

	if (!capable(CAP_SETUID) && (!may_become(real, old->uid, old->euid, old->suid) ||
				     !may_become(effective, old->uid, old->euid, old->suid) ||
				     !may_become(saved, old->uid, old->euid, old->suid)))
		return -EPERM;
	if (credentials_copy(old, &new))
		return -ENOMEM;
	if (real != KEEP)
		new->uid = real;
	if (effective != KEEP)
		new->euid = effective;
	if (saved != KEEP)
		new->suid = saved;
	return install_user(new);
}

long sys_setresgid(u32 real, u32 effective, u32 saved)
{
	const struct credentials *old = current_credentials();
	struct credentials *new;

	if (!capable(CAP_SETGID) && (!may_become(real, old->gid, old->egid, old->sgid) ||
				     !may_become(effective, old->gid, old->egid, old->sgid) ||
				     !may_become(saved, old->gid, old->egid, old->sgid)))
		return -EPERM;
	if (credentials_copy(old, &new))
		return -ENOMEM;
	if (real != KEEP)
		new->gid = real;
	if (effective != KEEP)
		new->egid = effective;
	if (saved != KEEP)
		new->sgid = saved;
	return install_group(new);
}

/* setfsuid(2) and setfsgid(2) return the former id, whether they worked or not. */
long sys_setfsuid(u32 uid)
{
	const struct credentials *old = current_credentials();
	u32 former = old->fsuid;
	struct credentials *new;

	if (uid == KEEP || uid == former)
		return former;
	if (!capable(CAP_SETUID) && !may_become(uid, old->uid, old->euid, old->suid))
		return former;
	if (credentials_copy(old, &new))
		return former;
	new->fsuid = uid;
	adjust_file_capabilities(new, old);
	task_set_credentials(new);
	return former;
}

long sys_setfsgid(u32 gid)
{
	const struct credentials *old = current_credentials();
	u32 former = old->fsgid;
	struct credentials *new;

	if (gid == KEEP || gid == former)
		return former;
	if (!capable(CAP_SETGID) && !may_become(gid, old->gid, old->egid, old->sgid))
		return former;
	if (credentials_copy(old, &new))
		return former;
	new->fsgid = gid;
	task_set_credentials(new);
	return former;
}

long sys_getgroups(int count, u32 __user *groups)
{
	const struct group_list *list = current_credentials()->groups;
	unsigned have = list ? list->count : 0;

	if (count < 0)
		return -EINVAL;
	if (!count)
		return have;
	if ((unsigned)count < have)
		return -EINVAL;
	if (have && copy_to_user(groups, list->groups, have * sizeof(u32)))
		return -EFAULT;
	return have;
}

long sys_setgroups(int count, const u32 __user *groups)
{
	struct group_list *list = nullptr;
	struct credentials *new;
	int err;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (count < 0 || count > NGROUPS_MAX)
		return -EINVAL;
	if (count) {
		err = group_list_create((unsigned)count, &list);
		if (err)
			return err;
		if (copy_from_user(list->groups, groups, (size_t)count * sizeof(u32))) {
			group_list_put(list);
			return -EFAULT;
		}
		group_list_sort(list);
	}
	err = credentials_copy(current_credentials(), &new);
	if (err) {
		group_list_put(list);
		return err;
	}
	group_list_put(new->groups);
	new->groups = list;
	task_set_credentials(new);
	return 0;
}

/* The number of 32-bit halves in this version of the interface; an unknown one is told the newest. */
static int capability_halves(struct __user_cap_header_struct __user *header, int *pid,
			     unsigned *halves)
{
	struct __user_cap_header_struct h;

	if (copy_from_user(&h, header, sizeof(h)))
		return -EFAULT;
	*pid = h.pid;
	*halves = 2;
	switch (h.version) {
	case _LINUX_CAPABILITY_VERSION_1:
		*halves = 1;
		return 0;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		return 0;
	default:
		h.version = _LINUX_CAPABILITY_VERSION_3;
		return copy_to_user(header, &h, sizeof(h)) ? -EFAULT : -EINVAL;
	}
}

long sys_capget(struct __user_cap_header_struct __user *header,
		struct __user_cap_data_struct __user *data)
{
	struct __user_cap_data_struct out[2];
	const struct credentials *c;
	unsigned halves;
	struct task *task;
	int pid, err = capability_halves(header, &pid, &halves);

	/* With a null pointer a program asks for the version. */
	if (err)
		return err == -EINVAL && !data ? 0 : err;
	if (pid < 0)
		return -EINVAL;
	err = task_find(pid ? pid : pid_to_user(current_task()->tid), &task);
	if (err)
		return err;
	c = task_credentials_get(task);
	task_put(task);
	for (unsigned i = 0; i < 2; i++)
		out[i] = (struct __user_cap_data_struct){
			.effective = (u32)(c->capabilities_effective >> 32 * i),
			.permitted = (u32)(c->capabilities_permitted >> 32 * i),
			.inheritable = (u32)(c->capabilities_inheritable >> 32 * i),
		};
	credentials_put(c);
	return data ? copy_to_user(data, out, halves * sizeof(out[0])) : 0;
}

/* capset(2): nothing is gained but inheritable capabilities out of the permitted and bounding sets. */
static bool may_set(const struct credentials *old, u64 effective, u64 permitted, u64 inheritable)
{
	if (permitted & ~old->capabilities_permitted || effective & ~permitted)
		return false;
	if (!capable(CAP_SETPCAP) &&
	    inheritable & ~(old->capabilities_inheritable | old->capabilities_permitted))
		return false;
	return !(inheritable & ~(old->capabilities_inheritable | old->capabilities_bounding));
}

long sys_capset(struct __user_cap_header_struct __user *header,
		const struct __user_cap_data_struct __user *data)
{
	const struct credentials *old = current_credentials();
	struct __user_cap_data_struct in[2] = {};
	u64 effective, permitted, inheritable, all = BIT(CAP_LAST_CAP + 1) - 1;
	struct credentials *new;
	unsigned halves;
	int pid, err = capability_halves(header, &pid, &halves);

	if (err)
		return err;
	if (pid && pid_from_user(pid) != current_task()->tid)
		return -EPERM;
	if (copy_from_user(in, data, halves * sizeof(in[0])))
		return -EFAULT;
	effective = ((u64)in[1].effective << 32 | in[0].effective) & all;
	permitted = ((u64)in[1].permitted << 32 | in[0].permitted) & all;
	inheritable = ((u64)in[1].inheritable << 32 | in[0].inheritable) & all;
	if (!may_set(old, effective, permitted, inheritable))
		return -EPERM;
	err = credentials_copy(old, &new);
	if (err)
		return err;
	new->capabilities_effective = effective;
	new->capabilities_permitted = permitted;
	new->capabilities_inheritable = inheritable;
	new->capabilities_ambient &= permitted & inheritable;
	task_set_credentials(new);
	return 0;
}
