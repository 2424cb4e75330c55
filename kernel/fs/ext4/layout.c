/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The geometry of a file system: its superblock and group descriptors, read and checked so that nobody needs to check
 * them again. Every number here may come from an attacker.
 */
#include <core/log.h>
#include <core/panic.h>
#include <fs/ext4/ext4_priv.h>
#include <lib/crc32c.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/mount.h>

#define KNOWN_INCOMPAT                                                                             \
	(EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_RECOVER | EXT4_INCOMPAT_META_BG |                  \
	 EXT4_INCOMPAT_EXTENTS | EXT4_INCOMPAT_64BIT | EXT4_INCOMPAT_FLEX_BG |                     \
	 EXT4_INCOMPAT_CSUM_SEED | EXT4_INCOMPAT_LARGEDIR | EXT4_INCOMPAT_INLINE_DATA)
#define KNOWN_RO_COMPAT                                                                            \
	(EXT4_RO_SPARSE_SUPER | EXT4_RO_LARGE_FILE | EXT4_RO_BTREE_DIR | EXT4_RO_HUGE_FILE |       \
	 EXT4_RO_GDT_CSUM | EXT4_RO_DIR_NLINK | EXT4_RO_EXTRA_ISIZE | EXT4_RO_METADATA_CSUM |      \
	 EXT4_RO_PROJECT | EXT4_RO_ORPHAN_PRESENT)

static int refuse(const struct ext4 *fs, const char *why)
{
	log_error("ext4: %s: %s", block_device_name(fs->device), why);
	return -EINVAL;
}

bool ext4_super_sum_fits(const struct ext4_super_block *super)
{
	return super->s_checksum ==
	       crc32c(~0u, super, offsetof(struct ext4_super_block, s_checksum));
}

void ext4_super_sum(struct ext4 *fs)
{
	if (fs->checksums)
		fs->super->s_checksum =
			crc32c(~0u, fs->super, offsetof(struct ext4_super_block, s_checksum));
}

static int check_features(struct ext4 *fs)
{
	const struct ext4_super_block *super = fs->super;

	/* Revision 0 has no features, and inodes of the old size. */
	if (super->s_rev_level) {
		fs->compat = super->s_feature_compat;
		fs->incompat = super->s_feature_incompat;
		fs->ro_compat = super->s_feature_ro_compat;
	}
	if (fs->incompat & ~KNOWN_INCOMPAT) {
		log_error("ext4: %s: incompatible features that are not known: %#x",
			  block_device_name(fs->device), fs->incompat & ~KNOWN_INCOMPAT);
		return -EINVAL;
	}
	if ((fs->ro_compat & ~KNOWN_RO_COMPAT) && fs->writable) {
		log_error("ext4: %s: only to be read, for features that are not known: %#x",
			  block_device_name(fs->device), fs->ro_compat & ~KNOWN_RO_COMPAT);
		return -EROFS;
	}
	fs->checksums = fs->ro_compat & EXT4_RO_METADATA_CSUM;
	fs->group_checksums = !fs->checksums && (fs->ro_compat & EXT4_RO_GDT_CSUM);
	if (fs->checksums && super->s_checksum_type != EXT4_CHECKSUM_CRC32C)
		return refuse(fs, "a kind of checksum that is not known");
	if (fs->checksums && !ext4_super_sum_fits(super))
		return refuse(fs, "the superblock's checksum is wrong");
	fs->checksum_seed = fs->incompat & EXT4_INCOMPAT_CSUM_SEED
				    ? super->s_checksum_seed
				    : crc32c(~0u, super->s_uuid, sizeof(super->s_uuid));
	return 0;
}

