/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/sys/net/{ipv4,ipv6}/{conf,neigh}: a directory for `all`, `default` and each device of the name space of whoever looks. A
 * device's directory is found by its name at each look: the key of a node is the number of the device and a hash of the name by
 * which it was found, so that one that was renamed, or is of another name space, is not taken for it.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/device_settings.h>
#include <net/namespace.h>
#include <net/proc_net.h>

#define KEY_INDEX 0
#define KEY_NAME 1

/* One file: which setting it is, what it takes, and (of times) its unit in milliseconds. */
struct setting {
	u8 family; /* enum device_setting_family */
	u8 number;
	u16 unit;
	s32 minimum, maximum;
};

static int setting_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct network_namespace *network = current_network();
	const struct setting *s = node->data;
	struct device_settings *settings;
	s32 value = 0;

	rcu_read_lock();
	settings = device_settings_find(network, (int)node->key[KEY_INDEX]);
	if (settings)
		value = READ_ONCE(*device_setting_at(settings, s->family, s->number)) / s->unit;
	rcu_read_unlock();
	if (!settings)
		return -ENODEV;
	text_printf(out, "%d\n", value);
	return 0;
}

static int setting_store(const struct synthetic_node *node, char *text, size_t size)
{
	const struct setting *s = node->data;
	s64 value;
	int error = synthetic_parse_number(text, s->minimum, s->maximum / s->unit, &value);

	return error ? error
		     : device_setting_write(current_network(), (int)node->key[KEY_INDEX], s->family,
					    s->number, (s32)value * s->unit);
}

static const struct synthetic_type setting_file = { .mode = S_IFREG | 0644,
						    .show = setting_show,
						    .store = setting_store };

#define FILE_OF(name_, family_, number_, minimum_, maximum_, unit_)                                \
	{                                                                                          \
		name_, &setting_file, &(const struct setting)                                      \
		{                                                                                  \
			family_, number_, unit_, minimum_, maximum_                                \
		}                                                                                  \
	}
#define IPV4(name_, number_) FILE_OF(name_, SETTING_IPV4, number_, INT32_MIN, INT32_MAX, 1)
#define IPV6(name_, number_) FILE_OF(name_, SETTING_IPV6, number_, INT32_MIN, INT32_MAX, 1)
#define IPV6_RANGE(name_, number_, minimum_, maximum_)                                             \
	FILE_OF(name_, SETTING_IPV6, number_, minimum_, maximum_, 1)
#define NEIGHBOUR(family_, name_, number_, unit_)                                                  \
	FILE_OF(name_, family_, number_, 0, INT32_MAX, unit_)

static const struct synthetic_named ipv4_files[] = {
	IPV4("accept_local", IPV4_DEVCONF_ACCEPT_LOCAL),
	IPV4("accept_redirects", IPV4_DEVCONF_ACCEPT_REDIRECTS),
	IPV4("arp_accept", IPV4_DEVCONF_ARP_ACCEPT),
	IPV4("arp_announce", IPV4_DEVCONF_ARP_ANNOUNCE),
	IPV4("arp_filter", IPV4_DEVCONF_ARPFILTER),
	IPV4("arp_ignore", IPV4_DEVCONF_ARP_IGNORE),
	IPV4("arp_notify", IPV4_DEVCONF_ARP_NOTIFY),
	IPV4("drop_gratuitous_arp", IPV4_DEVCONF_DROP_GRATUITOUS_ARP),
	IPV4("drop_unicast_in_l2_multicast", IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST),
	IPV4("forwarding", IPV4_DEVCONF_FORWARDING),
	IPV4("igmpv3_unsolicited_report_interval", IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL),
	IPV4("log_martians", IPV4_DEVCONF_LOG_MARTIANS),
	IPV4("promote_secondaries", IPV4_DEVCONF_PROMOTE_SECONDARIES),
	IPV4("proxy_arp", IPV4_DEVCONF_PROXY_ARP),
	IPV4("route_localnet", IPV4_DEVCONF_ROUTE_LOCALNET),
	IPV4("rp_filter", IPV4_DEVCONF_RP_FILTER),
	IPV4("secure_redirects", IPV4_DEVCONF_SECURE_REDIRECTS),
	IPV4("send_redirects", IPV4_DEVCONF_SEND_REDIRECTS),
	IPV4("shared_media", IPV4_DEVCONF_SHARED_MEDIA),
};
const struct synthetic_table proc_sys_net_conf4 = SYNTHETIC_TABLE(ipv4_files);

