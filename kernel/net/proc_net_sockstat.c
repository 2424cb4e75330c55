/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/sockstat and sockstat6 (proc(5)): how many sockets there are. */
#include <lib/errno.h>
#include <lib/format.h>
#include <net/inet_list.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/tcp/tcp.h>
#include <net/udp/udp.h>
#include <sys/socket.h>

struct socket_counts {
	u8 family;
	unsigned tcp, established, time_wait, udp, lite, raw;
};

static int count_one(const struct inet_description *d, void *arg)
{
	struct socket_counts *c = arg;

	if (d->state == TCP_ESTABLISHED || d->state == TCP_CLOSE_WAIT)
		c->established += d->node->kind == INET_TCP;
	if (d->node->kind == INET_TIME_WAIT)
		c->time_wait++;
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

static int sockstat_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	struct socket_counts c, c6;
	int error = count_sockets(network, AF_INET, &c);

	if (!error)
		error = count_sockets(network, AF_INET6, &c6);
	if (error)
		return error;
	text_printf(
		out,
		"sockets: used %u\nTCP: inuse %u orphan 0 tw %u alloc %u mem 0\n"
		"UDP: inuse %u mem 0\nUDPLITE: inuse %u\nRAW: inuse %u\nFRAG: inuse 0 memory 0\n",
		total(&c) + total(&c6), c.tcp, c.time_wait, c.tcp + c6.tcp, c.udp, c.lite, c.raw);
	return 0;
}

static int sockstat6_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	struct socket_counts c;
	int error = count_sockets(network, AF_INET6, &c);

	if (error)
		return error;
	text_printf(out,
		    "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse %u\nRAW6: inuse %u\n"
		    "FRAG6: inuse 0 memory 0\n",
		    c.tcp, c.udp, c.lite, c.raw);
	return 0;
}

const struct proc_net_text proc_net_sockstat = { .show = sockstat_show };
const struct proc_net_text proc_net_sockstat6 = { .show = sockstat6_show };
