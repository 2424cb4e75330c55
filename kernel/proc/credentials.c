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
	struct user_account *account;

	if (user_account_get(uid, &account))
		return;
	__atomic_fetch_add(&account->tasks, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&task->account->tasks, 1, __ATOMIC_RELAXED);
	user_account_put(task->account);
	task->account = account;
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

static void apply_capabilities(struct credentials *c, bool privileged_file)
{
	bool root = !(c->securebits & SECBIT_NOROOT);

	if (privileged_file)
		c->capabilities_ambient = 0;
	if (root && (c->euid == 0 || c->uid == 0))
		c->capabilities_permitted = c->capabilities_inheritable | c->capabilities_bounding;
	else
		c->capabilities_permitted = 0;
	c->capabilities_permitted |= c->capabilities_ambient;
	c->capabilities_effective =
		root && c->euid == 0 ? c->capabilities_permitted : c->capabilities_ambient;
}

int credentials_for_exec(const struct file *file, bool nosuid, struct credentials **out,
			 bool *secure)
{
	const struct credentials *old = current_credentials();
	struct credentials *c;
	bool privileged_file = false;
	int err = credentials_copy(old, &c);

	if (err)
		return err;
	if (!nosuid && !current_task()->no_new_privs)
		privileged_file = apply_mode(c, file->inode);
	apply_capabilities(c, privileged_file);
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->securebits &= ~(u32)SECBIT_KEEP_CAPS;
	*secure = c->uid != c->euid || c->gid != c->egid ||
		  (c->uid && (c->capabilities_permitted & ~c->capabilities_ambient));
	*out = c;
	return 0;
}
