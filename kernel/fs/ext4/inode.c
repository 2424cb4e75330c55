/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inodes in memory: how they are found, made, and how they end. */
#include <core/time.h>
#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/posix_acl.h>

static struct slab_cache *inode_cache;

void ext4_inode_cache_boot(void)
{
	inode_cache = slab_cache_create("ext4_inode", sizeof(struct ext4_inode), 0);
}

/* --- in memory --- */

static void free_memory(struct rcu_head *rcu)
{
	slab_free(inode_cache, container_of(rcu, struct ext4_inode, inode.rcu));
}

static void destroy_object(struct memory_object *object)
{
	struct ext4_inode *inode = container_of(object, struct ext4_inode, object);

	rcu_call(&inode->inode.rcu, free_memory);
}

/* Write-back keeps the inode while pages are dirty. */
static void object_dirtied(struct memory_object *object)
{
	inode_get(&container_of(object, struct ext4_inode, object)->inode);
}

const struct memory_object_ops ext4_object_ops = {
	.fill_pages = ext4_fill_pages,
	.dirty = ext4_dirty_page,
	.write_back_pages = ext4_write_back_pages,
	.dirtied = object_dirtied,
	.cleaned = ext4_object_cleaned,
	.destroy = destroy_object,
};

/* The last handle of an inode: nothing refers to it afterwards. */
static int release(struct ext4_inode *inode)
{
	struct ext4 *fs = inode->fs;
	struct journal_handle handle;
	int result = ext4_begin(fs, 8 + EXT4_CREDITS_XATTR, &handle);

	if (result)
		return result;
	result = ext4_xattr_release(&handle, inode);
	if (!result)
		result = ext4_orphan_remove(&handle, inode);
	if (!result) {
		inode->deleted_time = (u32)(clock_realtime_ns() / NSEC_PER_SEC);
		inode->disk_size = 0;
		result = ext4_inode_store(&handle, inode);
	}
	if (!result)
		result = ext4_release_inode(fs, &handle, inode->number, S_ISDIR(inode->inode.mode));
	journal_end(&handle);
	return result;
}

static void delete(struct ext4_inode *inode)
{
	int result = 0;

	if (ext4_inode_has_blocks(inode))
		result = ext4_remove_blocks(inode, 0, EXT4_BLOCK_LIMIT - 1);
	if (!result)
		result = release(inode);
	if (result && result != -EROFS)
		(void)ext4_error(inode->fs, result, "inode %u could not be deleted: %d",
				 inode->number, result);
}

/* (E4) */
static void leave_tree(struct ext4_inode *inode)
{
	struct ext4 *fs = inode->fs;

	mutex_lock(&fs->orphan_lock);
	if (!list_empty(&inode->orphan_node))
		list_remove(&inode->orphan_node);
	mutex_unlock(&fs->orphan_lock);
	spin_lock(&fs->inode_lock);
	if (radix_load(&fs->inode_tree, inode->number) == inode)
		radix_remove(&fs->inode_tree, inode->number);
	spin_unlock(&fs->inode_lock);
	wake_up(&fs->inode_gone, 0);
}

static void free_inode(struct inode *v)
{
	struct ext4_inode *inode = ext4_inode_of(v);
	struct ext4 *fs = inode->fs;
	bool writes = fs->writable && !READ_ONCE(fs->failed) && inode->number;
	s64 left;

	if (S_ISREG(v->mode) && !v->links)
		memory_object_truncate(&inode->object, 0);
	if (writes && !v->links)
		delete(inode);
	else if (writes)
		(void)ext4_inode_flush(inode);
	write_lock(&inode->map_lock);
	left = ext4_delayed_remove(inode, 0, EXT4_BLOCK_LIMIT - 1);
	write_unlock(&inode->map_lock);
	if (left > 0)
		ext4_unreserve(fs, (u32)left);
	posix_acl_forget(v);
	kfree(inode->inline_data);
	leave_tree(inode);
	if (v->object)
		memory_object_put(&inode->object); /* its destroy frees the memory */
	else
		rcu_call(&v->rcu, free_memory);
}

static struct ext4_inode *alloc_inode(struct ext4 *fs, u32 number, u32 mode)
{
	struct ext4_inode *inode = slab_alloc(inode_cache, ALLOC_ZERO);

	if (!inode)
		return nullptr;
	inode_init(&inode->inode, mode);
	inode->fs = fs;
	inode->number = number;
	inode->inode.number = number;
	inode->inode.superblock = fs->sb;
	inode->inode.free = free_inode;
	rwsem_init(&inode->map_lock, RANK_EXT4_MAP);
	list_init(&inode->orphan_node);
	return inode;
}

