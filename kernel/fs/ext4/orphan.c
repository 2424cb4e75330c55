/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orphans: inodes whose last name is gone while they are open, or that are being cut. They hang on a chain on the disk,
 * s_last_orphan and then i_dtime, newest first, that the next mount follows to end what was begun. A file system may have
 * a file of them as well (orphan_file); it is read, and only the chain is written.
 */
#include <core/log.h>
#include <fs/ext4/ext4_priv.h>
#include <lib/crc32c.h>
#include <lib/string.h>

int ext4_orphan_add(struct journal_handle *handle, struct ext4_inode *inode)
{
	struct ext4 *fs = inode->fs;
	int result;

	mutex_guard(&fs->orphan_lock);
	if (!list_empty(&inode->orphan_node))
		return 0;
	result = ext4_super_change(fs, handle);
	if (result)
		return result;
	inode->deleted_time = fs->super->s_last_orphan;
	result = ext4_inode_store(handle, inode);
	if (result)
		return result;
	fs->super->s_last_orphan = inode->number;
	ext4_super_changed(fs, handle);
	list_add(&fs->orphans, &inode->orphan_node);
	return 0;
}

/* Makes what points at `inode` point behind it. */
static int unlink_orphan(struct journal_handle *handle, struct ext4_inode *inode)
	__must_hold(&inode->fs->orphan_lock)
{
	struct ext4 *fs = inode->fs;
	struct ext4_inode *newer;
	int result;

	if (inode->orphan_node.prev == &fs->orphans) {
		result = ext4_super_change(fs, handle);
		if (result)
			return result;
		fs->super->s_last_orphan = inode->deleted_time;
		ext4_super_changed(fs, handle);
		return 0;
	}
	newer = list_entry(inode->orphan_node.prev, struct ext4_inode, orphan_node);
	newer->deleted_time = inode->deleted_time;
	return ext4_inode_store(handle, newer);
}

int ext4_orphan_remove(struct journal_handle *handle, struct ext4_inode *inode)
{
	struct ext4 *fs = inode->fs;
	int result;

	mutex_guard(&fs->orphan_lock);
	if (list_empty(&inode->orphan_node))
		return 0;
	result = unlink_orphan(handle, inode);
	if (result)
		return result;
	inode->deleted_time = 0;
	list_remove(&inode->orphan_node);
	return ext4_inode_store(handle, inode);
}

/* --- at mount --- */

/* Ends what was begun with one inode: deletes it, or cuts off what lies behind its size. *next: who follows it in the
 * chain; null if it is not in the chain. */
static int clean(struct ext4 *fs, u32 number, u32 *next)
{
	struct ext4_inode *inode;
	struct journal_handle handle;
	int result = ext4_inode_get(fs, number, &inode);
	u64 keep;

	if (result)
		return result;
	if (next)
		*next = inode->deleted_time;
	else
		inode->deleted_time = 0;
	mutex_lock(&fs->orphan_lock);
	if (list_empty(&inode->orphan_node))
		list_add(&fs->orphans, &inode->orphan_node);
	mutex_unlock(&fs->orphan_lock);
	if (!inode->inode.links) {
		inode_put(&inode->inode); /* deletes it */
		return 0;
	}
	keep = DIV_ROUND_UP(inode->inode.size, fs->block_size);
	if (S_ISREG(inode->inode.mode) && keep <= EXT4_BLOCK_LIMIT - 1)
		result = ext4_remove_blocks(inode, (u32)keep, EXT4_BLOCK_LIMIT - 1);
	if (!result)
		result = ext4_begin(fs, 8, &handle);
	if (!result) {
		result = ext4_orphan_remove(&handle, inode);
		journal_end(&handle);
	}
	inode_put(&inode->inode);
	return result;
}

static int clean_chain(struct ext4 *fs, u32 *count)
{
	u32 number = fs->super->s_last_orphan;
	int result = 0;

	while (number && !result) {
		u32 next = 0;

		if (number < fs->first_inode || number > fs->inodes || ++*count > fs->inodes)
			return ext4_error(fs, -EUCLEAN, "the chain of orphans is damaged");
		result = clean(fs, number, &next);
		number = next;
		/* A chain that comes back to what was deleted ends there. */
		if (!result && fs->super->s_last_orphan != number)
			return ext4_error(fs, -EUCLEAN, "the chain of orphans is damaged");
	}
	return result;
}

