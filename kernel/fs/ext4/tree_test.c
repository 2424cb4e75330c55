/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random operations on a tree of files, against a model in memory; then e2fsck. */
#include "ext4_test.h"

#include <linux/falloc.h>

#define NODES 220
#define SIZE_MAX_ (160u << 10)

struct content {
	u8 *data;
	u64 size;
	int links;
};

struct node {
	bool used, directory;
	int parent; /* node; -1: root */
	int children;
	char name[80];
	struct content *content;
};

struct model {
	struct test_fs *t;
	struct node nodes[NODES];
	u64 seed;
	int files;
};

static u32 rnd(struct model *m, u32 n)
{
	return test_random(&m->seed) % n;
}

static struct inode *inode_of(struct model *m, int n)
{
	struct inode *dir, *inode = nullptr;

	if (n < 0) {
		inode_get(m->t->sb->root->inode);
		return m->t->sb->root->inode;
	}
	dir = inode_of(m, m->nodes[n].parent);
	if (!dir)
		return nullptr;
	EXPECT_EQ(test_lookup(dir, m->nodes[n].name, &inode), 0);
	if (!EXPECT(inode))
		test_fail(__FILE_NAME__, __LINE__, "%s is not there", m->nodes[n].name);
	inode_put(dir);
	return inode;
}

static int pick(struct model *m, bool directory)
{
	for (int i = 0; i < 60; i++) {
		int n = (int)rnd(m, NODES);

		if (m->nodes[n].used && m->nodes[n].directory == directory)
			return n;
	}
	return -1;
}

static int pick_free(struct model *m)
{
	for (int n = 0; n < NODES; n++)
		if (!m->nodes[n].used)
			return n;
	return -1;
}

static void count_child(struct model *m, int parent, int step)
{
	if (parent >= 0)
		m->nodes[parent].children += step;
}

