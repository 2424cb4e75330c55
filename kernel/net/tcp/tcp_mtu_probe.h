/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The largest packet that a path lets through, found without ICMP (RFC 4821, net.ipv4.tcp_mtu_probing): one that swallows what is too
 * large and says nothing would stop a connection for good.
 *
 * All packets are of `low` bytes, which have been seen to get through, or are small enough to be hoped to; nothing is larger than
 * `high`. Where the window lets it, one segment (RECORD_PROBE) is sent in a packet half way between; if it comes through, `low` moves,
 * and if it alone is lost, `high` does: that is no sign of congestion (7.7). Time-outs one after the other take `low` down.
 */
#pragma once

#include <lib/types.h>

struct tcp;
struct tcp_record;

struct tcp_mtu_probe {
	bool on;
	u32 low, high; /* of packets, with all headers */
	u32 size;      /* of the probe that is out; 0: none is */
	u32 end;       /* sequence number behind the latest probe */
	u32 lost;      /* its bytes, while it is lost and counts as no congestion */
	u64 done_ns;   /* when the search was over; 0: it goes on */
};

/* Lock held, for all of them. */

/* Data may be sent from now on: begins the search if the setting is 2. */
void tcp_mtu_probe_begin(struct tcp *t);
/* The retransmission timer ran out again and again: begins the search, or goes on with smaller packets. */
void tcp_mtu_probe_timeout(struct tcp *t);
/* How many bytes a segment has that is to be sent next as a probe; 0: none is due. While it is on. */
[[nodiscard]] u32 tcp_mtu_probe_due(struct tcp *t);
/* A probe came through, was lost, or says nothing because it is sent again, or in pieces. */
void tcp_mtu_probe_passed(struct tcp *t, struct tcp_record *r);
void tcp_mtu_probe_lost(struct tcp *t, struct tcp_record *r);
void tcp_mtu_probe_abandon(struct tcp *t, struct tcp_record *r);
/* A router says how large packets may be. */
void tcp_mtu_probe_told(struct tcp *t, u32 mtu);
