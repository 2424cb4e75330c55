/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sparse array of <lib/radix.h>.
 *
 * Invariants: 1. No node is empty. 2. With height 0, `root` is the item of index 0 or null. 3. With
 * height h, the root node's shift is (h - 1) * RADIX_SHIFT, and a child's shift is RADIX_SHIFT less
 * than its parent's. The height never shrinks until the tree is empty: files mostly grow, and a
 * lookup costs one load more at worst.
 */
#include <lib/errno.h>
#include <lib/radix.h>
#include <lib/string.h>

#define RADIX_HEIGHT_MAX DIV_ROUND_UP(64, RADIX_SHIFT)

static unsigned radix_slot(const struct radix_node *node, u64 index)
{
	return index >> node->shift & (RADIX_SLOTS - 1);
}

/* True when `index` lies in what the tree's height covers. */
static bool radix_covers(const struct radix_tree *tree, u64 index)
{
	unsigned bits = tree->height * RADIX_SHIFT;

	return bits >= 64 || index >> bits == 0;
}

static struct radix_node *radix_node_create(u32 shift)
{
	struct radix_node *node = radix_node_allocate();

	if (node) {
		memset(node, 0, sizeof(*node));
		node->shift = shift;
	}
	return node;
}

void *radix_lookup(const struct radix_tree *tree, u64 index)
{
	if (!radix_covers(tree, index))
		return nullptr;
	void *entry = tree->root;
	for (unsigned level = tree->height; level && entry; level--) {
		struct radix_node *node = entry;
		entry = node->slots[radix_slot(node, index)];
	}
	return entry;
}

/* Adds levels on top until the tree covers `index`. */
static int radix_grow(struct radix_tree *tree, u64 index)
{
	while (!radix_covers(tree, index)) {
		if (tree->root) {
			struct radix_node *node = radix_node_create(tree->height * RADIX_SHIFT);
			if (!node)
				return -ENOMEM;
			node->slots[0] = tree->root;
			node->used = 1;
			tree->root = node;
		}
		tree->height++;
	}
	return 0;
}

/* Removes the path of `index` as far as it consists of empty nodes. */
static void radix_prune(struct radix_tree *tree, u64 index)
{
	struct radix_node *path[RADIX_HEIGHT_MAX];
	unsigned depth = 0;

	for (void *entry = tree->root; depth < tree->height && entry; depth++) {
		path[depth] = entry;
		entry = path[depth]->slots[radix_slot(path[depth], index)];
	}
	while (depth && !path[depth - 1]->used) {
		radix_node_free(path[--depth]);
		if (!depth) {
			tree->root = nullptr;
			break;
		}
		struct radix_node *parent = path[depth - 1];
		parent->slots[radix_slot(parent, index)] = nullptr;
		parent->used--;
	}
	if (!tree->root)
		tree->height = 0;
}

int radix_insert(struct radix_tree *tree, u64 index, void *item)
{
	if (radix_grow(tree, index))
		return -ENOMEM;
	void **link = &tree->root;
	struct radix_node *parent = nullptr;
	for (unsigned level = tree->height; level; level--) {
		struct radix_node *node = *link;
		if (!node) {
			node = radix_node_create((level - 1) * RADIX_SHIFT);
			if (!node) {
				radix_prune(tree, index);
				return -ENOMEM;
			}
			*link = node;
			if (parent)
				parent->used++;
		}
		parent = node;
		link = &node->slots[radix_slot(node, index)];
	}
	if (*link)
		return -EEXIST;
	*link = item;
	if (parent)
		parent->used++;
	tree->count++;
	return 0;
}

void *radix_replace(struct radix_tree *tree, u64 index, void *item)
{
	void **link = &tree->root;

	for (unsigned level = tree->height; level; level--) {
		struct radix_node *node = *link;
		link = &node->slots[radix_slot(node, index)];
	}
	void *former = *link;
	*link = item;
	return former;
}

void *radix_delete(struct radix_tree *tree, u64 index)
{
	if (!radix_covers(tree, index))
		return nullptr;
	void **link = &tree->root;
	struct radix_node *leaf = nullptr;
	for (unsigned level = tree->height; level; level--) {
		leaf = *link;
		if (!leaf)
			return nullptr;
		link = &leaf->slots[radix_slot(leaf, index)];
	}
	void *item = *link;
	if (!item)
		return nullptr;
	*link = nullptr;
	tree->count--;
	if (leaf)
		leaf->used--;
	if (!leaf || !leaf->used)
		radix_prune(tree, index);
	return item;
}

void *radix_next(const struct radix_tree *tree, u64 *index)
{
	u64 at = *index;

	while (tree->root && radix_covers(tree, at)) {
		void *entry = tree->root;
		u32 shift = 0;
		for (unsigned level = tree->height; level && entry; level--) {
			struct radix_node *node = entry;
			shift = node->shift;
			entry = node->slots[radix_slot(node, at)];
		}
		if (entry) {
			*index = at;
			return entry;
		}
		/* Skip what the empty slot covers. */
		u64 next = ((at >> shift) + 1) << shift;
		if (next <= at)
			return nullptr;
		at = next;
	}
	return nullptr;
}
