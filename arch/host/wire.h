/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A wire between the hosts of net.h: it cuts large packets into segments, and loses, delays, overtakes, doubles and marks
 * them as a test says. Time jumps from one event to the next.
 */
#pragma once

#include "net.h"

#include <net/tcp/tcp.h>

/* A segment on its way, its numbers in host byte order. */
struct wire_segment {
	struct inet_address source, destination;
	u16 source_port, destination_port;
	u32 seq, ack;
	u8 flags;
	u16 window;
	u32 length; /* payload */
};

struct wire {
	/* Chances of a million. */
	u32 loss, duplicate, reorder, mark;
	u64 delay_ns, late_ns; /* late: at most how much more, of those that are overtaken */
	u64 byte_ns;	       /* of a bottleneck, with room for queue_bytes; 0: none */
	u32 queue_bytes;
	u32 mtu; /* larger packets are dropped and complained of; 0: none is */
	/* Looks at every segment; true: it is lost. May be null. */
	bool (*look)(const struct wire_segment *s);
	/* What happened. */
	u64 segments, lost, too_big, marked;
};
extern struct wire wire;

/* Once in a process, in place of host_net_init: a wire without faults, 10 ms long. */
void wire_init(u64 seed);
/* The next thing happens: a delivery or a timer, not after `limit_ns`. False: there is none until then, and the
 * time is limit_ns, unless that is UINT64_MAX. */
bool wire_step(u64 limit_ns);
/* Sends a segment from nowhere, with s->length zeros as payload (a hundred at most); a SYN with an MSS of 1460. */
void wire_forge(const struct wire_segment *s);
/* Loses what is on its way. */
void wire_clear(void);

/* A connection from host 1 to `port` of host 2; panics if there comes none. */
void wire_connect(u16 port, struct socket **client, struct socket **server);
/* Writes bytes that follow from their place in the stream, as many as fit; how many, or -errno. */
ssize_t wire_write(struct socket *socket, size_t bytes);
/* Reads at most so many and compares them; how many, 0 at the end, -errno, -EBADMSG for wrong ones. */
ssize_t wire_read(struct socket *socket, size_t bytes);
/* Moves bytes from one to the other, within `limit_ns`. False: they did not come. */
bool wire_transfer(struct socket *from, struct socket *to, size_t bytes, u64 limit_ns);
/* Lets time pass. */
void wire_run(u64 ns);
/* Ends both sides, and waits until nothing is left of them. */
void wire_close(struct socket *one, struct socket *two);
