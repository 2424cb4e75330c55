/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A router of both families between two hosts, each in a network name space of its own; rules and tables (ip-rule(8)). */
#include "net_config.h"

#include <linux/errqueue.h>
#include <linux/fib_rules.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip_icmp.h>

/* left (10.1.0.2, fd01::2) - router - right (10.2.0.2, fd02::2). */
struct networks {
	int left, router, right;
};

static void set(const char *setting, const char *value)
{
	EXPECT_EQ(sysctl_write(setting, value), 0);
}

static void host(const char *device, const char *four, const char *router4, const char *six,
		 const char *router6)
{
	EXPECT_EQ(address_add(device, four, 24), 0);
	EXPECT_EQ(address_add(device, six, 64), 0);
	EXPECT_EQ(link_set(device, true), 0);
	EXPECT_EQ(route_add(&(struct test_route){ .to = "0.0.0.0", .via = router4 }), 0);
	EXPECT_EQ(route_add(&(struct test_route){ .to = "::", .via = router6, .device = device }),
		  0);
}

static struct networks networks_new(void)
{
	struct networks n;

	n.left = network_new();
	n.right = network_new();
	n.router = network_new();

	REQUIRE(veth_add("rl", "left", n.left) == 0);
	REQUIRE(veth_add("rr", "right", n.right) == 0);
	EXPECT_EQ(address_add("rl", "10.1.0.1", 24), 0);
	EXPECT_EQ(address_add("rl", "fd01::1", 64), 0);
	EXPECT_EQ(address_add("rr", "10.2.0.1", 24), 0);
	EXPECT_EQ(address_add("rr", "fd02::1", 64), 0);
	EXPECT_EQ(link_set("rl", true), 0);
	EXPECT_EQ(link_set("rr", true), 0);
	set("ipv4/ip_forward", "1");
	set("ipv6/conf/all/forwarding", "1");
	network_enter(n.right);
	host("right", "10.2.0.2", "10.2.0.1", "fd02::2", "fd02::1");
	network_enter(n.left);
	host("left", "10.1.0.2", "10.1.0.1", "fd01::2", "fd01::1");
	return n;
}

static socklen_t make_address(const char *text, int port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (strchr(text, ':')) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		parse_address(text, &six->sin6_addr);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	parse_address(text, &four->sin_addr);
	return sizeof(*four);
}

/* A datagram socket that is bound; the last port it may be sent to is its own. */
static int datagram_at(const char *text, int port)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(text, port, &address);
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	REQUIRE(bind(fd, (struct sockaddr *)&address, length) == 0);
	return fd;
}

static int datagram_to(const char *text, int port)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(text, port, &address);
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	if (address.ss_family == AF_INET)
		EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)), 0);
	else
		EXPECT_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)), 0);
	REQUIRE(connect(fd, (struct sockaddr *)&address, length) == 0);
	return fd;
}

/* What came as an ICMP error: 1000 * type + code; -1 without one. `info` is its number (an MTU). */
static int error_told(int fd, int *info)
{
	struct sock_extended_err *error;
	char control[256], data[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };

	if (!(ready(fd, POLLERR, 5000) & POLLERR) ||
	    recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		error = (struct sock_extended_err *)CMSG_DATA(c);
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
			if (info)
				*info = (int)error->ee_info;
			return error->ee_type * 1000 + error->ee_code;
		}
	}
	return -1;
}

static bool arrives(int from, int at, size_t size)
{
	static char data[4000], got[4000];

	memset(data, 'x', sizeof(data));
	EXPECT_EQ(send(from, data, size, 0), (ssize_t)size);
	return ready(at, POLLIN, 5000) && recv(at, got, sizeof(got), 0) == (ssize_t)size &&
	       !memcmp(data, got, size);
}

