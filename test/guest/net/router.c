/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A router of both families between two hosts, each in a network name space of its own. */
#include "router_test.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>

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
