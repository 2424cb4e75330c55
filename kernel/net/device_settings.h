/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of network devices: net.ipv4.conf, net.ipv6.conf, net.ipv4.neigh and net.ipv6.neigh (Linux's ip-sysctl.rst), for `all`,
 * `default` and each device. They are numbered as uapi numbers them (<linux/ip.h>, <linux/ipv6.h>, <linux/neighbour.h>), so that netlink
 * tells them as they are; numbers that nothing here acts on stay 0 and have no file.
 *
 * Written under network->config, read without a lock. A new device has the settings of `default`. What `all` means differs from
 * one to the next: see the functions below.
 */
#pragma once

#include <lib/types.h>

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>

struct net_device;
struct network_namespace;

#define DEVICE_SETTINGS_IPV4 (__IPV4_DEVCONF_MAX)
#define DEVICE_SETTINGS_IPV6 (DEVCONF_MAX)
#define DEVICE_SETTINGS_NEIGHBOUR (NDTPA_MAX + 1)

/* net.ipv6.conf.*.addr_gen_mode is an enum of <linux/if_link.h>; accept_ra has three values. */
enum { ACCEPT_RA_NEVER, ACCEPT_RA_UNLESS_ROUTER, ACCEPT_RA_ALWAYS };

struct device_settings {
	s32 ipv4[DEVICE_SETTINGS_IPV4];		     /* by IPV4_DEVCONF_* */
	s32 ipv6[DEVICE_SETTINGS_IPV6];		     /* by DEVCONF_* */
	s32 neighbour[2][DEVICE_SETTINGS_NEIGHBOUR]; /* IPv4, IPv6; by NDTPA_*; times in ms */
	u64 ipv4_own; /* which of ipv4 the device was given by itself: changes of `default` pass it by */
};

/* Which of the three families of files. */
enum device_setting_family {
	SETTING_IPV4,
	SETTING_IPV6,
	SETTING_NEIGHBOUR4,
	SETTING_NEIGHBOUR6,
};
/* Whose settings: all devices', those of devices that come, or a device by its index. */
enum { SETTINGS_OF_ALL = -1, SETTINGS_OF_DEFAULT = -2 };

/* What a name space begins with: the first one with Linux's defaults; others have IPv4's of the first one, as on Linux. */
void device_settings_init(struct network_namespace *network);
/* What a device begins with: those of `default`, of neighbours those of the first name space, as on Linux. Its type and MTU are set. Under network->config. */
void device_settings_take_default(struct net_device *device);
/* The MTU of the device changed: that of IPv6 follows. */
void device_settings_follow_mtu(struct net_device *device);

/* Those of `index` (or of all, default) in a name space; null: no such device. Under network->config or RCU. */
struct device_settings *device_settings_find(struct network_namespace *network, int index);
/* The variable itself. */
s32 *device_setting_at(struct device_settings *settings, enum device_setting_family family,
		       unsigned number);
/*
 * Gives a setting another value and does what follows from it: to other devices (`all`, `default`), to addresses and routes.
 * -ENODEV, -EINVAL. Takes network->config; may sleep.
 */
[[nodiscard]] int device_setting_write(struct network_namespace *network, int index,
				       enum device_setting_family family, unsigned number,
				       s32 value);

/* A setting of IPv4 that holds if `all` or the device has it / that is the larger of both (ip-sysctl.rst says which is which). */
bool device_setting4_either(const struct net_device *device, unsigned number);
s32 device_setting4_largest(const struct net_device *device, unsigned number);
/* The same of IPv6. */
bool device_setting6_either(const struct net_device *device, unsigned number);
