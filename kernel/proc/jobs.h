/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs do with process groups and sessions; who may look into a process. */
#pragma once

struct process;

/* 0 if it has none. */
int process_parent_pid(struct process *process);

/* The group (or session) number of a process, 0 meaning the current one. -ESRCH. */
[[nodiscard]] int process_job_ids(int pid, bool session);

/* setpgid(2) with its errors. */
[[nodiscard]] int process_set_group(int pid, int pgid);

/* setsid(2): the number of the new session, or -EPERM, -ENOMEM. */
[[nodiscard]] int process_new_session(void);

/* The current task may read and change the process's memory and handles (ptrace(2), "access mode checking"). 0, -EPERM. */
[[nodiscard]] int process_may_access(struct process *process);
