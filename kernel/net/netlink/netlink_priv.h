/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of AF_NETLINK. */
#pragma once

#include <core/lock.h>
#include <lib/list.h>
#include <net/device.h>
#include <net/netlink/netlink.h>
#include <net/socket.h>

#define NETLINK_GROUPS_MAX 64
#define NETLINK_PROTOCOLS 23 /* as Linux has names for */

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

struct netlink_datagram {
	struct netlink_datagram *next;
	u32 length;
	u32 port, groups; /* of the sender; the group as a mask */
	int pid;
	u32 uid, gid;
	u8 data[];
};

struct netlink_socket {
	struct socket *socket;
	const struct netlink_protocol *protocol;
	struct list_head node;		      /* in netlink_sockets */
	struct mutex read_lock;		      /* RANK_PIPE */
	struct spinlock lock;		      /* RANK_NET_SOCKET */
	struct netlink_datagram *head, *tail; /* appended under lock, taken under both */
	u32 queued;			      /* bytes; under lock */
	u32 port;			      /* 0: not bound; netlink_sockets_lock */
	u32 peer_port, peer_groups;	      /* connect(2) */
	u64 groups;			      /* member of; netlink_sockets_lock */
	u32 options;			      /* BIT(NETLINK_...) */
	bool overrun;			      /* -ENOBUFS was not yet told */
};

static inline struct netlink_socket *netlink_of(const struct socket *socket)
{
	return socket->private;
}

/* socket.c */
extern struct spinlock netlink_sockets_lock; /* RANK_NET_PORTS */
extern struct list_head netlink_sockets __guarded_by(&netlink_sockets_lock);

/* queue.c */
/* Members of each group; written under netlink_sockets_lock. */
extern u32 netlink_listeners[NETLINK_PROTOCOLS][NETLINK_GROUPS_MAX];
/* A copy of the data, to be queued and freed by kvfree; null without memory. May sleep. */
[[nodiscard]] struct netlink_datagram *netlink_datagram_create(const void *data, size_t size);
/*
 * Takes the datagram if there is room or it is not limited; false: there is none, it is still the caller's. What the filter of
 * the socket drops is taken, too: nobody is told.
 */
[[nodiscard]] bool netlink_append(struct netlink_socket *to, struct netlink_datagram *d,
				  bool limited);
/* Copies of `d` to the members of its group; the copy for each is made without sleeping. */
void netlink_broadcast_copies(struct network_namespace *network, int protocol, unsigned group,
			      const struct netlink_datagram *d,
			      const struct netlink_socket *except);
ssize_t netlink_receive(struct socket *socket, struct socket_message *message);
u32 netlink_ready(struct socket *socket);
