/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Socket filters: what of a packet a program of classic BPF lets through to a socket. */
#include <core/random.h>
#include <core/rcu.h>
#include <lib/bpf.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/byte_order.h>
#include <net/device.h>
#include <net/filter.h>

struct socket_filter {
	struct rcu_head rcu;
	size_t count;
	struct sock_filter program[] __counted_by(count);
};

static void filter_free(struct rcu_head *head)
{
	kfree(container_of(head, struct socket_filter, rcu));
}

static void replace(struct socket *socket, struct socket_filter *filter)
{
	struct socket_filter *old = __atomic_exchange_n((struct socket_filter **)&socket->filter,
							filter, __ATOMIC_ACQ_REL);

	if (old)
		rcu_call(&old->rcu, filter_free);
}

int socket_filter_attach(struct socket *socket, const void *value, size_t length)
{
	struct socket_filter *filter;
	struct sock_fprog given;
	int error;

	if (length != sizeof(given))
		return -EINVAL;
	if (socket->options & SOCKET_LOCK_FILTER)
		return -EPERM;
	memcpy(&given, value, sizeof(given));
	if (!given.len || given.len > BPF_MAXINSNS)
		return -EINVAL;
	filter = kmalloc(sizeof(*filter) + given.len * sizeof(struct sock_filter), 0);
	if (!filter)
		return -ENOMEM;
	filter->count = given.len;
	error = copy_from_user(filter->program, __force_user(const void __user *, given.filter),
			       given.len * sizeof(struct sock_filter));
	if (!error)
		error = bpf_check(filter->program, given.len, BPF_DIALECT_PACKET, 0);
	if (error) {
		kfree(filter);
		return error;
	}
	replace(socket, filter);
	return 0;
}

int socket_filter_detach(struct socket *socket)
{
	if (socket->options & SOCKET_LOCK_FILTER)
		return -EPERM;
	if (!socket->filter)
		return -ENOENT;
	replace(socket, nullptr);
	return 0;
}

void socket_filter_release(struct socket *socket)
{
	if (socket->filter)
		replace(socket, nullptr);
}

/* What is known of a packet besides its bytes (SKF_AD_*). */
static bool load_ancillary(const struct packet *packet, u32 what, u32 *out)
{
	switch (what) {
	case SKF_AD_PROTOCOL:
		*out = packet->protocol;
		return true;
	case SKF_AD_PKTTYPE:
		*out = packet->kind;
		return true;
	case SKF_AD_IFINDEX:
		*out = (u32)packet->device->index;
		return true;
	case SKF_AD_HATYPE:
		*out = packet->device->type;
		return true;
	case SKF_AD_MARK:
		*out = packet->mark;
		return true;
	case SKF_AD_CPU:
	case SKF_AD_QUEUE:
	case SKF_AD_RXHASH:
	case SKF_AD_VLAN_TAG:
	case SKF_AD_VLAN_TAG_PRESENT:
	case SKF_AD_VLAN_TPID:
		*out = 0;
		return true;
	case SKF_AD_RANDOM:
		random_bytes(out, sizeof(*out));
		return true;
	default:
		return false;
	}
}

static bool load(const void *context, u32 offset, unsigned size, u32 *out)
{
	const struct packet *packet = context;
	u8 bytes[4] = {};
	s32 place = (s32)offset;

	if (place < 0) {
		unsigned base = packet_headroom(packet);

		if (place >= SKF_AD_OFF)
			return load_ancillary(packet, (u32)(place - SKF_AD_OFF), out);
		if (place >= SKF_NET_OFF)
			offset = packet->network_header - base + (u32)(place - SKF_NET_OFF);
		else
			offset = packet->link_header - base + (u32)(place - SKF_LL_OFF);
		if (offset >= packet->length)
			return false;
	}
	if (offset > packet->length || size > packet->length - offset ||
	    !packet_copy(packet, offset, bytes, size))
		return false;
	*out = size == 1 ? bytes[0] : size == 2 ? load_net16(bytes) : load_net32(bytes);
	return true;
}

u32 socket_filter_run(const struct socket *socket, const struct packet *packet)
{
	const struct socket_filter *filter =
		rcu_dereference(*(struct socket_filter **)&socket->filter);
	struct bpf_input input = { .context = packet, .length = packet->length, .load = load };

	return filter ? bpf_run(filter->program, &input) : packet->length;
}
