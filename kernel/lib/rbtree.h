/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Balanced binary trees, intrusive. The user walks and links (rb_link), the library rebalances. A tree may keep
 * data about each subtree in its nodes (augmentation): `update` recomputes a node from its children.
 */
#pragma once

#include <lib/types.h>

struct rb_node {
	uintptr_t parent_color;
	union {
		struct {
			struct rb_node *left, *right;
		};
		struct rb_node *child[2]; /* what is true of one side is true of the other */
	};
};

struct rb_tree {
	struct rb_node *root;
};

#define RB_TREE_INIT { nullptr }
#define rb_entry(ptr, type, member) container_of(ptr, type, member)

typedef void rb_update(struct rb_node *node);

/* Links `n` below `parent` at *link (found by the caller's walk) and rebalances. `update` may be null. */
void rb_insert(struct rb_tree *t, struct rb_node *n, struct rb_node *parent, struct rb_node **link,
	       rb_update *update);
void rb_erase(struct rb_tree *t, struct rb_node *n, rb_update *update);
/* Recomputes from `n` to the root, after a node's own data changed. */
void rb_propagate(struct rb_node *n, rb_update *update);

static inline struct rb_node *rb_parent(const struct rb_node *n)
{
	return (struct rb_node *)(n->parent_color & ~(uintptr_t)1);
}
struct rb_node *rb_first(const struct rb_tree *t);
struct rb_node *rb_last(const struct rb_tree *t);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);
