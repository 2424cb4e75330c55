/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ext4: files on a disk, in the format of Linux, with a journal; ext3 and ext2 are the same with fewer features.
 *
 *   layout.c group.c           geometry, descriptors, bitmaps, their checksums
 *   allocate_{block,inode}.c   which blocks and inodes are in use
 *   inode.c inode_table.c orphan.c   inodes in memory and in their tables; those that wait for deletion
 *   map.c extent*.c indirect.c delayed.c   where the blocks of a file are
 *   directory.c htree*.c hash.c read_directory.c namei.c   names
 *   file.c write_back.c fallocate.c inline.c ioctl.c      contents
 *   xattr*.c acl.c             attributes
 *   super.c mount.c options.c  the superblock, the journal, what is mounted
 *   journal/                   what makes changes of metadata atomic
 *
 * Metadata is changed in buffers (windows into the page cache of the device) inside journal handles. Contents of files are
 * pages of memory objects. Space for what is written there is promised at once (delayed.c) and found when the pages are
 * written back.
 *
 * (E1) A file's map names a block only after the file's data was written there: write-back claims blocks in memory, writes,
 *      and then changes bitmap and map in one handle. So a crash never shows what a block held before, and a commit never
 *      waits for data ("ordered" for free).
 * (E2) A block that was freed, or is claimed, is busy: free in the bitmap, but not to be had until the transaction that
 *      freed it is durable.
 * (E3) disk_size, the size that is stored, never exceeds what is mapped and written, but for sizes that were set by
 *      truncate, whose tail is a hole.
 * (E4) An inode in memory is in fs->inode_tree from before anybody can find it until its last reference is gone and it is
 *      stored or deleted. A new one with that number waits for that.
 * (E5) Whoever removes the last name puts the inode on the list of orphans in the same handle; a mount deletes them.
 *
 * Order: inode->lock (VFS), page lock, handle, map_lock, group lock, memory object of the device. Under map_lock nobody
 * waits for pages of files.
 */
#include <core/log.h>
#include <core/panic.h>
#include <core/time.h>
#include <fs/ext4/ext4.h>
#include <fs/ext4/ext4_priv.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/write_back.h>
#include <sched/thread.h>

#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>

#define COMMIT_SECONDS 5
#define POOL_MAX 4096 /* blocks kept for the metadata of delayed allocation */

/* --- errors --- */

/* Tells the next e2fsck. Not through the journal, which may be what failed. */
static void mark_failed(struct ext4 *fs)
{
	struct ext4_super_block *super = fs->super;
	u32 now = (u32)(clock_realtime_ns() / NSEC_PER_SEC);

	super->s_state |= EXT4_STATE_ERROR;
	super->s_last_error_time = now;
	if (!super->s_error_count++)
		super->s_first_error_time = now;
	ext4_super_sum(fs);
}

static void stop_writing(struct ext4 *fs, int error)
{
	if (__atomic_exchange_n(&fs->failed, true, __ATOMIC_ACQ_REL))
		return;
	if (fs->journal)
		journal_abort(fs->journal, error);
	if (fs->sb)
		__atomic_fetch_or(&fs->sb->flags, MS_RDONLY, __ATOMIC_RELAXED);
	log_error("ext4: %s: from now on read-only", block_device_name(fs->device));
}

int ext4_error(struct ext4 *fs, int error, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("ext4: %s: %s", block_device_name(fs->device), text);
	if (!fs->writable || READ_ONCE(fs->failed))
		return error;
	mark_failed(fs);
	if (fs->on_error == EXT4_ERRORS_PANIC)
		panic("ext4: %s: %s", block_device_name(fs->device), text);
	if (fs->on_error == EXT4_ERRORS_READ_ONLY)
		stop_writing(fs, error);
	return error;
}

int ext4_begin(struct ext4 *fs, u32 credits, struct journal_handle *handle)
{
	int result;

	if (!fs->writable || READ_ONCE(fs->failed))
		return -EROFS;
	result = journal_begin(fs->journal, credits, handle);
	if (result == -EROFS)
		stop_writing(fs, -EIO);
	return result;
}

int ext4_commit(struct ext4 *fs, u32 tid)
{
	int result;

	if (READ_ONCE(fs->failed))
		return -EROFS;
	if (!fs->journal) {
		result = buffer_cache_sync(fs->cache);
		return result ? result : block_flush(fs->device);
	}
	if (journal_is_committed(fs->journal, tid))
		return block_flush(fs->device);
	result = journal_commit(fs->journal, tid);
	if (result && journal_error(fs->journal))
		stop_writing(fs, -EIO);
	return result;
}

/* --- the superblock on the disk --- */

int ext4_super_change(struct ext4 *fs, struct journal_handle *handle)
{
	return journal_change(handle, fs->super_buffer);
}

