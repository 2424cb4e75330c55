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

/* A rule of more kinds: 0, null: not asked for. */
struct test_rule {
	unsigned priority;
	int table, action, target;
	unsigned char protocol;
	struct fib_rule_port_range sport, dport;
	struct fib_rule_uid_range uids;
	const char *input, *output;
	int suppress; /* prefix length + 1 */
};

static int test_rule_change(int type, const struct test_rule *t)
{
	struct net_request r;
	struct fib_rule_hdr *info = request_begin(
		&r, type, type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*info));
	int suppress = t->suppress - 1;

	info->family = AF_INET;
	info->action = (unsigned char)(t->action ? t->action : FR_ACT_TO_TBL);
	info->table = (unsigned char)t->table;
	request_add(&r, FRA_PRIORITY, &t->priority, sizeof(t->priority));
	if (t->target)
		request_add(&r, FRA_GOTO, &t->target, sizeof(t->target));
	if (t->protocol)
		request_add(&r, FRA_IP_PROTO, &t->protocol, 1);
	if (t->sport.start)
		request_add(&r, FRA_SPORT_RANGE, &t->sport, sizeof(t->sport));
	if (t->dport.start)
		request_add(&r, FRA_DPORT_RANGE, &t->dport, sizeof(t->dport));
	if (t->uids.start || t->uids.end)
		request_add(&r, FRA_UID_RANGE, &t->uids, sizeof(t->uids));
	if (t->input)
		request_add(&r, FRA_IIFNAME, t->input, strlen(t->input) + 1);
	if (t->output)
		request_add(&r, FRA_OIFNAME, t->output, strlen(t->output) + 1);
	if (t->suppress)
		request_add(&r, FRA_SUPPRESS_PREFIXLEN, &suppress, sizeof(suppress));
	return request_send(&r);
}

/* A name space with a way by `one` in the table main, and by `three` in table 100. */
static void two_ways(void)
{
	static const char *const devices[] = { "one", "two", "three", "four" };

	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	REQUIRE(veth_add("three", "four", -1) == 0);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(link_set(devices[i], true), 0);
	EXPECT_EQ(address_add("one", "10.1.0.1", 24), 0);
	EXPECT_EQ(address_add("three", "10.3.0.1", 24), 0);
	EXPECT_EQ(route_add(&(struct test_route){ .to = "0.0.0.0", .via = "10.1.0.9" }), 0);
	EXPECT_EQ(
		route_add(&(struct test_route){ .to = "0.0.0.0", .via = "10.3.0.9", .table = 100 }),
		0);
}

/* Which way a packet with these takes: 1 or 3, 0 none. */
static int way(const struct test_selectors *s)
{
	struct test_path path = path_towards("192.0.2.1", s);

	return path.device == if_nametoindex("one")	? 1
	       : path.device == if_nametoindex("three") ? 3
							: 0;
}

