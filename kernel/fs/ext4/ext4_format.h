/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structures of ext4 on the disk ("ext4 Data Structures and Algorithms" of the kernel documentation, whose field
 * names are kept so that they can be looked up). All fields are little-endian, as both architectures are.
 */
#pragma once

#include <lib/types.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

#define EXT4_MAGIC 0xef53
#define EXT4_SUPER_OFFSET 1024
#define EXT4_ROOT_INODE 2
#define EXT4_NAME_MAX 255
#define EXT4_LINKS_MAX 65000
#define EXT4_GOOD_OLD_INODE_SIZE 128

/* Compatible features: unknown ones do not matter. */
#define EXT4_COMPAT_HAS_JOURNAL 0x4u
#define EXT4_COMPAT_EXT_ATTR 0x8u
#define EXT4_COMPAT_RESIZE_INODE 0x10u
#define EXT4_COMPAT_DIR_INDEX 0x20u
#define EXT4_COMPAT_SPARSE_SUPER2 0x200u
#define EXT4_COMPAT_ORPHAN_FILE 0x1000u

/* Incompatible features: whoever does not know one must not mount. */
#define EXT4_INCOMPAT_FILETYPE 0x2u
#define EXT4_INCOMPAT_RECOVER 0x4u
#define EXT4_INCOMPAT_JOURNAL_DEV 0x8u
#define EXT4_INCOMPAT_META_BG 0x10u
#define EXT4_INCOMPAT_EXTENTS 0x40u
#define EXT4_INCOMPAT_64BIT 0x80u
#define EXT4_INCOMPAT_MMP 0x100u
#define EXT4_INCOMPAT_FLEX_BG 0x200u
#define EXT4_INCOMPAT_EA_INODE 0x400u
#define EXT4_INCOMPAT_CSUM_SEED 0x2000u
#define EXT4_INCOMPAT_LARGEDIR 0x4000u
#define EXT4_INCOMPAT_INLINE_DATA 0x8000u

/* Features that reading need not know. */
#define EXT4_RO_SPARSE_SUPER 0x1u
#define EXT4_RO_LARGE_FILE 0x2u
#define EXT4_RO_BTREE_DIR 0x4u
#define EXT4_RO_HUGE_FILE 0x8u
#define EXT4_RO_GDT_CSUM 0x10u
#define EXT4_RO_DIR_NLINK 0x20u
#define EXT4_RO_EXTRA_ISIZE 0x40u
#define EXT4_RO_METADATA_CSUM 0x400u
#define EXT4_RO_PROJECT 0x2000u
#define EXT4_RO_ORPHAN_PRESENT 0x10000u

/* s_state, s_errors, s_flags, s_default_mount_opts, hash versions. */
#define EXT4_STATE_VALID 0x1
#define EXT4_STATE_ERROR 0x2
#define EXT4_ERRORS_CONTINUE 1
#define EXT4_ERRORS_READ_ONLY 2
#define EXT4_ERRORS_PANIC 3
#define EXT4_FLAG_SIGNED_HASH 0x1u
#define EXT4_FLAG_UNSIGNED_HASH 0x2u
#define EXT4_CHECKSUM_CRC32C 1

