/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/snmp (proc(5)): what the protocols over IPv4 counted, and TCP over both. */
#include <lib/errno.h>
#include <lib/format.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/statistics.h>

#include <linux/icmp.h>

#define RTO_MIN_MS 200
#define RTO_MAX_MS 120000

static unsigned long long v4(const struct network_namespace *network, enum net_counter counter)
{
	return net_statistics_sum(network, counter, false);
}

static unsigned long long icmp4(const struct network_namespace *network, bool sent, u8 type)
{
	return net_statistics_icmp(network, false, sent, type);
}

static unsigned long long icmp_total(const struct network_namespace *network, bool sent)
{
	unsigned long long sum = 0;

	for (unsigned type = 0; type < 256; type++)
		sum += icmp4(network, sent, (u8)type);
	return sum;
}

static void put_ip(const struct network_namespace *network, struct text_buffer *out)
{
	bool forwards = network->settings_all.ipv4[IPV4_DEVCONF_FORWARDING];

	text_printf(out,
		    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
		    "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
		    "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n");
	text_printf(out, "Ip: %d %d %llu %llu %llu %llu 0 0 %llu %llu 0 %llu", forwards ? 1 : 2,
		    network->sysctl.ip_default_ttl, v4(network, NET_IP_RECEIVED),
		    v4(network, NET_IP_MALFORMED),
		    v4(network, NET_IP_DISCARDED) - v4(network, NET_IP_MALFORMED),
		    v4(network, NET_IP_FORWARDED), v4(network, NET_IP_DELIVERED),
		    v4(network, NET_IP_SENT), v4(network, NET_IP_NO_ROUTE));
	text_printf(out, " %llu %llu %llu %llu %llu %llu %llu\n",
		    v4(network, NET_IP_REASSEMBLY_TIMEOUT), v4(network, NET_IP_REASSEMBLY_NEEDED),
		    v4(network, NET_IP_REASSEMBLED), v4(network, NET_IP_REASSEMBLY_FAILED),
		    v4(network, NET_IP_FRAGMENTED), v4(network, NET_IP_FRAGMENT_FAILED),
		    v4(network, NET_IP_FRAGMENTS_MADE));
}

/* The columns from DestUnreachs to AddrMaskReps, in the order of the file. */
static const u8 icmp_columns[] = {
	ICMP_DEST_UNREACH,   ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB, ICMP_SOURCE_QUENCH,
	ICMP_REDIRECT,	     ICMP_ECHO,		 ICMP_ECHOREPLY,     ICMP_TIMESTAMP,
	ICMP_TIMESTAMPREPLY, ICMP_ADDRESS,	 ICMP_ADDRESSREPLY,
};

static void put_icmp(const struct network_namespace *network, struct text_buffer *out)
{
	text_printf(out,
		    "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs "
		    "InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps "
		    "InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal "
		    "OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs "
		    "OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps "
		    "OutAddrMasks OutAddrMaskReps\n");
	text_printf(out, "Icmp: %llu 0 0", icmp_total(network, false));
	for (unsigned i = 0; i < ARRAY_SIZE(icmp_columns); i++)
		text_printf(out, " %llu", icmp4(network, false, icmp_columns[i]));
	text_printf(out, " %llu 0 %llu 0", icmp_total(network, true),
		    v4(network, NET_ICMP_RATE_LIMITED));
	for (unsigned i = 0; i < ARRAY_SIZE(icmp_columns); i++)
		text_printf(out, " %llu", icmp4(network, true, icmp_columns[i]));
	text_printf(out, "\n");
}

/* Only the types that there were, in two lines: names and numbers. */
static void put_icmp_types(const struct network_namespace *network, struct text_buffer *out)
{
	bool any = false;

	for (unsigned sent = 0; sent < 2; sent++)
		for (unsigned type = 0; type < 256; type++)
			if (icmp4(network, sent, (u8)type)) {
				text_printf(out, "%s %sType%u",
					    any ? "" : "IcmpMsg:", sent ? "Out" : "In", type);
				any = true;
			}
	if (!any)
		return;
	text_printf(out, "\nIcmpMsg:");
	for (unsigned sent = 0; sent < 2; sent++)
		for (unsigned type = 0; type < 256; type++)
			if (icmp4(network, sent, (u8)type))
				text_printf(out, " %llu", icmp4(network, sent, (u8)type));
	text_printf(out, "\n");
}

static void put_tcp(const struct network_namespace *network, struct text_buffer *out,
		    unsigned established)
{
	text_printf(out,
		    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
		    "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts "
		    "InCsumErrors\n");
	text_printf(out, "Tcp: 1 %d %d -1 %llu %llu %llu %llu %u %llu %llu %llu %llu %llu %llu\n",
		    RTO_MIN_MS, RTO_MAX_MS, v4(network, NET_TCP_ACTIVE_OPENS),
		    v4(network, NET_TCP_PASSIVE_OPENS), v4(network, NET_TCP_ATTEMPTS_FAILED),
		    v4(network, NET_TCP_ESTABLISHED_RESET), established,
		    v4(network, NET_TCP_RECEIVED), v4(network, NET_TCP_SENT),
		    v4(network, NET_TCP_RETRANSMITTED), v4(network, NET_TCP_MALFORMED),
		    v4(network, NET_TCP_RESETS_SENT), v4(network, NET_TCP_CHECKSUM));
}

/* Of UDP, or with `lite` of UDP-Lite. */
static unsigned long long udp(const struct network_namespace *network, enum net_counter counter,
			      bool lite)
{
	return v4(network, lite ? counter + (NET_UDP_LITE - NET_UDP_RECEIVED) : counter);
}

static void put_udp(const struct network_namespace *network, struct text_buffer *out,
		    const char *name, bool lite)
{
	text_printf(
		out,
		"%s: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
		"InCsumErrors IgnoredMulti MemErrors\n%s: %llu %llu %llu %llu %llu 0 %llu 0 0\n",
		name, name, udp(network, NET_UDP_RECEIVED, lite),
		udp(network, NET_UDP_NO_PORT, lite),
		udp(network, NET_UDP_MALFORMED, lite) + udp(network, NET_UDP_NO_ROOM, lite),
		udp(network, NET_UDP_SENT, lite), udp(network, NET_UDP_NO_ROOM, lite),
		udp(network, NET_UDP_CHECKSUM, lite));
}

static int snmp_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	unsigned established;
	int error = proc_net_count_established(network, &established);

	if (error)
		return error;
	put_ip(network, out);
	put_icmp(network, out);
	put_icmp_types(network, out);
	put_tcp(network, out, established);
	put_udp(network, out, "Udp", false);
	put_udp(network, out, "UdpLite", true);
	return 0;
}

const struct proc_net_text proc_net_snmp = { .show = snmp_show };