/* An inode that never got into the tree. */
static void drop_inode(struct ext4_inode *inode)
{
	posix_acl_forget(&inode->inode);
	kfree(inode->inline_data);
	if (inode->inode.object)
		memory_object_put(&inode->object);
	else
		rcu_call(&inode->inode.rcu, free_memory);
}

void ext4_inode_set_ops(struct ext4_inode *inode)
{
	struct inode *v = &inode->inode;

	switch (v->mode & S_IFMT) {
	case S_IFREG:
		memory_object_init(&inode->object, &ext4_object_ops, v->size);
		inode->object.group = inode->fs;
		inode->object.group_errors = &inode->fs->sb->write_errors;
		v->object = &inode->object;
		v->ops = &ext4_file_inode_ops;
		v->file_ops = &ext4_file_ops;
		break;
	case S_IFDIR:
		v->ops = &ext4_directory_inode_ops;
		v->file_ops = &ext4_directory_ops;
		break;
	case S_IFLNK:
		v->ops = &ext4_link_inode_ops;
		break;
	default:
		v->ops = &ext4_special_inode_ops;
		break;
	}
}

u64 ext4_max_size(const struct ext4 *fs, bool extents)
{
	u64 n = fs->block_size / 4, blocks = EXT4_DIRECT_BLOCKS + n + n * n + n * n * n;

	if (extents)
		blocks = EXT4_BLOCK_LIMIT;
	return MIN(blocks, (u64)EXT4_BLOCK_LIMIT) << fs->block_bits;
}

/* Reads an inode from its table and readies it for use. */
static int read_inode(struct ext4_inode *inode)
{
	int result = ext4_inode_read(inode);

	if (result)
		return result;
	ext4_inode_set_ops(inode);
	if (inode->flags & EXT4_FL_INLINE_DATA)
		result = ext4_inline_load(inode);
	if (!result && !inode->fs->no_acl)
		result = ext4_acl_load(inode);
	return result;
}

/* The inode in the tree with a reference; null: none; *busy: it is about to go. */
static struct ext4_inode *find_inode(struct ext4 *fs, u32 number, bool *busy)
{
	struct ext4_inode *inode;

	spin_guard(&fs->inode_lock);
	*busy = false;
	inode = radix_load(&fs->inode_tree, number);
	if (!inode)
		return nullptr;
	if (inode_get_unless_dead(&inode->inode))
		return inode;
	*busy = true;
	return nullptr;
}

static bool is_in_tree(struct ext4 *fs, u32 number)
{
	spin_guard(&fs->inode_lock);
	return radix_load(&fs->inode_tree, number);
}

/* Enters an inode. -EEXIST if the number has one. */
static int enter_tree(struct ext4 *fs, struct ext4_inode *inode)
{
	spin_guard(&fs->inode_lock);
	if (radix_load(&fs->inode_tree, inode->number))
		return -EEXIST;
	return radix_store(&fs->inode_tree, inode->number, inode, nullptr);
}

int ext4_inode_get(struct ext4 *fs, u32 number, struct ext4_inode **out)
{
	struct ext4_inode *inode;
	bool busy;
	int result;

	if (!number || number > fs->inodes)
		return ext4_error(fs, -EUCLEAN, "there is no inode %u", number);
	for (;;) {
		*out = find_inode(fs, number, &busy);
		if (*out)
			return 0;
		if (busy) {
			wait_event(&fs->inode_gone, !is_in_tree(fs, number));
			continue;
		}
		inode = alloc_inode(fs, number, 0);
		if (!inode)
			return -ENOMEM;
		result = read_inode(inode);
		if (!result)
			result = enter_tree(fs, inode);
		if (!result) {
			*out = inode;
			return 0;
		}
		drop_inode(inode);
		if (result != -EEXIST)
			return result;
	}
}

/* --- new ones --- */

static void init_new(struct ext4_inode *inode, struct ext4_inode *dir, u64 device)
{
	struct ext4 *fs = inode->fs;
	u32 mode = inode->inode.mode;

	inode->generation = __atomic_add_fetch(&fs->generation, 1, __ATOMIC_RELAXED);
	inode->checksum_seed = ext4_inode_seed(fs, inode->number, inode->generation);
	if (fs->inode_size > EXT4_GOOD_OLD_INODE_SIZE)
		inode->extra_size = MIN(MAX((u32)fs->super->s_want_extra_isize, 32u),
					fs->inode_size - EXT4_GOOD_OLD_INODE_SIZE) &
				    ~3u;
	inode->inode.device_number = device;
	if (S_ISCHR(mode) || S_ISBLK(mode))
		ext4_inode_encode_device(inode);
	if (dir->flags & EXT4_FL_PROJINHERIT) {
		inode->project = dir->project;
		if (S_ISDIR(mode))
			inode->flags |= EXT4_FL_PROJINHERIT;
	}
	if ((fs->incompat & EXT4_INCOMPAT_EXTENTS) &&
	    (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode))) {
		inode->flags |= EXT4_FL_EXTENTS;
		ext4_extent_init(inode);
	}
	if (S_ISDIR(mode))
		inode->inode.links = 2;
	ext4_inode_set_ops(inode);
}

