/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the protocols count: the copies of the CPUs, and their sums. */
#include <net/statistics.h>

#include <linux/rtnetlink.h>

void net_count_group(struct net_statistics *s, u8 type, unsigned length, bool v6, bool sent)
{
	enum net_counter packets;

	if (type == RTN_MULTICAST)
		packets = sent ? NET_IP_MULTICAST_OUT : NET_IP_MULTICAST_IN;
	else if (type == RTN_BROADCAST)
		packets = sent ? NET_IP_BROADCAST_OUT : NET_IP_BROADCAST_IN;
	else
		return;
	s->of[v6][packets]++;
	s->of[v6][packets + 1] += length;
}

u64 net_statistics_sum(const struct network_namespace *network, enum net_counter counter, bool v6)
{
	u64 sum = 0;

	for_each_cpu (cpu)
		sum += network->statistics[cpu].of[v6][counter];
	return sum;
}

u64 net_statistics_icmp(const struct network_namespace *network, bool v6, bool sent, u8 type)
{
	u64 sum = 0;

	for_each_cpu (cpu)
		sum += network->statistics[cpu].icmp[v6][sent][type];
	return sum;
}
