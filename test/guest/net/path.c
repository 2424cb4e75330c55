/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host learns of the way to single destinations: better first hops (RFC 1122, 3.2.2.2; RFC 4861, 8), smaller MTUs (RFC 1191). */
#include "router_test.h"

#include <linux/in_route.h>
#include <netinet/ip.h>

/* The way to an address begins with this gateway; it takes a while until that is heard of. */
static bool leads_through(const char *to, const char *gateway)
{
	for (int i = 0; i < 500; i++) {
		if (!strcmp(path_towards(to, NULL).gateway, gateway))
			return true;
		usleep(20000);
	}
	return false;
}

/*
 * A host with the usual settings (10.1.0.2, fd01::2) and its router (10.1.0.1, fd01::1, fe80::1), which has another one on the same link
 * for some destinations.
 */
struct pair {
	int host, router;
};
static struct pair pair_new(void)
{
	static const struct test_route routes[] = {
		{ .to = "10.3.0.0", .length = 24, .via = "10.1.0.9", .device = "router" },
		{ .to = "fd03::", .length = 64, .via = "fe80::9", .device = "router" },
	};
	static const char *const gateways[] = { "10.1.0.8", "10.1.0.9", "10.99.0.9" };
	struct pair p;

	p.host = network_new();
	p.router = network_new();
	EXPECT_EQ(sysctl_write("ipv6/conf/default/addr_gen_mode", "1"), 0);
	REQUIRE(veth_add("router", "host", p.host) == 0);
	EXPECT_EQ(address_add("router", "10.1.0.1", 24), 0);
	EXPECT_EQ(address_add("router", "10.1.0.77", 24), 0);
	EXPECT_EQ(link_set("router", true), 0);
	EXPECT_EQ(address_add("router", "fd01::1", 64), 0);
	EXPECT_EQ(address_add("router", "fe80::1", 64), 0);
	EXPECT_EQ(sysctl_write("ipv4/ip_forward", "1"), 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/all/forwarding", "1"), 0);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(route_add(&routes[i]), 0);
	network_enter(p.host);
	EXPECT_EQ(address_add("host", "10.1.0.2", 24), 0);
	EXPECT_EQ(link_set("host", true), 0);
	EXPECT_EQ(address_add("host", "fd01::2", 64), 0);
	EXPECT_EQ(route_add(&(struct test_route){ .to = "0.0.0.0", .via = "10.1.0.1" }), 0);
	EXPECT_EQ(route_add(&(struct test_route){ .to = "::", .via = "fe80::1", .device = "host" }),
		  0);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(neighbour_add("host", gateways[i], (unsigned char[]){ 2, 0, 0, 0, 0, 9 }),
			  0);
	return p;
}

TEST(routers_redirect_and_hosts_follow)
{
	static const char *const to[] = { "10.3.0.1", "fd03::1" }, *const other[] = { "10.3.0.2",
										      "fd03::2" };
	static const char *const first[] = { "10.1.0.1", "fe80::1" }, *const second[] = {
		"10.1.0.9", "fe80::9"
	};
	int fd;

	(void)pair_new();
	for (int i = 0; i < 2; i++) {
		EXPECT_STREQ(path_towards(to[i], NULL).gateway, first[i]);
		fd = datagram_to(to[i], 7000);
		/* Linux looks at redirects of IPv6 for sockets of one device. */
		EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "host", 4), 0);
		EXPECT_EQ(send(fd, "x", 1, 0), 1);
		EXPECT(leads_through(to[i], second[i]));
		EXPECT_STREQ(path_towards(other[i], NULL).gateway, first[i]); /* each by itself */
	}
	EXPECT(path_towards(to[0], NULL).flags & RTCF_REDIRECTED);
	/* ip route flush cache */
	EXPECT_EQ(sysctl_write("ipv4/route/flush", "1"), 0);
	EXPECT(leads_through(to[0], first[0]));
	EXPECT(!(path_towards(to[0], NULL).flags & RTCF_REDIRECTED));
	/* Another route is not the one that was spoken of. */
	EXPECT_EQ(route_add(&(struct test_route){
			  .to = "fd03::", .length = 64, .via = "fe80::5", .device = "host" }),
		  0);
	EXPECT(leads_through(to[1], "fe80::5"));
}