int ext4_inode_create(struct ext4 *fs, struct journal_handle *handle, struct ext4_inode *dir,
		      u32 mode, u64 device, struct ext4_inode **out)
{
	struct ext4_inode *inode = alloc_inode(fs, 0, mode);
	struct ext4_disk_inode *raw;
	struct buffer *buffer;
	int result;

	if (!inode)
		return -ENOMEM;
	inode_init_owner(&inode->inode, &dir->inode, mode);
	result = fs->no_acl ? 0 : posix_acl_inherit(&inode->inode, &dir->inode);
	if (!result)
		result = ext4_allocate_inode(fs, handle, dir, mode, &inode->number);
	if (result) {
		drop_inode(inode);
		return result;
	}
	inode->inode.number = inode->number;
	init_new(inode, dir, device);
	/* Its predecessor of that number may be on its way out still. */
	while ((result = enter_tree(fs, inode)) == -EEXIST)
		wait_event(&fs->inode_gone, !is_in_tree(fs, inode->number));
	if (!result)
		result = ext4_inode_raw(inode, &buffer, &raw);
	if (!result) {
		result = journal_change(handle, buffer);
		if (!result)
			memset(raw, 0, fs->inode_size);
		buffer_put(buffer);
	}
	if (!result)
		result = ext4_inode_store(handle, inode);
	if (!result)
		result = ext4_acl_store_new(handle, inode);
	if (result) {
		/* Not on the list of orphans, so freed here and now. */
		(void)ext4_release_inode(fs, handle, inode->number, S_ISDIR(mode));
		leave_tree(inode);
		inode->number = 0;
		drop_inode(inode);
		return result;
	}
	*out = inode;
	return 0;
}

/* --- all of them --- */

static struct ext4_inode *next_inode(struct ext4 *fs, u64 *number)
{
	struct ext4_inode *inode;

	spin_guard(&fs->inode_lock);
	for (;; ++*number) {
		inode = radix_next(&fs->inode_tree, number, UINT32_MAX);
		if (!inode || inode_get_unless_dead(&inode->inode))
			return inode;
	}
}

int ext4_inodes_flush(struct ext4 *fs)
{
	struct ext4_inode *inode;
	int result = 0;

	for (u64 number = 1; (inode = next_inode(fs, &number)); number++) {
		result = ext4_inode_flush(inode) ?: result;
		inode_put(&inode->inode);
	}
	return result;
}

int ext4_inode_is_writable(const struct ext4_inode *inode)
{
	if (inode->flags & EXT4_FL_IMMUTABLE)
		return -EPERM;
	return !inode->fs->writable || READ_ONCE(inode->fs->failed) ? -EROFS : 0;
}

int ext4_get_attributes(struct inode *v, struct kstat *out)
{
	struct ext4_inode *inode = ext4_inode_of(v);

	out->blocks = READ_ONCE(inode->sectors);
	/* Data in the inode takes no block; but programs take a file without blocks for a hole. */
	if ((inode->flags & EXT4_FL_INLINE_DATA) && S_ISREG(v->mode))
		out->blocks += (v->size + SECTOR_SIZE - 1) >> SECTOR_SHIFT;
	out->block_size = inode->fs->block_size;
	out->has_created = inode->fs->inode_size > EXT4_GOOD_OLD_INODE_SIZE;
	out->attributes_mask |= STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE;
	if (inode->flags & EXT4_FL_APPEND)
		out->attributes |= STATX_ATTR_APPEND;
	if (inode->flags & EXT4_FL_IMMUTABLE)
		out->attributes |= STATX_ATTR_IMMUTABLE;
	return 0;
}

int ext4_set_attributes(struct inode *v, const struct inode_attributes *attr)
{
	struct ext4_inode *inode = ext4_inode_of(v);
	struct journal_handle handle;
	int result = ext4_inode_is_writable(inode);

	if (result)
		return result;
	if ((inode->flags & EXT4_FL_APPEND) &&
	    (attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_SIZE)))
		return -EPERM;
	if (attr->valid & ATTR_SIZE) {
		result = ext4_set_size(inode, attr->size);
		if (result)
			return result;
	}
	result = ext4_begin(inode->fs, 1, &handle);
	if (result)
		return result;
	inode_apply_attributes(v, attr);
	result = ext4_inode_store(&handle, inode);
	journal_end(&handle);
	return result;
}
