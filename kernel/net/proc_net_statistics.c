/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/snmp, snmp6, sockstat, sockstat6 (proc(5)): what the protocols counted, and how many sockets there are. */
#include <lib/errno.h>
#include <lib/format.h>
#include <net/inet_list.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/statistics.h>
#include <net/tcp/tcp.h>
#include <net/udp/udp.h>
#include <sys/socket.h>

#include <linux/icmp.h>
#include <linux/icmpv6.h>

#define RTO_MIN_MS 200
#define RTO_MAX_MS 120000

static unsigned long long v4(enum net_counter counter)
{
	return net_statistics_sum(counter, false);
}

static unsigned long long icmp4(bool sent, u8 type)
{
	return net_statistics_icmp(false, sent, type);
}

static unsigned long long icmp_total(bool v6, bool sent)
{
	unsigned long long sum = 0;

	for (unsigned type = 0; type < 256; type++)
		sum += net_statistics_icmp(v6, sent, (u8)type);
	return sum;
}

/* --- How many sockets --- */

struct socket_counts {
	u8 family;
	unsigned tcp, established, time_wait, udp, raw;
};

static int count_one(const struct inet_description *d, void *arg)
{
	struct socket_counts *c = arg;

	if (d->state == TCP_ESTABLISHED || d->state == TCP_CLOSE_WAIT)
		c->established += d->node->kind == INET_TCP;
	if (d->node->kind == INET_TIME_WAIT)
		c->time_wait++;
	if (d->node->family != c->family)
		return 0;
	c->tcp += d->node->kind == INET_TCP;
	c->udp += d->node->kind == INET_UDP;
	c->raw += d->node->kind == INET_RAW;
	return 0;
}

static int count_sockets(u8 family, struct socket_counts *out)
{
	const struct network_namespace *network = current_network();
	int error;

	*out = (struct socket_counts){ .family = family };
	error = inet_list(&tcp_ports, network, count_one, out);
	if (!error)
		error = inet_list(&udp_ports, network, count_one, out);
	return error ? error : inet_list_raw(network, count_one, out);
}

static int sockstat_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct socket_counts c, c6;
	int error = count_sockets(AF_INET, &c);

	if (!error)
		error = count_sockets(AF_INET6, &c6);
	if (error)
		return error;
	text_printf(
		out,
		"sockets: used %u\nTCP: inuse %u orphan 0 tw %u alloc %u mem 0\n"
		"UDP: inuse %u mem 0\nUDPLITE: inuse 0\nRAW: inuse %u\nFRAG: inuse 0 memory 0\n",
		c.tcp + c.udp + c.raw + c6.tcp + c6.udp + c6.raw, c.tcp, c.time_wait,
		c.tcp + c6.tcp, c.udp, c.raw);
	return 0;
}

static int sockstat6_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct socket_counts c;
	int error = count_sockets(AF_INET6, &c);

	if (error)
		return error;
	text_printf(out,
		    "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse 0\nRAW6: inuse %u\n"
		    "FRAG6: inuse 0 memory 0\n",
		    c.tcp, c.udp, c.raw);
	return 0;
}

/* --- snmp --- */

static void put_ip(struct text_buffer *out)
{
	const struct network_sysctl *s = &current_network()->sysctl;

	text_printf(out,
		    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
		    "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
		    "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n");
	text_printf(out, "Ip: %d %d %llu 0 0 %llu 0 %llu %llu %llu 0 %llu 0 0 0 0 0 0 0\n",
		    s->ip_forward ? 1 : 2, s->ip_default_ttl, v4(NET_IP_RECEIVED),
		    v4(NET_IP_FORWARDED), v4(NET_IP_DISCARDED), v4(NET_IP_DELIVERED),
		    v4(NET_IP_SENT), v4(NET_IP_NO_ROUTE));
}

/* The columns from DestUnreachs to AddrMaskReps, in the order of the file. */
static const u8 icmp_columns[] = {
	ICMP_DEST_UNREACH,   ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB, ICMP_SOURCE_QUENCH,
	ICMP_REDIRECT,	     ICMP_ECHO,		 ICMP_ECHOREPLY,     ICMP_TIMESTAMP,
	ICMP_TIMESTAMPREPLY, ICMP_ADDRESS,	 ICMP_ADDRESSREPLY,
};

static void put_icmp(struct text_buffer *out)
{
	text_printf(out,
		    "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs "
		    "InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps "
		    "InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal "
		    "OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs "
		    "OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps "
		    "OutAddrMasks OutAddrMaskReps\n");
	text_printf(out, "Icmp: %llu 0 0", icmp_total(false, false));
	for (unsigned i = 0; i < ARRAY_SIZE(icmp_columns); i++)
		text_printf(out, " %llu", icmp4(false, icmp_columns[i]));
	text_printf(out, " %llu 0 0 0", icmp_total(false, true));
	for (unsigned i = 0; i < ARRAY_SIZE(icmp_columns); i++)
		text_printf(out, " %llu", icmp4(true, icmp_columns[i]));
	text_printf(out, "\n");
}

