/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AF_NETLINK sockets and NETLINK_ROUTE: netlink(7), rtnetlink(7). */
#include "guest_test.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

struct request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
		struct rtmsg route;
		struct rtgenmsg generic;
	};
	char attributes[256];
};

static int netlink(int protocol, unsigned groups)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW, protocol);

	EXPECT(fd >= 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static void prepare(struct request *r, int type, int flags, size_t size)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_len = (unsigned)NLMSG_LENGTH(size);
	r->header.nlmsg_type = (unsigned short)type;
	r->header.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags);
	r->header.nlmsg_seq = 77;
}

static void add(struct request *r, int type, const void *data, size_t size)
{
	struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* Sends a request and returns the error of the acknowledgement. */
static int ask(int fd, struct request *r)
{
	char answer[4096];
	struct nlmsghdr *header = (struct nlmsghdr *)answer;

	r->header.nlmsg_flags |= NLM_F_ACK;
	if (send(fd, r, r->header.nlmsg_len, 0) < 0)
		return errno;
	if (recv(fd, answer, sizeof(answer), 0) < 0)
		return errno;
	EXPECT_EQ(header->nlmsg_type, NLMSG_ERROR);
	EXPECT_EQ(header->nlmsg_seq, 77);
	return -((struct nlmsgerr *)NLMSG_DATA(header))->error;
}

TEST(netlink_sockets)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK };
	socklen_t length = sizeof(name);
	int fd, other;

	EXPECT_ERRNO(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
	EXPECT_ERRNO(socket(AF_NETLINK, SOCK_RAW, 100), EPROTONOSUPPORT);
	fd = netlink(NETLINK_ROUTE, 0);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	EXPECT_EQ(length, sizeof(name));
	EXPECT_EQ(name.nl_pid, getpid());
	other = netlink(NETLINK_ROUTE, 0);
	EXPECT_EQ(getsockname(other, (struct sockaddr *)&name, &length), 0);
	EXPECT_NE(name.nl_pid, getpid());
	close(other);
	other = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);
	name.nl_pid = (unsigned)getpid();
	EXPECT_ERRNO(bind(other, (struct sockaddr *)&name, sizeof(name)), EADDRINUSE);
	EXPECT_ERRNO(bind(other, (struct sockaddr *)&name, 4), EINVAL);
	EXPECT_ERRNO(recv(fd, &name, 1, MSG_DONTWAIT), EAGAIN);
	name.nl_pid = 999999;
	EXPECT_ERRNO(sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)), ECONNREFUSED);
	EXPECT_ERRNO(listen(fd, 1), EOPNOTSUPP);
}

TEST(netlink_errors)
{
	int fd = netlink(NETLINK_ROUTE, 0), status;
	struct request r;

	prepare(&r, RTM_GETLINK, 0, sizeof(r.link));
	r.link.ifi_index = 9999;
	EXPECT_EQ(ask(fd, &r), ENODEV);
	prepare(&r, RTM_GETLINK, 0, sizeof(r.link));
	EXPECT_EQ(ask(fd, &r), EINVAL);
	prepare(&r, 0x7ff, 0, sizeof(r.link));
	EXPECT_EQ(ask(fd, &r), EOPNOTSUPP);
	prepare(&r, NLMSG_NOOP, 0, 0);
	EXPECT_EQ(ask(fd, &r), 0);
	/* A length that lies is no request at all. */
	prepare(&r, RTM_GETLINK, NLM_F_ACK, sizeof(r.link));
	r.header.nlmsg_len = 5000;
	EXPECT_EQ(send(fd, &r, 32, 0), 32);
	EXPECT_ERRNO(recv(fd, &r, sizeof(r), MSG_DONTWAIT), EAGAIN);
	/* An attribute that is longer than the message. */
	prepare(&r, RTM_NEWADDR, 0, sizeof(r.address));
	r.address.ifa_family = AF_INET;
	add(&r, IFA_LOCAL, "abcd", 4);
	((struct rtattr *)((char *)&r + NLMSG_LENGTH(sizeof(r.address))))->rta_len = 200;
	EXPECT_NE(ask(fd, &r), 0);
	if (fork() == 0) {
		EXPECT_EQ(setuid(1000), 0);
		prepare(&r, RTM_SETLINK, 0, sizeof(r.link));
		r.link.ifi_index = 1;
		EXPECT_EQ(ask(fd, &r), EPERM);
		_exit(test_has_failed());
	}
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
}

TEST(netlink_dump_links)
{
	int fd = netlink(NETLINK_ROUTE, 0), n;
	bool loopback = false, done = false;
	struct request r;
	char answer[16384];

	prepare(&r, RTM_GETLINK, NLM_F_DUMP, sizeof(r.link));
	EXPECT_EQ(send(fd, &r, r.header.nlmsg_len, 0), (long)r.header.nlmsg_len);
	while (!done && (n = (int)recv(fd, answer, sizeof(answer), 0)) > 0) {
		for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, (unsigned)n);
		     h = NLMSG_NEXT(h, n)) {
			struct ifinfomsg *info = NLMSG_DATA(h);

			EXPECT_EQ(h->nlmsg_flags & NLM_F_MULTI, NLM_F_MULTI);
			EXPECT_EQ(h->nlmsg_pid, getpid());
			if (h->nlmsg_type == NLMSG_DONE) {
				done = true;
				break;
			}
			if (info->ifi_flags & IFF_LOOPBACK) {
				loopback = true;
				EXPECT_EQ(info->ifi_index, 1);
			}
		}
	}
	EXPECT(done && loopback);
	EXPECT_EQ(if_nametoindex("lo"), 1);
}

