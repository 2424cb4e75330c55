/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounting, remounting and unmounting ext4, and statfs(2); super.c has the theory. */
#include <core/log.h>
#include <core/time.h>
#include <fs/ext4/ext4.h>
#include <fs/ext4/ext4_priv.h>
#include <mm/slab.h>

#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>

static int statfs(struct superblock *sb, struct statfs_info *out)
{
	const struct ext4 *fs = ext4_of(sb);
	const struct ext4_super_block *super = fs->super;
	s64 free =
		READ_ONCE(fs->free_blocks) + READ_ONCE(fs->pending_free) - READ_ONCE(fs->reserved);
	s64 kept = fs->root_blocks + fs->metadata_pool;
	const u64 *uuid = (const u64 *)super->s_uuid;
	u64 inodes = 0;

	for (u32 group = 0; group < fs->group_count; group++)
		inodes += READ_ONCE(fs->groups[group].free_inodes);
	free = MAX(free, (s64)0);
	*out = (struct statfs_info){
		.type = EXT4_MAGIC,
		.block_size = fs->block_size,
		.blocks = fs->blocks - fs->overhead,
		.blocks_free = (u64)free,
		.blocks_available = (u64)MAX(free - kept, (s64)0),
		.files = fs->inodes,
		.files_free = inodes,
		.name_max = EXT4_NAME_MAX,
		.fsid = uuid[0] ^ uuid[1],
	};
	return 0;
}

static void set_options(struct ext4 *fs, const struct ext4_options *options)
{
	fs->on_error = options->on_error;
	fs->discard = options->discard;
	fs->no_barrier = options->no_barrier;
	fs->no_load = options->no_load;
	fs->no_acl = options->no_acl;
}

static int remount(struct superblock *sb, u32 *flags, const char *data)
{
	struct ext4 *fs = ext4_of(sb);
	struct ext4_options options = { .on_error = fs->on_error,
					.discard = fs->discard,
					.no_barrier = fs->no_barrier,
					.no_load = fs->no_load,
					.no_acl = fs->no_acl };
	int result = ext4_parse_options(&options, data);

	if (result)
		return result;
	if (fs->writable && (*flags & MS_RDONLY)) {
		result = ext4_sync(sb);
		if (!result && ext4_orphans_in_use(fs))
			result = -EBUSY;
		if (!result)
			result = ext4_end_writing(fs);
		if (result)
			return result;
		fs->writable = false;
		block_device_close(fs->device, true, fs);
		result = block_device_open(fs->device, false, fs);
	} else if (!fs->writable && !(*flags & MS_RDONLY)) {
		if (READ_ONCE(fs->failed) || fs->no_load)
			return -EROFS;
		block_device_close(fs->device, false, fs);
		result = block_device_open(fs->device, true, fs);
		if (result) {
			int again = block_device_open(fs->device, false, fs);

			return again ? again : result;
		}
		fs->writable = true;
		result = ext4_start_writing(fs);
	}
	if (!result)
		set_options(fs, &options);
	return result;
}

/*
 * What programs wrote to the device before goes to the disk, and what they read is forgotten: contents of files and the
 * journal do not go through the device's page cache.
 */
static void refresh_device(struct block_device *device)
{
	struct memory_object *object = block_device_object(device);

	if (memory_object_sync(object, 0, INT64_MAX))
		log_warning("ext4: %s: writes to the device were lost", block_device_name(device));
	(void)memory_object_drop_clean(object, 0, INT64_MAX);
}

static bool has_no_inodes(struct ext4 *fs)
{
	spin_guard(&fs->inode_lock);
	return !fs->inode_tree.entries;
}

static void destroy(struct superblock *sb)
{
	struct ext4 *fs = ext4_of(sb);

	wait_event(&fs->inode_gone, has_no_inodes(fs)); /* write-back may hold the last ones */
	if (fs->started && ext4_end_writing(fs))
		log_error("ext4: %s: the unmount failed", block_device_name(fs->device));
	ext4_stop_thread(fs);
	ext4_release_layout(fs);
	refresh_device(fs->device);
	block_device_close(fs->device, fs->writable, fs);
	block_device_put(fs->device);
	kfree(fs);
}