void ext4_super_changed(struct ext4 *fs, struct journal_handle *handle)
{
	ext4_super_sum(fs);
	journal_changed(handle, fs->super_buffer);
}

/* Brings the totals up to date, which change without the superblock all the time. */
static void update_totals(struct ext4 *fs)
{
	u64 blocks = 0, inodes = 0;

	for (u32 group = 0; group < fs->group_count; group++) {
		const struct ext4_group_desc *d = ext4_descriptor(fs, group);

		blocks += ext4_free_blocks_of(fs, d);
		inodes += ext4_free_inodes_of(fs, d);
	}
	fs->super->s_free_blocks_count_lo = (u32)blocks;
	fs->super->s_free_blocks_count_hi =
		fs->incompat & EXT4_INCOMPAT_64BIT ? (u32)(blocks >> 32) : 0;
	fs->super->s_free_inodes_count = (u32)inodes;
	fs->super->s_wtime = (u32)(clock_realtime_ns() / NSEC_PER_SEC);
}

/* Outside of handles: at mount and unmount. */
static int write_super(struct ext4 *fs)
{
	int result;

	ext4_super_sum(fs);
	result = buffer_write_all(&fs->super_buffer, 1, BLOCK_SYNC);
	return result ? result : block_flush(fs->device);
}

static int mark_mounted(struct ext4 *fs)
{
	struct ext4_super_block *super = fs->super;

	if (fs->journal)
		super->s_feature_incompat |= EXT4_INCOMPAT_RECOVER;
	else
		super->s_state &= (u16)~EXT4_STATE_VALID;
	super->s_mtime = (u32)(clock_realtime_ns() / NSEC_PER_SEC);
	super->s_mnt_count++;
	return write_super(fs);
}

static int mark_clean(struct ext4 *fs)
{
	update_totals(fs);
	fs->super->s_feature_incompat &= ~EXT4_INCOMPAT_RECOVER;
	if (!(fs->super->s_state & EXT4_STATE_ERROR))
		fs->super->s_state |= EXT4_STATE_VALID;
	return write_super(fs);
}

/* --- the journal --- */

/* Where the blocks of the journal are, as one array that the caller owns. */
static int map_journal(struct ext4_inode *inode, struct journal_extent **out, unsigned *count)
{
	u64 blocks = inode->inode.size >> inode->fs->block_bits;
	struct journal_extent *extents = nullptr, *larger;
	struct ext4_map map = {};
	int result = 0;

	*count = 0;
	if (blocks > UINT32_MAX)
		return -EINVAL;
	read_lock(&inode->map_lock);
	for (u64 at = 0; at < blocks && !result; at += map.count) {
		result = ext4_map_find(inode, (u32)at, &map);
		if (!result && (!map.block || map.unwritten))
			result = -EUCLEAN;
		if (result)
			break;
		larger = krealloc(extents, (*count + 1) * sizeof(*extents), 0);
		if (!larger) {
			result = -ENOMEM;
			break;
		}
		extents = larger;
		map.count = (u32)MIN((u64)map.count, blocks - at);
		extents[(*count)++] = (struct journal_extent){ (u32)at, map.count, map.block };
	}
	read_unlock(&inode->map_lock);
	*out = extents;
	return result;
}

static int open_journal(struct ext4 *fs)
{
	struct journal_extent *extents = nullptr;
	struct ext4_inode *inode;
	unsigned count;
	int result;

	if (!(fs->compat & EXT4_COMPAT_HAS_JOURNAL))
		return fs->incompat & EXT4_INCOMPAT_RECOVER ? -EUCLEAN : 0;
	if (!fs->super->s_journal_inum) {
		log_error("ext4: %s: its journal is on another device",
			  block_device_name(fs->device));
		return -EINVAL;
	}
	result = ext4_inode_get(fs, fs->super->s_journal_inum, &inode);
	if (result)
		return result;
	result = S_ISREG(inode->inode.mode) && inode->inode.links
			 ? map_journal(inode, &extents, &count)
			 : -EUCLEAN;
	if (!result)
		result = journal_open(fs->cache, extents, count, &fs->journal);
	if (result)
		kfree(extents);
	inode_put(&inode->inode);
	return result;
}

/* --- mounting --- */

void ext4_release_layout(struct ext4 *fs)
{
	for (u32 n = 0; fs->descriptors && n < fs->descriptor_blocks; n++)
		buffer_put(fs->descriptors[n]);
	for (u32 group = 0; fs->groups && group < fs->group_count; group++)
		kfree(fs->groups[group].busy);
	kvfree(fs->descriptors);
	kvfree(fs->groups);
	if (fs->journal)
		journal_close(fs->journal);
	buffer_put(fs->super_buffer);
	/* Deleted inodes leave the tree after a grace period has freed their memory, not before. */
	if (fs->cache)
		buffer_cache_destroy(fs->cache);
	radix_destroy(&fs->inode_tree, nullptr);
	fs->descriptors = nullptr;
	fs->groups = nullptr;
	fs->journal = nullptr;
	fs->super_buffer = nullptr;
	fs->cache = nullptr;
	fs->free_blocks = 0;
}

