/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is believed of neighbours and of routers (RFC 4861, RFC 4862). */
#include "router_test.h"

enum { ROUTER_ADVERTISEMENT = 134, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT };

/* Messages of neighbour discovery are sent by this one, out of the device. */
static int discovery_socket(const char *device)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6), hops = 255;

	REQUIRE(fd >= 0);
	EXPECT_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops)), 0);
	EXPECT_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)), 0);
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device)), 0);
	return fd;
}

static void send_message(int fd, const char *to, const void *message, size_t size)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(to, 0, &address);

	EXPECT_EQ(sendto(fd, message, size, 0, (struct sockaddr *)&address, length), (ssize_t)size);
}

/* "`target` has this link address now." */
static void advertise_neighbour(int fd, const char *to, const char *target, unsigned char last)
{
	unsigned char message[32] = {
		NEIGHBOUR_ADVERTISEMENT, [4] = 0x60, [24] = 2, 1, 2, [31] = last
	};

	parse_address(target, message + 8);
	send_message(fd, to, message, sizeof(message));
}

/* The last byte of a neighbour's link address as /proc/net/arp tells it; -1: it is not known. */
static int link_address_of(const char *address)
{
	FILE *file = fopen("/proc/net/arp", "r");
	char line[256], ip[64], link[64];
	int result = -1;

	REQUIRE(file != NULL);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %*s %*s %63s", ip, link) == 2 && !strcmp(ip, address))
			result = (int)strtol(strrchr(link, ':') + 1, NULL, 16);
	fclose(file);
	return result;
}

/* A mapped address in a message of IPv6 is not one of IPv4. */
TEST(neighbours_of_ipv4_are_none_of_ndp)
{
	struct networks n = networks_new();
	int at, fd, known, discovery;

	network_enter(n.router);
	discovery = discovery_socket("rl");
	advertise_neighbour(discovery, "fd01::2", "::ffff:10.1.0.2", 0x66); /* the host's own */
	network_enter(n.left);
	at = datagram_at("fd01::2", 7000);
	network_enter(n.router);
	fd = datagram_to("10.1.0.2", 7001);
	EXPECT_EQ(send(fd, "x", 1, 0), 1);
	EXPECT_EQ(error_told(fd, NULL), 1000 * ICMP_DEST_UNREACH + ICMP_PORT_UNREACH);
	network_enter(n.left);
	known = link_address_of("10.1.0.1");
	EXPECT(known >= 0);
	network_enter(n.router);
	advertise_neighbour(discovery, "fd01::2", "::ffff:10.1.0.1", (unsigned char)(known ^ 0x55));
	EXPECT(arrives(datagram_to("fd01::2", 7000), at, 1));
	network_enter(n.left);
	EXPECT_EQ(link_address_of("10.1.0.1"), known);
	EXPECT(!ready(at, POLLIN, 300));
	(void)datagram_at("10.1.0.2", 7002); /* is an address still */
}

struct told_address {
	struct in6_addr address;
	unsigned index, flags, valid, preferred;
};

/* Calls `visit` for every address of IPv6; true as soon as it is true. */
static bool find_address(bool (*matches)(const struct told_address *a, const void *arg),
			 const void *arg, struct told_address *out)
{
	struct net_request r;
	struct ifaddrmsg *wanted = request_begin(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(*wanted));
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	static char answer[32768];
	bool found = false;
	ssize_t got;

	wanted->ifa_family = AF_INET6;
	REQUIRE(send(fd, &r, r.header.nlmsg_len, 0) > 0);
	for (bool done = false; !done && (got = recv(fd, answer, sizeof(answer), 0)) > 0;)
		for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, got) && !done;
		     h = NLMSG_NEXT(h, got)) {
			struct ifaddrmsg *info = NLMSG_DATA(h);
			int left = (int)IFA_PAYLOAD(h);
			struct told_address a = { .index = info->ifa_index };

			done = h->nlmsg_type != RTM_NEWADDR;
			for (struct rtattr *t = IFA_RTA(info); !done && RTA_OK(t, left);
			     t = RTA_NEXT(t, left)) {
				const struct ifa_cacheinfo *times = RTA_DATA(t);

				if (t->rta_type == IFA_ADDRESS)
					memcpy(&a.address, RTA_DATA(t), 16);
				else if (t->rta_type == IFA_FLAGS)
					a.flags = *(unsigned *)RTA_DATA(t);
				else if (t->rta_type == IFA_CACHEINFO)
					a.valid = times->ifa_valid,
					a.preferred = times->ifa_prefered;
			}
			if (!done && !found && matches(&a, arg)) {
				found = true;
				*out = a;
			}
		}
	close(fd);
	return found;
}

static bool has_prefix(const struct told_address *a, const void *prefix)
{
	return !memcmp(&a->address, prefix, 8);
}
static bool is_same(const struct told_address *a, const void *address)
{
	return !memcmp(&a->address, address, 16);
}

