/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is remembered of servers between connections: their Fast Open cookies (RFC 7413, 4.1.2). A table of sets of four entries, of
 * which the one used least recently makes room: its size is its bound, whatever servers send.
 */
#include <core/random.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <net/namespace.h>
#include <net/tcp/tcp.h>

#define SETS 64u
#define WAYS 4u

struct slot {
	u64 network; /* serial of the name space; 0: free */
	struct tcp_peer_entry entry;
};

static struct spinlock lock = SPINLOCK_INIT(RANK_NET_LINK);
static struct slot slots[SETS * WAYS] __guarded_by(&lock);
static struct siphash_key secret;

/* 0 is that of a free slot. */
static u64 mark_of(const struct network_namespace *network)
{
	return network->serial + 1;
}

static struct slot *set_of(u64 network, const struct inet_address *local,
			   const struct inet_address *remote) __must_hold(&lock)
{
	const struct {
		u64 network;
		struct inet_address local, remote;
	} key = { network, *local, *remote };

	return slots + siphash(&key, sizeof(key), &secret) % SETS * WAYS;
}

/* The slot of a pair of addresses; null: none. */
static struct slot *find(u64 network, const struct inet_address *local,
			 const struct inet_address *remote) __must_hold(&lock)
{
	struct slot *set = set_of(network, local, remote);

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].network == network && inet_equal(&set[i].entry.local, local) &&
		    inet_equal(&set[i].entry.remote, remote))
			return &set[i];
	return nullptr;
}

bool tcp_peer_find(const struct tcp *t, struct tcp_peer *out)
{
	const struct inet_node *n = &t->inet.node;
	struct slot *slot;

	spin_lock(&lock);
	slot = find(mark_of(n->network), &n->local, &n->remote);
	if (slot) {
		slot->entry.used_ns = tcp_now();
		*out = slot->entry.peer;
	}
	spin_unlock(&lock);
	return slot;
}

static struct slot *oldest(struct slot *set) __must_hold(&lock)
{
	struct slot *best = set;

	for (unsigned i = 0; i < WAYS && best->network; i++)
		if (!set[i].network || set[i].entry.used_ns < best->entry.used_ns)
			best = &set[i];
	return best;
}

void tcp_peer_store(const struct tcp *t, const struct tcp_peer *peer)
{
	const struct inet_node *n = &t->inet.node;
	u64 network = mark_of(n->network);
	struct slot *slot;

	spin_lock(&lock);
	slot = find(network, &n->local, &n->remote);
	if (!slot)
		slot = oldest(set_of(network, &n->local, &n->remote));
	*slot = (struct slot){ network, { n->local, n->remote, *peer, tcp_now() } };
	spin_unlock(&lock);
}

bool tcp_peer_next(const struct network_namespace *network, u32 *cursor, struct tcp_peer_entry *out)
{
	bool found = false;

	spin_lock(&lock);
	while (!found && *cursor < SETS * WAYS) {
		const struct slot *slot = &slots[(*cursor)++];

		found = slot->network == mark_of(network);
		if (found)
			*out = slot->entry;
	}
	spin_unlock(&lock);
	return found;
}

bool tcp_peer_forget(const struct network_namespace *network, const struct inet_address *remote,
		     const struct inet_address *local)
{
	bool any = false;

	spin_lock(&lock);
	for (u32 i = 0; i < SETS * WAYS; i++) {
		struct slot *slot = &slots[i];

		if (slot->network != mark_of(network) ||
		    (remote && !inet_equal(&slot->entry.remote, remote)) ||
		    (local && !inet_equal(&slot->entry.local, local)))
			continue;
		slot->network = 0;
		any = true;
	}
	spin_unlock(&lock);
	return any;
}

void tcp_peers_init(void)
{
	random_bytes(&secret, sizeof(secret));
}
