/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of point-to-point links: the far end is what is on the link (rtnetlink(7), netdevice(7)). */
#include "net_config.h"

static int address_with_peer(int type, const char *address, const char *peer, int length)
{
	unsigned flags = IFA_F_NODAD;
	struct net_request r;
	struct ifaddrmsg *m = request_begin(
		&r, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*m));
	char bytes[16];

	*m = (struct ifaddrmsg){ .ifa_family = (unsigned char)parse_address(address, bytes),
				 .ifa_prefixlen = (unsigned char)length,
				 .ifa_index = if_nametoindex("one") };
	request_add(&r, IFA_LOCAL, bytes, address_size(m->ifa_family));
	REQUIRE(parse_address(peer, bytes) == m->ifa_family);
	request_add(&r, IFA_ADDRESS, bytes, address_size(m->ifa_family));
	if (m->ifa_family == AF_INET6)
		request_add(&r, IFA_FLAGS, &flags, sizeof(flags));
	return request_send(&r);
}

static bool leads_by(const char *to, const char *device)
{
	struct test_path path = path_towards(to, NULL);

	return path.error == 0 && path.device == if_nametoindex(device);
}

TEST(the_far_end_of_a_link_is_on_it)
{
	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	REQUIRE(link_set("one", true) == 0 && link_set("two", true) == 0);
	EXPECT(!leads_by("10.8.0.1", "one"));
	EXPECT_EQ(address_with_peer(RTM_NEWADDR, "10.8.0.2", "10.8.0.1", 32), 0);
	EXPECT(leads_by("10.8.0.1", "one"));
	EXPECT(!leads_by("10.8.0.3", "one"));
	EXPECT(leads_by("10.8.0.2", "lo"));
	EXPECT_EQ(address_with_peer(RTM_NEWADDR, "10.9.0.2", "10.10.0.1", 24), 0);
	EXPECT(leads_by("10.10.0.77", "one"));
	EXPECT(!leads_by("10.9.0.77", "one"));
	EXPECT_EQ(address_with_peer(RTM_NEWADDR, "2001:db8::2", "2001:db8:1::1", 64), 0);
	EXPECT(leads_by("2001:db8:1::1", "one"));
	EXPECT(!leads_by("2001:db8:1::2", "one"));
	EXPECT(leads_by("2001:db8::3", "one"));
	EXPECT_EQ(address_with_peer(RTM_DELADDR, "10.8.0.2", "10.8.0.1", 32), 0);
	EXPECT(!leads_by("10.8.0.1", "one"));
	EXPECT(leads_by("10.10.0.77", "one"));
}

/* The address that an ioctl tells of the device. */
static unsigned told(int fd, unsigned long request)
{
	struct ifreq r = { .ifr_name = "one" };

	REQUIRE(ioctl(fd, request, &r) == 0);
	return ((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr;
}

static int set(int fd, unsigned long request, const char *address)
{
	struct ifreq r = { .ifr_name = "one" };
	struct sockaddr_in *in = (struct sockaddr_in *)&r.ifr_addr;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = inet_addr(address);
	return ioctl(fd, request, &r);
}

TEST(the_far_end_is_set_by_an_ioctl)
{
	int fd;

	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	REQUIRE(link_set("one", true) == 0 && link_set("two", true) == 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_ERRNO(set(fd, SIOCSIFDSTADDR, "10.8.0.1"), EADDRNOTAVAIL);
	EXPECT_EQ(set(fd, SIOCSIFADDR, "10.8.0.2"), 0);
	EXPECT_EQ(set(fd, SIOCSIFNETMASK, "255.255.255.255"), 0);
	EXPECT_EQ(told(fd, SIOCGIFDSTADDR), inet_addr("10.8.0.2"));
	EXPECT_EQ(set(fd, SIOCSIFDSTADDR, "10.8.0.1"), 0);
	EXPECT_EQ(told(fd, SIOCGIFDSTADDR), inet_addr("10.8.0.1"));
	EXPECT_EQ(told(fd, SIOCGIFADDR), inet_addr("10.8.0.2"));
	EXPECT(leads_by("10.8.0.1", "one"));
	EXPECT(!leads_by("10.8.0.3", "one"));
}