static const struct synthetic_named ipv6_files[] = {
	IPV6("accept_dad", DEVCONF_ACCEPT_DAD),
	IPV6("accept_ra", DEVCONF_ACCEPT_RA),
	IPV6("accept_ra_defrtr", DEVCONF_ACCEPT_RA_DEFRTR),
	IPV6("accept_ra_from_local", DEVCONF_ACCEPT_RA_FROM_LOCAL),
	IPV6("accept_ra_min_hop_limit", DEVCONF_ACCEPT_RA_MIN_HOP_LIMIT),
	IPV6("accept_ra_mtu", DEVCONF_ACCEPT_RA_MTU),
	IPV6("accept_ra_pinfo", DEVCONF_ACCEPT_RA_PINFO),
	IPV6("accept_redirects", DEVCONF_ACCEPT_REDIRECTS),
	IPV6_RANGE("addr_gen_mode", DEVCONF_ADDR_GEN_MODE, 0, 3),
	IPV6("autoconf", DEVCONF_AUTOCONF),
	IPV6("dad_transmits", DEVCONF_DAD_TRANSMITS),
	IPV6("disable_ipv6", DEVCONF_DISABLE_IPV6),
	IPV6("drop_unicast_in_l2_multicast", DEVCONF_DROP_UNICAST_IN_L2_MULTICAST),
	IPV6("drop_unsolicited_na", DEVCONF_DROP_UNSOLICITED_NA),
	IPV6("forwarding", DEVCONF_FORWARDING),
	IPV6("hop_limit", DEVCONF_HOPLIMIT),
	IPV6("keep_addr_on_down", DEVCONF_KEEP_ADDR_ON_DOWN),
	IPV6("max_addresses", DEVCONF_MAX_ADDRESSES),
	IPV6("max_desync_factor", DEVCONF_MAX_DESYNC_FACTOR),
	IPV6("mldv2_unsolicited_report_interval", DEVCONF_MLDV2_UNSOLICITED_REPORT_INTERVAL),
	IPV6("mtu", DEVCONF_MTU6),
	IPV6("ndisc_notify", DEVCONF_NDISC_NOTIFY),
	IPV6_RANGE("ndisc_tclass", DEVCONF_NDISC_TCLASS, 0, 255),
	IPV6("proxy_ndp", DEVCONF_PROXY_NDP),
	IPV6_RANGE("ra_defrtr_metric", DEVCONF_RA_DEFRTR_METRIC, 1, INT32_MAX),
	IPV6("router_solicitation_delay", DEVCONF_RTR_SOLICIT_DELAY),
	IPV6("router_solicitation_interval", DEVCONF_RTR_SOLICIT_INTERVAL),
	IPV6("router_solicitation_max_interval", DEVCONF_RTR_SOLICIT_MAX_INTERVAL),
	IPV6("router_solicitations", DEVCONF_RTR_SOLICITS),
	IPV6("suppress_frag_ndisc", DEVCONF_SUPPRESS_FRAG_NDISC),
	IPV6("temp_prefered_lft", DEVCONF_TEMP_PREFERED_LFT),
	IPV6("temp_valid_lft", DEVCONF_TEMP_VALID_LFT),
	IPV6("use_tempaddr", DEVCONF_USE_TEMPADDR),
};
const struct synthetic_table proc_sys_net_conf6 = SYNTHETIC_TABLE(ipv6_files);

/* retrans_time has the unit of USER_HZ. */
#define NEIGHBOUR_FILES(family_)                                                                   \
	{                                                                                          \
		NEIGHBOUR(family_, "base_reachable_time", NDTPA_BASE_REACHABLE_TIME, 1000),        \
		NEIGHBOUR(family_, "base_reachable_time_ms", NDTPA_BASE_REACHABLE_TIME, 1),        \
		NEIGHBOUR(family_, "delay_first_probe_time", NDTPA_DELAY_PROBE_TIME, 1000),        \
		NEIGHBOUR(family_, "mcast_solicit", NDTPA_MCAST_PROBES, 1),                        \
		NEIGHBOUR(family_, "retrans_time", NDTPA_RETRANS_TIME, 10),                        \
		NEIGHBOUR(family_, "retrans_time_ms", NDTPA_RETRANS_TIME, 1),                      \
		NEIGHBOUR(family_, "ucast_solicit", NDTPA_UCAST_PROBES, 1),                        \
		NEIGHBOUR(family_, "unres_qlen_bytes", NDTPA_QUEUE_LENBYTES, 1),                   \
	}
