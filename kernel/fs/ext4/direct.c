/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O_DIRECT (open(2)): transfers between user memory and the blocks of a file, around the page cache.
 *
 * (D1) inode->lock is held: shared to read, so that blocks stay where they are, exclusively to write.
 * (D2) What is cached and dirty is written first. A write throws out what was cached before it, and after it what a fault
 *      has brought in meanwhile.
 * (D3) Writes of whole pages into files with extents go directly; others through the cache, and are on the disk when
 *      they return. So does the end of a read that is no whole block of the device.
 * (D4) New blocks are unwritten until their data is on the disk, and the size follows them.
 */
#include <block/block_file.h>
#include <fs/ext4/ext4_priv.h>
#include <mm/iter.h>

static u32 grain_of(const struct ext4_inode *inode)
{
	return block_device_limits(inode->fs->device)->logical_block;
}

bool ext4_direct_is_aligned(const struct ext4_inode *inode, const struct iter *it, u64 offset)
{
	return !((offset | it->remaining) & (grain_of(inode) - 1));
}

bool ext4_direct_fits(const struct ext4_inode *inode, const struct iter *it, u64 offset)
{
	return it->kind == ITER_USER && ext4_has_extents(inode) &&
	       !((offset | it->remaining) & (PAGE_SIZE - 1));
}

/* What the byte `at` is in, and how many bytes of [at, end) go on like that. */
static int find(struct ext4_inode *inode, u64 at, u64 end, struct ext4_map *map, size_t *bytes)
{
	u32 bits = inode->fs->block_bits;
	int result;

	read_lock(&inode->map_lock);
	result = ext4_map_find(inode, (u32)(at >> bits), map);
	read_unlock(&inode->map_lock);
	if (!result)
		*bytes = MIN(end, ((at >> bits) + map->count) << bits) - at;
	return result;
}

static u64 place(const struct ext4_inode *inode, const struct ext4_map *map, u64 at)
{
	return (map->block << inode->fs->block_bits) + (at & (inode->fs->block_size - 1));
}

/* Reads [at, end), whole blocks of the device. Bytes, or -errno if none was read. */
static ssize_t read_blocks(struct ext4_inode *inode, struct iter *it, u64 at, u64 end)
{
	u64 start = at;
	ssize_t n = 0;

	while (at < end) {
		struct ext4_map map;
		size_t bytes;

		n = find(inode, at, end, &map, &bytes);
		if (n)
			break;
		if (map.block && !map.unwritten)
			n = block_direct(inode->fs->device, place(inode, &map, at), it, bytes,
					 false);
		else
			n = (ssize_t)iter_zero(it, bytes) ?: -EFAULT;
		if (n > 0)
			at += (u64)n;
		if (n != (ssize_t)bytes)
			break;
	}
	return at > start ? (ssize_t)(at - start) : n;
}

/* (D2) */
static int write_cached(struct ext4_inode *inode, u64 start, u64 end)
{
	if (!__atomic_load_n(&inode->object.dirty_pages, __ATOMIC_ACQUIRE) &&
	    !__atomic_load_n(&inode->object.writing, __ATOMIC_ACQUIRE))
		return 0;
	return memory_object_sync(&inode->object, start, end);
}

ssize_t ext4_direct_read(struct ext4_inode *inode, struct iter *it, u64 offset)
{
	u64 size = inode->inode.size, end, whole;
	ssize_t n, tail;

	if (offset >= size)
		return 0;
	if (!ext4_direct_is_aligned(inode, it, offset))
		return -EINVAL;
	end = offset + MIN((u64)it->remaining, size - offset);
	whole = ALIGN_DOWN(end, (u64)grain_of(inode));
	if (it->kind != ITER_USER || (inode->flags & EXT4_FL_INLINE_DATA))
		return memory_object_read(&inode->object, offset, it);
	n = write_cached(inode, offset, end);
	if (!n)
		n = read_blocks(inode, it, offset, whole);
	if (n < 0 || offset + (u64)n < whole || whole == end)
		return n;
	tail = memory_object_read(&inode->object, whole, it);
	return tail > 0 ? n + tail : n ?: tail;
}

/* Gives the hole at `logical` blocks that are not written yet. */
static int fill_hole(struct ext4_inode *inode, u32 logical, u32 count)
{
	u32 done;
	int result = ext4_add_unwritten(inode, logical, count, &done);

	if (result == -ENOSPC && ext4_wait_for_room(inode->fs))
		result = ext4_add_unwritten(inode, logical, count, &done);
	return result;
}

/* The data of these unwritten blocks is on the disk. (D4) */
static int mark_written(struct ext4_inode *inode, u32 logical, u32 count)
{
	u64 end = ((u64)logical + count) << inode->fs->block_bits;
	struct journal_handle handle;
	int result = ext4_begin(inode->fs, ext4_map_credits(inode) + 3, &handle);

	if (result)
		return result;
	handle.flags = EXT4_ALLOCATE_METADATA;
	write_lock(&inode->map_lock);
	result = ext4_map_convert(&handle, inode, logical, count);
	if (!result && end > inode->disk_size)
		inode->disk_size = end;
	if (!result)
		result = ext4_inode_store(&handle, inode);
	write_unlock(&inode->map_lock);
	journal_end(&handle);
	return result;
}

/* Writes what lies in one run of blocks at `at`. Bytes, 0 after a hole was filled, or -errno. */
static ssize_t write_run(struct ext4_inode *inode, struct iter *it, u64 at, u64 end)
{
	u32 bits = inode->fs->block_bits, logical = (u32)(at >> bits);
	struct ext4_map map;
	size_t bytes;
	ssize_t n;
	int result = find(inode, at, end, &map, &bytes);

	if (result)
		return result;
	if (!map.block)
		return fill_hole(inode, logical, (u32)(bytes >> bits));
	n = block_direct(inode->fs->device, place(inode, &map, at), it, bytes, true);
	if (n <= 0 || !map.unwritten)
		return n;
	n = (ssize_t)ALIGN_DOWN((size_t)n, (size_t)inode->fs->block_size);
	result = n ? mark_written(inode, logical, (u32)((u64)n >> bits)) : -EIO;
	return result ?: n;
}

static void drop_cached(struct ext4_inode *inode, u64 start, u64 end)
{
	if (READ_ONCE(inode->object.page_count))
		memory_object_punch(&inode->object, start, end);
}

ssize_t ext4_direct_write(struct ext4_inode *inode, struct iter *it, u64 offset)
{
	u64 at = offset, end = offset + it->remaining;
	ssize_t n = write_cached(inode, offset, end);

	if (n)
		return n;
	drop_cached(inode, offset, end);
	while (at < end && n >= 0) {
		n = write_run(inode, it, at, end);
		at += n > 0 ? (u64)n : 0;
	}
	drop_cached(inode, offset, end);
	return at > offset ? (ssize_t)(at - offset) : n;
}
