/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name spaces of process numbers: aliases, their tables, and the end of a name space.
 *
 * An alias is found by (name space, number in it) and by (number, name space); both tables change under process_table_lock and are
 * read under RCU. All aliases of one number are one allocation, which goes when the number is free again (pid.c).
 */
#include <core/rcu.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>

#include <linux/sched.h>

#define BUCKETS 256
#define LEVELS_MAX 32

struct alias {
	struct pid_namespace *ns; /* holds a reference */
	int inner;		  /* the number in `ns` */
	int number;
	struct alias *next;
};

struct pid_aliases {
	struct pid_aliases *next;
	struct rcu_head rcu;
	unsigned count;
	struct alias list[] __counted_by(count); /* list[i] is of level i + 1 */
};

struct pid_namespace initial_pid_namespace;

static struct alias *by_inner[BUCKETS];
static struct pid_aliases *by_number[BUCKETS];

static struct alias **inner_bucket(const struct pid_namespace *ns, int inner)
{
	return &by_inner[((uintptr_t)ns >> 7 ^ (unsigned)inner * 2654435761u >> 8) % BUCKETS];
}

static struct pid_aliases **number_bucket(int number)
{
	return &by_number[(unsigned)number % BUCKETS];
}

int pid_alias(const struct pid_namespace *ns, int number)
{
	const struct pid_aliases *aliases;
	int inner = 0;

	if (ns == &initial_pid_namespace || number <= 0)
		return number;
	rcu_read_lock();
	for (aliases = rcu_dereference(*number_bucket(number)); aliases;
	     aliases = rcu_dereference(aliases->next)) {
		if (aliases->list[0].number != number)
			continue;
		if (ns->level <= aliases->count && aliases->list[ns->level - 1].ns == ns)
			inner = aliases->list[ns->level - 1].inner;
		break;
	}
	rcu_read_unlock();
	return inner;
}

int pid_resolve(const struct pid_namespace *ns, int number)
{
	const struct alias *alias;
	int found = PID_NONE;

	if (ns == &initial_pid_namespace || number <= 0)
		return number;
	rcu_read_lock();
	for (alias = rcu_dereference(*inner_bucket(ns, number)); alias;
	     alias = rcu_dereference(alias->next)) {
		if (alias->ns != ns || alias->inner != number)
			continue;
		found = alias->number;
		break;
	}
	rcu_read_unlock();
	return found;
}

bool pid_namespace_is_below(const struct pid_namespace *inner, const struct pid_namespace *outer)
{
	while (inner && inner != outer)
		inner = inner->parent;
	return inner;
}

int pid_aliases_create(struct pid_namespace *ns, struct pid_aliases **out)
{
	struct pid_aliases *aliases = nullptr;

	if (ns->level) {
		aliases = kzalloc(sizeof(*aliases) + ns->level * sizeof(struct alias), 0);
		if (!aliases)
			return -ENOMEM;
		aliases->count = ns->level;
		for (; ns->level; ns = ns->parent) {
			namespace_get(&ns->base);
			aliases->list[ns->level - 1].ns = ns;
		}
	}
	*out = aliases;
	return 0;
}

void pid_aliases_free(struct pid_aliases *aliases)
{
	if (!aliases)
		return;
	for (unsigned i = 0; i < aliases->count; i++)
		namespace_put(&aliases->list[i].ns->base);
	kfree(aliases);
}

static void free_later(struct rcu_head *head)
{
	pid_aliases_free(container_of(head, struct pid_aliases, rcu));
}

static int take_number(struct pid_namespace *ns, int wanted)
{
	unsigned number = wanted ? (unsigned)wanted : ns->last + 1;

	if (wanted < 0 || wanted >= PID_MAX)
		return -EINVAL;
	/* The first one of a name space is process 1 (clone(2)). */
	if (wanted > 1 && !ns->init && !ns->no_init)
		return -EINVAL;
	if (wanted && (ns->used[number / 64] >> number % 64 & 1))
		return -EEXIST;
	for (unsigned tries = 0; tries < PID_MAX; tries++, number++) {
		if (number >= PID_MAX)
			number = 1;
		if (ns->used[number / 64] >> number % 64 & 1)
			continue;
		ns->used[number / 64] |= 1ull << number % 64;
		if (!wanted)
			ns->last = number;
		return (int)number;
	}
	return -EAGAIN;
}

