/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open(2): from a path, perhaps creating the file, to an open file. */
#include <ipc/pipe.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/init.h>
#include <vfs/lease.h>
#include <vfs/mount_handle.h>
#include <vfs/mount_priv.h>
#include <vfs/notify.h>
#include <vfs/permission.h>
#include <vfs/posix_acl.h>
#include <vfs/walk.h>

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>

static ssize_t read_ebadf(struct file *file, struct iter *it, u64 *offset)
{
	return -EBADF;
}

/* O_PATH files, and files whose open has not got any further. */
static const struct file_ops path_file_ops = {
	FILE_OPS_DEFAULTS,
	.read = read_ebadf,
	.write = read_ebadf,
};

static u32 access_mask(u32 flags)
{
	static const u8 masks[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
				    MAY_READ | MAY_WRITE };

	return masks[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/* May the current task open what is there with these flags? */
static int may_open(const struct path *path, u32 flags)
{
	struct inode *inode = path->dentry->inode;
	u32 mask = access_mask(flags);
	int result;

	switch (inode->mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (mask & MAY_WRITE)
			return -EISDIR;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (path->mount->flags & MS_NODEV)
			return -EACCES;
		break;
	case S_IFREG:
		if ((mask & MAY_WRITE) && path_check_writable(path))
			return -EROFS;
		break;
	default:
		break;
	}
	result = inode_permission(inode, mask);
	if (result)
		return result;
	return (flags & O_NOATIME) && !inode_is_owned(inode) ? -EPERM : 0;
}

/* The open operation that fits the kind of file. */
static int open_kind(struct inode *inode, struct file *file)
{
	switch (inode->mode & S_IFMT) {
	case S_IFIFO:
		return (file->flags & O_ACCMODE) == O_ACCMODE ? -EINVAL : fifo_open(inode, file);
	case S_IFSOCK:
		return -ENXIO;
	case S_IFCHR:
	case S_IFBLK:
		if (inode->ops && inode->ops->open)
			return inode->ops->open(inode, file);
		return device_node_open(inode, file);
	default:
		if (inode->file_ops)
			file->ops = inode->file_ops;
		else if (!inode->ops || !inode->ops->open)
			return -ENXIO;
		return inode->ops && inode->ops->open ? inode->ops->open(inode, file) : 0;
	}
}

/* Drops what open_file took. */
static void path_of_file_put(struct file *file)
{
	if (file->mode & FILE_MODE_OPENED)
		notify_dentry(file->dentry,
			      file->mode & FILE_MODE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	if ((file->mode & FILE_MODE_WRITE) && S_ISREG(file->inode->mode)) {
		inode_write_access_put(file->inode);
		__atomic_fetch_sub(&file->mount->writers, 1, __ATOMIC_RELAXED);
	}
	if (file->mode & FILE_MODE_DENY_WRITE)
		inode_deny_write_put(file->inode);
	if (unlikely(file->mode & FILE_MODE_DETACHED))
		mount_detached_file_gone(file->mount);
	dentry_put(file->dentry);
	mount_put(file->mount);
}

s64 file_seek_directory(struct file *file, s64 offset, int whence)
{
	if (whence == SEEK_CUR && add_overflows((s64)file->offset, offset, &offset))
		return -EOVERFLOW;
	if (offset < 0 || (whence != SEEK_SET && whence != SEEK_CUR))
		return -EINVAL;
	mutex_guard(&file->offset_lock);
	file->offset = (u64)offset;
	return offset;
}

bool directory_emit_dots(struct file *file, struct directory_context *ctx)
{
	u64 number;

	if (file->offset == 0) {
		if (!ctx->emit(ctx, ".", 1, file->inode->number, S_IFDIR >> 12, 1))
			return false;
		file->offset = 1;
	}
	if (file->offset == 1) {
		/* Only the number is wanted, of an inode that its dentry keeps. */
		spin_lock(&namespace_lock);
		number = file->dentry->parent->inode->number;
		spin_unlock(&namespace_lock);
		if (!ctx->emit(ctx, "..", 2, number, S_IFDIR >> 12, 2))
			return false;
		file->offset = 2;
	}
	return true;
}

void open_init(void)
{
	file_path_put_hook = path_of_file_put;
}

bool file_allows_direct(const struct file *file)
{
	return S_ISBLK(file->inode->mode) || (file->mode & FILE_MODE_DIRECT);
}

/* Makes the file; no permission checks. */
static int open_file(const struct path *path, u32 flags, struct file **out)
{
	struct inode *inode = path->dentry->inode;
	bool counted = !(flags & O_PATH) && (access_mask(flags & O_ACCMODE) & MAY_WRITE) &&
		       S_ISREG(inode->mode);
	struct file *file;
	int result = 0;

	if (S_ISREG(inode->mode) && !(flags & O_PATH))
		result = lease_break(inode, counted || flags & O_TRUNC, flags & O_NONBLOCK);
	if (!result && counted)
		result = inode_write_access_get(inode);
	if (result)
		return result;
	result = file_create(&path_file_ops, flags, FILE_MODE_PREAD, inode, nullptr, &file);
	if (result) {
		if (counted)
			inode_write_access_put(inode);
		return result;
	}
	path_get(path);
	file->dentry = path->dentry;
	file->mount = path->mount;
	if (counted)
		__atomic_fetch_add(&path->mount->writers, 1, __ATOMIC_RELAXED);
	if (!(flags & O_PATH)) {
		file->flags |= flags & O_NOCTTY; /* of interest to the terminal's open only */
		result = open_kind(inode, file);
		file->flags &= ~(u32)O_NOCTTY;
	}
	if (!result && (flags & O_DIRECT) && !file_allows_direct(file))
		result = -EINVAL;
	if (!result && (flags & O_TRUNC) && S_ISREG(inode->mode) && !(flags & O_PATH)) {
		result = inode_truncate(inode, 0);
		if (!result)
			notify_dentry(path->dentry, IN_MODIFY);
	}
	if (result) {
		file_put(file);
		return result;
	}
	if (!(flags & O_PATH)) {
		file->mode |= FILE_MODE_OPENED;
		if (inode->object)
			file->write_error_seen = write_error_sample(&inode->object->error_state);
		if (inode->superblock)
			file->group_error_seen =
				write_error_sample(&inode->superblock->write_errors);
		notify_dentry(path->dentry, IN_OPEN);
	}
	*out = file;
	return 0;
}

int vfs_open_executable(int dirfd, const char *text, u32 lookup_flags, struct file **out)
{
	struct path path;
	int result = path_lookup(dirfd, text, lookup_flags, &path);

	if (result)
		return result;
	if (S_ISLNK(path.dentry->inode->mode))
		result = -ELOOP;
	else if (!S_ISREG(path.dentry->inode->mode) || (path.mount->flags & MS_NOEXEC))
		result = -EACCES;
	else
		result = inode_permission(path.dentry->inode, MAY_EXEC);
	if (!result)
		result = inode_deny_write_get(path.dentry->inode);
	if (!result) {
		result = open_file(&path, O_RDONLY | O_LARGEFILE, out);
		if (result)
			inode_deny_write_put(path.dentry->inode);
		else
			(*out)->mode |= FILE_MODE_DENY_WRITE;
	}
	path_put(&path);
	return result;
}

int vfs_open_unchecked(const struct path *path, u32 flags, struct file **out)
{
	return open_file(path, flags, out);
}

int vfs_open_path(const struct path *path, u32 flags, struct file **out)
{
	int result = 0;

	if ((flags & O_DIRECTORY) && !S_ISDIR(path->dentry->inode->mode))
		return -ENOTDIR;
	if (!(flags & O_PATH))
		result = may_open(path, flags);
	return result ? result : open_file(path, flags, out);
}

/* O_TMPFILE: a file in the file system of a directory, without a name. */
static int open_unnamed(int dirfd, const char *text, const struct open_request *req,
			struct file **out)
{
	struct path dir, path;
	struct inode *inode;
	int result = path_lookup(dirfd, text, req->lookup_flags | LOOKUP_FOLLOW | LOOKUP_DIRECTORY,
				 &dir);

	if (result)
		return result;
	inode = dir.dentry->inode;
	result = path_check_writable(&dir);
	if (!result)
		result = directory_may_create(inode);
	if (!result && !inode->ops->create_unnamed)
		result = -EOPNOTSUPP;
	if (!result)
		result = inode->ops->create_unnamed(
			inode, posix_acl_new_mode(inode, S_IFREG | (req->mode & 07777)), &inode);
	if (!result) {
		char name[24];

		(void)snprintf(name, sizeof(name), "#%llu", (unsigned long long)inode->number);
		result = dentry_create_detached(dir.dentry->superblock, inode, name, &path.dentry);
		if (result)
			inode_put(inode);
	}
	if (!result) {
		__atomic_fetch_or(&path.dentry->flags,
				  DENTRY_UNLINKED | (req->flags & O_EXCL ? 0 : DENTRY_LINKABLE),
				  __ATOMIC_SEQ_CST);
		path.mount = dir.mount;
		result = open_file(&path, req->flags & ~(u32)O_TRUNC, out);
		dentry_put(path.dentry);
	}
	path_put(&dir);
	return result;
}

/* Makes the regular file that was not there, under the lock of its directory. */
static int create_locked(struct walk *w, struct dentry *dentry, u32 mode)
{
	struct inode *dir = w->at.dentry->inode, *inode;
	int result = path_check_writable(&w->at);

	if (!result)
		result = directory_may_create(dir);
	if (!result && !dir->ops->create)
		result = -EACCES;
	if (!result)
		result = dir->ops->create(
			dir, dentry, posix_acl_new_mode(dir, S_IFREG | (mode & 07777)), 0, &inode);
	if (!result) {
		dentry_instantiate(dentry, inode);
		notify_entry(dir, IN_CREATE, w->last.text, w->last.length, inode);
	}
	return result;
}

/* Takes the last component of an O_CREAT open: w->at is the file then, or the link to follow in *dir. */
static int lookup_or_create(struct walk *w, const struct open_request *req, bool *created,
			    struct path *dir)
{
	struct inode *parent = w->at.dentry->inode;
	struct dentry *dentry;
	int result;

	dentry = dcache_lookup(w->at.dentry, &w->last);
	if (!dentry || !dentry->inode) {
		if (dentry)
			dentry_put(dentry);
		write_guard(&parent->lock);
		result = dentry_lookup_locked(w->at.dentry, &w->last, &dentry);
		if (result)
			return result;
		if (!dentry->inode) {
			result = create_locked(w, dentry, req->mode);
			if (result) {
				dentry_put(dentry);
				return result;
			}
			*created = true;
		}
	}
	if (!*created && (req->flags & O_EXCL)) {
		dentry_put(dentry);
		return -EEXIST;
	}
	if (S_ISLNK(dentry->inode->mode)) {
		*dir = w->at;
		path_get(dir);
	}
	return walk_enter(w, dentry);
}

/* Walks an O_CREAT open to the file. */
static int walk_create(struct walk *w, const struct open_request *req, bool *created)
{
	for (;;) {
		struct path dir = {};
		int result = walk_to_parent(w);

		if (result)
			return result;
		if (w->kind == WALK_DOTDOT)
			result = walk_last(w, &(bool){ false });
		if (w->kind != WALK_NAME)
			return result ? result : req->flags & O_EXCL ? -EEXIST : -EISDIR;
		if (w->trailing)
			return -EISDIR;
		result = lookup_or_create(w, req, created, &dir);
		if (result) {
			if (dir.dentry)
				path_put(&dir);
			return result;
		}
		if (!dir.dentry)
			return 0;
		if ((req->flags & (O_NOFOLLOW | O_EXCL))) {
			path_put(&dir);
			return -ELOOP;
		}
		result = walk_follow(w, &dir);
		if (result || w->jumped)
			return result;
	}
}

static int open_create(int dirfd, const char *text, const struct open_request *req,
		       struct file **out)
{
	struct walk w;
	bool created = false;
	int result = walk_start(&w, dirfd, text, req->lookup_flags | LOOKUP_FOLLOW);

	if (!result)
		result = walk_create(&w, req, &created);
	if (!result && !created)
		result = S_ISDIR(w.at.dentry->inode->mode) ? -EISDIR : may_open(&w.at, req->flags);
	if (!result)
		result = open_file(&w.at, created ? req->flags & ~(u32)O_TRUNC : req->flags, out);
	walk_end(&w);
	return result;
}

int vfs_open(int dirfd, const char *text, const struct open_request *req, struct file **out)
{
	u32 flags = req->flags, lookup = req->lookup_flags;
	struct path path;
	int result;

	if ((flags & O_TMPFILE) == O_TMPFILE)
		return open_unnamed(dirfd, text, req, out);
	if ((flags & O_CREAT) && !(flags & O_PATH))
		return open_create(dirfd, text, req, out);
	if (!(flags & O_NOFOLLOW))
		lookup |= LOOKUP_FOLLOW;
	if (flags & O_DIRECTORY)
		lookup |= LOOKUP_DIRECTORY;
	result = path_lookup(dirfd, text, lookup, &path);
	if (result)
		return result;
	result = vfs_open_path(&path, flags, out);
	path_put(&path);
	return result;
}

int file_path(struct file *file, struct path *out)
{
	int result;

	if (likely(file->dentry)) {
		*out = (struct path){ file->mount, file->dentry };
		path_get(out);
		return 0;
	}
	inode_get(file->inode);
	result = dentry_create_detached(anonymous_mount->superblock, file->inode, "", &out->dentry);
	if (result) {
		inode_put(file->inode);
		return result;
	}
	__atomic_fetch_or(&out->dentry->flags, DENTRY_UNLINKED, __ATOMIC_SEQ_CST);
	out->mount = anonymous_mount;
	mount_get(anonymous_mount);
	return 0;
}
