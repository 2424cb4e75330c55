/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of levels IPPROTO_IP and IPPROTO_IPV6 (ip(7), ipv6(7)). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/filter.h>
#include <net/flow_label.h>
#include <net/inet_socket.h>
#include <obj/credentials.h>

#include <asm/socket.h>

/* Options that are a flag. */
struct flag_option {
	int level, option;
	u32 flag;
};
static const struct flag_option flag_options[] = {
	{ SOL_IP, IP_PKTINFO, INET_RECEIVE_PKTINFO },
	{ SOL_IP, IP_RECVTTL, INET_RECEIVE_TTL },
	{ SOL_IP, IP_RECVTOS, INET_RECEIVE_TOS },
	{ SOL_IP, IP_RECVERR, INET_RECEIVE_ERRORS },
	{ SOL_IP, IP_RECVORIGDSTADDR, INET_RECEIVE_ORIGINAL },
	{ SOL_IP, IP_HDRINCL, INET_HEADER_INCLUDED },
	{ SOL_IP, IP_FREEBIND, INET_FREEBIND },
	{ SOL_IP, IP_TRANSPARENT, INET_TRANSPARENT },
	{ SOL_IP, IP_MULTICAST_ALL, INET_MULTICAST_ALL },
	{ SOL_IPV6, IPV6_RECVPKTINFO, INET6_RECEIVE_PKTINFO },
	{ SOL_IPV6, IPV6_RECVHOPLIMIT, INET6_RECEIVE_HOPLIMIT },
	{ SOL_IPV6, IPV6_RECVTCLASS, INET6_RECEIVE_TCLASS },
	{ SOL_IPV6, IPV6_RECVERR, INET6_RECEIVE_ERRORS },
	{ SOL_IPV6, IPV6_FREEBIND, INET_FREEBIND },
	{ SOL_IPV6, IPV6_TRANSPARENT, INET_TRANSPARENT },
	{ SOL_IP, IP_RECVOPTS, INET_RECEIVE_OPTIONS },
	{ SOL_IP, IP_RETOPTS, INET_RETURN_OPTIONS },
	{ SOL_IP, IP_BIND_ADDRESS_NO_PORT, INET_BIND_NO_PORT },
	{ SOL_IP, IP_PASSSEC, INET_PASS_SECURITY }, /* without a security module: nothing to pass */
	{ SOL_IPV6, IPV6_FLOWINFO, INET6_RECEIVE_FLOWINFO },
	{ SOL_IPV6, IPV6_RECVHOPOPTS, INET6_RECEIVE_HOP_OPTIONS },
	{ SOL_IPV6, IPV6_RECVRTHDR, INET6_RECEIVE_ROUTING },
	{ SOL_IPV6, IPV6_RECVDSTOPTS, INET6_RECEIVE_DESTINATION_OPTIONS },
	{ SOL_IPV6, IPV6_RECVORIGDSTADDR, INET6_RECEIVE_ORIGINAL },
	{ SOL_IPV6, IPV6_MULTICAST_ALL, INET6_MULTICAST_ALL },
	{ SOL_IPV6, IPV6_DONTFRAG, INET6_DONT_FRAGMENT },
	{ SOL_IPV6, IPV6_AUTOFLOWLABEL, INET6_AUTO_FLOW_LABEL },
	{ SOL_IPV6, IPV6_FLOWINFO_SEND, INET6_SEND_FLOWINFO },
	{ SOL_IPV6, IPV6_HDRINCL, INET6_HEADER_INCLUDED },
	{ SOL_IPV6, IPV6_2292PKTINFO, INET6_RECEIVE_OLD_PKTINFO },
	{ SOL_IPV6, IPV6_2292HOPLIMIT, INET6_RECEIVE_OLD_HOPLIMIT },
};

static u32 flag_of(int level, int option)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_options); i++)
		if (flag_options[i].level == level && flag_options[i].option == option)
			return flag_options[i].flag;
	return 0;
}

