/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Silos: membership, visibility, records, the end. The theory is in silo.h. */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/budget.h>
#include <mm/cache_share.h>
#include <mm/slab.h>
#include <obj/handle.h>
#include <proc/inspect.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>
#include <proc/silo.h>

#include <cairn/silo.h>
#include <linux/eventpoll.h>
#include <linux/sched.h>

#define DEFAULT_TASKS 256u

static void silo_free(struct rcu_head *head)
{
	kvfree(container_of(head, struct silo, object.rcu));
}

static void silo_destroy(struct object *object)
{
	struct silo *silo = silo_of(object);

	/* Address spaces may outlive the silo a little; nobody is told any more. */
	silo->budget->exhausted = nullptr;
	memory_budget_put(silo->budget);
	namespaces_put(silo->names);
	namespace_put(silo->gate);
	if (silo->parent)
		object_put(&silo->parent->object);
	rcu_call(&object->rcu, silo_free);
}

/* Without a handle nobody could end it: its members end. */
static void silo_closed(struct object *object)
{
	struct silo *silo = silo_of(object);

	WRITE_ONCE(silo->killed, true);
	silo_signal(silo, SIGKILL);
}

static u32 silo_ready(struct object *object)
{
	struct silo *silo = silo_of(object);
	irqflags_t flags = spin_lock_irqsave(&silo->lock);
	u32 events = silo->count ? EPOLLIN | EPOLLRDNORM : 0;

	spin_unlock_irqrestore(&silo->lock, flags);
	if (READ_ONCE(silo->entered) && !READ_ONCE(silo->tasks))
		events |= EPOLLHUP;
	return events;
}

const struct object_type silo_type = {
	.name = "silo",
	.default_rights = RIGHTS_ALL & ~RIGHT_MAP,
	.closed = silo_closed,
	.destroy = silo_destroy,
	.ready = silo_ready,
};

static void budget_exhausted(struct memory_budget *budget)
{
	silo_record(budget->owner, CAIRN_SILO_EVENT_OUT_OF_MEMORY, budget->limit);
}

static int create_names(struct silo *silo)
{
	int error =
		namespaces_create(current_namespaces(), CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS,
				  nullptr, &silo->names);

	if (!error)
		namespaces_pid(silo->names)->no_init = true;
	return error;
}

/* Where the members of `parent` are let out to, which is where a silo among them is. */
static struct namespace *gate_within(const struct silo *parent)
{
	struct namespace *gate = current_namespaces()->of[NAMESPACE_NETWORK];

	if (parent && (parent->allow & CAIRN_SILO_ALLOW_NETWORK || parent->rule_count))
		gate = parent->gate;
	namespace_get(gate);
	return gate;
}

u64 silo_bytes(void)
{
	return kvmalloc_size(sizeof(struct silo));
}

void silo_end(struct silo *silo)
{
	(void)!silo_kill(silo);
	memory_budget_close(silo->budget);
}

int silo_create(struct memory_budget *budget, bool reserved, u64 limit, struct silo **out)
{
	struct silo *silo = kvmalloc(sizeof(*silo), ALLOC_ZERO), *parent = current_silo();
	int error;

	if (!silo)
		return -ENOMEM;
	error = create_names(silo);
	if (error) {
		kvfree(silo);
		return error;
	}
	error = memory_budget_create(budget, reserved, limit, &silo->budget);
	if (error) {
		namespaces_put(silo->names);
		kvfree(silo);
		return error;
	}
	object_init(&silo->object, &silo_type);
	spin_init(&silo->lock, RANK_SILO);
	silo->budget->owner = silo;
	silo->budget->exhausted = budget_exhausted;
	sched_group_init(&silo->cpu, parent ? &parent->cpu : nullptr);
	silo->task_limit = DEFAULT_TASKS;
	silo->handle_limit = UINT32_MAX;
	silo->integrity = silo_integrity(parent);
	silo->capabilities = CAIRN_SILO_DEFAULT_CAPABILITIES;
	silo->parent = parent;
	silo->gate = gate_within(parent);
	if (parent) {
		object_get(&parent->object);
		silo->capabilities &= parent->capabilities;
	}
	*out = silo;
	return 0;
}

