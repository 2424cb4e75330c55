/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/sys/net: values that the network really uses. Those of struct network_sysctl belong to the network name space of whoever looks;
 * the sizes of buffers under net/core are one for all.
 */
#include <fs/proc/sysctl.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/route_exception.h>
#include <net/tcp/tcp.h>
#include <sys/socket.h>

/* One file: `count` numbers of `size` bytes, in a global structure or (null) that of the name space. */
struct setting {
	void *global;
	u16 offset;
	u8 size, count;
	s64 minimum, maximum;
	bool ordered; /* the first number may not be larger than the second */
};
#define NUMBERS_MAX 3

static void *variable_of(const struct setting *s)
{
	return s->global ? s->global : (char *)&current_network()->sysctl + s->offset;
}

static s64 get_number(const void *at, u8 size)
{
	switch (size) {
	case 1:
		return *(const u8 *)at;
	case 2:
		return *(const u16 *)at;
	default:
		return *(const s32 *)at;
	}
}

static void set_number(void *at, u8 size, s64 value)
{
	switch (size) {
	case 1:
		WRITE_ONCE(*(u8 *)at, (u8)value);
		return;
	case 2:
		WRITE_ONCE(*(u16 *)at, (u16)value);
		return;
	default:
		WRITE_ONCE(*(s32 *)at, (s32)value);
	}
}

static int setting_show(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct setting *s = node->data;
	const char *at = variable_of(s);

	for (unsigned i = 0; i < s->count; i++)
		text_printf(out, i ? "\t%lld" : "%lld",
			    (long long)get_number(at + i * s->size, s->size));
	text_printf(out, "\n");
	return 0;
}

static int setting_store(const struct synthetic_node *node, char *text, size_t size)
{
	const struct setting *s = node->data;
	s64 numbers[NUMBERS_MAX];
	char *at = variable_of(s);

	for (unsigned i = 0; i < s->count; i++) {
		char *end;
		int error;

		while (*text == ' ' || *text == '\t')
			text++;
		end = text;
		while (*end && (i + 1 == s->count || (*end != ' ' && *end != '\t')))
			end++;
		if (*end)
			*end++ = '\0';
		error = synthetic_parse_number(text, s->minimum, s->maximum, &numbers[i]);
		if (error)
			return error;
		text = end;
	}
	if (s->ordered && numbers[0] > numbers[1])
		return -EINVAL;
	for (unsigned i = 0; i < s->count; i++)
		set_number(at + i * s->size, s->size, numbers[i]);
	return 0;
}

static const struct synthetic_type setting_file = { .mode = S_IFREG | 0644,
						    .show = setting_show,
						    .store = setting_store };

#define OWN(symbol, field, count_, minimum_, maximum_, ordered_)                                   \
	static const struct setting symbol = { .offset = offsetof(struct network_sysctl, field),   \
					       .size = sizeof(                                     \
						       ((struct network_sysctl *)0)->field),       \
					       .count = (count_),                                  \
					       .minimum = (minimum_),                              \
					       .maximum = (maximum_),                              \
					       .ordered = (ordered_) }