static bool wait_for_prefix(const char *prefix, struct told_address *out)
{
	char bytes[16];

	parse_address(prefix, bytes);
	for (int i = 0; i < 500; i++) {
		if (find_address(has_prefix, bytes, out))
			return true;
		usleep(20000);
	}
	return false;
}

/* Two hosts, the second one sends advertisements. Their addresses of IPv6 are not looked for twice, so that they work at once. */
struct link {
	int here, there;
};
static struct link link_new(void)
{
	struct told_address own;
	struct link l;

	l.there = network_new();
	l.here = network_new();
	network_enter(l.there);
	EXPECT_EQ(sysctl_write("ipv6/conf/default/accept_dad", "0"), 0);
	network_enter(l.here);
	EXPECT_EQ(sysctl_write("ipv6/conf/default/accept_dad", "0"), 0);
	REQUIRE(veth_add("here", "there", l.there) == 0);
	EXPECT_EQ(link_set("here", true), 0);
	network_enter(l.there);
	EXPECT_EQ(link_set("there", true), 0);
	REQUIRE(wait_for_prefix("fe80::", &own));
	network_enter(l.here);
	REQUIRE(wait_for_prefix("fe80::", &own));
	return l;
}

struct prefix_option {
	unsigned char type, length, bits, flags;
	unsigned valid, preferred, reserved;
	struct in6_addr prefix;
};

/* An advertisement of two prefixes, for the one and the other time. */
static void advertise_prefixes(struct link l, const char *one, unsigned valid, unsigned preferred,
			       const char *other)
{
	struct {
		unsigned char header[16];
		struct prefix_option prefix[2];
	} message = { { ROUTER_ADVERTISEMENT, [4] = 64 },
		      { { 3, 4, 64, 0xc0, htonl(valid), htonl(preferred), 0, {} },
			{ 3, 4, 64, 0xc0, htonl(3600), htonl(3000), 0, {} } } };
	int fd;

	parse_address(one, &message.prefix[0].prefix);
	parse_address(other, &message.prefix[1].prefix);
	network_enter(l.there);
	fd = discovery_socket("there");
	send_message(fd, "ff02::1", &message, sizeof(message));
	close(fd);
	network_enter(l.here);
}

/* What an administrator gave stays as it is, whatever a router says of its prefix. */
TEST(routers_do_not_change_addresses_that_were_set)
{
	struct link l = link_new();
	struct told_address made, own;
	struct in6_addr address;
	char text[64];

	advertise_prefixes(l, "fd70::", 3600, 3000, "fd71::");
	REQUIRE(wait_for_prefix("fd71::", &made));
	EXPECT(made.valid <= 3600 && made.valid > 2000);
	/* The very address that the next prefix would make. */
	parse_address("fd77::", &address);
	memcpy(address.s6_addr + 8, made.address.s6_addr + 8, 8);
	inet_ntop(AF_INET6, &address, text, sizeof(text));
	EXPECT_EQ(address_add("here", text, 64), 0);
	EXPECT_EQ(address_add("here", "fd77::5", 64), 0);
	advertise_prefixes(l, "fd77::", 8000, 7000, "fd72::");
	REQUIRE(wait_for_prefix("fd72::", &made));
	for (int i = 0; i < 2; i++) {
		REQUIRE(find_address(is_same, &address, &own));
		EXPECT(own.flags & IFA_F_PERMANENT);
		EXPECT(!(own.flags & IFA_F_DEPRECATED));
		parse_address("fd77::5", &address);
	}
	/* Nor does its subnet leave the link. */
	advertise_prefixes(l, "fd77::", 0, 0, "fd73::");
	REQUIRE(wait_for_prefix("fd73::", &made));
	EXPECT_EQ(path_towards("fd77::9", NULL).device, if_nametoindex("here"));
}

static bool is_temporary(const struct told_address *a, const void *prefix)
{
	return has_prefix(a, prefix) && (a->flags & IFA_F_TEMPORARY);
}
static bool is_public(const struct told_address *a, const void *prefix)
{
	return has_prefix(a, prefix) && !(a->flags & IFA_F_TEMPORARY);
}
struct other_than {
	const void *prefix, *address;
};
static bool is_temporary_too(const struct told_address *a, const void *arg)
{
	const struct other_than *other = arg;

	return is_temporary(a, other->prefix) && memcmp(&a->address, other->address, 16);
}

static bool wait_for(bool (*matches)(const struct told_address *a, const void *arg),
		     const void *arg, struct told_address *out)
{
	for (int i = 0; i < 2000; i++) {
		if (find_address(matches, arg, out))
			return true;
		usleep(20000);
	}
	return false;
}

