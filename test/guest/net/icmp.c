/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is believed of messages of ICMP, and what they are sent about (RFC 1122, 3.2.2; RFC 4443). */
#include "router_test.h"

#include <netinet/ip.h>

/* A datagram of IPv4 from the left host to the right one, or a fragment of one, that lives for one hop. */
static void send_short_lived(int raw, unsigned short number, unsigned short offset)
{
	struct sockaddr_storage to;
	socklen_t length = make_address("10.2.0.2", 0, &to);
	struct {
		struct iphdr ip;
		struct udphdr udp;
	} packet = {};

	packet.ip.version = 4;
	packet.ip.ihl = 5;
	packet.ip.id = htons(number);
	packet.ip.frag_off = htons(offset / 8);
	packet.ip.ttl = 1;
	packet.ip.protocol = IPPROTO_UDP;
	packet.udp.source = packet.udp.dest = htons(7000);
	packet.udp.len = htons(sizeof(packet.udp));
	packet.ip.tot_len = htons(sizeof(packet));
	parse_address("10.1.0.2", &packet.ip.saddr);
	parse_address("10.2.0.2", &packet.ip.daddr);
	EXPECT_EQ(sendto(raw, &packet, sizeof(packet), 0, (struct sockaddr *)&to, length),
		  (ssize_t)sizeof(packet));
}

/* Who fragments a datagram is told once, of its first fragment. */
TEST(errors_are_not_sent_about_later_fragments)
{
	unsigned char packet[256];
	struct iphdr about;
	int errors, raw;
	ssize_t got;

	(void)networks_new();
	errors = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	REQUIRE(errors >= 0 && raw >= 0);
	send_short_lived(raw, 1, 1480);
	send_short_lived(raw, 2, 0);
	REQUIRE(ready(errors, POLLIN, 10000));
	do {
		got = recv(errors, packet, sizeof(packet), 0);
		REQUIRE(got >= 20 + 8 + (ssize_t)sizeof(about));
		memcpy(&about, packet + 28, sizeof(about));
		EXPECT_EQ(packet[20], ICMP_TIME_EXCEEDED);
		EXPECT_EQ(ntohs(about.id), 2);
	} while (ready(errors, POLLIN, 300));
}

/* A route may say what it likes: fragments are never so small that there is no end of them. */
TEST(a_tiny_mtu_of_a_route_does_no_harm)
{
	static const unsigned mtus[] = { 1, 20, 27, 28, 67 };
	int fd, never = IP_PMTUDISC_DONT, at;

	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	EXPECT_EQ(link_set("one", true), 0);
	EXPECT_EQ(link_set("two", true), 0);
	EXPECT_EQ(address_add("one", "10.1.0.1", 24), 0);
	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		struct test_route route = {
			.to = "10.5.0.0", .length = 24, .device = "one", .mtu = mtus[i]
		};

		EXPECT_EQ(route_add(&route), 0);
		fd = datagram_to("10.5.0.1", 7000);
		EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never)), 0);
		(void)!send(fd, (char[200]){}, 200, 0);
		close(fd);
		EXPECT_EQ(route_change(RTM_DELROUTE, 0, &route), 0);
	}
	at = datagram_at("10.1.0.1", 7000);
	EXPECT(arrives(datagram_to("10.1.0.1", 7000), at, 1400));
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
