/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/sockstat and sockstat6 (proc(5)): how many sockets there are. */
#include <lib/errno.h>
#include <lib/format.h>
#include <net/inet_list.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/protocol.h>
#include <net/tcp/tcp.h>
#include <net/udp/udp.h>
#include <sys/socket.h>

struct socket_counts {
	u8 family;
	unsigned tcp, established, time_wait, orphans, udp, lite, raw;
	u64 tcp_bytes, udp_bytes; /* that wait in queues, of both families */
};

/* Its program is gone; a connection that waits to be accepted is none. */
static bool is_orphan(const struct inet_node *n)
{
	return n->kind == INET_TCP && READ_ONCE(container_of(n, struct tcp, inet.node)->orphan);
}

static int count_one(const struct inet_description *d, void *arg)
{
	struct socket_counts *c = arg;

	if (d->state == TCP_ESTABLISHED || d->state == TCP_CLOSE_WAIT)
		c->established += d->node->kind == INET_TCP;
	if (d->node->kind == INET_TIME_WAIT)
		c->time_wait++;
	c->orphans += is_orphan(d->node);
	if (d->node->kind == INET_TCP && d->state != TCP_LISTEN)
		c->tcp_bytes += (u64)d->sending + d->receiving;
	else if (d->node->kind == INET_UDP)
		c->udp_bytes += d->receiving;
	if (d->node->family != c->family)
		return 0;
	c->tcp += d->node->kind == INET_TCP;
	if (d->node->kind == INET_UDP &&
	    container_of(d->node, struct udp, inet.node)->protocol->lite)
		c->lite++;
	else if (d->node->kind == INET_UDP)
		c->udp++;
	c->raw += d->node->kind == INET_RAW;
	return 0;
}

static int count_sockets(const struct network_namespace *network, u8 family,
			 struct socket_counts *out)
{
	int error;

	*out = (struct socket_counts){ .family = family };
	error = inet_list(&tcp_ports, network, count_one, out);
	if (!error)
		error = inet_list(&udp_plain.ports, network, count_one, out);
	if (!error)
		error = inet_list(&udp_lite.ports, network, count_one, out);
	return error ? error : inet_list_raw(network, count_one, out);
}

static unsigned total(const struct socket_counts *c)
{
	return c->tcp + c->udp + c->lite + c->raw;
}

int proc_net_count_established(const struct network_namespace *network, unsigned *out)
{
	struct socket_counts c = { .family = AF_INET };
	int error = inet_list(&tcp_ports, network, count_one, &c);

	*out = c.established;
	return error;
}

static unsigned long long pages_of(u64 bytes)
{
	return (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

static int sockstat_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	struct socket_counts c, c6;
	unsigned fragmented;
	u32 memory;
	int error = count_sockets(network, AF_INET, &c);

	if (!error)
		error = count_sockets(network, AF_INET6, &c6);
	if (error)
		return error;
	inet_fragments_count(network, AF_INET, &fragmented, &memory);
	text_printf(out,
		    "sockets: used %u\nTCP: inuse %u orphan %u tw %u alloc %u mem %llu\n"
		    "UDP: inuse %u mem %llu\nUDPLITE: inuse %u\nRAW: inuse %u\n"
		    "FRAG: inuse %u memory %u\n",
		    total(&c) + total(&c6), c.tcp, c.orphans, c.time_wait, c.tcp + c6.tcp,
		    pages_of(c.tcp_bytes), c.udp, pages_of(c.udp_bytes), c.lite, c.raw, fragmented,
		    memory);
	return 0;
}

static int sockstat6_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	struct socket_counts c;
	int error = count_sockets(network, AF_INET6, &c);
	unsigned fragmented;
	u32 memory;

	if (error)
		return error;
	inet_fragments_count(network, AF_INET6, &fragmented, &memory);
	text_printf(out,
		    "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse %u\nRAW6: inuse %u\n"
		    "FRAG6: inuse %u memory %u\n",
		    c.tcp, c.udp, c.lite, c.raw, fragmented, memory);
	return 0;
}

const struct proc_net_text proc_net_sockstat = { .show = sockstat_show };
const struct proc_net_text proc_net_sockstat6 = { .show = sockstat6_show };
