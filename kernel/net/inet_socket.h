/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internet sockets: what TCP, UDP, raw and ping sockets have in common: addresses, ports, options,
 * the route in use, errors to be read.
 *
 * (N1) A node is in at most one binding (a port of a protocol) and one bucket of the table of
 * connections; both are read under RCU, so nodes are freed by rcu_call. (N2) Addresses and ports of
 * a node change only while it is in no table of connections. (N3) `socket` is null once user space
 * let go; it is read and cleared under `lock`, and lives as long as it is set.
 */
#pragma once

#include <core/lock.h>
#include <core/rcu.h>
#include <lib/refs.h>
#include <net/protocol.h>
#include <net/socket.h>
#include <sys/socket.h>

struct port_binding;
struct socket_program;

enum inet_kind { INET_TCP, INET_TIME_WAIT, INET_UDP, INET_RAW, INET_PING };

/* What tables know: also all that is left of a connection in TIME_WAIT. */
struct inet_node {
	struct inet_node *hash_next;  /* RCU: table of connections */
	struct inet_node *port_next;  /* RCU: owners of the binding */
	struct inet_node **port_link; /* what points at this one there */
	struct port_binding *binding;
	struct rcu_head rcu;
	void (*free)(struct rcu_head *head);
	u32 refs;
	u8 kind;   /* enum inet_kind */
	u8 family; /* AF_INET, AF_INET6 of the socket */
	bool v6_only, reuse_address, reuse_port, listening, hashed;
	bool explicit_port, explicit_address; /* bind(2) gave it */
	bool reuse_forced;		      /* bind(2) takes a port whoever has it (TCP_REPAIR) */
	u16 local_port, remote_port;	      /* host byte order; remote 0: not connected */
	int bound_device;
	u32 uid;
	struct socket_program *selector; /* SO_ATTACH_REUSEPORT_*BPF, of the whole group; RCU */
	struct network_namespace *network;
	struct inet_address local, remote;
};

/* Which control messages the receiver wants. */
#define INET_RECEIVE_PKTINFO BIT(0)
#define INET_RECEIVE_TTL BIT(1)
#define INET_RECEIVE_TOS BIT(2)
#define INET_RECEIVE_ERRORS BIT(3)
#define INET_RECEIVE_ORIGINAL BIT(4)
#define INET6_RECEIVE_PKTINFO BIT(5)
#define INET6_RECEIVE_HOPLIMIT BIT(6)
#define INET6_RECEIVE_TCLASS BIT(7)
#define INET6_RECEIVE_ERRORS BIT(8)
#define INET_HEADER_INCLUDED BIT(9)
#define INET_FREEBIND BIT(10)
#define INET_TRANSPARENT BIT(11)
#define INET_MULTICAST_ALL BIT(12)
#define INET_RECEIVE_OPTIONS BIT(13)
#define INET_RETURN_OPTIONS BIT(14)
#define INET_BIND_NO_PORT BIT(15) /* IP_BIND_ADDRESS_NO_PORT */
#define INET_PASS_SECURITY BIT(16)
#define INET6_RECEIVE_FLOWINFO BIT(17)
#define INET6_RECEIVE_HOP_OPTIONS BIT(18)
#define INET6_RECEIVE_ROUTING BIT(19)
#define INET6_RECEIVE_DESTINATION_OPTIONS BIT(20)
#define INET6_RECEIVE_ORIGINAL BIT(21)
#define INET6_MULTICAST_ALL BIT(22)
#define INET6_DONT_FRAGMENT BIT(23)
#define INET6_AUTO_FLOW_LABEL BIT(24)
#define INET6_SEND_FLOWINFO BIT(25)
#define INET6_HEADER_INCLUDED BIT(26)
#define INET6_RECEIVE_OLD_PKTINFO BIT(27) /* by their numbers of RFC 2292 */
#define INET6_RECEIVE_OLD_HOPLIMIT BIT(28)

struct inet_membership {
	struct inet_membership *next;
	struct inet_address group;
	int device_index;
};

/* Extension headers of IPv6 that a program may send (RFC 3542, 6 to 9). */
enum inet_extension {
	EXTENSION_HOP,
	EXTENSION_ROUTING_DESTINATION,
	EXTENSION_DESTINATION,
	EXTENSIONS
};
struct inet_extension_bytes {
	u16 length;
	u8 bytes[] __counted_by(length);
};

#define IPV4_OPTIONS_MAX 40

