/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of NETLINK_ROUTE (rtnetlink(7)). */
#pragma once

#include <net/address.h>
#include <net/device.h>
#include <net/link_kind.h>
#include <net/netlink/netlink.h>

#include <linux/rtnetlink.h>

/* Each handles one kind of request, under network->config but for those of devices that change. 0 or -errno. */
int rtnl_link_get(struct netlink_request *r);
int rtnl_link_dump(struct netlink_request *r);
int rtnl_link_change(struct netlink_request *r);
int rtnl_link_delete(struct netlink_request *r);
int rtnl_number_get(struct netlink_request *r);
int rtnl_address_dump(struct netlink_request *r);
int rtnl_address_add(struct netlink_request *r);
int rtnl_address_delete(struct netlink_request *r);
int rtnl_route_get(struct netlink_request *r);
int rtnl_route_dump(struct netlink_request *r);
int rtnl_route_add(struct netlink_request *r);
int rtnl_route_delete(struct netlink_request *r);
int rtnl_neighbour_dump(struct netlink_request *r);
int rtnl_neighbour_add(struct netlink_request *r);
int rtnl_neighbour_delete(struct netlink_request *r);
int rtnl_rule_dump(struct netlink_request *r);
int rtnl_rule_add(struct netlink_request *r);
int rtnl_rule_delete(struct netlink_request *r);
int rtnl_netconf_get(struct netlink_request *r);
int rtnl_netconf_dump(struct netlink_request *r);

/* The device that a request is about, by number or name; its attributes in `table`. -ENODEV, -EINVAL. Under config. */
[[nodiscard]] int rtnl_find_link(struct netlink_request *r, const struct nlattr **table,
				 struct net_device **out);
/* RTM_NEWLINK of a device that does not exist; moving one. */
[[nodiscard]] int rtnl_link_create(struct netlink_request *r, const struct nlattr *const *table);
[[nodiscard]] int rtnl_link_move(struct netlink_request *r, struct net_device *device,
				 const struct nlattr *const *table) __must_hold(&net_links_lock);

void rtnl_link_notify(int event, struct net_device *device);
void rtnl_address_notify(int event, struct net_device *device, const struct net_address *address);
void rtnl_netconf_notify(struct network_namespace *network, int index,
			 enum device_setting_family family, unsigned number);
void rtnl_route_notify(int event, struct network_namespace *network, const struct route *route);

/* Addresses as attributes: 4 or 16 bytes by family. */
static inline size_t rtnl_address_size(u8 family)
{
	return family == AF_INET ? 4 : 16;
}
void rtnl_put_address(struct netlink_writer *w, u16 type, u8 family, const struct inet_address *a);
/* -EINVAL if the size does not fit the family. */
[[nodiscard]] int rtnl_get_address(const struct nlattr *attribute, u8 family,
				   struct inet_address *out);
/* Prefix lengths as programs see them, and of 128 bits. */
static inline u8 rtnl_prefix(u8 family, u8 prefix_length)
{
	return family == AF_INET ? prefix_length - INET_V4_PREFIX : prefix_length;
}
static inline u8 rtnl_family(const struct inet_address *a)
{
	return inet_is_v4(a) ? AF_INET : AF_INET6;
}