/* The address that datagrams to `to` come from; `preferences`: of IPV6_ADDR_PREFERENCES. */
static struct in6_addr source_towards(const char *to, int preferences)
{
	struct sockaddr_in6 own = {};
	struct sockaddr_storage address;
	socklen_t length = make_address(to, 7000, &address), own_length = sizeof(own);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (preferences)
		EXPECT_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, &preferences,
				     sizeof(preferences)),
			  0);
	EXPECT_EQ(connect(fd, (struct sockaddr *)&address, length), 0);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&own, &own_length), 0);
	close(fd);
	return own.sin6_addr;
}

/* RFC 8981: beside the address of a prefix there is one that tells nobody anything, and soon another. */
TEST(temporary_addresses_come_and_go)
{
	enum { TEMPORARY = 1, PUBLIC = 2 }; /* IPV6_PREFER_SRC_TMP, IPV6_PREFER_SRC_PUBLIC */
	struct told_address temporary, public, next;
	struct link l = link_new();
	struct in6_addr prefix, used;

	EXPECT_EQ(sysctl_read("ipv6/conf/here/temp_valid_lft"), 7 * 86400);
	EXPECT_EQ(sysctl_read("ipv6/conf/here/temp_prefered_lft"), 86400);
	EXPECT_EQ(sysctl_write("ipv6/conf/here/use_tempaddr", "2"), 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/here/temp_valid_lft", "1000"), 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/here/temp_prefered_lft", "10"), 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/here/max_desync_factor", "0"), 0);
	advertise_prefixes(l, "fd70::", 3600, 3000, "fd71::");
	parse_address("fd70::", &prefix);
	REQUIRE(wait_for(is_temporary, &prefix, &temporary));
	REQUIRE(wait_for(is_public, &prefix, &public));
	EXPECT(public.flags & IFA_F_MANAGETEMPADDR);
	EXPECT(public.valid > 2000);
	EXPECT(temporary.valid <= 1000 && temporary.preferred <= 10);
	EXPECT(memcmp(temporary.address.s6_addr + 8, public.address.s6_addr + 8, 8));
	/* Before it is deprecated there is another one. */
	REQUIRE(wait_for(is_temporary_too, &(struct other_than){ &prefix, &temporary.address },
			 &next));
	used = source_towards("fd70::1234", PUBLIC);
	EXPECT(!memcmp(&used, &public.address, 16));
	/* Temporary ones are used from now on, whoever asks for nothing. */
	EXPECT_EQ(sysctl_write("ipv6/conf/here/temp_prefered_lft", "600"), 0);
	advertise_prefixes(l, "fd74::", 3600, 3000, "fd75::");
	parse_address("fd74::", &prefix);
	REQUIRE(wait_for(is_temporary, &prefix, &temporary));
	used = source_towards("fd74::1234", 0);
	EXPECT(!memcmp(&used, &temporary.address, 16));
	EXPECT_EQ(sysctl_write("ipv6/conf/here/use_tempaddr", "1"), 0);
	REQUIRE(wait_for(is_public, &prefix, &public));
	used = source_towards("fd74::1234", 0);
	EXPECT(!memcmp(&used, &public.address, 16));
	used = source_towards("fd74::1234", TEMPORARY);
	EXPECT(!memcmp(&used, &temporary.address, 16));
}

/* A host that believes another one to be on its link is answered by the router for it, if that is told to. */
TEST(routers_answer_for_others_as_told)
{
	static const char *const to[] = { "10.2.0.2", "fd02::2" };
	struct networks n = networks_new();
	int at[2], fd;

	network_enter(n.right);
	for (int i = 0; i < 2; i++)
		at[i] = datagram_at(to[i], 7000);
	network_enter(n.left);
	EXPECT_EQ(sysctl_write("ipv4/neigh/left/retrans_time_ms", "1000"), 0);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(route_add(&(struct test_route){
				  .to = to[i], .length = i ? 128 : 32, .device = "left" }),
			  0);
	fd = datagram_to(to[0], 7000);
	EXPECT_EQ(send(fd, "x", 1, 0), 1);
	EXPECT_EQ(error_told(fd, NULL), 1000 * ICMP_DEST_UNREACH + ICMP_HOST_UNREACH);
	close(fd);
	EXPECT(!ready(at[0], POLLIN, 0));
	network_enter(n.router);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(proxy_change(RTM_DELNEIGH, "rl", to[i]), ENOENT);
		EXPECT_EQ(proxy_change(RTM_NEWNEIGH, "rl", to[i]), 0);
	}
	EXPECT_EQ(sysctl_write("ipv6/conf/rl/proxy_ndp", "1"), 0);
	network_enter(n.left);
	for (int i = 0; i < 2; i++)
		EXPECT(arrives(datagram_to(to[i], 7000), at[i], 100));
	network_enter(n.router);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(proxy_change(RTM_DELNEIGH, "rl", to[i]), 0);
		EXPECT_EQ(proxy_change(RTM_DELNEIGH, "rl", to[i]), ENOENT);
	}
}
