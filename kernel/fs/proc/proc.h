/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc (proc(5)): processes and the state of the kernel as files. */
#pragma once

struct file;
struct pid_namespace;
struct process;
struct superblock;
struct synthetic_node;
struct task;

/* The process whose directory /proc/<pid> an open file is, with a reference. -EBADF: it is no such directory; -ESRCH. */
[[nodiscard]] int proc_file_process(struct file *file, struct process **out);

/* The task of a node below /proc/<pid>/task/<tid>, or the leader of that below /proc/<pid>; with a reference. -ESRCH: it is gone. */
[[nodiscard]] int proc_node_task(const struct synthetic_node *node, struct task **out);

/* A /proc that shows the processes of a name space. -ENOMEM. */
[[nodiscard]] int proc_superblock_create(struct pid_namespace *ns, struct superblock **out);

/* Boot, after vfs_init. */
void proc_fs_init(void);
