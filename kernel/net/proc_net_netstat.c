/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/net/netstat and softnet_stat: what TCP and IPv4 counted beyond the MIBs, and how many packets each CPU went through.
 * The names are Linux's, all of them, in its order; what never happens here stays 0.
 */
#include <lib/errno.h>
#include <lib/format.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/statistics.h>

#define NOTHING 0 /* no counter of TCP is number 0 */

struct column {
	const char *name;
	enum net_counter counter;
};

static const struct column tcp_columns[] = {
	{ "SyncookiesSent", NET_TCP_COOKIES_SENT },
	{ "SyncookiesRecv", NET_TCP_COOKIES_RECEIVED },
	{ "SyncookiesFailed", NET_TCP_COOKIES_FAILED },
	{ "EmbryonicRsts", NOTHING },
	{ "PruneCalled", NOTHING },
	{ "RcvPruned", NOTHING },
	{ "OfoPruned", NET_TCP_OUT_OF_ORDER_DROPPED },
	{ "OutOfWindowIcmps", NOTHING },
	{ "LockDroppedIcmps", NOTHING },
	{ "ArpFilter", NOTHING },
	{ "TW", NET_TCP_TIME_WAIT },
	{ "TWRecycled", NET_TCP_TIME_WAIT_REUSED },
	{ "TWKilled", NOTHING },
	{ "PAWSActive", NOTHING },
	{ "PAWSEstab", NET_TCP_OLD_TIMESTAMP },
	{ "DelayedACKs", NET_TCP_DELAYED_ACKS },
	{ "DelayedACKLocked", NOTHING },
	{ "DelayedACKLost", NET_TCP_DELAYED_ACK_LOST },
	{ "ListenOverflows", NET_TCP_LISTEN_OVERFLOWS },
	{ "ListenDrops", NET_TCP_LISTEN_DROPS },
	{ "TCPHPHits", NOTHING },
	{ "TCPPureAcks", NET_TCP_PURE_ACKS },
	{ "TCPHPAcks", NOTHING },
	{ "TCPRenoRecovery", NET_TCP_RENO_RECOVERY },
	{ "TCPSackRecovery", NET_TCP_SACK_RECOVERY },
	{ "TCPSACKReneging", NET_TCP_SACK_RENEGING },
	{ "TCPSACKReorder", NOTHING },
	{ "TCPRenoReorder", NOTHING },
	{ "TCPTSReorder", NOTHING },
	{ "TCPFullUndo", NOTHING },
	{ "TCPPartialUndo", NOTHING },
	{ "TCPDSACKUndo", NET_TCP_UNDONE },
	{ "TCPLossUndo", NOTHING },
	{ "TCPLostRetransmit", NET_TCP_LOST_RETRANSMIT },
	{ "TCPRenoFailures", NOTHING },
	{ "TCPSackFailures", NOTHING },
	{ "TCPLossFailures", NOTHING },
	{ "TCPFastRetrans", NET_TCP_FAST_RETRANSMIT },
	{ "TCPSlowStartRetrans", NET_TCP_SLOW_START_RETRANSMIT },
	{ "TCPTimeouts", NET_TCP_TIMEOUTS },
	{ "TCPLossProbes", NET_TCP_LOSS_PROBES },
	{ "TCPLossProbeRecovery", NET_TCP_LOSS_PROBE_RECOVERY },
	{ "TCPRenoRecoveryFail", NOTHING },
	{ "TCPSackRecoveryFail", NOTHING },
	{ "TCPRcvCollapsed", NOTHING },
	{ "TCPBacklogCoalesce", NOTHING },
	{ "TCPDSACKOldSent", NET_TCP_DSACK_OLD_SENT },
	{ "TCPDSACKOfoSent", NOTHING },
	{ "TCPDSACKRecv", NET_TCP_DSACK_RECEIVED },
	{ "TCPDSACKOfoRecv", NET_TCP_DSACK_OUT_OF_ORDER_RECEIVED },
	{ "TCPAbortOnData", NET_TCP_ABORT_ON_DATA },
	{ "TCPAbortOnClose", NET_TCP_ABORT_ON_CLOSE },
	{ "TCPAbortOnMemory", NOTHING },
	{ "TCPAbortOnTimeout", NET_TCP_ABORT_ON_TIMEOUT },
	{ "TCPAbortOnLinger", NOTHING },
	{ "TCPAbortFailed", NOTHING },
	{ "TCPMemoryPressures", NOTHING },
	{ "TCPMemoryPressuresChrono", NOTHING },
	{ "TCPSACKDiscard", NOTHING },
	{ "TCPDSACKIgnoredOld", NOTHING },
	{ "TCPDSACKIgnoredNoUndo", NOTHING },
	{ "TCPSpuriousRTOs", NOTHING },
	{ "TCPMD5NotFound", NET_TCP_MD5_MISSING },
	{ "TCPMD5Unexpected", NET_TCP_MD5_UNEXPECTED },
	{ "TCPMD5Failure", NET_TCP_MD5_WRONG },
	{ "TCPSackShifted", NOTHING },
	{ "TCPSackMerged", NOTHING },
	{ "TCPSackShiftFallback", NOTHING },
	{ "TCPBacklogDrop", NOTHING },
	{ "PFMemallocDrop", NOTHING },
	{ "TCPMinTTLDrop", NET_TCP_MIN_TTL_DROPPED },
	{ "TCPDeferAcceptDrop", NET_TCP_DEFER_ACCEPT_DROPPED },
	{ "IPReversePathFilter", NOTHING },
	{ "TCPTimeWaitOverflow", NET_TCP_TIME_WAIT_OVERFLOW },
	{ "TCPReqQFullDoCookies", NET_TCP_QUEUE_FULL_COOKIES },
	{ "TCPReqQFullDrop", NET_TCP_QUEUE_FULL_DROPPED },
	{ "TCPRetransFail", NOTHING },
	{ "TCPRcvCoalesce", NET_TCP_COALESCED },
	{ "TCPOFOQueue", NET_TCP_OUT_OF_ORDER },
	{ "TCPOFODrop", NOTHING },
	{ "TCPOFOMerge", NET_TCP_OUT_OF_ORDER_MERGED },
	{ "TCPChallengeACK", NET_TCP_CHALLENGE_ACKS },
	{ "TCPSYNChallenge", NET_TCP_SYN_CHALLENGES },
	{ "TCPFastOpenActive", NET_TCP_FAST_OPEN_ACTIVE },
	{ "TCPFastOpenActiveFail", NET_TCP_FAST_OPEN_ACTIVE_FAILED },
	{ "TCPFastOpenPassive", NET_TCP_FAST_OPEN_PASSIVE },
	{ "TCPFastOpenPassiveFail", NET_TCP_FAST_OPEN_PASSIVE_FAILED },
	{ "TCPFastOpenListenOverflow", NET_TCP_FAST_OPEN_OVERFLOWS },
	{ "TCPFastOpenCookieReqd", NET_TCP_FAST_OPEN_COOKIE_REQUESTS },
	{ "TCPFastOpenBlackhole", NET_TCP_FAST_OPEN_BLACKHOLES },
	{ "TCPSpuriousRtxHostQueues", NOTHING },
	{ "BusyPollRxPackets", NOTHING },
	{ "TCPAutoCorking", NOTHING },
	{ "TCPFromZeroWindowAdv", NOTHING },
	{ "TCPToZeroWindowAdv", NOTHING },
	{ "TCPWantZeroWindowAdv", NOTHING },
	{ "TCPSynRetrans", NET_TCP_SYN_RETRANSMITTED },
	{ "TCPOrigDataSent", NET_TCP_DATA_SENT },
	{ "TCPHystartTrainDetect", NOTHING },
	{ "TCPHystartTrainCwnd", NOTHING },
	{ "TCPHystartDelayDetect", NOTHING },
	{ "TCPHystartDelayCwnd", NOTHING },
	{ "TCPACKSkippedSynRecv", NOTHING },
	{ "TCPACKSkippedPAWS", NOTHING },
	{ "TCPACKSkippedSeq", NOTHING },
	{ "TCPACKSkippedFinWait2", NOTHING },
	{ "TCPACKSkippedTimeWait", NOTHING },
	{ "TCPACKSkippedChallenge", NOTHING },
	{ "TCPWinProbe", NET_TCP_WINDOW_PROBES },
	{ "TCPKeepAlive", NET_TCP_KEEP_ALIVES },
	{ "TCPMTUPFail", NET_TCP_MTU_PROBES_LOST },
	{ "TCPMTUPSuccess", NET_TCP_MTU_PROBES_PASSED },
	{ "TCPDelivered", NET_TCP_DELIVERED },
	{ "TCPDeliveredCE", NET_TCP_DELIVERED_CE },
	{ "TCPAckCompressed", NOTHING },
	{ "TCPZeroWindowDrop", NOTHING },
	{ "TCPRcvQDrop", NOTHING },
	{ "TCPWqueueTooBig", NOTHING },
	{ "TCPFastOpenPassiveAltKey", NET_TCP_FAST_OPEN_OTHER_KEY },
	{ "TcpTimeoutRehash", NOTHING },
	{ "TcpDuplicateDataRehash", NOTHING },
	{ "TCPDSACKRecvSegs", NOTHING },
	{ "TCPDSACKIgnoredDubious", NOTHING },
	{ "TCPMigrateReqSuccess", NOTHING },
	{ "TCPMigrateReqFailure", NOTHING },
};

