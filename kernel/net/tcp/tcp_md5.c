/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signed segments: see tcp_md5.h. */
#include <lib/errno.h>
#include <lib/md5.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/tcp/tcp.h>

#include <linux/tcp.h>

#define KIND_SIGNATURE 19

/* --- Keys --- */

static void free_key(struct rcu_head *head)
{
	struct tcp_md5_key *key = container_of(head, struct tcp_md5_key, rcu);

	memset(key->bytes, 0, key->length);
	kfree(key);
}

struct tcp_md5_key *tcp_md5_get(const struct tcp_md5_key *key)
{
	struct tcp_md5_key *owned = (struct tcp_md5_key *)key;

	/* It is in a list, which cannot have given up its reference before RCU ends. */
	return owned && refs_get_unless_zero(&owned->refs) ? owned : nullptr;
}

void tcp_md5_put(struct tcp_md5_key *key)
{
	if (key && __atomic_fetch_sub(&key->refs, 1, __ATOMIC_ACQ_REL) == 1)
		rcu_call(&key->rcu, free_key);
}

void tcp_md5_free_list(struct tcp_md5_key *list)
{
	while (list) {
		struct tcp_md5_key *key = list;

		list = key->next;
		tcp_md5_put(key);
	}
}

const struct tcp_md5_key *tcp_md5_find(const struct tcp_md5_key *list,
				       const struct inet_address *peer)
{
	const struct tcp_md5_key *best = nullptr;

	for (const struct tcp_md5_key *key = list; key; key = rcu_dereference(key->next))
		if ((!best || key->prefix > best->prefix) &&
		    inet_is_v4(&key->address) == inet_is_v4(peer) &&
		    inet_prefix_matches(&key->address, peer, key->prefix))
			best = key;
	return best;
}

static struct tcp_md5_key *make_key(const struct inet_address *address, u8 prefix, const u8 *bytes,
				    u8 length, u32 flags)
{
	struct tcp_md5_key *key = kzalloc(sizeof(*key) + length, flags);

	if (!key)
		return nullptr;
	key->refs = 1;
	key->address = *address;
	key->prefix = prefix;
	key->length = length;
	memcpy(key->bytes, bytes, length);
	return key;
}

bool tcp_md5_inherit(struct tcp *child, const struct tcp *listener)
{
	const struct tcp_md5_key *key =
		tcp_md5_find(rcu_dereference(listener->md5_keys), &child->inet.node.remote);

	if (!key)
		return true;
	child->md5_keys =
		make_key(&child->inet.node.remote, 128, key->bytes, key->length, ALLOC_ATOMIC);
	return child->md5_keys;
}

/* --- The options --- */

/* Who the key is for. There are no devices (of virtual routing) that a key could be bound to: -EINVAL, as Linux says then. */
static int decode(const struct tcp *t, int option, const struct tcp_md5sig *from,
		  struct inet_address *address, u8 *prefix)
{
	const struct sockaddr_in6 *v6 = (const void *)&from->tcpm_addr;
	const struct sockaddr_in *v4 = (const void *)&from->tcpm_addr;
	bool extended = option == TCP_MD5SIG_EXT;
	unsigned bits;

	if (from->tcpm_addr.ss_family != t->inet.node.family)
		return -EINVAL;
	if (t->inet.node.family == AF_INET)
		*address = inet_from_v4(v4->sin_addr.s_addr);
	else
		memcpy(address, &v6->sin6_addr, sizeof(*address));
	bits = inet_is_v4(address) ? 32 : 128;
	if (extended && (from->tcpm_flags & TCP_MD5SIG_FLAG_PREFIX)) {
		if (from->tcpm_prefixlen > bits)
			return -EINVAL;
		*prefix = (u8)(128 - bits + from->tcpm_prefixlen);
	} else {
		*prefix = 128;
	}
	if (extended && from->tcpm_ifindex && (from->tcpm_flags & TCP_MD5SIG_FLAG_IFINDEX))
		return -EINVAL;
	return from->tcpm_keylen > TCP_MD5SIG_MAXKEYLEN ? -EINVAL : 0;
}

/* The link to the key of just this prefix, or to the end of the list; how many bytes all others have. */
static struct tcp_md5_key **place_of(struct tcp *t, const struct inet_address *address, u8 prefix,
				     size_t *others)
{
	struct tcp_md5_key **place = nullptr, **link = &t->md5_keys;

	*others = 0;
	for (; *link; link = &(*link)->next) {
		const struct tcp_md5_key *key = *link;

		if (key->prefix == prefix && inet_is_v4(&key->address) == inet_is_v4(address) &&
		    inet_prefix_matches(&key->address, address, prefix))
			place = link;
		else
			*others += sizeof(*key) + key->length;
	}
	return place ? place : link;
}

