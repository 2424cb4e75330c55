/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds of virtual devices, and devices that move between name spaces. */
#include <core/random.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/device_change.h>
#include <net/link_kind.h>
#include <net/local.h>
#include <net/namespace.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>

struct mutex net_links_lock = MUTEX_INIT(RANK_NET_LINKS);
static struct net_link_kind *kinds; /* written at boot */

void net_link_kind_register(struct net_link_kind *kind)
{
	kind->next = kinds;
	kinds = kind;
}

const struct net_link_kind *net_link_kind_find(const char *name)
{
	const struct net_link_kind *kind = kinds;

	while (kind && strcmp(kind->name, name))
		kind = kind->next;
	return kind;
}

void net_device_random_address(u8 address[6])
{
	random_bytes(address, ETH_ALEN);
	address[0] = (u8)((address[0] & ~1u) | 2);
}

void net_device_ethernet_init(struct net_device *device, const struct net_link_request *request)
{
	device->flags = IFF_BROADCAST | IFF_MULTICAST;
	device->type = ARPHRD_ETHER;
	device->mtu = request->mtu ? request->mtu : ETH_DATA_LEN;
	device->mtu_min = ETH_MIN_MTU;
	device->mtu_max = ETH_MAX_MTU;
	device->address_length = ETH_ALEN;
	device->header_length = ETH_HLEN;
	device->transmit_queue_length = 1000;
	memset(device->broadcast, 0xff, ETH_ALEN);
	if (request->address)
		memcpy(device->address, request->address, ETH_ALEN);
	else
		net_device_random_address(device->address);
}

int net_device_move(struct net_device *device, struct network_namespace *to, const char *name)
{
	char wanted[IFNAMSIZ];
	int error = 0;

	if (device->features & DEVICE_LOOPBACK)
		return -EINVAL;
	string_copy(wanted, *name ? name : device->name, sizeof(wanted));
	if (!net_device_name_valid(wanted))
		return -EINVAL;
	if (device->network == to)
		return 0;
	mutex_lock(&to->config);
	if (net_device_find_name(to, wanted))
		error = -EEXIST;
	mutex_unlock(&to->config);
	if (error)
		return error;
	net_device_unregister(device);
	rcu_synchronize(); /* nobody finds it by the old name space any more */
	/* A rename may have been faster to take the name; then the device gets one that is free. */
	if (net_device_register(to, device, wanted))
		error = net_device_register(to, device, "dev%d");
	return error;
}
