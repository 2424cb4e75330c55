/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks and processes as data: making them, finding them, freeing them.
 *
 * (T1) The pid table refers to a task until it exits and to a process until it is reaped, and owns a reference to each.
 * (T2) A task owns a reference to its process; a process owns one to its leader until it is reaped, which breaks the ring.
 * (T3) process->tasks lists the live tasks; a task leaves it under process->lock before its stack ends.
 * (T4) Memory goes back after an RCU grace period, so a look-up may find a dead one and see that refs is 0.
 *
 * Lock order: process_table_lock, then process->lock (parent before child when both are needed is never the case: a parent is
 * signalled with only the table lock held).
 */
#include <arch/frame.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>
#include <proc/seccomp.h>
#include <proc/silo.h>
#include <proc/uts.h>

#include <cairn/silo.h>
#include <linux/eventpoll.h>

struct proc_hooks proc_hooks;
struct process *init_process;

static struct slab_cache *task_cache, *process_cache;
static u32 tasks_live;
u32 tasks_limit;

static void task_free(struct rcu_head *head)
{
	slab_free(task_cache, container_of(head, struct task, object.rcu));
}

static void task_destroy(struct object *object)
{
	struct task *task = container_of(object, struct task, object);

	signal_queue_flush(&task->signals.pending);
	seccomp_filter_put(task->seccomp_filter);
	if (task->credentials)
		credentials_put(task->credentials);
	if (task->account)
		user_account_put(task->account);
	if (task->process)
		process_put(task->process);
	memory_charge_destroy(&task->charge);
	rcu_call(&task->object.rcu, task_free);
}

/* Without a handle nobody can start it: it ends. */
static void task_closed(struct object *object)
{
	struct task *task = container_of(object, struct task, object);
	const siginfo_t info = { .si_signo = SIGKILL, .si_code = SI_KERNEL };

	if (!task->rest.started)
		(void)!signal_send_process(task->process, &info);
}

static u32 task_ready(struct object *object)
{
	const struct task *task = container_of(object, struct task, object);

	if (task_has_ended(task))
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	return __atomic_load_n(&task->rest.at_rest, __ATOMIC_SEQ_CST) ? (u32)EPOLLPRI : 0;
}

const struct object_type task_type = {
	.name = "task",
	.default_rights = RIGHTS_ALL & ~(RIGHT_READ | RIGHT_WRITE | RIGHT_MAP),
	.closed = task_closed,
	.destroy = task_destroy,
	.ready = task_ready,
};

static void process_free(struct rcu_head *head)
{
	slab_free(process_cache, container_of(head, struct process, object.rcu));
}

static void process_destroy(struct object *object)
{
	struct process *process = container_of(object, struct process, object);

	signal_queue_flush(&process->pending);
	if (process->actions)
		signal_actions_put(process->actions);
	if (process->group)
		process_group_put(process->group);
	if (process->silo)
		object_put(&process->silo->object);
	if (process->pid_namespace)
		namespace_put(&process->pid_namespace->base);
	memory_charge_destroy(&process->charge);
	rcu_call(&process->object.rcu, process_free);
}

/* A pidfd is readable once every task has left. */
static u32 process_ready(struct object *object)
{
	struct process *process = container_of(object, struct process, object);

	return READ_ONCE(process->state) >= PROCESS_ZOMBIE ? (u32)(EPOLLIN | EPOLLRDNORM) : 0;
}

static const struct object_type process_type = {
	.name = "process",
	.destroy = process_destroy,
	.ready = process_ready,
};

static u64 tasks_created;

u64 task_created_count(void)
{
	return __atomic_load_n(&tasks_created, __ATOMIC_RELAXED);
}

static u64 task_bytes(void)
{
	return slab_object_size(task_cache) + KSTACK_SIZE;
}

int task_create(struct memory_budget *budget, struct task **out)
{
	struct memory_charge charge;
	struct task *task;

	if (!memory_charge_begin(&charge, budget, task_bytes()))
		return -ENOMEM;
	task = slab_alloc(task_cache, ALLOC_ZERO);
	if (!task) {
		memory_charge_destroy(&charge);
		return -ENOMEM;
	}
	task->charge = charge;
	object_init(&task->object, &task_type);
	list_init(&task->process_node);
	mutex_init(&task->rest.lock, RANK_TASK_REST);
	signal_queue_init(&task->signals.pending);
	trace_init(task);
	task->signals.altstack.ss_flags = SS_DISABLE;
	task->timer_slack_ns = 50000;
	__atomic_fetch_add(&tasks_created, 1, __ATOMIC_RELAXED);
	*out = task;
	return 0;
}