TEST(router_passes_packets)
{
	static const char *const target[] = { "10.2.0.2", "fd02::2" };
	struct networks n = networks_new();
	int to[2], at[2], ttl;

	network_enter(n.right);
	for (int i = 0; i < 2; i++)
		at[i] = datagram_at(target[i], 7000);
	ttl = 1;
	EXPECT_EQ(setsockopt(at[0], IPPROTO_IP, IP_RECVTTL, &ttl, sizeof(ttl)), 0);
	network_enter(n.left);
	for (int i = 0; i < 2; i++) {
		to[i] = datagram_to(target[i], 7000);
		EXPECT(arrives(to[i], at[i], 1));
		EXPECT(arrives(to[i], at[i], 1400));
		EXPECT(arrives(to[i], at[i], 3333)); /* in fragments, which cross by themselves */
	}
	/* Nobody listens there: the host behind the router says so. */
	close(to[0]);
	to[0] = datagram_to("10.2.0.2", 7001);
	EXPECT_EQ(send(to[0], "x", 1, 0), 1);
	EXPECT_EQ(error_told(to[0], NULL), 1000 * ICMP_DEST_UNREACH + ICMP_PORT_UNREACH);
}

TEST(router_counts_time_to_live)
{
	struct networks n = networks_new();
	int fd, one = 1, two = 2, at;

	network_enter(n.right);
	at = datagram_at("10.2.0.2", 7000);
	network_enter(n.left);
	fd = datagram_to("10.2.0.2", 7000);
	EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_TTL, &one, sizeof(one)), 0);
	EXPECT_EQ(send(fd, "x", 1, 0), 1);
	EXPECT_EQ(error_told(fd, NULL), 1000 * ICMP_TIME_EXCEEDED + ICMP_EXC_TTL);
	EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_TTL, &two, sizeof(two)), 0);
	EXPECT(arrives(fd, at, 5));
	fd = datagram_to("fd02::2", 7000);
	EXPECT_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &one, sizeof(one)), 0);
	EXPECT_EQ(send(fd, "x", 1, 0), 1);
	EXPECT_EQ(error_told(fd, NULL), 1000 * ICMPV6_TIME_EXCEED + ICMPV6_EXC_HOPLIMIT);
}

TEST(router_says_what_it_cannot_reach)
{
	static const struct {
		struct test_route route;
		const char *target;
		int wanted;
	} rows[] = {
		{ { .to = "10.9.0.0", .length = 24, .type = RTN_UNREACHABLE },
		  "10.9.0.1",
		  1000 * ICMP_DEST_UNREACH + ICMP_HOST_UNREACH },
		{ { .to = "10.10.0.0", .length = 24, .type = RTN_PROHIBIT },
		  "10.10.0.1",
		  1000 * ICMP_DEST_UNREACH + ICMP_PKT_FILTERED },
		{ { .to = "10.11.0.0", .length = 24, .via = "10.2.0.2" },
		  "10.12.0.1",
		  1000 * ICMP_DEST_UNREACH + ICMP_NET_UNREACH },
		{ { .to = "fd09::", .length = 64, .via = "fd02::2", .device = "rr" },
		  "fd0a::1",
		  1000 * ICMPV6_DEST_UNREACH + ICMPV6_NOROUTE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct networks n = networks_new(); /* nobody is told more than a few errors */
		int fd;

		network_enter(n.router);
		EXPECT_EQ(route_add(&rows[i].route), 0);
		network_enter(n.left);
		fd = datagram_to(rows[i].target, 7000);
		EXPECT_EQ(send(fd, "x", 1, 0), 1);
		EXPECT_EQ(error_told(fd, NULL), rows[i].wanted);
		close(fd);
	}
}

static void set_mtu(const char *device, unsigned mtu)
{
	struct net_request r;
	struct ifinfomsg *info = request_begin(&r, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_index = (int)if_nametoindex(device);
	request_add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	EXPECT_EQ(request_send(&r), 0);
}

TEST(router_cuts_or_says_what_is_too_long)
{
	struct networks n = networks_new();
	int at, fd, never = IP_PMTUDISC_DONT, always = IP_PMTUDISC_DO, mtu = 0;

	network_enter(n.router);
	set_mtu("rr", 1300);
	network_enter(n.right);
	at = datagram_at("10.2.0.2", 7000);
	network_enter(n.left);
	fd = datagram_to("10.2.0.2", 7000);
	/* IPv4 without the flag is cut, a fragment too. */
	EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never)), 0);
	EXPECT(arrives(fd, at, 1400));
	EXPECT(arrives(fd, at, 3500));
	EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &always, sizeof(always)), 0);
	EXPECT_EQ(send(fd, (char[1400]){}, 1400, 0), 1400);
	EXPECT_EQ(error_told(fd, &mtu), 1000 * ICMP_DEST_UNREACH + ICMP_FRAG_NEEDED);
	EXPECT_EQ(mtu, 1300);
	fd = datagram_to("fd02::2", 7000);
	EXPECT_EQ(send(fd, (char[1400]){}, 1400, 0), 1400);
	EXPECT_EQ(error_told(fd, &mtu), 1000 * ICMPV6_PKT_TOOBIG);
	EXPECT_EQ(mtu, 1300);
}

