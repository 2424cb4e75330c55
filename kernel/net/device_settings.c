/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of network devices: where they begin, and what a change does. See net/device_settings.h. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/device.h>
#include <net/local.h>
#include <net/namespace.h>

#include <linux/if_arp.h>
#include <linux/if_link.h>

#define UNLIMITED (-1) /* router_solicitations */
#define IPV6_MTU_MIN 1280
#define QUEUE_BYTES 212992 /* of packets that wait for a neighbour */

static const struct device_settings defaults = {
	.ipv4 = {
		[IPV4_DEVCONF_ACCEPT_REDIRECTS] = 1,
		[IPV4_DEVCONF_SECURE_REDIRECTS] = 1,
		[IPV4_DEVCONF_SHARED_MEDIA] = 1,
		[IPV4_DEVCONF_SEND_REDIRECTS] = 1,
		[IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL] = 1000,
	},
	.ipv6 = {
		[DEVCONF_HOPLIMIT] = 64,
		[DEVCONF_MTU6] = IPV6_MTU_MIN,
		[DEVCONF_ACCEPT_RA] = ACCEPT_RA_UNLESS_ROUTER,
		[DEVCONF_AUTOCONF] = 1,
		[DEVCONF_ACCEPT_REDIRECTS] = 1,
		[DEVCONF_DAD_TRANSMITS] = 1,
		[DEVCONF_RTR_SOLICITS] = UNLIMITED,
		[DEVCONF_RTR_SOLICIT_INTERVAL] = 4,
		[DEVCONF_RTR_SOLICIT_MAX_INTERVAL] = 3600,
		[DEVCONF_RTR_SOLICIT_DELAY] = 1,
		[DEVCONF_MAX_ADDRESSES] = 16,
		[DEVCONF_TEMP_VALID_LFT] = 7 * 86400,
		[DEVCONF_TEMP_PREFERED_LFT] = 86400,
		[DEVCONF_MAX_DESYNC_FACTOR] = 600,
		[DEVCONF_ACCEPT_RA_DEFRTR] = 1,
		[DEVCONF_ACCEPT_RA_PINFO] = 1,
		[DEVCONF_ACCEPT_RA_MTU] = 1,
		[DEVCONF_ACCEPT_RA_MIN_HOP_LIMIT] = 1,
		[DEVCONF_RA_DEFRTR_METRIC] = 1024,
		[DEVCONF_MLDV2_UNSOLICITED_REPORT_INTERVAL] = 1000,
		[DEVCONF_SUPPRESS_FRAG_NDISC] = 1,
		[DEVCONF_ACCEPT_DAD] = 1,
	},
	.neighbour = {
		[0 ... 1] = {
			[NDTPA_BASE_REACHABLE_TIME] = 30000,
			[NDTPA_RETRANS_TIME] = 1000,
			[NDTPA_DELAY_PROBE_TIME] = 5000,
			[NDTPA_UCAST_PROBES] = 3,
			[NDTPA_MCAST_PROBES] = 3,
			[NDTPA_QUEUE_LENBYTES] = QUEUE_BYTES,
		},
	},
};

void device_settings_init(struct network_namespace *network)
{
	struct device_settings *all = &network->settings_all, *those = &network->settings_default;

	*all = *those = defaults;
	all->ipv6[DEVCONF_ACCEPT_DAD] = 0;
	if (network == &initial_network)
		return;
	memcpy(all->ipv4, initial_network.settings_all.ipv4, sizeof(all->ipv4));
	memcpy(those->ipv4, initial_network.settings_default.ipv4, sizeof(those->ipv4));
}

void device_settings_take_default(struct net_device *device)
{
	device->settings = device->network->settings_default;
	memcpy(device->settings.neighbour, initial_network.settings_default.neighbour,
	       sizeof(device->settings.neighbour));
	device->settings.ipv4_own = 0;
	if (device->flags & (IFF_LOOPBACK | IFF_NOARP))
		device->settings.ipv6[DEVCONF_ACCEPT_DAD] =
			device->settings.ipv6[DEVCONF_USE_TEMPADDR] = -1;
	device_settings_follow_mtu(device);
}

void device_settings_follow_mtu(struct net_device *device)
{
	WRITE_ONCE(device->settings.ipv6[DEVCONF_MTU6], (s32)device->mtu);
}

struct device_settings *device_settings_find(struct network_namespace *network, int index)
{
	struct net_device *device;

	if (index == SETTINGS_OF_ALL)
		return &network->settings_all;
	if (index == SETTINGS_OF_DEFAULT)
		return &network->settings_default;
	device = net_device_find(network, index);
	return device ? &device->settings : nullptr;
}

s32 *device_setting_at(struct device_settings *settings, enum device_setting_family family,
		       unsigned number)
{
	switch (family) {
	case SETTING_IPV4:
		return &settings->ipv4[number];
	case SETTING_IPV6:
		return &settings->ipv6[number];
	default:
		return &settings->neighbour[family == SETTING_NEIGHBOUR6][number];
	}
}

