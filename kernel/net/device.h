/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network devices and name spaces. A device belongs to one name space; its list is changed under
 * network->config and read under RCU, and so are the addresses of a device.
 */
#pragma once

#include <core/lock.h>
#include <core/percpu.h>
#include <core/rcu.h>
#include <core/work.h>
#include <lib/list.h>
#include <lib/types.h>
#include <net/address.h>
#include <net/device_settings.h>
#include <net/packet_buffer.h>
#include <net/sysctl.h>
#include <proc/namespaces.h>

#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

struct net_device;
struct net_link_kind;
struct net_statistics;
struct route_table;
struct route_rules;
struct route_exceptions;
struct neighbour_proxy;

#define NETWORK_NUMBERS 64

/* One network: devices, addresses, routes (net/namespace.h). The first one lives for ever. */
struct network_namespace {
	struct namespace base; /* first; its references are the users */
	u32 nodes;	       /* see network_node_get */
	u64 serial;	       /* never used again */
	struct work emptying;
	struct mutex config;	     /* RANK_NET_CONFIG: who changes devices, addresses, routes */
	struct net_device *devices;  /* RCU; by index */
	struct net_device *loopback; /* index 1 */
	struct route_table *routes;  /* RCU */
	struct route_rules *rules;   /* RCU; null: the usual ones; see net/route_rule.h */
	struct route_exceptions *exceptions; /* RCU; null: never any; see net/route_exception.h */
	u32 generation; /* atomic: advances whenever a route or address changes */
	int next_index;
	u64 numbers[NETWORK_NUMBERS]; /* serials, by network_number_of */
	struct network_sysctl sysctl;
	struct device_settings settings_all, settings_default; /* see net/device_settings.h */
	bool labels_exclusive; /* flow labels were leased that only their sockets may send; for good */
	struct net_statistics *statistics; /* one for each CPU; see net/statistics.h */
	struct network_namespace *next;	   /* RCU; of all that are not empty, after the first one */
	struct work expiring;		   /* takes away addresses and routes whose time is over */
	u32 time_wait_count;		   /* connections in TIME_WAIT; under their lock */
	/* How often a Fast Open seemed to be swallowed on its way, and when last; read without a lock. */
	u32 fast_open_failures;
	u64 fast_open_failed_ns;
};
extern struct network_namespace initial_network;

/* What a device does by itself. */
#define DEVICE_CHECKSUM BIT(0)	   /* completes CHECKSUM_PARTIAL, of any protocol */
#define DEVICE_SEGMENT_TCP4 BIT(1) /* cuts large TCP packets */
#define DEVICE_SEGMENT_TCP6 BIT(2)
#define DEVICE_LOOPBACK BIT(3) /* never on a wire: packets of any size, no checksums */

/*
 * What a device counted. CPUs count in copies of their own; where there are more CPUs than copies, or a thread moves in
 * the middle of it, a count may be lost.
 */
#define NET_STATISTICS_COPIES 8u
struct net_device_statistics {
	u64 receive_packets, receive_bytes, receive_errors, receive_dropped, receive_multicast;
	u64 transmit_packets, transmit_bytes, transmit_errors, transmit_dropped, transmit_carrier;
};

#define NET_STATISTIC_NAME 32 /* ETH_GSTRING_LEN */

struct net_device_ops {
	/* IFF_UP is being set or cleared. May sleep, under network->config. May be null. */
	int (*open)(struct net_device *device);
	void (*stop)(struct net_device *device);
	/* Sends and takes the packet, whose data is the link header. Never sleeps. */
	void (*transmit)(struct net_device *device, struct packet *packet);
	/* Checks and applies. Null: only the generic checks. */
	int (*set_mtu)(struct net_device *device, u32 mtu);
	int (*set_address)(struct net_device *device, const u8 *address);
	/* Of ethtool: "virtio_net"; null: none. */
	const char *driver;
	/* ethtool -l, -L: how many pairs of queues there are and are used; uses `count`: -EINVAL, -EIO. May sleep, under
	 * network->config. Both may be null. */
	void (*channels)(const struct net_device *device, u32 *maximum, u32 *used);
	int (*set_channels)(struct net_device *device, u32 count);
	/* ethtool -S: counter `number` of the driver's own, from 0 on; false: there is none. May be null. */
	bool (*statistic)(const struct net_device *device, unsigned number,
			  char name[NET_STATISTIC_NAME], u64 *value);
};

/* An address of a device. Immutable once listed, but for its flags and lifetimes. */
struct net_address {
	struct net_address *next; /* RCU */
	struct rcu_head rcu;
	struct net_device *device;
	struct inet_address address, broadcast, peer; /* all zero: none; never peer == address */
	u8 prefix_length;			      /* of 128 bits: IPv4 adds INET_V4_PREFIX */
	u8 scope;				      /* RT_SCOPE_* */
	u8 protocol;				      /* IFAPROT_*: who gave it */
	u32 flags;				      /* IFA_F_* */
	char label[IFNAMSIZ];
	u64 created_ns, valid_until_ns, preferred_until_ns; /* NO_DEADLINE: for ever */
	u64 valid_most_ns, preferred_most_ns; /* of a temporary one, whatever routers say */
	int probes_left;		      /* of its duplicate detection, one a second */
};

