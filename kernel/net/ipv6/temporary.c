/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Temporary addresses (RFC 8981; net.ipv6.conf.*.use_tempaddr): beside each address of a prefix that manages them (IFA_F_MANAGETEMPADDR)
 * there is one with a random identifier, which lives for some days at most, so that what a host does today cannot be told from
 * what it did last week. There is always one that is preferred for REGENERATE_NS yet.
 */
#include <core/random.h>
#include <core/time.h>
#include <net/local.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#define REGENERATE_NS NET_TEMPORARY_REGENERATE_NS
#define PREFIX 64

static bool is_temporary_of(const struct net_address *a, const struct net_address *public)
{
	return !inet_is_v4(&a->address) && (a->flags & IFA_F_TEMPORARY) &&
	       inet_prefix_matches(&a->address, &public->address, PREFIX);
}

static u64 seconds_from(u64 now, s32 seconds)
{
	return now + (u64)MAX(seconds, 0) * NSEC_PER_SEC;
}

/* How much earlier than it could one goes, so that not all hosts make new ones at once (RFC 8981, 3.8). */
static s32 desynchronisation(const struct net_device *device)
{
	s32 preferred = device->settings.ipv6[DEVCONF_TEMP_PREFERED_LFT];
	s32 most = MIN(device->settings.ipv6[DEVCONF_MAX_DESYNC_FACTOR], preferred / 5 * 2);

	return most > 0 ? (s32)(random_u64() % (u64)most) : 0;
}

static bool has_room(const struct net_device *device)
{
	s32 most = device->settings.ipv6[DEVCONF_MAX_ADDRESSES], count = 0;

	for (const struct net_address *a = device->addresses; a; a = a->next)
		count += !inet_is_v4(&a->address);
	return !most || count < most;
}

static void make(struct net_device *device, const struct net_address *public, u64 now)
	__must_hold(&device->network->config)
{
	s32 preferred =
		device->settings.ipv6[DEVCONF_TEMP_PREFERED_LFT] - desynchronisation(device);
	struct net_address a = {
		.address = public->address,
		.prefix_length = PREFIX,
		.scope = RT_SCOPE_UNIVERSE,
		.protocol = IFAPROT_KERNEL_RA,
		.flags = IFA_F_TEMPORARY,
		.valid_most_ns = seconds_from(now, device->settings.ipv6[DEVCONF_TEMP_VALID_LFT]),
		.preferred_most_ns = seconds_from(now, preferred),
	};

	a.valid_until_ns = MIN(a.valid_most_ns, public->valid_until_ns);
	a.preferred_until_ns = MIN(a.preferred_most_ns, public->preferred_until_ns);
	if (a.preferred_until_ns <= now + REGENERATE_NS || !has_room(device))
		return;
	random_bytes(a.address.bytes + 8, 8);
	a.address.bytes[8] &= 0xfd; /* never that of a card, nor one that is reserved (RFC 5453) */
	(void)!net_address_add(device, &a); /* no memory: with the next tick */
}

void net_temporary_addresses_keep(struct net_device *device, u64 now)
{
	const struct net_address *a;

	if (device->settings.ipv6[DEVCONF_USE_TEMPADDR] <= 0 || !(device->flags & IFF_UP))
		return;
	for (const struct net_address *public = device->addresses; public; public = public->next) {
		if (!(public->flags & IFA_F_MANAGETEMPADDR) || public->prefix_length != PREFIX)
			continue;
		for (a = device->addresses; a; a = a->next)
			if (is_temporary_of(a, public) &&
			    a->preferred_until_ns > now + REGENERATE_NS)
				break;
		if (!a)
			make(device, public, now);
	}
}

void net_temporary_addresses_follow(struct net_device *device, const struct net_address *public)
{
	for (struct net_address *a = device->addresses; a; a = a->next) {
		if (!is_temporary_of(a, public))
			continue;
		a->valid_until_ns = MIN(a->valid_most_ns, public->valid_until_ns);
		a->preferred_until_ns = MIN(a->preferred_most_ns, public->preferred_until_ns);
		if (a->preferred_until_ns > clock_monotonic_ns())
			a->flags &= ~(u32)IFA_F_DEPRECATED;
	}
}
