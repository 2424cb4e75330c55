/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Radix trees of 64-way nodes. A node of shift s covers the 64 << s indices that share the bits
 * above; leaves have shift 0. The root grows and shrinks with the largest index; a map with nothing
 * but index 0 (small files have one page) needs no node at all.
 *
 * Two bit maps per node make walks short: `present` tells the slots in use, `full` those with no
 * free index below them. Invariants: an inner slot in use has a node with at least one value below
 * it; bit i of full is set exactly if (leaf) slot i is in use or (inner) its node's full is all
 * ones.
 *
 * Readers under RCU may stand in a node that is being taken out. So nodes are published with
 * release stores, freed through lib_free_deferred, and a node taken out keeps its slots' contents.
 */
#include <lib/alloc.h>
#include <lib/errno.h>
#include <lib/radix.h>

#define SLOTS_SHIFT 6
#define SLOTS (1u << SLOTS_SHIFT)
#define ALL_ONES (~0ull)

struct radix_node {
	struct lib_deferred deferred; /* first: see lib/alloc.h */
	u64 present, full;
	struct radix_node *parent;
	u8 shift;
	u8 offset; /* our slot in the parent */
	void *slots[SLOTS];
};

static inline bool is_node(const void *root)
{
	return (uintptr_t)root & 1;
}

static inline struct radix_node *to_node(const void *root)
{
	return (struct radix_node *)((uintptr_t)root & ~(uintptr_t)1);
}

static inline void set_root(struct radix_tree *t, struct radix_node *node)
{
	__atomic_store_n(&t->root, (void *)((uintptr_t)node | 1), __ATOMIC_RELEASE);
}

/* The largest index that a tree with this root node can hold. */
static inline u64 node_limit(const struct radix_node *n)
{
	unsigned bits = n->shift + SLOTS_SHIFT;

	return bits >= 64 ? UINT64_MAX : (1ull << bits) - 1;
}

static inline unsigned slot_of(const struct radix_node *n, u64 index)
{
	return index >> n->shift & (SLOTS - 1);
}

void *radix_load(const struct radix_tree *t, u64 index)
{
	void *p = __atomic_load_n(&t->root, __ATOMIC_ACQUIRE);
	struct radix_node *n;

	if (!is_node(p))
		return index ? nullptr : p;
	n = to_node(p);
	if (index > node_limit(n))
		return nullptr;
	for (;;) {
		p = __atomic_load_n(&n->slots[slot_of(n, index)], __ATOMIC_ACQUIRE);
		if (!n->shift || !p)
			return p;
		n = p;
	}
}

unsigned radix_load_run(const struct radix_tree *t, u64 index, void **values, unsigned count)
{
	const void *p = __atomic_load_n(&t->root, __ATOMIC_ACQUIRE);
	const struct radix_node *n;
	unsigned done = 0;

	if (!is_node(p)) {
		values[0] = index ? nullptr : (void *)(uintptr_t)p;
		return values[0] != nullptr;
	}
	n = to_node(p);
	if (index > node_limit(n))
		return 0;
	while (n->shift) {
		n = __atomic_load_n(&n->slots[slot_of(n, index)], __ATOMIC_ACQUIRE);
		if (!n)
			return 0;
	}
	void *const *slot = &n->slots[slot_of(n, index)];
	count = MIN(count, SLOTS - slot_of(n, index));
	while (done < count && (values[done] = __atomic_load_n(&slot[done], __ATOMIC_ACQUIRE)))
		done++;
	return done;
}

/* Slot `i` of `n` became full or stopped being so: corrects `full` up to the root. */
static void set_full(struct radix_node *n, unsigned i)
{
	for (;;) {
		n->full |= 1ull << i;
		if (n->full != ALL_ONES || !n->parent)
			return;
		i = n->offset;
		n = n->parent;
	}
}

static void clear_full(struct radix_node *n, unsigned i)
{
	for (;;) {
		bool was_full = n->full == ALL_ONES;

		n->full &= ~(1ull << i);
		if (!was_full || !n->parent)
			return;
		i = n->offset;
		n = n->parent;
	}
}