int silo_set_mounts(struct silo *silo, struct namespace *mounts)
{
	struct namespace *former = mounts;
	irqflags_t flags = spin_lock_irqsave(&silo->lock);
	int error = READ_ONCE(silo->entered) ? -EBUSY : 0;

	if (!error) {
		former = silo->names->of[NAMESPACE_MOUNT];
		silo->names->of[NAMESPACE_MOUNT] = mounts;
		silo->has_root = true;
	}
	spin_unlock_irqrestore(&silo->lock, flags);
	namespace_put(former);
	return error;
}

int silo_add_rule(struct silo *silo, const struct cairn_silo_network_rule *rule)
{
	irqflags_t flags = spin_lock_irqsave(&silo->lock);
	int error = READ_ONCE(silo->entered) ? -EBUSY : 0;

	if (!error && silo->rule_count == CAIRN_SILO_NETWORK_RULES)
		error = -ENOSPC;
	if (!error)
		silo->rules[silo->rule_count++] = *rule;
	spin_unlock_irqrestore(&silo->lock, flags);
	return error;
}

/* --- who sees whom --- */

struct silo *current_silo(void)
{
	struct task *task = current_task();

	return task ? task->process->silo : nullptr;
}

bool silo_contains(const struct silo *outer, const struct silo *inner)
{
	if (!outer)
		return true;
	while (inner && inner != outer)
		inner = inner->parent;
	return inner;
}

bool silo_sees(const struct process *process)
{
	return silo_contains(current_silo(), READ_ONCE(process->silo));
}

unsigned silo_integrity(const struct silo *silo)
{
	unsigned level = CAIRN_INTEGRITY_HIGHEST;

	for (; silo; silo = silo->parent)
		level = MIN(level, READ_ONCE(silo->integrity));
	return level;
}

int silo_lower_integrity(struct silo *silo, u64 level)
{
	irqflags_t flags = spin_lock_irqsave(&silo->lock);
	int error = level > silo->integrity ? -EPERM : 0;

	if (!error)
		WRITE_ONCE(silo->integrity, (u32)level);
	spin_unlock_irqrestore(&silo->lock, flags);
	return error;
}

unsigned silo_handles(const struct silo *silo)
{
	struct process *process;
	unsigned count = 0;

	for (int pid = 1; (process = process_next_within(silo, pid));
	     pid = process->pid + 1, process_put(process)) {
		struct task *task = process_next_task(process, 0);
		struct pool *pool = task ? task_pool_get(task) : nullptr;

		if (pool) {
			count += READ_ONCE(pool->count);
			object_put(&pool->object);
		}
		if (task)
			task_put(task);
	}
	return count;
}

/* --- records --- */

void silo_record(struct silo *silo, u32 kind, u64 value)
{
	struct task *task = current_task();
	struct silo_event *event;
	irqflags_t flags = spin_lock_irqsave(&silo->lock);

	if (silo->count == SILO_EVENTS) {
		silo->first = (silo->first + 1) % SILO_EVENTS;
		silo->count--;
		silo->lost++;
	}
	event = &silo->events[(silo->first + silo->count++) % SILO_EVENTS];
	*event = (struct silo_event){ .time_ns = clock_monotonic_ns(),
				      .kind = kind,
				      .pid = task ? task->process->pid : 0,
				      .value = value };
	(void)string_copy(event->name, current_thread()->name, sizeof(event->name));
	spin_unlock_irqrestore(&silo->lock, flags);
	object_notify(&silo->object, EPOLLIN | EPOLLRDNORM);
}

static void record_denial(struct silo *silo, u32 kind, u64 value)
{
	__atomic_fetch_add(&silo->denied, 1, __ATOMIC_RELAXED);
	silo_record(silo, kind, value);
}

void silo_denied(u32 kind, u64 value)
{
	struct silo *silo = current_silo();

	if (silo)
		record_denial(silo, kind, value);
}

int silo_event_take(struct silo *silo, struct silo_event *out, u64 *lost)
{
	irqflags_t flags = spin_lock_irqsave(&silo->lock);
	int error = silo->count ? 0 : -EAGAIN;

	if (!error) {
		*out = silo->events[silo->first];
		silo->first = (silo->first + 1) % SILO_EVENTS;
		silo->count--;
		*lost = silo->lost;
		silo->lost = 0;
	}
	spin_unlock_irqrestore(&silo->lock, flags);
	return error;
}

static void capability_denied(unsigned capability)
{
	silo_denied(CAIRN_SILO_DENIED_CAPABILITY, capability);
}

/* --- members --- */