static int set_ip(struct inet_socket *s, int option, int value)
{
	switch (option) {
	case IP_TOS:
		s->tos = (u8)value;
		return 0;
	case IP_TTL:
		if (value != -1 && (value < 1 || value > 255))
			return -EINVAL;
		s->ttl = value;
		return 0;
	case IP_MTU_DISCOVER:
		if (value < IP_PMTUDISC_DONT || value > IP_PMTUDISC_OMIT)
			return -EINVAL;
		s->path_mtu_discovery = (u8)value;
		return 0;
	case IP_MULTICAST_TTL:
		if (value < -1 || value > 255)
			return -EINVAL;
		s->multicast_ttl = value == -1 ? 1 : (u8)value;
		return 0;
	case IP_MULTICAST_LOOP:
		s->multicast_loop = value;
		return 0;
	case IP_MINTTL:
		if (value < 0 || value > 255)
			return -EINVAL;
		s->min_ttl = (u8)value;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* RFC 5014: each of three pairs at most once. */
static int set_address_preferences(struct inet_socket *s, u32 value)
{
	static const u32 pairs[] = {
		IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_PUBTMP_DEFAULT,
		IPV6_PREFER_SRC_HOME | IPV6_PREFER_SRC_COA,
		IPV6_PREFER_SRC_CGA | IPV6_PREFER_SRC_NONCGA,
	};
	u32 preferences = s->address_preferences;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		u32 given = value & pairs[i];

		if (given & (given - 1))
			return -EINVAL;
		if (given)
			preferences = (preferences & ~pairs[i]) | given;
	}
	s->address_preferences = (u16)preferences;
	return 0;
}

static int set_ipv6(struct inet_socket *s, int option, int value)
{
	switch (option) {
	case IPV6_V6ONLY:
		if (s->node.local_port)
			return -EINVAL;
		s->node.v6_only = value;
		return 0;
	case IPV6_UNICAST_HOPS:
		if (value < -1 || value > 255)
			return -EINVAL;
		s->hops6 = value;
		return 0;
	case IPV6_MULTICAST_HOPS:
		if (value < -1 || value > 255)
			return -EINVAL;
		s->multicast_hops6 = value == -1 ? 1 : (u8)value;
		return 0;
	case IPV6_MULTICAST_LOOP:
		if (value != 0 && value != 1)
			return -EINVAL;
		s->multicast_loop6 = value;
		return 0;
	case IPV6_MULTICAST_IF:
		s->multicast_device = value;
		return 0;
	case IPV6_TCLASS:
		if (value < -1 || value > 255)
			return -EINVAL;
		s->tclass = value == -1 ? 0 : (u8)value;
		return 0;
	case IPV6_MTU_DISCOVER:
		if (value < IPV6_PMTUDISC_DONT || value > IPV6_PMTUDISC_OMIT)
			return -EINVAL;
		s->path_mtu_discovery = (u8)value;
		return 0;
	case IPV6_ADDR_PREFERENCES:
		return set_address_preferences(s, (u32)value);
	case IPV6_MINHOPCOUNT:
		if (value < 0 || value > 255)
			return -EINVAL;
		s->min_hops6 = (u8)value;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_number(struct inet_socket *s, int level, int option, int value)
{
	u32 flag = flag_of(level, option);

	if (!flag)
		return level == SOL_IP ? set_ip(s, option, value) : set_ipv6(s, option, value);
	if (flag == INET_TRANSPARENT && value && !capable(CAP_NET_ADMIN) && !capable(CAP_NET_RAW))
		return -EPERM;
	if ((flag & (INET_HEADER_INCLUDED | INET6_HEADER_INCLUDED)) && s->node.kind != INET_RAW)
		return -ENOPROTOOPT;
	if (value)
		__atomic_fetch_or(&s->flags, flag, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&s->flags, ~flag, __ATOMIC_RELAXED);
	return 0;
}

static int bind_to_index(struct inet_socket *s, struct socket *socket, int index)
{
	/* socket(7): who is bound already may not choose another without the right to. */
	if (socket->bound_device && !capable(CAP_NET_RAW))
		return -EPERM;
	spin_lock(&s->lock);
	socket->bound_device = s->node.bound_device = index;
	s->route_valid = false;
	spin_unlock(&s->lock);
	return 0;
}

/* SO_BINDTODEVICE: the name of a device, or none. */
static int bind_to_device(struct inet_socket *s, struct socket *socket, const void *value,
			  size_t length)
{
	char name[IFNAMSIZ] = {};
	const struct net_device *device;
	int index = 0;

	memcpy(name, value, MIN(length, sizeof(name) - 1));
	if (name[0]) {
		rcu_read_lock();
		device = net_device_find_name(socket->network, name);
		index = device ? device->index : 0;
		rcu_read_unlock();
		if (!index)
			return -ENODEV;
	}
	return bind_to_index(s, socket, index);
}

static int bind_to_number(struct inet_socket *s, struct socket *socket, const void *value,
			  size_t length)
{
	int index;
	bool exists;

	if (length < sizeof(index))
		return -EINVAL;
	memcpy(&index, value, sizeof(index));
	rcu_read_lock();
	exists = !index || net_device_find(socket->network, index);
	rcu_read_unlock();
	return exists ? bind_to_index(s, socket, index) : -ENODEV;
}

static int get_device(const struct inet_socket *s, void *value, size_t *length)
{
	const struct net_device *device;
	char name[IFNAMSIZ] = {};

	rcu_read_lock();
	device = s->node.bound_device ? net_device_find(s->node.network, s->node.bound_device)
				      : nullptr;
	if (device)
		string_copy(name, device->name, sizeof(name));
	rcu_read_unlock();
	if (!name[0]) {
		*length = 0;
		return s->node.bound_device ? -ENODEV : 0;
	}
	if (*length < IFNAMSIZ)
		return -EINVAL;
	*length = strlen(name) + 1;
	memcpy(value, name, *length);
	return 0;
}

/* Who of those that share a port gets a packet (socket(7)): one program for all of them, the last one. */
static int set_selector(struct inet_socket *s, const struct socket *socket, int option,
			const void *value, size_t length)
{
	bool shares = s->node.binding ? s->node.reuse_port : socket->options & SOCKET_REUSE_PORT;
	int error;

	if (s->node.kind != INET_TCP && s->node.kind != INET_UDP)
		return -EOPNOTSUPP;
	if (!shares)
		return -EINVAL;
	error = option == SO_ATTACH_REUSEPORT_CBPF
			? socket_program_attach(&s->node.selector, value, length)
			: socket_program_attach_handle(&s->node.selector, value, length);
	if (!error)
		(void)port_group_clear(&s->node);
	return error;
}

static int clear_selector(struct inet_socket *s)
{
	bool own = !socket_program_detach(&s->node.selector);

	return port_group_clear(&s->node) || own ? 0 : -ENOENT;
}

/* Of level SOL_SOCKET. The socket is there: its option is being set. */
static int set_shared(struct inet_socket *s, int option, const void *value,
		      size_t length) __no_lock_analysis
{
	switch (option) {
	case SO_BINDTODEVICE:
		return bind_to_device(s, s->socket, value, length);
	case SO_BINDTOIFINDEX:
		return bind_to_number(s, s->socket, value, length);
	case SO_ATTACH_REUSEPORT_CBPF:
	case SO_ATTACH_REUSEPORT_EBPF:
		return set_selector(s, s->socket, option, value, length);
	case SO_DETACH_REUSEPORT_BPF:
		return clear_selector(s);
	default:
		return -ENOPROTOOPT;
	}
}

int inet_set_option(struct inet_socket *s, int level, int option, const void *value, size_t length)
{
	int number = 0, error;

	if (level == SOL_SOCKET)
		return set_shared(s, option, value, length);
	if ((level != SOL_IP && level != SOL_IPV6) ||
	    (level == SOL_IPV6 && s->node.family != AF_INET6))
		return -ENOPROTOOPT;
	error = inet_set_membership(s, level, option, value, length);
	if (error != -ENOPROTOOPT)
		return error;
	if (level == SOL_IP && option == IP_OPTIONS)
		return inet_set_ip_options(s, value, length);
	if (level == SOL_IPV6 &&
	    option == IPV6_FLOWLABEL_MGR) /* the caller takes the label back to the program */
		return inet_flow_label_manage(s, (void *)value, length);
	if (level == SOL_IPV6 && inet_extension_of(option) >= 0)
		return inet_set_extension(s, (enum inet_extension)inet_extension_of(option), value,
					  length);
	if (length >= sizeof(int))
		memcpy(&number, value, sizeof(number));
	else if (length >= 1 && level == SOL_IP)
		number = *(const u8 *)value;
	else
		return -EINVAL;
	return set_number(s, level, option, number);
}

static int path_mtu(struct inet_socket *s, int *out)
{
	int error;

	if (!s->node.remote_port)
		return -ENOTCONN;
	rcu_read_lock();
	spin_lock(&s->lock);
	error = inet_route(s);
	*out = (int)s->route.mtu;
	spin_unlock(&s->lock);
	rcu_read_unlock();
	return error;
}

static int get_ip(struct inet_socket *s, int option, int *out)
{
	switch (option) {
	case IP_TOS:
		*out = s->tos;
		return 0;
	case IP_TTL:
		*out = s->ttl < 0 ? s->node.network->sysctl.ip_default_ttl : s->ttl;
		return 0;
	case IP_MTU_DISCOVER:
		*out = s->path_mtu_discovery;
		return 0;
	case IP_MULTICAST_TTL:
		*out = s->multicast_ttl;
		return 0;
	case IP_MULTICAST_LOOP:
		*out = s->multicast_loop;
		return 0;
	case IP_MTU:
		return path_mtu(s, out);
	case IP_MINTTL:
		*out = s->min_ttl;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_ipv6(struct inet_socket *s, int option, int *out)
{
	switch (option) {
	case IPV6_V6ONLY:
		*out = s->node.v6_only;
		return 0;
	case IPV6_UNICAST_HOPS:
		*out = s->hops6 < 0 ? s->node.network->settings_all.ipv6[DEVCONF_HOPLIMIT]
				    : s->hops6;
		return 0;
	case IPV6_MULTICAST_HOPS:
		*out = s->multicast_hops6;
		return 0;
	case IPV6_MULTICAST_LOOP:
		*out = s->multicast_loop6;
		return 0;
	case IPV6_MULTICAST_IF:
		*out = s->multicast_device;
		return 0;
	case IPV6_TCLASS:
		*out = s->tclass;
		return 0;
	case IPV6_MTU_DISCOVER:
		*out = s->path_mtu_discovery;
		return 0;
	case IPV6_MTU:
		return path_mtu(s, out);
	case IPV6_MINHOPCOUNT:
		*out = s->min_hops6;
		return 0;
	case IPV6_ADDR_PREFERENCES:
		*out = s->address_preferences & (IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC)
			       ? s->address_preferences &
					 (IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC)
			       : IPV6_PREFER_SRC_PUBTMP_DEFAULT;
		*out |= s->address_preferences & IPV6_PREFER_SRC_COA ? IPV6_PREFER_SRC_COA
								     : IPV6_PREFER_SRC_HOME;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* IP_MULTICAST_IF tells an address of the device. */
static int get_multicast_device(struct inet_socket *s, void *value, size_t *length)
{
	struct in_addr answer = {};
	struct net_device *device;

	rcu_read_lock();
	device = net_device_find(s->node.network, s->multicast_device);
	for (struct net_address *a = device ? device->addresses : nullptr; a; a = a->next)
		if (inet_is_v4(&a->address) && !answer.s_addr)
			answer.s_addr = inet_to_v4(&a->address);
	rcu_read_unlock();
	*length = MIN(*length, sizeof(answer));
	memcpy(value, &answer, *length);
	return 0;
}

int inet_get_option(struct inet_socket *s, int level, int option, void *value, size_t *length)
{
	u32 flag = flag_of(level, option);
	int number, error = 0;

	if (level == SOL_SOCKET && option == SO_BINDTODEVICE)
		return get_device(s, value, length);
	if (level == SOL_SOCKET && option == SO_BINDTOIFINDEX) {
		*length = MIN(*length, sizeof(s->node.bound_device));
		memcpy(value, &s->node.bound_device, *length);
		return 0;
	}
	if ((level != SOL_IP && level != SOL_IPV6) ||
	    (level == SOL_IPV6 && s->node.family != AF_INET6))
		return -ENOPROTOOPT;
	if (level == SOL_IP && option == IP_MULTICAST_IF)
		return get_multicast_device(s, value, length);
	if (level == SOL_IP && option == IP_OPTIONS) {
		spin_lock(&s->lock);
		*length = MIN(*length, (size_t)s->ip_options_length);
		memcpy(value, s->ip_options, *length);
		spin_unlock(&s->lock);
		return 0;
	}
	if (level == SOL_IPV6 && inet_extension_of(option) >= 0) {
		inet_get_extension(s, (enum inet_extension)inet_extension_of(option), value,
				   length);
		return 0;
	}
	if (flag)
		number = (s->flags & flag) != 0;
	else
		error = level == SOL_IP ? get_ip(s, option, &number) : get_ipv6(s, option, &number);
	if (error)
		return error;
	if (*length < sizeof(int) && *length > 0 && number >= 0 && number <= 255) {
		*(u8 *)value = (u8)number; /* ip(7): a char is enough for a small value */
		*length = 1;
		return 0;
	}
	*length = MIN(*length, sizeof(number));
	memcpy(value, &number, *length);
	return 0;
}
