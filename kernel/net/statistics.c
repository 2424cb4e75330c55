/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the protocols count: the copies of the CPUs, and their sums. */
#include <net/statistics.h>

DEFINE_PER_CPU(struct net_statistics, net_statistics);

u64 net_statistics_sum(enum net_counter counter, bool v6)
{
	u64 sum = 0;

	for_each_cpu (cpu)
		sum += per_cpu(net_statistics, cpu).of[v6][counter];
	return sum;
}

u64 net_statistics_icmp(bool v6, bool sent, u8 type)
{
	u64 sum = 0;

	for_each_cpu (cpu)
		sum += per_cpu(net_statistics, cpu).icmp[v6][sent][type];
	return sum;
}