static int check_sizes(struct ext4 *fs)
{
	const struct ext4_super_block *super = fs->super;
	u64 groups, device = block_device_sectors(fs->device) >> (fs->block_bits - SECTOR_SHIFT);

	fs->inode_size = super->s_rev_level ? super->s_inode_size : EXT4_GOOD_OLD_INODE_SIZE;
	fs->first_inode = super->s_rev_level ? super->s_first_ino : 11;
	if (fs->inode_size < EXT4_GOOD_OLD_INODE_SIZE || fs->inode_size > fs->block_size ||
	    (fs->inode_size & (fs->inode_size - 1)))
		return refuse(fs, "a wrong size of inodes");
	fs->descriptor_size = EXT4_DESC_SIZE_32;
	if (fs->incompat & EXT4_INCOMPAT_64BIT)
		fs->descriptor_size = super->s_desc_size;
	if (fs->descriptor_size < EXT4_DESC_SIZE_32 || fs->descriptor_size > fs->block_size ||
	    (fs->descriptor_size & (fs->descriptor_size - 1)) ||
	    ((fs->incompat & EXT4_INCOMPAT_64BIT) && fs->descriptor_size < 64))
		return refuse(fs, "a wrong size of group descriptors");
	fs->descriptors_per_block = fs->block_size / fs->descriptor_size;
	fs->blocks_per_group = super->s_blocks_per_group;
	fs->inodes_per_group = super->s_inodes_per_group;
	if (!fs->blocks_per_group || fs->blocks_per_group > fs->block_size * 8 ||
	    fs->blocks_per_group % 8 || !fs->inodes_per_group ||
	    fs->inodes_per_group > fs->block_size * 8 || fs->inodes_per_group % 8 ||
	    super->s_log_cluster_size != super->s_log_block_size)
		return refuse(fs, "wrong sizes of groups");
	fs->first_block = super->s_first_data_block;
	fs->blocks = super->s_blocks_count_lo |
		     (fs->incompat & EXT4_INCOMPAT_64BIT ? (u64)super->s_blocks_count_hi << 32 : 0);
	if (fs->first_block != (fs->block_size == 1024) || fs->blocks <= fs->first_block + 8)
		return refuse(fs, "a wrong number of blocks");
	if (fs->blocks > device)
		return refuse(fs, "the file system is larger than the device");
	groups = DIV_ROUND_UP(fs->blocks - fs->first_block, fs->blocks_per_group);
	if (groups * fs->inodes_per_group != super->s_inodes_count ||
	    fs->first_inode > super->s_inodes_count || fs->first_inode < 11)
		return refuse(fs, "a wrong number of inodes");
	fs->group_count = (u32)groups;
	fs->inodes = super->s_inodes_count;
	fs->flex_bits = fs->incompat & EXT4_INCOMPAT_FLEX_BG
				? MIN((u32)super->s_log_groups_per_flex, 16u)
				: 0;
	return 0;
}

static void set_hash(struct ext4 *fs)
{
	memcpy(fs->hash_seed, fs->super->s_hash_seed, sizeof(fs->hash_seed));
	fs->hash_version = fs->super->s_def_hash_version;
	if (fs->hash_version <= EXT4_HASH_TEA && (fs->super->s_flags & EXT4_FLAG_UNSIGNED_HASH))
		fs->hash_version += EXT4_HASH_LEGACY_UNSIGNED;
	if (fs->hash_version > EXT4_HASH_TEA_UNSIGNED)
		fs->hash_version = EXT4_HASH_HALF_MD4;
}

int ext4_read_layout(struct ext4 *fs)
{
	struct ext4_super_block *raw = kmalloc(sizeof(*raw), 0);
	int result;

	if (!raw)
		return -ENOMEM;
	if (block_device_sectors(fs->device) * SECTOR_SIZE < EXT4_SUPER_OFFSET + sizeof(*raw)) {
		kfree(raw);
		return -EINVAL;
	}
	/* The size of blocks is not known yet, so the first look passes the buffers by. */
	result = block_read_kernel(fs->device, 0, raw, sizeof(*raw));
	if (!result)
		result = block_read_kernel(fs->device, EXT4_SUPER_OFFSET, raw, sizeof(*raw));
	if (!result && (raw->s_magic != EXT4_MAGIC || raw->s_log_block_size > 2))
		result = -EINVAL;
	fs->block_bits = result ? 0 : 10 + raw->s_log_block_size;
	kfree(raw);
	if (result)
		return result;
	fs->block_size = 1u << fs->block_bits;
	if (fs->block_size < block_device_limits(fs->device)->logical_block)
		return refuse(fs, "its blocks are smaller than the device's");
	result = buffer_cache_create(fs->device, fs->block_size, &fs->cache);
	if (!result)
		result = buffer_get(fs->cache, EXT4_SUPER_OFFSET >> fs->block_bits,
				    &fs->super_buffer);
	if (result)
		return result;
	fs->super = (void *)(fs->super_buffer->data + (EXT4_SUPER_OFFSET & (fs->block_size - 1)));
	if (fs->super->s_magic != EXT4_MAGIC)
		return -EINVAL;
	result = check_features(fs);
	if (!result)
		result = check_sizes(fs);
	set_hash(fs);
	return result;
}

/* --- group descriptors --- */

static bool is_power(u32 n, u32 base)
{
	while (n > base && n % base == 0)
		n /= base;
	return n == base;
}

