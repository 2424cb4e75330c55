/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small networks for tests: pairs of virtual devices, addresses, routes and rules by netlink; settings by /proc/sys. */
#pragma once

#include "net_test.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>

struct net_request {
	struct nlmsghdr header;
	char payload[512];
};

static inline void *request_begin(struct net_request *r, int type, int flags, size_t size)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_len = (unsigned)NLMSG_LENGTH(size);
	r->header.nlmsg_type = (unsigned short)type;
	r->header.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return r->payload;
}

static inline struct rtattr *request_add(struct net_request *r, int type, const void *data,
					 size_t size)
{
	struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

static inline void request_nest_end(struct net_request *r, struct rtattr *nest)
{
	nest->rta_len =
		(unsigned short)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len) - (char *)nest);
}

/* The error of the acknowledgement; 0: it was done. */
static inline int request_send(struct net_request *r)
{
	char answer[4096];
	struct nlmsghdr *header = (struct nlmsghdr *)answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), error = EIO;

	REQUIRE(fd >= 0);
	REQUIRE(send(fd, r, r->header.nlmsg_len, 0) == (ssize_t)r->header.nlmsg_len);
	if (recv(fd, answer, sizeof(answer), 0) > 0 && header->nlmsg_type == NLMSG_ERROR)
		error = -((struct nlmsgerr *)NLMSG_DATA(header))->error;
	close(fd);
	return error;
}

/* A pair of devices, the second one in another name space if `network` >= 0. */
static inline int veth_add(const char *one, const char *two, int network)
{
	struct rtattr *info, *data, *peer;
	struct ifinfomsg none = {};
	struct net_request r;

	request_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(none));
	request_add(&r, IFLA_IFNAME, one, strlen(one) + 1);
	info = request_add(&r, IFLA_LINKINFO, "", 0);
	request_add(&r, IFLA_INFO_KIND, "veth", 5);
	data = request_add(&r, IFLA_INFO_DATA, "", 0);
	peer = request_add(&r, VETH_INFO_PEER, &none, sizeof(none));
	request_add(&r, IFLA_IFNAME, two, strlen(two) + 1);
	if (network >= 0)
		request_add(&r, IFLA_NET_NS_FD, &network, sizeof(network));
	request_nest_end(&r, peer);
	request_nest_end(&r, data);
	request_nest_end(&r, info);
	return request_send(&r);
}

