/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_SOCK_DIAG (sock_diag(7)): which family answers; sockets of AF_UNIX. Internet sockets are in sock_diag_inet.c. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/netlink/sock_diag_priv.h>
#include <net/tcp/tcp.h>
#include <net/unix/unix.h>

#include <linux/net.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

/* --- AF_UNIX --- */

/* Descriptions are collected where nothing may sleep, and told afterwards. */
struct unix_collection {
	struct unix_description *found;
	unsigned count, room;
};

static bool collect(const struct unix_description *u, void *arg)
{
	struct unix_collection *c = arg;

	if (c->count < c->room)
		c->found[c->count] = *u;
	c->count++;
	return true;
}

static u8 unix_state(const struct unix_description *u)
{
	return u->listening ? TCP_LISTEN : u->state == SS_CONNECTED ? TCP_ESTABLISHED : TCP_CLOSED;
}

static void put_unix_name(struct netlink_writer *w, const char *name)
{
	char copy[sizeof(((struct unix_description *)0)->name)];
	size_t length = strlen(name);

	memcpy(copy, name, length + 1);
	if (name[0] == '@')
		for (size_t i = 0; i < length; i++)
			copy[i] = copy[i] == '@' ? '\0' : copy[i];
	else
		length++; /* a path is told with its end */
	netlink_put(w, UNIX_DIAG_NAME, copy, length);
}

static void put_unix(struct netlink_writer *w, const struct unix_description *u, u32 show)
{
	struct unix_diag_msg *m = netlink_begin(w, SOCK_DIAG_BY_FAMILY, sizeof(*m));
	struct unix_diag_rqlen lengths = { u->queued, u->room };

	if (m)
		*m = (struct unix_diag_msg){ .udiag_family = AF_UNIX,
					     .udiag_type = (u8)u->type,
					     .udiag_state = unix_state(u),
					     .udiag_ino = (u32)u->inode,
					     .udiag_cookie = { (u32)u->cookie,
							       (u32)(u->cookie >> 32) } };
	if ((show & UDIAG_SHOW_NAME) && u->name[0])
		put_unix_name(w, u->name);
	if ((show & UDIAG_SHOW_PEER) && u->peer_inode)
		netlink_put_u32(w, UNIX_DIAG_PEER, (u32)u->peer_inode);
	if (show & UDIAG_SHOW_RQLEN)
		netlink_put(w, UNIX_DIAG_RQLEN, &lengths, sizeof(lengths));
	if (show & UDIAG_SHOW_UID)
		netlink_put_u32(w, UNIX_DIAG_UID, u->uid);
	netlink_put_u8(w, UNIX_DIAG_SHUTDOWN, 0);
	netlink_end(w);
}

static int show_unix(struct netlink_request *r)
{
	const struct unix_diag_req *wanted = netlink_payload(r->header, sizeof(*wanted));
	struct unix_collection c = {};
	bool one = !r->dumping, any = false;

	if (!wanted || (one && !wanted->udiag_ino))
		return -EINVAL;
	unix_for_each(r->network, collect, &c);
	c.room = c.count + 16;
	c.count = 0;
	c.found = kvmalloc(c.room * sizeof(*c.found), 0);
	if (!c.found)
		return -ENOMEM;
	unix_for_each(r->network, collect, &c);
	for (unsigned i = 0; i < MIN(c.count, c.room); i++) {
		const struct unix_description *u = &c.found[i];

		if (one ? u->inode != wanted->udiag_ino
			: !(wanted->udiag_states & BIT(unix_state(u))))
			continue;
		any = true;
		put_unix(r->reply, u, wanted->udiag_show);
	}
	kvfree(c.found);
	return one && !any ? -ENOENT : 0;
}

/* --- Which one --- */

static int sock_diag_request(struct netlink_request *r)
{
	const struct sock_diag_req *wanted = netlink_payload(r->header, sizeof(*wanted));

	if (r->header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return r->header->nlmsg_type == SOCK_DESTROY ? -EOPNOTSUPP : -EINVAL;
	if (!wanted)
		return -EINVAL;
	if (r->header->nlmsg_flags & NLM_F_DUMP) {
		r->dumping = true;
		r->reply->flags = NLM_F_MULTI;
	}
	switch (wanted->sdiag_family) {
	case AF_UNIX:
		return show_unix(r);
	case AF_INET:
	case AF_INET6:
		return sock_diag_show_inet(r);
	default:
		return -ENOENT; /* programs then read /proc/net */
	}
}

static struct netlink_protocol sock_diag_protocol = { .number = NETLINK_SOCK_DIAG,
						      .groups = SKNLGRP_MAX,
						      .any_may_send = true,
						      .request = sock_diag_request };

void sock_diag_init(void)
{
	netlink_protocol_register(&sock_diag_protocol);
}
