/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces and routes by ioctl, as ifconfig(8), route(8) and udhcpc use them (netdevice(7)). */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/ucopy.h>
#include <net/ethtool.h>
#include <net/inet_socket.h>
#include <net/neighbour.h>
#include <obj/credentials.h>

#include <linux/capability.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/route.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

static struct sockaddr_in *in_of(struct ifreq *request)
{
	return (struct sockaddr_in *)&request->ifr_addr;
}

static struct net_address *first_v4(const struct net_device *device, const char *label)
{
	struct net_address *a = rcu_dereference(device->addresses);

	while (a && (!inet_is_v4(&a->address) || (label && strcmp(a->label, label))))
		a = rcu_dereference(a->next);
	return a;
}

/* The device of a name, which may be that of an alias: "eth0:1". */
static struct net_device *find(struct network_namespace *network, const struct ifreq *request)
{
	char name[IFNAMSIZ];
	char *colon;

	memcpy(name, request->ifr_name, sizeof(name));
	name[IFNAMSIZ - 1] = '\0';
	colon = strchr(name, ':');
	if (colon)
		*colon = '\0';
	return net_device_find_name(network, name);
}

static u32 mask_of(unsigned prefix_length)
{
	unsigned bits = prefix_length - INET_V4_PREFIX;

	return bits ? net32(~0u << (32 - bits)) : 0;
}

static void put_v4(struct ifreq *request, u32 address)
{
	*in_of(request) = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = address };
}

static int get_address(const struct net_device *device, unsigned request, struct ifreq *r)
{
	const struct net_address *a = first_v4(device, r->ifr_name);

	if (!a)
		return -EADDRNOTAVAIL;
	switch (request) {
	case SIOCGIFADDR:
		put_v4(r, inet_to_v4(&a->address));
		return 0;
	case SIOCGIFDSTADDR:
		put_v4(r, inet_to_v4(inet_is_any(&a->peer) ? &a->address : &a->peer));
		return 0;
	case SIOCGIFBRDADDR:
		put_v4(r, a->broadcast.halves[1] ? inet_to_v4(&a->broadcast) : 0);
		return 0;
	default:
		put_v4(r, mask_of(a->prefix_length));
		return 0;
	}
}

static int get(struct network_namespace *network, unsigned request, struct ifreq *r)
{
	const struct net_device *d;

	if (request == SIOCGIFNAME) {
		d = net_device_find(network, r->ifr_ifindex);
		if (!d)
			return -ENODEV;
		memcpy(r->ifr_name, d->name, IFNAMSIZ);
		return 0;
	}
	d = find(network, r);
	if (!d)
		return -ENODEV;
	switch (request) {
	case SIOCGIFFLAGS:
		r->ifr_flags = (short)d->flags;
		return 0;
	case SIOCGIFINDEX:
		r->ifr_ifindex = d->index;
		return 0;
	case SIOCGIFMTU:
		r->ifr_mtu = (int)d->mtu;
		return 0;
	case SIOCGIFMETRIC:
		r->ifr_metric = 0;
		return 0;
	case SIOCGIFTXQLEN:
		r->ifr_qlen = (int)d->transmit_queue_length;
		return 0;
	case SIOCGIFHWADDR:
		r->ifr_hwaddr.sa_family = d->type;
		memset(r->ifr_hwaddr.sa_data, 0, sizeof(r->ifr_hwaddr.sa_data));
		memcpy(r->ifr_hwaddr.sa_data, d->address, d->address_length);
		return 0;
	case SIOCGIFMAP:
		memset(&r->ifr_map, 0, sizeof(r->ifr_map));
		return 0;
	default:
		return get_address(d, request, r);
	}
}

/* SIOCSIFADDR replaces the first address, with the mask of its class at first. */
static int set_address(struct net_device *device, const struct ifreq *r)
	__must_hold(&device->network->config)
{
	u32 v4 = ((const struct sockaddr_in *)&r->ifr_addr)->sin_addr.s_addr;
	u32 first = net32(v4) >> 24;
	unsigned bits = first < 128 ? 8 : first < 192 ? 16 : 24;
	struct net_address *old = first_v4(device, r->ifr_name);
	struct net_address a = { .address = inet_from_v4(v4),
				 .prefix_length = (u8)(INET_V4_PREFIX + bits),
				 .scope = device->flags & IFF_LOOPBACK ? RT_SCOPE_HOST
								       : RT_SCOPE_UNIVERSE,
				 .flags = IFA_F_PERMANENT,
				 .valid_until_ns = UINT64_MAX,
				 .preferred_until_ns = UINT64_MAX };

	if (r->ifr_addr.sa_family != AF_INET)
		return -EINVAL;
	memcpy(a.label, r->ifr_name, sizeof(a.label));
	if (old && inet_equal(&old->address, &a.address))
		return 0;
	if (old) {
		struct inet_address gone = old->address;
		int error = net_address_remove(device, &gone, old->prefix_length);

		if (error)
			return error;
	}
	if (!v4)
		return 0;
	if (device->flags & IFF_POINTOPOINT)
		a.prefix_length = 128;
	if (device->flags & IFF_BROADCAST)
		a.broadcast = inet_from_v4(v4 | ~mask_of(a.prefix_length));
	return net_address_add(device, &a);
}

