/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shares of budgets in memory objects. The theory is in cache_share.h. */
#include <core/lock.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/refs.h>
#include <mm/aspace.h>
#include <mm/budget.h>
#include <mm/cache_share.h>
#include <mm/memory_object_priv.h>
#include <mm/slab.h>
#include <mm/write_back.h>

#define ROOM_BATCH                                                                                 \
	64u /* pages that are freed at once, so that a reader at its limit is not held up by each */
#define BARREN_CHARGES 256u /* pages that nobody is charged for once there was nothing to free */
#define WRITE_TRIES 100u
#define WRITE_WAIT (50 * NSEC_PER_MSEC)

struct cache_share {
	struct memory_object *object;
	struct memory_budget *budget; /* null: it has ended */
	u64 pages;
	u32 pins;		     /* of make_room: it must not go */
	u64 first_index, last_index; /* none of its pages is outside of these */
	u64 hand;		     /* where make_room goes on */
	struct cache_share *next;    /* of the object */
	struct list_head node;	     /* in budget->shares, the next for make_room first */
};

static struct spinlock share_lock = SPINLOCK_INIT(RANK_CACHE_SHARE);
static struct list_head payers __guarded_by(&share_lock) = LIST_INIT(payers);
static struct slab_cache *share_slab;

/* --- shares --- */

static struct cache_share *find_locked(struct memory_object *object,
				       const struct memory_budget *budget) __must_hold(&share_lock)
{
	struct cache_share *share = object->shares;

	while (share && share->budget != budget)
		share = share->next;
	return share;
}

static void add_locked(struct cache_share *share) __must_hold(&share_lock)
{
	struct memory_budget *budget = share->budget;

	share->next = share->object->shares;
	share->object->shares = share;
	if (list_empty(&budget->shares))
		list_add_tail(&payers, &budget->payer_node);
	list_add_tail(&budget->shares, &share->node);
}

/* Its budget does not pay for it any more, neither for the pages nor for the structure. */
static void detach_locked(struct cache_share *share) __must_hold(&share_lock)
{
	struct memory_budget *budget = share->budget;

	list_remove(&share->node);
	if (list_empty(&budget->shares))
		list_remove(&budget->payer_node);
	memory_budget_release(budget, (share->pages << PAGE_SHIFT) + slab_object_size(share_slab));
	share->budget = nullptr;
}

static void free_unused_locked(struct cache_share *share) __must_hold(&share_lock)
{
	struct cache_share **link = &share->object->shares;

	if (share->pages || share->pins)
		return;
	while (*link != share)
		link = &(*link)->next;
	*link = share->next;
	if (share->budget)
		detach_locked(share);
	slab_free(share_slab, share);
}

static void enter_locked(struct cache_share *share, u64 index) __must_hold(&share_lock)
{
	share->pages++;
	share->first_index = MIN(share->first_index, index);
	share->last_index = MAX(share->last_index, index);
}

/* A page more in the share of the budget, which is charged with it already: null if there is none. */
static struct cache_share *enter_existing(struct memory_object *object,
					  const struct memory_budget *budget, u64 index)
{
	struct cache_share *share;

	spin_lock(&share_lock);
	share = find_locked(object, budget);
	if (share)
		enter_locked(share, index);
	spin_unlock(&share_lock);
	return share;
}

static struct cache_share *enter_new(struct memory_object *object, struct memory_budget *budget,
				     u64 index)
{
	u64 bytes = slab_object_size(share_slab);
	struct cache_share *made, *share;

	if (!memory_budget_charge_quietly(budget, bytes))
		return nullptr;
	made = slab_alloc(share_slab, ALLOC_ZERO);
	if (!made) {
		memory_budget_release(budget, bytes);
		return nullptr;
	}
	made->object = object;
	made->budget = budget;
	made->first_index = made->hand = index;
	spin_lock(&share_lock);
	share = find_locked(object, budget);
	if (likely(!share)) {
		add_locked(made);
		share = made;
	}
	enter_locked(share, index);
	spin_unlock(&share_lock);
	if (unlikely(share != made)) {
		slab_free(share_slab, made);
		memory_budget_release(budget, bytes);
	}
	return share;
}

/* --- charging --- */

static __noinline int charge(struct memory_object *object, struct page *page, u64 index,
			     struct memory_budget *budget)
{
	bool optional = memory_object_has_home(object);
	struct cache_share *share;

	if (!(optional ? memory_budget_charge_quietly(budget, PAGE_SIZE)
		       : memory_budget_charge(budget, PAGE_SIZE)))
		return optional ? 0 : -ENOMEM;
	share = enter_existing(object, budget, index) ?: enter_new(object, budget, index);
	if (!share) {
		memory_budget_release(budget, PAGE_SIZE);
		return optional ? 0 : -ENOMEM;
	}
	page->private = (uintptr_t)share;
	return 0;
}

int cache_share_charge(struct memory_object *object, struct page *page, u64 index)
{
	struct aspace *as = current_aspace();

	if (likely(!as || !as->budget) || object->paid)
		return 0;
	return charge(object, page, index, as->budget);
}

