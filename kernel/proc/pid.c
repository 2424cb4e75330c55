/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of tasks, processes, groups and sessions: a bitmap of numbers and one hash table of what they name. */
#include <core/rcu.h>
#include <lib/errno.h>
#include <proc/pid_namespace.h>

#define PID_BUCKETS 512
#define PID_RESERVED                                                                               \
	300 /* after the first round, low numbers stay with the daemons that got them at boot */

struct spinlock process_table_lock = SPINLOCK_INIT(RANK_PROCESS_TABLE);

static u64 pid_used[PID_MAX / 64] = { [0] = 1 };
static u32 last_pid;
static struct pid_entry *buckets[PID_BUCKETS];

static struct pid_entry **pid_bucket(u32 number)
{
	return &buckets[number % PID_BUCKETS];
}

/* The first free number in [from, to), or 0. */
static u32 find_free(u32 from, u32 to)
{
	while (from < to) {
		u64 free = ~pid_used[from / 64] >> from % 64;

		if (free) {
			from += (u32)__builtin_ctzll(free);
			return from < to ? from : 0;
		}
		from = (from / 64 + 1) * 64;
	}
	return 0;
}

static bool number_used(u32 number)
{
	return pid_used[number / 64] >> number % 64 & 1;
}

int pid_allocate(int wanted)
{
	u32 number;

	if (wanted) {
		if (wanted < 0 || wanted >= PID_MAX)
			return -EINVAL;
		if (number_used((u32)wanted))
			return -EEXIST;
		number = (u32)wanted;
	} else {
		number = find_free(last_pid + 1, PID_MAX);
		if (!number)
			number = find_free(PID_RESERVED, PID_MAX);
		if (!number)
			return -EAGAIN;
		last_pid = number;
	}
	pid_used[number / 64] |= 1ull << number % 64;
	return (int)number;
}

void pid_free(int number)
{
	pid_used[number / 64] &= ~(1ull << number % 64);
}

void pid_add(struct pid_entry *entry, enum pid_kind kind, int number)
{
	struct pid_entry **bucket = pid_bucket((u32)number);

	entry->number = (u32)number;
	entry->kind = kind;
	entry->next = *bucket;
	rcu_assign(*bucket, entry);
}

void pid_remove(struct pid_entry *entry)
{
	struct pid_entry **link = pid_bucket(entry->number);
	bool shared = false;

	while (*link) {
		if (*link == entry) {
			rcu_assign(*link, entry->next);
			continue;
		}
		shared |= (*link)->number == entry->number;
		link = &(*link)->next;
	}
	if (!shared) {
		pid_aliases_remove_locked((int)entry->number);
		pid_free((int)entry->number);
	}
}

struct pid_entry *pid_lookup(enum pid_kind kind, int number)
{
	struct pid_entry *entry;

	if (number <= 0)
		return nullptr;
	entry = rcu_dereference(*pid_bucket((u32)number));
	while (entry && (entry->number != (u32)number || entry->kind != kind))
		entry = rcu_dereference(entry->next);
	return entry;
}

int pid_next(int number)
{
	for (u32 n = (u32)MAX(number, 1); n < PID_MAX; n = (n / 64 + 1) * 64) {
		u64 used = READ_ONCE(pid_used[n / 64]) >> n % 64;

		if (used)
			return (int)(n + (u32)__builtin_ctzll(used));
	}
	return -1;
}

int pid_last(void)
{
	return (int)READ_ONCE(last_pid);
}