static void new_name(struct model *m, char *name)
{
	static const char pad[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

	snprintf(name, 80, "n%u%.*s", test_random(&m->seed), (int)rnd(m, 50), pad);
}

static void make(struct model *m)
{
	int n = pick_free(m), parent = rnd(m, 3) ? pick(m, true) : -1;
	struct inode *dir, *inode = nullptr;
	struct node *node;

	if (n < 0)
		return;
	dir = inode_of(m, parent);
	if (!dir)
		return;
	node = &m->nodes[n];
	*node = (struct node){ .used = true, .parent = parent, .directory = !rnd(m, 5) };
	new_name(m, node->name);
	if (EXPECT_EQ(test_create(dir, node->name,
				  node->directory ? S_IFDIR | 0755 : S_IFREG | 0644, &inode),
		      0))
		inode_put(inode);
	if (!node->directory) {
		node->content = kzalloc(sizeof(struct content), 0);
		node->content->data = kzalloc(SIZE_MAX_, 0);
		node->content->links = 1;
	}
	count_child(m, parent, 1);
	inode_put(dir);
}

static void drop_content(struct node *node)
{
	if (node->content && !--node->content->links) {
		kfree(node->content->data);
		kfree(node->content);
	}
	node->content = nullptr;
}

static void unmake(struct model *m)
{
	int n = pick(m, !rnd(m, 4));
	struct inode *dir;
	struct node *node;
	int result;

	if (n < 0)
		return;
	node = &m->nodes[n];
	dir = inode_of(m, node->parent);
	if (!dir)
		return;
	result = test_remove(dir, node->name);
	if (node->children) {
		EXPECT_EQ(result, -ENOTEMPTY);
	} else if (EXPECT_EQ(result, 0)) {
		count_child(m, node->parent, -1);
		drop_content(node);
		node->used = false;
	}
	inode_put(dir);
}

static bool is_below(struct model *m, int n, int ancestor)
{
	for (; n >= 0; n = m->nodes[n].parent)
		if (n == ancestor)
			return true;
	return false;
}

static void move(struct model *m)
{
	int n = pick(m, !rnd(m, 4)), to = rnd(m, 3) ? pick(m, true) : -1, victim = -1;
	struct node *node = &m->nodes[MAX(n, 0)];
	struct inode *from_dir, *to_dir;
	char name[80];
	int result;

	if (n < 0 || is_below(m, to, n))
		return;
	new_name(m, name);
	if (!rnd(m, 2)) {
		victim = pick(m, node->directory);
		if (victim < 0 || victim == n || is_below(m, n, victim) ||
		    is_below(m, m->nodes[victim].parent, n) ||
		    (node->content && node->content == m->nodes[victim].content))
			return;
		to = m->nodes[victim].parent;
		memcpy(name, m->nodes[victim].name, sizeof(name));
	}
	from_dir = inode_of(m, node->parent);
	to_dir = inode_of(m, to);
	if (!from_dir || !to_dir)
		return;
	result = test_rename(from_dir, node->name, to_dir, name, 0);
	if (victim >= 0 && m->nodes[victim].children) {
		EXPECT_EQ(result, -ENOTEMPTY);
	} else if (EXPECT_EQ(result, 0)) {
		if (victim >= 0) {
			count_child(m, to, -1);
			drop_content(&m->nodes[victim]);
			m->nodes[victim].used = false;
		}
		count_child(m, node->parent, -1);
		count_child(m, to, 1);
		node->parent = to;
		memcpy(node->name, name, sizeof(name));
	}
	inode_put(from_dir);
	inode_put(to_dir);
}

static void hard_link(struct model *m)
{
	int n = pick(m, false), free = pick_free(m), parent = pick(m, true);
	struct inode *dir, *inode;
	struct node *node;

	if (n < 0 || free < 0)
		return;
	node = &m->nodes[free];
	dir = inode_of(m, parent);
	inode = inode_of(m, n);
	if (!dir || !inode)
		return;
	*node = (struct node){ .used = true, .parent = parent, .content = m->nodes[n].content };
	new_name(m, node->name);
	node->content->links++;
	EXPECT_EQ(test_link(dir, node->name, inode), 0);
	EXPECT_EQ(inode->links, (u32)node->content->links);
	count_child(m, parent, 1);
	inode_put(dir);
	inode_put(inode);
}

static void compare(struct model *m, struct inode *inode, const struct content *c)
{
	u8 *data = kmalloc(SIZE_MAX_ + 1, 0);

	if (EXPECT_EQ(inode->size, c->size) &&
	    EXPECT_EQ(test_read(inode, 0, data, SIZE_MAX_ + 1), (ssize_t)c->size))
		for (u64 i = 0; i < c->size; i++)
			if (data[i] != c->data[i]) {
				test_fail(__FILE_NAME__, __LINE__,
					  "inode %lu differs at %lu of %lu: %x, not %x",
					  (unsigned long)inode->number, (unsigned long)i,
					  (unsigned long)c->size, data[i], c->data[i]);
				break;
			}
	kfree(data);
}

static void write_some(struct model *m, struct inode *inode, struct content *c)
{
	u64 at = rnd(m, 2) ? c->size : rnd(m, SIZE_MAX_),
	    n = rnd(m, 2) ? rnd(m, 300) : rnd(m, 30000);
	u8 value = (u8)test_random(&m->seed);

	at = MIN(at, (u64)SIZE_MAX_);
	n = MIN(n, SIZE_MAX_ - at);
	if (!n)
		return;
	for (u64 i = 0; i < n; i++)
		c->data[at + i] = (u8)(value + i * 3);
	EXPECT_EQ(test_write(inode, at, c->data + at, n), (ssize_t)n);
	c->size = MAX(c->size, at + n);
}

static void cut(struct model *m, struct inode *inode, struct content *c)
{
	u64 size = rnd(m, 4) ? rnd(m, SIZE_MAX_) : 0;

	EXPECT_EQ(test_truncate(inode, size), 0);
	if (size < c->size)
		memset(c->data + size, 0, c->size - size);
	c->size = size;
}

static void allocate(struct model *m, struct inode *inode, struct content *c)
{
	static const int modes[] = { 0, FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				     FALLOC_FL_ZERO_RANGE,
				     FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE };
	int mode = modes[rnd(m, ARRAY_SIZE(modes))], result;
	u64 at = rnd(m, SIZE_MAX_ - 1), n = 1 + rnd(m, MIN(60000u, SIZE_MAX_ - (u32)at));

	result = test_allocate(inode, mode, at, n);
	if (result == -EOPNOTSUPP)
		return; /* ext2, ext3 */
	EXPECT_EQ(result, 0);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		c->size = MAX(c->size, at + n);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		u64 end = MIN(at + n, c->size);

		if (end > at)
			memset(c->data + at, 0, end - at);
	}
}

