/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tmpfs: files in memory.
 *
 *   super.c  superblocks, options, inodes     directory.c  names     file.c  contents     xattr.c  extended attributes
 *
 * A regular file is a memory object without a home: its pages are the only copy, so they are never reclaimed, and they are
 * charged to the superblock's limit. A directory keeps its names itself (rule: the dentry cache is a cache). Names hold a
 * reference of their inode; links counts them.
 *
 * (T1) struct tmpfs is freed with its last inode, which may be after the superblock: a page that somebody pinned keeps
 *      the memory object, and with it the inode's memory.
 * (T2) Directory contents change under the directory inode's lock, file sizes under the file inode's.
 */
#include <core/panic.h>
#include <core/random.h>
#include <fs/tmpfs/memfd.h>
#include <fs/tmpfs/tmpfs_priv.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/posix_acl.h>

#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/mount.h>

static struct slab_cache *inode_cache;

static void free_memory(struct rcu_head *rcu)
{
	slab_free(inode_cache, container_of(rcu, struct tmpfs_inode, inode.rcu));
}

void tmpfs_put(struct tmpfs *fs)
{
	if (__atomic_fetch_sub(&fs->refs, 1, __ATOMIC_ACQ_REL) == 1)
		kfree(fs);
}

void tmpfs_inode_free_memory(struct tmpfs_inode *ti)
{
	__atomic_fetch_sub(&ti->fs->inodes_used, 1, __ATOMIC_RELAXED);
	tmpfs_put(ti->fs);
	rcu_call(&ti->inode.rcu, free_memory);
}

static void free_inode(struct inode *inode)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(inode);

	tmpfs_export_forget(inode);
	tmpfs_free_xattrs(ti);
	posix_acl_forget(inode);
	if (S_ISREG(inode->mode)) {
		memory_object_put(&ti->object); /* its destroy frees the memory */
		return;
	}
	if (S_ISLNK(inode->mode))
		kfree(ti->link);
	tmpfs_inode_free_memory(ti);
}

int tmpfs_charge_inode(struct tmpfs *fs)
{
	u64 used = __atomic_add_fetch(&fs->inodes_used, 1, __ATOMIC_RELAXED);

	if (!fs->inodes_max || used <= fs->inodes_max)
		return 0;
	__atomic_fetch_sub(&fs->inodes_used, 1, __ATOMIC_RELAXED);
	return -ENOSPC;
}

int tmpfs_inode_create(struct superblock *sb, const struct inode *dir, u32 mode, u64 device,
		       struct inode **out)
{
	struct tmpfs *fs = sb->private;
	struct tmpfs_inode *ti;
	struct inode *inode;
	int result = tmpfs_charge_inode(fs);

	if (result)
		return result;
	ti = slab_alloc(inode_cache, ALLOC_ZERO);
	if (!ti) {
		__atomic_fetch_sub(&fs->inodes_used, 1, __ATOMIC_RELAXED);
		return -ENOMEM;
	}
	inode = &ti->inode;
	inode_init(inode, mode);
	inode_init_owner(inode, dir, mode);
	if (posix_acl_inherit(inode, dir)) {
		__atomic_fetch_sub(&fs->inodes_used, 1, __ATOMIC_RELAXED);
		slab_free(inode_cache, ti);
		return -ENOMEM;
	}
	inode->number = __atomic_add_fetch(&fs->next_number, 1, __ATOMIC_RELAXED);
	inode->device_number = device;
	inode->superblock = sb;
	inode->free = free_inode;
	inode->ops = &tmpfs_file_inode_ops;
	ti->fs = fs;
	__atomic_fetch_add(&fs->refs, 1, __ATOMIC_RELAXED);
	switch (mode & S_IFMT) {
	case S_IFREG:
		memory_object_init(&ti->object, &tmpfs_object_ops, 0);
		inode->object = &ti->object;
		inode->file_ops = &tmpfs_file_ops;
		break;
	case S_IFDIR:
		list_init(&ti->directory.entries);
		ti->directory.next_cookie = INT64_MAX - 1;
		inode->links = 2;
		inode->size = 2 * TMPFS_ENTRY_SIZE;
		inode->ops = &tmpfs_directory_inode_ops;
		inode->file_ops = &tmpfs_directory_ops;
		tmpfs_export_enter(inode);
		break;
	case S_IFLNK:
		inode->ops = &tmpfs_link_inode_ops;
		break;
	default:
		break;
	}
	*out = inode;
	return 0;
}

