/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of /proc. */
#pragma once

#include <fs/proc/proc.h>
#include <fs/synthetic/synthetic.h>
#include <proc/task.h>

/* Keys of nodes below /proc/<pid>: which process (its number and birth tell it from a later one),
 * task, descriptor. */
#define KEY_PROCESS 0 /* pid in the low half, tid in the high half: 0 for the process itself */
#define KEY_BIRTH 1   /* process->start_ns */
#define KEY_EXTRA 2

/* The process of a node, with a reference. -ESRCH: it is gone. */
[[nodiscard]] int proc_node_process(const struct synthetic_node *node, struct process **out);

/* synthetic_type operations that most per-process nodes use. */
bool proc_node_valid(const struct synthetic_node *node);
void proc_node_attributes(const struct synthetic_node *node, struct inode *inode);
/* As ptrace(2) access mode PTRACE_MODE_READ: for files that show memory or descriptors. */
int proc_node_permission(const struct synthetic_node *node, u32 mask);

/* Clock ticks of 1/100 s, as USER_HZ. */
static inline u64 ticks_of_ns(u64 ns)
{
	return ns / 10000000;
}

extern const struct synthetic_type proc_process_directory; /* /proc/<pid> */
extern const struct synthetic_type proc_fd_directory;	   /* fd/ */
extern const struct synthetic_type proc_fdinfo_directory;  /* fdinfo/ */
extern const struct synthetic_type proc_ns_directory;	   /* ns/ */
extern const struct synthetic_table proc_sys_table;	   /* /proc/sys */
extern const struct synthetic_table proc_system_table;	   /* fixed names of /proc */

/* The node of a process's directory. */
void proc_process_node(struct process *process, struct synthetic_node *out);

/*
 * What the text files about a task show: the `data` of their nodes. The shared types below find the
 * task or its address space, call this, and let go again.
 */
struct proc_text {
	void (*show)(struct task *task, const struct synthetic_node *node, struct text_buffer *out);
};
struct proc_memory_text {
	void (*show)(struct aspace *as, struct text_buffer *out);
};
[[nodiscard]] int proc_show_text(const struct synthetic_node *node, const struct proc_text *text,
				 struct text_buffer *out);
[[nodiscard]] int proc_show_memory(const struct synthetic_node *node, struct text_buffer *out);

extern const struct proc_text proc_stat_text, proc_statm_text, proc_status_text,
	proc_schedstat_text, proc_sched_text, proc_children_text, proc_io_text, proc_limits_text,
	proc_mounts_text, proc_mountinfo_text, proc_mountstats_text, proc_oom_score_text,
	proc_wchan_text, proc_stack_text, proc_syscall_text, proc_personality_text,
	proc_cgroup_text, proc_id_map_text, proc_setgroups_text, proc_unset_text, proc_cpuset_text,
	proc_patch_state_text, proc_nothing_text;
extern const struct proc_memory_text proc_maps_text, proc_smaps_text, proc_smaps_rollup_text,
	proc_numa_maps_text, proc_cmdline_text, proc_environ_text, proc_auxv_text;

/* Where the name of a mapping begins in its line. */
#define LABEL_COLUMN 73

/* A line of maps. `path_buf` has PATH_MAX bytes. Needs as->lock, shared or not. */
void proc_show_mapping(struct text_buffer *out, const struct aspace *as, const struct vma *vma,
		       char *path_buf);

/* A number of a task or its process that can be set: the `data` of nodes of the two types, which only their owner may open, or all. */
struct proc_setting {
	struct proc_text text;
	s64 min, max;
	int (*set)(struct task *task, s64 value); /* 0 or -errno */
};
extern const struct proc_setting proc_loginuid, proc_oom_adj, proc_oom_score_adj, proc_timerslack,
	proc_coredump_filter, proc_fail_nth;
extern const struct synthetic_type proc_setting, proc_setting_of_all;

/* Files and links with operations of their own. */
extern const struct synthetic_type proc_comm, proc_exe, proc_cwd, proc_root, proc_mem, proc_pagemap,
	proc_clear_refs, proc_timers;
extern const struct synthetic_type proc_map_files_directory, proc_attribute_directory;
extern const struct synthetic_table proc_attribute_table;
