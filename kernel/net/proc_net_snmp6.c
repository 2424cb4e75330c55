/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/snmp6: what the protocols over IPv6 counted, one line each, in the name space of whoever reads it. */
#include <lib/errno.h>
#include <lib/format.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/statistics.h>

#include <linux/icmpv6.h>

#define NOTHING NET_COUNTERS /* of a line that is always 0: it does not happen here */

struct row {
	const char *name;
	enum net_counter counter;
};

static const struct row internet_rows[] = {
	{ "Ip6InReceives", NET_IP_RECEIVED },
	{ "Ip6InHdrErrors", NET_IP_MALFORMED },
	{ "Ip6InTooBigErrors", NOTHING },
	{ "Ip6InNoRoutes", NOTHING },
	{ "Ip6InAddrErrors", NOTHING },
	{ "Ip6InUnknownProtos", NOTHING },
	{ "Ip6InTruncatedPkts", NOTHING },
	{ "Ip6InDiscards", NET_IP_DISCARDED },
	{ "Ip6InDelivers", NET_IP_DELIVERED },
	{ "Ip6OutForwDatagrams", NET_IP_FORWARDED },
	{ "Ip6OutRequests", NET_IP_SENT },
	{ "Ip6OutDiscards", NOTHING },
	{ "Ip6OutNoRoutes", NET_IP_NO_ROUTE },
	{ "Ip6ReasmTimeout", NET_IP_REASSEMBLY_TIMEOUT },
	{ "Ip6ReasmReqds", NET_IP_REASSEMBLY_NEEDED },
	{ "Ip6ReasmOKs", NET_IP_REASSEMBLED },
	{ "Ip6ReasmFails", NET_IP_REASSEMBLY_FAILED },
	{ "Ip6FragOKs", NET_IP_FRAGMENTED },
	{ "Ip6FragFails", NET_IP_FRAGMENT_FAILED },
	{ "Ip6FragCreates", NET_IP_FRAGMENTS_MADE },
	{ "Ip6InMcastPkts", NET_IP_MULTICAST_IN },
	{ "Ip6OutMcastPkts", NET_IP_MULTICAST_OUT },
	{ "Ip6InOctets", NET_IP_BYTES_IN },
	{ "Ip6OutOctets", NET_IP_BYTES_OUT },
	{ "Ip6InMcastOctets", NET_IP_MULTICAST_BYTES_IN },
	{ "Ip6OutMcastOctets", NET_IP_MULTICAST_BYTES_OUT },
	{ "Ip6InBcastOctets", NOTHING },
	{ "Ip6OutBcastOctets", NOTHING },
	{ "Ip6InNoECTPkts", NET_IP_ECN },
	{ "Ip6InECT1Pkts", NET_IP_ECN + 1 },
	{ "Ip6InECT0Pkts", NET_IP_ECN + 2 },
	{ "Ip6InCEPkts", NET_IP_ECN + 3 },
};

static const struct row datagram_rows[] = {
	{ "InDatagrams", NET_UDP_RECEIVED },  { "NoPorts", NET_UDP_NO_PORT },
	{ "InErrors", NET_UDP_MALFORMED },    { "OutDatagrams", NET_UDP_SENT },
	{ "RcvbufErrors", NET_UDP_NO_ROOM },  { "SndbufErrors", NOTHING },
	{ "InCsumErrors", NET_UDP_CHECKSUM },
};