/* "The way to `to` begins at `gateway`, not at me": from an address of this host. The quoted datagram is one of the other's. */
static void redirect4(const char *from, const char *to, const char *gateway, int code)
{
	struct {
		unsigned char icmp[8];
		struct iphdr ip;
		struct udphdr udp;
	} message = { .icmp = { ICMP_REDIRECT, (unsigned char)code } };
	struct sockaddr_storage own, host;
	socklen_t length = make_address(from, 0, &own);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	unsigned sum = 0;

	parse_address(gateway, message.icmp + 4);
	message.ip.version = 4;
	message.ip.ihl = 5;
	message.ip.ttl = 64;
	message.ip.protocol = IPPROTO_UDP;
	message.ip.tot_len = htons(28);
	parse_address("10.1.0.2", &message.ip.saddr);
	parse_address(to, &message.ip.daddr);
	message.udp.source = message.udp.dest = htons(7000);
	message.udp.len = htons(8);
	for (size_t i = 0; i < sizeof(message) / 2; i++)
		sum += ((unsigned short *)&message)[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	memcpy(message.icmp + 2, &sum, 2);
	REQUIRE(bind(fd, (struct sockaddr *)&own, length) == 0);
	make_address("10.1.0.2", 0, &host);
	EXPECT_EQ(sendto(fd, &message, sizeof(message), 0, (struct sockaddr *)&host, length),
		  (ssize_t)sizeof(message));
	close(fd);
}

/* Whether the host followed a redirect to 192.0.2.`number`: after one that it must follow, which came later. */
static bool followed(struct pair p, int number)
{
	char to[32], later[32];

	snprintf(to, sizeof(to), "192.0.2.%d", number);
	snprintf(later, sizeof(later), "198.51.100.%d", number);
	network_enter(p.router);
	redirect4("10.1.0.1", later, "10.1.0.9", ICMP_REDIR_HOST);
	network_enter(p.host);
	EXPECT(leads_through(later, "10.1.0.9"));
	return strcmp(path_towards(to, NULL).gateway, "10.1.0.1") != 0;
}

TEST(forged_redirects_are_not_followed)
{
	static const struct {
		const char *from, *gateway;
		int code;
		bool good;
	} rows[] = {
		{ "10.1.0.1", "10.1.0.9", ICMP_REDIR_HOST, true },
		{ "10.1.0.1", "10.1.0.9", ICMP_REDIR_NET, true },
		{ "10.1.0.1", "10.99.0.9", ICMP_REDIR_HOST,
		  true }, /* media are shared unless told */
		{ "10.1.0.77", "10.1.0.9", ICMP_REDIR_HOST, false }, /* not the first hop */
		{ "10.1.0.1", "10.1.0.1", ICMP_REDIR_HOST, false },
		{ "10.1.0.1", "10.1.0.2", ICMP_REDIR_HOST, false }, /* the host itself */
		{ "10.1.0.1", "10.1.0.255", ICMP_REDIR_HOST, false },
		{ "10.1.0.1", "224.0.0.1", ICMP_REDIR_HOST, false },
		{ "10.1.0.1", "0.0.0.0", ICMP_REDIR_HOST, false },
		{ "10.1.0.1", "127.0.0.1", ICMP_REDIR_HOST, false },
		{ "10.1.0.1", "10.1.0.7", ICMP_REDIR_HOST, false }, /* nobody is there */
		{ "10.1.0.1", "10.1.0.9", 4, false },
	};
	struct pair p = pair_new();

	(void)datagram_at("0.0.0.0", 7000); /* who sent what they are about */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char to[32];

		snprintf(to, sizeof(to), "192.0.2.%zu", i + 1);
		network_enter(p.router);
		redirect4(rows[i].from, to, rows[i].gateway, rows[i].code);
		if (!EXPECT_EQ(followed(p, (int)i + 1), rows[i].good))
			fprintf(stderr, "# row %zu\n", i);
	}
}