static void drop_number(struct pid_namespace *ns, int number)
{
	ns->used[number / 64] &= ~(1ull << number % 64);
}

static void alias_insert(struct alias *alias)
{
	struct alias **bucket = inner_bucket(alias->ns, alias->inner);

	alias->next = *bucket;
	rcu_assign(*bucket, alias);
}

static void alias_remove(struct alias *alias)
{
	struct alias **at = inner_bucket(alias->ns, alias->inner);

	while (*at != alias)
		at = &(*at)->next;
	rcu_assign(*at, alias->next);
}

int pid_aliases_enter_locked(struct pid_namespace *ns, struct pid_aliases *aliases, int number,
			     const int *wanted, unsigned wanted_count)
{
	if (ns->closed)
		return -ENOMEM;
	if (!aliases)
		return 0;
	for (unsigned i = aliases->count; i-- > 0;) {
		struct alias *alias = &aliases->list[i];
		unsigned depth = aliases->count - 1 - i; /* 0: `ns` itself */
		int inner = take_number(alias->ns, depth < wanted_count ? wanted[depth] : 0);

		if (inner < 0) {
			while (++i < aliases->count)
				drop_number(aliases->list[i].ns, aliases->list[i].inner);
			return inner;
		}
		alias->inner = inner;
		alias->number = number;
	}
	for (unsigned i = 0; i < aliases->count; i++)
		alias_insert(&aliases->list[i]);
	aliases->next = *number_bucket(number);
	rcu_assign(*number_bucket(number), aliases);
	return 0;
}

void pid_aliases_remove_locked(int number)
{
	struct pid_aliases **link = number_bucket(number), *aliases;

	while (*link && (*link)->list[0].number != number)
		link = &(*link)->next;
	aliases = *link;
	if (!aliases)
		return;
	rcu_assign(*link, aliases->next);
	for (unsigned i = 0; i < aliases->count; i++) {
		alias_remove(&aliases->list[i]);
		drop_number(aliases->list[i].ns, aliases->list[i].inner);
	}
	rcu_call(&aliases->rcu, free_later);
}

/* Aliases with one more level take the place of those that the number has. */
static int move_locked(struct pid_namespace *ns, struct pid_aliases *aliases, int number)
	__must_hold(&process_table_lock)
{
	struct pid_aliases **link = number_bucket(number), *old;
	unsigned last = aliases->count - 1;
	int inner = ns->closed ? -ENOMEM : take_number(ns, 0);

	if (inner < 0)
		return inner;
	while (*link && (*link)->list[0].number != number)
		link = &(*link)->next;
	old = *link;
	for (unsigned i = 0; i <= last; i++) {
		struct alias *alias = &aliases->list[i];

		alias->inner = i < last ? old->list[i].inner : inner;
		alias->number = number;
		alias_insert(alias);
		if (i < last)
			alias_remove(&old->list[i]);
	}
	aliases->next = old ? old->next : *number_bucket(number);
	rcu_assign(*(old ? link : number_bucket(number)), aliases);
	if (old)
		rcu_call(&old->rcu, free_later);
	return 0;
}

int pid_namespace_move(struct pid_namespace *ns)
{
	struct process *process = current_process();
	struct pid_aliases *aliases;
	irqflags_t flags;
	int err;

	if (process->pid_namespace != ns->parent)
		return -EPERM;
	err = pid_aliases_create(ns, &aliases);
	if (err)
		return err;
	flags = spin_lock_irqsave(&process_table_lock);
	err = move_locked(ns, aliases, process->pid);
	if (!err) {
		ns->processes++;
		namespace_get(&ns->base);
		process->pid_namespace = ns;
	}
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (err)
		pid_aliases_free(aliases);
	else
		namespace_put(&ns->parent->base); /* `ns` holds it too */
	return err;
}