struct net_device {
	struct net_device *next; /* RCU */
	struct rcu_head rcu;
	struct network_namespace *network;
	char name[IFNAMSIZ];
	int index;
	u32 flags; /* IFF_*; IFF_RUNNING follows the carrier, perhaps of another name space: changed atomically */
	/* Not registered any more: tables that other threads fill under RCU (neighbours, fragments) take nothing new of it. Set before
	 * they are emptied; read under their locks. */
	bool gone;
	u16 type; /* ARPHRD_* */
	u32 mtu, mtu_min, mtu_max;
	u8 address[8], broadcast[8];
	u8 address_length, header_length;
	u32 features; /* DEVICE_* */
	u32 transmit_queue_length;
	const struct net_device_ops *ops;
	const struct net_link_kind *kind; /* of virtual devices; null: hardware, loopback */
	void *private;
	struct neighbour_proxy *proxies; /* RCU; see net/neighbour.h */
	struct net_address *addresses;	 /* RCU */
	struct net_device_statistics statistics[NET_STATISTICS_COPIES]; /* see net_device_count */
	u32 taps; /* atomic: packet sockets that listen */
	struct device_settings settings;
	/* When routers are asked (again) who they are, 0: not; and how often they were. */
	u64 router_solicitation_ns;
	int router_solicitations;
	/* IPv4, IPv6: when routers are told of all groups; 0: need not be. */
	u64 group_report_ns[2];
};

/* Adds `n` to the counter `member` of struct net_device_statistics. Any context. */
#define net_device_count(device, member, n)                                                        \
	((device)->statistics[cpu_id() % NET_STATISTICS_COPIES].member += (n))
/* Packets that the CPU took from devices of all name spaces. */
DECLARE_PER_CPU(u32, net_packets_received);
/* The sums over all CPUs. */
void net_device_statistics_sum(const struct net_device *device, struct net_device_statistics *out);

/* Adds a device, filled in but for network and index, under a name ("eth%d" takes the first free
 * number). The loopback device must be the first. -EEXIST, -EINVAL, -ENOMEM. May sleep. */
[[nodiscard]] int net_device_register(struct network_namespace *network, struct net_device *device,
				      const char *name);
/* Takes it down and out; the caller may free it after a grace period. May sleep. */
void net_device_unregister(struct net_device *device);

/* Valid under RCU or network->config. Null if there is none. */
struct net_device *net_device_find(struct network_namespace *network, int index);
struct net_device *net_device_find_name(struct network_namespace *network, const char *name);

/* Sets and clears IFF_* bits that a user may (IFF_UP, IFF_PROMISC, ...), opening and stopping.
 * May sleep; network->config held. */
[[nodiscard]] int net_device_set_flags(struct net_device *device, u32 flags, u32 mask)
	__must_hold(&device->network->config);
[[nodiscard]] int net_device_set_mtu(struct net_device *device, u32 mtu)
	__must_hold(&device->network->config);
/* The link came or went. May sleep. */
void net_device_set_carrier(struct net_device *device, bool on);

/*
 * Adds an address and the routes that follow from it / removes them. With the primary address of a subnet
 * of IPv4 its secondary ones are removed. -EEXIST, -EADDRNOTAVAIL,
 * -ENOMEM. May sleep; network->config held.
 */
[[nodiscard]] int net_address_add(struct net_device *device, const struct net_address *address)
	__must_hold(&device->network->config);
/* Gives an address that is there other lifetimes. -EADDRNOTAVAIL. */
[[nodiscard]] int net_address_renew(struct net_device *device, const struct net_address *address)
	__must_hold(&device->network->config);
[[nodiscard]] int net_address_remove(struct net_device *device, const struct inet_address *address,
				     unsigned prefix_length) __must_hold(&device->network->config);

/* Sets or clears what tells of a carrier in a virtual device's flags, without telling anybody. Any context. */
void net_device_mark_carrier(struct net_device *device, bool on);
/* net_device_ops.set_address of devices that take any: 0. */
int net_device_take_address(struct net_device *device, const u8 *address);

/* Sends a packet whose data is the link header (device->header_length bytes); cuts and checksums
 * what the device cannot. Takes the packet. Under RCU or with preemption off. */
void net_device_transmit(struct net_device *device, struct packet *packet);

/* What a frame to this Ethernet address is to the device: PACKET_HOST, PACKET_BROADCAST and so on. Any context. */
static inline u8 net_ethernet_kind(const struct net_device *device, const u8 *destination)
{
	if (destination[0] & 1)
		return __builtin_memcmp(destination, device->broadcast, ETH_ALEN)
			       ? PACKET_MULTICAST
			       : PACKET_BROADCAST;
	return __builtin_memcmp(destination, device->address, ETH_ALEN) ? PACKET_OTHERHOST
									: PACKET_HOST;
}

/*
 * A packet came in: data is behind the link header, link_header, protocol, kind and device are set.
 * Takes it. Thread context with preemption off.
 */
void net_receive(struct packet *packet);

/*
 * Packet sockets. Called for each packet in or out of a device with taps > 0, before anything else
 * looks at it; data is at the link header and it must not be changed, nor kept but by packet_clone.
 * Set by AF_PACKET at boot.
 */
extern void (*net_tap_hook)(struct net_device *device, struct packet *packet, bool outgoing);
/* Told after a device joined a name space, with no lock held. Set by AF_PACKET at boot. */
extern void (*net_device_added_hook)(struct net_device *device);
/* Told after devices, addresses and routes changed: netlink notifies its groups. Each may be null.
 * `event`: RTM_NEWLINK, RTM_DELADDR, ... Under network->config. */
struct route;
extern void (*net_link_event_hook)(int event, struct net_device *device);
extern void (*net_address_event_hook)(int event, struct net_device *device,
				      const struct net_address *address);
extern void (*net_route_event_hook)(int event, struct network_namespace *network,
				    const struct route *route);

/* A setting of a device, or of all or default, changed. As above. */
extern void (*net_settings_event_hook)(struct network_namespace *network, int index,
				       enum device_setting_family family, unsigned number);

/* Boot: packets, the first name space with its loopback device, the protocols. */
void net_init(void);
