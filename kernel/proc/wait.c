/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for children: wait4(2), waitid(2). */
#include <arch/layout.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>

#include <linux/wait.h>

static struct rusage rusage_of(u64 user_ns, u64 system_ns)
{
	struct rusage usage = {};

	usage.ru_utime.tv_sec = (long)(user_ns / NSEC_PER_SEC);
	usage.ru_utime.tv_usec = (long)(user_ns % NSEC_PER_SEC / NSEC_PER_USEC);
	usage.ru_stime.tv_sec = (long)(system_ns / NSEC_PER_SEC);
	usage.ru_stime.tv_usec = (long)(system_ns % NSEC_PER_SEC / NSEC_PER_USEC);
	return usage;
}

static void usage_self(struct process *process, struct rusage *out)
{
	u64 user, system, peak = process->resident_peak;
	struct task *task;
	irqflags_t flags;

	process_times(process, &user, &system);
	*out = rusage_of(user, system);
	flags = spin_lock_irqsave(&process->lock);
	out->ru_minflt = (long)process->dead_minor_faults;
	out->ru_majflt = (long)process->dead_major_faults;
	out->ru_nvcsw = (long)process->voluntary_switches;
	out->ru_nivcsw = (long)process->involuntary_switches;
	list_for_each (task, &process->tasks, process_node) {
		out->ru_nvcsw += (long)task->thread.voluntary_switches;
		out->ru_nivcsw += (long)task->thread.involuntary_switches;
	}
	if (process->aspace) {
		out->ru_minflt += (long)process->aspace->minor_faults;
		out->ru_majflt += (long)process->aspace->major_faults;
		aspace_note_peak(process->aspace);
		peak = MAX(peak, process->aspace->resident_peak);
	}
	spin_unlock_irqrestore(&process->lock, flags);
	out->ru_maxrss = (long)(peak * PAGE_SIZE / 1024);
}

static void usage_children(struct process *process, struct rusage *out)
{
	*out = rusage_of(process->children_user_ns, process->children_system_ns);
	out->ru_minflt = (long)process->children_minor_faults;
	out->ru_majflt = (long)process->children_major_faults;
	out->ru_maxrss = (long)(process->children_resident_peak * PAGE_SIZE / 1024);
}

static void usage_thread(struct rusage *out)
{
	struct task *task = current_task();
	u64 user, system;

	thread_times(&task->thread, &user, &system);
	*out = rusage_of(user, system);
	out->ru_minflt = (long)task->minor_faults;
	out->ru_majflt = (long)task->major_faults;
	out->ru_nvcsw = (long)task->thread.voluntary_switches;
	out->ru_nivcsw = (long)task->thread.involuntary_switches;
	aspace_note_peak(task->process->aspace);
	out->ru_maxrss = (long)(task->process->aspace->resident_peak * PAGE_SIZE / 1024);
}

void process_rusage(struct process *process, int who, struct rusage *out)
{
	if (who == RUSAGE_CHILDREN)
		usage_children(process, out);
	else if (who == RUSAGE_THREAD)
		usage_thread(out);
	else
		usage_self(process, out);
}

/* The figures of a child that is waited for become its parent's. */
static void inherit_usage(struct process *parent, struct process *child)
{
	u64 user, system, peak;

	process_times(child, &user, &system);
	parent->children_user_ns += user + child->children_user_ns;
	parent->children_system_ns += system + child->children_system_ns;
	parent->children_minor_faults += child->dead_minor_faults + child->children_minor_faults;
	parent->children_major_faults += child->dead_major_faults + child->children_major_faults;
	peak = MAX(child->resident_peak, child->children_resident_peak);
	parent->children_resident_peak = MAX(parent->children_resident_peak, peak);
}

static bool is_eligible(const struct wait_request *req, const struct process *child)
{
	bool clone_child = child->exit_signal != SIGCHLD;

	if (req->id_type == P_PID && child->pid != req->id)
		return false;
	if (req->id_type == P_PGID && child->group->id != req->id)
		return false;
	return (req->options & __WALL) || clone_child == !!(req->options & __WCLONE);
}

