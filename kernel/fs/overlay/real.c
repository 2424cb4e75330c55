/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of the layers below: the steps of the VFS on directories that the overlay names by dentry. Whoever may change the overlay may
 * change them: nothing is checked here.
 */
#include <fs/overlay/overlay_priv.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <vfs/posix_acl.h>

#include <linux/fs.h>

static struct name name_of(const char *text, size_t length)
{
	return (struct name){ text, (u32)length, name_hash(text, length) };
}

int real_lookup(struct dentry *dir, const char *text, size_t length, struct dentry **out)
{
	struct name name = name_of(text, length);
	int result = dentry_lookup(dir, &name, out);

	if (!result && !(*out)->inode) {
		dentry_put(*out);
		*out = nullptr;
	}
	return result;
}

bool real_is_whiteout(const struct dentry *dentry)
{
	return S_ISCHR(dentry->inode->mode) && !dentry->inode->device_number;
}

/* Makes what `dentry` is to be, under the lock of the directory. */
static int make_locked(struct inode *dir, struct dentry *dentry, u32 mode, u64 device,
		       const char *target, struct inode **out)
{
	if (target)
		return dir->ops->symlink ? dir->ops->symlink(dir, dentry, target, out) : -EPERM;
	return dir->ops->create ? dir->ops->create(dir, dentry, mode, device, out) : -EPERM;
}

int real_create(struct dentry *parent, const char *text, u32 mode, u64 device, const char *target,
		struct dentry **out)
{
	struct name name = name_of(text, strlen(text));
	struct inode *dir = parent->inode, *inode;

	write_guard(&dir->lock);
	int result = dentry_lookup_locked(parent, &name, out);
	if (result)
		return result;
	result = (*out)->inode ? -EEXIST : make_locked(dir, *out, mode, device, target, &inode);
	if (result)
		dentry_put(*out);
	else
		dentry_instantiate(*out, inode);
	return result;
}

int real_link(struct dentry *parent, const char *text, struct inode *inode)
{
	struct name name = name_of(text, strlen(text));
	struct inode *dir = parent->inode;
	struct dentry *dentry;

	write_guard(&dir->lock);
	int result = dentry_lookup_locked(parent, &name, &dentry);
	if (result)
		return result;
	if (dentry->inode)
		result = -EEXIST;
	else
		result = dir->ops->link ? dir->ops->link(dir, dentry, inode) : -EPERM;
	if (!result) {
		inode_get(inode);
		dentry_instantiate(dentry, inode);
	}
	dentry_put(dentry);
	return result;
}

static int remove_locked(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->inode;
	int result;

	if (!inode)
		return -ENOENT;
	if (dentry->flags & DENTRY_MOUNTPOINT)
		return -EBUSY;
	if (!S_ISDIR(inode->mode))
		return dir->ops->unlink ? dir->ops->unlink(dir, dentry, inode) : -EPERM;
	if (!dir->ops->rmdir)
		return -EPERM;
	write_lock_nested(&inode->lock);
	result = dir->ops->rmdir(dir, dentry, inode);
	write_unlock(&inode->lock);
	return result;
}

int real_remove(struct dentry *parent, const char *text)
{
	struct name name = name_of(text, strlen(text));
	struct inode *dir = parent->inode;
	struct dentry *dentry = nullptr;

	write_lock(&dir->lock);
	int result = dentry_lookup_locked(parent, &name, &dentry);
	if (!result) {
		result = remove_locked(dir, dentry);
		if (!result)
			dentry_drop(dentry);
	}
	write_unlock(&dir->lock);
	if (dentry)
		dentry_put(dentry);
	return result;
}

static int rename_locked(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
			 struct dentry *to,
			 u32 flags) __no_lock_analysis /* the target's lock depends on its kind */
{
	struct inode *source = from->inode, *target = to->inode;
	bool lock_target =
		target && S_ISDIR(target->mode) && target != from_dir && target != to_dir;
	int result;

	if (!source || ((flags & RENAME_EXCHANGE) && !target))
		return -ENOENT;
	if (!from_dir->ops->rename)
		return -EPERM;
	if (lock_target)
		write_lock_nested(&target->lock);
	result = from_dir->ops->rename(from_dir, from, to_dir, to, source, target, flags);
	if (!result)
		dentry_move(from, to, flags & RENAME_EXCHANGE);
	if (lock_target)
		write_unlock(&target->lock);
	return result;
}

