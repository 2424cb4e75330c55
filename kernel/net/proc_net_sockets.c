/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/tcp, tcp6, udp, udp6: one line for each owner of a port. */
#include <core/rcu.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <mm/slab.h>
#include <net/proc_net.h>
#include <net/tcp/tcp.h>
#include <net/udp/udp.h>
#include <obj/inode.h>
#include <sys/socket.h>

#define LINE_ROOM 320

const bool proc_net_v6 = true;

/* The owners of the ports of one bucket. A socket's lock is outside of its bucket's, so they are collected first. */
struct listing {
	u8 family;
	unsigned number; /* of the line */
	struct inet_node **nodes;
	unsigned count, room;
};

struct line {
	u32 state, sending, receiving, uid;
	u64 inode;
};

static void describe_tcp(struct inet_node *n, struct line *out)
{
	const struct tcp *t = container_of(inet_of(n), struct tcp, inet);

	out->state = READ_ONCE(t->state);
	if (out->state == TCP_LISTEN)
		return;
	out->sending = READ_ONCE(t->write_seq) - READ_ONCE(t->snd_una);
	out->receiving = READ_ONCE(t->rcv_nxt) - READ_ONCE(t->copied_seq);
}

static void describe(struct inet_node *n, struct line *out)
{
	struct inet_socket *s = inet_of(n);

	*out = (struct line){ .uid = n->uid };
	if (n->kind == INET_TIME_WAIT) {
		out->state = tcp_time_wait_state(n);
		return;
	}
	if (n->kind == INET_TCP)
		describe_tcp(n, out);
	else
		out->state = n->remote_port ? TCP_ESTABLISHED : TCP_CLOSED;
	spin_lock(&s->lock);
	if (s->socket)
		out->inode = s->socket->file->inode->number;
	spin_unlock(&s->lock);
}

/* An address and its port; `text` has room for 38 characters. */
static void put_address(char text[40], u8 family, const struct inet_address *a, u16 port)
{
	if (family == AF_INET)
		snprintf(text, 40, "%08X:%04X", inet_is_any(a) ? 0 : inet_to_v4(a), port);
	else
		snprintf(text, 40, "%08X%08X%08X%08X:%04X", a->words[0], a->words[1], a->words[2],
			 a->words[3], port);
}

static void add_node(struct listing *l, struct inet_node *n)
{
	if (n->family != l->family)
		return;
	if (l->count < l->room)
		l->nodes[l->count] = n;
	l->count++;
}

static void walk_bucket(struct listing *l, struct port_bucket *bucket)
{
	l->count = 0;
	spin_lock(&bucket->lock);
	for (struct port_binding *b = bucket->bindings; b; b = b->next) {
		for (struct inet_node *n = b->owners; n; n = n->port_next)
			add_node(l, n);
		for (struct inet_node *n = b->sharers; n; n = n->port_next)
			add_node(l, n);
	}
	spin_unlock(&bucket->lock);
}

static size_t put_node(struct listing *l, struct inet_node *n, char *at)
{
	char local[40], remote[40];
	struct line line;

	describe(n, &line);
	put_address(local, n->family, &n->local, n->local_port);
	put_address(remote, n->family, &n->remote, n->remote_port);
	return (size_t)snprintf(
		at, LINE_ROOM,
		"%4u: %s %s %02X %08X:%08X %02X:%08X %08X %5u %8d %llu %d %016x %lu %lu %u %u %d\n",
		l->number++, local, remote, line.state, line.sending, line.receiving, 0, 0, 0,
		line.uid, 0, (unsigned long long)line.inode, 1, 0, 100ul, 0ul, 0, 10, 0);
}

/* Counted first: room is made where sleeping is allowed. Nodes stay as long as RCU's readers. */
static int show_bucket(struct listing *l, struct text_buffer *out, struct port_bucket *bucket)
{
	char *at;

	l->room = 0;
	walk_bucket(l, bucket);
	if (!l->count)
		return 0;
	l->room = l->count + 4;
	at = text_reserve(out, l->room * (size_t)LINE_ROOM);
	l->nodes = at ? kcalloc(l->room, sizeof(*l->nodes), 0) : nullptr;
	if (!l->nodes)
		return -ENOMEM;
	rcu_read_lock();
	walk_bucket(l, bucket);
	for (unsigned i = 0; i < MIN(l->count, l->room); i++) {
		size_t length = put_node(l, l->nodes[i], at);

		at += length;
		out->size += length;
	}
	rcu_read_unlock();
	kfree(l->nodes);
	return 0;
}

static int show_table(struct text_buffer *out, struct port_table *table, u8 family)
{
	struct listing l = { .family = family };
	int error = 0;

	for (unsigned i = 0; i < PORT_BUCKETS && !error; i++)
		error = show_bucket(&l, out, &table->buckets[i]);
	return error;
}

static u8 family_of(const struct synthetic_node *node)
{
	return node->data ? AF_INET6 : AF_INET;
}

static void put_header(const struct synthetic_node *node, struct text_buffer *out, const char *end)
{
	const char *wide = node->data ? "                                " : "";

	text_printf(
		out,
		"  sl  local_address%s rem_address%s   st tx_queue rx_queue tr tm->when retrnsmt "
		"  uid  timeout inode%s\n",
		wide, wide, end);
}

static int tcp_show(const struct synthetic_node *node, struct text_buffer *out)
{
	put_header(node, out, "");
	return show_table(out, &tcp_ports, family_of(node));
}

static int udp_show(const struct synthetic_node *node, struct text_buffer *out)
{
	put_header(node, out, " ref pointer drops");
	return show_table(out, &udp_ports, family_of(node));
}

const struct synthetic_type proc_net_tcp = { .mode = S_IFREG | 0444, .show = tcp_show };
const struct synthetic_type proc_net_udp = { .mode = S_IFREG | 0444, .show = udp_show };