struct inet_socket {
	struct inet_node node; /* first */
	struct spinlock lock;  /* RANK_NET_SOCKET */
	struct socket *socket __guarded_by(&lock);
	/* Options, read without the lock. */
	u32 flags; /* INET_* */
	int ttl;   /* -1: the default */
	int hops6; /* -1 */
	u8 tos, tclass;
	u8 multicast_ttl, multicast_hops6;
	bool multicast_loop, multicast_loop6;
	int multicast_device;
	u8 path_mtu_discovery; /* IP_PMTUDISC_* */
	u8 min_ttl,
		min_hops6; /* IP_MINTTL, IPV6_MINHOPCOUNT: segments of TCP with less are dropped */
	u16 address_preferences; /* IPV6_ADDR_PREFERENCES */
	struct inet_extension_bytes *extensions[EXTENSIONS] __guarded_by(&lock); /* kmalloc */
	u8 ip_options[IPV4_OPTIONS_MAX] __guarded_by(&lock);
	u8 ip_options_length; /* read without the lock */
	u32 scope;	      /* of a link-local remote: interface */
	struct inet_membership *memberships __guarded_by(&lock);
	struct packet_queue errors __guarded_by(&lock); /* for MSG_ERRQUEUE */
	/* Sends with MSG_ZEROCOPY, and the first of them that no notice tells of. */
	u32 zero_copy_count __guarded_by(&lock), zero_copy_untold __guarded_by(&lock);
	struct flow_lease *flow_leases __guarded_by(&lock); /* see net/flow_label.h */
	u32 stamp_count;				    /* SOF_TIMESTAMPING_OPT_ID; atomic */
	/* The route in use, while generation stands. */
	struct route_result route __guarded_by(&lock);
	u32 route_generation __guarded_by(&lock);
	bool route_valid __guarded_by(&lock);
};

static inline struct inet_socket *inet_of(struct inet_node *node)
{
	return container_of(node, struct inet_socket, node);
}

/* Prepares a zeroed inet_socket with one reference; `free` gives its memory back. */
void inet_socket_init(struct inet_socket *s, struct socket *socket, enum inet_kind kind,
		      void (*free)(struct rcu_head *head));
/* Drops memberships and queued errors, when user space lets go. May sleep. */
void inet_socket_release(struct inet_socket *s);

void inet_node_put_last(struct inet_node *n);
static inline void inet_node_get(struct inet_node *n)
{
	__atomic_fetch_add(&n->refs, 1, __ATOMIC_RELAXED);
}
static inline void inet_node_put(struct inet_node *n)
{
	if (__atomic_fetch_sub(&n->refs, 1, __ATOMIC_ACQ_REL) == 1)
		inet_node_put_last(n);
}
[[nodiscard]] static inline bool inet_node_get_unless_zero(struct inet_node *n)
{
	return refs_get_unless_zero(&n->refs);
}

/* --- Ports (inet_ports.c) --- */

#define PORT_BUCKETS 1024

/* Who uses one port of one protocol in one name space. Guarded by the bucket's lock; read by RCU. */
struct port_binding {
	struct port_binding *next;
	struct rcu_head rcu;
	struct network_namespace *network;
	u16 port;
	struct inet_node *owners, *sharers; /* that bound it; that were accepted there, or linger */
};
struct port_bucket {
	struct spinlock lock; /* RANK_NET_BINDING */
	struct port_binding *bindings __guarded_by(&lock);
};
struct port_table {
	struct port_bucket buckets[PORT_BUCKETS];
	bool stream; /* listeners conflict even if both reuse the address */
};
void port_table_init(struct port_table *t, bool stream);

/*
 * Gives the node, whose local address and reuse flags are set, a port: `port`, or a free one of the
 * local range if 0. -EADDRINUSE, -ENOMEM.
 */
[[nodiscard]] int port_bind(struct port_table *t, struct inet_node *n, u16 port);
/* Has `n` own the port of `other` too, whatever it is bound to (accepted connections, TIME_WAIT).
 * -ENOMEM. */
[[nodiscard]] int port_share(struct port_table *t, struct inet_node *n, struct inet_node *other);
/*
 * A port for an outgoing connection with addresses and remote port set: `unique` is asked, with the
 * candidate in local_port, whether it may be used and then enters the connection in its table.
 * -EADDRNOTAVAIL, -ENOMEM.
 */
[[nodiscard]] int port_bind_connect(struct port_table *t, struct inet_node *n,
				    bool (*unique)(struct inet_node *n));
void port_unbind(struct port_table *t, struct inet_node *n);
/* True if listening would conflict with another owner of the port. */
bool port_listen_conflicts(struct port_table *t, struct inet_node *n);
/* Takes the program away from the others that share the node's port and address; true: there was one. Any context. */
bool port_group_clear(struct inet_node *n);
/* Owners of a port: first of a chain by port_next. Under RCU. */
struct inet_node *port_owners(struct port_table *t, struct network_namespace *network, u16 port);

/*
 * How well an unconnected or connected owner of the port matches a packet; < 0 not at all. The
 * highest wins (inet_lookup).
 */