/* Sends a redirect of another destination; whether it is followed, with the host's settings as they are. */
static bool follows(struct pair p, const char *gateway)
{
	static int number = 100;
	char to[32];

	snprintf(to, sizeof(to), "192.0.2.%d", ++number);
	network_enter(p.router);
	redirect4("10.1.0.1", to, gateway, ICMP_REDIR_HOST);
	network_enter(p.host);
	return leads_through(to, gateway);
}
/* The same, which it must not be. */
static bool ignores(struct pair p, const char *gateway)
{
	static int number = 200;
	char to[32];

	snprintf(to, sizeof(to), "192.0.2.%d", ++number);
	network_enter(p.router);
	redirect4("10.1.0.1", to, gateway, ICMP_REDIR_HOST);
	network_enter(p.host);
	usleep(300000);
	return !strcmp(path_towards(to, NULL).gateway, "10.1.0.1");
}

TEST(redirects_are_followed_as_told)
{
	struct pair p = pair_new();

	(void)datagram_at("0.0.0.0", 7000);
	EXPECT_EQ(sysctl_read("ipv4/conf/host/accept_redirects"), 1);
	EXPECT_EQ(sysctl_read("ipv4/conf/host/secure_redirects"), 1);
	EXPECT_EQ(sysctl_read("ipv4/conf/host/shared_media"), 1);
	EXPECT_EQ(sysctl_read("ipv6/conf/host/accept_redirects"), 1);
	EXPECT_EQ(sysctl_write("ipv4/conf/host/accept_redirects", "0"), 0);
	EXPECT(follows(p, "10.1.0.9")); /* `all` says so */
	EXPECT_EQ(sysctl_write("ipv4/conf/all/accept_redirects", "0"), 0);
	EXPECT(ignores(p, "10.1.0.9"));
	EXPECT_EQ(sysctl_write("ipv4/conf/host/accept_redirects", "1"), 0);
	EXPECT(follows(p, "10.1.0.9"));
	/* Gateways of the own subnet that are in use already. */
	EXPECT_EQ(sysctl_write("ipv4/conf/all/shared_media", "0"), 0);
	EXPECT_EQ(sysctl_write("ipv4/conf/host/shared_media", "0"), 0);
	EXPECT(ignores(p, "10.99.0.9"));
	EXPECT(ignores(p, "10.1.0.9"));
	EXPECT_EQ(route_add(&(struct test_route){
			  .to = "10.4.0.0", .length = 24, .via = "10.1.0.8", .device = "host" }),
		  0);
	EXPECT(follows(p, "10.1.0.8"));
	EXPECT_EQ(sysctl_write("ipv4/conf/all/secure_redirects", "0"), 0);
	EXPECT_EQ(sysctl_write("ipv4/conf/host/secure_redirects", "0"), 0);
	EXPECT(follows(p, "10.1.0.9"));
	EXPECT(ignores(p, "10.99.0.9"));
	/* A router finds its ways by itself. */
	EXPECT_EQ(sysctl_write("ipv4/ip_forward", "1"), 0);
	EXPECT_EQ(sysctl_read("ipv4/conf/all/accept_redirects"), 0);
	EXPECT(ignores(p, "10.1.0.9"));
}

/* "The way to `to` begins at `target`": by neighbour discovery. */
static void redirect6(const char *from, const char *to, const char *target, int hops)
{
	unsigned char message[40] = { 137 };
	struct sockaddr_storage own, host;
	socklen_t length = make_address(from, 0, &own);
	int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);

	((struct sockaddr_in6 *)&own)->sin6_scope_id = if_nametoindex("router");
	EXPECT_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops)), 0);
	parse_address(target, message + 8);
	parse_address(to, message + 24);
	REQUIRE(bind(fd, (struct sockaddr *)&own, length) == 0);
	make_address("fd01::2", 0, &host);
	EXPECT_EQ(sendto(fd, message, sizeof(message), 0, (struct sockaddr *)&host, length),
		  (ssize_t)sizeof(message));
	close(fd);
}