struct ext4_super_block {
	u32 s_inodes_count;
	u32 s_blocks_count_lo;
	u32 s_r_blocks_count_lo;
	u32 s_free_blocks_count_lo;
	u32 s_free_inodes_count;
	u32 s_first_data_block;
	u32 s_log_block_size;
	u32 s_log_cluster_size;
	u32 s_blocks_per_group;
	u32 s_clusters_per_group;
	u32 s_inodes_per_group;
	u32 s_mtime;
	u32 s_wtime;
	u16 s_mnt_count;
	u16 s_max_mnt_count;
	u16 s_magic;
	u16 s_state;
	u16 s_errors;
	u16 s_minor_rev_level;
	u32 s_lastcheck;
	u32 s_checkinterval;
	u32 s_creator_os;
	u32 s_rev_level;
	u16 s_def_resuid;
	u16 s_def_resgid;
	u32 s_first_ino;
	u16 s_inode_size;
	u16 s_block_group_nr;
	u32 s_feature_compat;
	u32 s_feature_incompat;
	u32 s_feature_ro_compat;
	u8 s_uuid[16];
	char s_volume_name[16];
	char s_last_mounted[64];
	u32 s_algorithm_usage_bitmap;
	u8 s_prealloc_blocks;
	u8 s_prealloc_dir_blocks;
	u16 s_reserved_gdt_blocks;
	u8 s_journal_uuid[16];
	u32 s_journal_inum;
	u32 s_journal_dev;
	u32 s_last_orphan;
	u32 s_hash_seed[4];
	u8 s_def_hash_version;
	u8 s_jnl_backup_type;
	u16 s_desc_size;
	u32 s_default_mount_opts;
	u32 s_first_meta_bg;
	u32 s_mkfs_time;
	u32 s_jnl_blocks[17];
	u32 s_blocks_count_hi;
	u32 s_r_blocks_count_hi;
	u32 s_free_blocks_count_hi;
	u16 s_min_extra_isize;
	u16 s_want_extra_isize;
	u32 s_flags;
	u16 s_raid_stride;
	u16 s_mmp_update_interval;
	u64 s_mmp_block;
	u32 s_raid_stripe_width;
	u8 s_log_groups_per_flex;
	u8 s_checksum_type;
	u8 s_encryption_level;
	u8 s_reserved_pad;
	u64 s_kbytes_written;
	u32 s_snapshot_inum;
	u32 s_snapshot_id;
	u64 s_snapshot_r_blocks_count;
	u32 s_snapshot_list;
	u32 s_error_count;
	u32 s_first_error_time;
	u32 s_first_error_ino;
	u64 s_first_error_block;
	char s_first_error_func[32];
	u32 s_first_error_line;
	u32 s_last_error_time;
	u32 s_last_error_ino;
	u32 s_last_error_line;
	u64 s_last_error_block;
	char s_last_error_func[32];
	char s_mount_opts[64];
	u32 s_usr_quota_inum;
	u32 s_grp_quota_inum;
	u32 s_overhead_blocks;
	u32 s_backup_bgs[2];
	u8 s_encrypt_algos[4];
	u8 s_encrypt_pw_salt[16];
	u32 s_lpf_ino;
	u32 s_prj_quota_inum;
	u32 s_checksum_seed;
	u8 s_wtime_hi;
	u8 s_mtime_hi;
	u8 s_mkfs_time_hi;
	u8 s_lastcheck_hi;
	u8 s_first_error_time_hi;
	u8 s_last_error_time_hi;
	u8 s_first_error_errcode;
	u8 s_last_error_errcode;
	u16 s_encoding;
	u16 s_encoding_flags;
	u32 s_orphan_file_inum;
	u32 s_reserved[94];
	u32 s_checksum;
};
static_assert(sizeof(struct ext4_super_block) == 1024);
static_assert(offsetof(struct ext4_super_block, s_journal_inum) == 0xe0);
static_assert(offsetof(struct ext4_super_block, s_blocks_count_hi) == 0x150);
static_assert(offsetof(struct ext4_super_block, s_checksum_seed) == 0x270);
static_assert(offsetof(struct ext4_super_block, s_checksum) == 0x3fc);

struct ext4_group_desc {
	u32 bg_block_bitmap_lo;
	u32 bg_inode_bitmap_lo;
	u32 bg_inode_table_lo;
	u16 bg_free_blocks_count_lo;
	u16 bg_free_inodes_count_lo;
	u16 bg_used_dirs_count_lo;
	u16 bg_flags;
	u32 bg_exclude_bitmap_lo;
	u16 bg_block_bitmap_csum_lo;
	u16 bg_inode_bitmap_csum_lo;
	u16 bg_itable_unused_lo;
	u16 bg_checksum;
	/* From here on with 64BIT only. */
	u32 bg_block_bitmap_hi;
	u32 bg_inode_bitmap_hi;
	u32 bg_inode_table_hi;
	u16 bg_free_blocks_count_hi;
	u16 bg_free_inodes_count_hi;
	u16 bg_used_dirs_count_hi;
	u16 bg_itable_unused_hi;
	u32 bg_exclude_bitmap_hi;
	u16 bg_block_bitmap_csum_hi;
	u16 bg_inode_bitmap_csum_hi;
	u32 bg_reserved;
};
static_assert(sizeof(struct ext4_group_desc) == 64);
#define EXT4_DESC_SIZE_32 32u
#define EXT4_BG_INODE_UNINIT 0x1
#define EXT4_BG_BLOCK_UNINIT 0x2
#define EXT4_BG_INODE_ZEROED 0x4

struct ext4_disk_inode {
	u16 i_mode;
	u16 i_uid;
	u32 i_size_lo;
	u32 i_atime;
	u32 i_ctime;
	u32 i_mtime;
	u32 i_dtime;
	u16 i_gid;
	u16 i_links_count;
	u32 i_blocks_lo;
	u32 i_flags;
	u32 i_version;
	u32 i_block[15];
	u32 i_generation;
	u32 i_file_acl_lo;
	u32 i_size_high;
	u32 i_obso_faddr;
	u16 i_blocks_high;
	u16 i_file_acl_high;
	u16 i_uid_high;
	u16 i_gid_high;
	u16 i_checksum_lo;
	u16 i_reserved;
	/* From here on as far as i_extra_isize reaches. */
	u16 i_extra_isize;
	u16 i_checksum_hi;
	u32 i_ctime_extra;
	u32 i_mtime_extra;
	u32 i_atime_extra;
	u32 i_crtime;
	u32 i_crtime_extra;
	u32 i_version_hi;
	u32 i_projid;
};
static_assert(sizeof(struct ext4_disk_inode) == 160);
static_assert(offsetof(struct ext4_disk_inode, i_block) == 40);
static_assert(offsetof(struct ext4_disk_inode, i_extra_isize) == 128);

