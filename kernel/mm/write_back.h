/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write-back: dirty pages of objects with a home go to their disks when they are old, when they are
 * many, and when somebody asks. One kernel thread flushes; writers who are faster than the disk wait.
 */
#pragma once

#include <lib/types.h>

struct memory_object;

/* Starts writing every dirty page of the objects of a group (all of them: null); with `wait` returns
 * when they are written: 0 or the first error. For superblock_ops.sync. May sleep. */
[[nodiscard]] int write_back_group(const void *group, bool wait);

/*
 * After `pages` of the object became dirty: starts the flusher above vm.dirty_background_ratio, waits for the
 * disk above vm.dirty_ratio. Called by memory_object_write and write faults; no page is locked. May sleep.
 */
void write_back_balance(struct memory_object *object, unsigned pages);

/* Asks the flusher to clean about this many pages; does not wait. Any context. For reclaim. */
void write_back_wake(u64 pages);

/* For reclaim: has pages written and waits until some are, or the deadline. False: nothing is dirty, or time is up. */
[[nodiscard]] bool write_back_progress(u64 pages, u64 deadline_ns);

/* Pages dirty and on their way, for /proc/meminfo and /proc/vmstat. */
struct write_back_counts {
	u64 dirty, writing;		/* now */
	u64 dirtied_ever, written_ever; /* since boot */
	u64 background_limit, limit;
};
void write_back_counts(struct write_back_counts *out);

/* vm.dirty_*: see proc_sys_vm(5). */
struct write_back_settings {
	u32 background_ratio, ratio; /* percent of available memory */
	u64 background_bytes, bytes; /* instead of the ratios when not 0 */
	u32 expire_centiseconds, writeback_centiseconds;
};
extern struct write_back_settings write_back_settings;

/* Boot: starts the flusher, a kernel thread (kthread_start, of a higher layer). */
void write_back_init(int (*start_thread)(const char *name, void (*entry)(void *), void *arg));