/* ICMPv6 types with lines of their own. */
static const struct {
	const char *name;
	u8 type;
} message_rows[] = {
	{ "DestUnreachs", ICMPV6_DEST_UNREACH },
	{ "PktTooBigs", ICMPV6_PKT_TOOBIG },
	{ "TimeExcds", ICMPV6_TIME_EXCEED },
	{ "ParmProblems", ICMPV6_PARAMPROB },
	{ "Echos", ICMPV6_ECHO_REQUEST },
	{ "EchoReplies", ICMPV6_ECHO_REPLY },
	{ "GroupMembQueries", ICMPV6_MGM_QUERY },
	{ "GroupMembResponses", ICMPV6_MGM_REPORT },
	{ "GroupMembReductions", ICMPV6_MGM_REDUCTION },
	{ "RouterSolicits", 133 },
	{ "RouterAdvertisements", 134 },
	{ "NeighborSolicits", 135 },
	{ "NeighborAdvertisements", 136 },
	{ "Redirects", 137 },
	{ "MLDv2Reports", ICMPV6_MLD2_REPORT },
};

static unsigned long long value_of(const struct network_namespace *network,
				   enum net_counter counter)
{
	return counter == NOTHING ? 0 : net_statistics_sum(network, counter, true);
}

static unsigned long long messages(const struct network_namespace *network, bool sent, u8 type)
{
	return net_statistics_icmp(network, true, sent, type);
}

/* A line: the name in three pieces, which Linux pads to 32 characters. */
static void put(struct text_buffer *out, const char *protocol, const char *direction,
		const char *name, unsigned long long value)
{
	char line[48];

	snprintf(line, sizeof(line), "%s%s%s", protocol, direction, name);
	text_printf(out, "%-32s\t%llu\n", line, value);
}

static void put_messages(const struct network_namespace *network, struct text_buffer *out)
{
	unsigned long long all[2] = {};
	char number[16];

	for (unsigned sent = 0; sent < 2; sent++)
		for (unsigned type = 0; type < 256; type++)
			all[sent] += messages(network, sent, (u8)type);
	put(out, "Icmp6", "In", "Msgs", all[0]);
	put(out, "Icmp6", "In", "Errors", 0);
	put(out, "Icmp6", "Out", "Msgs", all[1]);
	put(out, "Icmp6", "Out", "Errors", 0);
	put(out, "Icmp6", "In", "CsumErrors", 0);
	put(out, "Icmp6", "Out", "RateLimitHost", value_of(network, NET_ICMP_RATE_LIMITED));
	for (unsigned sent = 0; sent < 2; sent++)
		for (unsigned i = 0; i < ARRAY_SIZE(message_rows); i++)
			put(out, "Icmp6", sent ? "Out" : "In", message_rows[i].name,
			    messages(network, sent, message_rows[i].type));
	for (unsigned sent = 0; sent < 2; sent++)
		for (unsigned type = 0; type < 256; type++)
			if (messages(network, sent, (u8)type)) {
				snprintf(number, sizeof(number), "Type%u", type);
				put(out, "Icmp6", sent ? "Out" : "In", number,
				    messages(network, sent, (u8)type));
			}
}

static void put_datagrams(const struct network_namespace *network, struct text_buffer *out,
			  const char *protocol, bool lite)
{
	for (unsigned i = 0; i < ARRAY_SIZE(datagram_rows); i++) {
		enum net_counter counter = datagram_rows[i].counter;
		unsigned long long value;

		if (lite && counter != NOTHING)
			counter += NET_UDP_LITE - NET_UDP_RECEIVED;
		value = value_of(network, counter);
		if (datagram_rows[i].counter == NET_UDP_MALFORMED)
			value += value_of(network, counter + NET_UDP_NO_ROOM - NET_UDP_MALFORMED);
		put(out, protocol, "", datagram_rows[i].name, value);
	}
	if (!lite)
		put(out, protocol, "", "IgnoredMulti", 0);
	put(out, protocol, "", "MemErrors", 0);
}

static int snmp6_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	for (unsigned i = 0; i < ARRAY_SIZE(internet_rows); i++)
		put(out, internet_rows[i].name, "", "",
		    value_of(network, internet_rows[i].counter));
	put_messages(network, out);
	put_datagrams(network, out, "Udp6", false);
	put_datagrams(network, out, "UdpLite6", true);
	return 0;
}

const struct proc_net_text proc_net_snmp6 = { .show = snmp6_show };
