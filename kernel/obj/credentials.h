/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credentials (credentials(7), capabilities(7)): an immutable, reference counted set that tasks and
 * open files share. To change, copy, edit and install with task_set_credentials().
 */
#pragma once

#include <core/rcu.h>
#include <lib/types.h>

#include <linux/capability.h>

struct group_list {
	u32 refs;
	unsigned count;
	u32 groups[] __counted_by(count); /* sorted */
};

struct credentials {
	u32 refs;
	u32 uid, euid, suid, fsuid;
	u32 gid, egid, sgid, fsgid;
	struct group_list *groups; /* owned reference; null: none */
	u64 capabilities_permitted, capabilities_effective, capabilities_inheritable;
	u64 capabilities_bounding, capabilities_ambient;
	u32 securebits;
	struct rcu_head rcu; /* other tasks look at a task's credentials under RCU */
};

/* The all-powerful set of the kernel and init. Never freed. */
extern struct credentials kernel_credentials;

void credentials_get(const struct credentials *c);
/* Any context. */
void credentials_put(const struct credentials *c);
/* For a pointer read under RCU: false if the last reference is gone. */
[[nodiscard]] bool credentials_get_unless_zero(const struct credentials *c);
/* A list of `count` groups to be filled in and then sorted, with one reference. -ENOMEM. */
[[nodiscard]] int group_list_create(unsigned count, struct group_list **out);
void group_list_sort(struct group_list *list);
void group_list_put(struct group_list *list); /* null does nothing */
/* An editable copy with one reference. -ENOMEM. */
[[nodiscard]] int credentials_copy(const struct credentials *from, struct credentials **out);

/* Those of the current task (kernel_credentials in a kernel thread); borrowed: valid until the task
 * changes them. */
const struct credentials *current_credentials(void);

/* capable(CAP_*): the current task's effective set has it. */
bool capable(unsigned capability);
/* Set by proc: told when capable() says no. Any context. */
extern void (*capability_denied_hook)(unsigned capability);
/* `gid` is the fsgid or among the supplementary groups. */
bool credentials_in_group(const struct credentials *c, u32 gid);
/* Set by proc at boot; before it, kernel_credentials are current. */
extern const struct credentials *(*credentials_hook)(void);
