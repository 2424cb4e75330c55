/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handles of ext4 files: number and generation, which are on the disk. */
#include <fs/ext4/ext4_priv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <vfs/export.h>

static u32 generation(struct inode *inode)
{
	return ext4_inode_of(inode)->generation;
}

static int find(struct superblock *sb, u64 number, struct inode **out)
{
	struct ext4 *fs = ext4_of(sb);
	struct ext4_inode *inode;
	bool used;
	int err;

	/* Files of the file system itself, the journal say, are nobody's business. */
	if (!number || number > fs->inodes ||
	    (number < fs->first_inode && number != EXT4_ROOT_INODE))
		return -ESTALE;
	/* What the tables hold of an inode that is not in use may be anything. */
	err = ext4_inode_is_used(fs, (u32)number, &used);
	if (!err && !used)
		err = -ESTALE;
	if (!err)
		err = ext4_inode_get(fs, (u32)number, &inode);
	if (err)
		return err;
	if (!inode->inode.links) {
		inode_put(&inode->inode);
		return -ESTALE;
	}
	*out = &inode->inode;
	return 0;
}

static int parent(struct inode *v, u64 *number)
{
	struct ext4_inode *dir = ext4_inode_of(v);
	struct ext4_slot slot;
	u32 inlined;
	int err;

	read_guard(&v->lock);
	if (dir->flags & EXT4_FL_INLINE_DATA) {
		memcpy(&inlined, dir->inline_data, sizeof(inlined));
		*number = inlined;
		return 0;
	}
	err = ext4_directory_parent(dir, &slot);
	if (err)
		return err;
	*number = slot.number;
	ext4_slot_put(&slot);
	return 0;
}

const struct export_ops ext4_export_ops = {
	.words = 2, .generation = generation, .find = find, .parent = parent
};
