/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dentry cache: names in memory, so that a path walk rarely asks a file system.
 *
 * A dentry stands for one name in one directory; positive ones have an inode, negative ones say that the name does not
 * exist. They hang in one hash table (by parent and name) and in their parent's list of children.
 *
 * (D1) A dentry holds a reference of its parent: what is alive has living ancestors up to its root.
 * (D2) refs is the number of users. At 0 the dentry stays cached, on the LRU list, unless it is DENTRY_UNLINKED. Whoever
 *      turns refs from 0 to DENTRY_DEAD frees it; from then on nobody can get a reference.
 * (D3) Memory of dentries, of long names and of inodes is freed after a grace period. A walk under RCU without
 *      references may see a dying one; it gets a reference on the result in the end, and (D1) proves the way there.
 * (D4) parent and name change only between namespace_change_begin and _end, with both directory inodes locked.
 * (D5) An inode is set once (negative to positive, by release store) and stays until the dentry is freed.
 * (D6) The directory inode's lock (shared) is held from the file system's look-up to the insertion of its result, so a
 *      creation, which holds it exclusively, never leaves a stale negative dentry.
 * (D7) Where the superblock may lie, a directory has one live dentry: no damage makes the tree a graph, in which walks
 *      would never end and a rename or rmdir would lock one inode twice.
 *
 * Locks: directory inode lock > namespace_lock > bucket lock, dentry->lock, lru_lock (none of these three inside another).
 *
 * Bounded: when more than idle_limit dentries are unused, a work item frees the oldest ones; memory pressure frees
 * more through dcache_shrink(). Rejected: pinning tmpfs's dentries as its directory contents, which saves a structure
 * per file but makes them unreclaimable and the file system's order that of the cache.
 */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/dcache_priv.h>
#include <vfs/notify.h>

#include <linux/limits.h>

#define LOCK_COUNT 64

struct long_name {
	struct rcu_head rcu;
	char text[];
};

u32 namespace_sequence;
struct spinlock namespace_lock = SPINLOCK_INIT(RANK_DENTRY);

static struct dentry **buckets;
static unsigned bucket_bits;
static struct spinlock bucket_locks[LOCK_COUNT];
static struct slab_cache *dentry_cache;
static u64 dentry_count; /* atomic */

