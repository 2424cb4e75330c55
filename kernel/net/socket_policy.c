/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a silo lets its sockets do: which there may be, which names they may take and reach. Nothing, unless it was allowed. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/byte_order.h>
#include <net/socket.h>
#include <proc/silo.h>

#include <cairn/silo.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/un.h>
#include <sys/socket.h>

static bool is_inet(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static bool allows_socket(const struct silo *silo, int family, int type)
{
	if (family == AF_UNIX)
		return silo->allow & CAIRN_SILO_ALLOW_UNIX;
	if (silo->allow & CAIRN_SILO_ALLOW_NETWORK)
		return true;
	return silo->rule_count && is_inet(family) && (type == SOCK_STREAM || type == SOCK_DGRAM);
}

int socket_policy_create(int family, int type)
{
	for (const struct silo *silo = current_silo(); silo; silo = silo->parent) {
		if (likely(allows_socket(silo, family, type)))
			continue;
		silo_denied(CAIRN_SILO_DENIED_SOCKET, (u64)family);
		return -EACCES;
	}
	return 0;
}

/* --- names --- */

/* Abstract names are those of the whole system. */
static bool allows_unix(const struct silo *silo, const struct socket_address *address)
{
	const struct sockaddr_un *name = (const void *)&address->storage;
	bool abstract =
		address->length > offsetof(struct sockaddr_un, sun_path) && !name->sun_path[0];

	return silo->allow & CAIRN_SILO_ALLOW_UNIX &&
	       (!abstract || silo->allow & CAIRN_SILO_ALLOW_NETWORK);
}

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
	if (silo->allow & CAIRN_SILO_ALLOW_NETWORK)
		return true;
	for (u32 i = 0; i < silo->rule_count; i++) {
		const struct cairn_silo_network_rule *rule = &silo->rules[i];

		if (rule->operations & operation && target->port >= rule->first_port &&
		    target->port <= rule->last_port &&
		    prefix_matches(rule->address, target->address, rule->prefix))
			return true;
	}
	return false;
}

static bool allows_name(const struct silo *silo, unsigned operation,
			const struct socket_address *address, int family)
{
	struct target target;

	if (family == AF_UNIX)
		return allows_unix(silo, address);
	if (!is_inet(family))
		return silo->allow & CAIRN_SILO_ALLOW_NETWORK;
	return !decode(address, &target) || allows_target(silo, operation, &target);
}

int socket_policy_name(const struct socket *socket, unsigned operation,
		       const struct socket_address *address)
{
	const struct silo *silo = current_silo();

	if (likely(!silo) || address->length < sizeof(u16) || address->family == AF_UNSPEC)
		return 0;
	for (; silo; silo = silo->parent) {
		if (likely(allows_name(silo, operation, address, socket->family)))
			continue;
		silo_denied(CAIRN_SILO_DENIED_ADDRESS, operation);
		return -EACCES;
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
