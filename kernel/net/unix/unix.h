/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AF_UNIX: what the rest of the kernel sees of it. */
#pragma once

#include <lib/types.h>

/* One socket as /proc/net/unix and sock_diag tell it. */
struct unix_description {
	u32 refs;
	int type, state; /* SOCK_*; SS_* of <linux/net.h> */
	bool listening;
	u64 inode, peer_inode; /* 0: none */
	u32 queued, room;      /* bytes to read; for a listener connections and backlog */
	u32 uid;
	char name[110]; /* a path, or "@name" */
	u64 cookie;
};

struct network_namespace;

/* Calls visit for each socket of a name space; under a spinlock: it must not sleep. False ends it. */
void unix_for_each(const struct network_namespace *network,
		   bool (*visit)(const struct unix_description *socket, void *arg), void *arg);

/* Boot. */
void unix_init(void);
