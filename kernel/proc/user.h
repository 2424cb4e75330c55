/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a user has in use, over all processes: the counts behind RLIMIT_NPROC and RLIMIT_SIGPENDING. */
#pragma once

#include <lib/types.h>

struct user_account {
	u32 uid;
	u32 refs;
	u32 tasks;			/* atomic */
	u32 signals;			/* queued; atomic */
	u32 handles_in_flight;		/* SCM_RIGHTS, unix(7); atomic */
	u32 inotify_instances, watches; /* atomic */
	u64 mqueue_bytes;		/* RLIMIT_MSGQUEUE; atomic */
	struct user_account *next;
};

/* The account of a user, with a reference; made if there is none. -ENOMEM. May sleep. */
[[nodiscard]] int user_account_get(u32 uid, struct user_account **out);
void user_account_hold(struct user_account *account);
/* Any context. */
void user_account_put(struct user_account *account);