bool device_setting4_either(const struct net_device *device, unsigned number)
{
	return READ_ONCE(device->network->settings_all.ipv4[number]) ||
	       READ_ONCE(device->settings.ipv4[number]);
}

s32 device_setting4_largest(const struct net_device *device, unsigned number)
{
	s32 all = READ_ONCE(device->network->settings_all.ipv4[number]);

	return MAX(all, READ_ONCE(device->settings.ipv4[number]));
}

bool device_setting6_either(const struct net_device *device, unsigned number)
{
	return READ_ONCE(device->network->settings_all.ipv6[number]) ||
	       READ_ONCE(device->settings.ipv6[number]);
}

/* --- What follows from a change; the analysis does not see that a device's network is this one --- */

/* `all` is not only a value of its own here: it is given to `default` and to every device. */
static bool all_means_everybody(enum device_setting_family family, unsigned number)
{
	return (family == SETTING_IPV4 && number == IPV4_DEVCONF_FORWARDING) ||
	       (family == SETTING_IPV6 &&
		(number == DEVCONF_FORWARDING || number == DEVCONF_DISABLE_IPV6));
}

static void apply(struct net_device *device, enum device_setting_family family,
		  unsigned number) __no_lock_analysis
{
	if (family != SETTING_IPV6 || !(device->flags & IFF_UP))
		return;
	switch (number) {
	case DEVCONF_DISABLE_IPV6:
		if (device->settings.ipv6[number])
			net_addresses_remove_ipv6(device);
		else
			net_addresses_begin_ipv6(device);
		return;
	case DEVCONF_ADDR_GEN_MODE:
		if (device->settings.ipv6[number] != IN6_ADDR_GEN_MODE_NONE)
			net_addresses_begin_ipv6(device);
		return;
	}
}

static void set_device(struct net_device *device, enum device_setting_family family,
		       unsigned number, s32 value)
{
	s32 *at = device_setting_at(&device->settings, family, number);

	if (*at == value)
		return;
	WRITE_ONCE(*at, value);
	apply(device, family, number);
}

/* Values that a general range does not describe. */
static bool is_acceptable(const struct net_device *device, enum device_setting_family family,
			  unsigned number, s32 value)
{
	if (family != SETTING_IPV6)
		return true;
	switch (number) {
	case DEVCONF_MTU6:
		return value >= IPV6_MTU_MIN && (!device || (u32)value <= device->mtu);
	case DEVCONF_ADDR_GEN_MODE: /* there is no secret to make stable ones of */
		return value != IN6_ADDR_GEN_MODE_STABLE_PRIVACY;
	default:
		return true;
	}
}

static void give_to_devices(struct network_namespace *network, int from,
			    enum device_setting_family family, unsigned number, s32 value)
{
	bool everybody = from == SETTINGS_OF_ALL && all_means_everybody(family, number);
	bool untouched = from == SETTINGS_OF_DEFAULT && family == SETTING_IPV4 &&
			 number != IPV4_DEVCONF_FORWARDING;

	if (everybody)
		*device_setting_at(&network->settings_default, family, number) = value;
	if (!everybody && !untouched)
		return;
	for (struct net_device *d = network->devices; d; d = d->next)
		if (everybody || !(d->settings.ipv4_own & BIT(number)))
			set_device(d, family, number, value);
}

static int write_locked(struct network_namespace *network, int index,
			enum device_setting_family family, unsigned number, s32 value)
	__must_hold(&network->config)
{
	struct device_settings *settings = device_settings_find(network, index);
	struct net_device *device = index > 0 ? net_device_find(network, index) : nullptr;

	if (!settings)
		return -ENODEV;
	if (!is_acceptable(device, family, number, value))
		return -EINVAL;
	if (device) {
		if (family == SETTING_IPV4)
			settings->ipv4_own |= BIT(number);
		set_device(device, family, number, value);
	} else {
		WRITE_ONCE(*device_setting_at(settings, family, number), value);
		if (index == SETTINGS_OF_ALL && family == SETTING_IPV4 &&
		    number == IPV4_DEVCONF_FORWARDING) /* a router finds its ways by itself */
			WRITE_ONCE(settings->ipv4[IPV4_DEVCONF_ACCEPT_REDIRECTS], !value);
		give_to_devices(network, index, family, number, value);
	}
	__atomic_add_fetch(&network->generation, 1, __ATOMIC_RELEASE);
	if (net_settings_event_hook)
		net_settings_event_hook(network, index, family, number);
	return 0;
}

int device_setting_write(struct network_namespace *network, int index,
			 enum device_setting_family family, unsigned number, s32 value)
{
	int error;

	mutex_lock(&network->config);
	error = write_locked(network, index, family, number, value);
	mutex_unlock(&network->config);
	return error;
}