static inline int link_delete(const char *name)
{
	struct net_request r;

	request_begin(&r, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	request_add(&r, IFLA_IFNAME, name, strlen(name) + 1);
	return request_send(&r);
}

static inline int link_rename(const char *name, const char *to)
{
	struct net_request r;
	struct ifinfomsg *info = request_begin(&r, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_index = (int)if_nametoindex(name);
	request_add(&r, IFLA_IFNAME, to, strlen(to) + 1);
	return request_send(&r);
}

static inline int link_set(const char *name, bool up)
{
	struct net_request r;
	struct ifinfomsg *info = request_begin(&r, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_index = (int)if_nametoindex(name);
	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	return request_send(&r);
}

/* Numbers from text: the family, and 4 or 16 bytes. */
static inline int parse_address(const char *text, void *out)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	REQUIRE(inet_pton(family, text, out) == 1);
	return family;
}
static inline size_t address_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

static inline int address_change(int type, const char *device, const char *address, int length)
{
	unsigned flags = IFA_F_NODAD;
	struct net_request r;
	struct ifaddrmsg *info = request_begin(
		&r, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*info));
	char bytes[16];

	info->ifa_family = (unsigned char)parse_address(address, bytes);
	info->ifa_prefixlen = (unsigned char)length;
	info->ifa_index = if_nametoindex(device);
	request_add(&r, IFA_LOCAL, bytes, address_size(info->ifa_family));
	request_add(&r, IFA_ADDRESS, bytes, address_size(info->ifa_family));
	if (info->ifa_family == AF_INET6)
		request_add(&r, IFA_FLAGS, &flags, sizeof(flags));
	return request_send(&r);
}
static inline int address_add(const char *device, const char *address, int length)
{
	return address_change(RTM_NEWADDR, device, address, length);
}

/* A route by a gateway and/or a device, of a type and table; 0: unicast, main. */
struct test_route {
	const char *to, *via, *device;
	int length, type, table;
	unsigned mtu, lock;
};
static inline int route_change(int type, int flags, const struct test_route *t)
{
	struct net_request r;
	struct rtmsg *info = request_begin(&r, type, flags, sizeof(*info));
	unsigned index = t->device ? if_nametoindex(t->device) : 0;
	char to[16], via[16];
	struct rtattr *nest;

	info->rtm_family = (unsigned char)parse_address(t->to, to);
	info->rtm_dst_len = (unsigned char)t->length;
	info->rtm_table = (unsigned char)(t->table ? t->table : RT_TABLE_MAIN);
	info->rtm_type = (unsigned char)(t->type ? t->type : RTN_UNICAST);
	info->rtm_protocol = RTPROT_BOOT;
	info->rtm_scope = t->via || info->rtm_family == AF_INET6 ? RT_SCOPE_UNIVERSE
			  : t->type == RTN_LOCAL		 ? RT_SCOPE_HOST
			  : t->device				 ? RT_SCOPE_LINK
								 : RT_SCOPE_UNIVERSE;
	if (t->length)
		request_add(&r, RTA_DST, to, address_size(info->rtm_family));
	if (t->via) {
		parse_address(t->via, via);
		request_add(&r, RTA_GATEWAY, via, address_size(info->rtm_family));
	}
	if (t->device)
		request_add(&r, RTA_OIF, &index, sizeof(index));
	if (t->mtu) {
		nest = request_add(&r, RTA_METRICS, "", 0);
		request_add(&r, RTAX_MTU, &t->mtu, sizeof(t->mtu));
		if (t->lock)
			request_add(&r, RTAX_LOCK, &t->lock, sizeof(t->lock));
		request_nest_end(&r, nest);
	}
	return request_send(&r);
}
static inline int route_add(const struct test_route *t)
{
	return route_change(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, t);
}

/* Whether a router answers for an address on the link of the device. */
static inline int proxy_change(int type, const char *device, const char *address)
{
	struct net_request r;
	struct ndmsg *info = request_begin(
		&r, type, type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*info));
	char bytes[16];

	info->ndm_family = (unsigned char)parse_address(address, bytes);
	info->ndm_ifindex = (int)if_nametoindex(device);
	info->ndm_flags = NTF_PROXY;
	info->ndm_state = NUD_PERMANENT;
	request_add(&r, NDA_DST, bytes, address_size(info->ndm_family));
	return request_send(&r);
}

static inline int neighbour_add(const char *device, const char *address, const unsigned char *link)
{
	struct net_request r;
	struct ndmsg *info =
		request_begin(&r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*info));
	char bytes[16];

	info->ndm_family = (unsigned char)parse_address(address, bytes);
	info->ndm_ifindex = (int)if_nametoindex(device);
	info->ndm_state = NUD_PERMANENT;
	request_add(&r, NDA_DST, bytes, address_size(info->ndm_family));
	request_add(&r, NDA_LLADDR, link, 6);
	return request_send(&r);
}

/* What a look-up goes by, besides the destination; null, 0: not. */
struct test_selectors {
	const char *source, *input;
	unsigned mark, uid;
	unsigned char protocol;
	int sport, dport;
};
/* Where packets go. */
struct test_path {
	int error; /* of the look-up; 0: none */
	unsigned device, flags, mtu;
	unsigned char type;
	char gateway[INET6_ADDRSTRLEN]; /* empty: none */
};

