/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal's structures on the disk ("Journal (jbd2)" in the kernel documentation of ext4). Unlike the rest of the file
 * system they are big-endian: the types say so, journal_be32() and its like convert.
 */
#pragma once

#include <lib/types.h>

#define JOURNAL_MAGIC 0xc03b3998u
#define JOURNAL_DESCRIPTOR 1u
#define JOURNAL_COMMIT 2u
#define JOURNAL_SUPER_V1 3u
#define JOURNAL_SUPER_V2 4u
#define JOURNAL_REVOKE 5u

#define JOURNAL_COMPAT_CHECKSUM 0x1u
#define JOURNAL_INCOMPAT_REVOKE 0x1u
#define JOURNAL_INCOMPAT_64BIT 0x2u
#define JOURNAL_INCOMPAT_ASYNC_COMMIT 0x4u
#define JOURNAL_INCOMPAT_CSUM_V2 0x8u
#define JOURNAL_INCOMPAT_CSUM_V3 0x10u
#define JOURNAL_INCOMPAT_FAST_COMMIT 0x20u
#define JOURNAL_CHECKSUM_CRC32C 4

typedef struct {
	u16 raw;
} be16;
typedef struct {
	u32 raw;
} be32;
typedef struct {
	u64 raw;
} be64;

struct journal_header {
	be32 h_magic;
	be32 h_blocktype;
	be32 h_sequence;
};

struct journal_super {
	struct journal_header s_header;
	be32 s_blocksize;
	be32 s_maxlen;
	be32 s_first;
	be32 s_sequence;
	be32 s_start; /* 0: the log is empty */
	be32 s_errno;
	/* From here on with version 2 only. */
	be32 s_feature_compat;
	be32 s_feature_incompat;
	be32 s_feature_ro_compat;
	u8 s_uuid[16];
	be32 s_nr_users;
	be32 s_dynsuper;
	be32 s_max_transaction;
	be32 s_max_trans_data;
	u8 s_checksum_type;
	u8 s_padding2[3];
	be32 s_num_fc_blks;
	be32 s_head;
	u32 s_padding[40];
	be32 s_checksum;
	u8 s_users[16 * 48];
};
static_assert(sizeof(struct journal_super) == 1024);
static_assert(offsetof(struct journal_super, s_checksum) == 0xfc);

/* A tag with CSUM_V3. */
struct journal_tag3 {
	be32 t_blocknr;
	be32 t_flags;
	be32 t_blocknr_high;
	be32 t_checksum;
};
/* A tag without; t_blocknr_high with 64BIT only. With CSUM_V2 it has two more bytes at its end. */
struct journal_tag {
	be32 t_blocknr;
	be16 t_checksum;
	be16 t_flags;
	be32 t_blocknr_high;
};
#define JOURNAL_TAG_ESCAPE 1u	 /* the block began with JOURNAL_MAGIC, which the log has as 0 */
#define JOURNAL_TAG_SAME_UUID 2u /* no uuid of 16 bytes follows the tag */
#define JOURNAL_TAG_LAST 8u

struct journal_tail {
	be32 t_checksum;
};

struct journal_revoke_header {
	struct journal_header r_header;
	be32 r_count; /* bytes used, with this header */
};

struct journal_commit_header {
	struct journal_header h_header;
	u8 h_chksum_type;
	u8 h_chksum_size;
	u8 h_padding[2];
	be32 h_chksum[8];
	be64 h_commit_sec;
	be32 h_commit_nsec;
};
static_assert(offsetof(struct journal_commit_header, h_commit_sec) == 0x30);

static inline u16 journal_be16(be16 v)
{
	return __builtin_bswap16(v.raw);
}
static inline u32 journal_be32(be32 v)
{
	return __builtin_bswap32(v.raw);
}
static inline u64 journal_be64(be64 v)
{
	return __builtin_bswap64(v.raw);
}
static inline be16 journal_to_be16(u16 v)
{
	return (be16){ __builtin_bswap16(v) };
}
static inline be32 journal_to_be32(u32 v)
{
	return (be32){ __builtin_bswap32(v) };
}
static inline be64 journal_to_be64(u64 v)
{
	return (be64){ __builtin_bswap64(v) };
}