OWN(default_ttl, ip_default_ttl, 1, 1, 255, false);
OWN(autobind_reuse, ip_autobind_reuse, 1, 0, 1, false);
OWN(nonlocal_bind, ip_nonlocal_bind, 1, 0, 1, false);
OWN(nonlocal_bind6, ipv6_nonlocal_bind, 1, 0, 1, false);
OWN(auto_labels, ipv6_auto_flow_labels, 1, 0, 3, false);
OWN(port_range, local_port_first, 2, 1, 65535, true);
OWN(ping_range, ping_group_first, 2, 0, INT32_MAX, false);
OWN(ignore_all, icmp_echo_ignore_all, 1, 0, 1, false);
OWN(ignore_broadcasts, icmp_echo_ignore_broadcasts, 1, 0, 1, false);
OWN(unprivileged_start, unprivileged_port_start, 1, 0, 65535, false);
OWN(dsack, tcp.dsack, 1, 0, 1, false);
OWN(moderate_rcvbuf, tcp.moderate_rcvbuf, 1, 0, 1, false);
OWN(thin_linear_timeouts, tcp.thin_linear_timeouts, 1, 0, 1, false);
OWN(abort_on_overflow, tcp.abort_on_overflow, 1, 0, 1, false);
OWN(reflect_tos, tcp.reflect_tos, 1, 0, 1, false);
OWN(stdurg, tcp.stdurg, 1, 0, 1, false);
OWN(early_retrans, tcp.early_retrans, 1, 0, 4, false);
OWN(timestamps, tcp.timestamps, 1, 0, 1, false);
OWN(sack, tcp.sack, 1, 0, 1, false);
OWN(window_scaling, tcp.window_scaling, 1, 0, 1, false);
OWN(syn_cookies, tcp.syn_cookies, 1, 0, 1, false);
OWN(slow_start, tcp.slow_start_after_idle, 1, 0, 1, false);
OWN(tw_reuse, tcp.time_wait_reuse, 1, 0, 1, false);
OWN(rfc1337, tcp.rfc1337, 1, 0, 1, false);
OWN(ecn, tcp.ecn, 1, 0, 2, false);
OWN(syn_retries, tcp.syn_retries, 1, 1, 127, false);
OWN(synack_retries, tcp.synack_retries, 1, 0, 255, false);
OWN(retries1, tcp.retries1, 1, 0, 255, false);
OWN(mtu_probing, tcp.mtu_probing, 1, 0, 255, false);
OWN(base_mss, tcp.base_mss, 1, 0, INT32_MAX, false);
OWN(mtu_probe_floor, tcp.mtu_probe_floor, 1, 0, INT32_MAX, false);
OWN(probe_threshold, tcp.probe_threshold, 1, 0, INT32_MAX, false);
OWN(probe_interval, tcp.probe_interval, 1, 0, INT32_MAX, false);
OWN(retries2, tcp.retries2, 1, 0, 255, false);
OWN(orphan_retries, tcp.orphan_retries, 1, 0, 255, false);
OWN(keepalive_probes, tcp.keepalive_probes, 1, 0, 255, false);
OWN(fin_timeout, tcp.fin_timeout, 1, 0, INT32_MAX, false);
OWN(keepalive_time, tcp.keepalive_time, 1, 1, 32767, false);
OWN(keepalive_interval, tcp.keepalive_interval, 1, 1, 32767, false);
OWN(max_syn_backlog, tcp.max_syn_backlog, 1, 0, INT32_MAX, false);
OWN(max_tw_buckets, tcp.max_tw_buckets, 1, 0, INT32_MAX, false);
OWN(rmem, tcp.rmem[0], 3, 1, INT32_MAX, false);
OWN(wmem, tcp.wmem[0], 3, 1, INT32_MAX, false);
OWN(somaxconn, tcp.somaxconn, 1, 0, 65535, false);
OWN(fast_open, tcp.fast_open, 1, INT32_MIN, INT32_MAX, false);
#define GLOBAL(symbol, variable, minimum_, maximum_)                                               \
	static const struct setting symbol = { .global = &(variable),                              \
					       .size = sizeof(variable),                           \
					       .count = 1,                                         \
					       .minimum = (minimum_),                              \
					       .maximum = (maximum_) }
GLOBAL(rmem_default, socket_sysctl.receive_default, 2304, INT32_MAX);
GLOBAL(rmem_max, socket_sysctl.receive_maximum, 2304, INT32_MAX);
GLOBAL(optmem_max, socket_sysctl.option_memory_maximum, 0, INT32_MAX);
GLOBAL(wmem_default, socket_sysctl.send_default, 4608, INT32_MAX);
GLOBAL(wmem_max, socket_sysctl.send_maximum, 4608, INT32_MAX);
GLOBAL(icmp_per_second, icmp_limits.per_second, 0, INT32_MAX);
GLOBAL(icmp_burst, icmp_limits.burst, 0, INT32_MAX);
OWN(max_dgram_qlen, unix_datagrams_max, 1, 0, INT32_MAX, false);

/* --- TCP Fast Open: keys as numbers in hexadecimal, and the time after which a client tries again --- */

static int fast_open_key_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct fast_open_keys keys;

	tcp_fast_open_network_keys(current_network(), &keys);
	for (u32 i = 0; i < MAX(keys.count, 1u); i++) {
		u32 words[4];

		memcpy(words, &keys.key[i], sizeof(words));
		text_printf(out, "%s%08x-%08x-%08x-%08x", i ? "," : "", words[0], words[1],
			    words[2], words[3]);
	}
	text_printf(out, "\n");
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Four numbers of at most eight hexadecimal digits, joined by dashes. Null: there are not; else what follows them. */
static const char *parse_key(const char *text, struct siphash_key *key)
{
	u32 words[4] = {};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		unsigned digits = 0;
		int digit;

		if (i && *text++ != '-')
			return nullptr;
		for (; (digit = hex_digit(*text)) >= 0 && digits < 8; text++, digits++)
			words[i] = words[i] << 4 | (u32)digit;
		if (!digits)
			return nullptr;
	}
	memcpy(key, words, sizeof(*key));
	return text;
}

