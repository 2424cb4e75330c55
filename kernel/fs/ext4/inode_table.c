/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inodes in the tables on the disk: where they are, their checksums, and every field from and to memory. */
#include <core/time.h>
#include <fs/ext4/ext4_priv.h>
#include <lib/crc32c.h>
#include <lib/string.h>

int ext4_inode_raw(struct ext4_inode *inode, struct buffer **buffer, struct ext4_disk_inode **raw)
{
	struct ext4 *fs = inode->fs;
	u32 group = (inode->number - 1) / fs->inodes_per_group;
	u64 at = (u64)((inode->number - 1) % fs->inodes_per_group) * fs->inode_size;
	int result = buffer_get(fs->cache, ext4_inode_table_at(fs, group) + (at >> fs->block_bits),
				buffer);

	if (!result)
		*raw = (void *)((*buffer)->data + (at & (fs->block_size - 1)));
	return result;
}

u32 ext4_inode_seed(const struct ext4 *fs, u32 number, u32 generation)
{
	u32 sum = crc32c(fs->checksum_seed, &number, sizeof(number));

	return crc32c(sum, &generation, sizeof(generation));
}

/* True if the inode on the disk is large enough to have a field that ends at `end`. */
static bool raw_has(const struct ext4 *fs, const struct ext4_disk_inode *raw, size_t end)
{
	return fs->inode_size > EXT4_GOOD_OLD_INODE_SIZE &&
	       EXT4_GOOD_OLD_INODE_SIZE + (size_t)raw->i_extra_isize >= end;
}
#define RAW_HAS(fs, raw, field)                                                                    \
	raw_has(fs, raw, offsetof(struct ext4_disk_inode, field) + sizeof((raw)->field))

static u32 inode_sum(const struct ext4 *fs, const struct ext4_disk_inode *raw, u32 seed)
{
	const size_t low = offsetof(struct ext4_disk_inode, i_checksum_lo);
	const size_t high = offsetof(struct ext4_disk_inode, i_checksum_hi);
	const char *p = (const char *)raw;
	static const u16 zero;
	u32 sum = crc32c(seed, p, low);
	size_t at = high;

	sum = crc32c(sum, &zero, sizeof(zero));
	sum = crc32c(sum, p + low + 2, EXT4_GOOD_OLD_INODE_SIZE - low - 2);
	if (fs->inode_size == EXT4_GOOD_OLD_INODE_SIZE)
		return sum;
	sum = crc32c(sum, p + EXT4_GOOD_OLD_INODE_SIZE, high - EXT4_GOOD_OLD_INODE_SIZE);
	if (RAW_HAS(fs, raw, i_checksum_hi)) {
		sum = crc32c(sum, &zero, sizeof(zero));
		at += 2;
	}
	return crc32c(sum, p + at, fs->inode_size - at);
}

void ext4_inode_sum(const struct ext4_inode *inode, struct ext4_disk_inode *raw)
{
	u32 sum;

	if (!inode->fs->checksums)
		return;
	sum = inode_sum(inode->fs, raw, inode->checksum_seed);
	raw->i_checksum_lo = (u16)sum;
	if (RAW_HAS(inode->fs, raw, i_checksum_hi))
		raw->i_checksum_hi = (u16)(sum >> 16);
}

static bool inode_sum_fits(const struct ext4 *fs, const struct ext4_disk_inode *raw, u32 number)
{
	u32 sum;

	if (!fs->checksums)
		return true;
	sum = inode_sum(fs, raw, ext4_inode_seed(fs, number, raw->i_generation));
	return raw->i_checksum_lo == (u16)sum &&
	       (!RAW_HAS(fs, raw, i_checksum_hi) || raw->i_checksum_hi == (u16)(sum >> 16));
}

/* Seconds since 1970 in 34 bits, and nanoseconds in 30. */
static struct inode_time decode_time(u32 seconds, u32 extra)
{
	return (struct inode_time){ (s32)seconds + ((s64)(extra & 3) << 32),
				    MIN(extra >> 2, 999999999u) };
}

static void encode_time(const struct inode_time *time, bool wide, u32 *seconds, u32 *extra)
{
	s64 s = time->seconds;

	if (!wide) {
		*seconds = (u32)MAX(MIN(s, (s64)INT32_MAX), (s64)INT32_MIN);
		return;
	}
	*seconds = (u32)s;
	*extra = ((u32)((s - (s32)s) >> 32) & 3) | time->nanoseconds << 2;
}

void ext4_inode_encode_device(struct ext4_inode *inode)
{
	u64 device = inode->inode.device_number;

	memset(inode->block, 0, sizeof(inode->block));
	if (device_major(device) < 256 && device_minor(device) < 256)
		inode->block[0] = device_major(device) << 8 | device_minor(device);
	else
		inode->block[1] = (u32)device;
}

