/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What TCP stands on, on the host: a clock that the test moves, timers that it fires, and an Internet layer that
 * hands it every packet. All hosts that a test plays share the tables of one name space; addresses tell them apart.
 */
#pragma once

#include <net/protocol.h>
#include <net/socket.h>

/* Once in a process: sets the clock to 1 s, prepares packets and TCP. */
void host_net_init(u64 seed);

/* The time, once it is set: it moves only when the test says so. */
extern u64 host_clock_ns;
/* When the first timer is due; UINT64_MAX: none. */
u64 host_net_next_timer(void);
/* Fires what is due, and runs queued tasks. */
void host_net_run_timers(void);

/* MTU of every route. */
extern u32 host_net_mtu;
/* Gets each packet that is sent, data at the transport header; takes it. */
extern void (*host_net_output)(struct packet *packet, const struct inet_flow *flow);

/* Random numbers of the seed, also those that the kernel code gets. */
u64 host_net_random(void);
void host_net_seed(u64 seed);

/* A TCP socket over IPv4, null without memory; ops->release and host_net_socket_free end it. */
struct socket *host_net_socket(void);
void host_net_socket_free(struct socket *socket);
/* 10.0.0.`host`, port `port`. */
struct socket_address host_net_address(unsigned host, u16 port);
