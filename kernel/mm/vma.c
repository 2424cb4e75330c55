/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of mappings of an address space: a red-black tree by address, each node with the largest
 * gap in front of any mapping of its subtree, so that finding room is logarithmic.
 *
 * A mapping of a memory object is also in the object's list. Its range and offset change only under
 * object->mappings_lock, because truncation walks that list without the address space's lock.
 */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace_priv.h>
#include <mm/budget.h>
#include <mm/memory_object.h>
#include <mm/slab.h>

static struct slab_cache *vma_cache;

static struct vma *vma_of(const struct rb_node *node)
{
	return rb_entry(node, struct vma, node);
}

struct vma *vma_next(struct vma *vma)
{
	struct rb_node *node = rb_next(&vma->node);

	return node ? vma_of(node) : nullptr;
}

struct vma *vma_prev(struct vma *vma)
{
	struct rb_node *node = rb_prev(&vma->node);

	return node ? vma_of(node) : nullptr;
}

struct vma *aspace_find(struct aspace *as, vaddr_t address)
{
	struct vma *found = nullptr;

	for (struct rb_node *node = as->vmas.root; node;) {
		struct vma *vma = vma_of(node);
		if (address < vma->end) {
			found = vma;
			if (address >= vma->start)
				break;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

/* --- gaps --- */

vaddr_t vma_lowest(const struct vma *vma)
{
	if (!(vma->flags & VMA_GROWSDOWN))
		return vma->start;
	return vma->start > STACK_GUARD_GAP ? vma->start - STACK_GUARD_GAP : 0;
}

/* Where the gap in front of a vma begins. */
static vaddr_t vma_gap_start(struct vma *vma)
{
	struct vma *prev = vma_prev(vma);

	return prev ? prev->end : 0;
}

/* Bytes in front of a vma that a new mapping could take. */
static u64 vma_gap(struct vma *vma)
{
	vaddr_t start = vma_gap_start(vma), end = vma_lowest(vma);

	return end > start ? end - start : 0;
}

static u64 subtree_max_gap(const struct rb_node *node)
{
	return node ? vma_of(node)->max_gap : 0;
}

static void vma_update_gap(struct rb_node *node)
{
	struct vma *vma = vma_of(node);
	u64 below = MAX(subtree_max_gap(node->left), subtree_max_gap(node->right));

	vma->max_gap = MAX(vma->gap, below);
}

/* The gap in front of `vma` (may be null) may have changed. */
static void vma_gap_changed(struct vma *vma)
{
	if (!vma)
		return;
	vma->gap = vma_gap(vma);
	for (struct rb_node *node = &vma->node; node; node = rb_parent(node)) {
		u64 former = vma_of(node)->max_gap;

		vma_update_gap(node);
		if (vma_of(node)->max_gap == former && node != &vma->node)
			break;
	}
}

struct gap_search {
	size_t length;
	vaddr_t low, high;
	vaddr_t result;
};

static bool gap_fits(struct gap_search *search, vaddr_t start, vaddr_t end)
{
	start = MAX(start, search->low);
	end = MIN(end, search->high);
	if (start >= end || end - start < search->length)
		return false;
	search->result = end - search->length;
	return true;
}

/* Searches a subtree from high to low addresses. Depth is logarithmic. */
static bool gap_search_subtree(struct gap_search *search, struct rb_node *node)
{
	if (!node || vma_of(node)->max_gap < search->length)
		return false;
	struct vma *vma = vma_of(node);
	/* To the right of this vma everything begins at its end. */
	if (vma->end < search->high && gap_search_subtree(search, node->right))
		return true;
	if (gap_fits(search, vma_gap_start(vma), vma_lowest(vma)))
		return true;
	return vma->start > search->low && gap_search_subtree(search, node->left);
}

int vma_find_gap(struct aspace *as, size_t length, vaddr_t low, vaddr_t high, vaddr_t *out)
{
	struct gap_search search = { length, low, high, 0 };
	struct rb_node *last = rb_last(&as->vmas);

	if (!gap_fits(&search, last ? vma_of(last)->end : 0, high) &&
	    !gap_search_subtree(&search, as->vmas.root))
		return -ENOMEM;
	*out = search.result;
	return 0;
}

/* --- books --- */

static void vma_account(struct aspace *as, u64 flags, s64 pages)
{
	as->mapped_pages += pages;
	if (flags & VMA_LOCKED)
		as->locked_pages += pages;
	if (flags & VMA_GROWSDOWN)
		as->stack_pages += pages;
	else if (vma_is_private_writable(flags))
		as->data_pages += pages;
	else if (flags & VMA_EXEC)
		as->exec_pages += pages;
	if (as->mapped_pages > as->mapped_peak)
		as->mapped_peak = as->mapped_pages;
}

void vma_set_flags(struct vma *vma, u64 flags)
{
	bool grew_down = (vma->flags ^ flags) & VMA_GROWSDOWN;

	vma_account(vma->aspace, vma->flags, -(s64)vma_pages(vma));
	vma->flags = flags;
	vma_account(vma->aspace, flags, vma_pages(vma));
	if (grew_down)
		vma_gap_changed(vma);
}

/* --- single mappings --- */

/* Memory for a mapping, charged to the budget of its address space. */
static struct vma *vma_alloc(struct aspace *as, u32 flags)
{
	struct vma *vma;

	if (!memory_budget_charge(as->budget, slab_object_size(vma_cache)))
		return nullptr;
	vma = slab_alloc(vma_cache, flags);
	if (!vma)
		memory_budget_release(as->budget, slab_object_size(vma_cache));
	return vma;
}

struct vma *vma_create(struct aspace *as)
{
	struct vma *vma = vma_alloc(as, ALLOC_ZERO);

	if (vma) {
		vma->aspace = as;
		list_init(&vma->object_node);
	}
	return vma;
}

void vma_destroy(struct vma *vma)
{
	if (vma->object)
		memory_object_put(vma->object);
	if (vma->file)
		mm_hooks.file_put(vma->file);
	if (unlikely(vma->derivation))
		mm_hooks.vma_underived(vma);
	memory_budget_release(vma->aspace->budget, slab_object_size(vma_cache));
	slab_free(vma_cache, vma);
}

struct vma *vma_copy(struct aspace *as, const struct vma *vma)
{
	struct vma *copy = vma_alloc(as, 0);

	if (!copy)
		return nullptr;
	*copy = *vma;
	copy->aspace = as;
	list_init(&copy->object_node);
	if (copy->object)
		memory_object_get(copy->object);
	if (copy->file)
		mm_hooks.file_get(copy->file);
	if (unlikely(copy->derivation))
		mm_hooks.vma_derived(copy);
	return copy;
}

static void vma_mappings_lock(struct vma *vma) __no_lock_analysis /* conditional */
{
	if (vma->object)
		mutex_lock(&vma->object->mappings_lock);
}

static void vma_mappings_unlock(struct vma *vma) __no_lock_analysis /* conditional */
{
	if (vma->object)
		mutex_unlock(&vma->object->mappings_lock);
}

static void vma_link(struct vma *vma)
{
	struct rb_node **link = &vma->aspace->vmas.root, *parent = nullptr;
	struct vma *prev = nullptr;

	while (*link) {
		parent = *link;
		if (vma->start < vma_of(parent)->start) {
			link = &parent->left;
		} else {
			prev = vma_of(parent);
			link = &parent->right;
		}
	}
	vaddr_t room = prev ? prev->end : 0, lowest = vma_lowest(vma);
	vma->gap = lowest > room ? lowest - room : 0;
	rb_insert(&vma->aspace->vmas, &vma->node, parent, link, vma_update_gap);
	vma_gap_changed(vma_next(vma));
}

void vma_insert(struct vma *vma)
{
	vma_link(vma);
	if (vma->object) {
		mutex_lock(&vma->object->mappings_lock);
		list_add_tail(&vma->object->mappings, &vma->object_node);
		mutex_unlock(&vma->object->mappings_lock);
	}
	vma_account(vma->aspace, vma->flags, vma_pages(vma));
}

void vma_remove(struct vma *vma)
{
	struct aspace *as = vma->aspace;
	struct vma *next = vma_next(vma);

	if (vma->object) {
		mutex_lock(&vma->object->mappings_lock);
		list_remove(&vma->object_node);
		mutex_unlock(&vma->object->mappings_lock);
	}
	rb_erase(&as->vmas, &vma->node, vma_update_gap);
	vma_gap_changed(next);
	vma_account(as, vma->flags, -(s64)vma_pages(vma));
	as->last_found = nullptr;
}

static void vma_destroy_subtree(struct rb_node *node)
{
	if (!node)
		return;
	vma_destroy_subtree(node->left);
	vma_destroy_subtree(node->right);
	vma_destroy(vma_of(node));
}

void vma_destroy_all(struct aspace *as)
{
	struct rb_node *first = rb_first(&as->vmas);

	for (struct vma *vma = first ? vma_of(first) : nullptr; vma; vma = vma_next(vma)) {
		if (!vma->object)
			continue;
		mutex_lock(&vma->object->mappings_lock);
		list_remove(&vma->object_node);
		mutex_unlock(&vma->object->mappings_lock);
	}
	vma_destroy_subtree(as->vmas.root);
	as->vmas.root = nullptr;
	as->last_found = nullptr;
	as->mapped_pages = as->locked_pages = as->data_pages = as->stack_pages = as->exec_pages = 0;
}

void vma_resize(struct vma *vma, vaddr_t start, vaddr_t end)
{
	vma_account(vma->aspace, vma->flags, -(s64)vma_pages(vma));
	vma_mappings_lock(vma);
	vma->offset += start - vma->start;
	vma->start = start;
	vma->end = end;
	vma_mappings_unlock(vma);
	vma_account(vma->aspace, vma->flags, vma_pages(vma));
	vma_gap_changed(vma);
	vma_gap_changed(vma_next(vma));
}

int vma_split(struct vma *vma, vaddr_t at)
{
	struct vma *upper = vma_copy(vma->aspace, vma);

	if (!upper)
		return -ENOMEM;
	upper->start = at;
	upper->offset = vma_offset_of(vma, at);
	upper->device += at - vma->start;
	/* The upper part of a stack has something below it and grows no more. */
	upper->flags &= ~VMA_GROWSDOWN;
	/* First this: whoever walks object->mappings always finds one of the two. */
	vma_insert(upper);
	vma_resize(vma, vma->start, at);
	return 0;
}

int vma_isolate(struct aspace *as, vaddr_t start, vaddr_t end)
{
	struct vma *vma = aspace_find(as, start);

	if (vma && vma->start < start && vma_split(vma, start))
		return -ENOMEM;
	vma = aspace_find(as, end - 1);
	if (vma && vma->start < end && vma->end > end)
		return vma_split(vma, end);
	return 0;
}

/* --- merging --- */

static bool vma_can_merge(const struct vma *low, const struct vma *high)
{
	if (low->end != high->start || low->flags != high->flags || low->object != high->object ||
	    low->file != high->file || low->derivation != high->derivation ||
	    low->name != high->name ||
	    low->flags & (VMA_SPECIAL | VMA_DEVICE | VMA_GROWSDOWN | VMA_STACK))
		return false;
	return !low->object || vma_offset_of(low, low->end) == high->offset;
}

/* Makes `low` cover `high`, which goes away. */
static void vma_absorb(struct vma *low, struct vma *high)
{
	vaddr_t end = high->end;

	low->private_pages |= high->private_pages;
	/* First this: whoever walks object->mappings always finds one of the two. */
	vma_resize(low, low->start, end);
	vma_remove(high);
	vma_destroy(high);
}

struct vma *vma_merge(struct vma *vma)
{
	struct vma *next = vma_next(vma), *prev = vma_prev(vma);

	if (next && vma_can_merge(vma, next))
		vma_absorb(vma, next);
	if (prev && vma_can_merge(prev, vma)) {
		vma_absorb(prev, vma);
		return prev;
	}
	return vma;
}

bool vma_range_is_mapped(struct aspace *as, vaddr_t start, vaddr_t end)
{
	for (struct vma *vma = aspace_find(as, start); vma && vma->start <= start;
	     vma = vma_next(vma)) {
		start = vma->end;
		if (start >= end)
			return true;
	}
	return start >= end;
}

void vma_boot(void)
{
	vma_cache = slab_cache_create("vma", sizeof(struct vma), 0);
}
