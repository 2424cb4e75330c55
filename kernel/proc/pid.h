/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process numbers. One space of numbers names tasks, processes, groups and sessions; a number is free again when nothing
 * is named by it any more. Entries are embedded in what they name and found in one hash table.
 */
#pragma once

#include <core/lock.h>
#include <lib/types.h>

#define PID_MAX 32768 /* /proc/sys/kernel/pid_max */

enum pid_kind { PID_TASK, PID_PROCESS, PID_GROUP, PID_SESSION };

struct pid_entry {
	u32 number;
	u8 kind; /* enum pid_kind */
	struct pid_entry *next;
};

extern struct spinlock process_table_lock;

/*
 * Takes a free number, the next one in cyclic order, or exactly `wanted` if that is not 0. -EAGAIN: none left; -EEXIST: it is
 * taken; -EINVAL: out of range. The caller names something by it or gives it back with pid_free().
 */
[[nodiscard]] int pid_allocate(int wanted) __must_hold(&process_table_lock);
void pid_free(int number) __must_hold(&process_table_lock);

/* Names an object / ends that; the number is freed with its last entry. Readers under RCU may still see the entry. */
void pid_add(struct pid_entry *entry, enum pid_kind kind, int number)
	__must_hold(&process_table_lock);
void pid_remove(struct pid_entry *entry) __must_hold(&process_table_lock);

/* The entry of that kind and number, or null. Under RCU or process_table_lock. */
struct pid_entry *pid_lookup(enum pid_kind kind, int number);

/* The next number >= `number` that is in use, or -1. */
int pid_next(int number);

/* The number given out last, for /proc/loadavg. */
int pid_last(void);