static bool orphan_block_is_valid(struct ext4 *fs, const struct ext4_inode *file,
				  const struct buffer *buffer)
{
	const struct ext4_orphan_tail *tail =
		(void *)(buffer->data + fs->block_size - sizeof(*tail));
	u32 sum;

	if (tail->ob_magic != EXT4_ORPHAN_BLOCK_MAGIC)
		return false;
	if (!fs->checksums)
		return true;
	sum = crc32c(file->checksum_seed, &buffer->block, sizeof(buffer->block));
	sum = crc32c(sum, buffer->data, fs->block_size - sizeof(*tail));
	return sum == tail->ob_checksum;
}

/* Takes the numbers out of one block of the file, then cleans them. */
static int clean_block(struct ext4 *fs, struct ext4_inode *file, struct buffer *buffer, u32 *count)
{
	u32 slots = (fs->block_size - (u32)sizeof(struct ext4_orphan_tail)) / sizeof(u32);
	struct ext4_orphan_tail *tail = (void *)(buffer->data + fs->block_size - sizeof(*tail));
	u32 *numbers = (u32 *)buffer->data;
	struct journal_handle handle;
	int result = 0;

	for (u32 i = 0; i < slots && !result; i++) {
		u32 number = numbers[i];

		if (!number)
			continue;
		if (number < fs->first_inode || number > fs->inodes)
			return -EUCLEAN;
		result = clean(fs, number, nullptr);
		++*count;
		if (!result)
			result = ext4_begin(fs, 1, &handle);
		if (result)
			break;
		result = journal_change(&handle, buffer);
		if (!result) {
			numbers[i] = 0;
			tail->ob_checksum =
				fs->checksums ? crc32c(crc32c(file->checksum_seed, &buffer->block,
							      sizeof(buffer->block)),
						       buffer->data, fs->block_size - sizeof(*tail))
					      : 0;
			journal_changed(&handle, buffer);
		}
		journal_end(&handle);
	}
	return result;
}

static int clean_file(struct ext4 *fs, u32 *count)
{
	struct ext4_inode *file;
	struct buffer *buffer;
	int result = ext4_inode_get(fs, fs->super->s_orphan_file_inum, &file);

	if (result)
		return result;
	for (u32 n = 0; n < file->inode.size >> fs->block_bits && !result; n++) {
		u64 block;

		result = ext4_map_block(file, n, &block);
		if (result || !block)
			break;
		result = buffer_get(fs->cache, block, &buffer);
		if (result)
			break;
		result = orphan_block_is_valid(fs, file, buffer)
				 ? clean_block(fs, file, buffer, count)
				 : -EUCLEAN;
		buffer_put(buffer);
	}
	inode_put(&file->inode);
	return result;
}

bool ext4_orphans_in_use(struct ext4 *fs)
{
	struct ext4_inode *inode;

	mutex_guard(&fs->orphan_lock);
	list_for_each (inode, &fs->orphans, orphan_node)
		if (!READ_ONCE(inode->inode.links))
			return true;
	return false;
}

int ext4_orphans_clean(struct ext4 *fs)
{
	struct journal_handle handle;
	u32 count = 0;
	int result;

	if (fs->super->s_state & EXT4_STATE_ERROR)
		return 0; /* e2fsck's work */
	fs->cleaning = true;
	result = clean_chain(fs, &count);
	if (!result && (fs->compat & EXT4_COMPAT_ORPHAN_FILE) &&
	    (fs->ro_compat & EXT4_RO_ORPHAN_PRESENT)) {
		result = clean_file(fs, &count);
		if (!result)
			result = ext4_begin(fs, 1, &handle);
		if (!result) {
			result = ext4_super_change(fs, &handle);
			if (!result) {
				fs->ro_compat &= ~EXT4_RO_ORPHAN_PRESENT;
				fs->super->s_feature_ro_compat &= ~EXT4_RO_ORPHAN_PRESENT;
				ext4_super_changed(fs, &handle);
			}
			journal_end(&handle);
		}
	}
	fs->cleaning = false;
	if (count)
		log_info("ext4: %s: %u orphans deleted", block_device_name(fs->device), count);
	return result;
}
