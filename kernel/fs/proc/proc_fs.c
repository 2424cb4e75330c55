/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of /proc: fixed names, then a directory for each process.
 */
#include <fs/proc/proc.h>
#include <fs/proc/proc_mount.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/pid_namespace.h>

#include <linux/magic.h>

void proc_process_node(struct process *process, struct synthetic_node *out)
{
	*out = (struct synthetic_node){
		.type = &proc_process_directory,
		.key = { [KEY_PROCESS] = (u64)(u32)process->pid, [KEY_BIRTH] = process->start_ns },
	};
}

static bool parse_pid(const char *name, int *pid)
{
	u64 value;
	if (name[0] < '1' || name[0] > '9' || parse_u64(name, 10, &value) || value > INT32_MAX)
		return false;
	*pid = (int)value;
	return true;
}

/* One of the names beside the processes. */
static bool is_shown(const struct proc_mount *m, const char *name)
{
	return !READ_ONCE(m->only_processes) || !strcmp(name, "self") ||
	       !strcmp(name, "thread-self");
}

static int root_lookup(const struct synthetic_node *dir, const char *name,
		       struct synthetic_node *out)
{
	struct synthetic_node table = { .data = &proc_system_table };
	const struct proc_mount *m = proc_mount_of(dir);
	if (is_shown(m, name) && synthetic_table_lookup(&table, name, out) == 0)
		return 0;
	int pid;
	struct process *process;
	if (!parse_pid(name, &pid))
		return -ENOENT;
	pid = pid_resolve(m->ns, pid);
	if (process_find_global(pid, &process) == 0) {
		proc_process_node(process, out);
		process_put(process);
		return proc_mount_shows(dir, out) ? 0 : -ENOENT;
	}
	/* A thread has a directory too, which the listing does not show. */
	struct task *task;
	if (task_find_global(pid, &task))
		return -ENOENT;
	proc_process_node(task->process, out);
	out->key[KEY_PROCESS] |= (u64)(u32)pid << 32;
	task_put(task);
	return proc_mount_shows(dir, out) ? 0 : -ENOENT;
}

static bool root_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		      struct synthetic_node *out)
{
	const struct proc_mount *m = proc_mount_of(dir);
	struct synthetic_node table = { .data = &proc_system_table };
	while (synthetic_table_next(&table, cursor, name, out)) {
		if (is_shown(m, name))
			return true;
	}
	u64 first = proc_system_table.count;
	for (int next = (int)(*cursor - first) + 1;;) {
		struct process *process = process_next(next);
		if (!process)
			return false;
		int pid = pid_alias(m->ns, process->pid);
		next = process->pid + 1;
		proc_process_node(process, out);
		process_put(process);
		if (!pid || !proc_mount_shows(dir, out))
			continue;
		*cursor = first + (u64)next - 1;
		(void)snprintf(name, NAME_MAX + 1, "%d", pid);
		return true;
	}
}

static const struct synthetic_type root = {
	.mode = S_IFDIR | 0555,
	.lookup = root_lookup,
	.next = root_next,
};

void proc_fs_init(void)
{
	proc_mount_init(&root);
}