int inet_match(const struct inet_node *n, const struct inet_info *info, u16 remote_port);

/*
 * The owner of the port that a packet is for; of a stream's, one that listens. Among equals that share the port it is by
 * the program of one of them, which sees the packet (null: none) behind `header` bytes, or by a hash of the sender. Null: none.
 * Under RCU.
 */
struct inet_node *port_find(struct port_table *t, const struct inet_info *info, u16 port,
			    u16 remote_port, struct packet *p, unsigned header);

/* --- Connections (inet_hash.c) --- */

#define CONNECTION_BUCKETS 16384
/* Enters a node with all four of addresses and ports. */
void connection_insert(struct inet_node *n);
/* The same unless there is one already: false (or `replaced`: a TIME_WAIT that may be taken over). */
bool connection_insert_unique(struct inet_node *n, bool (*may_replace)(struct inet_node *old));
void connection_remove(struct inet_node *n);
/* With a reference, or null. Under RCU. */
struct inet_node *connection_find(const struct inet_info *info, u16 local_port, u16 remote_port);
/* Puts `n` in the place of `old` in one step. */
void connection_replace(struct inet_node *old, struct inet_node *n);
/* Node number *position of the table, with a reference; null at the end. For /proc and sock_diag. */
struct inet_node *connection_next(unsigned *bucket, unsigned *position);
void connection_table_init(void);

/* --- Addresses, options, control messages --- */

/* Decodes and checks an address for this socket: family, length. `scope`: sin6_scope_id. -EINVAL,
 * -EAFNOSUPPORT. */
[[nodiscard]] int inet_decode(const struct inet_node *n, const struct socket_address *from,
			      struct inet_address *address, u16 *port, u32 *scope);
/* The same for whom to send to, where 0.0.0.0 and :: mean this host. */
[[nodiscard]] int inet_decode_remote(const struct inet_node *n, const struct socket_address *from,
				     struct inet_address *address, u16 *port, u32 *scope);
void inet_encode(const struct inet_node *n, const struct inet_address *address, u16 port, u32 scope,
		 struct socket_address *to);
/* Checks that the address may be bound to. -EADDRNOTAVAIL, -ENODEV, -EINVAL. */
[[nodiscard]] int inet_check_local(struct inet_socket *s, const struct inet_address *address,
				   u32 scope);
/* bind(2): decodes, checks, takes the port. */
[[nodiscard]] int inet_bind(struct port_table *t, struct inet_socket *s,
			    const struct socket_address *address);
int inet_name(struct inet_socket *s, bool peer, struct socket_address *out);

/* The route to the connected remote, found anew when the generation moved. Under RCU, lock held. */
[[nodiscard]] int inet_route(struct inet_socket *s) __must_hold(&s->lock);

[[nodiscard]] int inet_set_option(struct inet_socket *s, int level, int option, const void *value,
				  size_t length);
[[nodiscard]] int inet_get_option(struct inet_socket *s, int level, int option, void *value,
				  size_t *length);
/* SIOC* of interfaces, routes and neighbours, of any socket's family (netdevice(7)). May sleep. -ENOTTY. */
long inet_ioctl(struct socket *socket, unsigned request, unsigned long argument);

/* Appends a control message to what a receiver gets; MSG_CTRUNC when there is no room. */
void inet_put_control(struct socket_message *m, int level, int type, const void *data, size_t size);
/* What the options of the socket ask for about a packet with struct datagram_received (IP_PKTINFO, IP_TTL, SO_TIMESTAMP). */
void inet_put_packet_control(const struct inet_socket *s, struct socket_message *m,
			     const struct packet *p);
/* SO_TIMESTAMP and its like: when the bytes came. */
void inet_put_times(const struct socket *socket, struct socket_message *m, u64 ns);
/* What control messages of a sender ask for. */
struct inet_send_control {
	struct inet_address source; /* all zero: not given */
	int device_index;
	int ttl, tos, dont_fragment; /* -1: not given */
	u16 segment_size;
	u32 stamps; /* SOF_TIMESTAMPING_TX_* */
	bool has_mark, has_flow_label;
	u32 mark, flow_label;
	const u8 *extensions[EXTENSIONS]; /* in the message; null: not given */
};
#define INET_SEND_CONTROL_NONE { .ttl = -1, .tos = -1, .dont_fragment = -1 }
[[nodiscard]] int inet_parse_control(const struct socket *socket, const struct socket_message *m,
				     struct inet_send_control *out);
/* The same for TCP and packet sockets, which take those of SOL_SOCKET and pass over others. */
[[nodiscard]] int inet_parse_socket_control(const struct socket *socket,
					    const struct socket_message *m,
					    struct inet_send_control *out);

/* --- Headers that a program adds (inet_extensions.c) --- */

