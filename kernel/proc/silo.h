/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Silos: processes confined as one. A silo is an object; who holds its handle configures, watches and ends it. A process
 * enters once and for good, and its children are born in it.
 *
 * (L1) A process in a silo finds only processes of it and of silos made in it, by whatever number and call.
 * (L2) Its capabilities (capabilities(7)) are within the silo's, whatever it executes.
 * (L3) It walks paths in the silo's own tree of mounts only; a directory that is not in it is not walked from.
 * (L4) What mm/budget.h names (pages, tables, mappings, stacks, structures) is charged to the silo's budget and to that of its maker; tasks
 * are counted.
 * (L5) What was denied is recorded. The ring keeps the newest records and counts those that were lost.
 * (L6) Its members share name spaces of process numbers, mounts, System V objects, host names and the network, which are the silo's own. No
 *      process of its name space of numbers is special: orphans go to the subreapers outside.
 * (L7) Once killed, no task is added; the kill is over when there is none left.
 * (L8) It has a level of integrity, at most that of its maker, which only sinks: what its members may send, and where, is bounded by it
 *      (ipc/channel_label.h).
 * (L9) Its network is its own, with a loopback device, unless CAIRN_SILO_ALLOW_NETWORK gives it the gate; its rules let sockets of
 *      the Internet be made in the gate, and there take and reach the names that they name (net/socket_policy.c).
 */
#pragma once

#include <core/lock.h>
#include <obj/object.h>
#include <sched/group.h>

#include <cairn/silo.h>

struct memory_budget;
struct namespace;
struct namespaces;
struct process;

#define SILO_EVENTS 128u

struct silo_event {
	u64 time_ns; /* CLOCK_MONOTONIC */
	u32 kind;    /* CAIRN_SILO_EVENT_* */
	int pid;
	u64 value;
	char name[16]; /* of the task */
};

struct silo {
	struct object object;
	struct silo *parent; /* the silo of its maker; holds a reference; may be null */
	struct memory_budget *budget;
	/* Of all members; mounts are its own once has_root is set, the network once it is entered. */
	struct namespaces *names;
	struct namespace *gate; /* the network that it is let out to; a reference */
	bool has_root;
	struct sched_group cpu; /* of all members' threads */
	u32 handle_limit;	/* of each process: caps RLIMIT_NOFILE */
	u32 integrity;		/* see silo_integrity() */
	u64 capabilities;
	u32 allow; /* CAIRN_SILO_ALLOW_* */
	u32 rule_count;
	/* Do not change once entered. */
	struct cairn_silo_network_rule rules[CAIRN_SILO_NETWORK_RULES];
	u32 task_limit;
	u32 tasks;		      /* atomic */
	bool entered, paused, killed; /* atomic */
	struct spinlock lock;	      /* RANK_SILO */
	struct silo_event events[SILO_EVENTS] __guarded_by(&lock);
	u32 first __guarded_by(&lock), count __guarded_by(&lock);
	u64 lost __guarded_by(&lock);
	u64 denied; /* atomic */
};

extern const struct object_type silo_type;

static inline struct silo *silo_of(struct object *object)
{
	return container_of(object, struct silo, object);
}

/*
 * A silo in the current one, with nothing but default limits. Its budget is below `budget` (null: none), reserved there or not
 * (mm/budget.h), with this limit. -ENOMEM.
 */
[[nodiscard]] int silo_create(struct memory_budget *budget, bool reserved, u64 limit,
			      struct silo **out);
/* What one takes out of the allocator. */
u64 silo_bytes(void);
/* Kills its members, and gives back what its budget has reserved. May sleep. */
void silo_end(struct silo *silo);

/* Gives it a tree of mounts; consumes the reference. -EBUSY: it was entered. */
[[nodiscard]] int silo_set_mounts(struct silo *silo, struct namespace *mounts);

/* Adds a rule. -EBUSY, -ENOSPC. */
[[nodiscard]] int silo_add_rule(struct silo *silo, const struct cairn_silo_network_rule *rule);

/* `inner` is `outer` or was made in it; outer null: always. */
bool silo_contains(const struct silo *outer, const struct silo *inner);

/* The least level of it and the silos around it; null: CAIRN_INTEGRITY_HIGHEST. */
unsigned silo_integrity(const struct silo *silo);
/* Lowers its level. -EPERM: it would rise. */
[[nodiscard]] int silo_lower_integrity(struct silo *silo, u64 level);

/* Handles in the tables of its processes. May sleep. */
unsigned silo_handles(const struct silo *silo);

/* The current task's; null: none. */
struct silo *current_silo(void);
/* May the current task know of this process? */
bool silo_sees(const struct process *process);

/* One more task. -EAGAIN: the limit, or it was killed. Null: no limit. */
[[nodiscard]] int silo_task_add(struct silo *silo);
void silo_task_drop(struct silo *silo);

/* Appends a record; the current task is who did it. Any context. */
void silo_record(struct silo *silo, u32 kind, u64 value);
/* Something was denied to the current task: records it in its silo, if it has one. */
void silo_denied(u32 kind, u64 value);
/* Takes the oldest record. -EAGAIN. *lost: how many were dropped since the last call. */
[[nodiscard]] int silo_event_take(struct silo *silo, struct silo_event *out, u64 *lost);

/* The current process, of one task, becomes a member. -EBUSY: it has more tasks; -EPERM: its silo or name space
 * of process numbers is not where this one was made; -EAGAIN as silo_task_add; -ENOMEM. */
[[nodiscard]] int silo_join(struct silo *silo);

/* Sends a signal to all members. Kill waits for their end: 0, -ERESTARTSYS. */
void silo_signal(struct silo *silo, int signo);
[[nodiscard]] int silo_kill(struct silo *silo);

/* Boot. */
void silo_init(void);
