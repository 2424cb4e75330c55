/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which tables and routes are asked for which packets (ip-rule(8), ip-route(8)). */
#include "router_test.h"

#include <linux/fib_rules.h>

static int rule_change(int type, const char *source, unsigned priority, unsigned mark, int table)
{
	struct net_request r;
	char bytes[4];
	struct fib_rule_hdr *info = request_begin(
		&r, type, type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*info));

	info->family = AF_INET;
	info->action = FR_ACT_TO_TBL;
	info->table = (unsigned char)table;
	if (source) {
		parse_address(source, bytes);
		info->src_len = 32;
		request_add(&r, FRA_SRC, bytes, 4);
	}
	if (mark)
		request_add(&r, FRA_FWMARK, &mark, sizeof(mark));
	if (priority)
		request_add(&r, FRA_PRIORITY, &priority, sizeof(priority));
	return request_send(&r);
}

/* The device by which a packet from `source` (or null) with a mark goes; 0: by none. */
static unsigned device_towards(const char *to, const char *source, unsigned mark)
{
	return path_towards(to, &(struct test_selectors){ .source = source, .mark = mark }).device;
}

TEST(router_has_rules_and_tables)
{
	unsigned main_device, other;
	int fd, mark = 5;

	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	REQUIRE(veth_add("three", "four", -1) == 0);
	for (const char *const *d = (const char *const[]){ "one", "two", "three", "four", NULL };
	     *d; d++)
		EXPECT_EQ(link_set(*d, true), 0);
	EXPECT_EQ(address_add("one", "10.1.0.1", 24), 0);
	EXPECT_EQ(address_add("three", "10.3.0.1", 24), 0);
	main_device = if_nametoindex("one");
	other = if_nametoindex("three");
	EXPECT_EQ(route_add(&(struct test_route){ .to = "0.0.0.0", .via = "10.1.0.9" }), 0);
	EXPECT_EQ(
		route_add(&(struct test_route){ .to = "0.0.0.0", .via = "10.3.0.9", .table = 100 }),
		0);
	/* A table that no rule names is not asked. */
	EXPECT_EQ(device_towards("192.0.2.1", NULL, 0), main_device);
	EXPECT_EQ(rule_change(RTM_NEWRULE, "10.3.0.1", 0, 0, 100), 0);
	EXPECT_EQ(rule_change(RTM_NEWRULE, NULL, 2000, 5, 100), 0);
	EXPECT_EQ(rule_change(RTM_NEWRULE, NULL, 2000, 5, 100), EEXIST);
	EXPECT_EQ(device_towards("192.0.2.1", NULL, 0), main_device);
	EXPECT_EQ(device_towards("192.0.2.1", "10.3.0.1", 0), other);
	EXPECT_EQ(device_towards("192.0.2.1", NULL, 5), other);
	EXPECT_EQ(device_towards("192.0.2.1", NULL, 6), main_device);
	/* The mark of a socket counts, and the source that it gets follows. */
	fd = datagram_to("192.0.2.1", 7000);
	struct sockaddr_in own;
	socklen_t length = sizeof(own);

	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	EXPECT_EQ(own.sin_addr.s_addr, inet_addr("10.1.0.1"));
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	own = (struct sockaddr_in){ AF_INET, htons(7000), { inet_addr("192.0.2.1") }, {} };
	EXPECT_EQ(connect(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	EXPECT_EQ(own.sin_addr.s_addr, inet_addr("10.3.0.1"));
	close(fd);
	EXPECT_EQ(rule_change(RTM_DELRULE, NULL, 2000, 5, 100), 0);
	EXPECT_EQ(rule_change(RTM_DELRULE, NULL, 2000, 5, 100), ENOENT);
	EXPECT_EQ(device_towards("192.0.2.1", NULL, 5), main_device);
	/* Without the rule for its table nothing of it is found. */
	EXPECT_EQ(rule_change(RTM_DELRULE, NULL, 32766, 0, RT_TABLE_MAIN), 0);
	EXPECT_EQ(device_towards("192.0.2.1", NULL, 0), 0);
	EXPECT_EQ(device_towards("192.0.2.1", "10.3.0.1", 0), other);
	EXPECT_EQ(device_towards("10.1.0.1", NULL, 0), 1);
}

TEST(a_longer_prefix_in_main_beats_a_shorter_one_in_local)
{
	static const struct test_route route = {
		.to = "127.0.0.3", .length = 32, .device = "lo", .mtu = 1500, .lock = 1u << RTAX_MTU
	};
	int fd, mtu = 0;
	socklen_t length = sizeof(mtu);

	network_new();
	EXPECT_EQ(route_add(&route), 0);
	fd = datagram_to("127.0.0.3", 7000);
	EXPECT_EQ(getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &length), 0);
	EXPECT_EQ(mtu, 1500);
	close(fd);
	/* Without it the address is one of the host's still. */
	EXPECT_EQ(route_change(RTM_DELROUTE, 0, &route), 0);
	fd = datagram_to("127.0.0.3", 7000);
	EXPECT_EQ(getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &length), 0);
	EXPECT(mtu >= 65535);
}
