/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/snmp (proc(5)): what the protocols over IPv4 counted, and TCP over both, in the name space of whoever reads it. */
#include <lib/errno.h>
#include <lib/format.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/statistics.h>

#include <linux/icmp.h>

#define RTO_MIN_MS 200
#define RTO_MAX_MS 120000

static unsigned long long v4(enum net_counter counter)
{
	return net_statistics_sum(current_network(), counter, false);
}

static unsigned long long icmp4(bool sent, u8 type)
{
	return net_statistics_icmp(current_network(), false, sent, type);
}

static unsigned long long icmp_total(bool sent)
{
	unsigned long long sum = 0;

	for (unsigned type = 0; type < 256; type++)
		sum += icmp4(sent, (u8)type);
	return sum;
}

static void put_ip(struct text_buffer *out)
{
	const struct network_namespace *network = current_network();
	bool forwards = network->settings_all.ipv4[IPV4_DEVCONF_FORWARDING];

	text_printf(out,
		    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
		    "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
		    "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n");
	text_printf(out, "Ip: %d %d %llu %llu %llu %llu 0 0 %llu %llu 0 %llu", forwards ? 1 : 2,
		    network->sysctl.ip_default_ttl, v4(NET_IP_RECEIVED), v4(NET_IP_MALFORMED),
		    v4(NET_IP_DISCARDED) - v4(NET_IP_MALFORMED), v4(NET_IP_FORWARDED),
		    v4(NET_IP_DELIVERED), v4(NET_IP_SENT), v4(NET_IP_NO_ROUTE));
	text_printf(out, " %llu %llu %llu %llu %llu %llu %llu\n", v4(NET_IP_REASSEMBLY_TIMEOUT),
		    v4(NET_IP_REASSEMBLY_NEEDED), v4(NET_IP_REASSEMBLED),
		    v4(NET_IP_REASSEMBLY_FAILED), v4(NET_IP_FRAGMENTED), v4(NET_IP_FRAGMENT_FAILED),
		    v4(NET_IP_FRAGMENTS_MADE));
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
	text_printf(out, "Icmp: %llu 0 0", icmp_total(false));
	for (unsigned i = 0; i < ARRAY_SIZE(icmp_columns); i++)
		text_printf(out, " %llu", icmp4(false, icmp_columns[i]));
	text_printf(out, " %llu 0 %llu 0", icmp_total(true), v4(NET_ICMP_RATE_LIMITED));
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
	text_printf(out, "Tcp: 1 %d %d -1 %llu %llu %llu %llu %u %llu %llu %llu %llu %llu %llu\n",
		    RTO_MIN_MS, RTO_MAX_MS, v4(NET_TCP_ACTIVE_OPENS), v4(NET_TCP_PASSIVE_OPENS),
		    v4(NET_TCP_ATTEMPTS_FAILED), v4(NET_TCP_ESTABLISHED_RESET), established,
		    v4(NET_TCP_RECEIVED), v4(NET_TCP_SENT), v4(NET_TCP_RETRANSMITTED),
		    v4(NET_TCP_MALFORMED), v4(NET_TCP_RESETS_SENT), v4(NET_TCP_CHECKSUM));
}

/* Of UDP, or with `lite` of UDP-Lite. */
static unsigned long long udp(enum net_counter counter, bool lite)
{
	return v4(lite ? counter + (NET_UDP_LITE - NET_UDP_RECEIVED) : counter);
}

static void put_udp(struct text_buffer *out, const char *name, bool lite)
{
	text_printf(
		out,
		"%s: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
		"InCsumErrors IgnoredMulti MemErrors\n%s: %llu %llu %llu %llu %llu 0 %llu 0 0\n",
		name, name, udp(NET_UDP_RECEIVED, lite), udp(NET_UDP_NO_PORT, lite),
		udp(NET_UDP_MALFORMED, lite) + udp(NET_UDP_NO_ROOM, lite), udp(NET_UDP_SENT, lite),
		udp(NET_UDP_NO_ROOM, lite), udp(NET_UDP_CHECKSUM, lite));
}

static int snmp_show(const struct synthetic_node *node, struct text_buffer *out)
{
	unsigned established;
	int error = proc_net_count_established(&established);

	if (error)
		return error;
	put_ip(out);
	put_icmp(out);
	put_icmp_types(out);
	put_tcp(out, established);
	put_udp(out, "Udp", false);
	put_udp(out, "UdpLite", true);
	return 0;
}

const struct synthetic_type proc_net_snmp = { .mode = S_IFREG | 0444, .show = snmp_show };
