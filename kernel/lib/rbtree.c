/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Red-black trees.
 *
 * Invariants: (1) a red node has no red child; (2) every path from a node down to a leaf passes the
 * same number of black nodes; (3) the root is black. Null children count as black. The colour lives
 * in bit 0 of the parent pointer. A rotation recomputes the augmented data of the two nodes it
 * moves, so that after rb_insert and rb_erase every node's data is right.
 */
#include <lib/rbtree.h>

#define RED 0u
#define BLACK 1u

static inline struct rb_node *parent_of(const struct rb_node *n)
{
	return (struct rb_node *)(n->parent_color & ~(uintptr_t)1);
}

static inline bool is_red(const struct rb_node *n)
{
	return n && !(n->parent_color & BLACK);
}

static inline void set_color(struct rb_node *n, unsigned color)
{
	n->parent_color = (n->parent_color & ~(uintptr_t)1) | color;
}

static inline void set_parent(struct rb_node *n, struct rb_node *parent)
{
	n->parent_color = (uintptr_t)parent | (n->parent_color & 1);
}

/* Makes `new` stand where `old` stood below `parent`. */
static void replace_child(struct rb_tree *t, struct rb_node *parent, struct rb_node *old,
			  struct rb_node *new)
{
	if (!parent)
		t->root = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
}

/* Lets `n` sink to the given side: its child on the other side takes its place. */
static inline void rotate(struct rb_tree *t, struct rb_node *n, unsigned side, rb_update *update)
{
	struct rb_node *up = n->child[!side], *parent = parent_of(n);

	n->child[!side] = up->child[side];
	if (up->child[side])
		set_parent(up->child[side], n);
	up->child[side] = n;
	set_parent(up, parent);
	set_parent(n, up);
	replace_child(t, parent, n, up);
	if (update) {
		update(n);
		update(up);
	}
}

void rb_propagate(struct rb_node *n, rb_update *update)
{
	for (; n; n = parent_of(n))
		update(n);
}

void rb_insert(struct rb_tree *t, struct rb_node *n, struct rb_node *parent, struct rb_node **link,
	       rb_update *update)
{
	n->parent_color = (uintptr_t)parent | RED;
	n->left = n->right = nullptr;
	*link = n;
	if (update)
		rb_propagate(n, update);

	while (is_red(parent = parent_of(n))) {
		struct rb_node *grand = parent_of(parent); /* exists: the root is black */
		unsigned side = parent == grand->right;
		struct rb_node *uncle = grand->child[!side];

		if (is_red(uncle)) {
			set_color(parent, BLACK);
			set_color(uncle, BLACK);
			set_color(grand, RED);
			n = grand;
			continue;
		}
		if (n == parent->child[!side]) {
			rotate(t, parent, side, update);
			parent = n;
		}
		rotate(t, grand, !side, update);
		set_color(parent, BLACK);
		set_color(grand, RED);
		break;
	}
	set_color(t->root, BLACK);
}

/*
 * One step of the repair after a black node went: the given side of `parent` is one black short. Returns the next node to
 * repair, or null when the tree is right again.
 */
static inline struct rb_node *repair(struct rb_tree *t, struct rb_node *parent, unsigned side,
				     rb_update *update)
{
	struct rb_node *sibling = parent->child[!side];

	if (is_red(sibling)) {
		set_color(sibling, BLACK);
		set_color(parent, RED);
		rotate(t, parent, side, update);
		sibling = parent->child[!side];
	}
	if (!is_red(sibling->left) && !is_red(sibling->right)) {
		set_color(sibling, RED);
		return parent;
	}
	if (!is_red(sibling->child[!side])) {
		set_color(sibling->child[side], BLACK);
		set_color(sibling, RED);
		rotate(t, sibling, !side, update);
		sibling = parent->child[!side];
	}
	set_color(sibling, is_red(parent) ? RED : BLACK);
	set_color(parent, BLACK);
	set_color(sibling->child[!side], BLACK);
	rotate(t, parent, side, update);
	return nullptr;
}

static void repair_erase(struct rb_tree *t, struct rb_node *n, struct rb_node *parent,
			 rb_update *update)
{
	while (parent && !is_red(n)) {
		n = repair(t, parent, n == parent->right, update);
		if (!n)
			return;
		parent = parent_of(n);
	}
	if (n)
		set_color(n, BLACK);
}

/* Puts the successor of `n`, which has two children, in its place; returns where black may be
 * missing. */
static struct rb_node *erase_inner(struct rb_tree *t, struct rb_node *n, struct rb_node **child,
				   bool *was_black)
{
	struct rb_node *next = n->right, *parent;

	while (next->left)
		next = next->left;
	*child = next->right;
	*was_black = !is_red(next);
	parent = parent_of(next);
	if (parent == n) {
		parent = next;
	} else {
		parent->left = *child;
		if (*child)
			set_parent(*child, parent);
		next->right = n->right;
		set_parent(n->right, next);
	}
	next->left = n->left;
	set_parent(n->left, next);
	replace_child(t, parent_of(n), n, next);
	next->parent_color = n->parent_color;
	return parent;
}

void rb_erase(struct rb_tree *t, struct rb_node *n, rb_update *update)
{
	struct rb_node *child, *parent;
	bool was_black;

	if (n->left && n->right) {
		parent = erase_inner(t, n, &child, &was_black);
	} else {
		child = n->left ? n->left : n->right;
		parent = parent_of(n);
		was_black = !is_red(n);
		if (child)
			set_parent(child, parent);
		replace_child(t, parent, n, child);
	}
	if (update)
		rb_propagate(parent, update);
	if (was_black)
		repair_erase(t, child, parent, update);
}

/* The outermost node of a side. */
static inline struct rb_node *outermost(struct rb_node *n, unsigned side)
{
	while (n && n->child[side])
		n = n->child[side];
	return n;
}

struct rb_node *rb_first(const struct rb_tree *t)
{
	return outermost(t->root, 0);
}

struct rb_node *rb_last(const struct rb_tree *t)
{
	return outermost(t->root, 1);
}

/* The neighbour in order on the given side. */
static inline struct rb_node *neighbour(const struct rb_node *n, unsigned side)
{
	struct rb_node *parent;

	if (n->child[side])
		return outermost(n->child[side], !side);
	while ((parent = parent_of(n)) && n == parent->child[side])
		n = parent;
	return parent;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	return neighbour(n, 1);
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	return neighbour(n, 0);
}