static struct radix_node *new_node(unsigned shift)
{
	struct radix_node *n = lib_alloc(sizeof(*n));

	if (n)
		n->shift = (u8)shift;
	return n;
}

static void attach(struct radix_node *parent, unsigned i, struct radix_node *child)
{
	child->parent = parent;
	child->offset = (u8)i;
	parent->present |= 1ull << i;
	if (child->full == ALL_ONES)
		parent->full |= 1ull << i;
	__atomic_store_n(&parent->slots[i], child, __ATOMIC_RELEASE);
}

/* Takes out empty nodes from `n` upwards, then the levels at the top that hold nothing but their
 * slot 0. */
static void shrink(struct radix_tree *t, struct radix_node *n)
{
	while (n && !n->present) {
		struct radix_node *parent = n->parent;

		if (parent) {
			__atomic_store_n(&parent->slots[n->offset], nullptr, __ATOMIC_RELEASE);
			parent->present &= ~(1ull << n->offset);
			parent->full &= ~(1ull << n->offset);
		} else {
			__atomic_store_n(&t->root, nullptr, __ATOMIC_RELEASE);
		}
		lib_free_deferred(&n->deferred);
		n = parent;
	}
	while (is_node(t->root)) {
		struct radix_node *top = to_node(t->root);
		struct radix_node *child = top->slots[0];

		if (top->present != 1)
			return;
		if (top->shift) {
			child->parent = nullptr;
			set_root(t, child);
		} else {
			__atomic_store_n(&t->root, (void *)child, __ATOMIC_RELEASE);
		}
		lib_free_deferred(&top->deferred);
	}
}

/* Puts levels on top until `index` is in range. On failure shrink() takes them away again. */
static int grow(struct radix_tree *t, u64 index)
{
	if (!is_node(t->root)) {
		struct radix_node *leaf = new_node(0);

		if (!leaf)
			return -ENOMEM;
		if (t->root) {
			leaf->slots[0] = t->root;
			leaf->present = leaf->full = 1;
		}
		set_root(t, leaf);
	}
	while (index > node_limit(to_node(t->root))) {
		struct radix_node *old = to_node(t->root);
		struct radix_node *top = new_node(old->shift + SLOTS_SHIFT);

		if (!top) {
			shrink(t, old);
			return -ENOMEM;
		}
		if (old->present)
			attach(top, 0, old);
		else
			lib_free_deferred(&old->deferred);
		set_root(t, top);
	}
	return 0;
}

/* The leaf that holds `index`, made if need be. */
static struct radix_node *leaf_for(struct radix_tree *t, u64 index)
{
	struct radix_node *n, *child;

	if (grow(t, index))
		return nullptr;
	for (n = to_node(t->root); n->shift; n = child) {
		child = n->slots[slot_of(n, index)];
		if (child)
			continue;
		child = new_node(n->shift - SLOTS_SHIFT);
		if (!child) {
			shrink(t, n);
			return nullptr;
		}
		attach(n, slot_of(n, index), child);
	}
	return n;
}

int radix_store(struct radix_tree *t, u64 index, void *value, void **former)
{
	struct radix_node *leaf;
	void *old;
	unsigned i;

	if (!index && !is_node(t->root)) {
		old = t->root;
		__atomic_store_n(&t->root, value, __ATOMIC_RELEASE);
	} else {
		leaf = leaf_for(t, index);
		if (!leaf)
			return -ENOMEM;
		i = slot_of(leaf, index);
		old = leaf->slots[i];
		__atomic_store_n(&leaf->slots[i], value, __ATOMIC_RELEASE);
		if (!old) {
			leaf->present |= 1ull << i;
			set_full(leaf, i);
		}
	}
	if (!old)
		t->entries++;
	if (former)
		*former = old;
	return 0;
}