/* i_flags, where they are not those of FS_IOC_GETFLAGS. */
#define EXT4_FL_IMMUTABLE 0x10u
#define EXT4_FL_APPEND 0x20u
#define EXT4_FL_INDEX 0x1000u
#define EXT4_FL_HUGE_FILE 0x40000u
#define EXT4_FL_EXTENTS 0x80000u
#define EXT4_FL_EA_INODE 0x200000u
#define EXT4_FL_INLINE_DATA 0x10000000u
#define EXT4_FL_PROJINHERIT 0x20000000u

#define EXT4_DIRECT_BLOCKS 12u
#define EXT4_BLOCK_SLOTS 15u

/* Extents. */
#define EXT4_EXTENT_MAGIC 0xf30a
#define EXT4_EXTENT_DEPTH_MAX 5u
#define EXT4_EXTENT_LENGTH_MAX 32768u /* of a written extent; an unwritten one is one shorter */
#define EXT4_BLOCK_LIMIT 0xffffffffu  /* logical blocks are smaller */

struct ext4_extent_header {
	u16 eh_magic;
	u16 eh_entries;
	u16 eh_max;
	u16 eh_depth;
	u32 eh_generation;
};
struct ext4_extent_index {
	u32 ei_block;
	u32 ei_leaf_lo;
	u16 ei_leaf_hi;
	u16 ei_unused;
};
struct ext4_extent {
	u32 ee_block;
	u16 ee_len; /* above EXT4_EXTENT_LENGTH_MAX: unwritten, and so much shorter */
	u16 ee_start_hi;
	u32 ee_start_lo;
};
static_assert(sizeof(struct ext4_extent_header) == 12);
static_assert(sizeof(struct ext4_extent_index) == 12 && sizeof(struct ext4_extent) == 12);

/* Directories. */
struct ext4_directory_entry {
	u32 inode; /* 0: unused */
	u16 rec_len;
	u8 name_len;
	u8 file_type; /* with FILETYPE */
	char name[];
};
static_assert(sizeof(struct ext4_directory_entry) == 8);
#define EXT4_DIRECTORY_TAIL_TYPE 0xde
struct ext4_directory_tail {
	u32 det_reserved_zero1;
	u16 det_rec_len;
	u8 det_reserved_zero2;
	u8 det_reserved_ft;
	u32 det_checksum;
};
static_assert(sizeof(struct ext4_directory_tail) == 12);

#define EXT4_HASH_LEGACY 0
#define EXT4_HASH_HALF_MD4 1
#define EXT4_HASH_TEA 2
#define EXT4_HASH_LEGACY_UNSIGNED 3
#define EXT4_HASH_HALF_MD4_UNSIGNED 4
#define EXT4_HASH_TEA_UNSIGNED 5

struct ext4_index_entry {
	u32 hash; /* of the first one: u16 limit, u16 count */
	u32 block;
};
struct ext4_index_limit {
	u16 limit;
	u16 count;
};
struct ext4_index_root_info {
	u32 reserved_zero;
	u8 hash_version;
	u8 info_length; /* 8 */
	u8 indirect_levels;
	u8 unused_flags;
};
static_assert(sizeof(struct ext4_index_root_info) == 8);
#define EXT4_INDEX_ROOT_INFO 24u    /* offset: behind "." and ".." */
#define EXT4_INDEX_ROOT_ENTRIES 32u /* offset */
#define EXT4_INDEX_NODE_ENTRIES 8u  /* offset: behind an empty entry */
struct ext4_index_tail {
	u32 dt_reserved;
	u32 dt_checksum;
};

/* Extended attributes. */
#define EXT4_XATTR_MAGIC 0xea020000u
#define EXT4_XATTR_REFCOUNT_MAX 1024u
struct ext4_xattr_header {
	u32 h_magic;
	u32 h_refcount;
	u32 h_blocks;
	u32 h_hash;
	u32 h_checksum;
	u32 h_reserved[3];
};
static_assert(sizeof(struct ext4_xattr_header) == 32);
struct ext4_xattr_entry {
	u8 e_name_len;
	u8 e_name_index;
	u16 e_value_offs;
	u32 e_value_inum;
	u32 e_value_size;
	u32 e_hash;
	char e_name[];
};
static_assert(sizeof(struct ext4_xattr_entry) == 16);
#define EXT4_XATTR_USER 1
#define EXT4_XATTR_ACL_ACCESS 2
#define EXT4_XATTR_ACL_DEFAULT 3
#define EXT4_XATTR_TRUSTED 4
#define EXT4_XATTR_SECURITY 6
#define EXT4_XATTR_SYSTEM 7

/* POSIX ACLs as attribute values: a version, then entries; those without an id are 4 bytes long. */
#define EXT4_ACL_VERSION 1u
struct ext4_acl_entry {
	u16 e_tag;
	u16 e_perm;
	u32 e_id;
};

/* The file of orphans: each block holds inode numbers, then this. */
#define EXT4_ORPHAN_BLOCK_MAGIC 0x0b10ca04u
struct ext4_orphan_tail {
	u32 ob_magic;
	u32 ob_checksum;
};