int process_create(struct memory_budget *budget, struct process **out)
{
	struct memory_charge charge;
	struct process *process;

	if (!memory_charge_begin(&charge, budget, slab_object_size(process_cache)))
		return -ENOMEM;
	process = slab_alloc(process_cache, ALLOC_ZERO);
	if (!process) {
		memory_charge_destroy(&charge);
		return -ENOMEM;
	}
	process->charge = charge;
	object_init(&process->object, &process_type);
	spin_init(&process->lock, RANK_PROCESS);
	mutex_init(&process->exec_lock, RANK_EXEC);
	list_init(&process->tasks);
	list_init(&process->children);
	list_init(&process->sibling);
	list_init(&process->group_node);
	signal_queue_init(&process->pending);
	list_init(&process->pidfds);
	wait_queue_init(&process->child_wait);
	process->start_ns = clock_monotonic_ns();
	process->coredump_filter = COREDUMP_FILTER_USUAL;
	*out = process;
	return 0;
}

int process_set_budget(struct memory_budget *budget)
{
	struct task *self = current_task();
	struct process *process = self->process;
	struct memory_charge *const places[] = { &process->charge, &self->charge,
						 &self->pool->charge };
	const u64 bytes[] = { slab_object_size(process_cache), task_bytes(),
			      pool_bytes(self->pool) };
	struct memory_charge charges[ARRAY_SIZE(places)];

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		if (memory_charge_begin(&charges[i], budget, bytes[i]))
			continue;
		while (i--)
			memory_charge_destroy(&charges[i]);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		memory_charge_destroy(places[i]);
		*places[i] = charges[i];
	}
	return 0;
}

bool task_count_add(void)
{
	if (__atomic_add_fetch(&tasks_live, 1, __ATOMIC_RELAXED) <= tasks_limit)
		return true;
	task_count_drop();
	return false;
}

void task_count_drop(void)
{
	__atomic_fetch_sub(&tasks_live, 1, __ATOMIC_RELAXED);
}

unsigned task_count(void)
{
	return __atomic_load_n(&tasks_live, __ATOMIC_RELAXED);
}

/* Called by the scheduler when the thread's stack is free: the reference that a running task owns to itself. */
void task_release(struct thread *thread)
{
	task_put(task_of(thread));
}

void task_publish_locked(struct task *task, int tid)
{
	struct process *process = task->process;
	irqflags_t flags;

	task->tid = tid;
	object_get(&task->object);
	pid_add(&task->pid_entry, PID_TASK, tid);
	if (!process->leader) {
		process->pid = tid;
		object_get(&task->object);
		process->leader = task;
		object_get(&process->object);
		pid_add(&process->pid_entry, PID_PROCESS, tid);
		pid_namespace_join_locked(process);
		if (process->parent)
			list_add_tail(&process->parent->children, &process->sibling);
	}
	flags = spin_lock_irqsave(&process->lock);
	list_add_tail(&process->tasks, &task->process_node);
	process->task_count++;
	if (process->group_exiting || process->exec_task)
		thread_work_set(&task->thread.base, WORK_SIGNAL | WORK_FATAL);
	if (process->stop_signal) {
		process->stop_count++;
		thread_work_set(&task->thread.base, WORK_SIGNAL);
	}
	spin_unlock_irqrestore(&process->lock, flags);
}

/* What is outside of the current task's silo is not there. */
static int process_find_any(int pid, struct process **out)
{
	struct process *process = nullptr;
	struct pid_entry *entry;

	rcu_read_lock();
	entry = pid_lookup(PID_PROCESS, pid);
	if (entry) {
		process = container_of(entry, struct process, pid_entry);
		if (!object_get_unless_zero(&process->object))
			process = nullptr;
	}
	rcu_read_unlock();
	*out = process;
	return process ? 0 : -ESRCH;
}