static int statfs(struct superblock *sb, struct statfs_info *out)
{
	struct tmpfs *fs = sb->private;
	u64 used = READ_ONCE(fs->pages_used), inodes = READ_ONCE(fs->inodes_used);

	*out = (struct statfs_info){ .type = sb->magic,
				     .block_size = PAGE_SIZE,
				     .name_max = NAME_MAX };
	if (fs->pages_max) {
		out->blocks = fs->pages_max;
		out->blocks_free = out->blocks_available = fs->pages_max - MIN(used, fs->pages_max);
	}
	if (fs->inodes_max) {
		out->files = fs->inodes_max;
		out->files_free = fs->inodes_max - MIN(inodes, fs->inodes_max);
	}
	return 0;
}

/* size=: bytes with a suffix, or a share of memory in percent. */
static int parse_limit(const char *value, u64 unit, u64 *pages)
{
	struct frame_stats memory;
	size_t length = strlen(value);
	char percent[8];
	u64 n;

	if (length && value[length - 1] == '%') {
		if (length > sizeof(percent))
			return -EINVAL;
		memcpy(percent, value, length - 1);
		percent[length - 1] = 0;
		if (parse_u64(percent, 10, &n) || n > 1000)
			return -EINVAL;
		frame_stats(&memory);
		*pages = (memory.total - memory.reserved) * n / 100;
		return 0;
	}
	if (parse_size(value, &n) || mul_overflows(n, unit, &n))
		return -EINVAL;
	*pages = n / PAGE_SIZE + (n % PAGE_SIZE != 0);
	return 0;
}

static int parse_id(const char *value, u32 *out)
{
	u64 n;

	if (parse_u64(value, 10, &n) || n >= UINT32_MAX)
		return -EINVAL;
	*out = (u32)n;
	return 0;
}