static void set_end(struct wait_request *req, int status)
{
	req->status = status;
	req->code = !(status & 0x7f) ? CLD_EXITED : status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

/* What happened to the child, if it was asked for; the event is consumed unless WNOWAIT. */
static bool take_event_locked(struct wait_request *req, struct process *child)
	__must_hold(&process_table_lock)
{
	bool keep = req->options & WNOWAIT;
	bool traced = child->leader->trace.tracer, hidden = trace_hides_zombie(child);
	bool found = true;

	spin_lock_nested(&child->lock);
	if (child->state == PROCESS_ZOMBIE) {
		found = (req->options & WEXITED) && !hidden;
		set_end(req, child->exit_code);
	} else if (traced && !hidden) {
		found = false; /* stops of a tracee are its tracer's */
	} else if ((child->wait_flags & PROCESS_EVENT_STOPPED) && (req->options & WSTOPPED)) {
		req->status = (int)child->stop_report << 8 | 0x7f;
		req->code = CLD_STOPPED;
		if (!keep)
			child->wait_flags &= ~PROCESS_EVENT_STOPPED;
	} else if ((child->wait_flags & PROCESS_EVENT_CONTINUED) && (req->options & WCONTINUED)) {
		req->status = 0xffff;
		req->code = CLD_CONTINUED;
		if (!keep)
			child->wait_flags &= ~PROCESS_EVENT_CONTINUED;
	} else {
		found = false;
	}
	spin_unlock(&child->lock);
	return found;
}

struct wait_scan {
	struct wait_request *req;
	struct process *found; /* with a reference; reaped if it is `dead` */
	bool dead;
	struct task *thread; /* a dead tracee that leads no process: out of all tables, to be put */
};

/* What the tracer has to hear of a tracee. */
static bool take_trace_event_locked(struct wait_scan *scan, struct task *task)
	__must_hold(&process_table_lock)
{
	struct wait_request *req = scan->req;
	struct process *process = task->process;
	bool keep = req->options & WNOWAIT;
	bool leader = task == process->leader;

	if (leader && process->state == PROCESS_ZOMBIE) {
		/* A parent that traces it sees it as a child. */
		if (!(req->options & WEXITED) || !trace_hides_zombie(process))
			return false;
		set_end(req, process->exit_code);
		if (keep)
			return true;
		trace_forget_leader_locked(process);
		scan->dead = process_show_zombie_locked(process);
		return true;
	}
	if (!leader && task->trace.dead) {
		if (!(req->options & WEXITED))
			return false;
		set_end(req, task->exit_code);
		if (!keep) {
			list_remove(&task->trace.node);
			task->trace.tracer = nullptr;
			pid_remove(&task->pid_entry);
			scan->thread = task;
		}
		return true;
	}
	return trace_take_stop_locked(task, req, keep);
}

static bool is_eligible_tracee(const struct wait_request *req, const struct task *task)
{
	if (req->id_type == P_PID)
		return task->tid == req->id;
	return req->id_type != P_PGID || task->process->group->id == req->id;
}

/* As scan_locked, for the tracees of one task. */
static int scan_tracees_locked(struct wait_scan *scan, struct task *tracer)
	__must_hold(&process_table_lock)
{
	struct task *task;
	bool any = false;

	list_for_each (task, &tracer->trace.tracees, trace.node) {
		int tid = pid_to_user(task->tid);
		u32 uid = task->credentials->uid;

		if (!is_eligible_tracee(scan->req, task))
			continue;
		any = true;
		object_get(&task->process->object);
		scan->found = task->process;
		if (take_trace_event_locked(scan, task)) {
			scan->req->pid = tid;
			scan->req->uid = uid;
			return 1;
		}
		object_put(&task->process->object); /* never the last one: the task has one */
		scan->found = nullptr;
	}
	return any ? 0 : -ECHILD;
}

/* 1: found something; 0: nothing yet; -ECHILD: no such child. */
static int scan_locked(struct wait_scan *scan, struct process *parent)
	__must_hold(&process_table_lock)
{
	struct wait_request *req = scan->req;
	struct process *child;
	bool any = false;

	list_for_each (child, &parent->children, sibling) {
		if (!is_eligible(req, child))
			continue;
		any = true;
		if (!take_event_locked(req, child))
			continue;
		req->pid = pid_to_user(child->pid); /* while the number is still there */
		req->uid = child->leader->credentials->uid;
		object_get(&child->object);
		scan->found = child;
		scan->dead = child->state == PROCESS_ZOMBIE && !(req->options & WNOWAIT);
		if (scan->dead) {
			inherit_usage(parent, child);
			process_unlink_locked(child);
		}
		return 1;
	}
	return any ? 0 : -ECHILD;
}

static int scan_all_locked(struct wait_scan *scan) __must_hold(&process_table_lock)
{
	struct process *self = current_process();
	int result = scan_locked(scan, self);
	struct task *task;

	list_for_each (task, &self->tasks, process_node) {
		int tracees;

		if (result == 1)
			break;
		if (list_empty(&task->trace.tracees) ||
		    ((scan->req->options & __WNOTHREAD) && task != current_task()))
			continue;
		tracees = scan_tracees_locked(scan, task);
		result = result < 0 || tracees > 0 ? tracees : result;
	}
	return result;
}

static int scan_children(struct wait_scan *scan)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	int result = scan_all_locked(scan);

	spin_unlock_irqrestore(&process_table_lock, flags);
	return result;
}

long process_wait(struct wait_request *req)
{
	struct wait_scan scan = { .req = req };
	int result = 0, err = 0;

	if (req->id_type == P_PID || req->id_type == P_PGID)
		req->id = pid_from_user(req->id);
	if (req->options & WNOHANG)
		result = scan_children(&scan);
	else
		err = wait_event_interruptible(&current_process()->child_wait,
					       (result = scan_children(&scan)) != 0);
	if (err || result <= 0)
		return result ? result : err;
	process_rusage(scan.found, RUSAGE_SELF, &req->rusage);
	if (scan.dead)
		process_release(scan.found);
	if (scan.thread)
		task_put(scan.thread);
	process_put(scan.found);
	return req->pid;
}
