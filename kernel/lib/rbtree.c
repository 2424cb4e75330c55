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

static void rotate_left(struct rb_tree *t, struct rb_node *n, rb_update *update)
{
	struct rb_node *up = n->right, *parent = parent_of(n);

	n->right = up->left;
	if (up->left)
		set_parent(up->left, n);
	up->left = n;
	set_parent(up, parent);
	set_parent(n, up);
	replace_child(t, parent, n, up);
	if (update) {
		update(n);
		update(up);
	}
}

static void rotate_right(struct rb_tree *t, struct rb_node *n, rb_update *update)
{
	struct rb_node *up = n->left, *parent = parent_of(n);

	n->left = up->right;
	if (up->right)
		set_parent(up->right, n);
	up->right = n;
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
		bool left = parent == grand->left;
		struct rb_node *uncle = left ? grand->right : grand->left;

		if (is_red(uncle)) {
			set_color(parent, BLACK);
			set_color(uncle, BLACK);
			set_color(grand, RED);
			n = grand;
			continue;
		}
		if (left) {
			if (n == parent->right) {
				rotate_left(t, parent, update);
				parent = n;
			}
			rotate_right(t, grand, update);
		} else {
			if (n == parent->left) {
				rotate_right(t, parent, update);
				parent = n;
			}
			rotate_left(t, grand, update);
		}
		set_color(parent, BLACK);
		set_color(grand, RED);
		break;
	}
	set_color(t->root, BLACK);
}

/*
 * One step of the repair after a black node went: the side of `parent` where `n` (may be null)
 * hangs is one black short. Returns the next node to repair, or null when the tree is right again.
 */
static struct rb_node *repair_left(struct rb_tree *t, struct rb_node *parent, rb_update *update)
{
	struct rb_node *sibling = parent->right;

	if (is_red(sibling)) {
		set_color(sibling, BLACK);
		set_color(parent, RED);
		rotate_left(t, parent, update);
		sibling = parent->right;
	}
	if (!is_red(sibling->left) && !is_red(sibling->right)) {
		set_color(sibling, RED);
		return parent;
	}
	if (!is_red(sibling->right)) {
		set_color(sibling->left, BLACK);
		set_color(sibling, RED);
		rotate_right(t, sibling, update);
		sibling = parent->right;
	}
	set_color(sibling, is_red(parent) ? RED : BLACK);
	set_color(parent, BLACK);
	set_color(sibling->right, BLACK);
	rotate_left(t, parent, update);
	return nullptr;
}

static struct rb_node *repair_right(struct rb_tree *t, struct rb_node *parent, rb_update *update)
{
	struct rb_node *sibling = parent->left;

	if (is_red(sibling)) {
		set_color(sibling, BLACK);
		set_color(parent, RED);
		rotate_right(t, parent, update);
		sibling = parent->left;
	}
	if (!is_red(sibling->left) && !is_red(sibling->right)) {
		set_color(sibling, RED);
		return parent;
	}
	if (!is_red(sibling->left)) {
		set_color(sibling->right, BLACK);
		set_color(sibling, RED);
		rotate_left(t, sibling, update);
		sibling = parent->left;
	}
	set_color(sibling, is_red(parent) ? RED : BLACK);
	set_color(parent, BLACK);
	set_color(sibling->left, BLACK);
	rotate_right(t, parent, update);
	return nullptr;
}

static void repair_erase(struct rb_tree *t, struct rb_node *n, struct rb_node *parent,
			 rb_update *update)
{
	while (parent && !is_red(n)) {
		n = n == parent->left ? repair_left(t, parent, update)
				      : repair_right(t, parent, update);
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

struct rb_node *rb_first(const struct rb_tree *t)
{
	struct rb_node *n = t->root;

	while (n && n->left)
		n = n->left;
	return n;
}

struct rb_node *rb_last(const struct rb_tree *t)
{
	struct rb_node *n = t->root;

	while (n && n->right)
		n = n->right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	struct rb_node *parent;

	if (n->right) {
		for (n = n->right; n->left; n = n->left)
			;
		return (struct rb_node *)n;
	}
	while ((parent = parent_of(n)) && n == parent->right)
		n = parent;
	return parent;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	struct rb_node *parent;

	if (n->left) {
		for (n = n->left; n->right; n = n->right)
			;
		return (struct rb_node *)n;
	}
	while ((parent = parent_of(n)) && n == parent->left)
		n = parent;
	return parent;
}
