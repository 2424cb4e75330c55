/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of devices that only configuration needs. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/device_change.h>
#include <net/link_kind.h>
#include <net/local.h>

#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

static void changed(struct net_device *device)
{
	if (net_link_event_hook)
		net_link_event_hook(RTM_NEWLINK, device);
}

int net_device_set_address(struct net_device *device, const u8 *address)
{
	int error;

	if (device->features & DEVICE_LOOPBACK)
		return -EOPNOTSUPP;
	if (device->type == ARPHRD_ETHER && (address[0] & 1))
		return -EADDRNOTAVAIL;
	if (!memcmp(device->address, address, device->address_length))
		return 0;
	if (!device->ops->set_address)
		return -EOPNOTSUPP;
	error = device->ops->set_address(device, address);
	if (!error) {
		net_addresses_link_changed(device);
		changed(device);
	}
	return error;
}

/* The names of the states are an enum of <linux/if.h>. */
u8 net_device_operational_state(const struct net_device *device)
{
	const struct net_device *peer;
	bool lower_down;

	if (!(device->flags & IFF_UP))
		return IF_OPER_DOWN;
	if (device->features & DEVICE_LOOPBACK)
		return IF_OPER_UNKNOWN; /* nobody tells of a carrier */
	if (device->kind && device->kind->operational_state)
		return device->kind->operational_state(device);
	if (device->flags & IFF_RUNNING)
		return IF_OPER_UP;
	rcu_read_lock();
	peer = device->kind && device->kind->peer ? device->kind->peer(device) : nullptr;
	lower_down = peer;
	rcu_read_unlock();
	return lower_down ? IF_OPER_LOWERLAYERDOWN : IF_OPER_DOWN;
}

bool net_device_name_valid(const char *name)
{
	if (!*name || strlen(name) >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || *name == ' ' ||
		    (*name >= '\t' && *name <= '\r'))
			return false;
	return true;
}

int net_device_rename(struct net_device *device, const char *name)
{
	struct net_device *other;

	if (!net_device_name_valid(name))
		return -EINVAL;
	if ((device->features & DEVICE_LOOPBACK) || (device->flags & IFF_UP))
		return -EBUSY;
	other = net_device_find_name(device->network, name);
	if (other && other != device)
		return -EEXIST;
	memset(device->name, 0, sizeof(device->name));
	memcpy(device->name, name, strlen(name));
	changed(device);
	return 0;
}