static void change_link(int fd, unsigned flags, int expect)
{
	struct request r;

	prepare(&r, RTM_NEWLINK, 0, sizeof(r.link));
	r.link.ifi_index = 1;
	r.link.ifi_flags = flags;
	r.link.ifi_change = IFF_UP;
	EXPECT_EQ(ask(fd, &r), expect);
}

static int change_address(int fd, int type, int flags, const char *text)
{
	struct in_addr address = { inet_addr(text) };
	struct request r;

	prepare(&r, type, flags, sizeof(r.address));
	r.address.ifa_family = AF_INET;
	r.address.ifa_prefixlen = 24;
	r.address.ifa_index = 1;
	add(&r, IFA_LOCAL, &address, 4);
	add(&r, IFA_ADDRESS, &address, 4);
	return ask(fd, &r);
}

static bool has_address(const char *text)
{
	struct ifaddrs *all, *a;
	bool found = false;

	REQUIRE(getifaddrs(&all) == 0);
	for (a = all; a; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET &&
		    ((struct sockaddr_in *)a->ifa_addr)->sin_addr.s_addr == inet_addr(text))
			found = true;
	freeifaddrs(all);
	return found;
}

TEST(netlink_addresses)
{
	int fd = netlink(NETLINK_ROUTE, 0), watch = netlink(NETLINK_ROUTE, RTMGRP_IPV4_IFADDR);
	struct pollfd ready = { .fd = watch, .events = POLLIN };
	char event[4096];

	change_link(fd, IFF_UP, 0);
	EXPECT(has_address("127.0.0.1"));
	EXPECT(!has_address("10.7.7.7"));
	while (poll(&ready, 1, 0) == 1)
		EXPECT(recv(watch, event, sizeof(event), 0) > 0);
	EXPECT_EQ(change_address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "10.7.7.7"), 0);
	EXPECT(has_address("10.7.7.7"));
	EXPECT_EQ(poll(&ready, 1, 1000), 1);
	EXPECT(recv(watch, event, sizeof(event), 0) > 0);
	EXPECT_EQ(((struct nlmsghdr *)event)->nlmsg_type, RTM_NEWADDR);
	EXPECT_EQ(change_address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "10.7.7.7"), EEXIST);
	EXPECT_EQ(change_address(fd, RTM_DELADDR, 0, "10.7.7.7"), 0);
	EXPECT_EQ(change_address(fd, RTM_DELADDR, 0, "10.7.7.7"), EADDRNOTAVAIL);
	EXPECT(!has_address("10.7.7.7"));
	EXPECT_EQ(poll(&ready, 1, 1000), 1);
	EXPECT(recv(watch, event, sizeof(event), 0) > 0);
	EXPECT_EQ(((struct nlmsghdr *)event)->nlmsg_type, RTM_DELADDR);
}

static int change_route(int fd, int type, int flags, const char *destination, int bits)
{
	struct in_addr address = { inet_addr(destination) };
	struct request r;
	int index = 1;

	prepare(&r, type, flags, sizeof(r.route));
	r.route.rtm_family = AF_INET;
	r.route.rtm_dst_len = (unsigned char)bits;
	r.route.rtm_table = RT_TABLE_MAIN;
	r.route.rtm_protocol = RTPROT_BOOT;
	r.route.rtm_scope = RT_SCOPE_LINK;
	r.route.rtm_type = RTN_UNICAST;
	add(&r, RTA_DST, &address, 4);
	add(&r, RTA_OIF, &index, 4);
	return ask(fd, &r);
}

TEST(netlink_routes)
{
	int fd = netlink(NETLINK_ROUTE, 0), n, found = 0;
	struct request r;
	char answer[16384];
	bool done = false;

	change_link(fd, IFF_UP, 0);
	EXPECT_EQ(change_route(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "10.99.0.0", 16), 0);
	EXPECT_EQ(change_route(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "10.99.0.0", 16),
		  EEXIST);
	prepare(&r, RTM_GETROUTE, NLM_F_DUMP, sizeof(r.route));
	r.route.rtm_family = AF_INET;
	EXPECT_EQ(send(fd, &r, r.header.nlmsg_len, 0), (long)r.header.nlmsg_len);
	while (!done && (n = (int)recv(fd, answer, sizeof(answer), 0)) > 0)
		for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, (unsigned)n);
		     h = NLMSG_NEXT(h, n)) {
			struct rtmsg *route = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_DONE)
				done = true;
			else if (route->rtm_dst_len == 16 && route->rtm_table == RT_TABLE_MAIN)
				found++;
		}
	EXPECT_EQ(found, 1);
	EXPECT_EQ(change_route(fd, RTM_DELROUTE, 0, "10.99.0.0", 16), 0);
	EXPECT_EQ(change_route(fd, RTM_DELROUTE, 0, "10.99.0.0", 16), ESRCH);
}

/* Text to a group, as udev sends to its listeners. */
TEST(netlink_between_programs)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_groups = 2 };
	int listener = netlink(NETLINK_KOBJECT_UEVENT, 2);
	int from = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
	socklen_t length = sizeof(name);
	char buf[32];

	EXPECT_EQ(sendto(from, "hello", 5, 0, (struct sockaddr *)&name, sizeof(name)), 5);
	EXPECT_EQ(recvfrom(listener, buf, sizeof(buf), 0, (struct sockaddr *)&name, &length), 5);
	EXPECT_EQ(memcmp(buf, "hello", 5), 0);
	EXPECT_EQ(name.nl_groups, 2);
}