static void encode_times(const struct ext4_inode *inode, struct ext4_disk_inode *raw)
{
	const struct inode *v = &inode->inode;
	bool wide = RAW_HAS(inode->fs, raw, i_atime_extra);
	u32 none;

	encode_time(&v->accessed, wide, &raw->i_atime, wide ? &raw->i_atime_extra : &none);
	encode_time(&v->modified, wide, &raw->i_mtime, wide ? &raw->i_mtime_extra : &none);
	encode_time(&v->changed, wide, &raw->i_ctime, wide ? &raw->i_ctime_extra : &none);
	if (RAW_HAS(inode->fs, raw, i_crtime_extra))
		encode_time(&v->created, true, &raw->i_crtime, &raw->i_crtime_extra);
}

static void encode(const struct ext4_inode *inode, struct ext4_disk_inode *raw)
{
	const struct inode *v = &inode->inode;
	u64 sectors = inode->sectors;

	if (inode->fs->inode_size > EXT4_GOOD_OLD_INODE_SIZE)
		raw->i_extra_isize = (u16)inode->extra_size;
	raw->i_mode = (u16)v->mode;
	raw->i_uid = (u16)v->uid;
	raw->i_uid_high = (u16)(v->uid >> 16);
	raw->i_gid = (u16)v->gid;
	raw->i_gid_high = (u16)(v->gid >> 16);
	raw->i_links_count = (u16)(v->links > EXT4_LINKS_MAX && S_ISDIR(v->mode) ? 1 : v->links);
	raw->i_size_lo = (u32)inode->disk_size;
	raw->i_size_high = (u32)(inode->disk_size >> 32);
	raw->i_dtime = inode->deleted_time;
	raw->i_flags = inode->flags;
	if (inode->flags & EXT4_FL_HUGE_FILE)
		sectors >>= inode->fs->block_bits - SECTOR_SHIFT;
	raw->i_blocks_lo = (u32)sectors;
	raw->i_blocks_high = (u16)(sectors >> 32);
	memcpy(raw->i_block, inode->block, sizeof(raw->i_block));
	raw->i_generation = inode->generation;
	raw->i_file_acl_lo = (u32)inode->xattr_block;
	raw->i_file_acl_high = (u16)(inode->xattr_block >> 32);
	raw->i_version = (u32)inode->version;
	if (RAW_HAS(inode->fs, raw, i_version_hi))
		raw->i_version_hi = (u32)(inode->version >> 32);
	if (RAW_HAS(inode->fs, raw, i_projid))
		raw->i_projid = inode->project;
	encode_times(inode, raw);
}

int ext4_inode_store(struct journal_handle *handle, struct ext4_inode *inode)
{
	struct ext4_disk_inode *raw;
	struct buffer *buffer;
	int result = ext4_inode_raw(inode, &buffer, &raw);

	if (result)
		return result;
	result = journal_change(handle, buffer);
	if (!result) {
		inode->version++;
		encode(inode, raw);
		ext4_inode_sum(inode, raw);
		journal_changed(handle, buffer);
		WRITE_ONCE(inode->sync_tid, handle->tid);
	}
	buffer_put(buffer);
	return result;
}

/* True if what the table has differs from what is in memory. */
static int is_stale(struct ext4_inode *inode)
{
	size_t size = MIN((size_t)inode->fs->inode_size, sizeof(struct ext4_disk_inode));
	struct ext4_disk_inode *raw, copy = {};
	struct buffer *buffer;
	int result = ext4_inode_raw(inode, &buffer, &raw);

	if (result)
		return result;
	memcpy(&copy, raw, size);
	encode(inode, &copy);
	result = memcmp(&copy, raw, size) != 0;
	buffer_put(buffer);
	return result;
}

int ext4_inode_flush(struct ext4_inode *inode)
{
	struct journal_handle handle;
	int result = is_stale(inode);

	if (result <= 0)
		return result;
	result = ext4_begin(inode->fs, 1, &handle);
	if (result)
		return result;
	result = ext4_inode_store(&handle, inode);
	journal_end(&handle);
	return result;
}

/* --- reading --- */

bool ext4_inode_has_blocks(const struct ext4_inode *inode)
{
	u32 mode = inode->inode.mode;

	if (inode->flags & EXT4_FL_INLINE_DATA)
		return false;
	if (S_ISLNK(mode))
		return inode->inode.size >= sizeof(inode->block) || ext4_has_extents(inode);
	return S_ISREG(mode) || S_ISDIR(mode);
}

