/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AF_INET and AF_INET6: which protocol serves a type of socket. */
#include <lib/errno.h>
#include <net/inet_socket.h>
#include <obj/credentials.h>

#include <linux/capability.h>

static bool ping_allowed(const struct network_namespace *network)
{
	const struct credentials *c = current_credentials();

	const struct group_list *list = c->groups;
	s64 first = network->sysctl.ping_group_first, last = network->sysctl.ping_group_last;

	if (c->egid >= first && c->egid <= last)
		return true;
	for (unsigned i = 0; list && i < list->count; i++)
		if (list->groups[i] >= first && list->groups[i] <= last)
			return true;
	return false;
}

static int create_datagram(struct socket *socket, int protocol)
{
	int icmp = socket->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (protocol == 0 || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE) {
		socket->protocol = protocol ? protocol : IPPROTO_UDP;
		return udp_socket_create(socket);
	}
	if (protocol != icmp)
		return -EPROTONOSUPPORT;
	if (!ping_allowed(socket->network))
		return -EACCES;
	socket->protocol = icmp;
	return ping_socket_create(socket);
}

static int create(struct socket *socket, int protocol)
{
	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return -EINVAL;
	switch (socket->type) {
	case SOCK_STREAM:
		if (protocol && protocol != IPPROTO_TCP)
			return -EPROTONOSUPPORT;
		socket->protocol = IPPROTO_TCP;
		return tcp_socket_create(socket);
	case SOCK_DGRAM:
		return create_datagram(socket, protocol);
	case SOCK_RAW:
		if (!protocol)
			return -EPROTONOSUPPORT;
		if (!capable(CAP_NET_RAW))
			return -EPERM;
		socket->protocol = protocol;
		return raw_socket_create(socket, protocol);
	default:
		return -ESOCKTNOSUPPORT;
	}
}

static struct socket_family inet_family = { .family = AF_INET, .name = "INET", .create = create };
static struct socket_family inet6_family = { .family = AF_INET6,
					     .name = "INET6",
					     .create = create };

void inet_family_init(void)
{
	socket_family_register(&inet_family);
	socket_family_register(&inet6_family);
}