static int read_all(struct ext4 *fs)
{
	int result = ext4_read_layout(fs);

	if (!result)
		result = ext4_read_descriptors(fs);
	if (!result)
		result = open_journal(fs);
	return result;
}

/* Reads the file system; if its journal has something to say, carries that out and reads it again. */
int ext4_load(struct ext4 *fs)
{
	int result = read_all(fs);

	if (result || !fs->journal || !journal_is_dirty(fs->journal) || fs->no_load)
		return result;
	if (block_device_limits(fs->device)->read_only) {
		log_error("ext4: %s: needs recovery, but cannot be written; mount with noload",
			  block_device_name(fs->device));
		return -EROFS;
	}
	result = journal_replay(fs->journal);
	if (result)
		return result;
	ext4_release_layout(fs);
	result = read_all(fs);
	if (!result && (fs->super->s_feature_incompat & EXT4_INCOMPAT_RECOVER)) {
		fs->super->s_feature_incompat &= ~EXT4_INCOMPAT_RECOVER;
		result = write_super(fs);
	}
	return result;
}

static void make_pool(struct ext4 *fs)
{
	fs->root_blocks = fs->super->s_r_blocks_count_lo;
	if (fs->incompat & EXT4_INCOMPAT_64BIT)
		fs->root_blocks |= (s64)(fs->super->s_r_blocks_count_hi & INT32_MAX) << 32;
	fs->metadata_pool = (s64)MIN(fs->blocks / 50, (u64)POOL_MAX);
	if (fs->metadata_pool > fs->free_blocks / 8)
		fs->metadata_pool = fs->free_blocks / 8;
}

static void commit_thread(void *arg)
{
	struct ext4 *fs = arg;

	while (!READ_ONCE(fs->thread_stop)) {
		(void)wait_event_until(&fs->thread_waiters, READ_ONCE(fs->thread_stop),
				       SLEEP_UNINTERRUPTIBLE, clock_monotonic_ns() + NSEC_PER_SEC);
		if (READ_ONCE(fs->thread_stop) || READ_ONCE(fs->failed))
			continue;
		if (!fs->journal)
			(void)buffer_cache_sync(fs->cache);
		else if (!journal_commit_old(fs->journal, COMMIT_SECONDS * NSEC_PER_SEC))
			(void)journal_checkpoint_some(fs->journal);
		if (fs->journal && journal_error(fs->journal))
			stop_writing(fs, -EIO);
	}
	complete(&fs->thread_done);
	thread_exit();
}

/* Makes a file system that was read writable. */
int ext4_start_writing(struct ext4 *fs)
{
	int result = 0;

	if (fs->journal)
		result = journal_start(fs->journal, fs->incompat & EXT4_INCOMPAT_64BIT,
				       fs->checksums);
	if (!result)
		result = mark_mounted(fs);
	if (result)
		return result;
	make_pool(fs);
	result = ext4_orphans_clean(fs);
	if (result)
		log_warning("ext4: %s: not all orphans could be deleted",
			    block_device_name(fs->device));
	fs->started = true;
	fs->thread_stop = false;
	completion_init(&fs->thread_done);
	fs->thread_running = kthread_start("ext4", commit_thread, fs) == 0;
	if (!fs->thread_running)
		log_warning("ext4: %s: no thread: commits only when asked to",
			    block_device_name(fs->device));
	return 0;
}

void ext4_stop_thread(struct ext4 *fs)
{
	if (!fs->thread_running)
		return;
	WRITE_ONCE(fs->thread_stop, true);
	wake_up(&fs->thread_waiters, 0);
	(void)wait_for_completion(&fs->thread_done, SLEEP_UNINTERRUPTIBLE);
	fs->thread_running = false;
}

int ext4_end_writing(struct ext4 *fs)
{
	int result = 0;

	fs->started = false;
	ext4_stop_thread(fs);
	if (READ_ONCE(fs->failed))
		return write_super(fs);
	if (fs->journal)
		result = journal_stop(fs->journal);
	else
		result = buffer_cache_sync(fs->cache);
	if (!result)
		result = block_flush(fs->device);
	if (!result)
		result = mark_clean(fs);
	return result;
}

/* --- superblock operations --- */

int ext4_sync(struct superblock *sb)
{
	struct ext4 *fs = ext4_of(sb);
	int result, other;

	if (!fs->writable)
		return 0;
	result = write_back_group(fs, true);
	other = ext4_inodes_flush(fs);
	result = result ?: other;
	other = ext4_commit(fs, fs->journal ? journal_current_tid(fs->journal) : 0);
	return result ?: other;
}
