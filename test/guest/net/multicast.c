/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups and raw sockets, as routing daemons use them: what comes back, how far it goes, by which device. */
#include "net_config.h"

#include <netinet/ip.h>

#define GROUP "239.7.7.7"
#define PROTOCOL 253 /* for experiments (RFC 3692) */

/* Two devices in a name space of their own, both with an address and up. */
static void two_devices(void)
{
	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	REQUIRE(veth_add("three", "four", -1) == 0);
	REQUIRE(address_add("one", "192.0.2.1", 24) == 0);
	REQUIRE(address_add("three", "198.51.100.1", 24) == 0);
	REQUIRE(link_set("one", true) == 0 && link_set("two", true) == 0);
	REQUIRE(link_set("three", true) == 0 && link_set("four", true) == 0);
}

static int member(const char *address)
{
	int fd = socket(AF_INET, SOCK_RAW, PROTOCOL);
	struct ip_mreq group = { .imr_interface.s_addr = inet_addr(address),
				 .imr_multiaddr.s_addr = inet_addr(GROUP) };

	REQUIRE(fd >= 0);
	REQUIRE(setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == 0);
	return fd;
}

static int set_ip(int fd, int option, int value)
{
	return setsockopt(fd, SOL_IP, option, &value, sizeof(value));
}

/* The header of what comes back of a packet to the group; its version is 0 if nothing does. */
static struct iphdr echoed(int sender, int receiver)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(GROUP) };
	char buf[128];
	struct iphdr header = {};

	REQUIRE(sendto(sender, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)) == 5);
	if (recv(receiver, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(header) + 5)
		memcpy(&header, buf, sizeof(header));
	return header;
}

TEST(raw_sockets_hear_of_a_group_what_they_ask_for)
{
	int one, three, sender;
	struct in_addr by = { inet_addr("192.0.2.1") };

	two_devices();
	one = member("192.0.2.1");
	three = member("198.51.100.1");
	sender = socket(AF_INET, SOCK_RAW, PROTOCOL);
	REQUIRE(setsockopt(sender, SOL_IP, IP_MULTICAST_IF, &by, sizeof(by)) == 0);
	EXPECT_EQ(set_ip(sender, IP_TTL, 9), 0);
	EXPECT_EQ(echoed(sender, one).ttl, 1); /* IP_TTL is of other addresses */
	EXPECT_EQ(set_ip(sender, IP_MULTICAST_TTL, 3), 0);
	EXPECT_EQ(echoed(sender, one).ttl, 3);
	EXPECT_EQ(set_ip(sender, IP_MULTICAST_LOOP, 0), 0);
	EXPECT_EQ(echoed(sender, one).version, 0);
	EXPECT_EQ(set_ip(sender, IP_MULTICAST_LOOP, 1), 0);
	/* By another device, with its address. */
	while (recv(three, (char[128]){}, 128, MSG_DONTWAIT) > 0)
		;
	by.s_addr = inet_addr("198.51.100.1");
	EXPECT_EQ(setsockopt(sender, SOL_IP, IP_MULTICAST_IF, &by, sizeof(by)), 0);
	EXPECT_EQ(echoed(sender, three).saddr, by.s_addr);
}