bool ext4_group_has_super(const struct ext4 *fs, u32 group)
{
	if (fs->compat & EXT4_COMPAT_SPARSE_SUPER2)
		return !group || group == fs->super->s_backup_bgs[0] ||
		       group == fs->super->s_backup_bgs[1];
	if (group <= 1 || !(fs->ro_compat & EXT4_RO_SPARSE_SUPER))
		return true;
	return (group & 1) && (is_power(group, 3) || is_power(group, 5) || is_power(group, 7));
}

static u32 first_meta_group(const struct ext4 *fs)
{
	return fs->incompat & EXT4_INCOMPAT_META_BG ? fs->super->s_first_meta_bg : UINT32_MAX;
}

u32 ext4_base_blocks(const struct ext4 *fs, u32 group)
{
	u32 meta = group / fs->descriptors_per_block;
	u32 blocks = ext4_group_has_super(fs, group) ? 1 : 0;
	u32 in_meta = group % fs->descriptors_per_block;

	if (meta >= first_meta_group(fs))
		return blocks +
		       (in_meta == 0 || in_meta == 1 || in_meta == fs->descriptors_per_block - 1);
	if (!blocks)
		return 0;
	return 1 + MIN(fs->descriptor_blocks, first_meta_group(fs)) +
	       fs->super->s_reserved_gdt_blocks;
}

static u64 descriptor_block_at(const struct ext4 *fs, u32 n)
{
	u32 group;

	if (n < first_meta_group(fs))
		return (EXT4_SUPER_OFFSET >> fs->block_bits) + 1 + n;
	group = n * fs->descriptors_per_block;
	return ext4_group_first(fs, group) + ext4_group_has_super(fs, group);
}

/* Bitmaps and table lie inside the file system. */
static bool descriptor_is_valid(const struct ext4 *fs, u32 group)
{
	u32 table = DIV_ROUND_UP(fs->inodes_per_group * fs->inode_size, fs->block_size);

	return ext4_range_is_valid(fs, ext4_block_bitmap_at(fs, group), 1) &&
	       ext4_range_is_valid(fs, ext4_inode_bitmap_at(fs, group), 1) &&
	       ext4_range_is_valid(fs, ext4_inode_table_at(fs, group), table) &&
	       ext4_descriptor_sum_fits(fs, group);
}

static int check_groups(struct ext4 *fs)
{
	for (u32 group = 0; group < fs->group_count; group++) {
		struct ext4_group *g = &fs->groups[group];
		const struct ext4_group_desc *d = ext4_descriptor(fs, group);

		mutex_init(&g->lock, RANK_EXT4_GROUP);
		if (!descriptor_is_valid(fs, group)) {
			log_error("ext4: %s: the descriptor of group %u is damaged",
				  block_device_name(fs->device), group);
			return -EUCLEAN;
		}
		g->largest = UINT32_MAX;
		g->free = MIN(ext4_free_blocks_of(fs, d), ext4_group_blocks(fs, group));
		g->free_inodes = MIN(ext4_free_inodes_of(fs, d), fs->inodes_per_group);
		fs->free_blocks += g->free;
	}
	return 0;
}

int ext4_read_descriptors(struct ext4 *fs)
{
	int result;

	fs->descriptor_blocks = DIV_ROUND_UP(fs->group_count, fs->descriptors_per_block);
	fs->descriptors = kvmalloc(fs->descriptor_blocks * sizeof(struct buffer *), ALLOC_ZERO);
	fs->groups = kvmalloc(fs->group_count * sizeof(struct ext4_group), ALLOC_ZERO);
	if (!fs->descriptors || !fs->groups)
		return -ENOMEM;
	memset(fs->descriptors, 0, fs->descriptor_blocks * sizeof(struct buffer *));
	memset(fs->groups, 0, fs->group_count * sizeof(struct ext4_group));
	for (u32 n = 0; n < fs->descriptor_blocks; n++) {
		u64 block = descriptor_block_at(fs, n);

		if (block >= fs->blocks)
			return -EUCLEAN;
		result = buffer_get(fs->cache, block, &fs->descriptors[n]);
		if (result)
			return result;
	}
	return check_groups(fs);
}

u64 ext4_count_overhead(struct ext4 *fs)
{
	u64 table = DIV_ROUND_UP(fs->inodes_per_group * fs->inode_size, fs->block_size);
	u64 blocks = fs->first_block;

	for (u32 group = 0; group < fs->group_count; group++)
		blocks += ext4_base_blocks(fs, group) + 2 + table;
	return MIN(blocks, fs->blocks);
}
