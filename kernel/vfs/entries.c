/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing names: mknod, mkdir, symlink, link, unlink, rmdir (their man pages). rename is in rename.c. */
#include <lib/errno.h>
#include <lib/string.h>
#include <vfs/mount_priv.h>
#include <vfs/notify.h>
#include <vfs/permission.h>
#include <vfs/posix_acl.h>
#include <vfs/walk.h>

#include <linux/fcntl.h>
#include <linux/limits.h>

/* A name about to be made: the walk stands at its directory, whose lock is held. */
struct new_entry {
	struct walk walk;
	struct inode *dir;
	struct dentry *dentry; /* negative */
};

static void new_entry_end(struct new_entry *e) __releases(&e->dir->lock)
{
	dentry_put(e->dentry);
	write_unlock(&e->dir->lock);
	walk_end(&e->walk);
}

/*
 * Finds the place of a new name, locks its directory and checks that the name is free and may be made.
 * `directory`: slashes may follow. new_entry_end() is needed after success only.
 */
static int new_entry_begin(struct new_entry *e, int dirfd, const char *text, bool directory)
	__try_acquires(0, e->dir->lock)
		__no_lock_analysis /* the analysis does not follow its own errors */
{
	struct walk *w = &e->walk;
	int result = walk_start(w, dirfd, text, 0);

	if (!result)
		result = walk_to_parent(w);
	if (!result && w->kind != WALK_NAME)
		result = -EEXIST;
	if (!result && !S_ISDIR(w->at.dentry->inode->mode))
		result = -ENOTDIR;
	if (result) {
		walk_end(w);
		return result;
	}
	e->dir = w->at.dentry->inode;
	write_lock(&e->dir->lock);
	result = dentry_lookup_locked(w->at.dentry, &w->last, &e->dentry);
	if (result) {
		write_unlock(&e->dir->lock);
		walk_end(w);
		return result;
	}
	if (e->dentry->inode)
		result = -EEXIST;
	else if (w->trailing && !directory)
		result = -ENOENT;
	if (!result)
		result = path_check_writable(&w->at);
	if (!result)
		result = directory_may_create(e->dir);
	if (result)
		new_entry_end(e);
	return result;
}

/* The name means `inode` now, whose reference moves in. */
static void new_entry_made(struct new_entry *e, struct inode *inode)
{
	dentry_instantiate(e->dentry, inode);
	notify_entry(e->dir, IN_CREATE, e->walk.last.text, e->walk.last.length, inode);
}

int vfs_mknod(int dirfd, const char *path, u32 mode, u64 device)
{
	struct new_entry e;
	struct inode *inode;
	int result;

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	result = new_entry_begin(&e, dirfd, path, false);
	if (result)
		return result;
	mode = posix_acl_new_mode(e.dir, mode & (S_IFMT | 07777));
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !capable(CAP_MKNOD))
		result = -EPERM;
	else if (!e.dir->ops->create)
		result = -EPERM;
	else
		result = e.dir->ops->create(e.dir, e.dentry, mode, device, &inode);
	if (!result)
		new_entry_made(&e, inode);
	new_entry_end(&e);
	return result;
}

int vfs_mkdir(int dirfd, const char *path, u32 mode)
{
	struct new_entry e;
	struct inode *inode;
	int result = new_entry_begin(&e, dirfd, path, true);

	if (result)
		return result;
	mode = posix_acl_new_mode(e.dir, S_IFDIR | (mode & 01777));
	result = e.dir->ops->create ? e.dir->ops->create(e.dir, e.dentry, mode, 0, &inode) : -EPERM;
	if (!result)
		new_entry_made(&e, inode);
	new_entry_end(&e);
	return result;
}

int vfs_symlink(const char *target, int dirfd, const char *path)
{
	struct new_entry e;
	struct inode *inode;
	int result;

	if (!*target)
		return -ENOENT;
	result = new_entry_begin(&e, dirfd, path, false);
	if (result)
		return result;
	result =
		e.dir->ops->symlink ? e.dir->ops->symlink(e.dir, e.dentry, target, &inode) : -EPERM;
	if (!result)
		new_entry_made(&e, inode);
	new_entry_end(&e);
	return result;
}

