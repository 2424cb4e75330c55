/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seccomp (seccomp(2)): programs of classic BPF that decide about each system call of a task. Filters form a tree: a new one refers to
 * the one that was there before, and all of a path are run, the most restrictive result counts. They never go before the task.
 */
#pragma once

#include <lib/types.h>

#include <linux/filter.h>

struct seccomp_filter;
struct task;
struct trap_frame;

/* Only read, write, _exit and sigreturn from here on. -EINVAL: another mode is set. */
[[nodiscard]] int seccomp_set_strict(void);

/*
 * Adds a filter to the current task; `flags`: SECCOMP_FILTER_FLAG_*. `program` is kernel memory. With TSYNC all tasks of the process get
 * it; the number of the first one that cannot (or -ESRCH with TSYNC_ESRCH). -EACCES: neither no_new_privs nor CAP_SYS_ADMIN;
 * -EINVAL: a bad program or flag, strict mode; -ENOMEM: no memory, or a path that is too long.
 */
[[nodiscard]] int seccomp_add_filter(const struct sock_filter *program, size_t count, u32 flags);

/* -EOPNOTSUPP: no such SECCOMP_RET_* action here. */
[[nodiscard]] int seccomp_action_available(u32 action);

/* Decides about the call in the frame. False: it is not to be done, its result is in the frame. May end the task. */
bool seccomp_enter(struct trap_frame *frame);

/* A new task has what the current one has. */
void seccomp_inherit(struct task *child);
/* How many filters decide. */
unsigned seccomp_filter_count(const struct task *task);
void seccomp_filter_put(struct seccomp_filter *filter);