static void touch(struct model *m)
{
	int n = pick(m, false);
	struct inode *inode = n < 0 ? nullptr : inode_of(m, n);

	if (!inode)
		return;
	switch (rnd(m, 8)) {
	case 0:
		cut(m, inode, m->nodes[n].content);
		break;
	case 1:
		allocate(m, inode, m->nodes[n].content);
		break;
	case 2:
		compare(m, inode, m->nodes[n].content);
		break;
	case 3:
		EXPECT_EQ(test_sync(inode), 0);
		break;
	default:
		write_some(m, inode, m->nodes[n].content);
	}
	inode_put(inode);
}

static void count_entry(const char *name, u64 number, void *arg)
{
	++*(int *)arg;
}

static void compare_all(struct model *m)
{
	for (int n = 0; n < NODES; n++) {
		struct inode *inode;

		if (!m->nodes[n].used)
			continue;
		inode = inode_of(m, n);
		if (!inode)
			continue;
		if (m->nodes[n].directory) {
			int count = 0;

			EXPECT_EQ(test_list(inode, count_entry, &count), m->nodes[n].children);
		} else {
			compare(m, inode, m->nodes[n].content);
		}
		inode_put(inode);
	}
}

static void run(const char *options, int operations, u64 seed)
{
	struct model *m = kzalloc(sizeof(*m), 0);
	struct test_fs t;

	if (!test_fs_make(&t, options, 64 << 20) || !EXPECT_EQ(test_fs_mount(&t, 0), 0))
		return;
	m->t = &t;
	m->seed = seed;
	operations *= host_scale();
	for (int i = 0; i < operations && !test_has_failed(); i++) {
		u32 kind = rnd(m, 40);

		if (kind < 6)
			make(m);
		else if (kind < 9)
			unmake(m);
		else if (kind < 12)
			move(m);
		else if (kind < 13)
			hard_link(m);
		else
			touch(m);
		if (!rnd(m, 500))
			EXPECT_EQ(t.sb->ops->sync(t.sb), 0);
		if (!rnd(m, 2000)) {
			test_fs_unmount(&t);
			EXPECT_EQ(test_fs_mount(&t, 0), 0);
		}
	}
	compare_all(m);
	test_fs_unmount(&t);
	test_fs_check(&t);
	if (!test_has_failed() && EXPECT_EQ(test_fs_mount(&t, MS_RDONLY), 0)) {
		compare_all(m);
		test_fs_unmount(&t);
	}
	for (int n = 0; n < NODES; n++)
		drop_content(&m->nodes[n]);
	kfree(m);
	test_fs_free(&t);
}

#define OPERATIONS 4000

TEST(ext4_tree_defaults)
{
	run("-t ext4", OPERATIONS, 1);
}

TEST(ext4_tree_small_blocks)
{
	run("-t ext4 -b 1024", OPERATIONS, 2);
}

TEST(ext4_tree_no_checksums)
{
	run("-t ext4 -O ^metadata_csum,uninit_bg,^64bit -b 2048", OPERATIONS, 3);
}

TEST(ext4_tree_no_journal)
{
	run("-t ext4 -O ^has_journal", OPERATIONS, 4);
}

TEST(ext4_tree_ext2)
{
	run("-t ext2 -b 1024", OPERATIONS, 5);
}

TEST(ext4_tree_ext3)
{
	run("-t ext3", OPERATIONS, 6);
}

TEST(ext4_tree_meta_bg)
{
	run("-t ext4 -O meta_bg,^resize_inode -b 1024 -I 128", OPERATIONS, 7);
}

TEST(ext4_tree_inline_data)
{
	run("-t ext4 -O inline_data", OPERATIONS, 8);
}
