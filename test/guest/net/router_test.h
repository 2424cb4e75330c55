/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two hosts and a router of both families between them, each in a network name space of its own, and datagrams to see it by. */
#pragma once

#include "net_config.h"

#include <linux/errqueue.h>
#include <linux/icmpv6.h>
#include <netinet/ip_icmp.h>

/* left (10.1.0.2, fd01::2) - router - right (10.2.0.2, fd02::2). */
struct networks {
	int left, router, right;
};

static inline void set(const char *setting, const char *value)
{
	EXPECT_EQ(sysctl_write(setting, value), 0);
}

static inline void host(const char *device, const char *four, const char *router4, const char *six,
			const char *router6)
{
	EXPECT_EQ(address_add(device, four, 24), 0);
	EXPECT_EQ(address_add(device, six, 64), 0);
	EXPECT_EQ(link_set(device, true), 0);
	EXPECT_EQ(route_add(&(struct test_route){ .to = "0.0.0.0", .via = router4 }), 0);
	EXPECT_EQ(route_add(&(struct test_route){ .to = "::", .via = router6, .device = device }),
		  0);
}

static inline struct networks networks_new(void)
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

static inline socklen_t make_address(const char *text, int port, struct sockaddr_storage *out)
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
static inline int datagram_at(const char *text, int port)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(text, port, &address);
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	REQUIRE(bind(fd, (struct sockaddr *)&address, length) == 0);
	return fd;
}

static inline int datagram_to(const char *text, int port)
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
static inline int error_told(int fd, int *info)
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

static inline bool arrives(int from, int at, size_t size)
{
	static char data[4000], got[4000];

	memset(data, 'x', sizeof(data));
	EXPECT_EQ(send(from, data, size, 0), (ssize_t)size);
	return ready(at, POLLIN, 5000) && recv(at, got, sizeof(got), 0) == (ssize_t)size &&
	       !memcmp(data, got, size);
}

static inline void set_mtu(const char *device, unsigned mtu)
{
	struct net_request r;
	struct ifinfomsg *info = request_begin(&r, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_index = (int)if_nametoindex(device);
	request_add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	EXPECT_EQ(request_send(&r), 0);
}
