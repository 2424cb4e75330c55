/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the protocols call of each other. All of it runs in thread context with preemption off
 * (which is an RCU reader section), and takes the packets it is given.
 */
#pragma once

#include <net/device.h>
#include <net/route.h>

/* What the Internet layer knows of a packet that it hands up; data is at the transport header. */
struct inet_info {
	struct inet_address source, destination;
	struct network_namespace *network;
	struct net_device *device;
	u8 protocol, ttl, tos;
	u8 type;	   /* RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST */
	bool fragmented;   /* it came in pieces */
	u16 header_length; /* of the Internet header; it begins at packet->network_header */
};

/* Where a packet goes and what its Internet header says. */
struct inet_flow {
	struct inet_address source, destination;
	u8 protocol;
	u8 tos;
	u8 ttl;		    /* 0: the default */
	bool dont_fragment; /* also: -EMSGSIZE instead of fragments */
	bool no_loop;	    /* multicast: not to this host */
	u32 flow_label;	    /* IPv6, host byte order */
	const u8 *options;  /* IPv4, padded to words; null: none */
	u8 options_length;
};

void ipv4_input(struct packet *packet);
void ipv6_input(struct packet *packet);
void arp_input(struct packet *packet);

/*
 * Adds the Internet header to a packet whose data is the transport header, and sends it along
 * `route`, in fragments if it must. 0, -EMSGSIZE, -ENOMEM, -ENOBUFS.
 */
[[nodiscard]] int inet_output(struct network_namespace *network, struct packet *packet,
			      const struct inet_flow *flow, const struct route_result *route);
[[nodiscard]] int ipv4_output(struct network_namespace *network, struct packet *packet,
			      const struct inet_flow *flow, const struct route_result *route);
[[nodiscard]] int ipv6_output(struct network_namespace *network, struct packet *packet,
			      const struct inet_flow *flow, const struct route_result *route);
/* Finds the route itself (source may be unset) and sends. */
[[nodiscard]] int inet_send(struct network_namespace *network, struct packet *packet,
			    struct inet_flow *flow, int device_index);
/* A packet with its Internet header goes out of the device, to `next_hop` on its link. */
int inet_link_output(struct net_device *device, struct packet *packet,
		     const struct inet_address *next_hop);
/* Hands a packet of this host to the transports, raw sockets first. */
void inet_deliver(struct packet *packet, struct inet_info *info);

/* Transports. */
void tcp_input(struct packet *packet, const struct inet_info *info);
void udp_input(struct packet *packet, const struct inet_info *info);
void icmp_input(struct packet *packet, const struct inet_info *info);
void icmpv6_input(struct packet *packet, const struct inet_info *info);

/*
 * An ICMP error about a packet of ours. `inner` is that packet's header (source: we), `data` at least
 * 8 bytes of its transport header.
 */
struct inet_error {
	struct inet_info inner;
	struct inet_address offender; /* who says so */
	const u8 *data;
	unsigned length;
	u8 icmp_type, icmp_code;
	u8 ttl, tos; /* of the packet that says so */
	int error;   /* positive errno */
	bool fatal;  /* hard: ends a connection attempt */
	u32 mtu;     /* of EMSGSIZE */
	u32 info;
};
void tcp_error(const struct inet_error *error);
void udp_error(const struct inet_error *error);
void raw_error(const struct inet_error *error);

/* True if a raw socket took a copy. */
bool raw_input(struct packet *packet, const struct inet_info *info);
/* Echo replies to ping sockets. */
void ping_input(struct packet *packet, const struct inet_info *info, u16 identifier);

/* Sends an ICMP error about a packet that came in; data anywhere, header at network_header. Does not
 * take the packet. */
void icmp_send_error(struct packet *about, const struct inet_info *info, u8 type, u8 code,
		     u32 word);
/* Whether one more error or redirect may be sent (net.ipv4.icmp_msgs_per_sec); counts it. */
[[nodiscard]] bool icmp_rate_allows(void);
/* Of either family: ICMP(v6) port unreachable. */
void inet_send_port_unreachable(struct packet *about, const struct inet_info *info);

/* A fragment of IPv4 or IPv6, data at its header of `header` bytes: the whole datagram, with the headers
 * of its first fragment, once it is complete, else null. */
struct fragment_key {
	struct inet_address source, destination;
	u32 identification;
	u8 protocol;
	const void *user; /* who gathers them besides this host itself (null), a name only */
};
struct packet *inet_reassemble(struct packet *fragment, const struct fragment_key *key,
			       struct network_namespace *network, unsigned header, unsigned offset,
			       bool more);
/* How many datagrams of a family wait for fragments in the name space, and in how much memory. */
void inet_fragments_count(const struct network_namespace *network, u8 family,
			  unsigned *datagrams_out, u32 *memory_out);
/* Drops datagrams that did not complete in time. Once a second. */
void inet_fragments_expire(void);
/* Drops what came by a device that goes. */
void inet_fragments_drop(const struct net_device *device);

/* True if the device listens to the group. */
bool multicast_joined(const struct net_device *device, const struct inet_address *group);

/* Neighbours: link addresses of hosts on a link (ARP, NDP). */
void neighbour_output(struct net_device *device, struct packet *packet,
		      const struct inet_address *next_hop);
/* Heard of a neighbour: `solicited` confirms, `create` makes an entry. */
void neighbour_update(struct net_device *device, const struct inet_address *address,
		      const u8 *link_address, bool solicited, bool override, bool create);
/* True if the link address of a neighbour is known; if not it is asked for. */
bool neighbour_seek(struct net_device *device, const struct inet_address *address);
/* Progress was made through this next hop: it is reachable. */
void neighbour_confirm(struct net_device *device, const struct inet_address *address);
void neighbour_flush_device(struct net_device *device);
void neighbour_tick(void);
/* Tells all of a link who has an address of ours: a gratuitous ARP request / an unsolicited advertisement. */
void arp_announce(struct net_device *device, const struct inet_address *address);
void ndp_announce(struct net_device *device, const struct inet_address *address);
/* Asks who has `target`. `from`: where the packet that waits for it comes from; all zero if none. */
void arp_solicit(struct net_device *device, const struct inet_address *target,
		 const struct inet_address *from);
void ndp_solicit(struct net_device *device, const struct inet_address *target);

/* Boot. */
void inet_init(void);
void tcp_init(void);
void udp_init(void);
void raw_init(void);

/* Hands an ICMP error to the sockets that it concerns. */
void inet_error_deliver(const struct inet_error *error);
/* Completes the checksum of an ICMPv6 message and sends it. Takes the packet. */
void icmpv6_finish_and_send(struct network_namespace *network, struct packet *packet,
			    struct inet_flow *flow, int device_index);
