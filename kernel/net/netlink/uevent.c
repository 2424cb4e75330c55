/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NETLINK_KOBJECT_UEVENT: what the kernel tells udev of devices that come, go and change. A message is
 * "action@path" and then lines NAME=value, each ended by a zero byte.
 */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <net/device.h>
#include <net/netlink/netlink.h>
#include <net/netlink/uevent.h>

#define UEVENT_MAX 2048

static u64 last_number;

u64 uevent_number(void)
{
	return __atomic_load_n(&last_number, __ATOMIC_RELAXED);
}

struct uevent_text {
	char bytes[UEVENT_MAX];
	size_t used;
	bool overrun;
};

static void add(struct uevent_text *t, const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 2;

	if (t->used + size > sizeof(t->bytes)) {
		t->overrun = true;
		return;
	}
	snprintf(t->bytes + t->used, size, "%s=%s", name, value);
	t->used += size;
}

void uevent_emit(const char *action, const char *path, const char *subsystem,
		 const char *const *variables)
{
	struct uevent_text t __uninitialized;
	char number[24];

	t.overrun = false;
	t.used = (size_t)snprintf(t.bytes, sizeof(t.bytes), "%s@%s", action, path) + 1;
	if (t.used > sizeof(t.bytes))
		return;
	add(&t, "ACTION", action);
	add(&t, "DEVPATH", path);
	add(&t, "SUBSYSTEM", subsystem);
	for (unsigned i = 0; variables && variables[i]; i += 2)
		add(&t, variables[i], variables[i + 1]);
	snprintf(number, sizeof(number), "%lu",
		 (unsigned long)__atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED));
	add(&t, "SEQNUM", number);
	if (!t.overrun)
		netlink_broadcast(&initial_network, NETLINK_KOBJECT_UEVENT, 1, t.bytes, t.used);
}

static struct netlink_protocol uevent_protocol = { .number = NETLINK_KOBJECT_UEVENT,
						   .groups = 1,
						   .any_may_listen = true };

void uevent_init(void)
{
	netlink_protocol_register(&uevent_protocol);
}
