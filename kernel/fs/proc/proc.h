/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc (proc(5)): processes and the state of the kernel as files. */
#pragma once

struct file;
struct process;

/* The process whose directory /proc/<pid> an open file is, with a reference. -EBADF: it is no such directory; -ESRCH. */
[[nodiscard]] int proc_file_process(struct file *file, struct process **out);

/* Boot, after vfs_init. */
void proc_fs_init(void);
