/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merging TCP segments that come one after the other into one large packet, so that the layers above run, and
 * acknowledge, once for many. A driver has one merger for each receive queue and flushes it when the queue is empty.
 */
#pragma once

#include <net/packet_buffer.h>

struct packet_merger {
	struct packet *held; /* what the next segment may join; null: none */
	u32 next_seq;
	u16 headers; /* bytes, from the Internet header on */
};

/*
 * A packet as for net_receive, whose first fragment is what follows in the same page behind the linear bytes, which came
 * from that page, too. Takes it; hands on what was held if it cannot join. Thread context, preemption off.
 */
void packet_merge(struct packet_merger *merger, struct packet *packet);
/* Hands on what is held. Thread context, preemption off. */
void packet_merge_flush(struct packet_merger *merger);