TEST(router_passes_connections)
{
	struct sockaddr_storage address;
	struct networks n = networks_new();
	static char data[65536];
	int listener, client, server;
	size_t got = 0;
	socklen_t length;
	ssize_t count;

	network_enter(n.router);
	set_mtu("rr", 1300);
	network_enter(n.right);
	length = make_address("10.2.0.2", 7000, &address);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(bind(listener, (struct sockaddr *)&address, length) == 0);
	REQUIRE(listen(listener, 1) == 0);
	network_enter(n.left);
	client = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(connect(client, (struct sockaddr *)&address, length) == 0);
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(write(client, data, sizeof(data)), (ssize_t)sizeof(data));
	close(client);
	while (ready(server, POLLIN, 10000) && (count = read(server, data, sizeof(data))) > 0)
		got += (size_t)count;
	EXPECT_EQ(got, sizeof(data));
}

/* Segments that are carried as one and cut behind the router are not too long for it. */
TEST(router_passes_large_segments)
{
	struct sockaddr_storage address;
	struct networks n = networks_new();
	static char data[1 << 18];
	int listener, client, server, raw;
	size_t got = 0;
	socklen_t length;
	ssize_t count;

	network_enter(n.right);
	length = make_address("10.2.0.2", 7000, &address);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(bind(listener, (struct sockaddr *)&address, length) == 0);
	REQUIRE(listen(listener, 1) == 0);
	network_enter(n.left);
	raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	client = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(connect(client, (struct sockaddr *)&address, length) == 0);
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(fcntl(client, F_SETFL, O_NONBLOCK), 0);
	for (size_t sent = 0; got < sizeof(data);) {
		count = sent < sizeof(data) ? write(client, data, sizeof(data) - sent) : 0;
		sent += count > 0 ? (size_t)count : 0;
		REQUIRE(ready(server, POLLIN, 10000));
		got += (size_t)read(server, data, sizeof(data));
	}
	EXPECT(!ready(raw, POLLIN, 0));
}

/* The left host has a second way to the right one, which leads through its own link: it is told of the better one. */
TEST(router_redirects)
{
	struct networks n = networks_new();
	int raw, fd, type = 0;
	unsigned char packet[256];

	network_enter(n.router);
	EXPECT_EQ(route_add(&(struct test_route){
			  .to = "10.3.0.0", .length = 24, .via = "10.1.0.9" }),
		  0);
	network_enter(n.left);
	raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	REQUIRE(raw >= 0);
	fd = datagram_to("10.3.0.1", 7000);
	EXPECT_EQ(send(fd, "x", 1, 0), 1);
	while (ready(raw, POLLIN, 5000) && recv(raw, packet, sizeof(packet), 0) > 28)
		if ((type = packet[20]) == ICMP_REDIRECT)
			break;
	EXPECT_EQ(type, ICMP_REDIRECT);
	EXPECT_EQ(packet[21], ICMP_REDIR_HOST);
	EXPECT(!memcmp(packet + 24, (unsigned char[]){ 10, 1, 0, 9 }, 4));
	close(fd);
}

