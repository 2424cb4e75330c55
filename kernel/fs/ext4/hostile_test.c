/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images that somebody damaged on purpose, disks that fail, disks that are full: an error, never a crash. */
#include "ext4_test.h"

#include <linux/falloc.h>

#define IMAGE_SIZE (8u << 20)
#define IMAGES 60
#define DEPTH_MAX 6

struct walk {
	struct inode *dir;
	struct test_fs *t;
	int depth, budget;
};

static void walk_directory(struct walk *w);

/* Reads all of a file's contents and attributes, follows directories. */
static void walk_inode(struct walk *w, struct inode *inode)
{
	static u8 data[8192];
	char names[256];
	u64 size = MIN(inode->size, (u64)(64 << 10));

	if (inode->ops->list_xattr)
		(void)inode->ops->list_xattr(inode, names, sizeof(names));
	if (S_ISREG(inode->mode)) {
		for (u64 at = 0; at < size; at += sizeof(data))
			(void)test_read(inode, at, data, sizeof(data));
	} else if (S_ISLNK(inode->mode)) {
		char *text = nullptr;
		struct path path;

		if (!inode->ops->read_link(inode, &text, &path))
			kfree(text);
	} else if (S_ISDIR(inode->mode) && w->depth < DEPTH_MAX) {
		struct walk below = { inode, w->t, w->depth + 1, w->budget / 2 };

		walk_directory(&below);
	}
}

static void walk_entry(const char *name, u64 number, void *arg)
{
	struct walk *w = arg;
	struct inode *inode;

	if (w->budget-- <= 0 || test_lookup(w->dir, name, &inode) || !inode)
		return;
	walk_inode(w, inode);
	inode_put(inode);
}

static void walk_directory(struct walk *w)
{
	(void)test_list(w->dir, walk_entry, w);
}

/* Some changes, whose results do not matter. */
static void disturb(struct inode *root, u64 *seed)
{
	struct inode *inode;
	char name[32];

	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		if (!test_create(root, name, i % 3 ? S_IFREG | 0644 : S_IFDIR | 0755, &inode)) {
			if (S_ISREG(inode->mode))
				(void)test_write(inode, test_random(seed) % 100000, name, 30);
			inode_put(inode);
		}
	}
	(void)test_rename(root, "x1", root, "y", 0);
	(void)test_remove(root, "x2");
	(void)test_remove(root, "d1");
	(void)test_remove(root, "big");
}

static void populate(struct test_fs *t)
{
	struct inode *root = t->sb->root->inode, *dir, *file;
	static u8 data[300000];
	char name[64];

	if (!EXPECT_EQ(test_create(root, "big", S_IFREG | 0644, &file), 0))
		return;
	for (u64 at = 0; at < 3000000; at += 150000)
		EXPECT_EQ(test_write(file, at, data, 10000), 10000);
	inode_put(file);
	(void)test_symlink(root, "link", "somewhere");
	(void)test_symlink(root, "long",
			   "a/very/long/target/of/a/symbolic/link/that/has/a/block/of/its/own");
	for (int d = 0; d < 4; d++) {
		snprintf(name, sizeof(name), "d%d", d);
		if (!EXPECT_EQ(test_create(root, name, S_IFDIR | 0755, &dir), 0))
			return;
		for (int i = 0; i < (d ? 10 : 300); i++) {
			snprintf(name, sizeof(name), "a-file-with-a-name-%d", i);
			EXPECT_EQ(test_create(dir, name, S_IFREG | 0644, &file), 0);
			EXPECT_EQ(file->ops->set_xattr(file, "user.test", name, 20, 0), 0);
			inode_put(file);
		}
		inode_put(dir);
	}
}

