/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_SOCK_DIAG: Internet sockets (sock_diag(7), struct inet_diag_req_v2). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink/sock_diag_priv.h>
#include <net/tcp/tcp.h>
#include <net/udp/udp.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

struct query {
	struct netlink_request *request;
	const struct inet_diag_req_v2 *wanted;
	const void *filter; /* null: none */
	size_t filter_length;
	enum inet_kind kind; /* of raw sockets: which of the two */
	bool raw, found;
};

static void put_addresses(struct inet_diag_sockid *id, const struct inet_description *d)
{
	const struct inet_node *n = d->node;

	id->idiag_sport = net16(d->local_port);
	id->idiag_dport = net16(n->remote_port);
	id->idiag_if = (u32)n->bound_device;
	id->idiag_cookie[0] = (u32)d->cookie;
	id->idiag_cookie[1] = (u32)(d->cookie >> 32);
	if (n->family == AF_INET6) {
		memcpy(id->idiag_src, n->local.bytes, 16);
		memcpy(id->idiag_dst, n->remote.bytes, 16);
		return;
	}
	id->idiag_src[0] = inet_is_any(&n->local) ? 0 : inet_to_v4(&n->local);
	id->idiag_dst[0] = inet_is_any(&n->remote) ? 0 : inet_to_v4(&n->remote);
}

static void put_memory(struct netlink_writer *w, const struct inet_description *d)
{
	const struct socket *socket;
	struct inet_socket *s = inet_of(d->node);
	u32 values[SK_MEMINFO_VARS] = { [SK_MEMINFO_RMEM_ALLOC] = d->receiving,
					[SK_MEMINFO_WMEM_ALLOC] = d->sending };

	spin_lock(&s->lock);
	socket = s->socket;
	if (socket) {
		values[SK_MEMINFO_RCVBUF] = socket->receive_buffer;
		values[SK_MEMINFO_SNDBUF] = socket->send_buffer;
		values[SK_MEMINFO_DROPS] = d->dropped;
	}
	spin_unlock(&s->lock);
	netlink_put(w, INET_DIAG_SKMEMINFO, values, sizeof(values));
}

static void put_tcp(struct netlink_writer *w, const struct inet_description *d, u8 extensions)
{
	struct tcp *t = tcp_of_node(d->node);
	struct tcp_info info;
	size_t size = sizeof(info);

	if (extensions & BIT(INET_DIAG_INFO - 1)) {
		tcp_get_info(t, &info, &size);
		netlink_put(w, INET_DIAG_INFO, &info, size);
	}
	if (extensions & BIT(INET_DIAG_CONG - 1))
		netlink_put_string(w, INET_DIAG_CONG, t->congestion->name);
}

static void put_attributes(struct netlink_writer *w, const struct inet_description *d,
			   u8 extensions)
{
	const struct inet_node *n = d->node;
	const struct inet_socket *s = inet_of(d->node);

	netlink_put_u8(w, INET_DIAG_SHUTDOWN, d->shutdown);
	if (extensions & BIT(INET_DIAG_TOS - 1))
		netlink_put_u8(w, INET_DIAG_TOS, s->tos);
	if (n->family == AF_INET6) {
		if (extensions & BIT(INET_DIAG_TCLASS - 1))
			netlink_put_u8(w, INET_DIAG_TCLASS, s->tclass);
		if (d->state == TCP_LISTEN || d->state == TCP_CLOSED)
			netlink_put_u8(w, INET_DIAG_SKV6ONLY,
				       n->v6_only ||
					       (!inet_is_any(&n->local) && !inet_is_v4(&n->local)));
	}
	if (d->mark)
		netlink_put_u32(w, INET_DIAG_MARK, d->mark);
	if (extensions & BIT(INET_DIAG_SKMEMINFO - 1))
		put_memory(w, d);
	if (n->kind == INET_TCP)
		put_tcp(w, d, extensions);
}