TEST(router_forwards_by_device)
{
	struct networks n = networks_new();
	int at, fd;

	network_enter(n.right);
	at = datagram_at("10.2.0.2", 7000);
	network_enter(n.left);
	fd = datagram_to("10.2.0.2", 7000);
	EXPECT(arrives(fd, at, 3));
	network_enter(n.router);
	EXPECT_EQ(sysctl_write("ipv4/conf/rl/forwarding", "0"), 0);
	EXPECT_EQ(send(fd, "x", 1, 0), 1);
	EXPECT(!ready(at, POLLIN, 300));
	EXPECT_EQ(sysctl_write("ipv4/conf/rl/forwarding", "1"), 0);
	/* Nothing that comes from the left may say that it is of another network, if that is asked for. */
	network_enter(n.left);
	EXPECT_EQ(address_add("left", "10.77.0.1", 32), 0);
	close(fd);
	fd = datagram_at("10.77.0.1", 7001);
	struct sockaddr_storage address;
	socklen_t length = make_address("10.2.0.2", 7000, &address);

	EXPECT_EQ(connect(fd, (struct sockaddr *)&address, length), 0);
	EXPECT(arrives(fd, at, 3));
	network_enter(n.router);
	EXPECT_EQ(sysctl_write("ipv4/conf/rl/rp_filter", "1"), 0);
	EXPECT_EQ(send(fd, "x", 1, 0), 1);
	EXPECT(!ready(at, POLLIN, 300));
	EXPECT_EQ(
		route_add(&(struct test_route){ .to = "10.77.0.1", .length = 32, .device = "rr" }),
		0);
	EXPECT_EQ(send(fd, "x", 1, 0), 1);
	EXPECT(!ready(at, POLLIN, 300));
	EXPECT_EQ(sysctl_write("ipv4/conf/rl/rp_filter", "2"), 0); /* by any device */
	EXPECT(arrives(fd, at, 3));
}

/* Whether somebody asked for the address gets an answer by ARP: then a datagram to it is sent, and not refused. */
static bool answers(int network, const char *address)
{
	int fd, error;

	network_enter(network);
	fd = datagram_to(address, 7999);
	EXPECT_EQ(send(fd, "x", 1, 0), 1);
	error = error_told(fd, NULL);
	close(fd);
	return error == 1000 * ICMP_DEST_UNREACH + ICMP_PORT_UNREACH;
}

TEST(router_answers_by_arp_as_told)
{
	struct networks n = networks_new();

	EXPECT_EQ(sysctl_write("ipv4/neigh/left/retrans_time_ms", "1000"), 0);
	EXPECT_EQ(
		route_add(&(struct test_route){ .to = "10.2.0.1", .length = 32, .device = "left" }),
		0);
	EXPECT_EQ(route_add(&(struct test_route){
			  .to = "10.50.0.0", .length = 24, .device = "left" }),
		  0);
	network_enter(n.router);
	EXPECT_EQ(address_add("lo", "10.50.0.1", 32), 0);
	EXPECT_EQ(address_add("lo", "10.50.0.2", 32), 0);
	/* Usually for every address of the host, by any of its devices; or only for those of the device. */
	EXPECT(answers(n.left, "10.50.0.1"));
	network_enter(n.router);
	EXPECT_EQ(sysctl_write("ipv4/conf/rl/arp_ignore", "1"), 0);
	EXPECT(!answers(n.left, "10.50.0.2"));
	EXPECT(!answers(n.left, "10.2.0.1"));
	EXPECT(answers(n.left, "10.1.0.1"));
}

/* A device that comes up tells its neighbours of its addresses, if it is told to. */
TEST(router_announces_addresses_as_told)
{
	struct networks n = networks_new();
	struct sockaddr_ll name = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP) };
	unsigned char frame[64];
	int fd;

	fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ARP));
	name.sll_ifindex = (int)if_nametoindex("left");
	REQUIRE(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	network_enter(n.router);
	EXPECT_EQ(sysctl_write("ipv4/conf/rl/arp_notify", "1"), 0);
	EXPECT_EQ(link_set("rl", false), 0);
	EXPECT_EQ(link_set("rl", true), 0);
	for (int i = 0; i < 20; i++) {
		REQUIRE(ready(fd, POLLIN, 10000));
		REQUIRE(recv(fd, frame, sizeof(frame), 0) >= 28);
		if (!memcmp(frame + 14, (unsigned char[]){ 10, 1, 0, 1 }, 4) &&
		    !memcmp(frame + 14, frame + 24, 4))
			return; /* sender and target are the same: nobody is asked */
	}
	EXPECT(!"an announcement");
}