void cache_share_uncharge_slow(struct page *page)
{
	struct cache_share *share = (struct cache_share *)page->private;

	page->private = 0;
	spin_lock(&share_lock);
	share->pages--;
	if (share->budget)
		memory_budget_release(share->budget, PAGE_SIZE);
	free_unused_locked(share);
	spin_unlock(&share_lock);
}

void cache_share_forget(struct memory_budget *budget)
{
	spin_lock(&share_lock);
	while (!list_empty(&budget->shares))
		detach_locked(list_first(&budget->shares, struct cache_share, node));
	spin_unlock(&share_lock);
}

/* --- making room --- */

/* What `below` is charged with, `budget` is charged with too. */
static bool pays_into(const struct memory_budget *below, const struct memory_budget *budget)
{
	while (below != budget && !below->reserved && below->parent)
		below = below->parent;
	return below == budget;
}

/* How many scans go through all that is charged to the budget or below it. */
static u64 count_scans(const struct memory_budget *budget)
{
	const struct memory_budget *payer;
	const struct cache_share *share;
	u64 count = 0;

	spin_lock(&share_lock);
	list_for_each (payer, &payers, payer_node) {
		if (!pays_into(payer, budget))
			continue;
		list_for_each (share, &payer->shares, node) {
			u64 span = share->last_index - share->first_index;

			count += 1 + MIN(span, share->object->page_count) / SCAN_PAGES;
		}
	}
	spin_unlock(&share_lock);
	return count;
}

/* The share whose turn it is, pinned, with a reference of its object; it moves to the end. Null: none. */
static struct cache_share *next_locked(const struct memory_budget *budget) __must_hold(&share_lock)
{
	struct memory_budget *payer;

	list_for_each (payer, &payers, payer_node) {
		struct cache_share *share;

		if (!pays_into(payer, budget))
			continue;
		share = list_first(&payer->shares, struct cache_share, node);
		list_remove(&share->node);
		list_add_tail(&payer->shares, &share->node);
		list_remove(&payer->payer_node);
		list_add_tail(&payers, &payer->payer_node);
		if (!refs_get_unless_zero(&share->object->refs))
			return nullptr; /* it is about to go, with all its pages */
		share->pins++;
		return share;
	}
	return nullptr;
}

/* Frees some of what comes next in the share. What is mapped there has had its second chance: it is unmapped. */
static u64 scan_share(struct cache_share *share, u64 target, bool *dirty)
{
	u64 from = READ_ONCE(share->hand), last = READ_ONCE(share->last_index), freed;
	struct share_scan scan = { .share = share, .next = from, .last = last };

	freed = memory_object_scan_share(share->object, &scan, target);
	if (!freed && scan.held) {
		aspace_unmap_object(share->object, from << PAGE_SHIFT,
				    (scan.ended ? last + 1 : scan.next) << PAGE_SHIFT, false);
		scan.next = from;
		freed = memory_object_scan_share(share->object, &scan, target);
	}
	WRITE_ONCE(share->hand, scan.ended ? READ_ONCE(share->first_index) : scan.next);
	*dirty |= scan.dirty;
	return freed;
}

static u64 free_some(struct memory_budget *budget, u64 target, bool *dirty)
{
	struct memory_object *object;
	struct cache_share *share;
	u64 freed;

	spin_lock(&share_lock);
	share = next_locked(budget);
	spin_unlock(&share_lock);
	if (!share)
		return 0;
	object = share->object;
	freed = scan_share(share, target, dirty);
	spin_lock(&share_lock);
	share->pins--;
	free_unused_locked(share);
	spin_unlock(&share_lock);
	memory_object_put(object);
	return freed;
}

/* Waits until dirty pages of somebody are written: false if there are none, or it takes too long. */
static bool write_some(void)
{
	for (unsigned tries = 0; tries < WRITE_TRIES; tries++) {
		if (write_back_progress(ROOM_BATCH, clock_monotonic_ns() + WRITE_WAIT))
			return true;
		if (mm_hooks.fatal_signal_pending && mm_hooks.fatal_signal_pending())
			return false;
	}
	return false;
}

bool cache_share_make_room(struct memory_budget *budget, u64 bytes, bool anyhow)
{
	u64 target = MAX(bytes >> PAGE_SHIFT, (u64)ROOM_BATCH), freed = 0;
	bool dirty = false;

	if (current_base()->preempt_count || !arch_irq_enabled())
		return false;
	if (!anyhow && READ_ONCE(budget->barren)) {
		__atomic_fetch_sub(&budget->barren, 1, __ATOMIC_RELAXED);
		return false;
	}
	/* Twice around: what was used lately is spared once. */
	for (u64 left = 2 * count_scans(budget); left && freed < target; left--)
		freed += free_some(budget, target - freed, &dirty);
	if (freed)
		return true;
	WRITE_ONCE(budget->barren, BARREN_CHARGES);
	return anyhow && dirty && write_some();
}

void cache_share_init(void)
{
	share_slab = slab_cache_create("cache_share", sizeof(struct cache_share), 0);
}
