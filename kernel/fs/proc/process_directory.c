/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/<pid> and /proc/<pid>/task/<tid>: which files there are, and who may look. */
#include <fs/proc/proc.h>
#include <fs/proc/proc_mount.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <net/proc_net.h>
#include <proc/pid_namespace.h>

#include <linux/magic.h>

int proc_node_process(const struct synthetic_node *node, struct process **out)
{
	int err = process_find_global((int)(u32)node->key[KEY_PROCESS], out);
	if (err)
		return err;
	if ((*out)->start_ns == node->key[KEY_BIRTH])
		return 0;
	process_put(*out);
	return -ESRCH;
}

static int tid_of(const struct synthetic_node *node)
{
	return (int)(node->key[KEY_PROCESS] >> 32);
}

int proc_node_task(const struct synthetic_node *node, struct task **out)
{
	struct process *process;
	int err = proc_node_process(node, &process);
	if (err)
		return err;
	if (tid_of(node)) {
		err = task_find_global(tid_of(node), out);
		if (!err && (*out)->process != process) {
			task_put(*out);
			err = -ESRCH;
		}
	} else {
		*out = process_leader_get(process);
		err = *out ? 0 : -ESRCH;
	}
	process_put(process);
	return err;
}

bool proc_node_valid(const struct synthetic_node *node)
{
	struct task *task;
	if (proc_node_task(node, &task))
		return false;
	task_put(task);
	return true;
}

void proc_node_attributes(const struct synthetic_node *node, struct inode *inode)
{
	struct task *task;
	if (proc_node_task(node, &task))
		return;
	const struct credentials *c = task_credentials_get(task);
	inode->uid = c->euid;
	inode->gid = c->egid;
	credentials_put(c);
	task_put(task);
}

int proc_node_permission(const struct synthetic_node *node, u32 mask)
{
	struct task *task;
	int err = proc_node_task(node, &task);
	if (err)
		return err;
	const struct credentials *mine = current_credentials();
	const struct credentials *c = task_credentials_get(task);
	bool same = mine->fsuid == c->euid && mine->fsuid == c->suid && mine->fsuid == c->uid &&
		    mine->fsgid == c->egid && mine->fsgid == c->sgid && mine->fsgid == c->gid;
	credentials_put(c);
	if (current_task() && task->process != current_process() && !same &&
	    !capable(CAP_SYS_PTRACE))
		err = -EACCES;
	task_put(task);
	return err;
}

int proc_show_text(const struct synthetic_node *node, const struct proc_text *text,
		   struct text_buffer *out)
{
	struct task *task;
	int err = proc_node_task(node, &task);

	if (err)
		return err;
	text->show(task, node, out);
	task_put(task);
	return 0;
}

static int show_text(const struct synthetic_node *node, struct text_buffer *out)
{
	return proc_show_text(node, node->data, out);
}

/* The types of text files: by permissions, and whether only those may look who may trace the
 * process. */
#define TEXT_TYPE(symbol, file_mode, function, check)                                              \
	static const struct synthetic_type symbol = { .mode = S_IFREG | (file_mode),               \
						      .show = function,                            \
						      .valid = proc_node_valid,                    \
						      .attributes = proc_node_attributes,          \
						      .permission = check }
TEXT_TYPE(text_0444, 0444, show_text, nullptr);
TEXT_TYPE(text_0400, 0400, show_text, proc_node_permission);
TEXT_TYPE(memory_0444, 0444, proc_show_memory, nullptr);
TEXT_TYPE(memory_0444_traced, 0444, proc_show_memory, proc_node_permission);
TEXT_TYPE(memory_0400, 0400, proc_show_memory, proc_node_permission);

#ifdef CONFIG_DEBUG
#define DEBUG_FILES { "fail-nth", &proc_setting, &proc_fail_nth },
#else
#define DEBUG_FILES
#endif

