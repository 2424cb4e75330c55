/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials of tasks: installing new ones, and what exec makes of the old ones (capabilities(7)). */
#include <lib/errno.h>
#include <mm/aspace.h>
#include <obj/file.h>
#include <obj/inode.h>
#include <proc/proc_priv.h>

#include <linux/securebits.h>

/* The user of the task changed: so does the account its tasks count in. Without memory it keeps the old one. */
static void change_account(struct task *task, u32 uid)
{
	struct user_account *account, *old;

	if (user_account_get(uid, &account))
		return;
	/* Who sends a signal counts it in the account, which the lock keeps there. */
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);

	old = task->account;
	task->account = account;
	spin_unlock_irqrestore(&task->process->lock, flags);
	__atomic_fetch_add(&account->tasks, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&old->tasks, 1, __ATOMIC_RELAXED);
	user_account_put(old);
}

void task_set_credentials(struct credentials *new_credentials)
{
	struct task *task = current_task();
	const struct credentials *old = task->credentials;

	if (old->euid != new_credentials->euid || old->egid != new_credentials->egid ||
	    old->fsuid != new_credentials->fsuid || old->fsgid != new_credentials->fsgid ||
	    (new_credentials->capabilities_permitted & ~old->capabilities_permitted)) {
		if (task->process->aspace)
			task->process->aspace->dumpable = 0;
		task->parent_death_signal = 0;
	}
	if (old->uid != new_credentials->uid)
		change_account(task, new_credentials->uid);
	rcu_assign(task->credentials, new_credentials);
	credentials_put(old);
}

/* Set-user-ID and set-group-ID bits. True if they changed anything. */
static bool apply_mode(struct credentials *c, const struct inode *inode)
{
	u32 uid = c->euid, gid = c->egid;

	if (inode->mode & S_ISUID)
		c->euid = inode->uid;
	if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->egid = inode->gid;
	return c->euid != uid || c->egid != gid;
}

/* What the attribute security.capability of a program says. */
struct file_capabilities {
	u64 permitted, inheritable;
	bool effective, present;
};

/* An attribute that is not understood counts for nothing; one of a user name space with a root of its own too. */
static void read_file_capabilities(struct file *file, struct file_capabilities *out)
{
	struct vfs_ns_cap_data data = {};
	ssize_t size = proc_hooks.file_attribute(file, "security.capability", &data, sizeof(data));
	u32 revision = data.magic_etc & VFS_CAP_REVISION_MASK;
	const u64 known = BIT(CAP_LAST_CAP + 1) - 1;

	*out = (struct file_capabilities){};
	if (!(size == XATTR_CAPS_SZ_2 && revision == VFS_CAP_REVISION_2) &&
	    !(size == XATTR_CAPS_SZ_3 && revision == VFS_CAP_REVISION_3 && !data.rootid))
		return;
	out->present = true;
	out->effective = data.magic_etc & VFS_CAP_FLAGS_EFFECTIVE;
	out->permitted = (data.data[0].permitted | (u64)data.data[1].permitted << 32) & known;
	out->inheritable = (data.data[0].inheritable | (u64)data.data[1].inheritable << 32) & known;
}

/* capabilities(7), "Transformation of capabilities during execve()". -EPERM: the program would not get what it counts on. */
static int apply_capabilities(struct credentials *c, bool privileged,
			      const struct file_capabilities *file)
{
	bool root = !(c->securebits & SECBIT_NOROOT);
	u64 permitted = (c->capabilities_inheritable & file->inheritable) |
			(c->capabilities_bounding & file->permitted);
	bool effective = file->effective;

	if (file->effective && (file->permitted & ~permitted))
		return -EPERM;
	/* Set-user-ID root with capabilities of its own has only those. */
	if (root && !(file->present && c->uid && !c->euid)) {
		if (!c->euid || !c->uid)
			permitted = c->capabilities_inheritable | c->capabilities_bounding;
		if (!c->euid)
			effective = true;
	}
	if (privileged || file->present)
		c->capabilities_ambient = 0;
	c->capabilities_permitted = permitted | c->capabilities_ambient;
	c->capabilities_effective = effective ? c->capabilities_permitted : c->capabilities_ambient;
	return 0;
}

bool trace_is_unprivileged(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	const struct task *tracer = task->trace.tracer;
	bool unprivileged =
		tracer && !(tracer->credentials->capabilities_effective >> CAP_SYS_PTRACE & 1);

	spin_unlock_irqrestore(&process_table_lock, flags);
	return unprivileged;
}

int credentials_for_exec(struct file *file, bool nosuid, struct credentials **out, bool *secure)
{
	const struct credentials *old = current_credentials();
	struct credentials *c;
	struct file_capabilities capabilities = {};
	bool privileged_file = false;
	int err = credentials_copy(old, &c);

	if (err)
		return err;
	/* Who traces the program can make it do anything. */
	if (!nosuid && !current_task()->no_new_privs && !trace_is_unprivileged(current_task())) {
		privileged_file = apply_mode(c, file->inode);
		read_file_capabilities(file, &capabilities);
	}
	err = apply_capabilities(c, privileged_file, &capabilities);
	if (err) {
		credentials_put(c);
		return err;
	}
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->securebits &= ~(u32)SECBIT_KEEP_CAPS;
	*secure = c->uid != c->euid || c->gid != c->egid ||
		  (c->uid && (c->capabilities_permitted & ~c->capabilities_ambient));
	*out = c;
	return 0;
}
