/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /sys/class/net and /sys/devices/virtual/net: the devices of the network name space of whoever looks, with what
 * ip(8), ethtool(8) and udev read there. A device is found anew by its name at each look.
 */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/device_change.h>
#include <net/link_kind.h>
#include <net/namespace.h>
#include <net/sys_net.h>

#include <linux/if_link.h>

#define KEY_INDEX 0 /* of the device */

static struct net_device *device_of_locked(struct network_namespace *network,
					   const struct synthetic_node *node)
	__must_hold(&network->config)
{
	return net_device_find(network, (int)node->key[KEY_INDEX]);
}

/* --- Values --- */

enum value {
	VALUE_ADDRESS,
	VALUE_ADDRESS_LENGTH,
	VALUE_BROADCAST,
	VALUE_CARRIER,
	VALUE_FLAGS,
	VALUE_IFINDEX,
	VALUE_IFLINK,
	VALUE_LINK_MODE,
	VALUE_MTU,
	VALUE_OPERSTATE,
	VALUE_QUEUE_LENGTH,
	VALUE_TYPE,
	VALUE_UEVENT,
	VALUE_TUN_FLAGS, /* the first of those that only tun and tap devices have */
	VALUE_TUN_OWNER,
	VALUE_TUN_GROUP,
};
static const enum value values[] = {
	VALUE_ADDRESS, VALUE_ADDRESS_LENGTH, VALUE_BROADCAST,	 VALUE_CARRIER,
	VALUE_FLAGS,   VALUE_IFINDEX,	     VALUE_IFLINK,	 VALUE_LINK_MODE,
	VALUE_MTU,     VALUE_OPERSTATE,	     VALUE_QUEUE_LENGTH, VALUE_TYPE,
	VALUE_UEVENT,  VALUE_TUN_FLAGS,	     VALUE_TUN_OWNER,	 VALUE_TUN_GROUP,
};

static void put_link_address(struct text_buffer *out, const u8 *address, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		text_printf(out, i ? ":%02x" : "%02x", address[i]);
	text_printf(out, "\n");
}

static int iflink_of(const struct net_device *d)
{
	const struct net_device *peer;
	int index = d->index;

	rcu_read_lock();
	peer = d->kind && d->kind->peer ? d->kind->peer(d) : nullptr;
	if (peer)
		index = peer->index;
	rcu_read_unlock();
	return index;
}

static const char *operational_state(const struct net_device *d)
{
	switch (net_device_operational_state(d)) {
	case IF_OPER_UP:
		return "up";
	case IF_OPER_DOWN:
		return "down";
	case IF_OPER_LOWERLAYERDOWN:
		return "lowerlayerdown";
	default:
		return "unknown";
	}
}

static int put_tun_value(const struct net_device *d, enum value value, struct text_buffer *out)
{
	struct tun_description tun;

	if (!tun_describe(d, &tun))
		return -EINVAL;
	if (value == VALUE_TUN_FLAGS)
		text_printf(out, "0x%x\n", tun.flags);
	else
		text_printf(out, "%d\n", value == VALUE_TUN_OWNER ? tun.owner : tun.group);
	return 0;
}

static int put_value(const struct net_device *d, enum value value, struct text_buffer *out)
{
	switch (value) {
	case VALUE_ADDRESS:
		put_link_address(out, d->address, d->address_length);
		return 0;
	case VALUE_BROADCAST:
		put_link_address(out, d->broadcast, d->address_length);
		return 0;
	case VALUE_ADDRESS_LENGTH:
		text_printf(out, "%u\n", d->address_length);
		return 0;
	case VALUE_CARRIER:
		if (!(d->flags & IFF_UP))
			return -EINVAL;
		text_printf(out, "%d\n", !!(d->flags & IFF_RUNNING));
		return 0;
	case VALUE_FLAGS: /* those of the device itself, as on Linux: no carrier in them */
		text_printf(out, "0x%x\n", d->flags & ~(u32)(IFF_RUNNING | IFF_LOWER_UP));
		return 0;
	case VALUE_IFINDEX:
		text_printf(out, "%d\n", d->index);
		return 0;
	case VALUE_IFLINK:
		text_printf(out, "%d\n", iflink_of(d));
		return 0;
	case VALUE_LINK_MODE:
		text_printf(out, "0\n");
		return 0;
	case VALUE_MTU:
		text_printf(out, "%u\n", d->mtu);
		return 0;
	case VALUE_OPERSTATE:
		text_printf(out, "%s\n", operational_state(d));
		return 0;
	case VALUE_QUEUE_LENGTH:
		text_printf(out, "%u\n", d->transmit_queue_length);
		return 0;
	case VALUE_TYPE:
		text_printf(out, "%u\n", d->type);
		return 0;
	case VALUE_UEVENT:
		text_printf(out, "INTERFACE=%s\nIFINDEX=%d\n", d->name, d->index);
		return 0;
	default:
		return put_tun_value(d, value, out);
	}
	return -EINVAL;
}

