/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/<pid>: the numbers that can be set, proc(5). */
#include <fs/proc/proc_priv.h>

#include <lib/errno.h>

#include <linux/capability.h>

#define TIMER_SLACK_DEFAULT_NS 50000 /* prctl(2), PR_SET_TIMERSLACK */

static int setting_show(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct proc_setting *setting = node->data;

	return proc_show_text(node, &setting->text, out);
}

static int setting_store(const struct synthetic_node *node, char *text, size_t size)
{
	const struct proc_setting *setting = node->data;
	struct task *task;
	s64 value;
	int error = synthetic_parse_number(text, setting->min, setting->max, &value);

	if (!error)
		error = proc_node_task(node, &task);
	if (error)
		return error;
	error = setting->set(task, value);
	task_put(task);
	return error;
}

const struct synthetic_type proc_setting = { .mode = S_IFREG | 0644,
					     .show = setting_show,
					     .store = setting_store,
					     .valid = proc_node_valid,
					     .attributes = proc_node_attributes };
const struct synthetic_type proc_setting_of_all = { .mode = S_IFREG | 0666,
						    .show = setting_show,
						    .store = setting_store,
						    .valid = proc_node_valid,
						    .attributes = proc_node_attributes };

/* As whom somebody logged in, set once by login(1) through pam_loginuid(8). */

static void loginuid_show(struct task *task, const struct synthetic_node *node,
			  struct text_buffer *out)
{
	text_printf(out, "%u", READ_ONCE(task->process->login_user) - 1);
}

static int loginuid_set(struct task *task, s64 value)
{
	struct process *process = task->process;

	if (process != current_process() || (process->login_user && !capable(CAP_AUDIT_CONTROL)))
		return -EPERM;
	WRITE_ONCE(process->login_user, (u32)value + 1);
	return 0;
}

const struct proc_setting proc_loginuid = { { loginuid_show }, 0, UINT32_MAX, loginuid_set };

/* How readily the process is ended when memory runs out; oom_adj has the scale of before, -17 to 15. */

static void oom_score_adj_show(struct task *task, const struct synthetic_node *node,
			       struct text_buffer *out)
{
	text_printf(out, "%d\n", task->process->oom_score_adj);
}

static int oom_score_adj_set(struct task *task, s64 value)
{
	if (value < task->process->oom_score_adj && !capable(CAP_SYS_RESOURCE))
		return -EACCES;
	task->process->oom_score_adj = (int)value;
	return 0;
}

static void oom_adj_show(struct task *task, const struct synthetic_node *node,
			 struct text_buffer *out)
{
	int adjustment = task->process->oom_score_adj;

	text_printf(out, "%d\n", adjustment == 1000 ? 15 : adjustment * 17 / 1000);
}

static int oom_adj_set(struct task *task, s64 value)
{
	return oom_score_adj_set(task, value == 15 ? 1000 : value * 1000 / 17);
}

const struct proc_setting proc_oom_score_adj = {
	{ oom_score_adj_show }, -1000, 1000, oom_score_adj_set
};
const struct proc_setting proc_oom_adj = { { oom_adj_show }, -17, 15, oom_adj_set };

static void timerslack_show(struct task *task, const struct synthetic_node *node,
			    struct text_buffer *out)
{
	text_printf(out, "%llu\n", (unsigned long long)task->timer_slack_ns);
}

static int timerslack_set(struct task *task, s64 value)
{
	if (task != current_task() && !capable(CAP_SYS_NICE))
		return -EPERM;
	task->timer_slack_ns = value ? (u64)value : TIMER_SLACK_DEFAULT_NS;
	return 0;
}

const struct proc_setting proc_timerslack = { { timerslack_show }, 0, INT64_MAX, timerslack_set };

static void coredump_filter_show(struct task *task, const struct synthetic_node *node,
				 struct text_buffer *out)
{
	text_printf(out, "%08x\n", task->process->coredump_filter);
}

static int coredump_filter_set(struct task *task, s64 value)
{
	task->process->coredump_filter = (u32)value & COREDUMP_FILTER_BITS;
	return 0;
}

const struct proc_setting proc_coredump_filter = {
	{ coredump_filter_show }, 0, UINT32_MAX, coredump_filter_set
};

#ifdef CONFIG_DEBUG
static void fail_nth_show(struct task *task, const struct synthetic_node *node,
			  struct text_buffer *out)
{
	text_printf(out, "%u\n", task->thread.base.fail_nth);
}

static int fail_nth_set(struct task *task, s64 value)
{
	if (task != current_task())
		return -EPERM;
	task->thread.base.fail_nth = (u32)value;
	return 0;
}

const struct proc_setting proc_fail_nth = { { fail_nth_show }, 0, INT32_MAX, fail_nth_set };
#endif
