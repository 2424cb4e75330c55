/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Superblocks (one per mounted file system) and the list of file system types. */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/refs.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/dcache.h>
#include <vfs/mount_priv.h>
#include <vfs/notify.h>

#include <linux/limits.h>
#include <linux/mount.h>

#define SUPERBLOCK_FLAGS (MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME)

static struct file_system_type *types; /* written at boot only */
static struct spinlock list_lock = SPINLOCK_INIT(RANK_DENTRY);
static struct list_head superblocks __guarded_by(&list_lock) = LIST_INIT(superblocks);
static u32 next_minor = 16; /* of anonymous device numbers */

void file_system_register(struct file_system_type *type)
{
	struct file_system_type **link = &types;

	while (*link)
		link = &(*link)->next;
	*link = type;
}

struct file_system_type *file_system_first(void)
{
	return types;
}

static bool type_matches(const struct file_system_type *type, const char *name)
{
	size_t length = strlen(type->name);

	return strncmp(type->name, name, length) == 0 &&
	       (!name[length] || (type->has_subtypes && name[length] == '.'));
}

struct file_system_type *file_system_find(const char *name)
{
	struct file_system_type *type = types;

	while (type && (!type->user_visible || !type_matches(type, name)))
		type = type->next;
	return type;
}

int mount_options_each(const char *options,
		       int (*one)(void *arg, const char *name, const char *value), void *arg)
{
	char *copy, *p;
	int err = 0;

	if (!options || !*options)
		return 0;
	copy = kstrdup(options, 0);
	if (!copy)
		return -ENOMEM;
	for (p = copy; p && !err;) {
		char *next = strchr(p, ','), *value;

		if (next)
			*next++ = '\0';
		value = strchr(p, '=');
		if (value)
			*value++ = '\0';
		if (*p)
			err = one(arg, p, value);
		p = next;
	}
	kfree(copy);
	return err;
}

int file_system_make(const struct file_system_type *type, const char *source, u32 flags,
		     const char *data, struct superblock **out)
{
	int err = type->mount(type, source, flags, data, out);

	if (!err)
		(*out)->flags |= flags & SUPERBLOCK_FLAGS;
	return err;
}

int superblock_reconfigure_locked(struct superblock *sb, u32 flags, const char *data)
{
	int err = 0;

	flags &= SUPERBLOCK_FLAGS;
	if (sb->ops->remount)
		err = sb->ops->remount(sb, &flags, data);
	if (err)
		return err;
	if ((flags & MS_RDONLY) && sb->ops->sync)
		(void)sb->ops->sync(sb);
	sb->flags = flags;
	return 0;
}

int superblock_create(const struct file_system_type *type, const struct superblock_ops *ops,
		      u32 magic, struct superblock **out)
{
	struct superblock *sb = kzalloc(sizeof(*sb), 0);

	if (!sb)
		return -ENOMEM;
	sb->refs = 1;
	sb->type = type;
	sb->ops = ops;
	sb->magic = magic;
	sb->max_file_size = INT64_MAX;
	sb->device = device_make(0, __atomic_fetch_add(&next_minor, 1, __ATOMIC_RELAXED));
	mutex_init(&sb->rename_lock, RANK_RENAME);
	spin_lock(&list_lock);
	list_add_tail(&superblocks, &sb->all_node);
	spin_unlock(&list_lock);
	*out = sb;
	return 0;
}

int superblock_set_root(struct superblock *sb, struct inode *inode)
{
	return dentry_create_detached(sb, inode, "/", &sb->root);
}

void superblock_get(struct superblock *sb)
{
	__atomic_fetch_add(&sb->refs, 1, __ATOMIC_RELAXED);
}

void superblock_put(struct superblock *sb)
{
	if (__atomic_fetch_sub(&sb->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	spin_lock(&list_lock);
	list_remove(&sb->all_node);
	spin_unlock(&list_lock);
	if (sb->root) {
		notify_superblock_gone(sb);
		if (sb->ops->sync)
			(void)sb->ops->sync(sb);
		dcache_shrink_superblock(sb);
		if (sb->ops->shut_down)
			sb->ops->shut_down(sb);
		__atomic_fetch_or(&sb->root->flags, DENTRY_UNLINKED, __ATOMIC_SEQ_CST);
		dentry_put(sb->root);
	}
	if (sb->ops->destroy)
		sb->ops->destroy(sb);
	kfree(sb);
}

int superblock_statfs_simple(struct superblock *sb, struct statfs_info *out)
{
	*out = (struct statfs_info){ .type = sb->magic,
				     .block_size = PAGE_SIZE,
				     .name_max = NAME_MAX };
	return 0;
}

/* The next superblock after `sb` (null: the first) with a reference; drops that of `sb`. */
static struct superblock *superblock_next(struct superblock *sb)
{
	struct superblock *next = nullptr;
	struct list_head *node;

	spin_lock(&list_lock);
	for (node = sb ? sb->all_node.next : superblocks.next; node != &superblocks;
	     node = node->next) {
		next = list_entry(node, struct superblock, all_node);
		if (refs_get_unless_zero(&next->refs))
			break;
		next = nullptr;
	}
	spin_unlock(&list_lock);
	if (sb)
		superblock_put(sb);
	return next;
}

void superblock_sync_all(void)
{
	for (struct superblock *sb = superblock_next(nullptr); sb; sb = superblock_next(sb)) {
		if (sb->ops->sync)
			(void)sb->ops->sync(sb);
	}
}