static bool is_option(const char *name)
{
	static const char *const names[] = { "size", "nr_blocks", "nr_inodes", "uid",
					     "gid",  "mode",	  "huge",      "mpol" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* -EINVAL: the value is bad; -ENOENT: there is no such option. */
static int parse_option(struct tmpfs *fs, const char *name, const char *value)
{
	u64 n;

	if (strcmp(name, "inode64") == 0 || strcmp(name, "inode32") == 0)
		return value ? -EINVAL : 0;
	if (!value)
		return is_option(name) ? -EINVAL : -ENOENT;
	if (strcmp(name, "size") == 0)
		return parse_limit(value, 1, &fs->pages_max);
	if (strcmp(name, "nr_blocks") == 0)
		return parse_limit(value, PAGE_SIZE, &fs->pages_max);
	if (strcmp(name, "nr_inodes") == 0)
		return parse_size(value, &fs->inodes_max) ? -EINVAL : 0;
	if (strcmp(name, "uid") == 0)
		return parse_id(value, &fs->uid);
	if (strcmp(name, "gid") == 0)
		return parse_id(value, &fs->gid);
	if (strcmp(name, "mode") == 0) {
		if (parse_u64(value, 8, &n))
			return -EINVAL;
		fs->mode = n & 07777;
		return 0;
	}
	/* Huge pages and NUMA are hints about where pages come from. */
	return strcmp(name, "huge") == 0 || strcmp(name, "mpol") == 0 ? 0 : -ENOENT;
}

static int take_option(void *fs, const char *name, const char *value)
{
	return parse_option(fs, name, value) ? -EINVAL : 0;
}

/* Values go into `fs`. */
static int parse_options(struct tmpfs *fs, const char *options)
{
	return mount_options_each(options, take_option, fs);
}

static int check_option(const char *name, const char *value)
{
	struct tmpfs scratch = { 0 };

	return parse_option(&scratch, name, value);
}

static void set_defaults(struct tmpfs *fs)
{
	struct frame_stats memory;

	frame_stats(&memory);
	fs->pages_max = fs->inodes_max = (memory.total - memory.reserved) / 2;
	fs->mode = 01777;
}

static int remount(struct superblock *sb, u32 *flags, const char *data)
{
	struct tmpfs *fs = sb->private, wanted = *fs;
	int result = parse_options(&wanted, data);

	if (result)
		return result;
	if ((wanted.pages_max && wanted.pages_max < fs->pages_used) ||
	    (wanted.inodes_max && wanted.inodes_max < fs->inodes_used))
		return -EINVAL;
	fs->pages_max = wanted.pages_max;
	fs->inodes_max = wanted.inodes_max;
	return 0;
}

static size_t show_options(struct superblock *sb, char *buf, size_t size)
{
	struct tmpfs *fs = sb->private, defaults;
	size_t n = 0;

	set_defaults(&defaults);
	if (fs->pages_max != defaults.pages_max)
		n += (size_t)scnprintf(buf + n, size - n, ",size=%luk",
				       (unsigned long)(fs->pages_max * (PAGE_SIZE / 1024)));
	if (fs->inodes_max != defaults.inodes_max)
		n += (size_t)scnprintf(buf + n, size - n, ",nr_inodes=%lu",
				       (unsigned long)fs->inodes_max);
	if (fs->mode != 01777)
		n += (size_t)scnprintf(buf + n, size - n, ",mode=%03o", fs->mode);
	if (fs->uid)
		n += (size_t)scnprintf(buf + n, size - n, ",uid=%u", fs->uid);
	if (fs->gid)
		n += (size_t)scnprintf(buf + n, size - n, ",gid=%u", fs->gid);
	n += (size_t)scnprintf(buf + n, size - n, ",inode64");
	return n;
}

/* Drops the references that names have, from the leaves up, without recursion: the tree may be deep. */
static void empty_tree(struct inode *root)
{
	struct inode *dir = root;

	while (dir) {
		struct tmpfs_directory *d = &tmpfs_inode_of(dir)->directory;
		struct tmpfs_entry *entry;
		struct inode *child;

		if (list_empty(&d->entries)) {
			struct inode *parent = dir == root ? nullptr : dir->private;

			if (dir != root)
				inode_put(dir);
			dir = parent;
			continue;
		}
		entry = list_first(&d->entries, struct tmpfs_entry, order);
		list_remove(&entry->order);
		child = entry->inode;
		kfree(entry);
		if (S_ISDIR(child->mode)) {
			child->private = dir; /* the way back up */
			dir = child;
		} else {
			inode_put(child);
		}
	}
}

static void destroy(struct superblock *sb)
{
	tmpfs_put(sb->private);
}

/* The tree is emptied while the root dentry is there: sync is the last call before it goes. */
static void shut_down(struct superblock *sb)
{
	empty_tree(sb->root->inode);
}

static const struct superblock_ops tmpfs_superblock_ops = {
	.statfs = statfs,
	.remount = remount,
	.export = &tmpfs_export_ops,
	.show_options = show_options,
	.shut_down = shut_down,
	.destroy = destroy,
};

int tmpfs_superblock_create(const struct file_system_type *type, const char *options,
			    struct superblock **out)
{
	struct tmpfs *fs = kzalloc(sizeof(*fs), 0);
	struct superblock *sb;
	struct inode *root;
	int result;

	if (!fs)
		return -ENOMEM;
	fs->refs = 1;
	set_defaults(fs);
	random_bytes(&fs->generation, sizeof(fs->generation));
	result = parse_options(fs, options);
	if (!result)
		result = superblock_create(type, &tmpfs_superblock_ops, TMPFS_MAGIC, &sb);
	if (result) {
		kfree(fs);
		return result;
	}
	sb->private = fs;
	result = tmpfs_inode_create(sb, nullptr, S_IFDIR | fs->mode, 0, &root);
	if (!result) {
		root->uid = fs->uid;
		root->gid = fs->gid;
		result = superblock_set_root(sb, root);
		if (result)
			inode_put(root);
	}
	if (result) {
		superblock_put(sb);
		return result;
	}
	*out = sb;
	return 0;
}

static int mount_tmpfs(const struct file_system_type *type, const char *source, u32 flags,
		       const char *data, struct superblock **out)
{
	return tmpfs_superblock_create(type, data, out);
}

static int mount_rootfs(const struct file_system_type *type, const char *source, u32 flags,
			const char *data, struct superblock **out)
{
	return tmpfs_superblock_create(type, nullptr, out);
}

static struct file_system_type tmpfs_type = {
	.name = "tmpfs", .user_visible = true, .check_option = check_option, .mount = mount_tmpfs
};
/* tmpfs without limits, which ignores its options. */
static struct file_system_type ramfs_type = { .name = "ramfs",
					      .user_visible = true,
					      .mount = mount_rootfs };
static struct file_system_type rootfs_type = { .name = "rootfs", .mount = mount_rootfs };

void tmpfs_init(void)
{
	inode_cache = slab_cache_create("tmpfs_inode", sizeof(struct tmpfs_inode), 0);
	file_system_register(&tmpfs_type);
	file_system_register(&ramfs_type);
	file_system_register(&rootfs_type);
	memfd_init(&tmpfs_type);
}
