/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block groups: descriptors, bitmaps, and their checksums. */
#include <fs/ext4/ext4_priv.h>
#include <lib/crc32c.h>
#include <lib/string.h>

struct ext4_group_desc *ext4_descriptor(const struct ext4 *fs, u32 group)
{
	u32 at = group % fs->descriptors_per_block * fs->descriptor_size;

	return (void *)(fs->descriptors[group / fs->descriptors_per_block]->data + at);
}

u32 ext4_group_blocks(const struct ext4 *fs, u32 group)
{
	return (u32)MIN((u64)fs->blocks_per_group, fs->blocks - ext4_group_first(fs, group));
}

/* Whether descriptors have the second half of their fields. */
static bool is_wide(const struct ext4 *fs)
{
	return fs->descriptor_size >= sizeof(struct ext4_group_desc);
}

u64 ext4_block_bitmap_at(const struct ext4 *fs, u32 group)
{
	const struct ext4_group_desc *d = ext4_descriptor(fs, group);

	return d->bg_block_bitmap_lo | (is_wide(fs) ? (u64)d->bg_block_bitmap_hi << 32 : 0);
}

u64 ext4_inode_bitmap_at(const struct ext4 *fs, u32 group)
{
	const struct ext4_group_desc *d = ext4_descriptor(fs, group);

	return d->bg_inode_bitmap_lo | (is_wide(fs) ? (u64)d->bg_inode_bitmap_hi << 32 : 0);
}

u64 ext4_inode_table_at(const struct ext4 *fs, u32 group)
{
	const struct ext4_group_desc *d = ext4_descriptor(fs, group);

	return d->bg_inode_table_lo | (is_wide(fs) ? (u64)d->bg_inode_table_hi << 32 : 0);
}

#define COUNT(get, set, field)                                                                     \
	u32 get(const struct ext4 *fs, const struct ext4_group_desc *d)                            \
	{                                                                                          \
		return d->field##_lo | (is_wide(fs) ? (u32)d->field##_hi << 16 : 0);               \
	}                                                                                          \
	void set(const struct ext4 *fs, struct ext4_group_desc *d, u32 n)                          \
	{                                                                                          \
		d->field##_lo = (u16)n;                                                            \
		if (is_wide(fs))                                                                   \
			d->field##_hi = (u16)(n >> 16);                                            \
	}

COUNT(ext4_free_blocks_of, ext4_set_free_blocks, bg_free_blocks_count)
COUNT(ext4_free_inodes_of, ext4_set_free_inodes, bg_free_inodes_count)
COUNT(ext4_used_directories_of, ext4_set_used_directories, bg_used_dirs_count)
COUNT(ext4_unused_inodes_of, ext4_set_unused_inodes, bg_itable_unused)

/* --- checksums --- */

static u16 descriptor_sum(const struct ext4 *fs, u32 group)
{
	const char *d = (const char *)ext4_descriptor(fs, group);
	const size_t at = offsetof(struct ext4_group_desc, bg_checksum), after = at + 2;
	static const u16 zero;
	u32 sum;
	u16 old;

	if (fs->checksums) {
		sum = crc32c(fs->checksum_seed, &group, sizeof(group));
		sum = crc32c(sum, d, at);
		sum = crc32c(sum, &zero, sizeof(zero));
		return (u16)crc32c(sum, d + after, fs->descriptor_size - after);
	}
	old = crc16(0xffff, fs->super->s_uuid, sizeof(fs->super->s_uuid));
	old = crc16(old, &group, sizeof(group));
	old = crc16(old, d, at);
	return crc16(old, d + after, fs->descriptor_size - after);
}

bool ext4_descriptor_sum_fits(const struct ext4 *fs, u32 group)
{
	return (!fs->checksums && !fs->group_checksums) ||
	       ext4_descriptor(fs, group)->bg_checksum == descriptor_sum(fs, group);
}

int ext4_descriptor_change(struct ext4 *fs, struct journal_handle *handle, u32 group)
{
	return journal_change(handle, fs->descriptors[group / fs->descriptors_per_block]);
}

void ext4_descriptor_changed(struct ext4 *fs, struct journal_handle *handle, u32 group)
{
	if (fs->checksums || fs->group_checksums)
		ext4_descriptor(fs, group)->bg_checksum = descriptor_sum(fs, group);
	journal_changed(handle, fs->descriptors[group / fs->descriptors_per_block]);
}

void ext4_block_bitmap_sum(struct ext4 *fs, u32 group, const struct buffer *bitmap)
{
	struct ext4_group_desc *d = ext4_descriptor(fs, group);
	u32 sum;

	if (!fs->checksums)
		return;
	sum = crc32c(fs->checksum_seed, bitmap->data, fs->blocks_per_group / 8);
	d->bg_block_bitmap_csum_lo = (u16)sum;
	if (is_wide(fs))
		d->bg_block_bitmap_csum_hi = (u16)(sum >> 16);
}

