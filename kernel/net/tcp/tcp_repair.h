/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP_REPAIR (linux/tcp.h): a program takes a connection out of its socket, with its numbers and what both queues hold, and puts it into
 * another, perhaps on another machine; the peer does not notice. As long as a socket is under repair it neither sends data nor ends
 * the connection when it is closed or connected anew; connect(2) makes it established without a handshake; and what is sent and
 * received goes to and comes from the queue that TCP_REPAIR_QUEUE names. It takes CAP_NET_ADMIN.
 */
#pragma once

#include <lib/types.h>

struct socket;
struct socket_message;
struct tcp;

/* setsockopt(2) of the options for it, TCP_TIMESTAMP among them. -ENOPROTOOPT: it is none; -EPERM, -EINVAL, -EFBIG. */
[[nodiscard]] int tcp_repair_set(struct tcp *t, int option, const void *value, size_t length);
/* getsockopt(2) of the same. */
[[nodiscard]] int tcp_repair_get(struct tcp *t, int option, void *value, size_t *length);
/* connect(2) under repair, addresses and ports being set. Lock held. */
void tcp_repair_connect(struct tcp *t);
/* send(2) under repair: bytes for the receive queue, or an error; 0: go on, it is for the send queue. */
[[nodiscard]] ssize_t tcp_repair_send(struct tcp *t, struct socket_message *m);
/* recv(2) under repair. False: go on, it is for the receive queue; else *out is its result. */
[[nodiscard]] bool tcp_repair_receive(struct tcp *t, struct socket_message *m, ssize_t *out);