static void decode_times(struct ext4_inode *inode, const struct ext4_disk_inode *raw)
{
	const struct ext4 *fs = inode->fs;
	struct inode *v = &inode->inode;

	v->accessed =
		decode_time(raw->i_atime, RAW_HAS(fs, raw, i_atime_extra) ? raw->i_atime_extra : 0);
	v->modified =
		decode_time(raw->i_mtime, RAW_HAS(fs, raw, i_mtime_extra) ? raw->i_mtime_extra : 0);
	v->changed =
		decode_time(raw->i_ctime, RAW_HAS(fs, raw, i_ctime_extra) ? raw->i_ctime_extra : 0);
	v->created = (struct inode_time){};
	if (RAW_HAS(fs, raw, i_crtime_extra))
		v->created = decode_time(raw->i_crtime, raw->i_crtime_extra);
}

static void decode(struct ext4_inode *inode, const struct ext4_disk_inode *raw)
{
	const struct ext4 *fs = inode->fs;
	struct inode *v = &inode->inode;

	v->mode = raw->i_mode;
	v->uid = raw->i_uid | (u32)raw->i_uid_high << 16;
	v->gid = raw->i_gid | (u32)raw->i_gid_high << 16;
	v->links = raw->i_links_count;
	v->size = raw->i_size_lo;
	if (S_ISREG(v->mode) || S_ISDIR(v->mode))
		v->size |= (u64)raw->i_size_high << 32;
	inode->disk_size = v->size;
	inode->flags = raw->i_flags;
	inode->sectors = raw->i_blocks_lo | (u64)raw->i_blocks_high << 32;
	if (inode->flags & EXT4_FL_HUGE_FILE)
		inode->sectors <<= fs->block_bits - SECTOR_SHIFT;
	v->blocks = inode->sectors;
	memcpy(inode->block, raw->i_block, sizeof(inode->block));
	inode->generation = raw->i_generation;
	inode->checksum_seed = ext4_inode_seed(fs, inode->number, inode->generation);
	inode->xattr_block = raw->i_file_acl_lo;
	if (fs->incompat & EXT4_INCOMPAT_64BIT)
		inode->xattr_block |= (u64)raw->i_file_acl_high << 32;
	inode->deleted_time = raw->i_dtime;
	inode->extra_size = fs->inode_size > EXT4_GOOD_OLD_INODE_SIZE ? raw->i_extra_isize : 0;
	inode->version = raw->i_version;
	if (RAW_HAS(fs, raw, i_version_hi))
		inode->version |= (u64)raw->i_version_hi << 32;
	if (RAW_HAS(fs, raw, i_projid))
		inode->project = raw->i_projid;
	if (S_ISCHR(v->mode) || S_ISBLK(v->mode))
		v->device_number = raw->i_block[0] ? device_make(raw->i_block[0] >> 8 & 0xff,
								 raw->i_block[0] & 0xff)
						   : raw->i_block[1];
	decode_times(inode, raw);
}

/* What decode has found is no nonsense. */
static bool is_valid(const struct ext4_inode *inode)
{
	const struct ext4 *fs = inode->fs;
	const struct inode *v = &inode->inode;
	u32 kind = v->mode & S_IFMT;

	if (kind != S_IFREG && kind != S_IFDIR && kind != S_IFLNK && kind != S_IFCHR &&
	    kind != S_IFBLK && kind != S_IFIFO && kind != S_IFSOCK)
		return false;
	if (fs->inode_size > EXT4_GOOD_OLD_INODE_SIZE &&
	    (inode->extra_size > fs->inode_size - EXT4_GOOD_OLD_INODE_SIZE ||
	     inode->extra_size % 4))
		return false;
	if (inode->xattr_block && !ext4_range_is_valid(fs, inode->xattr_block, 1))
		return false;
	if ((inode->flags & EXT4_FL_INLINE_DATA) && !(fs->incompat & EXT4_INCOMPAT_INLINE_DATA))
		return false;
	if (inode->flags & EXT4_FL_INLINE_DATA)
		return v->size <= fs->inode_size;
	if (v->size > ext4_max_size(fs, ext4_has_extents(inode)))
		return false;
	if (S_ISDIR(v->mode) && v->size % fs->block_size)
		return false;
	return !ext4_inode_has_blocks(inode) || !ext4_has_extents(inode) ||
	       ext4_extent_root_is_valid(inode);
}

int ext4_inode_read(struct ext4_inode *inode)
{
	struct ext4 *fs = inode->fs;
	struct ext4_disk_inode *raw;
	struct buffer *buffer;
	int result = ext4_inode_raw(inode, &buffer, &raw);

	if (result)
		return result;
	/* Without links only while a mount deletes what a crash left: putting it would delete it. */
	if (!raw->i_links_count && (!raw->i_mode || !fs->cleaning))
		result = -ESTALE;
	if (!result && !inode_sum_fits(fs, raw, inode->number))
		result = ext4_error(fs, -EBADMSG, "the checksum of inode %u is wrong",
				    inode->number);
	if (!result) {
		decode(inode, raw);
		if (!is_valid(inode))
			result = ext4_error(fs, -EUCLEAN, "inode %u is damaged", inode->number);
	}
	buffer_put(buffer);
	return result;
}
