/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts of /proc: whose processes each shows, by which numbers, and to whom (proc(5), mount options). */
#pragma once

#include <fs/proc/proc_priv.h>
#include <proc/pid_namespace.h>

/* hidepid= */
enum proc_hide {
	PROC_HIDE_OFF = 0,
	PROC_HIDE_NO_ACCESS = 1,      /* the directories are seen, not entered */
	PROC_HIDE_INVISIBLE = 2,      /* they are not seen */
	PROC_HIDE_NOT_PTRACEABLE = 4, /* the same, and gid= does not help */
};

/* `private` of the superblock. */
struct proc_mount {
	struct pid_namespace *ns; /* that it was made in; holds a reference */
	enum proc_hide hide;
	u32 gid;	     /* of those from whom nothing is hidden */
	bool only_processes; /* subset=pid */
};

static inline const struct proc_mount *proc_mount_of(const struct synthetic_node *node)
{
	return node->superblock->private;
}

/* May the current task see a process, whose node `of` is, in the mount that `node` is in? */
bool proc_mount_shows(const struct synthetic_node *node, const struct synthetic_node *of);
/* The same of what is in its directory: 0 or -EPERM. */
[[nodiscard]] int proc_mount_permission(const struct synthetic_node *node, u32 mask);

/* The number of a task, process, group or session in the mount's name space; 0: it is not there. Numbers that are not positive stay. */
static inline int proc_number(const struct synthetic_node *node, int number)
{
	const struct pid_namespace *ns = proc_mount_of(node)->ns;

	return ns == &initial_pid_namespace || number <= 0 ? number : pid_alias(ns, number);
}

/* The file system, for proc_fs_init; `root` is its root directory's type. */
void proc_mount_init(const struct synthetic_type *root);
