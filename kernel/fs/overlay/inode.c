/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inodes of the overlay: their parts, what stat tells of them, extended attributes. */
#include <fs/overlay/overlay_priv.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/posix_acl.h>

#include <linux/limits.h>

#define LIST_MAX 65536u

struct path overlay_real_path(const struct overlay_inode *oi)
{
	struct dentry *upper = overlay_upper(oi);

	if (upper)
		return (struct path){ oi->fs->upper.mount, upper };
	return (struct path){ oi->fs->lower[oi->lowers[0].layer].mount, oi->lowers[0].dentry };
}

/* --- life --- */

static struct list_head *bucket_of(struct overlay *fs, const struct inode *upper)
	__must_hold(&fs->hash_lock)
{
	return &fs->by_upper[(uintptr_t)upper / 64 % OVERLAY_BUCKETS];
}

static void free_memory(struct rcu_head *rcu)
{
	kfree(container_of(container_of(rcu, struct inode, rcu), struct overlay_inode, inode));
}

static void free_inode(struct inode *inode)
{
	struct overlay_inode *oi = overlay_inode_of(inode);

	spin_lock(&oi->fs->hash_lock);
	list_remove(&oi->hash_node);
	spin_unlock(&oi->fs->hash_lock);
	posix_acl_forget(inode);
	if (oi->upper)
		dentry_put(oi->upper);
	for (unsigned i = 0; i < oi->lower_count; i++)
		dentry_put(oi->lowers[i].dentry);
	if (oi->parent)
		inode_put(oi->parent);
	kfree(oi->name);
	rcu_call(&inode->rcu, free_memory);
}

/* The inode with this upper part, with a reference; null: none is known. */
static struct inode *find(struct overlay *fs, const struct inode *upper)
{
	struct overlay_inode *oi;

	spin_lock(&fs->hash_lock);
	list_for_each (oi, bucket_of(fs, upper), hash_node) {
		if (oi->upper->inode == upper && inode_get_unless_dead(&oi->inode)) {
			spin_unlock(&fs->hash_lock);
			return &oi->inode;
		}
	}
	spin_unlock(&fs->hash_lock);
	return nullptr;
}

/* Two who look the same file up at once get an inode each, of which one is forgotten with its dentry. */
void overlay_hash_add(struct overlay_inode *oi)
{
	spin_lock(&oi->fs->hash_lock);
	if (list_empty(&oi->hash_node))
		list_add(bucket_of(oi->fs, oi->upper->inode), &oi->hash_node);
	spin_unlock(&oi->fs->hash_lock);
}

void overlay_refresh(struct overlay_inode *oi)
{
	const struct inode *real = overlay_real(oi)->inode;
	struct inode *inode = &oi->inode;

	spin_guard(&inode->state_lock);
	inode->mode = real->mode;
	inode->uid = real->uid;
	inode->gid = real->gid;
	inode->links = S_ISDIR(real->mode) && oi->lower_count ? 1 : real->links;
	inode->size = READ_ONCE(real->size);
	inode->blocks = real->blocks;
	inode->device_number = real->device_number;
	inode->accessed = real->accessed;
	inode->modified = real->modified;
	inode->changed = real->changed;
	inode->created = real->created;
}

u64 overlay_number(const struct overlay_inode *oi)
{
	bool directory = S_ISDIR(oi->inode.mode);

	if (directory && !oi->fs->one_device)
		return oi->own_number;
	return oi->lower_count ? oi->lowers[0].dentry->inode->number : oi->upper->inode->number;
}

static void set_operations(struct inode *inode)
{
	if (S_ISDIR(inode->mode)) {
		inode->ops = &overlay_directory_inode_ops;
		inode->file_ops = &overlay_directory_ops;
	} else {
		inode->ops = &overlay_file_inode_ops;
		if (S_ISREG(inode->mode))
			inode->file_ops = &overlay_file_ops;
	}
}