void namespace_change_begin(void)
{
	spin_lock(&namespace_lock);
	__atomic_store_n(&namespace_sequence, namespace_sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void namespace_change_end(void)
{
	__atomic_store_n(&namespace_sequence, namespace_sequence + 1, __ATOMIC_RELEASE);
	spin_unlock(&namespace_lock);
}

static inline size_t bucket_index(const struct dentry *parent, u32 hash)
{
	u64 key = ((uintptr_t)parent >> 6) ^ (u64)hash << 7 ^ hash;

	return (key * 0x9e3779b97f4a7c15ull) >> (64 - bucket_bits);
}

struct dentry *dcache_find_rcu(const struct dentry *parent, const struct name *name)
{
	struct dentry *d = rcu_dereference(buckets[bucket_index(parent, name->hash)]);

	for (; d; d = rcu_dereference(d->hash_next)) {
		if (d->hash == name->hash && d->parent == parent &&
		    d->name_length == name->length &&
		    memcmp(d->name, name->text, name->length) == 0)
			return d;
	}
	return nullptr;
}

bool dentry_get_unless_dead(struct dentry *dentry)
{
	u32 refs = READ_ONCE(dentry->refs);

	do {
		if (refs & DENTRY_DEAD)
			return false;
	} while (!__atomic_compare_exchange_n(&dentry->refs, &refs, refs + 1, true,
					      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return true;
}

static void hash_insert(struct dentry *d)
{
	size_t index = bucket_index(d->parent, d->hash);

	d->hash_next = buckets[index];
	rcu_assign(buckets[index], d);
}

/* Leaves hash_next alone: readers that stand on the dentry go on from it. */
static void hash_remove(struct dentry *d)
{
	struct dentry **link = &buckets[bucket_index(d->parent, d->hash)];

	while (*link != d)
		link = &(*link)->hash_next;
	rcu_assign(*link, d->hash_next);
}

static struct spinlock *bucket_lock(const struct dentry *d)
{
	return &bucket_locks[bucket_index(d->parent, d->hash) % LOCK_COUNT];
}

static void free_long_name(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct long_name, rcu));
}

static void free_dentry(struct rcu_head *rcu)
{
	struct dentry *d = container_of(rcu, struct dentry, rcu);

	if (d->name != d->inline_name)
		free_long_name(&container_of(d->name, struct long_name, text[0])->rcu);
	slab_free(dentry_cache, d);
}

static int dentry_alloc(struct superblock *sb, struct dentry *parent, const struct name *name,
			struct dentry **out)
{
	struct dentry *d = slab_alloc(dentry_cache, ALLOC_ZERO);

	if (!d)
		return -ENOMEM;
	d->name = d->inline_name;
	if (name->length >= sizeof(d->inline_name)) {
		struct long_name *text = kmalloc(sizeof(*text) + name->length + 1, 0);

		if (!text) {
			slab_free(dentry_cache, d);
			return -ENOMEM;
		}
		d->name = text->text;
	}
	memcpy(d->name, name->text, name->length);
	d->name[name->length] = 0;
	d->name_length = name->length;
	d->hash = name->hash;
	d->refs = 1;
	d->superblock = sb;
	d->parent = parent ? parent : d;
	spin_init(&d->lock, RANK_DENTRY);
	list_init(&d->children);
	list_init(&d->sibling);
	list_init(&d->lru);
	__atomic_fetch_add(&dentry_count, 1, __ATOMIC_RELAXED);
	*out = d;
	return 0;
}

/* Undoes dentry_alloc for a dentry that nobody has seen. */
static void dentry_discard(struct dentry *d)
{
	__atomic_fetch_sub(&dentry_count, 1, __ATOMIC_RELAXED);
	free_dentry(&d->rcu);
}

/* Do directories of a file system know their name? */
static bool keeps_directories(const struct superblock *sb)
{
	return sb->may_lie || sb->ops->export;
}

static void forget_directory(struct dentry *d)
{
	if (!keeps_directories(d->superblock) || !S_ISDIR(d->inode->mode))
		return;
	spin_guard(&namespace_lock);
	if (d->inode->directory == d)
		d->inode->directory = nullptr;
}

struct dentry *dentry_kill(struct dentry *d)
{
	struct dentry *parent = d->parent == d ? nullptr : d->parent;

	if (parent) {
		struct spinlock *lock = bucket_lock(d);

		spin_lock(lock);
		if (!(d->flags & DENTRY_UNLINKED))
			hash_remove(d);
		spin_unlock(lock);
		spin_lock(&parent->lock);
		list_remove(&d->sibling);
		spin_unlock(&parent->lock);
	}
	dentry_lru_remove(d);
	__atomic_fetch_sub(&dentry_count, 1, __ATOMIC_RELAXED);
	if (d->inode) {
		forget_directory(d);
		if (!READ_ONCE(d->inode->links))
			notify_removed(d->inode);
		inode_put(d->inode);
	}
	rcu_call(&d->rcu, free_dentry);
	return parent;
}

void dentry_put(struct dentry *d)
{
	const u32 idle = DENTRY_LRU | DENTRY_REFERENCED;

	while (d) {
		bool kill = false;

		/* Without a reference only the grace period keeps d in memory. */
		rcu_read_lock();
		if (__atomic_fetch_sub(&d->refs, 1, __ATOMIC_SEQ_CST) == 1) {
			u32 flags = __atomic_load_n(&d->flags, __ATOMIC_SEQ_CST);

			/* What is asked for anew each time is not kept: the names of a process in /proc end with it. */
			if (flags & DENTRY_UNLINKED ||
			    (flags & DENTRY_REVALIDATE && !d->superblock->keeps_doubtful_names))
				kill = dentry_claim(d);
			else if ((flags & idle) != idle)
				dentry_lru_add(d);
		}
		rcu_read_unlock();
		d = kill ? dentry_kill(d) : nullptr;
	}
}

struct dentry *dcache_lookup(struct dentry *parent, const struct name *name)
{
	struct dentry *d;
	u32 sequence;

	do {
		sequence = namespace_read_begin();
		rcu_read_lock();
		d = dcache_find_rcu(parent, name);
		if (d && !dentry_get_unless_dead(d))
			d = nullptr;
		rcu_read_unlock();
		if (!(sequence & 1) && namespace_read_valid(sequence))
			break;
		if (d)
			dentry_put(d);
	} while (true);
	if (d && unlikely(d->flags & DENTRY_REVALIDATE) && !parent->inode->ops->revalidate(d)) {
		dentry_drop(d);
		dentry_put(d);
		return nullptr;
	}
	return d;
}

static void dentry_set_inode(struct dentry *d, struct inode *inode)
{
	if (inode->ops && inode->ops->permission)
		dentry_flags_set(d, DENTRY_OWN_PERMISSION);
	if (S_ISDIR(inode->mode) && keeps_directories(d->superblock)) {
		spin_guard(&namespace_lock);
		inode->directory = d;
	}
	rcu_assign(d->inode, inode);
}

/* With namespace_lock or not: publishes a new dentry, or returns the one that another look-up published meanwhile, with a reference. */
static struct dentry *dentry_publish(struct dentry *d)
{
	struct name name = { d->name, d->name_length, d->hash };
	struct spinlock *lock = bucket_lock(d);
	struct dentry *old;

	spin_lock_nested(lock);
	old = dcache_find_rcu(d->parent, &name);
	if (old && dentry_get_unless_dead(old)) {
		spin_unlock(lock);
		return old;
	}
	hash_insert(d);
	spin_unlock(lock);
	spin_lock_nested(&d->parent->lock);
	list_add(&d->parent->children, &d->sibling);
	spin_unlock(&d->parent->lock);
	return d;
}

static bool is_below_locked(const struct dentry *dentry, const struct dentry *ancestor)
	__must_hold(&namespace_lock)
{
	while (dentry != ancestor && dentry->parent != dentry)
		dentry = dentry->parent;
	return dentry == ancestor;
}

/* May `d` be the name of this directory? -ELOOP: it lies above itself; -EUCLEAN: it has another name (D7). */
static int check_directory_locked(const struct dentry *d, const struct inode *inode)
	__must_hold(&namespace_lock)
{
	const struct dentry *other = inode->directory;

	if (!other || (READ_ONCE(other->refs) & DENTRY_DEAD) || (other->flags & DENTRY_UNLINKED) ||
	    (other->parent == d->parent && other->name_length == d->name_length &&
	     memcmp(other->name, d->name, d->name_length) == 0))
		return 0;
	return is_below_locked(d->parent, other) ? -ELOOP : -EUCLEAN;
}

/* Gives a new dentry what the file system found, and publishes it as dentry_publish does. */
static int dentry_publish_found(struct dentry *d, struct inode *inode, struct dentry **out)
{
	int result;

	if (!inode || !S_ISDIR(inode->mode) || !d->superblock->may_lie) {
		if (inode)
			dentry_set_inode(d, inode);
		*out = dentry_publish(d);
		if (*out != d && inode && S_ISDIR(inode->mode) &&
		    keeps_directories(d->superblock)) {
			spin_guard(&namespace_lock);
			inode->directory = *out; /* `d` goes */
		}
		return 0;
	}
	spin_guard(&namespace_lock);
	result = check_directory_locked(d, inode);
	if (result)
		return result;
	rcu_assign(d->inode, inode);
	*out = dentry_publish(d);
	if (*out == d)
		inode->directory = d;
	return 0;
}

/* Publishes what was found for a new dentry, or discards both: *out is it, or what was there before. */
static int enter_found(struct dentry *parent, struct dentry *d, struct inode *inode,
		       struct dentry **out)
{
	struct dentry *old;
	int result;

	if (parent->inode->ops->revalidate)
		d->flags |= DENTRY_REVALIDATE;
	dentry_get(parent);
	result = dentry_publish_found(d, inode, &old);
	if (result || old != d) {
		dentry_discard(d);
		if (inode)
			inode_put(inode);
		dentry_put(parent);
	}
	if (!result)
		*out = old;
	return result;
}

int dentry_enter_locked(struct dentry *parent, const struct name *name, struct inode *inode,
			void *private, struct dentry **out)
{
	struct dentry *d;
	int result = dentry_alloc(parent->superblock, parent, name, &d);

	if (result) {
		inode_put(inode);
		return result;
	}
	d->private = private;
	return enter_found(parent, d, inode, out);
}

int dentry_lookup_locked(struct dentry *parent, const struct name *name, struct dentry **out)
{
	struct inode *dir = parent->inode, *inode = nullptr;
	struct dentry *d = dcache_lookup(parent, name);
	int result;

	if (d) {
		*out = d;
		return 0;
	}
	if (name->length > NAME_MAX)
		return -ENAMETOOLONG;
	if (parent->flags & DENTRY_UNLINKED)
		return -ENOENT;
	if (!dir->ops || !dir->ops->lookup)
		return -ENOTDIR;
	result = dentry_alloc(parent->superblock, parent, name, &d);
	if (result)
		return result;
	result = dir->ops->lookup(dir, d, &inode);
	if (result) {
		dentry_discard(d);
		return result;
	}
	return enter_found(parent, d, inode, out);
}

int dentry_lookup(struct dentry *parent, const struct name *name, struct dentry **out)
{
	struct inode *dir = parent->inode;

	*out = dcache_lookup(parent, name);
	if (*out)
		return 0;
	read_guard(&dir->lock);
	return dentry_lookup_locked(parent, name, out);
}

void dentry_instantiate(struct dentry *dentry, struct inode *inode)
{
	ASSERT(!dentry->inode);
	dentry_set_inode(dentry, inode);
}

void dentry_drop(struct dentry *d)
{
	struct spinlock *lock = bucket_lock(d);

	spin_lock(lock);
	if (d->parent != d && !(d->flags & DENTRY_UNLINKED)) {
		hash_remove(d);
		__atomic_fetch_or(&d->flags, DENTRY_UNLINKED, __ATOMIC_SEQ_CST);
	}
	spin_unlock(lock);
}

static void swap_names(struct dentry *a, struct dentry *b)
{
	char text[sizeof(a->inline_name)], *a_name = a->name, *b_name = b->name;
	u32 length = a->name_length, hash = a->hash;

	memcpy(text, a->inline_name, sizeof(text));
	memcpy(a->inline_name, b->inline_name, sizeof(text));
	memcpy(b->inline_name, text, sizeof(text));
	a->name = b_name == b->inline_name ? a->inline_name : b_name;
	b->name = a_name == a->inline_name ? b->inline_name : a_name;
	a->name_length = b->name_length;
	b->name_length = length;
	a->hash = b->hash;
	b->hash = hash;
}

static void move_child(struct dentry *d, struct dentry *from, struct dentry *to)
{
	spin_lock_nested(&from->lock);
	list_remove(&d->sibling);
	spin_unlock(&from->lock);
	spin_lock_nested(&to->lock);
	list_add(&to->children, &d->sibling);
	spin_unlock(&to->lock);
}

static void rehash(struct dentry *d, bool insert)
{
	struct spinlock *lock = bucket_lock(d);

	spin_lock_nested(lock);
	if (insert)
		hash_insert(d);
	else if (!(d->flags & DENTRY_UNLINKED))
		hash_remove(d);
	spin_unlock(lock);
}

void dentry_move(struct dentry *from, struct dentry *to, bool exchange)
{
	struct dentry *from_parent = from->parent, *to_parent = to->parent;

	namespace_change_begin();
	rehash(from, false);
	rehash(to, false);
	swap_names(from, to);
	if (from_parent != to_parent) {
		/* Each takes over the reference that the other had of its parent. */
		from->parent = to_parent;
		to->parent = from_parent;
		move_child(from, from_parent, to_parent);
		move_child(to, to_parent, from_parent);
	}
	rehash(from, true);
	if (exchange)
		rehash(to, true);
	else
		__atomic_fetch_or(&to->flags, DENTRY_UNLINKED, __ATOMIC_SEQ_CST);
	namespace_change_end();
}

int dentry_create_detached(struct superblock *sb, struct inode *inode, const char *name,
			   struct dentry **out)
{
	struct name text = { name, (u32)strlen(name), 0 };
	int result = dentry_alloc(sb, nullptr, &text, out);

	if (!result)
		dentry_set_inode(*out, inode);
	return result;
}

bool dentry_is_below(struct dentry *dentry, struct dentry *ancestor)
{
	spin_guard(&namespace_lock);
	return is_below_locked(dentry, ancestor);
}

u64 dcache_count(void)
{
	return READ_ONCE(dentry_count);
}

void dcache_init(void)
{
	u64 idle_limit = dentry_lru_init();

	bucket_bits = 10;
	while (bucket_bits < 17 && (1ull << bucket_bits) < idle_limit / 2)
		bucket_bits++;
	buckets = kvmalloc(sizeof(*buckets) << bucket_bits, ALLOC_ZERO | ALLOC_BOOT);
	for (unsigned i = 0; i < LOCK_COUNT; i++)
		spin_init(&bucket_locks[i], RANK_DENTRY);
	dentry_cache = slab_cache_create("dentry", sizeof(struct dentry), 64);
}
