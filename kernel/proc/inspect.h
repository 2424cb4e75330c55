/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at tasks other than the current one: /proc, ptrace, process_vm_readv. */
#pragma once

#include <proc/task.h>

/*
 * The address space of a process, with a reference and a user so that its mappings stay; null once it has exited.
 * process_aspace_put() gives both back and may sleep.
 */
struct aspace *process_aspace_get(struct process *process);
void process_aspace_put(struct aspace *as);

/* The pool of handles of a task, with an object reference but no user; null once it has exited. */
struct pool *task_pool_get(struct task *task);

/* The file system context of a task, with a reference for proc_hooks.fs_put; null once it has exited. */
struct fs_context *task_fs_get(struct task *task);

/* One letter as in /proc/<pid>/stat: R, S, D, T, t, Z, X, I. */
char task_state_letter(const struct task *task);

/* The process that traces the task; 0: none. */
int task_tracer_pid(struct task *task);

/* Sets of signals, each as a mask: pending of the task and of the process, blocked, ignored, caught; and the queue's length. */
struct signal_summary {
	u64 pending, shared_pending, blocked, ignored, caught;
	u64 queued, queue_limit;
};
void task_signal_summary(struct task *task, struct signal_summary *out);

/* Numbers of the relations, taken together: parent, group, session, terminal (as stat's tty_nr), foreground group. */
struct process_relations {
	int parent, group, session, foreground;
	u64 terminal; /* device number; 0: none */
};
void process_relations(struct process *process, struct process_relations *out);

/* Device number of a terminal; filled in by dev/tty at boot, because proc does not know what a terminal is. */
extern u64 (*inspect_terminal_device)(struct tty *tty);