/* IPV6_HOPOPTS and its like, for all datagrams from now on; of length 0: no more. -EINVAL, -EPERM, -ENOMEM. */
[[nodiscard]] int inet_set_extension(struct inet_socket *s, enum inet_extension which,
				     const void *value, size_t length);
void inet_get_extension(struct inet_socket *s, enum inet_extension which, void *value,
			size_t *length);
/* IP_OPTIONS. -EINVAL. */
[[nodiscard]] int inet_set_ip_options(struct inet_socket *s, const u8 *options, size_t length);
/* The option that sets it (IPV6_HOPOPTS ...) and its control message; -1: none. */
[[nodiscard]] int inet_extension_of(int option);
/* Checks one that came with a message, `size` bytes of it. -EINVAL, -EPERM. */
[[nodiscard]] int inet_check_extension(const u8 *header, size_t size);
/* True if inet_extend has something to do: a message (or null) and a socket that add headers. */
[[nodiscard]] bool inet_is_extended(const struct inet_socket *s,
				    const struct inet_send_control *control, bool v4);
/* IPV6_FLOWINFO_SEND: the flow label of the address that the message goes to. -EINVAL: it, or that of the message, is another's. */
[[nodiscard]] int inet_take_flow_label(struct inet_socket *s, const struct socket_message *m,
				       struct inet_send_control *control);
/*
 * Before the payload is put into an empty packet: leaves room for what inet_extend adds. Nothing without extensions.
 */
void inet_extend_room(struct inet_socket *s, const struct inet_send_control *control,
		      struct packet *p);
/*
 * Puts the headers that the message (or null) and the socket ask for in front of a packet with its transport header, and
 * says so in the flow; options of IPv4 go to `options` (IPV4_OPTIONS_MAX bytes). -EMSGSIZE: they do not fit.
 */
[[nodiscard]] int inet_extend(struct inet_socket *s, const struct inet_send_control *control,
			      struct packet *p, struct inet_flow *flow, u8 *options);
/* How far what goes to flow->destination may go, and whether what goes to a group comes back, as the socket's options have it. */
void inet_fill_hops(const struct inet_socket *s, struct inet_flow *flow);
/* The device that the socket's options want for a destination; 0: as routes say. */
[[nodiscard]] int inet_device_for(const struct inet_socket *s,
				  const struct inet_address *destination);
/* IPv6: the flow label of the message or an automatic one, not to be fragmented. */
void inet_fill_flow6(const struct inet_socket *s, const struct inet_send_control *control,
		     u32 ports, struct inet_flow *flow);
/* A label that tells flows apart (RFC 6437): of addresses and `ports`. */
u32 inet_flow_label(const struct inet_address *source, const struct inet_address *destination,
		    u32 ports);
void inet_extensions_release(struct inet_socket *s);

/* Joins and leaves groups: the options for it, of either level; -ENOPROTOOPT: it is none of them (inet_membership.c). */
[[nodiscard]] int inet_set_membership(struct inet_socket *s, int level, int option,
				      const void *value, size_t length);

/* Queues an error with the packet that it is about, for MSG_ERRQUEUE; lock held. */
void inet_queue_error(struct inet_socket *s, const struct inet_error *error, u16 port)
	__must_hold(&s->lock);
/*
 * Queues that what was sent there did not fit and what would have, if the socket wants errors (ip(7), SO_EE_ORIGIN_LOCAL).
 * By the sender, without the lock.
 */
void inet_queue_too_big(struct inet_socket *s, const struct inet_address *destination, u16 port,
			u32 mtu);
/* Appends SCM_TIMESTAMPING if the socket asked for times of software. */
void inet_put_timestamping(const struct socket *socket, struct socket_message *m, u64 ns);
/*
 * A send with MSG_ZEROCOPY on a socket with SO_ZEROCOPY is over and its memory may be used again: the bytes were copied, as
 * the notice says. Any context without the lock.
 */
void inet_zero_copy_done(struct inet_socket *s);
/* Has the packet's sending told to the socket, if its options or `stamps` (of this message) ask for it. By its sender. */
void inet_stamp(struct inet_socket *s, const struct socket *socket, struct packet *p, u32 stamps);
/* What a device calls of a packet with `stamped_for` that it sends, data at the link header; and its end without that. */
void inet_packet_sent(struct packet *p);
void inet_packet_dropped(struct packet *p);
[[nodiscard]] ssize_t inet_receive_error(struct inet_socket *s, struct socket_message *m);

/* Families of AF_INET and AF_INET6: which protocol makes the socket. */
int tcp_socket_create(struct socket *socket);
int udp_socket_create(struct socket *socket);
int raw_socket_create(struct socket *socket, int protocol);
int ping_socket_create(struct socket *socket);
void inet_family_init(void);