static int fast_open_key_store(const struct synthetic_node *node, char *text, size_t size)
{
	struct fast_open_keys keys = {};
	const char *at = text;

	while (*at == ' ')
		at++;
	do {
		at = parse_key(at, &keys.key[keys.count]);
		if (!at)
			return -EINVAL;
		keys.count++;
	} while (keys.count < ARRAY_SIZE(keys.key) && *at == ',' && at++);
	while (*at == ' ' || *at == '\n')
		at++;
	if (*at)
		return -EINVAL;
	tcp_fast_open_set_network_keys(current_network(), &keys);
	return 0;
}
static const struct synthetic_type fast_open_key_file = { .mode = S_IFREG | 0600,
							  .show = fast_open_key_show,
							  .store = fast_open_key_store };

OWN(blackhole_timeout, tcp.fast_open_blackhole_timeout, 1, 0, INT32_MAX, false);

static int blackhole_store(const struct synthetic_node *node, char *text, size_t size)
{
	int error = setting_store(node, text, size);

	if (!error) /* the past is forgotten */
		WRITE_ONCE(current_network()->fast_open_failures, 0);
	return error;
}
static const struct synthetic_type blackhole_file = { .mode = S_IFREG | 0644,
						      .show = setting_show,
						      .store = blackhole_store };

/* --- A number without a sign, as the limit of it that is no limit is UINT32_MAX --- */

static int notsent_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%u\n", READ_ONCE(current_network()->sysctl.tcp.notsent_lowat));
	return 0;
}

static int notsent_store(const struct synthetic_node *node, char *text, size_t size)
{
	s64 value;
	int error = synthetic_parse_number(text, 0, UINT32_MAX, &value);

	if (!error)
		WRITE_ONCE(current_network()->sysctl.tcp.notsent_lowat, (u32)value);
	return error;
}
static const struct synthetic_type notsent_file = { .mode = S_IFREG | 0644,
						    .show = notsent_show,
						    .store = notsent_store };

static const struct synthetic_named core_names[] = {
	{ "optmem_max", &setting_file, &optmem_max },
	{ "rmem_default", &setting_file, &rmem_default },
	{ "rmem_max", &setting_file, &rmem_max },
	{ "somaxconn", &setting_file, &somaxconn },
	{ "wmem_default", &setting_file, &wmem_default },
	{ "wmem_max", &setting_file, &wmem_max },
};
static const struct synthetic_table core_table = SYNTHETIC_TABLE(core_names);

/* net/{ipv4,ipv6}/route/flush: what was learned of destinations is forgotten, sockets look their routes up anew. */
static int flush_store(const struct synthetic_node *node, char *text, size_t size)
{
	rcu_read_lock();
	route_exceptions_forget(current_network(), *(const u8 *)node->data, nullptr);
	rcu_read_unlock();
	return 0;
}
static const struct synthetic_type flush_file = { .mode = S_IFREG | 0200, .store = flush_store };
static const u8 family4 = AF_INET, family6 = AF_INET6;
static const struct synthetic_named route_names[] = { { "flush", &flush_file, &family4 } };
static const struct synthetic_table route_table = SYNTHETIC_TABLE(route_names);
static const struct synthetic_named route6_names[] = { { "flush", &flush_file, &family6 } };
static const struct synthetic_table route6_table = SYNTHETIC_TABLE(route6_names);

