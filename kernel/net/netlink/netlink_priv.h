/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of AF_NETLINK. */
#pragma once

#include <net/netlink/netlink.h>

/* What a datagram of a dump holds at most: programs read with buffers of a page. */
#define NETLINK_DATAGRAM_MAX 3776u

/* Queues a datagram from the kernel to a socket, however full it is. -ENOMEM. */
int netlink_unicast(struct netlink_socket *to, const void *data, size_t size);
/* Sends what is complete in the writer. */
void netlink_flush(struct netlink_writer *w);
/* Acknowledges a request, or tells what went wrong (netlink(7), NLMSG_ERROR). */
void netlink_acknowledge(struct netlink_request *request, int error, bool capped, bool extended);
/* Handles the requests in a datagram that a program sent. */
void netlink_dispatch(struct netlink_socket *from, struct network_namespace *network,
		      const struct netlink_protocol *protocol, const void *data, size_t size);
u32 netlink_port(const struct netlink_socket *socket);
/* NETLINK_CAP_ACK, NETLINK_EXT_ACK and NETLINK_GET_STRICT_CHK of the socket. */
u32 netlink_options(const struct netlink_socket *socket);