/* The mask, broadcast or far address of the first address: put in again, changed. */
static int change_address(struct net_device *device, unsigned request, const struct ifreq *r)
	__must_hold(&device->network->config)
{
	const struct net_address *old = first_v4(device, r->ifr_name);
	u32 value = ((const struct sockaddr_in *)&r->ifr_addr)->sin_addr.s_addr;
	struct net_address a;
	int error;

	if (!old)
		return -EADDRNOTAVAIL;
	a = *old;
	if (request == SIOCSIFNETMASK) {
		u32 mask = net32(value);

		if (~mask & (~mask + 1))
			return -EINVAL;
		a.prefix_length = (u8)(INET_V4_PREFIX + __builtin_popcount(mask));
		if (device->flags & IFF_BROADCAST)
			a.broadcast = inet_from_v4(inet_to_v4(&a.address) | ~value);
	} else if (request == SIOCSIFDSTADDR) {
		a.peer = value == inet_to_v4(&a.address) ? (struct inet_address){}
							 : inet_from_v4(value);
	} else {
		a.broadcast = value ? inet_from_v4(value) : (struct inet_address){};
	}
	error = net_address_remove(device, &a.address, old->prefix_length);
	return error ? error : net_address_add(device, &a);
}

/* The device is of this network, which the analysis does not see. */
static int set(struct network_namespace *network, unsigned request,
	       const struct ifreq *r) __no_lock_analysis
{
	struct net_device *d;
	int error = 0;

	mutex_lock(&network->config);
	d = find(network, r);
	if (!d) {
		error = -ENODEV;
		goto out;
	}
	switch (request) {
	case SIOCSIFFLAGS:
		error = net_device_set_flags(d, (u32)(unsigned short)r->ifr_flags, 0xffff);
		break;
	case SIOCSIFMTU:
		error = net_device_set_mtu(d, (u32)r->ifr_mtu);
		break;
	case SIOCSIFTXQLEN:
		d->transmit_queue_length = (u32)r->ifr_qlen;
		break;
	case SIOCSIFHWADDR:
		error = d->ops->set_address
				? d->ops->set_address(d, (const u8 *)r->ifr_hwaddr.sa_data)
				: -EOPNOTSUPP;
		break;
	case SIOCSIFADDR:
		error = set_address(d, r);
		break;
	default:
		error = change_address(d, request, r);
	}
out:
	mutex_unlock(&network->config);
	return error;
}

static int list(struct network_namespace *network, struct ifconf __user *user)
{
	struct ifconf conf;
	struct ifreq r;
	int used = 0, error = 0;

	if (copy_from_user(&conf, user, sizeof(conf)))
		return -EFAULT;
	mutex_lock(&network->config);
	for (struct net_device *d = network->devices; d && !error; d = d->next)
		for (struct net_address *a = d->addresses; a && !error; a = a->next) {
			if (!inet_is_v4(&a->address))
				continue;
			r = (struct ifreq){};
			memcpy(r.ifr_name, a->label, sizeof(r.ifr_name));
			put_v4(&r, inet_to_v4(&a->address));
			if (conf.ifc_buf) {
				char __user *to = __force_user(char __user *, conf.ifc_buf) + used;

				if (conf.ifc_len - used < (int)sizeof(r))
					break;
				if (copy_to_user(to, &r, sizeof(r)))
					error = -EFAULT;
			}
			used += (int)sizeof(r);
		}
	mutex_unlock(&network->config);
	conf.ifc_len = used;
	return error ? error : copy_to_user(user, &conf, sizeof(conf));
}

/* A mask of bits that do not follow each other, or an address with bits outside of it. */
static bool bad_mask(u32 mask, u32 address)
{
	u32 host = ~mask;

	return (address & host) || (host & (host + 1));
}

