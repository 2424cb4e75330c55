/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/<pid>: schedstat, sched, children, timers. */
#include <fs/proc/proc_mount.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <proc/inspect.h>
#include <proc/timers.h>

static void schedstat_show(struct task *task, const struct synthetic_node *node,
			   struct text_buffer *out)
{
	u64 user_ns, system_ns;

	thread_times(&task->thread, &user_ns, &system_ns);
	/* The time spent waiting for a CPU is not accounted. */
	text_printf(out, "%llu 0 %llu\n", (unsigned long long)(user_ns + system_ns),
		    (unsigned long long)(task->thread.voluntary_switches +
					 task->thread.involuntary_switches));
}

static void show_time(struct text_buffer *out, const char *name, u64 ns)
{
	text_printf(out, "%-45s:%14llu.%06llu\n", name, (unsigned long long)(ns / 1000000),
		    (unsigned long long)(ns % 1000000));
}

static void show_number(struct text_buffer *out, const char *name, u64 value)
{
	text_printf(out, "%-45s:%21lld\n", name, (long long)value);
}

static void sched_show(struct task *task, const struct synthetic_node *node,
		       struct text_buffer *out)
{
	const struct thread *t = &task->thread;
	u64 user_ns, system_ns;

	thread_times(t, &user_ns, &system_ns);
	text_printf(out, "%s (%d, #threads: %u)\n", t->name, proc_number(node, task->tid),
		    task->process->task_count);
	text_printf(out, "-------------------------------------------------------------------\n");
	show_time(out, "se.exec_start", t->exec_start_ns);
	show_time(out, "se.vruntime", t->vruntime);
	show_time(out, "se.sum_exec_runtime", user_ns + system_ns);
	show_number(out, "nr_switches", t->voluntary_switches + t->involuntary_switches);
	show_number(out, "nr_voluntary_switches", t->voluntary_switches);
	show_number(out, "nr_involuntary_switches", t->involuntary_switches);
	show_number(out, "se.load.weight", (u64)t->weight * 1024);
	show_number(out, "policy", t->params.policy);
	show_number(out, "prio",
		    (u64)(s64)(t->params.rt_priority ? 99 - t->params.rt_priority
						     : 120 + t->params.nice));
}

/* The children that this thread's process made; they are all its leader's. */
static void children_show(struct task *task, const struct synthetic_node *node,
			  struct text_buffer *out)
{
	if (task != task->process->leader)
		return;
	for (struct process *p = process_next(1); p;) {
		struct process_relations r;
		int pid = p->pid;

		process_relations(p, &r);
		if (r.parent == task->process->pid)
			text_printf(out, "%d ", proc_number(node, pid));
		process_put(p);
		p = process_next(pid + 1);
	}
}

const struct proc_text proc_schedstat_text = { schedstat_show }, proc_sched_text = { sched_show },
		       proc_children_text = { children_show };

/* timers: the POSIX timers of the process. */

static const char *notification_name(int notify)
{
	switch (notify & ~SIGEV_THREAD_ID) {
	case SIGEV_SIGNAL:
		return "signal";
	case SIGEV_NONE:
		return "none";
	default:
		return "thread";
	}
}

static int timers_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct posix_timer_summary t = { .id = -1 };
	struct process *process;
	int err = proc_node_process(node, &process);

	if (err)
		return err;
	while (posix_timer_next(process, t.id + 1, &t))
		text_printf(out, "ID: %d\nsignal: %d/%016lx\nnotify: %s/%s.%d\nClockID: %d\n", t.id,
			    t.signal, t.value, notification_name(t.notify),
			    t.notify & SIGEV_THREAD_ID ? "tid" : "pid", proc_number(node, t.target),
			    t.clock);
	process_put(process);
	return 0;
}

const struct synthetic_type proc_timers = { .mode = S_IFREG | 0444,
					    .show = timers_show,
					    .valid = proc_node_valid,
					    .attributes = proc_node_attributes };
