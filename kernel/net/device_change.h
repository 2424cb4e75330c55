/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of devices that only configuration needs: netlink and ioctl. */
#pragma once

#include <net/device.h>

/* Another link address. -EOPNOTSUPP, -EADDRNOTAVAIL (multicast), -EBUSY... */
[[nodiscard]] int net_device_set_address(struct net_device *device, const u8 *address)
	__must_hold(&device->network->config);
/* Another name. -EINVAL, -EEXIST, -EBUSY (loopback, or up). */
[[nodiscard]] int net_device_rename(struct net_device *device, const char *name)
	__must_hold(&device->network->config);
/* IFLA_OPERSTATE (RFC 2863): one of IF_OPER_*. */
u8 net_device_operational_state(const struct net_device *device);
/* A name that a device can have. */
bool net_device_name_valid(const char *name);