/* What an entry says, but for its device. */
static int route_of_entry(const struct rtentry *rt, struct route *r)
{
	const struct sockaddr_in *dst = (const void *)&rt->rt_dst,
				 *mask = (const void *)&rt->rt_genmask,
				 *gateway = (const void *)&rt->rt_gateway;
	u32 bits = rt->rt_flags & RTF_HOST ? UINT32_MAX : net32(mask->sin_addr.s_addr);

	if (dst->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	if (!(rt->rt_flags & RTF_HOST) && mask->sin_family != AF_INET && (bits || mask->sin_family))
		return -EAFNOSUPPORT;
	if (bad_mask(bits, net32(dst->sin_addr.s_addr)))
		return -EINVAL;
	*r = (struct route){ .family = AF_INET,
			     .type = rt->rt_flags & RTF_REJECT ? RTN_UNREACHABLE : RTN_UNICAST,
			     .protocol = RTPROT_BOOT,
			     .table = RT_TABLE_MAIN,
			     .expires_ns = UINT64_MAX,
			     .destination = inet_from_v4(dst->sin_addr.s_addr),
			     .prefix_length = (u8)(INET_V4_PREFIX + __builtin_popcount(bits)),
			     .metric = rt->rt_metric > 0 ? (u32)rt->rt_metric - 1 : 0,
			     .scope = rt->rt_flags & RTF_GATEWAY ? RT_SCOPE_UNIVERSE
								 : RT_SCOPE_LINK };
	if (rt->rt_flags & RTF_GATEWAY)
		r->gateway = inet_from_v4(gateway->sin_addr.s_addr);
	return 0;
}

/* By its name, or that of the way to the gateway. */
static int device_of_entry(struct network_namespace *network, const struct rtentry *rt, bool add,
			   struct route *r) __must_hold(&network->config)
{
	struct inet_address any = {};
	struct route_result found;
	char name[IFNAMSIZ];
	ssize_t n;
	int error;

	if (rt->rt_dev) {
		n = copy_string_from_user(name, __force_user(const char __user *, rt->rt_dev),
					  sizeof(name));
		if (n < 0)
			return (int)n;
		r->device = net_device_find_name(network, name);
		return r->device ? 0 : -ENODEV;
	}
	if (!(rt->rt_flags & RTF_GATEWAY))
		return add && r->type == RTN_UNICAST ? -ENODEV : 0;
	rcu_read_lock();
	error = route_find(network, &r->gateway, &any, 0, &found);
	rcu_read_unlock();
	if (!error)
		r->device = found.device;
	return error;
}

static int route_request(struct network_namespace *network, bool add,
			 const struct rtentry __user *user)
{
	struct rtentry rt;
	struct route r;
	int error;

	if (copy_from_user(&rt, user, sizeof(rt)))
		return -EFAULT;
	error = route_of_entry(&rt, &r);
	if (error)
		return error;
	mutex_lock(&network->config);
	error = device_of_entry(network, &rt, add, &r);
	if (!error)
		error = add ? route_add(network, &r, false) : route_remove(network, &r);
	mutex_unlock(&network->config);
	return error;
}

static int arp_request(struct network_namespace *network, unsigned request,
		       struct arpreq __user *user)
{
	struct arpreq arp;
	struct inet_address address;
	struct net_device *device;
	int error;

	if (copy_from_user(&arp, user, sizeof(arp)))
		return -EFAULT;
	arp.arp_dev[sizeof(arp.arp_dev) - 1] = '\0';
	address = inet_from_v4(((struct sockaddr_in *)&arp.arp_pa)->sin_addr.s_addr);
	rcu_read_lock();
	device = net_device_find_name(network, arp.arp_dev);
	if (!device)
		error = -ENODEV;
	else if (request == SIOCSARP)
		error = neighbour_set(device, &address, (const u8 *)arp.arp_ha.sa_data,
				      NUD_PERMANENT);
	else
		error = request == SIOCDARP ? neighbour_remove(device, &address) : -ENXIO;
	rcu_read_unlock();
	return error;
}

/* Of a device: -1: none of these; 0: it asks; 1: it changes something. */
static int changes_device(unsigned request)
{
	switch (request) {
	case SIOCSIFFLAGS:
	case SIOCSIFMTU:
	case SIOCSIFTXQLEN:
	case SIOCSIFHWADDR:
	case SIOCSIFADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFBRDADDR:
	case SIOCSIFDSTADDR:
		return 1;
	case SIOCGIFNAME:
	case SIOCGIFFLAGS:
	case SIOCGIFINDEX:
	case SIOCGIFMTU:
	case SIOCGIFMETRIC:
	case SIOCGIFTXQLEN:
	case SIOCGIFHWADDR:
	case SIOCGIFMAP:
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
		return 0;
	default:
		return -1;
	}
}

static long device_request(struct network_namespace *network, unsigned request,
			   struct ifreq __user *user)
{
	int changes = changes_device(request), error;
	struct ifreq r;

	if (changes < 0)
		return -ENOTTY;
	if (copy_from_user(&r, user, sizeof(r)))
		return -EFAULT;
	r.ifr_name[IFNAMSIZ - 1] = '\0';
	if (changes)
		return capable(CAP_NET_ADMIN) ? set(network, request, &r) : -EPERM;
	rcu_read_lock();
	error = get(network, request, &r);
	rcu_read_unlock();
	return error ? error : copy_to_user(user, &r, sizeof(r));
}

long inet_ioctl(struct socket *socket, unsigned request, unsigned long argument)
{
	struct network_namespace *network = socket_policy_view(socket);

	switch (request) {
	case SIOCGIFCONF:
		return list(network, __force_user(struct ifconf __user *, argument));
	case SIOCETHTOOL:
		return ethtool_ioctl(network, __force_user(struct ifreq __user *, argument));
	case SIOCADDRT:
	case SIOCDELRT:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		return route_request(network, request == SIOCADDRT,
				     __force_user(const struct rtentry __user *, argument));
	case SIOCSARP:
	case SIOCDARP:
	case SIOCGARP:
		if (request != SIOCGARP && !capable(CAP_NET_ADMIN))
			return -EPERM;
		return arp_request(network, request,
				   __force_user(struct arpreq __user *, argument));
	default:
		return device_request(network, request,
				      __force_user(struct ifreq __user *, argument));
	}
}
