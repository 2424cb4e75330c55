/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rename(2), renameat2(2). */
#include <lib/errno.h>
#include <vfs/mount_priv.h>
#include <vfs/notify.h>
#include <vfs/permission.h>
#include <vfs/walk.h>

#include <linux/fcntl.h>
#include <linux/fs.h>

struct rename {
	struct walk from, to;
	struct inode *from_dir, *to_dir;
	struct dentry *source, *target; /* with references */
	u32 flags;
};

/*
 * Locks both directories: with the rename lock of the file system when they differ, an ancestor before its descendant,
 * else by address.
 */
static void lock_directories(struct rename *r) __no_lock_analysis /* unlock_directories releases */
{
	struct inode *first = r->from_dir, *second = r->to_dir;

	if (first == second) {
		write_lock(&first->lock);
		return;
	}
	mutex_lock(&first->superblock->rename_lock);
	if (dentry_is_below(r->from.at.dentry, r->to.at.dentry) ||
	    (!dentry_is_below(r->to.at.dentry, r->from.at.dentry) && second < first)) {
		first = r->to_dir;
		second = r->from_dir;
	}
	write_lock(&first->lock);
	write_lock_nested(&second->lock);
}

static void unlock_directories(struct rename *r) __no_lock_analysis /* see lock_directories */
{
	write_unlock(&r->from_dir->lock);
	if (r->from_dir == r->to_dir)
		return;
	write_unlock(&r->to_dir->lock);
	mutex_unlock(&r->from_dir->superblock->rename_lock);
}

/* Existence, slashes and loops. */
static int check_names(const struct rename *r)
{
	struct inode *source = r->source->inode, *target = r->target->inode;
	bool exchange = r->flags & RENAME_EXCHANGE;

	if (!source)
		return -ENOENT;
	if ((r->flags & RENAME_NOREPLACE) && target)
		return -EEXIST;
	if (exchange && !target)
		return -ENOENT;
	if (!S_ISDIR(source->mode) && (r->from.trailing || (!exchange && r->to.trailing)))
		return -ENOTDIR;
	if (exchange && !S_ISDIR(target->mode) && r->to.trailing)
		return -ENOTDIR;
	if (dentry_is_below(r->to.at.dentry, r->source))
		return -EINVAL;
	if (target && dentry_is_below(r->from.at.dentry, r->target))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_permissions(const struct rename *r)
{
	struct inode *source = r->source->inode, *target = r->target->inode;
	bool exchange = r->flags & RENAME_EXCHANGE;
	int result = directory_may_delete(r->from_dir, source);

	if (!result)
		result = target ? directory_may_delete(r->to_dir, target)
				: directory_may_create(r->to_dir);
	if (result)
		return result;
	if (target && !exchange) {
		if (S_ISDIR(source->mode) && !S_ISDIR(target->mode))
			return -ENOTDIR;
		if (!S_ISDIR(source->mode) && S_ISDIR(target->mode))
			return -EISDIR;
	}
	/* A directory that moves gets a new "..". */
	if (r->from_dir != r->to_dir) {
		if (S_ISDIR(source->mode))
			result = inode_permission(source, MAY_WRITE);
		if (!result && exchange && S_ISDIR(target->mode))
			result = inode_permission(target, MAY_WRITE);
	}
	if (!result &&
	    (mount_covers(r->from.at.mount, r->source) || mount_covers(r->to.at.mount, r->target)))
		result = -EBUSY;
	return result;
}

/* 1: done; 0: both names are the same file, and nothing is done. */
static int
rename_locked(struct rename *r) __no_lock_analysis /* the target's lock depends on its kind */
{
	struct inode *source = r->source->inode, *target = r->target->inode;
	bool lock_target;
	int result = check_names(r);

	if (result)
		return result;
	if (source == target)
		return 0;
	result = check_permissions(r);
	if (result)
		return result;
	if (!r->from_dir->ops->rename)
		return -EPERM;
	/* Nothing must be made in a directory that is about to be replaced. */
	lock_target =
		target && S_ISDIR(target->mode) && target != r->from_dir && target != r->to_dir;
	if (lock_target)
		write_lock_nested(&target->lock);
	result = r->from_dir->ops->rename(r->from_dir, r->source, r->to_dir, r->target, source,
					  target, r->flags);
	if (!result)
		dentry_move(r->source, r->target, r->flags & RENAME_EXCHANGE);
	if (lock_target)
		write_unlock(&target->lock);
	return result ? result : 1;
}

static void tell_watchers(struct rename *r)
{
	struct notify_place from = { r->from_dir, r->from.last.text, r->from.last.length };
	struct notify_place to = { r->to_dir, r->to.last.text, r->to.last.length };
	bool exchange = r->flags & RENAME_EXCHANGE;

	notify_rename(&from, &to, r->source->inode, exchange ? nullptr : r->target->inode);
	if (exchange)
		notify_rename(&to, &from, r->target->inode, nullptr);
}

static int rename_between(struct rename *r)
{
	int result;

	if (r->from.at.mount != r->to.at.mount)
		return -EXDEV;
	if (r->from.kind != WALK_NAME)
		return -EBUSY;
	if (r->to.kind != WALK_NAME)
		return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	result = path_check_writable(&r->from.at);
	if (result)
		return result;
	r->from_dir = r->from.at.dentry->inode;
	r->to_dir = r->to.at.dentry->inode;
	lock_directories(r);
	result = dentry_lookup_locked(r->from.at.dentry, &r->from.last, &r->source);
	if (result)
		goto out_unlock;
	result = dentry_lookup_locked(r->to.at.dentry, &r->to.last, &r->target);
	if (result)
		goto out_put_source;
	result = rename_locked(r);
	unlock_directories(r);
	if (result > 0 && !(r->flags & RENAME_EXCHANGE)) {
		mount_detach_all(r->target);
		dcache_free_children(r->target);
	}
	if (result > 0)
		tell_watchers(r);
	result = MIN(result, 0);
	dentry_put(r->target);
	dentry_put(r->source);
	return result;
out_put_source:
	dentry_put(r->source);
out_unlock:
	unlock_directories(r);
	return result;
}

int vfs_rename(int from_dirfd, const char *from, int to_dirfd, const char *to, u32 flags)
{
	struct rename r = { .flags = flags };
	int result, second;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & RENAME_EXCHANGE) && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
		return -EINVAL;
	if ((flags & RENAME_WHITEOUT) && !capable(CAP_MKNOD))
		return -EPERM;
	result = walk_start(&r.from, from_dirfd, from, 0);
	second = walk_start(&r.to, to_dirfd, to, 0);
	if (!result)
		result = walk_to_parent(&r.from);
	if (!result)
		result = second;
	if (!result)
		result = walk_to_parent(&r.to);
	if (!result)
		result = rename_between(&r);
	walk_end(&r.to);
	walk_end(&r.from);
	return result;
}
