/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AF_PACKET (packet(7)). */
#pragma once

#include <lib/types.h>

struct network_namespace;

/* One socket of a name space, for /proc/net/packet; under RCU. */
struct packet_description {
	int type, device_index;
	u16 protocol;
	u32 queued, uid;
	u64 inode;
};
void packet_socket_for_each(const struct network_namespace *network,
			    void (*visit)(const struct packet_description *socket, void *arg),
			    void *arg);

/* Boot. */
void packet_socket_init(void);
