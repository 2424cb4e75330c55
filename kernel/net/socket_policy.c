/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a silo lets its sockets do. In its own network, where there is but loopback: everything. Out of it: what its rules name, by sockets
 * that are made in the gate.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/byte_order.h>
#include <net/namespace.h>
#include <net/socket.h>
#include <proc/silo.h>

#include <cairn/silo.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <sys/socket.h>

static bool is_inet(int family)
{
	return family == AF_INET || family == AF_INET6;
}

/* Are its Internet sockets made in the gate, and asked for names there? */
static bool has_rules(const struct silo *silo)
{
	return silo->rule_count && !(silo->allow & CAIRN_SILO_ALLOW_NETWORK);
}

static struct network_namespace *own_network(const struct silo *silo)
{
	return network_of_namespaces(silo->names);
}

int socket_policy_create(int family)
{
	for (const struct silo *silo = current_silo(); silo && family == AF_UNIX;
	     silo = silo->parent) {
		if (likely(silo->allow & CAIRN_SILO_ALLOW_UNIX))
			continue;
		silo_denied(CAIRN_SILO_DENIED_SOCKET, (u64)family);
		return -EACCES;
	}
	return 0;
}

struct network_namespace *socket_policy_home(int family, int type)
{
	const struct silo *silo = current_silo();

	if (likely(!silo) || !is_inet(family) || (type != SOCK_STREAM && type != SOCK_DGRAM) ||
	    !has_rules(silo))
		return current_network();
	return container_of(silo->gate, struct network_namespace, base);
}

struct network_namespace *socket_policy_view(const struct socket *socket)
{
	return unlikely(current_silo()) ? current_network() : socket->network;
}

/* --- names --- */

struct target {
	u8 address[16]; /* IPv4 mapped into IPv6 */
	u16 port;
};

/* False: too short to be an address; the family will say so. */
static bool decode(const struct socket_address *address, struct target *out)
{
	const struct sockaddr_in *v4 = (const void *)&address->storage;
	const struct sockaddr_in6 *v6 = (const void *)&address->storage;

	*out = (struct target){ .address = { [10] = 0xff, [11] = 0xff } };
	if (address->family == AF_INET && address->length >= sizeof(*v4)) {
		memcpy(out->address + 12, &v4->sin_addr, 4);
		out->port = net16(v4->sin_port);
		return true;
	}
	if (address->family != AF_INET6 || address->length < sizeof(*v6) - sizeof(u32))
		return false;
	memcpy(out->address, &v6->sin6_addr, 16);
	out->port = net16(v6->sin6_port);
	return true;
}

static bool prefix_matches(const u8 *a, const u8 *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	return memcmp(a, b, bytes) == 0 && (!rest || !((a[bytes] ^ b[bytes]) >> (8 - rest)));
}

static bool allows_target(const struct silo *silo, unsigned operation, const struct target *target)
{
	for (u32 i = 0; i < silo->rule_count; i++) {
		const struct cairn_silo_network_rule *rule = &silo->rules[i];

		if (rule->operations & operation && target->port >= rule->first_port &&
		    target->port <= rule->last_port &&
		    prefix_matches(rule->address, target->address, rule->prefix))
			return true;
	}
	return false;
}

static bool is_local(const struct target *target)
{
	static const u8 v6[16] = { [15] = 1 }, v4[16] = { [10] = 0xff, [11] = 0xff, [12] = 127 },
			none[16] = {};

	return prefix_matches(target->address, v6, 128) ||
	       prefix_matches(target->address, v4, 104) ||
	       prefix_matches(target->address, none, 128) ||
	       (prefix_matches(target->address, v4, 96) && !memcmp(target->address + 12, none, 4));
}

/* In a network of loopback only there is no other address: who asks for one wants out. */
static bool allows_inet(const struct silo *silo, const struct socket *socket, unsigned operation,
			const struct socket_address *address)
{
	struct target target;

	if (silo->allow & CAIRN_SILO_ALLOW_NETWORK || !decode(address, &target))
		return true;
	if (socket->network == own_network(silo))
		return operation == CAIRN_SILO_NETWORK_BIND || is_local(&target);
	return allows_target(silo, operation, &target);
}

static bool allows_name(const struct silo *silo, const struct socket *socket, unsigned operation,
			const struct socket_address *address)
{
	if (socket->family == AF_UNIX)
		return silo->allow & CAIRN_SILO_ALLOW_UNIX;
	if (is_inet(socket->family))
		return allows_inet(silo, socket, operation, address);
	return silo->allow & CAIRN_SILO_ALLOW_NETWORK || socket->network == own_network(silo);
}

int socket_policy_name(const struct socket *socket, unsigned operation,
		       const struct socket_address *address)
{
	const struct silo *silo = current_silo();

	if (likely(!silo) || address->length < sizeof(u16) || address->family == AF_UNSPEC)
		return 0;
	for (; silo; silo = silo->parent) {
		if (unlikely(!allows_name(silo, socket, operation, address))) {
			silo_denied(CAIRN_SILO_DENIED_ADDRESS, operation);
			return -EACCES;
		}
		if (socket->family != AF_UNIX && socket->network == own_network(silo) &&
		    !(silo->allow & CAIRN_SILO_ALLOW_NETWORK))
			return 0; /* it does not leave this one */
	}
	return 0;
}

/* A socket that has no port yet is bound to one by listen(2). */
int socket_policy_listen(struct socket *socket)
{
	struct socket_address name = {};

	if (likely(!current_silo()) || !is_inet(socket->family) || !socket->ops->name ||
	    socket->ops->name(socket, false, &name))
		return 0;
	return socket_policy_name(socket, CAIRN_SILO_NETWORK_BIND, &name);
}
