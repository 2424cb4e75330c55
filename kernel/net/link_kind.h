/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual devices: kinds that `ip link add ... type KIND` makes, and moving devices between name spaces.
 *
 * net_links_lock is held over making, destroying and moving devices, so that a pair of devices in two name spaces changes as one.
 * It is taken before any network->config; inside it one config is held at a time.
 */
#pragma once

#include <net/device.h>

struct netlink_writer;
struct nlattr;

extern struct mutex net_links_lock; /* RANK_NET_LINKS */

/* What a request asks of a new device. */
struct net_link_request {
	struct network_namespace *network; /* where it will be */
	char name[IFNAMSIZ];		   /* may be a pattern: "veth%d"; empty: the kind chooses */
	const u8 *address;		   /* null: at random */
	u32 mtu;			   /* 0: the kind's */
	const struct nlattr *data;	   /* IFLA_INFO_DATA; null: none */
	/* For a pair: where the other half will be, and its name; its IFLA_ADDRESS. */
	struct network_namespace *peer_network;
	char peer_name[IFNAMSIZ];
	const u8 *peer_address;
};

/* Both operations run under net_links_lock. */
struct net_link_kind {
	const char *name;
	/* Makes and registers the device. -EEXIST, -EINVAL, -ENOMEM. May sleep. */
	int (*create)(struct net_link_request *request);
	/* Takes the device down and out, with its other half, and frees it. Null: it may not be destroyed by request. */
	void (*destroy)(struct net_device *device);
	/* The other half; null: none. Valid under net_links_lock or RCU. Null function: never. */
	struct net_device *(*peer)(const struct net_device *device);
	/* Adds IFLA_INFO_DATA to a message about the device. Null: there is none. */
	void (*put)(const struct net_device *device, struct netlink_writer *w);
	/* IF_OPER_* while it is up, where the flags do not tell. Null: they do. */
	u8 (*operational_state)(const struct net_device *device);
	struct net_link_kind *next;
};
void net_link_kind_register(struct net_link_kind *kind);
/* Null: no such kind. */
const struct net_link_kind *net_link_kind_find(const char *name);

/* Moves a device, down and without addresses, under the same name or `name` if that is not empty. -EEXIST, -EINVAL (loopback). */
[[nodiscard]] int net_device_move(struct net_device *device, struct network_namespace *to,
				  const char *name) __must_hold(&net_links_lock);
/* A link address at random, locally administered. */
void net_device_random_address(u8 address[6]);
/* What all virtual Ethernet devices have in common. */
void net_device_ethernet_init(struct net_device *device, const struct net_link_request *request);

/* What a tun or tap device is; false: it is another device. Valid as the device is. */
struct tun_description {
	u16 flags;	  /* IFF_TUN, IFF_TAP, IFF_NO_PI, IFF_PERSIST */
	int owner, group; /* -1: nobody */
};
bool tun_describe(const struct net_device *device, struct tun_description *out);

/* Boot. */
void veth_init(void);
void dummy_init(void);
void tun_init(void);
