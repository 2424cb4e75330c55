/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small files and links of /proc/<pid>: comm, exe, cwd, root, mounts, OOM scores, stack and
 * their like. */
#include <fs/proc/proc_priv.h>

#include <arch/frame.h>
#include <arch/regs.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <proc/inspect.h>
#include <vfs/vfs.h>

#include <linux/mount.h>

/* comm: readable by all, writable by the process's own threads. */

static void comm_show(struct task *task, const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%s\n", task->thread.name);
}

static int comm_store(const struct synthetic_node *node, char *text, size_t size)
{
	struct task *task;
	int err = proc_node_task(node, &task);
	if (err)
		return err;
	if (!current_task() || current_task()->process != task->process) {
		err = -EINVAL;
	} else {
		char *end = strchr(text, '\n');
		if (end)
			*end = '\0';
		(void)string_copy(task->thread.name, text, sizeof(task->thread.name));
	}
	task_put(task);
	return err;
}

/* exe, cwd, root */

static int exe_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	struct process *process;
	int err = proc_node_permission(node, 0);
	if (!err)
		err = proc_node_process(node, &process);
	if (err)
		return err;
	struct aspace *as = process_aspace_get(process);
	process_put(process);
	if (!as)
		return -ENOENT;
	err = as->exe ? file_path(as->exe, path) : -ENOENT;
	process_aspace_put(as);
	return err;
}

static int context_path(const struct synthetic_node *node, struct path *root, struct path *cwd)
{
	struct task *task;
	int err = proc_node_permission(node, 0);
	if (!err)
		err = proc_node_task(node, &task);
	if (err)
		return err;
	struct fs_context *fs = task_fs_get(task);
	task_put(task);
	if (!fs)
		return -ENOENT;
	fs_context_paths(fs, root, cwd);
	fs_context_put(fs);
	return 0;
}

static int cwd_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	return context_path(node, nullptr, path);
}

static int root_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	return context_path(node, path, nullptr);
}

#define PROCESS_LINK(symbol, function)                                                             \
	const struct synthetic_type symbol = {                                                     \
		.mode = S_IFLNK | 0777,                                                            \
		.read_link = function,                                                             \
		.valid = proc_node_valid,                                                          \
		.attributes = proc_node_attributes,                                                \
	}
PROCESS_LINK(proc_exe, exe_read_link);
PROCESS_LINK(proc_cwd, cwd_read_link);
PROCESS_LINK(proc_root, root_read_link);

/* OOM */

static void oom_score_show(struct task *task, const struct synthetic_node *node,
			   struct text_buffer *out)
{
	struct process *process = task->process;

	struct frame_stats frames;
	frame_stats(&frames);
	u64 pages = 0;
	struct aspace *as = process_aspace_get(process);
	if (as) {
		pages = as->resident_anon + as->resident_file + as->resident_shared +
			as->page_table_pages;
		process_aspace_put(as);
	}
	s64 badness = (s64)(pages * 1000 / MAX(frames.total, 1ul)) + process->oom_score_adj;
	/* As Linux scales it: 667 is a process without memory and adjustment. */
	s64 score = (1000 + badness) * 2 / 3;
	text_printf(out, "%lld\n", (long long)MAX(score, 0l));
}

/* Where a thread is in the kernel */

struct stack_text {
	struct text_buffer *out;
	bool first_only;
};

static bool show_frame(vaddr_t pc, void *arg)
{
	struct stack_text *s = arg;
	u64 offset, size;
	const char *name = ksym_lookup(pc, &offset, &size);
	if (s->first_only) {
		/* The scheduler's own functions say nothing about what is waited for. */
		if (!name || strcmp(name, "schedule") == 0 || strcmp(name, "switch_thread") == 0 ||
		    string_starts(name, "wait_") || string_starts(name, "thread_") ||
		    string_starts(name, "arch_switch"))
			return true;
		text_printf(s->out, "%s", name);
		return false;
	}
	text_printf(s->out, "[<0>] %s+0x%llx/0x%llx\n", name ? name : "?",
		    (unsigned long long)offset, (unsigned long long)size);
	return true;
}

static void show_stack(struct task *task, struct text_buffer *out, bool first_only)
{
	struct stack_text s = { out, first_only };
	size_t before = out->size;

	if (!task->thread.on_cpu && task->thread.state == THREAD_SLEEPING)
		arch_backtrace_thread(&task->thread.base.arch, show_frame, &s);
	if (first_only && out->size == before)
		text_printf(out, "0");
}

static void wchan_show(struct task *task, const struct synthetic_node *node,
		       struct text_buffer *out)
{
	show_stack(task, out, true);
}

static void stack_show(struct task *task, const struct synthetic_node *node,
		       struct text_buffer *out)
{
	show_stack(task, out, false);
}

static void syscall_show(struct task *task, const struct synthetic_node *node,
			 struct text_buffer *out)
{
	bool stands = !task->thread.on_cpu && task->thread.state == THREAD_SLEEPING;

	if (!stands && task != current_task()) {
		text_printf(out, "running\n");
	} else {
		const struct trap_frame *f = thread_user_frame(task->thread.base.kstack_top);
		text_printf(out, "%lld", (long long)frame_syscall_number(f));
		for (unsigned i = 0; i < 6; i++)
			text_printf(out, " 0x%llx", (unsigned long long)frame_argument(f, i));
		text_printf(out, " 0x%llx 0x%llx\n", (unsigned long long)frame_sp(f),
			    (unsigned long long)frame_pc(f));
	}
}

/* Single values */

static void personality_show(struct task *task, const struct synthetic_node *node,
			     struct text_buffer *out)
{
	text_printf(out, "%08x\n", task->personality);
}

static void cgroup_show(struct task *task, const struct synthetic_node *node,
			struct text_buffer *out)
{
	text_printf(out, "0::/\n");
}

const struct proc_text proc_oom_score_text = { oom_score_show }, proc_wchan_text = { wchan_show },
		       proc_stack_text = { stack_show }, proc_syscall_text = { syscall_show },
		       proc_personality_text = { personality_show },
		       proc_cgroup_text = { cgroup_show };

/* Those that can be written have a type of their own. */
static const struct proc_text comm_text = { comm_show };

static int comm_file_show(const struct synthetic_node *node, struct text_buffer *out)
{
	return proc_show_text(node, &comm_text, out);
}

const struct synthetic_type proc_comm = { .mode = S_IFREG | 0644,
					  .valid = proc_node_valid,
					  .attributes = proc_node_attributes,
					  .show = comm_file_show,
					  .store = comm_store };
