/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of connections, by both addresses and ports; looked up under RCU. */
#include <core/random.h>
#include <lib/hash.h>
#include <mm/slab.h>
#include <net/inet_socket.h>

#define LOCKS 256

static struct inet_node *buckets[CONNECTION_BUCKETS]; /* RCU; changed under locks[] */
static struct spinlock locks[LOCKS];
static u64 secret[2];

void connection_table_init(void)
{
	for (unsigned i = 0; i < LOCKS; i++)
		spin_init(&locks[i], RANK_NET_HASH);
	random_bytes(secret, sizeof(secret));
}

static unsigned bucket_of(const struct inet_address *local, const struct inet_address *remote,
			  u16 local_port, u16 remote_port)
{
	u64 h = (local->halves[0] ^ secret[0]) * 0x9e3779b97f4a7c15ull ^ remote->halves[0];

	h = hash_u64(h ^ local->halves[1]) + secret[1];
	h = hash_u64(h ^ remote->halves[1]);
	return (unsigned)hash_bits(h ^ ((u64)local_port << 16 | remote_port), 14);
}

static unsigned bucket_of_node(const struct inet_node *n)
{
	return bucket_of(&n->local, &n->remote, n->local_port, n->remote_port);
}

static struct spinlock *lock_of(unsigned bucket)
{
	return &locks[bucket % LOCKS];
}

static bool same(const struct inet_node *a, const struct inet_node *b)
{
	return a->local_port == b->local_port && a->remote_port == b->remote_port &&
	       inet_equal(&a->remote, &b->remote) && inet_equal(&a->local, &b->local) &&
	       a->network == b->network && a->bound_device == b->bound_device;
}

static void insert_locked(struct inet_node *n, unsigned bucket)
{
	inet_node_get(n);
	n->hash_next = buckets[bucket];
	n->hashed = true;
	rcu_assign(buckets[bucket], n);
}

static bool remove_locked(struct inet_node *n, unsigned bucket)
{
	struct inet_node **link = &buckets[bucket];

	if (!n->hashed)
		return false;
	while (*link != n)
		link = &(*link)->hash_next;
	rcu_assign(*link, n->hash_next);
	n->hashed = false;
	return true;
}

void connection_insert(struct inet_node *n)
{
	unsigned bucket = bucket_of_node(n);

	spin_lock(lock_of(bucket));
	insert_locked(n, bucket);
	spin_unlock(lock_of(bucket));
}

bool connection_insert_unique(struct inet_node *n, bool (*may_replace)(struct inet_node *old))
{
	unsigned bucket = bucket_of_node(n);
	bool ok = true;

	spin_lock(lock_of(bucket));
	for (struct inet_node *o = buckets[bucket]; o; o = o->hash_next)
		if (same(o, n))
			ok = may_replace && may_replace(o);
	if (ok)
		insert_locked(n, bucket);
	spin_unlock(lock_of(bucket));
	return ok;
}

void connection_remove(struct inet_node *n)
{
	unsigned bucket = bucket_of_node(n);
	bool removed;

	spin_lock(lock_of(bucket));
	removed = remove_locked(n, bucket);
	spin_unlock(lock_of(bucket));
	if (removed)
		inet_node_put(n);
}

void connection_replace(struct inet_node *old, struct inet_node *n)
{
	unsigned bucket = bucket_of_node(old);
	bool removed;

	spin_lock(lock_of(bucket));
	insert_locked(n, bucket);
	removed = remove_locked(old, bucket);
	spin_unlock(lock_of(bucket));
	if (removed)
		inet_node_put(old);
}

struct inet_node *connection_find(const struct inet_info *info, u16 local_port, u16 remote_port)
{
	unsigned bucket = bucket_of(&info->destination, &info->source, local_port, remote_port);

	for (struct inet_node *n = rcu_dereference(buckets[bucket]); n;
	     n = rcu_dereference(n->hash_next))
		if (n->local_port == local_port && n->remote_port == remote_port &&
		    inet_equal(&n->remote, &info->source) &&
		    inet_equal(&n->local, &info->destination) && n->network == info->network &&
		    (!n->bound_device || n->bound_device == info->device->index) &&
		    inet_node_get_unless_zero(n))
			return n;
	return nullptr;
}

struct inet_node *connection_next(unsigned *bucket, unsigned *position)
{
	struct inet_node *found = nullptr;

	rcu_read_lock();
	for (; *bucket < CONNECTION_BUCKETS && !found; ++*bucket, *position = 0) {
		unsigned at = 0;

		for (struct inet_node *n = rcu_dereference(buckets[*bucket]); n;
		     n = rcu_dereference(n->hash_next))
			if (at++ == *position && inet_node_get_unless_zero(n)) {
				found = n;
				break;
			}
		if (found) {
			++*position;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}
