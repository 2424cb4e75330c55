/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles of tmpfs files. Directories, and inodes of which a handle was made, are in a table until they go. The generation is that of the
 * file system: numbers are not used twice in one.
 */
#include <fs/tmpfs/tmpfs_priv.h>
#include <lib/errno.h>
#include <vfs/export.h>

#define BUCKETS 64

static struct spinlock exported_lock = SPINLOCK_INIT(RANK_INODE_STATE);
static struct list_head exported[BUCKETS] __guarded_by(&exported_lock);

void tmpfs_export_enter(struct inode *inode)
{
	struct list_head *bucket = &exported[inode->number % BUCKETS];

	spin_guard(&exported_lock);
	if (list_empty(&inode->superblock_node)) {
		if (!bucket->next)
			list_init(bucket);
		list_add(bucket, &inode->superblock_node);
	}
}

static u32 generation(struct inode *inode)
{
	tmpfs_export_enter(inode);
	return tmpfs_inode_of(inode)->fs->generation;
}

static int parent(struct inode *dir, u64 *number)
{
	*number = READ_ONCE(tmpfs_inode_of(dir)->directory.parent);
	return *number ? 0 : -ESTALE;
}

static int find(struct superblock *sb, u64 number, struct inode **out)
{
	struct list_head *bucket = &exported[number % BUCKETS];
	struct inode *inode;

	spin_guard(&exported_lock);
	if (!bucket->next)
		return -ESTALE;
	list_for_each (inode, bucket, superblock_node) {
		if (inode->number != number || inode->superblock != sb ||
		    !inode_get_unless_dead(inode))
			continue;
		*out = inode;
		return 0;
	}
	return -ESTALE;
}

void tmpfs_export_forget(struct inode *inode)
{
	/* Nobody has it any more who could make a handle. */
	if (list_empty(&inode->superblock_node))
		return;
	spin_guard(&exported_lock);
	list_remove(&inode->superblock_node);
}

const struct export_ops tmpfs_export_ops = {
	.words = 3, .generation = generation, .find = find, .parent = parent
};