TEST(forged_redirects_of_ipv6_are_not_followed)
{
	static const struct {
		const char *from, *target;
		int hops;
	} rows[] = {
		{ "fe80::1", "fe80::9", 254 },	{ "fd01::1", "fe80::9", 255 },
		{ "fe80::77", "fe80::9", 255 }, { "fe80::1", "fd01::9", 255 },
		{ "fe80::1", "ff02::9", 255 },	{ "fe80::1", "::ffff:10.1.0.9", 255 },
	};
	struct pair p = pair_new();
	char to[64], later[64];

	network_enter(p.router);
	EXPECT_EQ(address_add("router", "fe80::77", 64), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(to, sizeof(to), "fd09::%zu", i + 1);
		snprintf(later, sizeof(later), "fd0a::%zu", i + 1);
		network_enter(p.router);
		redirect6(rows[i].from, to, rows[i].target, rows[i].hops);
		redirect6("fe80::1", later, "fe80::9", 255);
		network_enter(p.host);
		EXPECT(leads_through(later, "fe80::9"));
		if (!EXPECT_STREQ(path_towards(to, NULL).gateway, "fe80::1"))
			fprintf(stderr, "# row %zu\n", i);
	}
	/* The destination itself is a neighbour. */
	network_enter(p.router);
	redirect6("fe80::1", "fd0b::1", "fd0b::1", 255);
	network_enter(p.host);
	for (int i = 0; i < 500 && !strcmp(path_towards("fd0b::1", NULL).gateway, "fe80::1"); i++)
		usleep(20000);
	EXPECT(strcmp(path_towards("fd0b::1", NULL).gateway, "fe80::1"));
}

/* One datagram too large for the way, and the next is sent in pieces; all of the host know. */
TEST(path_mtus_are_learned)
{
	static const char *const to[] = { "10.2.0.2", "fd02::2" };
	int at[2], fd, mtu = 0, want = IP_PMTUDISC_WANT, probe = IP_PMTUDISC_PROBE;
	socklen_t length = sizeof(mtu);
	struct networks n = networks_new();

	network_enter(n.router);
	set_mtu("rr", 1300);
	network_enter(n.right);
	for (int i = 0; i < 2; i++)
		at[i] = datagram_at(to[i], 7000);
	network_enter(n.left);
	for (int i = 0; i < 2; i++) {
		fd = datagram_to(to[i], 7000);
		if (!i)
			EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &want, sizeof(want)),
				  0);
		EXPECT_EQ(send(fd, (char[1400]){}, 1400, 0), 1400);
		EXPECT_EQ(error_told(fd, &mtu), i ? 1000 * ICMPV6_PKT_TOOBIG
						  : 1000 * ICMP_DEST_UNREACH + ICMP_FRAG_NEEDED);
		EXPECT_EQ(mtu, 1300);
		for (int j = 0; j < 500 && path_towards(to[i], NULL).mtu != 1300; j++)
			usleep(20000);
		EXPECT_EQ(path_towards(to[i], NULL).mtu, 1300);
		EXPECT(arrives(fd, at[i], 1400));
		close(fd);
		EXPECT(arrives(datagram_to(to[i], 7000), at[i], 1401));
	}
	fd = datagram_to(to[0], 7000);
	EXPECT_EQ(getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &length), 0);
	EXPECT_EQ(mtu, 1300);
	/* Who probes by itself is not held back. */
	EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe)), 0);
	EXPECT_EQ(send(fd, (char[1400]){}, 1400, 0), 1400);
	EXPECT_EQ(error_told(fd, &mtu), 1000 * ICMP_DEST_UNREACH + ICMP_FRAG_NEEDED);
}