static int add_one(struct silo *silo)
{
	if (__atomic_add_fetch(&silo->tasks, 1, __ATOMIC_SEQ_CST) <= READ_ONCE(silo->task_limit) &&
	    !__atomic_load_n(&silo->killed, __ATOMIC_SEQ_CST))
		return 0;
	__atomic_sub_fetch(&silo->tasks, 1, __ATOMIC_SEQ_CST);
	record_denial(silo, CAIRN_SILO_DENIED_TASK, silo->task_limit);
	return -EAGAIN;
}

static void drop_one(struct silo *silo)
{
	if (__atomic_sub_fetch(&silo->tasks, 1, __ATOMIC_SEQ_CST))
		return;
	silo_record(silo, CAIRN_SILO_EVENT_STOPPED, 0);
	object_notify(&silo->object, EPOLLHUP);
}

int silo_task_add(struct silo *silo)
{
	for (struct silo *s = silo; s; s = s->parent) {
		int error = add_one(s);

		if (!error)
			continue;
		for (struct silo *done = silo; done != s; done = done->parent)
			drop_one(done);
		return error;
	}
	return 0;
}

void silo_task_drop(struct silo *silo)
{
	for (; silo; silo = silo->parent)
		drop_one(silo);
}

/* From now on its set of name spaces does not change any more. */
static int seal(struct silo *silo)
{
	const struct namespace_type *type = namespace_type(NAMESPACE_NETWORK);
	struct namespace *own = nullptr;
	irqflags_t flags;
	int error = 0;

	if (!READ_ONCE(silo->entered) && !(silo->allow & CAIRN_SILO_ALLOW_NETWORK)) {
		error = type->copy(silo->gate, nullptr, &own);
		if (error)
			return error;
		type->prepare(own);
	}
	flags = spin_lock_irqsave(&silo->lock);
	if (own && !silo->entered) {
		struct namespace *former = silo->names->of[NAMESPACE_NETWORK];

		silo->names->of[NAMESPACE_NETWORK] = own;
		own = former;
	}
	WRITE_ONCE(silo->entered, true);
	spin_unlock_irqrestore(&silo->lock, flags);
	if (own)
		namespace_put(own);
	return 0;
}

/* Budget, name spaces and number of the current process become those of the silo. */
static int move_in(struct silo *silo)
{
	int error = process_set_budget(silo->budget);

	if (error)
		return error;
	error = pid_namespace_move(namespaces_pid(silo->names));
	if (error) {
		(void)!process_set_budget(silo->parent ? silo->parent->budget : nullptr);
		return error;
	}
	namespaces_get(silo->names);
	task_set_namespaces(silo->names);
	return 0;
}

int silo_join(struct silo *silo)
{
	struct process *process = current_process();
	struct silo *former = process->silo;
	int error;

	if (process->task_count != 1)
		return -EBUSY;
	if (silo->parent != former)
		return -EPERM;
	error = add_one(silo); /* those above count it already */
	if (error)
		return error;
	error = seal(silo);
	if (!error)
		error = move_in(silo);
	if (error) {
		drop_one(silo);
		return error;
	}
	object_get(&silo->object);
	WRITE_ONCE(process->silo, silo);
	thread_set_group(current_thread(), &silo->cpu);
	current_task()->confined = true;
	silo_record(silo, CAIRN_SILO_EVENT_STARTED, 0);
	if (former)
		object_put(&former->object); /* the new one holds it */
	return 0;
}

/* --- the end --- */

void silo_signal(struct silo *silo, int signo)
{
	const siginfo_t info = { .si_signo = signo, .si_code = SI_KERNEL };
	struct process *process;

	for (int pid = 2; (process = process_next_within(silo, pid));
	     pid = process->pid + 1, process_put(process))
		(void)signal_send_process(process, &info);
}

/* A task that is being made when `killed` is set is counted already: it is found when it is there, at the latest. */
int silo_kill(struct silo *silo)
{
	int error = 0;

	__atomic_store_n(&silo->killed, true, __ATOMIC_SEQ_CST);
	while (!error && __atomic_load_n(&silo->tasks, __ATOMIC_SEQ_CST)) {
		silo_signal(silo, SIGKILL);
		error = object_wait(&silo->object, 0, clock_monotonic_ns() + 10 * NSEC_PER_MSEC);
		if (error == -ETIMEDOUT)
			error = 0;
	}
	if (!error)
		cache_share_forget(silo->budget);
	return error;
}

void silo_init(void)
{
	capability_denied_hook = capability_denied;
}