static const struct synthetic_named ipv4_names[] = {
	{ "conf", &proc_sys_net_devices, &proc_sys_net_conf4 },
	{ "neigh", &proc_sys_net_devices, &proc_sys_net_neigh4 },
	{ "route", &synthetic_directory, &route_table },
	{ "icmp_echo_ignore_all", &setting_file, &ignore_all },
	{ "icmp_echo_ignore_broadcasts", &setting_file, &ignore_broadcasts },
	{ "icmp_msgs_burst", &setting_file, &icmp_burst },
	{ "icmp_msgs_per_sec", &setting_file, &icmp_per_second },
	{ "ip_autobind_reuse", &setting_file, &autobind_reuse },
	{ "ip_default_ttl", &setting_file, &default_ttl },
	{ "ip_forward", &proc_sys_net_ip_forward, nullptr },
	{ "ip_local_port_range", &setting_file, &port_range },
	{ "ip_nonlocal_bind", &setting_file, &nonlocal_bind },
	{ "ip_unprivileged_port_start", &setting_file, &unprivileged_start },
	{ "ping_group_range", &setting_file, &ping_range },
	{ "tcp_abort_on_overflow", &setting_file, &abort_on_overflow },
	{ "tcp_allowed_congestion_control", &proc_sys_tcp_allowed, nullptr },
	{ "tcp_available_congestion_control", &proc_sys_tcp_available, nullptr },
	{ "tcp_base_mss", &setting_file, &base_mss },
	{ "tcp_congestion_control", &proc_sys_tcp_congestion, nullptr },
	{ "tcp_dsack", &setting_file, &dsack },
	{ "tcp_early_retrans", &setting_file, &early_retrans },
	{ "tcp_ecn", &setting_file, &ecn },
	{ "tcp_fastopen", &setting_file, &fast_open },
	{ "tcp_fastopen_blackhole_timeout_sec", &blackhole_file, &blackhole_timeout },
	{ "tcp_fastopen_key", &fast_open_key_file, nullptr },
	{ "tcp_fin_timeout", &setting_file, &fin_timeout },
	{ "tcp_keepalive_intvl", &setting_file, &keepalive_interval },
	{ "tcp_keepalive_probes", &setting_file, &keepalive_probes },
	{ "tcp_keepalive_time", &setting_file, &keepalive_time },
	{ "tcp_max_syn_backlog", &setting_file, &max_syn_backlog },
	{ "tcp_max_tw_buckets", &setting_file, &max_tw_buckets },
	{ "tcp_moderate_rcvbuf", &setting_file, &moderate_rcvbuf },
	{ "tcp_mtu_probe_floor", &setting_file, &mtu_probe_floor },
	{ "tcp_mtu_probing", &setting_file, &mtu_probing },
	{ "tcp_notsent_lowat", &notsent_file, nullptr },
	{ "tcp_orphan_retries", &setting_file, &orphan_retries },
	{ "tcp_probe_interval", &setting_file, &probe_interval },
	{ "tcp_probe_threshold", &setting_file, &probe_threshold },
	{ "tcp_reflect_tos", &setting_file, &reflect_tos },
	{ "tcp_retries1", &setting_file, &retries1 },
	{ "tcp_retries2", &setting_file, &retries2 },
	{ "tcp_rfc1337", &setting_file, &rfc1337 },
	{ "tcp_rmem", &setting_file, &rmem },
	{ "tcp_sack", &setting_file, &sack },
	{ "tcp_slow_start_after_idle", &setting_file, &slow_start },
	{ "tcp_stdurg", &setting_file, &stdurg },
	{ "tcp_syn_retries", &setting_file, &syn_retries },
	{ "tcp_synack_retries", &setting_file, &synack_retries },
	{ "tcp_syncookies", &setting_file, &syn_cookies },
	{ "tcp_thin_linear_timeouts", &setting_file, &thin_linear_timeouts },
	{ "tcp_timestamps", &setting_file, &timestamps },
	{ "tcp_tw_reuse", &setting_file, &tw_reuse },
	{ "tcp_window_scaling", &setting_file, &window_scaling },
	{ "tcp_wmem", &setting_file, &wmem },
};
static const struct synthetic_table ipv4_table = SYNTHETIC_TABLE(ipv4_names);

/* net/ipv6/flowlabel_reflect is a set of bits, of which there is one here: 4, replies to an echo have the label of the request. */
#define REFLECT_ECHO 4

static int reflect_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%d\n",
		    current_network()->sysctl.ipv6_echo_reflects_label ? REFLECT_ECHO : 0);
	return 0;
}

static int reflect_store(const struct synthetic_node *node, char *text, size_t size)
{
	s64 value;
	int error = synthetic_parse_number(text, 0, REFLECT_ECHO, &value);

	if (!error && value != 0 && value != REFLECT_ECHO)
		error = -EINVAL;
	if (!error)
		WRITE_ONCE(current_network()->sysctl.ipv6_echo_reflects_label, value != 0);
	return error;
}
static const struct synthetic_type reflect_file = { .mode = S_IFREG | 0644,
						    .show = reflect_show,
						    .store = reflect_store };

static const struct synthetic_named ipv6_names[] = {
	{ "auto_flowlabels", &setting_file, &auto_labels },
	{ "conf", &proc_sys_net_devices, &proc_sys_net_conf6 },
	{ "flowlabel_reflect", &reflect_file, nullptr },
	{ "ip_nonlocal_bind", &setting_file, &nonlocal_bind6 },
	{ "neigh", &proc_sys_net_devices, &proc_sys_net_neigh6 },
	{ "route", &synthetic_directory, &route6_table },
};
static const struct synthetic_table ipv6_table = SYNTHETIC_TABLE(ipv6_names);

static const struct synthetic_named unix_names[] = {
	{ "max_dgram_qlen", &setting_file, &max_dgram_qlen },
};
static const struct synthetic_table unix_table = SYNTHETIC_TABLE(unix_names);

static const struct synthetic_named net_names[] = {
	{ "core", &synthetic_directory, &core_table },
	{ "ipv4", &synthetic_directory, &ipv4_table },
	{ "ipv6", &synthetic_directory, &ipv6_table },
	{ "unix", &synthetic_directory, &unix_table },
};
const struct synthetic_table sysctl_net_table = SYNTHETIC_TABLE(net_names);
