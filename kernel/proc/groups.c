/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process groups and sessions: membership, orphans, signals to a whole group. process_table_lock guards all of it.
 * Members hold a reference to their group, a group to its session; the last one frees the number.
 */
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>

int session_create(int id, struct session **out)
{
	struct session *session = kzalloc(sizeof(*session), 0);

	if (!session)
		return -ENOMEM;
	session->refs = 1;
	session->id = id;
	*out = session;
	return 0;
}

int process_group_create(int id, struct session *session, struct process_group **out)
{
	struct process_group *group = kzalloc(sizeof(*group), 0);

	if (!group)
		return -ENOMEM;
	group->refs = 1;
	group->id = id;
	group->session = session;
	session_get(session);
	list_init(&group->members);
	*out = group;
	return 0;
}

void session_get(struct session *s)
{
	__atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
}

/* Groups and sessions leave the table when their last member does, not here: a reference alone does not keep a number. */
void session_put(struct session *s)
{
	if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kfree(s);
}

void process_group_get(struct process_group *g)
{
	__atomic_fetch_add(&g->refs, 1, __ATOMIC_RELAXED);
}

static void free_group(struct rcu_head *head)
{
	struct process_group *group = container_of(head, struct process_group, rcu);

	session_put(group->session);
	kfree(group);
}

/* Readers without the lock may still look at the group, and at its session through it. */
void process_group_put(struct process_group *g)
{
	if (__atomic_sub_fetch(&g->refs, 1, __ATOMIC_ACQ_REL) == 0)
		rcu_call(&g->rcu, free_group);
}

int process_group_id(const struct process *process)
{
	const struct process_group *group;
	int id;

	rcu_read_lock();
	group = rcu_dereference(process->group);
	id = group ? group->id : 0;
	rcu_read_unlock();
	return id;
}

struct session *process_session(const struct process *process)
{
	const struct process_group *group;
	struct session *session;

	rcu_read_lock();
	group = rcu_dereference(process->group);
	session = group ? group->session : nullptr;
	rcu_read_unlock();
	return session;
}

int process_group_find(int pgid, struct process_group **out)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct pid_entry *entry = pid_lookup(PID_GROUP, pid_from_user(pgid));

	*out = nullptr;
	if (entry) {
		*out = container_of(entry, struct process_group, pid_entry);
		process_group_get(*out);
	}
	spin_unlock_irqrestore(&process_table_lock, flags);
	return entry ? 0 : -ESRCH;
}

void process_group_enter_locked(struct process *process, struct process_group *group)
{
	if (list_empty(&group->members)) {
		pid_add(&group->pid_entry, PID_GROUP, group->id);
		if (!group->session->members++)
			pid_add(&group->session->pid_entry, PID_SESSION, group->session->id);
	}
	process_group_get(group);
	rcu_assign(process->group, group);
	list_add_tail(&group->members, &process->group_node);
}

/* The process keeps its reference, so that a zombie that was reaped still knows where it was. */
void process_group_leave_locked(struct process *process)
{
	struct process_group *group = process->group;

	list_remove(&process->group_node);
	if (!list_empty(&group->members))
		return;
	pid_remove(&group->pid_entry);
	if (!--group->session->members)
		pid_remove(&group->session->pid_entry);
}

/* `without` is about to leave and does not count. */
bool process_group_is_orphaned_locked(struct process_group *group, const struct process *without)
{
	const struct process *member;

	list_for_each (member, &group->members, group_node) {
		const struct process *parent = member->parent;

		if (member == without || !parent || parent == member->pid_namespace->init ||
		    parent->pid == 1)
			continue;
		if (READ_ONCE(member->state) >= PROCESS_ZOMBIE)
			continue;
		if (parent->group != group && parent->group->session == group->session)
			return false;
	}
	return true;
}

bool process_group_is_orphaned(struct process_group *group)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	bool orphaned = process_group_is_orphaned_locked(group, nullptr);

	spin_unlock_irqrestore(&process_table_lock, flags);
	return orphaned;
}

bool process_group_has_stopped_locked(struct process_group *group)
{
	const struct process *member;

	list_for_each (member, &group->members, group_node)
		if (READ_ONCE(member->stop_signal))
			return true;
	return false;
}

int signal_send_group_locked(struct process_group *group, const siginfo_t *info)
{
	struct process *member;

	if (list_empty(&group->members))
		return -ESRCH;
	list_for_each (member, &group->members, group_node) {
		int err = signal_send_process(member, info);

		(void)err; /* a full queue of one member does not keep the others from hearing */
	}
	return 0;
}

int signal_send_group(struct process_group *group, const siginfo_t *info)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	int err = signal_send_group_locked(group, info);

	spin_unlock_irqrestore(&process_table_lock, flags);
	return err;
}