/* Only the types that there were, in two lines: names and numbers. */
static void put_icmp_types(struct text_buffer *out)
{
	bool any = false;

	for (unsigned sent = 0; sent < 2; sent++)
		for (unsigned type = 0; type < 256; type++)
			if (icmp4(sent, (u8)type)) {
				text_printf(out, "%s %sType%u",
					    any ? "" : "IcmpMsg:", sent ? "Out" : "In", type);
				any = true;
			}
	if (!any)
		return;
	text_printf(out, "\nIcmpMsg:");
	for (unsigned sent = 0; sent < 2; sent++)
		for (unsigned type = 0; type < 256; type++)
			if (icmp4(sent, (u8)type))
				text_printf(out, " %llu", icmp4(sent, (u8)type));
	text_printf(out, "\n");
}

static void put_tcp(struct text_buffer *out, unsigned established)
{
	text_printf(out,
		    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
		    "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts "
		    "InCsumErrors\n");
	text_printf(out, "Tcp: 1 %d %d -1 %llu %llu 0 %llu %u %llu %llu %llu 0 %llu 0\n",
		    RTO_MIN_MS, RTO_MAX_MS, v4(NET_TCP_ACTIVE_OPENS), v4(NET_TCP_PASSIVE_OPENS),
		    v4(NET_TCP_RESETS_RECEIVED), established, v4(NET_TCP_RECEIVED),
		    v4(NET_TCP_SENT), v4(NET_TCP_RETRANSMITTED), v4(NET_TCP_RESETS_SENT));
}

static void put_udp(struct text_buffer *out)
{
	static const char names[] = "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors "
				    "SndbufErrors InCsumErrors IgnoredMulti MemErrors";

	text_printf(out, "Udp: %s\nUdp: %llu %llu %llu %llu %llu 0 0 0 0\n", names,
		    v4(NET_UDP_RECEIVED), v4(NET_UDP_NO_PORT),
		    v4(NET_UDP_MALFORMED) + v4(NET_UDP_NO_ROOM), v4(NET_UDP_SENT),
		    v4(NET_UDP_NO_ROOM));
	text_printf(out, "UdpLite: %s\nUdpLite: 0 0 0 0 0 0 0 0 0\n", names);
}

static int snmp_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct socket_counts c;
	int error = count_sockets(AF_INET, &c);

	if (error)
		return error;
	put_ip(out);
	put_icmp(out);
	put_icmp_types(out);
	put_tcp(out, c.established);
	put_udp(out);
	return 0;
}

/* --- snmp6: those of its names that are counted --- */

static int snmp6_show(const struct synthetic_node *node, struct text_buffer *out)
{
	static const struct {
		const char *name;
		enum net_counter counter;
	} rows[] = {
		{ "Ip6InReceives", NET_IP_RECEIVED },
		{ "Ip6InDiscards", NET_IP_DISCARDED },
		{ "Ip6InDelivers", NET_IP_DELIVERED },
		{ "Ip6OutForwDatagrams", NET_IP_FORWARDED },
		{ "Ip6OutRequests", NET_IP_SENT },
		{ "Ip6OutNoRoutes", NET_IP_NO_ROUTE },
		{ "Udp6InDatagrams", NET_UDP_RECEIVED },
		{ "Udp6NoPorts", NET_UDP_NO_PORT },
		{ "Udp6InErrors", NET_UDP_MALFORMED },
		{ "Udp6OutDatagrams", NET_UDP_SENT },
		{ "Udp6RcvbufErrors", NET_UDP_NO_ROOM },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		text_printf(out, "%-32s\t%llu\n", rows[i].name,
			    (unsigned long long)net_statistics_sum(rows[i].counter, true));
	text_printf(out, "%-32s\t%llu\n%-32s\t%llu\n", "Icmp6InMsgs", icmp_total(true, false),
		    "Icmp6OutMsgs", icmp_total(true, true));
	return 0;
}

#define TEXT_FILE(symbol, function)                                                                \
	const struct synthetic_type symbol = { .mode = S_IFREG | 0444, .show = function }
TEXT_FILE(proc_net_snmp, snmp_show);
TEXT_FILE(proc_net_snmp6, snmp6_show);
TEXT_FILE(proc_net_sockstat, sockstat_show);
TEXT_FILE(proc_net_sockstat6, sockstat6_show);
