/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioctl(2) on files: flags (ioctl_iflags(2)), generation, extents (fiemap), fstrim. */
#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>
#include <mm/ucopy.h>
#include <obj/credentials.h>

#include <linux/fiemap.h>
#include <linux/fs.h>

/* Flags that chattr(1) may change here; the rest of what is seen is kept. */
#define SETTABLE                                                                                   \
	(FS_SYNC_FL | FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL |              \
	 FS_DIRSYNC_FL | FS_TOPDIR_FL | FS_PROJINHERIT_FL)

static long get_flags(struct ext4_inode *inode, unsigned long argument)
{
	int flags = (int)(inode->flags & FS_FL_USER_VISIBLE);

	return copy_to_user(__force_user(void __user *, argument), &flags, sizeof(flags));
}

static long set_flags(struct file *file, unsigned long argument)
{
	struct ext4_inode *inode = ext4_inode_of(file->inode);
	struct journal_handle handle;
	u32 flags;
	int result = copy_from_user(&flags, __force_user(void __user *, argument), sizeof(flags));

	if (result)
		return result;
	if (current_credentials()->fsuid != file->inode->uid && !capable(CAP_FOWNER))
		return -EPERM;
	write_guard(&file->inode->lock);
	if ((flags ^ inode->flags) & FS_FL_USER_VISIBLE & ~SETTABLE)
		return -EOPNOTSUPP;
	if (((flags ^ inode->flags) & (FS_IMMUTABLE_FL | FS_APPEND_FL)) &&
	    !capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	result = ext4_begin(inode->fs, 1, &handle);
	if (result)
		return result;
	inode->flags = (inode->flags & ~SETTABLE) | (flags & SETTABLE);
	inode->inode.changed = inode_time_now();
	result = ext4_inode_store(&handle, inode);
	journal_end(&handle);
	return result;
}

static long trim(struct ext4 *fs, unsigned long argument)
{
	struct fstrim_range range;
	u64 trimmed;
	int result = copy_from_user(&range, __force_user(void __user *, argument), sizeof(range));

	if (result)
		return result;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!block_device_limits(fs->device)->max_discard_sectors)
		return -EOPNOTSUPP;
	if (range.start >> fs->block_bits >= fs->blocks || range.len < fs->block_size)
		return -EINVAL;
	result = ext4_trim(fs, range.start >> fs->block_bits, range.len >> fs->block_bits,
			   MAX(range.minlen >> fs->block_bits, (u64)1), &trimmed);
	range.len = trimmed << fs->block_bits;
	if (!result)
		result = copy_to_user(__force_user(void __user *, argument), &range, sizeof(range));
	return result;
}

/* --- fiemap --- */

struct fiemap_request {
	unsigned long user;
	struct fiemap_extent pending; /* waits to know whether it is the last */
	bool has_pending;
	struct fiemap head;
};

static int fiemap_flush(struct fiemap_request *r, bool last)
{
	unsigned long at = r->user + offsetof(struct fiemap, fm_extents) +
			   r->head.fm_mapped_extents * sizeof(r->pending);

	if (!r->has_pending)
		return 0;
	if (last)
		r->pending.fe_flags |= FIEMAP_EXTENT_LAST;
	r->has_pending = false;
	if (r->head.fm_extent_count) {
		if (r->head.fm_mapped_extents >= r->head.fm_extent_count)
			return 1;
		if (copy_to_user(__force_user(void __user *, at), &r->pending, sizeof(r->pending)))
			return -EFAULT;
	}
	r->head.fm_mapped_extents++;
	return 0;
}

/* What is at `logical`, delayed or mapped. */
static int fiemap_find(struct ext4_inode *inode, u32 logical, struct fiemap_extent *e, u32 *run)
{
	u32 bits = inode->fs->block_bits, delayed;
	struct ext4_map map;
	int result;

	read_guard(&inode->map_lock);
	*e = (struct fiemap_extent){ .fe_logical = (u64)logical << bits };
	if (ext4_delayed_has(inode, logical, &delayed)) {
		*run = delayed;
		e->fe_flags = FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN;
		e->fe_length = (u64)delayed << bits;
		return 1;
	}
	result = ext4_map_find(inode, logical, &map);
	if (result)
		return result;
	*run = MIN(map.count, delayed);
	e->fe_length = (u64)*run << bits;
	e->fe_physical = map.block << bits;
	e->fe_flags = map.unwritten ? FIEMAP_EXTENT_UNWRITTEN : 0;
	return map.block != 0;
}

static long map_extents(struct ext4_inode *inode, unsigned long argument)
{
	struct fiemap_request r = { .user = argument };
	u32 bits = inode->fs->block_bits;
	u64 end;
	int result = copy_from_user(&r.head, __force_user(void __user *, argument), sizeof(r.head));

	if (result)
		return result;
	if (r.head.fm_flags & ~FIEMAP_FLAG_SYNC)
		return -EBADR;
	if (!S_ISREG(inode->inode.mode))
		return -EOPNOTSUPP;
	if (r.head.fm_flags & FIEMAP_FLAG_SYNC)
		result = memory_object_sync(&inode->object, 0, INT64_MAX);
	end = r.head.fm_length > UINT64_MAX - r.head.fm_start ? UINT64_MAX
							      : r.head.fm_start + r.head.fm_length;
	end = MIN(end, (u64)(EXT4_BLOCK_LIMIT - 1) << bits);
	r.head.fm_mapped_extents = 0;
	for (u64 at = r.head.fm_start >> bits; !result && at << bits < end;) {
		struct fiemap_extent e;
		u32 run;

		result = fiemap_find(inode, (u32)at, &e, &run);
		if (result > 0) {
			result = fiemap_flush(&r, false);
			r.pending = e;
			r.has_pending = true;
		}
		at += run;
	}
	if (!result)
		result = fiemap_flush(&r, true);
	if (result >= 0)
		result = copy_to_user(__force_user(void __user *, argument), &r.head,
				      sizeof(r.head));
	return result;
}

long ext4_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	struct ext4_inode *inode = ext4_inode_of(file->inode);

	switch (request) {
	case FS_IOC_GETFLAGS:
		return get_flags(inode, argument);
	case FS_IOC_SETFLAGS:
		return set_flags(file, argument);
	case FS_IOC_GETVERSION:
		return copy_to_user(__force_user(void __user *, argument), &inode->generation,
				    sizeof(int));
	case FS_IOC_FIEMAP:
		return map_extents(inode, argument);
	case FITRIM:
		return trim(inode->fs, argument);
	default:
		return -ENOTTY;
	}
}
