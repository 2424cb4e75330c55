/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which groups devices listen to. */
#include <lib/errno.h>
#include <mm/slab.h>
#include <net/multicast.h>
#include <net/protocol.h>

struct membership {
	struct membership *next;
	struct net_device *device;
	struct inet_address group;
	unsigned users;
};

static struct spinlock lock = SPINLOCK_INIT(RANK_NET_LINK);
static struct membership *memberships __guarded_by(&lock);

static struct membership **find(const struct net_device *device, const struct inet_address *group)
	__must_hold(&lock)
{
	struct membership **link = &memberships;

	while (*link && ((*link)->device != device || !inet_equal(&(*link)->group, group)))
		link = &(*link)->next;
	return link;
}

int multicast_join(struct net_device *device, const struct inet_address *group)
{
	struct membership **link;
	bool first = false;
	int error = 0;

	spin_lock(&lock);
	link = find(device, group);
	if (!*link) {
		*link = kzalloc(sizeof(**link), ALLOC_ATOMIC);
		if (*link)
			**link = (struct membership){ .device = device, .group = *group };
	}
	if (*link)
		first = (*link)->users++ == 0;
	else
		error = -ENOBUFS;
	spin_unlock(&lock);
	if (first)
		multicast_report_change(device, group, true);
	return error;
}

void multicast_leave(struct net_device *device, const struct inet_address *group)
{
	struct membership **link, *gone = nullptr;

	spin_lock(&lock);
	link = find(device, group);
	if (*link && --(*link)->users == 0) {
		gone = *link;
		*link = gone->next;
	}
	spin_unlock(&lock);
	if (gone)
		multicast_report_change(device, group, false);
	kfree(gone);
}

/* All nodes, and the solicited-node group of each address (RFC 4291, 2.7.1), are always joined. */
static bool implied(const struct net_device *device, const struct inet_address *group)
{
	static const u8 solicited[13] = { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff };

	if (inet_is_v4(group))
		return group->words[3] == net32(0xe0000001);
	if (group->bytes[15] == 1 && (group->bytes[1] == 1 || group->bytes[1] == 2) &&
	    inet_prefix_matches(group, &(struct inet_address){ .bytes = { 0xff, group->bytes[1] } },
				120))
		return true;
	/* Routers listen to each other's groups, too: of the host, the link and the site. */
	if (group->bytes[15] == 2 && READ_ONCE(device->settings.ipv6[DEVCONF_FORWARDING]) &&
	    (group->bytes[1] == 1 || group->bytes[1] == 2 || group->bytes[1] == 5) &&
	    inet_prefix_matches(group, &(struct inet_address){ .bytes = { 0xff, group->bytes[1] } },
				120))
		return true;
	if (__builtin_memcmp(group->bytes, solicited, sizeof(solicited)))
		return false;
	for (const struct net_address *a = rcu_dereference(device->addresses); a;
	     a = rcu_dereference(a->next))
		if (!inet_is_v4(&a->address) &&
		    !__builtin_memcmp(&a->address.bytes[13], &group->bytes[13], 3))
			return true;
	return false;
}

bool multicast_joined(const struct net_device *device, const struct inet_address *group)
{
	bool joined;

	if (implied(device, group))
		return true;
	spin_lock(&lock);
	joined = *find(device, group) != nullptr;
	spin_unlock(&lock);
	return joined;
}

void multicast_drop_device(const struct net_device *device)
{
	struct membership **link = &memberships, *gone = nullptr, *m;

	spin_lock(&lock);
	while ((m = *link)) {
		if (m->device == device) {
			*link = m->next;
			m->next = gone;
			gone = m;
		} else {
			link = &m->next;
		}
	}
	spin_unlock(&lock);
	while ((m = gone)) {
		gone = m->next;
		kfree(m);
	}
}

bool multicast_next(const struct net_device *device, unsigned *position,
		    struct multicast_entry *out)
{
	unsigned at = 0;
	bool found = false;

	spin_lock(&lock);
	for (struct membership *m = memberships; m && !found; m = m->next)
		if (m->device == device && at++ == *position) {
			*out = (struct multicast_entry){ m->device->index, m->group, m->users };
			found = true;
		}
	spin_unlock(&lock);
	*position = at;
	return found;
}