/* Has `fresh` (null: nothing) stand for its prefix. Takes it. */
static int put_in_place(struct tcp *t, const struct inet_address *address, u8 prefix,
			struct tcp_md5_key *fresh)
{
	struct tcp_md5_key **place, *old = nullptr, *unused = fresh;
	size_t others;
	int error = 0;

	tcp_lock(t);
	place = place_of(t, address, prefix, &others);
	if (!fresh && !*place) {
		error = -ENOENT;
	} else if (fresh &&
		   others + sizeof(*fresh) + fresh->length > socket_sysctl.option_memory_maximum) {
		error = -ENOMEM;
	} else {
		old = *place;
		if (fresh)
			fresh->next = old ? old->next : nullptr;
		rcu_assign(*place, fresh ? fresh : old->next);
		unused = nullptr;
		tcp_update_mss(t);
	}
	tcp_unlock(t);
	tcp_md5_put(old);
	tcp_md5_put(unused);
	return error;
}

int tcp_md5_set(struct tcp *t, int option, const void *value, size_t length)
{
	struct tcp_md5_key *key = nullptr;
	struct inet_address address;
	struct tcp_md5sig from;
	u8 prefix;
	int error;

	if (length < sizeof(from))
		return -EINVAL;
	memcpy(&from, value, sizeof(from));
	error = decode(t, option, &from, &address, &prefix);
	if (error)
		return error;
	if (from.tcpm_keylen) {
		key = make_key(&address, prefix, from.tcpm_key, (u8)from.tcpm_keylen, 0);
		if (!key)
			return -ENOMEM;
	}
	return put_in_place(t, &address, prefix, key);
}

/* --- Signatures --- */

/* RFC 2385, 2.0: the pseudo header, the header without options and checksum, the data, the key. */
static void digest_of(const struct tcp_md5_key *key, const struct inet_address *source,
		      const struct inet_address *destination, const struct tcp_header *header,
		      const struct packet *p, unsigned payload, u32 length,
		      u8 digest[static MD5_SIZE])
{
	struct tcp_header plain = *header;
	struct md5 m;

	plain.checksum = 0;
	md5_begin(&m);
	if (inet_is_v4(source)) {
		const u8 rest[4] = { 0, IPPROTO_TCP, (u8)(length >> 8), (u8)length };

		md5_update(&m, source->bytes + 12, 4);
		md5_update(&m, destination->bytes + 12, 4);
		md5_update(&m, rest, sizeof(rest));
	} else {
		const u32 rest[2] = { net32(length), net32(IPPROTO_TCP) };

		md5_update(&m, source->bytes, 16);
		md5_update(&m, destination->bytes, 16);
		md5_update(&m, rest, sizeof(rest));
	}
	md5_update(&m, &plain, sizeof(plain));
	md5_update(&m, p->data + payload, p->linear - payload);
	for (unsigned i = 0; i < p->fragment_count; i++)
		md5_update(&m, (u8 *)page_address(p->fragments[i].page) + p->fragments[i].offset,
			   p->fragments[i].length);
	md5_update(&m, key->bytes, key->length);
	md5_end(&m, digest);
}

u8 *tcp_md5_put_option(u8 *o)
{
	store_net32(o, 0x01010000u | KIND_SIGNATURE << 8 | (2 + MD5_SIZE));
	memset(o + 4, 0, MD5_SIZE);
	return o + TCP_SIGNATURE_OPTION;
}

void tcp_md5_sign(const struct tcp_md5_key *key, const struct inet_address *source,
		  const struct inet_address *destination, struct packet *p)
{
	const struct tcp_header *header = (const struct tcp_header *)p->data;
	unsigned size = (header->offset >> 4) * 4u;

	digest_of(key, source, destination, header, p, size, p->length, p->data + size - MD5_SIZE);
}

/* Tells apart in a time that does not depend on where they differ. */
static bool same_digest(const u8 *a, const u8 *b)
{
	u8 difference = 0;

	for (unsigned i = 0; i < MD5_SIZE; i++)
		difference |= a[i] ^ b[i];
	return !difference;
}

bool tcp_md5_verify(const struct tcp_md5_key *list, const struct packet *p,
		    const struct inet_info *info, const struct tcp_segment *s)
{
	const struct tcp_md5_key *key = tcp_md5_find(list, &info->source);
	const struct tcp_header *header = s->header;
	u8 digest[MD5_SIZE];

	if (!key && !s->signature)
		return true;
	if (!key || !s->signature) {
		net_count(info->network, key ? NET_TCP_MD5_MISSING : NET_TCP_MD5_UNEXPECTED);
		return false;
	}
	digest_of(key, &info->source, &info->destination, header, p, 0,
		  (header->offset >> 4) * 4u + p->length, digest);
	if (same_digest(digest, s->signature))
		return true;
	net_count(info->network, NET_TCP_MD5_WRONG);
	return false;
}
