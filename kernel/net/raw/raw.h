/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw and ping sockets, as those who list them see them (net/inet_list.h). */
#pragma once

#include <net/inet_socket.h>

/* Raw or ping socket number `position`, with a reference; null past the last. Any thread context. */
struct inet_node *raw_socket_get(unsigned position);
/* The protocol of a raw socket, which stands for its port in lists. */
u8 raw_socket_protocol(const struct inet_node *node);
/* Bytes that wait in it; inet.lock held. */
u32 raw_socket_queued(struct inet_socket *s) __must_hold(&s->lock);
