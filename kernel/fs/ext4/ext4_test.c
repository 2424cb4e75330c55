/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole file system on disks that mke2fs made, compared with debugfs, checked with e2fsck. */
#include "ext4_test.h"

static bool mounted_reads(const char *features)
{
	struct test_fs t;
	char text[64];

	if (!test_fs_make(&t, features, 32 << 20))
		return false;
	if (!EXPECT_EQ(test_fs_mount(&t, 0), 0))
		return false;
	struct inode *root = t.sb->root->inode, *file;

	EXPECT_EQ(test_create(root, "hello", S_IFREG | 0644, &file), 0);
	EXPECT_EQ(test_write(file, 0, "hello, world", 12), 12);
	EXPECT_EQ(test_read(file, 0, text, sizeof(text)), 12);
	EXPECT(memcmp(text, "hello, world", 12) == 0);
	inode_put(file);
	test_fs_unmount(&t);
	bool ok = test_fs_check(&t);
	test_fs_free(&t);
	return ok;
}

TEST(ext4_mounts_defaults)
{
	EXPECT(mounted_reads("-t ext4"));
}

TEST(ext4_mounts_ext2)
{
	EXPECT(mounted_reads("-t ext2 -b 1024"));
}

TEST(ext4_mounts_ext3)
{
	EXPECT(mounted_reads("-t ext3 -b 2048"));
}

/* 65,000 names of a file; the file system counts no more. */
TEST(ext4_links_are_limited)
{
	struct test_fs t;
	struct inode *file;

	if (!test_fs_make(&t, "-t ext4", 8 << 20) || !EXPECT_EQ(test_fs_mount(&t, 0), 0))
		return;
	struct inode *root = t.sb->root->inode;

	EXPECT_EQ(test_create(root, "file", S_IFREG | 0644, &file), 0);
	file->links = EXT4_LINKS_MAX - 1;
	EXPECT_EQ(test_link(root, "last", file), 0);
	EXPECT_EQ(test_link(root, "more", file), -EMLINK);
	file->links = 1;
	EXPECT_EQ(test_link(root, "second", file), 0);
	EXPECT_EQ(test_remove(root, "last"), 0);
	inode_put(file);
	test_fs_unmount(&t);
	test_fs_free(&t);
}
