/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP Fast Open (RFC 7413): data in the SYN, for clients who show with a cookie that they are where they say.
 *
 * A server's cookie is a keyed hash of both addresses, so that it remembers nothing. A connection whose SYN brought a right one
 * may be accepted, read and written before the handshake ends; until then it counts against TCP_FASTOPEN of its listener (F1),
 * and if a reset ends it, for a minute more, as who sends SYNs with somebody else's cookie from a captured packet is answered by resets
 * (RFC 7413, 5.1): beyond the limit a SYN begins an ordinary handshake.
 *
 * A client waits with the SYN for the first data (F2: state SYN_SENT, `waits`, no timer) if there is a cookie. The data stays in
 * the blocks, behind snd_nxt: no record is made, and what the answer does not acknowledge is sent as if it had never been (F3). A SYN
 * that is sent again has neither data nor cookie. Cookies are in tcp_cookies.c.
 */
#pragma once

#include <net/protocol.h>
#include <net/sysctl.h>

struct tcp;
struct tcp_segment;

#define TCP_COOKIE_MAX 16 /* bytes, RFC 7413, 4.1.1 */
#define TCP_COOKIE_SIZE 8 /* of ours */

/* Bits of net.ipv4.tcp_fastopen (ip-sysctl.rst). */
#define FAST_OPEN_CLIENT 1u
#define FAST_OPEN_SERVER 2u
#define FAST_OPEN_CLIENT_NO_COOKIE 4u
#define FAST_OPEN_SERVER_NO_COOKIE 0x200u
#define FAST_OPEN_EVERY_LISTENER 0x400u

struct tcp_fast_open {
	u32 queue_maximum;	     /* TCP_FASTOPEN */
	struct fast_open_keys *keys; /* TCP_FASTOPEN_KEY; null: those of the name space */
	struct tcp *listener; /* of an accepted one until the handshake ends: owns a reference */
	u16 syn_data;	      /* bytes that our SYN had */
	u8 client_fail;	      /* enum tcp_fastopen_client_fail */
	u8 cookie_length;     /* of what goes with our SYN, or SYN and ACK */
	bool by_connect, no_cookie; /* TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE */
	bool wanted;		    /* the connect(2) in progress is to try */
	bool tried;		    /* our SYN asks for a cookie, or has one */
	bool waits;		    /* (F2) */
	bool accepted;		    /* our listener took the SYN's data */
	bool data_acked;
	u8 cookie[TCP_COOKIE_MAX];
};

/* --- Server. Locks: none, but for what says otherwise. --- */

/* TCP_FASTOPEN, also by the sysctl: at most as many as listen(2) allows. */
void tcp_fast_open_listen(struct tcp *listener, u32 maximum);
/*
 * A SYN for a listener, whose `child` is half open and locked. True: the packet is taken, the child can be accepted and has
 * answered. False: an ordinary handshake goes on, perhaps with a cookie in its answer.
 */
[[nodiscard]] bool tcp_fast_open_accept(struct tcp *listener, struct tcp *child, struct packet *p,
					const struct tcp_segment *s);
/* (F1) The handshake is through, or the connection is over; `reset`: by a reset. Child locked. */
void tcp_fast_open_settle(struct tcp *child, bool reset);
/* TCP_FASTOPEN_KEY: one or two keys. -EINVAL, -ENOMEM. May sleep. */
[[nodiscard]] int tcp_fast_open_set_keys(struct tcp *t, const void *value, size_t length);
/* Those of the socket itself; `count` 0: it has those of its name space. */
void tcp_fast_open_get_keys(struct tcp *t, struct fast_open_keys *out);
/* Those of a name space; `count` 0: there are none yet. */
void tcp_fast_open_network_keys(struct network_namespace *network, struct fast_open_keys *out);
void tcp_fast_open_set_network_keys(struct network_namespace *network,
				    const struct fast_open_keys *keys);

/* --- Client. Connection locked. --- */

/* At connect(2): true if the SYN waits for data. */
[[nodiscard]] bool tcp_fast_open_begin(struct tcp *t);
/* The SYN and ACK came. */
void tcp_fast_open_answered(struct tcp *t, const struct tcp_segment *s);
/*
 * Something on the way to the peer seems to swallow connections that begin so: nobody in this name space tries for
 * net.ipv4.tcp_fastopen_blackhole_timeout_sec seconds, longer each time (RFC 7413, 4.1.3.1 leaves it to the client).
 */
void tcp_fast_open_blackholed(struct tcp *t);
/* A connection ends well, or with the end of its data out of order, which says that the data was swallowed. */
void tcp_fast_open_judge(struct tcp *t);
/* The retransmission timer ran out; `last`: for good. */
void tcp_fast_open_timeout(struct tcp *t, bool last);

/* --- Cookies that servers gave (tcp_cookies.c) --- */

struct tcp_peer {
	u16 mss; /* 0: not known */
	u8 cookie_length;
	u8 cookie[TCP_COOKIE_MAX];
	u32 losses; /* of SYNs with data, one after the other */
	u64 loss_ns;
};

/* What is known of the peer of a connection. False: nothing. Any context. */
[[nodiscard]] bool tcp_peer_find(const struct tcp *t, struct tcp_peer *out);
/* Remembers it; the one not looked at for the longest time goes when there are too many. Any context. */
void tcp_peer_store(const struct tcp *t, const struct tcp_peer *peer);

/* For `ip tcp_metrics`: the entry at or behind *cursor (0 at first) of a name space. False: there is none. */
struct tcp_peer_entry {
	struct inet_address local, remote;
	struct tcp_peer peer;
	u64 used_ns;
};
[[nodiscard]] bool tcp_peer_next(const struct network_namespace *network, u32 *cursor,
				 struct tcp_peer_entry *out);
/* Forgets all of a name space, or what `remote` and `local` (null: any) name. False: nothing was there. */
bool tcp_peer_forget(const struct network_namespace *network, const struct inet_address *remote,
		     const struct inet_address *local);
void tcp_peers_init(void);