static int value_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct network_namespace *network = current_network();
	const struct net_device *d;
	int error = -ENODEV;

	mutex_lock(&network->config);
	d = device_of_locked(network, node);
	if (d)
		error = put_value(d, *(const enum value *)node->data, out);
	mutex_unlock(&network->config);
	return error;
}

/* Those that may be set: the MTU and the length of the queue. */
static int value_store(const struct synthetic_node *node, char *text,
		       size_t size) __no_lock_analysis /* the device's network is this one */
{
	struct network_namespace *network = current_network();
	struct net_device *d;
	s64 number;
	int error = synthetic_parse_number(text, 0, INT32_MAX, &number);

	if (error)
		return error;
	mutex_lock(&network->config);
	d = net_device_find(network, (int)node->key[KEY_INDEX]);
	if (!d)
		error = -ENODEV;
	else if (*(const enum value *)node->data == VALUE_MTU)
		error = net_device_set_mtu(d, (u32)number);
	else
		d->transmit_queue_length = (u32)number;
	mutex_unlock(&network->config);
	return error;
}

static const struct synthetic_type value_file = { .mode = S_IFREG | 0444, .show = value_show };
static const struct synthetic_type value_file_rw = { .mode = S_IFREG | 0644,
						     .show = value_show,
						     .store = value_store };

/* --- Statistics: data is the offset in struct net_device_statistics --- */

#define OFFSET(symbol, field)                                                                      \
	static const size_t symbol = offsetof(struct net_device_statistics, field)
OFFSET(rx_packets, receive_packets);
OFFSET(rx_bytes, receive_bytes);
OFFSET(rx_errors, receive_errors);
OFFSET(rx_dropped, receive_dropped);
OFFSET(rx_multicast, receive_multicast);
OFFSET(tx_packets, transmit_packets);
OFFSET(tx_bytes, transmit_bytes);
OFFSET(tx_errors, transmit_errors);
OFFSET(tx_dropped, transmit_dropped);
OFFSET(tx_carrier, transmit_carrier);

static int statistic_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct network_namespace *network = current_network();
	struct net_device_statistics sum = {};
	const struct net_device *d;

	mutex_lock(&network->config);
	d = device_of_locked(network, node);
	if (d)
		net_device_statistics_sum(d, &sum);
	if (d)
		text_printf(out, "%llu\n",
			    (unsigned long long)*(const u64 *)((const char *)&sum +
							       *(const size_t *)node->data));
	mutex_unlock(&network->config);
	return d ? 0 : -ENODEV;
}
static const struct synthetic_type statistic_file = { .mode = S_IFREG | 0444,
						      .show = statistic_show };

static const struct synthetic_named statistics[] = {
	{ "multicast", &statistic_file, &rx_multicast },
	{ "rx_bytes", &statistic_file, &rx_bytes },
	{ "rx_dropped", &statistic_file, &rx_dropped },
	{ "rx_errors", &statistic_file, &rx_errors },
	{ "rx_packets", &statistic_file, &rx_packets },
	{ "tx_bytes", &statistic_file, &tx_bytes },
	{ "tx_carrier_errors", &statistic_file, &tx_carrier },
	{ "tx_dropped", &statistic_file, &tx_dropped },
	{ "tx_errors", &statistic_file, &tx_errors },
	{ "tx_packets", &statistic_file, &tx_packets },
};
static const struct synthetic_table statistics_table = SYNTHETIC_TABLE(statistics);

/* --- A device --- */