/* What a rule or a look-up goes by, each if there is one; how many bits of the source. */
static unsigned char add_selectors(struct net_request *r, unsigned short source_type,
				   const char *source, unsigned short mark_type, unsigned mark)
{
	char bytes[16];

	if (source) {
		parse_address(source, bytes);
		request_add(r, source_type, bytes, 4);
	}
	if (mark)
		request_add(r, mark_type, &mark, sizeof(mark));
	return source ? 32 : 0;
}

static int rule_change(int type, const char *source, unsigned priority, unsigned mark, int table)
{
	struct net_request r;
	struct fib_rule_hdr *info = request_begin(
		&r, type, type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*info));

	info->family = AF_INET;
	info->action = FR_ACT_TO_TBL;
	info->table = (unsigned char)table;
	info->src_len = add_selectors(&r, FRA_SRC, source, FRA_FWMARK, mark);
	if (priority)
		request_add(&r, FRA_PRIORITY, &priority, sizeof(priority));
	return request_send(&r);
}

/* The device by which a packet from `source` (or null) with a mark goes; 0: by none. */
static unsigned device_towards(const char *to, const char *source, unsigned mark)
{
	char answer[1024], bytes[16];
	struct nlmsghdr *header = (struct nlmsghdr *)answer;
	struct net_request r;
	struct rtmsg *info = request_begin(&r, RTM_GETROUTE, 0, sizeof(*info));
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), left;
	unsigned index = 0;
	struct rtattr *a;

	r.header.nlmsg_flags = NLM_F_REQUEST;
	info->rtm_family = (unsigned char)parse_address(to, bytes);
	info->rtm_dst_len = 32;
	request_add(&r, RTA_DST, bytes, 4);
	info->rtm_src_len = add_selectors(&r, RTA_SRC, source, RTA_MARK, mark);
	REQUIRE(send(fd, &r, r.header.nlmsg_len, 0) > 0);
	REQUIRE(recv(fd, answer, sizeof(answer), 0) > 0);
	close(fd);
	a = (struct rtattr *)(answer + NLMSG_SPACE(sizeof(*info)));
	left = (int)(header->nlmsg_len - NLMSG_SPACE(sizeof(*info)));
	for (; header->nlmsg_type == RTM_NEWROUTE && RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == RTA_OIF)
			index = *(unsigned *)RTA_DATA(a);
	return index;
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

TEST(errors_of_ipv6_are_not_for_connections_of_ipv4)
{
	struct {
		unsigned char icmp[8], ip[40];
		struct udphdr udp;
	} __attribute__((packed)) error = { .icmp = { ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH },
					    .ip = { 0x60, 0, 0, 0, 0, 8, IPPROTO_UDP, 64 } };
	struct sockaddr_storage address;
	socklen_t length = make_address("::1", 0, &address);
	struct sockaddr_in own;
	socklen_t own_length = sizeof(own);
	int raw, fd;

	loopback_up();
	raw = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	fd = datagram_to("127.0.0.1", 7000);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&own, &own_length), 0);
	parse_address("::ffff:127.0.0.1", error.ip + 8);
	parse_address("::ffff:127.0.0.1", error.ip + 24);
	error.udp = (struct udphdr){ .source = own.sin_port, .dest = htons(7000), .len = htons(8) };
	EXPECT_EQ(sendto(raw, &error, sizeof(error), 0, (struct sockaddr *)&address, length),
		  (ssize_t)sizeof(error));
	EXPECT(!ready(fd, POLLERR, 300));
	close(fd);
	close(raw);
}
