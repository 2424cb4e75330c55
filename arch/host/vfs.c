/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the VFS that a file system stands on, without paths: superblocks whose root is a dentry of its own, attributes
 * of inodes, one user (root), no signals, no processes. Tests call the operations of inodes directly.
 */
#include "vfs.h"

#include <block/block_file.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <obj/credentials.h>
#include <proc/task.h>

#include <linux/fcntl.h>

/* --- credentials and tasks --- */

static struct credentials root_credentials = { .refs = 1, .capabilities_effective = UINT64_MAX };

const struct credentials *current_credentials(void)
{
	return &root_credentials;
}

bool capable(unsigned capability)
{
	return true;
}

bool credentials_in_group(const struct credentials *c, u32 gid)
{
	return true;
}

struct fs_context *current_fs(void)
{
	static struct fs_context context = { .umask = 022 };

	return &context;
}

void thread_exit(void)
{
	host_abort("a thread ends on the host\n");
}

/* There are no threads: what they would do, tests do. */
int kthread_start(const char *name, void (*entry)(void *), void *arg)
{
	return -ENOMEM;
}

/* Kernel threads have no limits, and no user memory. */
u64 current_limit(unsigned resource)
{
	return UINT64_MAX;
}

bool signal_pending(void)
{
	return false;
}

size_t arch_copy_to_user(void __user *to, const void *from, size_t size)
{
	return size;
}

size_t arch_copy_from_user(void *to, const void __user *from, size_t size)
{
	return size;
}

size_t arch_clear_user(void __user *to, size_t size)
{
	return size;
}

/* --- superblocks --- */

static struct file_system_type *types;

void file_system_register(struct file_system_type *type)
{
	type->next = types;
	types = type;
}

int host_mount(const char *type_name, const char *device, u32 flags, const char *options,
	       struct superblock **out)
{
	struct file_system_type *type = types;
	int result;

	while (type && strcmp(type->name, type_name) != 0)
		type = type->next;
	if (!type)
		return -ENODEV;
	result = type->mount(type, device, flags, options, out);
	if (!result)
		(*out)->flags |= flags;
	return result;
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
	*out = sb;
	return 0;
}

int superblock_set_root(struct superblock *sb, struct inode *inode)
{
	sb->root = kzalloc(sizeof(*sb->root), 0);
	if (!sb->root)
		return -ENOMEM;
	sb->root->inode = inode;
	sb->root->parent = sb->root;
	sb->root->superblock = sb;
	return 0;
}

void superblock_put(struct superblock *sb)
{
	if (sb->root) {
		if (sb->ops->sync)
			(void)sb->ops->sync(sb);
		inode_put(sb->root->inode);
		kfree(sb->root);
	}
	if (sb->ops->destroy)
		sb->ops->destroy(sb);
	kfree(sb);
}

int path_lookup(int dirfd, const char *path, u32 flags, struct path *out)
{
	return -ENOENT;
}

void path_put(const struct path *path)
{
}

/* --- attributes --- */

void inode_apply_attributes(struct inode *inode, const struct inode_attributes *attr)
{
	struct inode_time now = inode_time_now();

	if (attr->valid & ATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (attr->mode & 07777);
	if (attr->valid & ATTR_UID)
		inode->uid = attr->uid;
	if (attr->valid & ATTR_GID)
		inode->gid = attr->gid;
	if (attr->valid & (ATTR_ATIME | ATTR_ATIME_NOW))
		inode->accessed = attr->valid & ATTR_ATIME_NOW ? now : attr->accessed;
	if (attr->valid & (ATTR_MTIME | ATTR_MTIME_NOW))
		inode->modified = attr->valid & ATTR_MTIME_NOW ? now : attr->modified;
	if (attr->valid & ATTR_CTIME)
		inode->changed = now;
}

void inode_init_owner(struct inode *inode, const struct inode *dir, u32 mode)
{
	inode->mode = mode;
}

int inode_truncate(struct inode *inode, u64 size)
{
	struct inode_attributes attr = { .valid = ATTR_SIZE | ATTR_CTIME | ATTR_MTIME_NOW,
					 .size = size };

	write_guard(&inode->lock);
	return inode->ops->set_attributes(inode, &attr);
}

ssize_t file_write_checks(struct file *file, const struct iter *it, u64 *offset)
{
	if (file->flags & O_APPEND)
		*offset = file->inode->size;
	return (ssize_t)it->remaining;
}

void file_accessed(struct file *file)
{
}

void file_modified(struct file *file)
{
	inode_apply_attributes(file->inode,
			       &(struct inode_attributes){ .valid = ATTR_MTIME_NOW | ATTR_CTIME });
}

s64 file_seek_directory(struct file *file, s64 offset, int whence)
{
	file->offset = (u64)offset;
	return offset;
}

bool directory_emit_dots(struct file *file, struct directory_context *ctx)
{
	if (file->offset < 2)
		file->offset = 2;
	return true;
}

/* --- the page cache of a disk --- */

struct disk_cache {
	struct memory_object object;
	struct block_device *device;
};

static int fill_page(struct memory_object *object, struct page *page)
{
	struct disk_cache *cache = container_of(object, struct disk_cache, object);
	u64 start = page->index << PAGE_SHIFT;
	u64 end = block_device_sectors(cache->device) << SECTOR_SHIFT;
	size_t size = start < end ? MIN(end - start, (u64)PAGE_SIZE) : 0;

	memset((char *)page_address(page) + size, 0, PAGE_SIZE - size);
	return size ? block_read_kernel(cache->device, start, page_address(page), size) : 0;
}

static void cache_destroy(struct memory_object *object)
{
	kfree(container_of(object, struct disk_cache, object));
}

static const struct memory_object_ops disk_cache_ops = { .fill = fill_page,
							 .destroy = cache_destroy };

static int object_create(struct block_device *device, struct memory_object **out)
{
	struct disk_cache *cache = kzalloc(sizeof(*cache), 0);

	if (!cache)
		return -ENOMEM;
	cache->device = device;
	memory_object_init(&cache->object, &disk_cache_ops, UINT64_MAX);
	*out = &cache->object;
	return 0;
}

static void object_destroy(struct block_device *device, struct memory_object *object)
{
	memory_object_put(object);
}

void host_vfs_boot(void)
{
	memory_object_boot();
	block_hooks.object_create = object_create;
	block_hooks.object_destroy = object_destroy;
}

/* There is no user memory in a process of the host, so nobody comes here. */
ssize_t block_direct(struct block_device *device, u64 offset, struct iter *it, size_t size,
		     bool write)
{
	panic("O_DIRECT on the host");
}

/* There is no task whose limit it could be, only that of the file system. */
int inode_check_new_size(const struct inode *inode, u64 size)
{
	return inode->superblock && size > inode->superblock->max_file_size ? -EFBIG : 0;
}