static const struct synthetic_named files[] = {
	{ "addr_len", &value_file, &values[VALUE_ADDRESS_LENGTH] },
	{ "address", &value_file, &values[VALUE_ADDRESS] },
	{ "broadcast", &value_file, &values[VALUE_BROADCAST] },
	{ "carrier", &value_file, &values[VALUE_CARRIER] },
	{ "flags", &value_file, &values[VALUE_FLAGS] },
	{ "ifindex", &value_file, &values[VALUE_IFINDEX] },
	{ "iflink", &value_file, &values[VALUE_IFLINK] },
	{ "link_mode", &value_file, &values[VALUE_LINK_MODE] },
	{ "mtu", &value_file_rw, &values[VALUE_MTU] },
	{ "operstate", &value_file, &values[VALUE_OPERSTATE] },
	{ "statistics", &synthetic_directory, &statistics_table },
	{ "tx_queue_len", &value_file_rw, &values[VALUE_QUEUE_LENGTH] },
	{ "type", &value_file, &values[VALUE_TYPE] },
	{ "uevent", &value_file, &values[VALUE_UEVENT] },
};
static const struct synthetic_table device_table = SYNTHETIC_TABLE(files);

static const struct synthetic_named tun_files[] = {
	{ "group", &value_file, &values[VALUE_TUN_GROUP] },
	{ "owner", &value_file, &values[VALUE_TUN_OWNER] },
	{ "tun_flags", &value_file, &values[VALUE_TUN_FLAGS] },
};
static const struct synthetic_table tun_table = SYNTHETIC_TABLE(tun_files);

static bool is_tun(const struct synthetic_node *dir)
{
	struct tun_description tun;
	const struct net_device *d;
	bool result;

	rcu_read_lock();
	d = net_device_find(current_network(), (int)dir->key[KEY_INDEX]);
	result = d && tun_describe(d, &tun);
	rcu_read_unlock();
	return result;
}

static int device_lookup(const struct synthetic_node *dir, const char *name,
			 struct synthetic_node *out)
{
	struct synthetic_node with_table = *dir;

	with_table.data = &device_table;
	if (!synthetic_table_lookup(&with_table, name, out))
		return 0;
	with_table.data = &tun_table;
	return is_tun(dir) ? synthetic_table_lookup(&with_table, name, out) : -ENOENT;
}

static bool device_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			struct synthetic_node *out)
{
	struct synthetic_node with_table = *dir;

	with_table.data = &device_table;
	return synthetic_table_next(&with_table, cursor, name, out);
}

/* A cached name means something as long as the device of that number is there. */
static bool device_valid(const struct synthetic_node *node)
{
	bool there;

	rcu_read_lock();
	there = net_device_find(current_network(), (int)node->key[KEY_INDEX]);
	rcu_read_unlock();
	return there;
}

static const struct synthetic_type device_directory = {
	.mode = S_IFDIR | 0755, .lookup = device_lookup, .next = device_next, .valid = device_valid
};

static int device_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	const struct net_device *d;
	char buf[64];

	(void)path;
	rcu_read_lock();
	d = net_device_find(current_network(), (int)node->key[KEY_INDEX]);
	if (d)
		snprintf(buf, sizeof(buf), "../../devices/virtual/net/%s", d->name);
	rcu_read_unlock();
	if (!d)
		return -ENOENT;
	*text = kstrdup(buf, 0);
	return *text ? 0 : -ENOMEM;
}

static const struct synthetic_type device_link = { .mode = S_IFLNK | 0777,
						   .read_link = device_read_link,
						   .valid = device_valid };

/* --- All devices: as links in class/net, as directories in devices/virtual/net --- */

static void child_of(const struct synthetic_node *dir, const struct net_device *d,
		     struct synthetic_node *out)
{
	*out = (struct synthetic_node){
		.type = dir->type == &sys_net_class ? &device_link : &device_directory,
		.key = { (u64)d->index },
	};
}

static int net_lookup(const struct synthetic_node *dir, const char *name,
		      struct synthetic_node *out)
{
	const struct net_device *d;

	rcu_read_lock();
	d = net_device_find_name(current_network(), name);
	if (d)
		child_of(dir, d, out);
	rcu_read_unlock();
	return d ? 0 : -ENOENT;
}

static bool net_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		     struct synthetic_node *out)
{
	const struct net_device *d;
	u64 skip = *cursor;

	rcu_read_lock();
	d = rcu_dereference(current_network()->devices);
	while (d && skip--)
		d = rcu_dereference(d->next);
	if (d) {
		++*cursor;
		string_copy(name, d->name, NAME_MAX + 1);
		child_of(dir, d, out);
	}
	rcu_read_unlock();
	return d;
}

#define NET_TYPE { .mode = S_IFDIR | 0755, .lookup = net_lookup, .next = net_next }
const struct synthetic_type sys_net_class = NET_TYPE, sys_net_devices = NET_TYPE;