void pid_namespace_join_locked(struct process *process)
{
	struct pid_namespace *ns = process->pid_namespace;

	if (!ns->init && ns->level && !ns->no_init) {
		ns->init = process;
		process->unkillable = true;
	}
	for (; ns; ns = ns->parent)
		ns->processes++;
}

void pid_namespace_leave_locked(struct process *process)
{
	struct pid_namespace *ns = process->pid_namespace;

	for (; ns; ns = ns->parent)
		if (--ns->processes == 1 && ns->closed)
			wake_up(&ns->base.object.own_waiters, 0);
}

static bool is_in(const struct process *process, const struct pid_namespace *ns)
{
	return pid_namespace_is_below(process->pid_namespace, ns);
}

static void kill_all(struct pid_namespace *ns)
{
	struct process *process = process_next(1);

	while (process) {
		int pid = process->pid;
		irqflags_t flags = spin_lock_irqsave(&process->lock);

		if (is_in(process, ns) && process != ns->init)
			process_kill_locked(process, SIGKILL);
		spin_unlock_irqrestore(&process->lock, flags);
		process_put(process);
		process = process_next(pid + 1);
	}
}

void pid_namespace_close(struct process *init)
{
	struct pid_namespace *ns = init->pid_namespace;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);

	ns->closed = true;
	init->reaps_children = true;
	spin_unlock_irqrestore(&process_table_lock, flags);
	kill_all(ns);
	process_reap_zombies(init);
	/* Those whose parent is outside have to be waited for there. */
	wait_event(&ns->base.object.own_waiters, READ_ONCE(ns->processes) <= 1);
	flags = spin_lock_irqsave(&process_table_lock);
	ns->init = nullptr;
	spin_unlock_irqrestore(&process_table_lock, flags);
}

static void end_process(struct process *process, int signo)
{
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	process_kill_locked(process, signo);
	spin_unlock_irqrestore(&process->lock, flags);
}

int pid_namespace_reboot(int signo)
{
	struct pid_namespace *ns = current_pid_namespace();
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct process *init = ns->init;

	if (init)
		object_get(&init->object);
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (!init)
		return -EPERM;
	end_process(init, signo);
	process_put(init);
	end_process(current_process(), SIGKILL);
	return 0;
}

static void namespace_free(struct rcu_head *head)
{
	kvfree(container_of(head, struct pid_namespace, base.object.rcu));
}

static void namespace_destroy(struct object *object)
{
	struct pid_namespace *ns = container_of(object, struct pid_namespace, base.object);

	namespace_put(&ns->parent->base);
	rcu_call(&object->rcu, namespace_free);
}

static int namespace_copy(struct namespace *from, struct fs_context *fs, struct namespace **out)
{
	struct pid_namespace *parent = container_of(from, struct pid_namespace, base), *ns;

	(void)fs;
	/* One step at a time: a name space is made by somebody who is in its parent. */
	if (parent != current_pid_namespace())
		return -EINVAL;
	if (parent->level == LEVELS_MAX)
		return -ENOSPC;
	ns = kvmalloc(sizeof(*ns), ALLOC_ZERO);
	if (!ns)
		return -ENOMEM;
	namespace_init(&ns->base, from->type);
	namespace_get(from);
	ns->parent = parent;
	ns->level = parent->level + 1;
	ns->used[0] = 1;
	*out = &ns->base;
	return 0;
}

static int namespace_enter(struct namespace *base)
{
	struct pid_namespace *ns = container_of(base, struct pid_namespace, base);

	return pid_namespace_is_below(ns, current_pid_namespace()) ? 0 : -EINVAL;
}

static const struct namespace_type pid_type = {
	.name = "pid",
	.clone_flag = CLONE_NEWPID,
	.object = { .name = "pid", .destroy = namespace_destroy },
	.copy = namespace_copy,
	.enter = namespace_enter,
};

void pid_namespace_init(void)
{
	namespace_register(NAMESPACE_PID, &pid_type, &initial_pid_namespace.base);
}