void ext4_inode_bitmap_sum(struct ext4 *fs, u32 group, const struct buffer *bitmap)
{
	struct ext4_group_desc *d = ext4_descriptor(fs, group);
	u32 sum;

	if (!fs->checksums)
		return;
	sum = crc32c(fs->checksum_seed, bitmap->data, fs->inodes_per_group / 8);
	d->bg_inode_bitmap_csum_lo = (u16)sum;
	if (is_wide(fs))
		d->bg_inode_bitmap_csum_hi = (u16)(sum >> 16);
}

static bool bitmap_sum_fits(const struct ext4 *fs, const struct buffer *bitmap, u32 bits, u16 low,
			    u16 high)
{
	u32 sum;

	if (!fs->checksums)
		return true;
	sum = crc32c(fs->checksum_seed, bitmap->data, bits / 8);
	return (u16)sum == low && (!is_wide(fs) || (u16)(sum >> 16) == high);
}

/* --- bitmaps --- */

static void set_bits(char *map, u32 first, u32 count)
{
	for (; count && first % 8; first++, count--)
		map[first / 8] |= (char)(1 << first % 8);
	memset(map + first / 8, 0xff, count / 8);
	for (first += count & ~7u, count &= 7; count; first++, count--)
		map[first / 8] |= (char)(1 << first % 8);
}

/* Sets the bits of [block, block + count) that lie in the group. */
static void set_own(const struct ext4 *fs, char *map, u32 group, u64 block, u32 count)
{
	u64 first = ext4_group_first(fs, group);

	if (block >= first && block + count <= first + ext4_group_blocks(fs, group))
		set_bits(map, (u32)(block - first), count);
}

/* What a bitmap that was never written says: the group has its own metadata only. */
static void make_block_bitmap(const struct ext4 *fs, u32 group, char *map)
{
	u32 table = DIV_ROUND_UP(fs->inodes_per_group * fs->inode_size, fs->block_size);
	u32 blocks = ext4_group_blocks(fs, group);

	memset(map, 0, fs->block_size);
	set_bits(map, 0, MIN(ext4_base_blocks(fs, group), blocks));
	set_own(fs, map, group, ext4_block_bitmap_at(fs, group), 1);
	set_own(fs, map, group, ext4_inode_bitmap_at(fs, group), 1);
	set_own(fs, map, group, ext4_inode_table_at(fs, group), table);
	set_bits(map, blocks, fs->block_size * 8 - blocks);
}

/* A group whose bitmap cannot be trusted: nothing is allocated there. */
static int damaged(struct ext4 *fs, u32 group, const char *what)
{
	fs->groups[group].damaged = true;
	return ext4_error(fs, -EUCLEAN, "the %s bitmap of group %u is damaged", what, group);
}

int ext4_block_bitmap(struct ext4 *fs, u32 group, struct buffer **out)
{
	const struct ext4_group_desc *d = ext4_descriptor(fs, group);
	struct buffer *bitmap;
	int result;

	if (fs->groups[group].damaged)
		return -EUCLEAN;
	result = buffer_get(fs->cache, ext4_block_bitmap_at(fs, group), &bitmap);
	if (result)
		return result;
	*out = bitmap;
	if (bitmap->verified == EXT4_KIND_BLOCK_BITMAP)
		return 0;
	if ((d->bg_flags & EXT4_BG_BLOCK_UNINIT) && (fs->checksums || fs->group_checksums)) {
		make_block_bitmap(fs, group, bitmap->data);
	} else if (!bitmap_sum_fits(fs, bitmap, fs->blocks_per_group, d->bg_block_bitmap_csum_lo,
				    is_wide(fs) ? d->bg_block_bitmap_csum_hi : 0)) {
		buffer_put(bitmap);
		return damaged(fs, group, "block");
	}
	bitmap->verified = EXT4_KIND_BLOCK_BITMAP;
	return 0;
}

int ext4_inode_bitmap(struct ext4 *fs, u32 group, struct buffer **out)
{
	const struct ext4_group_desc *d = ext4_descriptor(fs, group);
	struct buffer *bitmap;
	int result;

	if (fs->groups[group].damaged)
		return -EUCLEAN;
	result = buffer_get(fs->cache, ext4_inode_bitmap_at(fs, group), &bitmap);
	if (result)
		return result;
	*out = bitmap;
	if (bitmap->verified == EXT4_KIND_INODE_BITMAP)
		return 0;
	if ((d->bg_flags & EXT4_BG_INODE_UNINIT) && (fs->checksums || fs->group_checksums)) {
		memset(bitmap->data, 0, fs->block_size);
		set_bits(bitmap->data, fs->inodes_per_group,
			 fs->block_size * 8 - fs->inodes_per_group);
	} else if (!bitmap_sum_fits(fs, bitmap, fs->inodes_per_group, d->bg_inode_bitmap_csum_lo,
				    is_wide(fs) ? d->bg_inode_bitmap_csum_hi : 0)) {
		buffer_put(bitmap);
		return damaged(fs, group, "inode");
	}
	bitmap->verified = EXT4_KIND_INODE_BITMAP;
	return 0;
}
