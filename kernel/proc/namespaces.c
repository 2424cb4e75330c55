/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of name spaces: making, sharing, replacing. The kinds themselves are elsewhere (uts.c, pid_namespace.c, ipc, vfs). */
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/namespaces.h>
#include <proc/task.h>

#include <linux/sched.h>

#define ALL_FLAGS                                                                                  \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP | CLONE_NEWTIME)
#define FIRST_INODE 0xf0000000u /* as Linux's, where programs see them: pid:[4026531836] */

struct namespaces initial_namespaces = { .refs = 1 };
static const struct namespace_type *types[NAMESPACE_KINDS];

void namespace_init(struct namespace *ns, const struct namespace_type *type)
{
	static u32 next_inode = FIRST_INODE;

	object_init(&ns->object, &type->object);
	ns->type = type;
	ns->inode = __atomic_fetch_add(&next_inode, 1, __ATOMIC_RELAXED);
}

void namespace_register(enum namespace_kind kind, const struct namespace_type *type,
			struct namespace *initial)
{
	types[kind] = type;
	namespace_init(initial, type);
	initial_namespaces.of[kind] = initial;
}

const struct namespace_type *namespace_type(enum namespace_kind kind)
{
	return types[kind];
}

u64 namespace_flags(void)
{
	return ALL_FLAGS;
}

static struct namespaces *set_create(const struct namespaces *from)
{
	struct namespaces *set = kmalloc(sizeof(*set), 0);

	if (!set)
		return nullptr;
	*set = *from;
	set->refs = 1;
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		if (set->of[i])
			namespace_get(set->of[i]);
	return set;
}

static int copy_members(struct namespaces *set, u64 flags, struct fs_context *fs)
{
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++) {
		struct namespace *copy;
		int err;

		if (!types[i] || !(flags & types[i]->clone_flag))
			continue;
		err = types[i]->copy(set->of[i], fs, &copy);
		if (err)
			return err;
		namespace_put(set->of[i]);
		set->of[i] = copy;
	}
	return 0;
}

int namespaces_create(struct namespaces *from, u64 flags, struct fs_context *fs,
		      struct namespaces **out)
{
	struct namespaces *set = set_create(from);
	int err;

	if (!set)
		return -ENOMEM;
	err = copy_members(set, flags, fs);
	if (err)
		namespaces_put(set);
	else
		*out = set;
	return err;
}

int namespaces_copy(struct namespaces *from, u64 flags, struct fs_context *fs,
		    struct namespaces **out)
{
	u64 known = 0;

	flags &= ALL_FLAGS;
	if (!flags) {
		namespaces_get(from);
		*out = from;
		return 0;
	}
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		known |= types[i] ? types[i]->clone_flag : 0;
	if (flags & CLONE_NEWUSER & ~known)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~known)
		return -EINVAL;
	return namespaces_create(from, flags, fs, out);
}

int namespaces_replace(struct namespaces *from, enum namespace_kind kind, struct namespace *ns,
		       struct namespaces **out)
{
	struct namespaces *set = set_create(from);

	if (!set)
		return -ENOMEM;
	namespace_get(ns);
	namespace_put(set->of[kind]);
	set->of[kind] = ns;
	*out = set;
	return 0;
}

void namespaces_get(struct namespaces *set)
{
	__atomic_fetch_add(&set->refs, 1, __ATOMIC_RELAXED);
}

void namespaces_put(struct namespaces *set)
{
	if (__atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		if (set->of[i])
			namespace_put(set->of[i]);
	kfree(set);
}

struct namespaces *current_namespaces(void)
{
	struct task *task = current_task();

	return likely(task && task->namespaces) ? task->namespaces : &initial_namespaces;
}

struct namespaces *task_namespaces_get(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	struct namespaces *set = task->namespaces;

	if (set)
		namespaces_get(set);
	spin_unlock_irqrestore(&task->process->lock, flags);
	return set;
}

void task_set_namespaces(struct namespaces *set)
{
	struct task *task = current_task();
	struct namespaces *old = task->namespaces;
	irqflags_t flags;

	for (unsigned i = 0; old && set && i < NAMESPACE_KINDS; i++)
		if (old->of[i] != set->of[i] && types[i]->leave)
			types[i]->leave(old->of[i]);
	flags = spin_lock_irqsave(&task->process->lock);
	task->namespaces = set;
	spin_unlock_irqrestore(&task->process->lock, flags);
	if (old)
		namespaces_put(old);
}

int namespaces_enter(struct namespace *const wanted[NAMESPACE_KINDS])
{
	struct namespaces *set;
	int err = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	set = set_create(current_namespaces());
	if (!set)
		return -ENOMEM;
	for (unsigned i = 0; i < NAMESPACE_KINDS && !err; i++) {
		if (!wanted[i])
			continue;
		/* Mounts come last: only their enter changes the task. */
		if (types[i]->enter)
			err = types[i]->enter(wanted[i]);
		namespace_get(wanted[i]);
		namespace_put(set->of[i]);
		set->of[i] = wanted[i];
	}
	if (err)
		namespaces_put(set);
	else
		task_set_namespaces(set);
	return err;
}
