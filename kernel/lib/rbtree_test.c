/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of lib/rbtree.c: random insertions and removals, compared with a plain array, balance checked. */
#include <lib/rbtree.h>
#include <lib/test.h>

#define KEYS 300

struct item {
	struct rb_node node;
	unsigned key;
	unsigned subtree; /* augmentation: nodes in the subtree */
	bool present;
};

static struct item items[KEYS];
static u32 seed;

static u32 next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static unsigned subtree_of(const struct rb_node *node)
{
	return node ? rb_entry(node, struct item, node)->subtree : 0;
}

static void update(struct rb_node *node)
{
	rb_entry(node, struct item, node)->subtree =
		1 + subtree_of(node->left) + subtree_of(node->right);
}

static void insert(struct rb_tree *tree, struct item *item)
{
	struct rb_node **link = &tree->root, *parent = nullptr;

	while (*link) {
		parent = *link;
		link = item->key < rb_entry(parent, struct item, node)->key ? &parent->left
									    : &parent->right;
	}
	rb_insert(tree, &item->node, parent, link, update);
	item->present = true;
}

/* Returns the depth; the keys must be in order and the augmentation true. */
static unsigned check(const struct rb_node *node, unsigned low, unsigned high)
{
	unsigned left, right;
	const struct item *item;

	if (!node)
		return 0;
	item = rb_entry(node, struct item, node);
	EXPECT(item->key >= low && item->key <= high);
	EXPECT_EQ(item->subtree, 1 + subtree_of(node->left) + subtree_of(node->right));
	left = check(node->left, low, item->key);
	right = check(node->right, item->key, high);
	return 1 + MAX(left, right);
}

static void check_order(const struct rb_tree *tree)
{
	const struct rb_node *node = rb_first(tree);

	for (unsigned key = 0; key < KEYS; key++) {
		if (!items[key].present)
			continue;
		REQUIRE(node == &items[key].node);
		node = rb_next(node);
	}
	EXPECT(node == nullptr);
}

TEST(rbtree_stays_ordered_and_balanced)
{
	struct rb_tree tree = RB_TREE_INIT;
	unsigned count = 0;

	seed = 1;
	for (unsigned i = 0; i < KEYS; i++)
		items[i] = (struct item){ .key = i };
	for (unsigned round = 0; round < 20000; round++) {
		struct item *item = &items[next_random() % KEYS];

		if (item->present) {
			rb_erase(&tree, &item->node, update);
			item->present = false;
			count--;
		} else {
			insert(&tree, item);
			count++;
		}
		if (round % 100 == 0) {
			EXPECT_LE(check(tree.root, 0, KEYS), 2 * 9u);
			EXPECT_EQ(subtree_of(tree.root), count);
			check_order(&tree);
		}
	}
}

TEST(rbtree_of_nothing_and_of_one)
{
	struct rb_tree tree = RB_TREE_INIT;
	struct item item = { .key = 7 };

	EXPECT(rb_first(&tree) == nullptr);
	EXPECT(rb_last(&tree) == nullptr);
	insert(&tree, &item);
	EXPECT(rb_first(&tree) == &item.node);
	EXPECT(rb_last(&tree) == &item.node);
	EXPECT(rb_next(&item.node) == nullptr);
	EXPECT(rb_prev(&item.node) == nullptr);
	rb_erase(&tree, &item.node, nullptr);
	EXPECT(tree.root == nullptr);
}
