/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of /proc: fixed names, then a directory for each process.
 */
#include <fs/proc/proc.h>
#include <fs/proc/proc_priv.h>

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

static int root_lookup(const struct synthetic_node *dir, const char *name,
		       struct synthetic_node *out)
{
	struct synthetic_node table = { .data = &proc_system_table };
	bool shown = !dir->key[KEY_EXTRA] || !strcmp(name, "self") || !strcmp(name, "thread-self");
	if (shown && synthetic_table_lookup(&table, name, out) == 0)
		return 0;
	int pid;
	struct process *process;
	if (!parse_pid(name, &pid))
		return -ENOENT;
	pid = pid_resolve(dir->data, pid);
	if (process_find_global(pid, &process) == 0) {
		proc_process_node(process, out);
		process_put(process);
		return 0;
	}
	/* A thread has a directory too, which the listing does not show. */
	struct task *task;
	if (task_find_global(pid, &task))
		return -ENOENT;
	proc_process_node(task->process, out);
	out->key[KEY_PROCESS] |= (u64)(u32)pid << 32;
	task_put(task);
	return 0;
}

static bool root_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		      struct synthetic_node *out)
{
	struct synthetic_node table = { .data = &proc_system_table };
	while (synthetic_table_next(&table, cursor, name, out)) {
		if (!dir->key[KEY_EXTRA] || !strcmp(name, "self") || !strcmp(name, "thread-self"))
			return true;
	}
	u64 first = proc_system_table.count;
	struct process *process = process_next((int)(*cursor - first) + 1);
	int pid = 0;
	while (process && !(pid = pid_alias(dir->data, process->pid))) {
		int hidden = process->pid;
		process_put(process);
		process = process_next(hidden + 1);
	}
	if (!process)
		return false;
	*cursor = first + (u64)process->pid;
	(void)snprintf(name, NAME_MAX + 1, "%d", pid);
	proc_process_node(process, out);
	process_put(process);
	return true;
}

static const struct synthetic_type root = {
	.mode = S_IFDIR | 0555,
	.lookup = root_lookup,
	.next = root_next,
};

/* A mount shows the processes of the name space that it was made in. */
static void proc_destroy(struct superblock *sb)
{
	struct pid_namespace *ns = sb->private;
	if (ns)
		namespace_put(&ns->base);
}

static const struct superblock_ops proc_superblock_ops = {
	.statfs = superblock_statfs_simple,
	.destroy = proc_destroy,
};

static int proc_create(const struct file_system_type *type, struct pid_namespace *ns,
		       bool only_processes, struct superblock **out)
{
	struct synthetic_node node = { .type = &root, .data = ns };
	node.key[KEY_EXTRA] = only_processes;
	int err = synthetic_mount(type, PROC_SUPER_MAGIC, &node, out);
	if (err)
		return err;
	namespace_get(&ns->base);
	(*out)->private = ns;
	(*out)->ops = &proc_superblock_ops;
	return 0;
}

static int proc_mount(const struct file_system_type *type, const char *source, u32 flags,
		      const char *data, struct superblock **out)
{
	(void)source;
	(void)flags;
	return proc_create(type, current_pid_namespace(), data && strstr(data, "subset=pid"), out);
}

static struct file_system_type proc_type = {
	.name = "proc",
	.user_visible = true,
	.mount = proc_mount,
};

int proc_superblock_create(struct pid_namespace *ns, struct superblock **out)
{
	return proc_create(&proc_type, ns, false, out);
}

void proc_fs_init(void)
{
	file_system_register(&proc_type);
}