static const struct column internet_columns[] = {
	{ "InNoRoutes", NOTHING },
	{ "InTruncatedPkts", NOTHING },
	{ "InMcastPkts", NET_IP_MULTICAST_IN },
	{ "OutMcastPkts", NET_IP_MULTICAST_OUT },
	{ "InBcastPkts", NET_IP_BROADCAST_IN },
	{ "OutBcastPkts", NET_IP_BROADCAST_OUT },
	{ "InOctets", NET_IP_BYTES_IN },
	{ "OutOctets", NET_IP_BYTES_OUT },
	{ "InMcastOctets", NET_IP_MULTICAST_BYTES_IN },
	{ "OutMcastOctets", NET_IP_MULTICAST_BYTES_OUT },
	{ "InBcastOctets", NET_IP_BROADCAST_BYTES_IN },
	{ "OutBcastOctets", NET_IP_BROADCAST_BYTES_OUT },
	{ "InCsumErrors", NOTHING },
	{ "InNoECTPkts", NET_IP_ECN },
	{ "InECT1Pkts", NET_IP_ECN + 1 },
	{ "InECT0Pkts", NET_IP_ECN + 2 },
	{ "InCEPkts", NET_IP_ECN + 3 },
	{ "ReasmOverlaps", NET_IP_REASSEMBLY_OVERLAP },
};

