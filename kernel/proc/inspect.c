/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at other tasks: every pointer that its owner may drop is taken under process->lock. */
#include <proc/inspect.h>

#include <mm/aspace.h>
#include <obj/handle.h>
#include <proc/user.h>

u64 (*inspect_terminal_device)(struct tty *tty);

struct aspace *process_aspace_get(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	struct aspace *as = process->aspace;
	if (as) {
		aspace_get(as);
		aspace_user_get(as);
	}
	spin_unlock_irqrestore(&process->lock, flags);
	return as;
}

void process_aspace_put(struct aspace *as)
{
	aspace_user_put(as);
	aspace_put(as);
}

struct pool *task_pool_get(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	struct pool *pool = task->pool;
	if (pool)
		object_get(&pool->object);
	spin_unlock_irqrestore(&task->process->lock, flags);
	return pool;
}

struct fs_context *task_fs_get(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&task->process->lock);
	struct fs_context *fs = task->fs;
	if (fs)
		proc_hooks.fs_get(fs);
	spin_unlock_irqrestore(&task->process->lock, flags);
	return fs;
}

char task_state_letter(const struct task *task)
{
	const struct process *process = task->process;
	if (READ_ONCE(process->state) == PROCESS_ZOMBIE && process->leader == task)
		return 'Z';
	if (READ_ONCE(process->state) == PROCESS_DEAD || task->exiting)
		return 'X';
	if (READ_ONCE(task->trace.stopped))
		return 't';
	if (READ_ONCE(process->stop_signal) && !READ_ONCE(task->trace.tracer))
		return 'T';
	if (READ_ONCE(task->thread.state) != THREAD_SLEEPING)
		return 'R';
	return READ_ONCE(task->thread.sleep_mode) == SLEEP_INTERRUPTIBLE ? 'S' : 'D';
}

int task_tracer_pid(struct task *task)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	int pid = task->trace.tracer ? task->trace.tracer->process->pid : 0;

	spin_unlock_irqrestore(&process_table_lock, flags);
	return pid;
}

static u64 queue_length(const struct signal_queue *queue)
{
	u64 n = 0;
	const struct queued_signal *q;
	list_for_each (q, &queue->list, node)
		n++;
	return n;
}

void task_signal_summary(struct task *task, struct signal_summary *out)
{
	struct process *process = task->process;
	*out = (struct signal_summary){ .queue_limit =
						process->limits[RLIMIT_SIGPENDING].rlim_cur };
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	out->pending = task->signals.pending.set;
	out->shared_pending = process->pending.set;
	out->blocked = task->signals.blocked;
	out->queued = queue_length(&task->signals.pending) + queue_length(&process->pending);
	if (process->actions) {
		for (int i = 0; i < SIGNAL_COUNT; i++) {
			vaddr_t handler = process->actions->action[i].handler;
			if (handler == (vaddr_t)SIG_IGN)
				out->ignored |= SIGNAL_BIT(i + 1);
			else if (handler != (vaddr_t)SIG_DFL)
				out->caught |= SIGNAL_BIT(i + 1);
		}
	}
	spin_unlock_irqrestore(&process->lock, flags);
}

void process_relations(struct process *process, struct process_relations *out)
{
	*out = (struct process_relations){ .foreground = -1 };
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	out->parent = process->parent ? process->parent->pid : 0;
	struct process_group *group = process->group;
	if (group) {
		struct session *session = group->session;
		out->group = group->id;
		out->session = session->id;
		if (session->tty) {
			out->terminal = inspect_terminal_device(session->tty);
			out->foreground = session->foreground ? session->foreground->id : -1;
		}
	}
	spin_unlock_irqrestore(&process_table_lock, flags);
}