int task_find_global(int tid, struct task **out)
{
	struct task *task = nullptr;
	struct pid_entry *entry;

	rcu_read_lock();
	entry = pid_lookup(PID_TASK, tid);
	if (entry) {
		task = container_of(entry, struct task, pid_entry);
		if (!object_get_unless_zero(&task->object))
			task = nullptr;
	}
	rcu_read_unlock();
	if (task && unlikely(!silo_sees(task->process))) {
		task_put(task);
		task = nullptr;
		silo_denied(CAIRN_SILO_DENIED_PROCESS, (u64)tid);
	}
	*out = task;
	return task ? 0 : -ESRCH;
}

/* The number in the kernel; in a silo, one that does not exist there is recorded: it may be somebody's outside. */
static int number_to_find(int number)
{
	int global = pid_from_user(number);

	if (unlikely(global == PID_NONE))
		silo_denied(CAIRN_SILO_DENIED_PROCESS, (u64)number);
	return global;
}

int process_find(int pid, struct process **out)
{
	return process_find_global(number_to_find(pid), out);
}

int task_find(int tid, struct task **out)
{
	return task_find_global(number_to_find(tid), out);
}

int process_find_global(int pid, struct process **out)
{
	int err = process_find_any(pid, out);

	if (err || likely(silo_sees(*out)))
		return err;
	process_put(*out);
	*out = nullptr;
	silo_denied(CAIRN_SILO_DENIED_PROCESS, (u64)pid);
	return -ESRCH;
}

struct process *process_next_within(const struct silo *silo, int pid)
{
	struct process *process;

	for (pid = pid_next(pid); pid > 0; pid = pid_next(pid + 1)) {
		if (process_find_any(pid, &process))
			continue;
		if (likely(silo_contains(silo, READ_ONCE(process->silo))))
			return process;
		process_put(process);
	}
	return nullptr;
}

struct process *process_next(int pid)
{
	return process_next_within(current_silo(), pid);
}

struct task *process_next_task(struct process *process, int tid)
{
	struct task *task, *best = nullptr;
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	list_for_each (task, &process->tasks, process_node)
		if (task->tid >= tid && (!best || task->tid < best->tid))
			best = task;
	if (best)
		object_get(&best->object);
	spin_unlock_irqrestore(&process->lock, flags);
	return best;
}

struct task *process_leader_get(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	struct task *leader = process->leader;

	if (leader)
		object_get(&leader->object);
	spin_unlock_irqrestore(&process->lock, flags);
	return leader;
}

const struct credentials *task_credentials_get(struct task *task)
{
	const struct credentials *credentials;

	rcu_read_lock();
	do
		credentials = rcu_dereference(task->credentials);
	while (!credentials_get_unless_zero(credentials));
	rcu_read_unlock();
	return credentials;
}

void process_times(struct process *process, u64 *user_ns, u64 *system_ns)
{
	struct task *task;
	u64 user, system;
	irqflags_t flags = spin_lock_irqsave(&process->lock);

	*user_ns = process->dead_user_ns;
	*system_ns = process->dead_system_ns;
	list_for_each (task, &process->tasks, process_node) {
		thread_times(&task->thread, &user, &system);
		*user_ns += user;
		*system_ns += system;
	}
	spin_unlock_irqrestore(&process->lock, flags);
}

u64 current_limit(unsigned resource)
{
	return READ_ONCE(current_process()->limits[resource].rlim_cur);
}

static const struct credentials *task_current_credentials(void)
{
	struct task *task = current_task();

	return task ? task->credentials : &kernel_credentials;
}

void proc_init(void)
{
	struct frame_stats stats;

	task_cache = slab_cache_create("task", sizeof(struct task), alignof(struct task));
	process_cache = slab_cache_create("process", sizeof(struct process), 0);
	frame_stats(&stats);
	/* As many tasks as would take an eighth of memory with their stacks alone. */
	tasks_limit = (u32)MIN(stats.total * PAGE_SIZE / (8 * KSTACK_SIZE), (u64)PID_MAX - 1);
	tasks_limit = MAX(tasks_limit, 64u);
	credentials_hook = task_current_credentials;
	signal_init();
	fault_signal_init();
	oom_init();
	silo_init();
	uts_init();
	pid_namespace_init();
}