/* The order of vfs/rename.c. Neither directory is below the other but for the upper tree's own renames. */
static void lock_two(struct dentry *a, struct dentry *b) __no_lock_analysis
{
	if (a == b) {
		write_lock(&a->inode->lock);
		return;
	}
	mutex_lock(&a->superblock->rename_lock);
	if (dentry_is_below(a, b) || (!dentry_is_below(b, a) && b->inode < a->inode)) {
		struct dentry *first = b;

		b = a;
		a = first;
	}
	write_lock(&a->inode->lock);
	write_lock_nested(&b->inode->lock);
}

static void unlock_two(struct dentry *a, struct dentry *b) __no_lock_analysis
{
	write_unlock(&a->inode->lock);
	if (a == b)
		return;
	write_unlock(&b->inode->lock);
	mutex_unlock(&a->superblock->rename_lock);
}

int real_rename(struct dentry *from_dir, const char *from_text, struct dentry *to_dir,
		const char *to_text, u32 flags)
{
	struct name from_name = name_of(from_text, strlen(from_text));
	struct name to_name = name_of(to_text, strlen(to_text));
	struct dentry *from, *to = nullptr;

	lock_two(from_dir, to_dir);
	int result = dentry_lookup_locked(from_dir, &from_name, &from);
	if (result) {
		unlock_two(from_dir, to_dir);
		return result;
	}
	result = dentry_lookup_locked(to_dir, &to_name, &to);
	if (!result)
		result = rename_locked(from_dir->inode, from, to_dir->inode, to, flags);
	unlock_two(from_dir, to_dir);
	if (to)
		dentry_put(to);
	dentry_put(from);
	return result;
}

int real_set_attributes(struct inode *inode, const struct inode_attributes *attr)
{
	write_guard(&inode->lock);
	return inode_set_attributes(inode, attr);
}

ssize_t real_get_xattr(struct inode *inode, const char *name, void *value, size_t size)
{
	if (!inode->ops || !inode->ops->get_xattr)
		return -EOPNOTSUPP;
	read_guard(&inode->lock);
	if (posix_acl_is_xattr(inode, name))
		return posix_acl_get_xattr(inode, name, value, size);
	return inode->ops->get_xattr(inode, name, value, size);
}

int real_set_xattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	if (!inode->ops || !inode->ops->set_xattr)
		return -EOPNOTSUPP;
	write_guard(&inode->lock);
	if (posix_acl_is_xattr(inode, name))
		return posix_acl_set_xattr(inode, name, value, size);
	return inode->ops->set_xattr(inode, name, value, size, flags);
}

ssize_t real_list_xattr(struct inode *inode, char *list, size_t size)
{
	if (!inode->ops || !inode->ops->list_xattr)
		return -EOPNOTSUPP;
	read_guard(&inode->lock);
	ssize_t n = inode->ops->list_xattr(inode, list, size);

	return n < 0 ? n : posix_acl_list_xattr(inode, list, (size_t)n, size);
}

int real_remove_xattr(struct inode *inode, const char *name)
{
	if (!inode->ops || !inode->ops->remove_xattr)
		return -EOPNOTSUPP;
	write_guard(&inode->lock);
	if (posix_acl_is_xattr(inode, name))
		return posix_acl_set_xattr(inode, name, nullptr, 0);
	return inode->ops->remove_xattr(inode, name);
}

void overlay_temporary_name(struct overlay *fs, char name[TEMPORARY_NAME_MAX])
{
	(void)snprintf(name, TEMPORARY_NAME_MAX, "#%x",
		       __atomic_add_fetch(&fs->next_temporary, 1, __ATOMIC_RELAXED));
}

int overlay_make_whiteout(struct overlay *fs, char name[TEMPORARY_NAME_MAX])
{
	struct dentry *made;

	overlay_temporary_name(fs, name);
	int result = real_create(fs->work.dentry, name, S_IFCHR, 0, nullptr, &made);
	if (!result)
		dentry_put(made);
	return result;
}