static inline void path_ask(struct net_request *r, const char *to, const struct test_selectors *s)
{
	struct rtmsg *info = request_begin(r, RTM_GETROUTE, 0, sizeof(*info));
	char bytes[16];
	unsigned index;

	r->header.nlmsg_flags = NLM_F_REQUEST;
	info->rtm_family = (unsigned char)parse_address(to, bytes);
	info->rtm_dst_len = (unsigned char)(address_size(info->rtm_family) * 8);
	request_add(r, RTA_DST, bytes, address_size(info->rtm_family));
	if (s && s->source) {
		parse_address(s->source, bytes);
		info->rtm_src_len = info->rtm_dst_len;
		request_add(r, RTA_SRC, bytes, address_size(info->rtm_family));
	}
	if (s && s->input) {
		index = if_nametoindex(s->input);
		request_add(r, RTA_IIF, &index, sizeof(index));
	}
	if (s && s->mark)
		request_add(r, RTA_MARK, &s->mark, sizeof(s->mark));
	if (s && s->uid)
		request_add(r, RTA_UID, &s->uid, sizeof(s->uid));
	if (s && s->protocol)
		request_add(r, RTA_IP_PROTO, &s->protocol, sizeof(s->protocol));
	if (s && s->sport)
		request_add(r, RTA_SPORT, &(unsigned short){ htons(s->sport) }, 2);
	if (s && s->dport)
		request_add(r, RTA_DPORT, &(unsigned short){ htons(s->dport) }, 2);
}

/* The path that a packet to the address would take (ip route get). `s` may be null. */
static inline struct test_path path_towards(const char *to, const struct test_selectors *s)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), left;
	struct test_path path = {};
	struct net_request r;
	char answer[1024];
	struct nlmsghdr *header = (struct nlmsghdr *)answer;
	struct rtmsg *info = NLMSG_DATA(header);

	path_ask(&r, to, s);
	REQUIRE(send(fd, &r, r.header.nlmsg_len, 0) > 0);
	REQUIRE(recv(fd, answer, sizeof(answer), 0) > 0);
	close(fd);
	if (header->nlmsg_type == NLMSG_ERROR) {
		path.error = -((struct nlmsgerr *)NLMSG_DATA(header))->error;
		return path;
	}
	path.flags = info->rtm_flags;
	path.type = info->rtm_type;
	left = (int)RTM_PAYLOAD(header);
	for (struct rtattr *a = RTM_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		struct rtattr *metric = RTA_DATA(a);
		int metrics = (int)RTA_PAYLOAD(a);

		if (a->rta_type == RTA_OIF)
			path.device = *(unsigned *)RTA_DATA(a);
		else if (a->rta_type == RTA_GATEWAY)
			inet_ntop(info->rtm_family, RTA_DATA(a), path.gateway,
				  sizeof(path.gateway));
		for (; a->rta_type == RTA_METRICS && RTA_OK(metric, metrics);
		     metric = RTA_NEXT(metric, metrics))
			if (metric->rta_type == RTAX_MTU)
				path.mtu = *(unsigned *)RTA_DATA(metric);
	}
	return path;
}

/* --- Name spaces --- */

static inline int network_open(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}
/* A new name space, which is entered; its loopback device is up. */
static inline int network_new(void)
{
	REQUIRE(unshare(CLONE_NEWNET) == 0);
	loopback_up();
	return network_open();
}
static inline void network_enter(int fd)
{
	REQUIRE(setns(fd, CLONE_NEWNET) == 0);
}

/* --- Settings: names below /proc/sys/net --- */

static inline int sysctl_write(const char *name, const char *text)
{
	char path[160];
	int fd, error = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		error = errno;
	close(fd);
	return error;
}
/* The number in a file; -1000 without one. */
static inline int sysctl_read(const char *name)
{
	char path[160], text[32] = "";
	int fd, value = -1000;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return value;
	if (read(fd, text, sizeof(text) - 1) > 0)
		value = atoi(text);
	close(fd);
	return value;
}