static const struct synthetic_named neighbour4_files[] = NEIGHBOUR_FILES(SETTING_NEIGHBOUR4);
static const struct synthetic_named neighbour6_files[] = NEIGHBOUR_FILES(SETTING_NEIGHBOUR6);
const struct synthetic_table proc_sys_net_neigh4 = SYNTHETIC_TABLE(neighbour4_files);
const struct synthetic_table proc_sys_net_neigh6 = SYNTHETIC_TABLE(neighbour6_files);

/* --- The directories --- */

static u64 hash_of(const char *name)
{
	u64 hash = 14695981039346656037ull;

	while (*name)
		hash = (hash ^ (u8)*name++) * 1099511628211ull;
	return hash;
}

/* Of neighbours only the first name space has a `default`, which is for all of them, and none has an `all`. */
static bool has_common(bool of_neighbours, int index)
{
	return !of_neighbours ||
	       (index == SETTINGS_OF_DEFAULT && current_network() == &initial_network);
}

static bool is_of_neighbours(const void *table)
{
	return table == &proc_sys_net_neigh4 || table == &proc_sys_net_neigh6;
}

/* A cached name means something as long as a device of that number has it. */
static bool device_valid(const struct synthetic_node *node)
{
	int index = (int)node->key[KEY_INDEX];
	const struct net_device *d;
	bool valid;

	if (index < 0)
		return has_common(is_of_neighbours(node->data), index);
	rcu_read_lock();
	d = net_device_find(current_network(), index);
	valid = d && hash_of(d->name) == node->key[KEY_NAME];
	rcu_read_unlock();
	return valid;
}

static const struct synthetic_type device_directory = { .mode = S_IFDIR | 0555,
							.lookup = synthetic_table_lookup,
							.next = synthetic_table_next,
							.valid = device_valid };

static void child_of(const struct synthetic_node *dir, int index, const char *name,
		     struct synthetic_node *out)
{
	*out = (struct synthetic_node){ .type = &device_directory,
					.data = dir->data,
					.key = { (u64)(s64)index, hash_of(name) } };
}

static int conf_lookup(const struct synthetic_node *dir, const char *name,
		       struct synthetic_node *out)
{
	const struct net_device *d;
	int index = 0;

	if (!strcmp(name, "default"))
		index = SETTINGS_OF_DEFAULT;
	else if (!strcmp(name, "all"))
		index = SETTINGS_OF_ALL;
	if (index && !has_common(is_of_neighbours(dir->data), index))
		index = 0;
	if (!index) {
		rcu_read_lock();
		d = net_device_find_name(current_network(), name);
		index = d ? d->index : 0;
		rcu_read_unlock();
	}
	if (!index)
		return -ENOENT;
	child_of(dir, index, name, out);
	return 0;
}

static bool conf_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		      struct synthetic_node *out)
{
	const struct net_device *d;
	int index = 0;
	u64 skip;

	while (*cursor < 2 && !has_common(is_of_neighbours(dir->data),
					  *cursor ? SETTINGS_OF_DEFAULT : SETTINGS_OF_ALL))
		++*cursor;
	skip = *cursor;
	if (skip < 2) {
		index = skip ? SETTINGS_OF_DEFAULT : SETTINGS_OF_ALL;
		string_copy(name, skip ? "default" : "all", NAME_MAX + 1);
	} else {
		rcu_read_lock();
		d = rcu_dereference(current_network()->devices);
		while (d && skip-- > 2)
			d = rcu_dereference(d->next);
		if (d) {
			index = d->index;
			string_copy(name, d->name, NAME_MAX + 1);
		}
		rcu_read_unlock();
	}
	if (!index)
		return false;
	++*cursor;
	child_of(dir, index, name, out);
	return true;
}

const struct synthetic_type proc_sys_net_devices = { .mode = S_IFDIR | 0555,
						     .lookup = conf_lookup,
						     .next = conf_next };

/* net/ipv4/ip_forward is another name of conf/all/forwarding. */
static int ip_forward_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%d\n", current_network()->settings_all.ipv4[IPV4_DEVCONF_FORWARDING]);
	return 0;
}

static int ip_forward_store(const struct synthetic_node *node, char *text, size_t size)
{
	s64 value;
	int error = synthetic_parse_number(text, INT32_MIN, INT32_MAX, &value);

	return error ? error
		     : device_setting_write(current_network(), SETTINGS_OF_ALL, SETTING_IPV4,
					    IPV4_DEVCONF_FORWARDING, (s32)value);
}
const struct synthetic_type proc_sys_net_ip_forward = { .mode = S_IFREG | 0644,
							.show = ip_forward_show,
							.store = ip_forward_store };
