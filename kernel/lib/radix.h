/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sparse array from a u64 index to a non-null pointer: a tree of 64-way nodes, as high as the
 * largest index needs. An array that holds nothing but index 0 needs no node, a dense one costs a
 * little over 8 bytes an item. The user's lock guards it.
 */
#pragma once

#include <lib/types.h>

#define RADIX_SHIFT 6
#define RADIX_SLOTS (1u << RADIX_SHIFT)

struct radix_node {
	u32 used;  /* slots that are not null */
	u32 shift; /* a slot covers 1 << shift indices; 0: the slots hold items */
	void *slots[RADIX_SLOTS];
};

struct radix_tree {
	void *root; /* the item of index 0 while height is 0, else a node */
	u32 height; /* levels of nodes */
	u64 count;  /* items */
};

#define RADIX_TREE_INIT { nullptr, 0, 0 }

static inline void radix_init(struct radix_tree *tree)
{
	*tree = (struct radix_tree)RADIX_TREE_INIT;
}

/* The item at `index`, or null. */
void *radix_lookup(const struct radix_tree *tree, u64 index);

/* Stores an item, which is not null. Returns 0, -EEXIST when the index holds one, or -ENOMEM with
 * the tree unchanged. */
[[nodiscard]] int radix_insert(struct radix_tree *tree, u64 index, void *item);

/* Puts `item` in place of the one at `index`, which must exist; returns the former one. */
void *radix_replace(struct radix_tree *tree, u64 index, void *item);

/* Removes and returns the item at `index`, or returns null. Frees the nodes that this emptied. */
void *radix_delete(struct radix_tree *tree, u64 index);

/* The item with the smallest index >= *index, which is stored in *index; null when there is none.
 */
void *radix_next(const struct radix_tree *tree, u64 *index);

/*
 * Memory for nodes, supplied by the program that links this library (the kernel:
 * mm/memory_object.c). The node need not be zeroed. Null when there is none.
 */
struct radix_node *radix_node_allocate(void);
void radix_node_free(struct radix_node *node);