static const struct superblock_ops superblock_ops = {
	.statfs = statfs,
	.sync = ext4_sync,
	.remount = remount,
	.show_options = ext4_show_options,
	.destroy = destroy,
	.export = &ext4_export_ops,
};

/* A device by its path, or at boot by its name. */
static int find_device(const char *source, struct block_device **out)
{
	struct path path;
	int result;

	if (!source || !*source)
		return -EINVAL;
	result = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &path);
	if (result)
		return block_device_find_name(source, out) ? result : 0;
	result = S_ISBLK(path.dentry->inode->mode)
			 ? block_device_find(path.dentry->inode->device_number, out)
			 : -ENOTBLK;
	path_put(&path);
	return result;
}

static struct ext4 *create(struct block_device *device, const struct ext4_options *options)
{
	struct ext4 *fs = kzalloc(sizeof(*fs), 0);

	if (!fs)
		return nullptr;
	fs->device = device;
	fs->writable = !options->read_only;
	set_options(fs, options);
	spin_init(&fs->inode_lock, RANK_DENTRY);
	radix_init(&fs->inode_tree);
	wait_queue_init(&fs->inode_gone);
	mutex_init(&fs->orphan_lock, RANK_EXT4_ORPHAN);
	list_init(&fs->orphans);
	wait_queue_init(&fs->thread_waiters);
	completion_init(&fs->thread_done);
	return fs;
}

/* Everything of a mount but the device: `fs` is the superblock's afterwards, also after a failure. */
static int fill_superblock(struct ext4 *fs)
{
	struct superblock *sb = fs->sb;
	struct ext4_inode *root;
	int result = ext4_load(fs);

	if (result)
		return result;
	if (!fs->on_error)
		fs->on_error = fs->super->s_errors;
	if (fs->on_error < EXT4_ERRORS_CONTINUE || fs->on_error > EXT4_ERRORS_PANIC)
		fs->on_error = EXT4_ERRORS_CONTINUE;
	if (fs->super->s_state & EXT4_STATE_ERROR)
		log_warning("ext4: %s: has errors: run e2fsck", block_device_name(fs->device));
	fs->overhead = ext4_count_overhead(fs);
	fs->generation = (u32)clock_realtime_ns();
	sb->device = block_device_number(fs->device);
	sb->max_file_size = ext4_max_size(fs, true);
	result = ext4_inode_get(fs, EXT4_ROOT_INODE, &root);
	if (result)
		return result;
	if (!S_ISDIR(root->inode.mode) || !root->inode.links)
		result = -EUCLEAN;
	else if (fs->writable && fs->no_load)
		result = -EROFS;
	else if (fs->writable)
		result = ext4_start_writing(fs);
	if (!result)
		result = superblock_set_root(sb, &root->inode);
	if (result)
		inode_put(&root->inode);
	return result;
}

static int mount(const struct file_system_type *type, const char *source, u32 flags,
		 const char *data, struct superblock **out)
{
	struct ext4_options options = { .read_only = flags & MS_RDONLY };
	struct block_device *device;
	struct superblock *sb;
	struct ext4 *fs;
	int result = ext4_parse_options(&options, data);

	if (!result)
		result = find_device(source, &device);
	if (result)
		return result;
	fs = create(device, &options);
	if (!fs) {
		block_device_put(device);
		return -ENOMEM;
	}
	result = block_device_open(device, fs->writable, fs);
	if (result)
		goto out_free;
	refresh_device(device);
	result = superblock_create(type, &superblock_ops, EXT4_MAGIC, &sb);
	if (result)
		goto out_close;
	sb->private = fs;
	sb->may_lie = true;
	fs->sb = sb;
	result = fill_superblock(fs);
	if (result)
		superblock_put(sb); /* destroys fs */
	else
		*out = sb;
	return result;

out_close:
	block_device_close(device, fs->writable, fs);
out_free:
	block_device_put(device);
	kfree(fs);
	return result;
}

static struct file_system_type types[] = {
	{ .name = "ext4", .needs_device = true, .user_visible = true, .mount = mount },
	{ .name = "ext3", .needs_device = true, .user_visible = true, .mount = mount },
	{ .name = "ext2", .needs_device = true, .user_visible = true, .mount = mount },
};

void ext4_init(void)
{
	ext4_inode_cache_boot();
	journal_boot();
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		file_system_register(&types[i]);
}
