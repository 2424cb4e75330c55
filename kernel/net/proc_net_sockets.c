/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/tcp, udp, udplite, raw, icmp and their twins of IPv6: one line for each socket (proc(5)). */
#include <lib/errno.h>
#include <lib/format.h>
#include <net/inet_list.h>
#include <net/namespace.h>
#include <net/proc_net.h>
#include <net/tcp/tcp.h>
#include <net/udp/udp.h>
#include <sys/socket.h>

/* The widths to which the lines of IPv4 are padded, as on Linux; those of IPv6 are not. */
#define TCP_WIDTH 149
#define UDP_WIDTH 127

struct listing {
	struct text_buffer *out;
	u8 family;
	enum inet_kind kind; /* of raw sockets: which of the two */
	int width;	     /* to which lines of IPv4 are padded */
	unsigned number;     /* of the line */
};

/* An address and its port; `text` has room for 38 characters. */
static void put_address(char text[40], u8 family, const struct inet_address *a, u16 port)
{
	if (family == AF_INET)
		snprintf(text, 40, "%08X:%04X", inet_is_any(a) ? 0 : inet_to_v4(a), port);
	else
		snprintf(text, 40, "%08X%08X%08X%08X:%04X", a->words[0], a->words[1], a->words[2],
			 a->words[3], port);
}

/* What all the lines begin with; expires in hundredths of a second. */
static size_t put_beginning(const struct inet_description *d, char *line, size_t size)
{
	const struct inet_node *n = d->node;
	char local[40], remote[40];
	u16 remote_port = n->kind == INET_RAW ? 0 : n->remote_port;

	put_address(local, n->family, &n->local, d->local_port);
	put_address(remote, n->family, &n->remote, remote_port);
	return (size_t)snprintf(line, size, "%s %s %02X %08X:%08X %02X:%08X %08X %5u %8d %llu",
				local, remote, d->state, d->state == TCP_LISTEN ? 0 : d->sending,
				d->receiving, d->timer, d->expires_ms / 10, d->retransmits, d->uid,
				d->probes, (unsigned long long)d->inode);
}

static void put_line(const struct listing *l, const char *line, int width)
{
	text_printf(l->out, "%-*s\n", l->family == AF_INET ? width : 0, line);
}

static int tcp_line(const struct inet_description *d, void *arg)
{
	struct listing *l = arg;
	char beginning[160], line[240];

	if (d->node->family != l->family)
		return 0;
	put_beginning(d, beginning, sizeof(beginning));
	if (d->node->kind == INET_TIME_WAIT)
		snprintf(line, sizeof(line), "%4u: %s %d %016x", l->number++, beginning, 3, 0);
	else
		snprintf(line, sizeof(line), "%4u: %s %d %016x %lu %lu %u %u %d", l->number++,
			 beginning, 1, 0, d->state == TCP_LISTEN ? 100ul : 20ul,
			 d->state == TCP_LISTEN ? 0ul : 4ul, d->state == TCP_LISTEN ? 0 : 30, 10,
			 d->state == TCP_LISTEN ? 0 : -1);
	put_line(l, line, TCP_WIDTH);
	return 0;
}

static int datagram_line(const struct inet_description *d, void *arg)
{
	struct listing *l = arg;
	char beginning[160], line[240];

	if (d->node->family != l->family || d->node->kind != l->kind)
		return 0;
	put_beginning(d, beginning, sizeof(beginning));
	snprintf(line, sizeof(line), "%5u: %s %d %016x %u", l->number++, beginning, 2, 0,
		 d->dropped);
	put_line(l, line, l->width);
	return 0;
}

static int tcp_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	struct listing l = { .out = out, .family = family, .kind = INET_TCP };

	if (l.family == AF_INET)
		text_printf(out, "%-*s\n", TCP_WIDTH,
			    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			    "retrnsmt   uid  timeout inode");
	else
		text_printf(out, "  sl  local_address                         remote_address"
				 "                        st tx_queue rx_queue tr tm->when retrnsmt"
				 "   uid  timeout inode\n");
	return inet_list(&tcp_ports, network, tcp_line, &l);
}

static void put_datagram_header(const struct listing *l)
{
	if (l->family == AF_INET)
		text_printf(l->out, "%s%-*s\n", l->kind == INET_UDP ? " " : "",
			    l->kind == INET_UDP ? l->width - 1 : l->width,
			    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			    "retrnsmt   uid  timeout inode ref pointer drops");
	else
		text_printf(l->out, "  sl  local_address                         remote_address"
				    "                        st tx_queue rx_queue tr tm->when "
				    "retrnsmt   uid  timeout inode ref pointer drops\n");
}

static int list_udp(struct network_namespace *network, u8 family, struct text_buffer *out,
		    struct udp_protocol *protocol)
{
	struct listing l = { .out = out, .family = family, .kind = INET_UDP, .width = UDP_WIDTH };

	put_datagram_header(&l);
	return inet_list(&protocol->ports, network, datagram_line, &l);
}

static int udp_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	return list_udp(network, family, out, &udp_plain);
}

static int udplite_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	return list_udp(network, family, out, &udp_lite);
}

static int list_raw(struct network_namespace *network, u8 family, struct text_buffer *out,
		    enum inet_kind kind)
{
	struct listing l = { .out = out,
			     .family = family,
			     .kind = kind,
			     .width = kind == INET_PING ? UDP_WIDTH : 0 };

	put_datagram_header(&l);
	return inet_list_raw(network, datagram_line, &l);
}

static int raw_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	return list_raw(network, family, out, INET_RAW);
}

static int icmp_show(struct network_namespace *network, u8 family, struct text_buffer *out)
{
	return list_raw(network, family, out, INET_PING);
}

const struct proc_net_text proc_net_tcp = { tcp_show, AF_INET };
const struct proc_net_text proc_net_tcp6 = { tcp_show, AF_INET6 };
const struct proc_net_text proc_net_udp = { udp_show, AF_INET };
const struct proc_net_text proc_net_udp6 = { udp_show, AF_INET6 };
const struct proc_net_text proc_net_udplite = { udplite_show, AF_INET };
const struct proc_net_text proc_net_udplite6 = { udplite_show, AF_INET6 };
const struct proc_net_text proc_net_raw = { raw_show, AF_INET };
const struct proc_net_text proc_net_raw6 = { raw_show, AF_INET6 };
const struct proc_net_text proc_net_icmp = { icmp_show, AF_INET };
const struct proc_net_text proc_net_icmp6 = { icmp_show, AF_INET6 };