int overlay_inode_get(struct overlay *fs, struct dentry *upper, const struct overlay_lower *lowers,
		      unsigned count, struct inode *parent, const char *name, struct inode **out)
{
	bool directory = S_ISDIR((upper ? upper : lowers[0].dentry)->inode->mode);
	struct overlay_inode *oi;

	*out = upper && !directory ? find(fs, upper->inode) : nullptr;
	if (*out) {
		dentry_put(upper);
		for (unsigned i = 0; i < count; i++)
			dentry_put(lowers[i].dentry);
		return 0;
	}
	oi = kzalloc(sizeof(*oi) + count * sizeof(lowers[0]), 0);
	char *copy = oi && count && name ? kstrdup(name, 0) : nullptr;
	if (!oi || (count && name && !copy)) {
		kfree(oi);
		return -ENOMEM;
	}
	inode_init(&oi->inode, (upper ? upper : lowers[0].dentry)->inode->mode);
	rwsem_init(&oi->inode.lock, RANK_OVERLAY_INODE);
	oi->inode.superblock = fs->sb;
	oi->inode.free = free_inode;
	oi->fs = fs;
	oi->upper = upper;
	oi->lower_count = count;
	memcpy(oi->lowers, lowers, count * sizeof(lowers[0]));
	list_init(&oi->hash_node);
	if (copy) {
		oi->name = copy;
		oi->parent = parent;
		inode_get(parent);
	}
	oi->own_number = __atomic_add_fetch(&fs->next_number, 1, __ATOMIC_RELAXED);
	overlay_refresh(oi);
	oi->inode.number = overlay_number(oi);
	set_operations(&oi->inode);
	if (upper && !directory)
		overlay_hash_add(oi);
	*out = &oi->inode;
	return 0;
}

/* --- attributes --- */

int overlay_get_attributes(struct inode *inode, struct kstat *out)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	struct inode *real = overlay_real(oi)->inode;
	struct kstat stat;
	int result = 0;

	inode_stat(real, &stat);
	if (real->ops && real->ops->get_attributes)
		result = real->ops->get_attributes(real, &stat);
	if (result)
		return result;
	overlay_refresh(oi);
	stat.device = inode->superblock->device;
	/* Several devices: what is no directory tells the one of its layer, so that pairs of numbers differ. */
	if (!oi->fs->one_device && !S_ISDIR(inode->mode))
		stat.device = oi->lower_count ? oi->lowers[0].dentry->superblock->device
					      : real->superblock->device;
	stat.inode = overlay_number(oi);
	stat.mount_id = out->mount_id;
	if (S_ISDIR(inode->mode) && oi->lower_count)
		stat.links = 1;
	*out = stat;
	return 0;
}

int overlay_set_attributes(struct inode *inode, const struct inode_attributes *attr)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	int result = overlay_copy_up(oi);

	if (!result)
		result = real_set_attributes(overlay_real(oi)->inode, attr);
	if (!result)
		overlay_refresh(oi);
	return result;
}

/* --- extended attributes --- */

const char *overlay_mark(const struct overlay *fs, char buf[40], const char *mark)
{
	(void)snprintf(buf, 40, "%s.overlay.%s", fs->user_xattrs ? "user" : "trusted", mark);
	return buf;
}

bool overlay_is_mark(const struct overlay *fs, const char *name)
{
	char prefix[40];

	overlay_mark(fs, prefix, "");
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

ssize_t overlay_get_xattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct overlay_inode *oi = overlay_inode_of(inode);

	if (overlay_is_mark(oi->fs, name))
		return -EOPNOTSUPP;
	return real_get_xattr(overlay_real(oi)->inode, name, value, size);
}

int overlay_set_xattr(struct inode *inode, const char *name, const void *value, size_t size,
		      int flags)
{
	struct overlay_inode *oi = overlay_inode_of(inode);

	if (overlay_is_mark(oi->fs, name))
		return -EOPNOTSUPP;
	int result = overlay_copy_up(oi);
	if (!result)
		result = real_set_xattr(overlay_real(oi)->inode, name, value, size, flags);
	if (!result)
		overlay_refresh(oi);
	return result;
}

int overlay_remove_xattr(struct inode *inode, const char *name)
{
	struct overlay_inode *oi = overlay_inode_of(inode);

	if (overlay_is_mark(oi->fs, name))
		return -EOPNOTSUPP;
	/* What is not there needs no copy. */
	ssize_t n = real_get_xattr(overlay_real(oi)->inode, name, nullptr, 0);
	if (n < 0)
		return (int)n;
	int result = overlay_copy_up(oi);
	return result ?: real_remove_xattr(overlay_real(oi)->inode, name);
}

/* The list without the overlay's own marks. */
ssize_t overlay_list_xattr(struct inode *inode, char *list, size_t size)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	char *all = kvmalloc(LIST_MAX, 0);
	size_t used = 0;

	if (!all)
		return -ENOMEM;
	ssize_t n = real_list_xattr(overlay_real(oi)->inode, all, LIST_MAX);
	for (ssize_t at = 0; at < n;) {
		size_t length = strlen(all + at) + 1;

		if (!overlay_is_mark(oi->fs, all + at)) {
			if (size && used + length > size) {
				n = -ERANGE;
				break;
			}
			if (size)
				memcpy(list + used, all + at, length);
			used += length;
		}
		at += (ssize_t)length;
	}
	kvfree(all);
	return n < 0 ? n : (ssize_t)used;
}