static int link_to(const struct path *from, struct new_entry *e)
{
	struct inode *inode = from->dentry->inode;
	int result;

	if (from->mount != e->walk.at.mount)
		return -EXDEV;
	if (S_ISDIR(inode->mode) || !e->dir->ops->link)
		return -EPERM;
	if (!READ_ONCE(inode->links) && !(from->dentry->flags & DENTRY_LINKABLE))
		return -ENOENT;
	result = inode_may_link(inode);
	if (result)
		return result;
	result = e->dir->ops->link(e->dir, e->dentry, inode);
	if (!result) {
		inode_get(inode);
		notify_inode(inode, IN_ATTRIB);
		new_entry_made(e, inode);
	}
	return result;
}

int vfs_link(int from_dirfd, const char *from_text, int to_dirfd, const char *to, u32 lookup_flags)
{
	struct new_entry e;
	struct path from;
	int result = path_lookup(from_dirfd, from_text, lookup_flags, &from);

	if (result)
		return result;
	result = new_entry_begin(&e, to_dirfd, to, false);
	if (!result) {
		result = link_to(&from, &e);
		new_entry_end(&e);
	}
	path_put(&from);
	return result;
}

/* The name is there and may go. *dentry gets a reference. */
static int victim_locked(struct walk *w, struct inode *dir, bool directory, struct dentry **dentry)
{
	int result = dentry_lookup_locked(w->at.dentry, &w->last, dentry);

	if (result)
		return result;
	if (!(*dentry)->inode)
		result = -ENOENT;
	else if (w->trailing && !directory)
		result = S_ISDIR((*dentry)->inode->mode) ? -EISDIR : -ENOTDIR;
	else
		result = path_check_writable(&w->at);
	if (!result)
		result = directory_may_delete(dir, (*dentry)->inode);
	if (result)
		dentry_put(*dentry);
	return result;
}

static int unlink_locked(struct mount *mount, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->inode;
	int result;

	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (mount_covers(mount, dentry))
		return -EBUSY;
	if (!dir->ops->unlink)
		return -EPERM;
	result = dir->ops->unlink(dir, dentry, inode);
	if (!result) {
		dentry_drop(dentry);
		notify_inode(inode, IN_ATTRIB);
	}
	return result;
}

static int rmdir_locked(struct mount *mount, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->inode;
	int result;

	if (!S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (mount_covers(mount, dentry))
		return -EBUSY;
	if (!dir->ops->rmdir)
		return -EPERM;
	/* Nothing must be made in it between the check that it is empty and its end. */
	write_lock_nested(&inode->lock);
	result = dir->ops->rmdir(dir, dentry, inode);
	if (!result)
		dentry_drop(dentry);
	write_unlock(&inode->lock);
	return result;
}

/* Removes what the walk stands before. */
static int remove_from(struct walk *w, bool directory)
{
	struct inode *dir = w->at.dentry->inode;
	struct dentry *dentry;
	int result;

	write_lock(&dir->lock);
	result = victim_locked(w, dir, directory, &dentry);
	if (result) {
		write_unlock(&dir->lock);
		return result;
	}
	result = directory ? rmdir_locked(w->at.mount, dir, dentry)
			   : unlink_locked(w->at.mount, dir, dentry);
	write_unlock(&dir->lock);
	if (!result)
		mount_detach_all(dentry);
	if (!result && directory)
		dcache_free_children(dentry);
	/* The last user's end is told first. */
	dentry_put(dentry);
	if (!result)
		notify_entry(dir, directory ? IN_DELETE | IN_ISDIR : IN_DELETE, w->last.text,
			     w->last.length, nullptr);
	return result;
}

static int remove(int dirfd, const char *text, bool directory)
{
	struct walk w;
	int result = walk_start(&w, dirfd, text, 0);

	if (!result)
		result = walk_to_parent(&w);
	if (!result && w.kind != WALK_NAME) {
		if (!directory)
			result = -EISDIR;
		else
			result = w.kind == WALK_DOT	 ? -EINVAL
				 : w.kind == WALK_DOTDOT ? -ENOTEMPTY
							 : -EBUSY;
	}
	if (!result)
		result = remove_from(&w, directory);
	walk_end(&w);
	return result;
}

int vfs_unlink(int dirfd, const char *path)
{
	return remove(dirfd, path, false);
}

int vfs_rmdir(int dirfd, const char *path)
{
	return remove(dirfd, path, true);
}