/* Damage where it hurts: superblock, descriptors, tables, directories; seldom anywhere. */
static void damage(u8 *data, u64 *seed)
{
	static const u32 ends[] = { 2048, 16384, 1 << 20, IMAGE_SIZE };
	unsigned n = 1 + test_random(seed) % 12;
	u32 end = ends[test_random(seed) % ARRAY_SIZE(ends)];

	while (n--) {
		u32 at = 1024 + test_random(seed) % (end - 1024);

		switch (test_random(seed) % 4) {
		case 0:
			data[at] ^= (u8)(1u << test_random(seed) % 8);
			break;
		case 1:
			data[at] = 0xff;
			break;
		case 2:
			memset(data + (at & ~3u), test_random(seed) & 1 ? 0xff : 0, 4);
			break;
		default:
			data[at] = (u8)test_random(seed);
		}
	}
}

static void attack(struct test_fs *made, const u8 *image, u64 *seed)
{
	struct test_fs t = *made;
	u8 *copy = kmalloc(IMAGE_SIZE, 0);

	memcpy(copy, image, IMAGE_SIZE);
	damage(copy, seed);
	if (test_disk_again(&t, copy, IMAGE_SIZE)) {
		if (!test_fs_mount(&t, test_random(seed) % 4 ? 0 : MS_RDONLY)) {
			struct walk w = { t.sb->root->inode, &t, 0, 400 };

			walk_inode(&w, t.sb->root->inode);
			disturb(t.sb->root->inode, seed);
			walk_inode(&w, t.sb->root->inode);
			test_fs_unmount(&t);
		}
		host_disk_destroy(t.disk);
	}
	kfree(copy);
}

static void hostile(const char *options, u64 seed)
{
	u8 *image = kmalloc(IMAGE_SIZE, 0);
	struct test_fs t;

	host_quiet(true);
	if (test_fs_make(&t, options, IMAGE_SIZE) && EXPECT_EQ(test_fs_mount(&t, 0), 0)) {
		populate(&t);
		test_fs_unmount(&t);
		test_fs_check(&t);
		memcpy(image, host_disk_data(t.disk), IMAGE_SIZE);
		for (int i = 0; i < IMAGES * host_scale() && !test_has_failed(); i++)
			attack(&t, image, &seed);
		test_fs_free(&t);
	}
	host_quiet(false);
	kfree(image);
}

TEST(ext4_hostile_no_checksums)
{
	hostile("-t ext4 -O ^metadata_csum,^uninit_bg -b 1024", 21);
}

TEST(ext4_hostile_large_blocks)
{
	hostile("-t ext4 -O ^metadata_csum", 22);
}

TEST(ext4_hostile_checksums)
{
	hostile("-t ext4 -b 1024", 23);
}

TEST(ext4_hostile_ext2)
{
	hostile("-t ext2 -b 1024", 24);
}

TEST(ext4_hostile_ext3)
{
	hostile("-t ext3 -b 2048", 25);
}

/* What was acknowledged before the disk was full is there afterwards. */
TEST(ext4_full_disk)
{
	static u8 data[20000], back[20000];
	struct test_fs t;
	struct inode *root, *file;
	char name[32];
	int count = 0, result = 0;
	ssize_t last = 0;

	if (!test_fs_make(&t, "-t ext4", IMAGE_SIZE) || !EXPECT_EQ(test_fs_mount(&t, 0), 0))
		return;
	root = t.sb->root->inode;
	for (; !result && last >= 0 && count < 2000; count++) {
		snprintf(name, sizeof(name), "f%d", count);
		result = test_create(root, name, S_IFREG | 0644, &file);
		if (result)
			break;
		memset(data, count + 1, sizeof(data));
		last = test_write(file, 0, data, sizeof(data));
		inode_put(file);
	}
	EXPECT(result == -ENOSPC || last == -ENOSPC || count < 2000);
	EXPECT(count > 50);
	EXPECT_EQ(t.sb->ops->sync(t.sb), 0);
	test_fs_unmount(&t);
	test_fs_check(&t);
	if (EXPECT_EQ(test_fs_mount(&t, 0), 0)) {
		root = t.sb->root->inode;
		for (int i = 0; i < count - 2; i++) {
			snprintf(name, sizeof(name), "f%d", i);
			if (!EXPECT_EQ(test_lookup(root, name, &file), 0) || !EXPECT(file))
				break;
			memset(data, i + 1, sizeof(data));
			EXPECT_EQ(test_read(file, 0, back, sizeof(back)), (ssize_t)sizeof(back));
			EXPECT(memcmp(data, back, sizeof(data)) == 0);
			inode_put(file);
			EXPECT_EQ(test_remove(root, name), 0);
		}
		/* What was removed makes room again. */
		EXPECT_EQ(test_create(root, "after", S_IFREG | 0644, &file), 0);
		EXPECT_EQ(test_write(file, 0, data, sizeof(data)), (ssize_t)sizeof(data));
		inode_put(file);
		test_fs_unmount(&t);
		test_fs_check(&t);
	}
	test_fs_free(&t);
}

