/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dentries that nobody uses: a list in the order of their last use, from which they are freed. */
#include <core/work.h>
#include <lib/list.h>
#include <lib/refs.h>
#include <mm/aspace.h>
#include <vfs/dcache_priv.h>

#define DENTRY_BYTES_ROUGH 256 /* with its share of inode and slab */

static struct spinlock lru_lock = SPINLOCK_INIT(RANK_DENTRY);
static struct list_head lru = LIST_INIT(lru);
static u64 lru_count; /* written under lru_lock */
static u64 idle_limit;
static struct work trim_work;

void dentry_lru_remove(struct dentry *d)
{
	spin_guard(&lru_lock);
	if (!list_empty(&d->lru)) {
		list_remove(&d->lru);
		lru_count--;
	}
}

void dentry_lru_add(struct dentry *d)
{
	bool trim;

	spin_lock(&lru_lock);
	dentry_flags_set(d, DENTRY_LRU | DENTRY_REFERENCED);
	if (list_empty(&d->lru)) {
		list_add_tail(&lru, &d->lru);
		lru_count++;
	}
	trim = lru_count > idle_limit;
	spin_unlock(&lru_lock);
	if (trim)
		work_queue(&trim_work);
}

/*
 * Claims an unused dentry for its end. `any`: the caller has no reference to its superblock, so this takes one; a superblock that
 * has none any more is about to claim its dentries itself.
 */
static bool claim(struct dentry *d, bool any)
{
	if (!dentry_claim(d))
		return false;
	if (!any || refs_get_unless_zero(&d->superblock->refs))
		return true;
	__atomic_store_n(&d->refs, 0, __ATOMIC_RELEASE);
	return false;
}

/*
 * Claims up to `count` unused dentries of `sb` (null: any, with a reference to the superblock of each) from the LRU list into
 * `victims`; looks at each at most once.
 */
static u64 claim_unused(struct superblock *sb, u64 count, struct list_head *victims)
{
	struct list_head *node, *next;
	u64 found = 0;

	spin_guard(&lru_lock);
	node = lru.next;
	for (u64 seen = lru_count; seen && found < count; seen--, node = next) {
		struct dentry *d = list_entry(node, struct dentry, lru);

		next = node->next;
		if (sb && d->superblock != sb)
			continue;
		if (!sb && (d->flags & DENTRY_REFERENCED)) {
			__atomic_fetch_and(&d->flags, ~(u32)DENTRY_REFERENCED, __ATOMIC_RELAXED);
			list_remove(&d->lru);
			list_add_tail(&lru, &d->lru);
		} else if (claim(d, !sb)) {
			list_remove(&d->lru);
			lru_count--;
			list_add_tail(victims, &d->lru);
			found++;
		}
	}
	return found;
}

static struct dentry *first_victim(struct list_head *victims)
{
	struct dentry *d;

	if (list_empty(victims))
		return nullptr;
	d = list_first(victims, struct dentry, lru);
	list_remove(&d->lru);
	return d;
}

u64 dcache_shrink(u64 count)
{
	struct list_head victims = LIST_INIT(victims);
	u64 freed = claim_unused(nullptr, count, &victims);
	struct dentry *d;

	while ((d = first_victim(&victims))) {
		struct superblock *sb = d->superblock;
		struct dentry *parent = dentry_kill(d);

		if (parent)
			dentry_put(parent);
		superblock_put(sb);
	}
	return freed;
}

static struct dentry *claim_child(struct dentry *dir)
{
	struct dentry *d;

	spin_guard(&dir->lock);
	list_for_each (d, &dir->children, sibling)
		if (dentry_claim(d))
			return d;
	return nullptr;
}

void dcache_free_children(struct dentry *dir)
{
	struct dentry *d;

	while ((d = claim_child(dir)))
		dentry_put(dentry_kill(d));
}

void dcache_shrink_superblock(struct superblock *sb)
{
	struct list_head victims = LIST_INIT(victims);
	struct dentry *d;

	while (claim_unused(sb, UINT64_MAX, &victims)) {
		while ((d = first_victim(&victims))) {
			/* Directories go at once with their last child, or each level would take a round. */
			while (d && d != sb->root) {
				struct dentry *parent = dentry_kill(d);
				bool last = parent && __atomic_fetch_sub(&parent->refs, 1,
									 __ATOMIC_SEQ_CST) == 1;

				d = last && dentry_claim(parent) ? parent : nullptr;
			}
		}
	}
}

static void trim(struct work *work)
{
	u64 idle = READ_ONCE(lru_count);

	/* The first round may only age them. */
	if (idle > idle_limit && !dcache_shrink(idle - idle_limit + idle_limit / 16))
		dcache_shrink(idle_limit / 16 + 1);
}

u64 dcache_unused_count(void)
{
	return READ_ONCE(lru_count);
}

u64 dentry_lru_init(void)
{
	struct frame_stats memory;

	frame_stats(&memory);
	idle_limit = memory.total * PAGE_SIZE / 32 / DENTRY_BYTES_ROUGH;
	work_init(&trim_work, trim);
	mm_hooks.shrink_caches = dcache_shrink;
	return idle_limit;
}
