/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signed segments (RFC 2385, TCP_MD5SIG of tcp(7)). A socket has a list of keys, each for the peers of a prefix, of which the
 * longest counts. Whoever has a key for a peer signs all that it sends there and takes nothing that is not signed.
 *
 * Keys never change: an option replaces, removes or adds one under the connection's lock; they are read under RCU. A reference
 * each have the list that it is in, and what is left of a connection in TIME_WAIT. An accepted connection has a copy, for its peer
 * alone. Time stamps are not offered along with signatures, as on Linux: both leave no room for SACK.
 */
#pragma once

#include <core/rcu.h>
#include <net/protocol.h>

struct tcp;
struct tcp_header;
struct tcp_segment;

#define TCP_SIGNATURE_OPTION 20 /* bytes in the header: two NOPs, kind, length, digest */

struct tcp_md5_key {
	struct rcu_head rcu;
	struct tcp_md5_key *next; /* RCU; of the list of a socket */
	u32 refs;
	struct inet_address address;
	u8 prefix; /* of 128 bits */
	u8 length;
	u8 bytes[] __counted_by(length);
};

/* TCP_MD5SIG and TCP_MD5SIG_EXT. May sleep. -EINVAL, -ENOENT (there is none to remove), -ENOMEM. */
[[nodiscard]] int tcp_md5_set(struct tcp *t, int option, const void *value, size_t length);
/* The key for a peer, of a list; null: none. Under RCU, or the lock of the list's socket. */
const struct tcp_md5_key *tcp_md5_find(const struct tcp_md5_key *list,
				       const struct inet_address *peer);
/* Gives a new connection the listener's key for its peer. False: there is one, and no memory for its copy. */
[[nodiscard]] bool tcp_md5_inherit(struct tcp *child, const struct tcp *listener);
/* Another reference to a key (null: null), under RCU or the lock; and its end. Any context. */
struct tcp_md5_key *tcp_md5_get(const struct tcp_md5_key *key);
void tcp_md5_put(struct tcp_md5_key *key);
/* Drops a list that nobody reads any more. */
void tcp_md5_free_list(struct tcp_md5_key *list);

/* Puts the option, with room for the digest, at `o`; where what follows goes. */
u8 *tcp_md5_put_option(u8 *o);
/*
 * Signs a complete packet, whose data is the TCP header with the option of tcp_md5_put_option as its last; its checksum is none of
 * it (RFC 2385, 2.0).
 */
void tcp_md5_sign(const struct tcp_md5_key *key, const struct inet_address *source,
		  const struct inet_address *destination, struct packet *p);

/* What tcp_md5_allows leaves to be looked at. */
[[nodiscard]] bool tcp_md5_verify(const struct tcp_md5_key *list, const struct packet *p,
				  const struct inet_info *info, const struct tcp_segment *s);
