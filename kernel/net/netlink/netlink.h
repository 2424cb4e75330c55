/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AF_NETLINK (netlink(7)): messages between programs and the kernel, and notifications. A protocol
 * (route, uevent, sock_diag, generic) registers what it answers; socket.c has the sockets, message.c builds and
 * parses messages.
 */
#pragma once

#include <lib/types.h>

#include <linux/netlink.h>

struct network_namespace;
struct netlink_socket;

/* Messages being made: for one socket, or for all members of a group. */
struct netlink_writer {
	struct netlink_socket *to;  /* borrowed; null: a notification */
	u32 port, sequence;	    /* of the request, for the headers */
	u16 flags;		    /* of each header: NLM_F_MULTI in dumps */
	u8 *data;		    /* allocated */
	size_t used, size, message; /* offset of the message being made */
	int error;		    /* -ENOMEM; what is added afterwards is dropped */
};

/* A request of a program. */
struct netlink_request {
	struct netlink_socket *from;
	struct network_namespace *network;
	const struct nlmsghdr *header; /* in kernel memory, nlmsg_len checked */
	bool may_configure;	       /* CAP_NET_ADMIN */
	bool strict; /* NETLINK_GET_STRICT_CHK: dumps are filtered by their header */
	struct netlink_writer *reply;
	const char *error_text; /* for the extended acknowledgement; static */
	bool dumping;		/* the request was a dump: NLMSG_DONE follows instead of an ACK */
};

struct netlink_protocol {
	int number;	     /* NETLINK_ROUTE ... */
	u32 groups;	     /* how many multicast groups */
	bool any_may_listen; /* to groups without CAP_NET_ADMIN */
	bool any_may_send;   /* to programs without CAP_NET_ADMIN */
	/* 0 or -errno, which is told to the program. May sleep. Null: -EOPNOTSUPP... nothing listens */
	int (*request)(struct netlink_request *request);
};
void netlink_protocol_register(struct netlink_protocol *protocol);

/* The payload of a request if it has at least `size` bytes, else null. */
static inline const void *netlink_payload(const struct nlmsghdr *header, size_t size)
{
	return header->nlmsg_len >= NLMSG_HDRLEN + size ? (const char *)header + NLMSG_HDRLEN
							: nullptr;
}
/*
 * The attributes behind a payload of `size` bytes: table[type] for 0 < type <= maximum, null if absent; larger types are
 * ignored. -EINVAL if they are malformed.
 */
[[nodiscard]] int netlink_parse(const struct nlmsghdr *header, size_t size,
				const struct nlattr **table, unsigned maximum);
[[nodiscard]] int netlink_parse_nested(const struct nlattr *nest, const struct nlattr **table,
				       unsigned maximum);
/* The same of a nest that begins with a header of `size` bytes. */
[[nodiscard]] int netlink_parse_behind(const struct nlattr *nest, size_t size,
				       const struct nlattr **table, unsigned maximum);
static inline const void *netlink_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}
static inline size_t netlink_length(const struct nlattr *a)
{
	return a->nla_len - NLA_HDRLEN;
}
/* Numbers of attributes; 0 if the attribute is shorter. */
u32 netlink_get_u32(const struct nlattr *a);
u8 netlink_get_u8(const struct nlattr *a);
/* Copies a string attribute, cut and terminated. -EINVAL if it is longer. */
[[nodiscard]] int netlink_get_string(const struct nlattr *a, char *out, size_t size);

/* Begins a message with a zeroed header of the protocol of `size` bytes, which it returns (valid until the next call); null:
 * no memory, go on all the same. */
void *netlink_begin(struct netlink_writer *w, u16 type, size_t size);
void netlink_put(struct netlink_writer *w, u16 type, const void *data, size_t size);
static inline void netlink_put_u32(struct netlink_writer *w, u16 type, u32 value)
{
	netlink_put(w, type, &value, sizeof(value));
}
static inline void netlink_put_u16(struct netlink_writer *w, u16 type, u16 value)
{
	netlink_put(w, type, &value, sizeof(value));
}
static inline void netlink_put_u8(struct netlink_writer *w, u16 type, u8 value)
{
	netlink_put(w, type, &value, sizeof(value));
}
void netlink_put_string(struct netlink_writer *w, u16 type, const char *text);
/* A nest: what is put until its end is inside. Returns its place. */
size_t netlink_nest(struct netlink_writer *w, u16 type);
void netlink_nest_end(struct netlink_writer *w, size_t nest);
/* Ends the message; full datagrams are sent to w->to. */
void netlink_end(struct netlink_writer *w);
/* Forgets the message being made. */
void netlink_cancel(struct netlink_writer *w);

/*
 * Sends what was made to the members of a group (1...) and frees it. Nobody waits; a member whose queue is full learns
 * it by -ENOBUFS. May sleep for memory.
 */
void netlink_notify(struct network_namespace *network, int protocol, unsigned group,
		    struct netlink_writer *w);
/* Is anybody there? Cheap: for callers that would make a message in vain. */
bool netlink_has_listeners(int protocol, unsigned group);
/* Sends bytes to a group as they are: for uevents, which are text. */
void netlink_broadcast(struct network_namespace *network, int protocol, unsigned group,
		       const void *data, size_t size);

/* One socket of a name space, for /proc/net/netlink; under a spinlock. */
struct netlink_description {
	int protocol;
	u32 port, groups, refs, queued;
	u64 inode;
};
void netlink_for_each(const struct network_namespace *network,
		      bool (*visit)(const struct netlink_description *socket, void *arg),
		      void *arg);

/* Boot. */
void netlink_init(void);
void netlink_route_init(void);
void uevent_init(void);
void sock_diag_init(void);
void netlink_generic_init(void);
void tcp_metrics_init(void);