void *radix_remove(struct radix_tree *t, u64 index)
{
	struct radix_node *n;
	void *value;
	unsigned i;

	if (!is_node(t->root)) {
		value = index ? nullptr : t->root;
		if (value) {
			__atomic_store_n(&t->root, nullptr, __ATOMIC_RELEASE);
			t->entries--;
		}
		return value;
	}
	n = to_node(t->root);
	if (index > node_limit(n))
		return nullptr;
	for (; n->shift; n = n->slots[slot_of(n, index)])
		if (!n->slots[slot_of(n, index)])
			return nullptr;
	i = slot_of(n, index);
	value = n->slots[i];
	if (!value)
		return nullptr;
	__atomic_store_n(&n->slots[i], nullptr, __ATOMIC_RELEASE);
	n->present &= ~(1ull << i);
	clear_full(n, i);
	t->entries--;
	shrink(t, n);
	return value;
}

/* Bits `from` and above. */
static inline u64 bits_from(unsigned from)
{
	return ALL_ONES << from;
}

/*
 * The first index >= *index at which the bit maps show a bit (of present, or of the complement of
 * full); for a free index an absent inner slot counts as found at its first index. Returns false at
 * the end of the tree.
 */
static bool find(const struct radix_node *n, u64 *index, bool want_free)
{
	u64 at = *index;

	if (at > node_limit(n))
		return false;
	for (;;) {
		unsigned i = slot_of(n, at);
		u64 map = (want_free ? ~n->full : n->present) & bits_from(i);

		if (!map) {
			/* Nothing further in this node: on with the parent's next slot. */
			do {
				if (!n->parent)
					return false;
				i = n->offset;
				n = n->parent;
			} while (i == SLOTS - 1);
			at = (at >> n->shift) + 1;
			at <<= n->shift;
			continue;
		}
		if ((unsigned)__builtin_ctzll(map) != i) {
			i = (unsigned)__builtin_ctzll(map);
			at = (at >> n->shift & ~(u64)(SLOTS - 1)) | i;
			at <<= n->shift;
		}
		if (!n->shift || !n->slots[i]) {
			*index = at;
			return true;
		}
		n = n->slots[i];
	}
}

void *radix_next(const struct radix_tree *t, u64 *index, u64 last)
{
	u64 at = *index;

	if (!is_node(t->root)) {
		if (at || !t->root)
			return nullptr;
		return t->root;
	}
	if (!find(to_node(t->root), &at, false) || at > last)
		return nullptr;
	*index = at;
	return radix_load(t, at);
}

int radix_next_free(const struct radix_tree *t, u64 start, u64 last, u64 *index)
{
	u64 at = start;

	if (!is_node(t->root)) {
		if (!at && t->root)
			at = 1;
	} else if (!find(to_node(t->root), &at, true)) {
		/* All of [start, limit] is in use, or start lies beyond the tree, where everything
		 * is free. */
		u64 limit = node_limit(to_node(t->root));

		if (start <= limit) {
			if (limit == UINT64_MAX)
				return -ENOSPC;
			at = limit + 1;
		}
	}
	if (at > last)
		return -ENOSPC;
	*index = at;
	return 0;
}

static void release_values(struct radix_node *n, void (*release)(void *value))
{
	for (u64 map = n->present; map; map &= map - 1)
		release(n->slots[__builtin_ctzll(map)]);
}

void radix_destroy(struct radix_tree *t, void (*release)(void *value))
{
	struct radix_node *n, *parent;

	if (!is_node(t->root)) {
		if (t->root && release)
			release(t->root);
		radix_init(t);
		return;
	}
	/* Post-order without recursion: `present` tells which children are left. */
	n = to_node(t->root);
	radix_init(t);
	while (n) {
		if (n->shift && n->present) {
			unsigned i = (unsigned)__builtin_ctzll(n->present);

			n->present &= n->present - 1;
			n = n->slots[i];
			continue;
		}
		if (!n->shift && release)
			release_values(n, release);
		parent = n->parent;
		lib_free_deferred(&n->deferred);
		n = parent;
	}
}
