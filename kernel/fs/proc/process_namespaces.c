/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/<pid>/ns: a link for each name space of a task. */
#include <fs/proc/proc_priv.h>

#include <lib/errno.h>
#include <proc/pid_namespace.h>
#include <vfs/namespace_file.h>

/* data of a link: which one. */
struct link {
	enum namespace_kind kind;
	bool own; /* of pid: the one that the process is in, not that of its children */
};
static const struct link ipc = { NAMESPACE_IPC, false }, mnt = { NAMESPACE_MOUNT, false },
			 pid = { NAMESPACE_PID, true }, pid_for_children = { NAMESPACE_PID, false },
			 net = { NAMESPACE_NETWORK, false }, uts = { NAMESPACE_UTS, false };

static int namespace_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	const struct link *link = node->data;
	struct namespaces *set;
	struct task *task;
	int err = proc_node_permission(node, 0);

	(void)text;
	if (!err)
		err = proc_node_task(node, &task);
	if (err)
		return err;
	set = task_namespaces_get(task);
	if (link->own)
		err = namespace_path(&task->process->pid_namespace->base, path);
	else
		err = set ? namespace_path(set->of[link->kind], path) : -ENOENT;
	if (set)
		namespaces_put(set);
	task_put(task);
	return err;
}

static const struct synthetic_type namespace_link = {
	.mode = S_IFLNK | 0777,
	.read_link = namespace_read_link,
	.valid = proc_node_valid,
	.attributes = proc_node_attributes,
};

static const struct synthetic_named links[] = {
	{ "ipc", &namespace_link, &ipc },
	{ "mnt", &namespace_link, &mnt },
	{ "net", &namespace_link, &net },
	{ "pid", &namespace_link, &pid },
	{ "pid_for_children", &namespace_link, &pid_for_children },
	{ "uts", &namespace_link, &uts },
};
static const struct synthetic_table table = SYNTHETIC_TABLE(links);

static int ns_lookup(const struct synthetic_node *dir, const char *name, struct synthetic_node *out)
{
	struct synthetic_node with_table = *dir;

	with_table.data = &table;
	return synthetic_table_lookup(&with_table, name, out);
}

static bool ns_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		    struct synthetic_node *out)
{
	struct synthetic_node with_table = *dir;

	with_table.data = &table;
	return synthetic_table_next(&with_table, cursor, name, out);
}

const struct synthetic_type proc_ns_directory = {
	.mode = S_IFDIR | 0511,
	.lookup = ns_lookup,
	.next = ns_next,
	.valid = proc_node_valid,
	.attributes = proc_node_attributes,
	.permission = proc_node_permission,
};