static void put_socket(struct netlink_writer *w, const struct inet_description *d, u8 extensions)
{
	struct inet_diag_msg *m = netlink_begin(w, SOCK_DIAG_BY_FAMILY, sizeof(*m));

	if (m) {
		*m = (struct inet_diag_msg){ .idiag_family = d->node->family,
					     .idiag_state = d->state,
					     .idiag_timer = d->timer,
					     .idiag_retrans = d->retransmits,
					     .idiag_expires = d->expires_ms,
					     .idiag_rqueue = d->receiving,
					     .idiag_wqueue = d->sending,
					     .idiag_uid = d->uid,
					     .idiag_inode = (u32)d->inode };
		put_addresses(&m->id, d);
	}
	if (d->node->kind != INET_TIME_WAIT)
		put_attributes(w, d, extensions);
	netlink_end(w);
}

/* The addresses and ports of a request that is about one socket. */
static bool is_named(const struct inet_description *d, const struct inet_diag_sockid *id)
{
	struct inet_diag_sockid here = {};

	put_addresses(&here, d);
	if ((id->idiag_cookie[0] & id->idiag_cookie[1]) != ~0u &&
	    memcmp(id->idiag_cookie, here.idiag_cookie, sizeof(here.idiag_cookie)))
		return false;
	return here.idiag_sport == id->idiag_sport && here.idiag_dport == id->idiag_dport &&
	       !memcmp(here.idiag_src, id->idiag_src, sizeof(here.idiag_src)) &&
	       !memcmp(here.idiag_dst, id->idiag_dst, sizeof(here.idiag_dst));
}

static int visit(const struct inet_description *d, void *arg)
{
	struct query *q = arg;
	const struct inet_diag_req_v2 *wanted = q->wanted;

	if (d->node->family != wanted->sdiag_family || (q->raw && d->node->kind != q->kind))
		return 0;
	if (!q->request->dumping) {
		if (!is_named(d, &wanted->id))
			return 0;
	} else if (!(wanted->idiag_states & BIT(d->state)) ||
		   (wanted->id.idiag_sport && wanted->id.idiag_sport != net16(d->local_port)) ||
		   (wanted->id.idiag_dport &&
		    wanted->id.idiag_dport != net16(d->node->remote_port)) ||
		   (q->filter && !sock_diag_filter_run(q->filter, q->filter_length, d))) {
		return 0;
	}
	q->found = true;
	put_socket(q->request->reply, d, wanted->idiag_ext);
	return 0;
}

static int walk(struct query *q)
{
	const struct network_namespace *network = q->request->network;

	switch (q->wanted->sdiag_protocol) {
	case IPPROTO_TCP:
		return inet_list(&tcp_ports, network, visit, q);
	case IPPROTO_UDP:
		return inet_list(&udp_plain.ports, network, visit, q);
	case IPPROTO_UDPLITE:
		return inet_list(&udp_lite.ports, network, visit, q);
	case IPPROTO_RAW:
		q->raw = true;
		q->kind = INET_RAW;
		return inet_list_raw(network, visit, q);
	default:
		return -ENOENT;
	}
}

int sock_diag_show_inet(struct netlink_request *r)
{
	const struct inet_diag_req_v2 *wanted = netlink_payload(r->header, sizeof(*wanted));
	const struct nlattr *table[INET_DIAG_REQ_BYTECODE + 1];
	struct query q = { .request = r, .wanted = wanted };
	int error;

	if (!wanted)
		return -EINVAL;
	error = netlink_parse(r->header, sizeof(*wanted), table, INET_DIAG_REQ_BYTECODE);
	if (!error && table[INET_DIAG_REQ_BYTECODE]) {
		q.filter = netlink_data(table[INET_DIAG_REQ_BYTECODE]);
		q.filter_length = netlink_length(table[INET_DIAG_REQ_BYTECODE]);
		error = sock_diag_filter_check(q.filter, q.filter_length);
	}
	if (!error)
		error = walk(&q);
	if (!error && !r->dumping && !q.found)
		error = -ENOENT;
	return error;
}
