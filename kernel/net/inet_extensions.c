/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Headers that programs add to their datagrams: hop-by-hop and destination options of IPv6 (RFC 3542), options of IPv4, and the flow
 * label. A routing header is not sent (as by a kernel without Mobile IPv6), so the options in front of one, which RFC 3542 has
 * ignored without it, never are.
 */
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/byte_order.h>
#include <net/datagram.h>
#include <net/flow_label.h>
#include <obj/credentials.h>

#include <linux/in6.h>
#include <linux/ip.h>

#define EXTENSION_MAX 128u /* bytes of one */
#define HEADERS_BELOW 64u  /* of IPv6, a fragment and the link */

int inet_extension_of(int option)
{
	switch (option) {
	case IPV6_HOPOPTS:
		return EXTENSION_HOP;
	case IPV6_RTHDRDSTOPTS:
		return EXTENSION_ROUTING_DESTINATION;
	case IPV6_DSTOPTS:
		return EXTENSION_DESTINATION;
	default:
		return -1;
	}
}

static unsigned length_of(const u8 *header)
{
	return (header[1] + 1u) * 8;
}

int inet_check_extension(const u8 *header, size_t size)
{
	if (size < 8 || length_of(header) > MIN(size, (size_t)EXTENSION_MAX))
		return -EINVAL;
	return capable(CAP_NET_RAW) ? 0 : -EPERM;
}

int inet_set_extension(struct inet_socket *s, enum inet_extension which, const void *value,
		       size_t length)
{
	struct inet_extension_bytes *old, *fresh = nullptr;
	int error = length ? inet_check_extension(value, length) : 0;

	if (error)
		return error;
	if (length) {
		u16 n = (u16)length_of(value);

		fresh = kmalloc(sizeof(*fresh) + n, 0);
		if (!fresh)
			return -ENOMEM;
		fresh->length = n;
		memcpy(fresh->bytes, value, n);
	}
	spin_lock(&s->lock);
	old = s->extensions[which];
	s->extensions[which] = fresh;
	spin_unlock(&s->lock);
	kfree(old);
	return 0;
}

void inet_get_extension(struct inet_socket *s, enum inet_extension which, void *value,
			size_t *length)
{
	const struct inet_extension_bytes *e;

	spin_lock(&s->lock);
	e = s->extensions[which];
	*length = MIN(*length, e ? (size_t)e->length : 0);
	if (e)
		memcpy(value, e->bytes, *length);
	spin_unlock(&s->lock);
}

/* Each option but two has a length; source routes (ip(7)) are not sent. */
static bool ip_options_ok(const u8 *options, size_t length)
{
	for (size_t i = 0; i < length && options[i] != IPOPT_END;) {
		if (options[i] == IPOPT_NOOP) {
			i++;
			continue;
		}
		if (i + 1 >= length || options[i + 1] < 2 || options[i + 1] > length - i)
			return false;
		if (options[i] == IPOPT_LSRR || options[i] == IPOPT_SSRR)
			return false;
		i += options[i + 1];
	}
	return true;
}

int inet_set_ip_options(struct inet_socket *s, const u8 *options, size_t length)
{
	if (length > IPV4_OPTIONS_MAX || !ip_options_ok(options, length))
		return -EINVAL;
	spin_lock(&s->lock);
	memset(s->ip_options, 0, sizeof(s->ip_options));
	memcpy(s->ip_options, options, length);
	WRITE_ONCE(s->ip_options_length, (u8)ALIGN_UP(length, 4));
	spin_unlock(&s->lock);
	return 0;
}

void inet_extensions_release(struct inet_socket *s)
{
	for (unsigned i = 0; i < EXTENSIONS; i++)
		(void)!inet_set_extension(s, i, nullptr, 0);
}

static bool has_extensions(const struct inet_socket *s,
			   const struct inet_send_control *c) __no_lock_analysis
{
	return READ_ONCE(s->extensions[EXTENSION_HOP]) ||
	       READ_ONCE(s->extensions[EXTENSION_DESTINATION]) ||
	       (c && (c->extensions[EXTENSION_HOP] || c->extensions[EXTENSION_DESTINATION]));
}

void inet_extend_room(struct inet_socket *s, const struct inet_send_control *c, struct packet *p)
{
	if (unlikely(has_extensions(s, c)))
		p->data += 2 * EXTENSION_MAX;
}

static int push(struct inet_socket *s, const struct inet_send_control *c, struct packet *p,
		struct inet_flow *flow, enum inet_extension which, u8 protocol)
	__must_hold(&s->lock)
{
	const struct inet_extension_bytes *e = s->extensions[which];
	const u8 *from = c && c->extensions[which] ? c->extensions[which] : e ? e->bytes : nullptr;
	unsigned n;
	u8 *header;

	if (!from)
		return 0;
	n = length_of(from);
	if (packet_headroom(p) < HEADERS_BELOW + n)
		return -EMSGSIZE;
	header = packet_push(p, n);
	memcpy(header, from, n);
	header[0] = flow->protocol;
	flow->protocol = protocol;
	return 0;
}

bool inet_is_extended(const struct inet_socket *s, const struct inet_send_control *c, bool v4)
{
	return v4 ? READ_ONCE(s->ip_options_length) != 0 : has_extensions(s, c);
}

int inet_take_flow_label(struct inet_socket *s, const struct socket_message *m,
			 struct inet_send_control *control)
{
	const struct sockaddr_in6 *to;

	if (unlikely(s->flags & INET6_SEND_FLOWINFO) && m->address &&
	    m->address->length >= sizeof(*to) && m->address->family == AF_INET6) {
		to = (const struct sockaddr_in6 *)&m->address->storage;
		if (to->sin6_flowinfo & net32(0xfffff)) {
			control->has_flow_label = true;
			control->flow_label = net32(to->sin6_flowinfo) & 0xfffff;
		}
	}
	if (likely(!control->has_flow_label) || !control->flow_label)
		return 0;
	return inet_flow_label_usable(s, control->flow_label) ? 0 : -EINVAL;
}

int inet_extend(struct inet_socket *s, const struct inet_send_control *c, struct packet *p,
		struct inet_flow *flow, u8 *options)
{
	bool v4 = inet_is_v4(&flow->destination);
	int error = 0;

	spin_lock(&s->lock);
	if (v4) {
		flow->options_length = s->ip_options_length;
		memcpy(options, s->ip_options, IPV4_OPTIONS_MAX);
		flow->options = options;
	} else {
		error = push(s, c, p, flow, EXTENSION_DESTINATION, IPPROTO_DSTOPTS);
		if (!error)
			error = push(s, c, p, flow, EXTENSION_HOP, IPPROTO_HOPOPTS);
	}
	spin_unlock(&s->lock);
	return error;
}

u32 inet_flow_label(const struct inet_address *source, const struct inet_address *destination,
		    u32 ports)
{
	u64 mixed = hash_u64(source->halves[0] ^ source->halves[1] ^ ports);

	return (u32)hash_u64(mixed ^ destination->halves[0] ^ destination->halves[1]) & 0xfffff;
}

void inet_fill_flow6(const struct inet_socket *s, const struct inet_send_control *c, u32 ports,
		     struct inet_flow *flow)
{
	if (c->has_flow_label)
		flow->flow_label = c->flow_label;
	else if (s->flags & INET6_AUTO_FLOW_LABEL)
		flow->flow_label = inet_flow_label(&flow->source, &flow->destination, ports);
	if (c->dont_fragment >= 0 ? c->dont_fragment : (s->flags & INET6_DONT_FRAGMENT) != 0)
		flow->dont_fragment = true;
}