#define BALLAST 100
#define KEEP_SIZE 1

/* Single blocks in every second place of `file` from *n on, until the disk is full. */
static void fill_with_extents(struct inode *file, u64 *n)
{
	int result;

	while (!(result = test_allocate(file, KEEP_SIZE, *n * 2048, 1024)))
		++*n;
	EXPECT_EQ(result, -ENOSPC);
}

/* The disk is full at the very moment when a file's tree needs another node: no block is lost. */
TEST(ext4_full_disk_and_a_growing_tree)
{
	struct inode *root, *file;
	struct test_fs t;
	char name[16];
	u64 n = 0;

	if (!test_fs_make(&t, "-t ext4 -b 1024 -m 0", 2 << 20) ||
	    !EXPECT_EQ(test_fs_mount(&t, 0), 0))
		return;
	root = t.sb->root->inode;
	for (int i = 0; i < BALLAST; i++) {
		(void)snprintf(name, sizeof(name), "ballast%d", i);
		EXPECT_EQ(test_create(root, name, S_IFREG | 0644, &file), 0);
		EXPECT_EQ(test_allocate(file, 0, 0, 1024), 0);
		inode_put(file);
	}
	EXPECT_EQ(test_create(root, "many", S_IFREG | 0644, &file), 0);
	for (int i = 0; i < BALLAST; i++) {
		fill_with_extents(file, &n);
		(void)snprintf(name, sizeof(name), "ballast%d", i);
		EXPECT_EQ(test_remove(root, name), 0);
		EXPECT_EQ(t.sb->ops->sync(t.sb), 0);
	}
	inode_put(file);
	test_fs_unmount(&t);
	test_fs_check(&t);
	test_fs_free(&t);
}

/* The journal cannot be written: fsync tells, and nothing is written from then on. */
TEST(ext4_failing_writes)
{
	struct test_fs t;
	struct inode *file;
	u64 last = (IMAGE_SIZE >> SECTOR_SHIFT) - 1;

	host_quiet(true);
	if (!test_fs_make(&t, "-t ext4", IMAGE_SIZE) || !EXPECT_EQ(test_fs_mount(&t, 0), 0))
		return;
	EXPECT_EQ(test_create(t.sb->root->inode, "a", S_IFREG | 0644, &file), 0);
	EXPECT_EQ(test_write(file, 0, "text", 4), 4);
	EXPECT_EQ(test_sync(file), 0);
	host_disk_fail(t.disk, BLOCK_WRITE, 0, last, -EIO, 0);
	EXPECT_EQ(test_write(file, 0, "more", 4), 4);
	EXPECT(test_sync(file) < 0);
	inode_put(file);
	EXPECT(test_create(t.sb->root->inode, "b", S_IFREG | 0644, &file) < 0);
	test_fs_unmount(&t);
	host_disk_fail(t.disk, BLOCK_WRITE, 0, last, 0, 0);
	/* It comes back as after a power cut. */
	if (EXPECT_EQ(test_fs_mount(&t, 0), 0)) {
		EXPECT_EQ(test_lookup(t.sb->root->inode, "a", &file), 0);
		if (EXPECT(file))
			inode_put(file);
		test_fs_unmount(&t);
	}
	host_quiet(false);
	test_fs_free(&t);
}
