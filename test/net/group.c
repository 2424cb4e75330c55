/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets for the multicast tests. */
#include "peer.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static void join4(int fd, bool join)
{
	struct ip_mreqn r = { .imr_multiaddr.s_addr = htonl(0xef090909),
			      .imr_ifindex = (int)if_nametoindex("eth0") };

	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &r, sizeof(r)) ||
	    (join && setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r))))
		fail("group");
}

static void join6(int fd, bool join)
{
	struct ipv6_mreq r = { .ipv6mr_interface = if_nametoindex("eth0") };
	int index = (int)r.ipv6mr_interface;

	inet_pton(AF_INET6, "ff15::909", &r.ipv6mr_multiaddr);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index)) ||
	    (join && setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof(r))))
		fail("group");
}

int group_socket(int family, unsigned port, bool join, struct sockaddr_storage *to,
		 socklen_t *length)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
	int fd = socket(family, SOCK_DGRAM, 0);

	memset(to, 0, sizeof(*to));
	*length = family == AF_INET ? sizeof(*four) : sizeof(*six);
	to->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		four->sin_port = htons((uint16_t)port);
		join4(fd, join);
	} else {
		six->sin6_port = htons((uint16_t)port);
		join6(fd, join);
	}
	if (join && (bind(fd, (struct sockaddr *)to, *length) ||
		     getsockname(fd, (struct sockaddr *)to, length)))
		fail("group port");
	if (family == AF_INET)
		four->sin_addr.s_addr = htonl(0xef090909);
	else
		inet_pton(AF_INET6, "ff15::909", &six->sin6_addr);
	return fd;
}
