/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles of files. A file system finds the inode; what is left is to give it a place in the tree. A file that is not a directory gets a
 * name of its own, outside of all directories. A directory has one name at most: that in the cache, or else the way from a cached
 * ancestor down to it is looked up.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <obj/file.h>
#include <vfs/dcache.h>
#include <vfs/export.h>

#include <linux/fcntl.h>
#include <linux/limits.h>

#define DEPTH_MAX 1024 /* of a directory that is not in the cache */

static const struct export_ops *export_of(const struct superblock *sb)
{
	return sb->ops->export;
}

int vfs_export(const struct path *path, struct export_handle *out)
{
	struct inode *inode = path->dentry->inode;
	const struct export_ops *ops = export_of(path->dentry->superblock);

	if (!ops)
		return -EOPNOTSUPP;
	u32 generation = ops->generation(inode), low = (u32)inode->number;

	if (ops->words == 2)
		*out = (struct export_handle){ 2, { low, generation } };
	else
		*out = (struct export_handle){ 3, { generation, low, (u32)(inode->number >> 32) } };
	return 0;
}

/* The name of a directory in the cache, with a reference; null: it is not there. */
static struct dentry *cached_directory(struct inode *inode)
{
	struct dentry *d = inode->superblock->root;

	spin_guard(&namespace_lock);
	if (d->inode != inode)
		d = inode->directory;
	return d && dentry_get_unless_dead(d) ? d : nullptr;
}

struct name_search {
	struct directory_context context; /* first */
	u64 number;
	u32 length; /* 0: not found */
	char name[NAME_MAX];
};

static bool match_number(struct directory_context *ctx, const char *name, size_t length, u64 number,
			 unsigned type, u64 next_offset)
{
	struct name_search *s = (struct name_search *)ctx;
	bool dots = name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));

	if (dots || number != s->number || length > NAME_MAX)
		return true;
	memcpy(s->name, name, length);
	s->length = (u32)length;
	return false;
}

/* The entry of `parent` that is the inode with that number, with a reference. */
static int find_child(struct mount *mount, struct dentry *parent, u64 number, struct dentry **out)
{
	struct name_search s = { .context.emit = match_number, .number = number };
	struct path path = { mount, parent };
	struct file *file;
	u64 before;
	int err = vfs_open_unchecked(&path, O_RDONLY | O_DIRECTORY | O_NOATIME, &file);

	if (err)
		return err;
	mutex_lock(&file->offset_lock);
	read_lock(&parent->inode->lock);
	do {
		before = file->offset;
		err = file->ops->read_directory(file, &s.context);
	} while (!err && !s.length && file->offset != before);
	read_unlock(&parent->inode->lock);
	mutex_unlock(&file->offset_lock);
	file_put(file);
	if (err || !s.length)
		return err ? err : -ESTALE;
	struct name name = { s.name, s.length, name_hash(s.name, s.length) };

	return dentry_lookup(parent, &name, out);
}

/* The nearest ancestor of `inode` that is in the cache, and the number of the directory below it on the way. */
static int find_cached_ancestor(struct superblock *sb, struct inode *inode, struct dentry **out,
				u64 *below)
{
	const struct export_ops *ops = export_of(sb);
	struct inode *at = inode;
	int err = 0;

	inode_get(at);
	*out = nullptr;
	for (unsigned depth = 0; !err && !*out; depth++) {
		struct inode *parent;
		u64 number;

		*below = at->number;
		err = depth > DEPTH_MAX ? -ESTALE : ops->parent(at, &number);
		if (!err)
			err = ops->find(sb, number, &parent);
		if (err)
			break;
		inode_put(at);
		at = parent;
		*out = S_ISDIR(at->mode) ? cached_directory(at) : nullptr;
		if (!S_ISDIR(at->mode))
			err = -ESTALE;
	}
	inode_put(at);
	return err;
}

static int connect_directory(struct mount *mount, struct inode *inode, struct dentry **out)
{
	struct superblock *sb = mount->superblock;
	struct dentry *held = nullptr; /* what was looked up last: it stays in the cache */

	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		struct dentry *ancestor, *child;
		u64 below;

		*out = cached_directory(inode);
		if (*out)
			break;
		int err = find_cached_ancestor(sb, inode, &ancestor, &below);

		if (err == 0) {
			err = find_child(mount, ancestor, below, &child);
			dentry_put(ancestor);
		}
		if (held)
			dentry_put(held);
		held = err ? nullptr : child;
		if (err)
			return err;
	}
	if (held)
		dentry_put(held);
	return *out ? 0 : -ESTALE;
}

/* One that goes with its last user. */
static int create_name(struct superblock *sb, struct inode *inode, struct dentry **out)
{
	int err = dentry_create_detached(sb, inode, "/", out);

	if (!err)
		__atomic_fetch_or(&(*out)->flags, DENTRY_UNLINKED, __ATOMIC_SEQ_CST);
	return err;
}

int vfs_import(struct mount *mount, const struct export_handle *handle, struct path *out)
{
	struct superblock *sb = mount->superblock;
	const struct export_ops *ops = export_of(sb);
	struct inode *inode;
	u32 generation;
	u64 number;

	if (!ops || handle->words < ops->words)
		return -ESTALE;
	generation = ops->words == 2 ? handle->data[1] : handle->data[0];
	number = ops->words == 2 ? handle->data[0] : handle->data[1] | (u64)handle->data[2] << 32;
	int err = ops->find(sb, number, &inode);

	if (err)
		return err == -ENOMEM ? err : -ESTALE;
	if (ops->generation(inode) != generation)
		err = -ESTALE;
	else if (S_ISDIR(inode->mode))
		err = connect_directory(mount, inode, &out->dentry);
	else
		err = create_name(sb, inode, &out->dentry);
	/* A name of its own has taken the reference. */
	if (err || S_ISDIR(inode->mode))
		inode_put(inode);
	if (err)
		return err == -ENOMEM ? err : -ESTALE;
	mount_get(mount);
	out->mount = mount;
	return 0;
}
