/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Redirects of IPv4: taken (RFC 1122, 3.2.2.2) and sent (RFC 1812, 5.2.7.2). All codes mean the one host, as RFC 1812, 4.3.3.2 has it,
 * and a gateway that does not answer by ARP is not gone to.
 * The settings are those of net.ipv4.conf: accept_redirects, secure_redirects, shared_media (RFC 1620), send_redirects.
 */
#include <net/ipv4/ipv4.h>
#include <net/local.h>
#include <net/route_exception.h>
#include <sys/socket.h>

#include <linux/icmp.h>
#include <linux/rtnetlink.h>

/* A host listens if it is told to anywhere, a router only if it is everywhere. */
static bool listens(const struct net_device *device)
{
	const unsigned number = IPV4_DEVCONF_ACCEPT_REDIRECTS;

	if (!READ_ONCE(device->settings.ipv4[IPV4_DEVCONF_FORWARDING]))
		return device_setting4_either(device, number);
	return READ_ONCE(device->network->settings_all.ipv4[number]) &&
	       READ_ONCE(device->settings.ipv4[number]);
}

/* Some route by the device leads through the gateway already. */
static bool is_gateway(const struct net_device *device, const struct inet_address *address)
{
	const struct route_table *t = rcu_dereference(device->network->routes);

	for (unsigned i = 0; t && i < t->count; i++)
		if (t->routes[i].device == device && inet_equal(&t->routes[i].gateway, address))
			return true;
	return false;
}

static bool may_be_next_hop(const struct net_device *device, const struct inet_address *next_hop,
			    const struct inet_address *from)
{
	if (inet_equal(next_hop, from) || next_hop->bytes[12] == 0 || inet_is_loopback(next_hop) ||
	    route_address_type(device->network, next_hop, 0) != RTN_UNICAST)
		return false;
	if (device_setting4_either(device, IPV4_DEVCONF_SHARED_MEDIA))
		return true;
	return net_addresses_share_subnet(device, next_hop, from) &&
	       (!device_setting4_either(device, IPV4_DEVCONF_SECURE_REDIRECTS) ||
		is_gateway(device, next_hop));
}

void icmp_redirected(struct packet *p, const struct inet_info *info)
{
	struct inet_address source, destination, next_hop;
	const struct ipv4_header *h;

	if (info->type != RTN_LOCAL || p->data[1] > ICMP_REDIR_HOSTTOS || !listens(info->device) ||
	    !packet_linearize(p, 8 + sizeof(*h)))
		return;
	h = (const struct ipv4_header *)(p->data + 8);
	source = inet_from_v4(h->source);
	destination = inet_from_v4(h->destination);
	next_hop = inet_from_v4(net32(load_net32(p->data + 4)));
	if (h->version_length >> 4 == 4 &&
	    route_address_type(info->network, &source, 0) == RTN_LOCAL &&
	    may_be_next_hop(info->device, &next_hop, &info->source))
		(void)route_redirect(info->device, &destination, &info->source, &next_hop);
}

void icmp_redirect_sender(struct packet *p, const struct inet_info *info,
			  const struct route_result *route)
{
	const struct net_device *device = info->device;

	if (likely(route->device != device) ||
	    !device_setting4_either(device, IPV4_DEVCONF_SEND_REDIRECTS))
		return;
	if (device_setting4_either(device, IPV4_DEVCONF_SHARED_MEDIA) ||
	    net_addresses_share_subnet(device, &info->source, &route->next_hop))
		icmp_send_error(p, info, ICMP_REDIRECT, ICMP_REDIR_HOST,
				net32(inet_to_v4(&route->next_hop)));
}