/* Files that a thread has as well as a process. */
#define TASK_FILES                                                                                 \
	{ "arch_status", &text_0444, &proc_nothing_text },                                         \
		{ "attr", &proc_attribute_directory, &proc_attribute_table },                      \
		{ "auxv", &memory_0400, &proc_auxv_text },                                         \
		{ "cgroup", &text_0444, &proc_cgroup_text },                                       \
		{ "clear_refs", &proc_clear_refs, nullptr },                                       \
		{ "cmdline", &memory_0444, &proc_cmdline_text }, { "comm", &proc_comm, nullptr },  \
		{ "cpuset", &text_0444, &proc_cpuset_text }, { "cwd", &proc_cwd, nullptr },        \
		{ "environ", &memory_0400, &proc_environ_text }, { "exe", &proc_exe, nullptr },    \
		DEBUG_FILES{ "fd", &proc_fd_directory, nullptr },                                  \
		{ "fdinfo", &proc_fdinfo_directory, nullptr },                                     \
		{ "gid_map", &text_0444, &proc_id_map_text }, { "io", &text_0400, &proc_io_text }, \
		{ "limits", &text_0444, &proc_limits_text },                                       \
		{ "loginuid", &proc_setting, &proc_loginuid },                                     \
		{ "maps", &memory_0444_traced, &proc_maps_text }, { "mem", &proc_mem, nullptr },   \
		{ "mountinfo", &text_0444, &proc_mountinfo_text },                                 \
		{ "mounts", &text_0444, &proc_mounts_text },                                       \
		{ "net", &synthetic_directory, &proc_net_table },                                  \
		{ "ns", &proc_ns_directory, nullptr },                                             \
		{ "numa_maps", &memory_0444_traced, &proc_numa_maps_text },                        \
		{ "oom_adj", &proc_setting, &proc_oom_adj },                                       \
		{ "oom_score", &text_0444, &proc_oom_score_text },                                 \
		{ "oom_score_adj", &proc_setting, &proc_oom_score_adj },                           \
		{ "pagemap", &proc_pagemap, nullptr },                                             \
		{ "patch_state", &text_0400, &proc_patch_state_text },                             \
		{ "personality", &text_0400, &proc_personality_text },                             \
		{ "projid_map", &text_0444, &proc_id_map_text }, { "root", &proc_root, nullptr },  \
		{ "sched", &text_0444, &proc_sched_text },                                         \
		{ "schedstat", &text_0444, &proc_schedstat_text },                                 \
		{ "sessionid", &text_0444, &proc_unset_text },                                     \
		{ "setgroups", &text_0444, &proc_setgroups_text },                                 \
		{ "smaps", &memory_0444_traced, &proc_smaps_text },                                \
		{ "smaps_rollup", &memory_0444_traced, &proc_smaps_rollup_text },                  \
		{ "stack", &text_0400, &proc_stack_text },                                         \
		{ "stat", &text_0444, &proc_stat_text },                                           \
		{ "statm", &text_0444, &proc_statm_text },                                         \
		{ "status", &text_0444, &proc_status_text },                                       \
		{ "syscall", &text_0400, &proc_syscall_text },                                     \
		{ "uid_map", &text_0444, &proc_id_map_text },                                      \
	{                                                                                          \
		"wchan", &text_0444, &proc_wchan_text                                              \
	}

static const struct synthetic_named task_files[] = {
	TASK_FILES,
	{ "children", &text_0444, &proc_children_text },
};
static const struct synthetic_table task_table = SYNTHETIC_TABLE(task_files);

static const struct synthetic_type task_directory;

static const struct synthetic_named process_files[] = {
	TASK_FILES,
	{ "coredump_filter", &proc_setting, &proc_coredump_filter },
	{ "map_files", &proc_map_files_directory, nullptr },
	{ "mountstats", &text_0400, &proc_mountstats_text },
	{ "task", &task_directory, nullptr },
	{ "timers", &proc_timers, nullptr },
	{ "timerslack_ns", &proc_setting_of_all, &proc_timerslack },
};
static const struct synthetic_table process_table = SYNTHETIC_TABLE(process_files);

static const struct synthetic_table *table_of(const struct synthetic_node *node)
{
	return node->data ? &task_table : &process_table;
}

static int process_lookup(const struct synthetic_node *dir, const char *name,
			  struct synthetic_node *out)
{
	struct synthetic_node table = *dir;
	table.data = table_of(dir);
	return synthetic_table_lookup(&table, name, out);
}

static bool process_next_file(const struct synthetic_node *dir, u64 *cursor, char *name,
			      struct synthetic_node *out)
{
	struct synthetic_node table = *dir;
	table.data = table_of(dir);
	return synthetic_table_next(&table, cursor, name, out);
}

static bool process_valid(const struct synthetic_node *node)
{
	return proc_node_valid(node) && proc_mount_shows(node, node);
}

const struct synthetic_type proc_process_directory = {
	.mode = S_IFDIR | 0555,
	.lookup = process_lookup,
	.next = process_next_file,
	.valid = process_valid,
	.attributes = proc_node_attributes,
	.permission = proc_mount_permission,
};

int proc_file_process(struct file *file, struct process **out)
{
	const struct synthetic_node *node;

	if (!file->inode->superblock || file->inode->superblock->magic != PROC_SUPER_MAGIC)
		return -EBADF;
	node = synthetic_node_of(file->inode);
	if (node->type != &proc_process_directory || node->data)
		return -EBADF;
	return proc_node_process(node, out);
}

/* task/<tid>: the same directory with the smaller table. */

static void task_node(const struct synthetic_node *dir, int tid, struct synthetic_node *out)
{
	*out = (struct synthetic_node){
		.type = &proc_process_directory,
		.data = &task_table,
		.key = { [KEY_PROCESS] = (u32)dir->key[KEY_PROCESS] | (u64)(u32)tid << 32,
			 [KEY_BIRTH] = dir->key[KEY_BIRTH] },
	};
}

static int task_lookup(const struct synthetic_node *dir, const char *name,
		       struct synthetic_node *out)
{
	u64 tid;
	if (name[0] < '1' || name[0] > '9' || parse_u64(name, 10, &tid) || tid > INT32_MAX)
		return -ENOENT;
	task_node(dir, pid_resolve(proc_mount_of(dir)->ns, (int)tid), out);
	return proc_node_valid(out) ? 0 : -ENOENT;
}

static bool task_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		      struct synthetic_node *out)
{
	struct process *process;
	if (proc_node_process(dir, &process))
		return false;
	struct task *task = process_next_task(process, (int)*cursor + 1);
	process_put(process);
	if (!task)
		return false;
	*cursor = (u64)task->tid;
	(void)snprintf(name, NAME_MAX + 1, "%d", proc_number(dir, task->tid));
	task_node(dir, task->tid, out);
	task_put(task);
	return true;
}

static const struct synthetic_type task_directory = {
	.mode = S_IFDIR | 0555,
	.lookup = task_lookup,
	.next = task_next,
	.valid = proc_node_valid,
	.attributes = proc_node_attributes,
};