/* A line of names and one of numbers. */
static void put(const struct network_namespace *network, struct text_buffer *out, const char *title,
		const struct column *columns, unsigned count)
{
	text_printf(out, "%s:", title);
	for (unsigned i = 0; i < count; i++)
		text_printf(out, " %s", columns[i].name);
	text_printf(out, "\n%s:", title);
	for (unsigned i = 0; i < count; i++) {
		u64 value = columns[i].counter == NOTHING
				    ? 0
				    : net_statistics_sum(network, columns[i].counter, false);

		text_printf(out, " %llu", (unsigned long long)value);
	}
	text_printf(out, "\n");
}

static int netstat_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	put(network, out, "TcpExt", tcp_columns, ARRAY_SIZE(tcp_columns));
	put(network, out, "IpExt", internet_columns, ARRAY_SIZE(internet_columns));
	return 0;
}

/* Packets gone through, and ten columns of what does not happen here; then which CPU it is. */
static int softnet_stat_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	for_each_cpu (cpu)
		text_printf(
			out, "%08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x\n",
			per_cpu(net_packets_received, cpu), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, cpu);
	return 0;
}

const struct proc_net_text proc_net_netstat = { .show = netstat_show };
const struct proc_net_text proc_net_softnet_stat = { .show = softnet_stat_show };