TEST(rules_by_protocol_ports_and_user)
{
	static const struct test_rule udp = { .priority = 100,
					      .table = 100,
					      .protocol = IPPROTO_UDP,
					      .dport = { 5000, 5010 } },
				      tcp = { .priority = 101,
					      .table = 100,
					      .protocol = IPPROTO_TCP,
					      .sport = { 80, 80 } },
				      user = { .priority = 102,
					       .table = 100,
					       .uids = { 1000, 2000 } };
	struct sockaddr_in own;
	socklen_t length = sizeof(own);
	int fd;

	two_ways();
	EXPECT_EQ(test_rule_change(RTM_NEWRULE, &udp), 0);
	EXPECT_EQ(test_rule_change(RTM_NEWRULE, &udp), EEXIST);
	EXPECT_EQ(test_rule_change(RTM_NEWRULE, &tcp), 0);
	EXPECT_EQ(test_rule_change(RTM_NEWRULE, &user), 0);
	EXPECT_EQ(way(NULL), 1);
	EXPECT_EQ(way(&(struct test_selectors){ .protocol = IPPROTO_UDP, .dport = 5000 }), 3);
	EXPECT_EQ(way(&(struct test_selectors){ .protocol = IPPROTO_UDP, .dport = 5010 }), 3);
	EXPECT_EQ(way(&(struct test_selectors){ .protocol = IPPROTO_UDP, .dport = 5011 }), 1);
	EXPECT_EQ(way(&(struct test_selectors){ .protocol = IPPROTO_TCP, .dport = 5000 }), 1);
	EXPECT_EQ(way(&(struct test_selectors){ .protocol = IPPROTO_TCP, .sport = 80 }), 3);
	EXPECT_EQ(way(&(struct test_selectors){ .protocol = IPPROTO_TCP, .sport = 81 }), 1);
	EXPECT_EQ(way(&(struct test_selectors){ .uid = 1000 }), 3);
	EXPECT_EQ(way(&(struct test_selectors){ .uid = 2001 }), 1);
	/* The ports of sockets count, and who made them. */
	fd = datagram_to("192.0.2.1", 5005);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	EXPECT_EQ(own.sin_addr.s_addr, inet_addr("10.3.0.1"));
	close(fd);
	fd = datagram_to("192.0.2.1", 4999);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	EXPECT_EQ(own.sin_addr.s_addr, inet_addr("10.1.0.1"));
	close(fd);
	fflush(stdout);
	IN_CHILD(pid)
	{
		REQUIRE(setresuid(1500, 1500, 1500) == 0);
		fd = datagram_to("192.0.2.1", 4999);
		EXPECT_EQ(getsockname(fd, (struct sockaddr *)&own, &length), 0);
		EXPECT_EQ(own.sin_addr.s_addr, inet_addr("10.3.0.1"));
		_exit(test_has_failed());
	}
	int status = -1;

	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(test_rule_change(RTM_DELRULE, &user), 0);
	EXPECT_EQ(way(&(struct test_selectors){ .uid = 1000 }), 1);
	EXPECT_EQ(test_rule_change(RTM_DELRULE, &(struct test_rule){ .priority = 100,
								     .table = 100,
								     .dport = { 5000, 5009 } }),
		  ENOENT);
	EXPECT_EQ(test_rule_change(RTM_DELRULE, &udp), 0);
	EXPECT_EQ(way(&(struct test_selectors){ .protocol = IPPROTO_UDP, .dport = 5000 }), 1);
	EXPECT_EQ(test_rule_change(
			  RTM_NEWRULE,
			  &(struct test_rule){ .priority = 7, .table = 100, .dport = { 9, 8 } }),
		  EINVAL);
}

TEST(rules_go_on_elsewhere)
{
	static const struct test_rule over = { .priority = 50,
					       .action = FR_ACT_GOTO,
					       .target = 200 },
				      there = { .priority = 100, .table = 100 };

	two_ways();
	EXPECT_EQ(test_rule_change(RTM_NEWRULE, &there), 0);
	EXPECT_EQ(way(NULL), 3);
	EXPECT_EQ(test_rule_change(RTM_NEWRULE, &over), 0);
	EXPECT_EQ(way(NULL), 3); /* there is no rule 200 yet */
	EXPECT_EQ(test_rule_change(RTM_NEWRULE,
				   &(struct test_rule){ .priority = 200, .table = RT_TABLE_MAIN }),
		  0);
	EXPECT_EQ(way(NULL), 1);
	EXPECT_EQ(test_rule_change(RTM_DELRULE, &over), 0);
	EXPECT_EQ(way(NULL), 3);
	/* Never backwards. */
	EXPECT_EQ(test_rule_change(RTM_NEWRULE, &(struct test_rule){ .priority = 50,
								     .action = FR_ACT_GOTO,
								     .target = 50 }),
		  EINVAL);
	EXPECT_EQ(test_rule_change(RTM_NEWRULE,
				   &(struct test_rule){ .priority = 50, .action = FR_ACT_GOTO }),
		  EINVAL);
	EXPECT_EQ(test_rule_change(RTM_DELRULE, &there), 0);
	/* What a table says of short prefixes may be left out, and devices may be asked for that are not there. */
	EXPECT_EQ(test_rule_change(
			  RTM_NEWRULE,
			  &(struct test_rule){ .priority = 60, .table = 100, .input = "none" }),
		  0);
	EXPECT_EQ(test_rule_change(
			  RTM_NEWRULE,
			  &(struct test_rule){ .priority = 61, .table = 100, .suppress = 1 }),
		  0);
	EXPECT_EQ(way(NULL), 1);
	EXPECT_EQ(test_rule_change(
			  RTM_NEWRULE,
			  &(struct test_rule){ .priority = 62, .table = 100, .input = "lo" }),
		  0);
	EXPECT_EQ(way(NULL), 3);
}
