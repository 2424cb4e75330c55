/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names: looking them up, making, removing and renaming them. Each operation is one handle, so that a crash shows it
 * wholly or not at all; rename(2) over an existing name is atomic by that.
 */
#include <core/time.h>
#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/fs.h>
#include <linux/limits.h>

/* What adding a name may change: a leaf and an index that split on all levels. */
#define CREDITS_ENTRY 64u
#define CREDITS_INODE (6u + EXT4_CREDITS_XATTR)
#define CREDITS_DIRECTORY 24u

static struct ext4_name name_of(const struct dentry *dentry)
{
	return (struct ext4_name){ dentry->name, dentry->name_length };
}

static int lookup(struct inode *v, struct dentry *dentry, struct inode **out)
{
	struct ext4_inode *dir = ext4_inode_of(v), *inode;
	struct ext4_name name = name_of(dentry);
	struct ext4_slot slot;
	int result;

	*out = nullptr;
	if (name.length > EXT4_NAME_MAX)
		return -ENAMETOOLONG;
	result = ext4_directory_find(dir, &name, &slot);
	if (result <= 0)
		return result;
	ext4_slot_put(&slot);
	if (slot.number < dir->fs->first_inode && slot.number != EXT4_ROOT_INODE)
		return ext4_error(dir->fs, -EUCLEAN, "directory %u names inode %u", dir->number,
				  slot.number);
	result = ext4_inode_get(dir->fs, slot.number, &inode);
	if (result == -ESTALE)
		return ext4_error(dir->fs, -EUCLEAN, "directory %u names inode %u, which is free",
				  dir->number, slot.number);
	if (result)
		return result;
	/* A directory that is its own parent would make the walk a circle. */
	if (S_ISDIR(inode->inode.mode) && (inode == dir || inode->number == EXT4_ROOT_INODE)) {
		inode_put(&inode->inode);
		return ext4_error(dir->fs, -EUCLEAN, "directory %u contains directory %u",
				  dir->number, slot.number);
	}
	*out = &inode->inode;
	return 0;
}

static void touch(struct ext4_inode *inode, bool contents)
{
	inode->inode.changed = inode_time_now();
	if (contents)
		inode->inode.modified = inode->inode.changed;
}

/* Directories with too many of them below do not count: 1, as with the feature dir_nlink. */
static void count_links(struct ext4_inode *inode, s32 step)
{
	u32 links = inode->inode.links;

	if (S_ISDIR(inode->inode.mode) && links == 1)
		return;
	links += (u32)step;
	if (S_ISDIR(inode->inode.mode) && links > EXT4_LINKS_MAX)
		links = 1;
	WRITE_ONCE(inode->inode.links, links);
}

static int check_parent(const struct ext4_inode *dir)
{
	int result = ext4_inode_is_writable(dir);

	return result ? result : dir->inode.links ? 0 : -ENOENT;
}

/* Stores a directory whose contents changed. */
static int store_directory(struct journal_handle *handle, struct ext4_inode *dir)
{
	touch(dir, true);
	return ext4_inode_store(handle, dir);
}

/* The inode that was just made cannot stay: it goes with its last reference. */
static void undo_create(struct journal_handle *handle, struct ext4_inode *inode)
{
	inode->inode.links = 0;
	if (ext4_orphan_add(handle, inode))
		(void)ext4_error(inode->fs, -EIO, "inode %u is lost", inode->number);
}

/* --- making --- */

struct new_file {
	u32 mode;
	u64 device;
	const char *target; /* of a symbolic link */
};

/* A long target has a block of its own. */
static int fill_link(struct journal_handle *handle, struct ext4_inode *inode, const char *target)
{
	u32 length = (u32)strlen(target);
	struct ext4_map map = { .count = 1 };
	struct buffer *buffer;
	int result;

	inode->inode.size = inode->disk_size = length;
	if (length < sizeof(inode->block)) {
		inode->flags &= ~EXT4_FL_EXTENTS;
		memset(inode->block, 0, sizeof(inode->block));
		memcpy(inode->block, target, length);
		return 0;
	}
	write_lock(&inode->map_lock);
	result = ext4_allocate_block(inode->fs, handle, ext4_map_goal(inode, 0), &map.block);
	if (!result)
		result = ext4_map_insert(handle, inode, &map);
	write_unlock(&inode->map_lock);
	if (!result)
		result = buffer_get(inode->fs->cache, map.block, &buffer);
	if (result)
		return result;
	result = journal_change(handle, buffer);
	if (!result) {
		memset(buffer->data, 0, inode->fs->block_size);
		memcpy(buffer->data, target, length);
		journal_changed(handle, buffer);
	}
	buffer_put(buffer);
	return result;
}

static int fill_new(struct journal_handle *handle, struct ext4_inode *dir, struct ext4_inode *inode,
		    const struct new_file *new)
{
	int result = 0;

	if (S_ISLNK(new->mode))
		result = fill_link(handle, inode, new->target);
	else if (S_ISDIR(new->mode))
		result = ext4_directory_make(handle, inode, dir->number);
	return result ? result : ext4_inode_store(handle, inode);
}

static int create_in(struct journal_handle *handle, struct ext4_inode *dir,
		     const struct ext4_name *name, const struct new_file *new,
		     struct ext4_inode **out)
{
	struct ext4_inode *inode;
	int result = ext4_inode_create(dir->fs, handle, dir, new->mode, new->device, &inode);

	if (result)
		return result;
	result = fill_new(handle, dir, inode, new);
	if (!result)
		result = ext4_directory_add(handle, dir, name, inode);
	if (!result && S_ISDIR(new->mode))
		count_links(dir, 1);
	if (!result)
		result = store_directory(handle, dir);
	*out = inode;
	if (result)
		undo_create(handle, inode);
	return result;
}

static int create_once(struct ext4_inode *dir, const struct ext4_name *name,
		       const struct new_file *new, struct ext4_inode **out)
{
	struct journal_handle handle;
	struct ext4_inode *inode = nullptr;
	int result =
		ext4_begin(dir->fs, CREDITS_ENTRY + CREDITS_INODE + CREDITS_DIRECTORY, &handle);

	if (result)
		return result;
	result = create_in(&handle, dir, name, new, &inode);
	journal_end(&handle);
	if (!result)
		*out = inode;
	else if (inode)
		inode_put(&inode->inode);
	return result;
}

static int create_file(struct inode *v, struct dentry *dentry, const struct new_file *new,
		       struct inode **out)
{
	struct ext4_inode *dir = ext4_inode_of(v), *inode;
	struct ext4_name name = name_of(dentry);
	int result = check_parent(dir);

	if (result)
		return result;
	if (name.length > EXT4_NAME_MAX)
		return -ENAMETOOLONG;
	result = create_once(dir, &name, new, &inode);
	if (result == -ENOSPC && ext4_wait_for_room(dir->fs))
		result = create_once(dir, &name, new, &inode);
	if (!result)
		*out = &inode->inode;
	return result;
}

static int create(struct inode *dir, struct dentry *dentry, u32 mode, u64 device,
		  struct inode **out)
{
	return create_file(dir, dentry, &(struct new_file){ .mode = mode, .device = device }, out);
}

static int make_symlink(struct inode *dir, struct dentry *dentry, const char *target,
			struct inode **out)
{
	struct new_file new = { .mode = S_IFLNK | 0777, .target = target };

	if (strlen(target) >= ext4_inode_of(dir)->fs->block_size)
		return -ENAMETOOLONG;
	return create_file(dir, dentry, &new, out);
}

static int create_unnamed(struct inode *v, u32 mode, struct inode **out)
{
	struct ext4_inode *dir = ext4_inode_of(v), *inode;
	struct journal_handle handle;
	int result = check_parent(dir);

	if (!result)
		result = ext4_begin(dir->fs, CREDITS_INODE + 4, &handle);
	if (result)
		return result;
	result = ext4_inode_create(dir->fs, &handle, dir, mode, 0, &inode);
	if (!result) {
		undo_create(&handle, inode);
		*out = &inode->inode;
	}
	journal_end(&handle);
	return result;
}

static int make_link(struct inode *v, struct dentry *dentry, struct inode *target)
{
	struct ext4_inode *dir = ext4_inode_of(v), *inode = ext4_inode_of(target);
	struct ext4_name name = name_of(dentry);
	struct journal_handle handle;
	int result = check_parent(dir);

	if (!result && (inode->flags & (EXT4_FL_IMMUTABLE | EXT4_FL_APPEND)))
		result = -EPERM;
	if (!result && target->links >= EXT4_LINKS_MAX)
		result = -EMLINK;
	if (!result && name.length > EXT4_NAME_MAX)
		result = -ENAMETOOLONG;
	if (!result)
		result = ext4_begin(dir->fs, CREDITS_ENTRY + 6, &handle);
	if (result)
		return result;
	result = ext4_directory_add(&handle, dir, &name, inode);
	if (!result) {
		count_links(inode, 1);
		touch(inode, false);
		result = ext4_orphan_remove(&handle, inode);
		if (!result)
			result = ext4_inode_store(&handle, inode);
		if (!result)
			result = store_directory(&handle, dir);
	}
	journal_end(&handle);
	return result;
}

/* --- removing --- */

static int check_removal(const struct ext4_inode *dir, const struct ext4_inode *inode)
{
	int result = ext4_inode_is_writable(dir);

	if (!result && ((dir->flags & EXT4_FL_APPEND) ||
			(inode->flags & (EXT4_FL_IMMUTABLE | EXT4_FL_APPEND))))
		result = -EPERM;
	return result;
}

/* A name of the inode is gone; a directory has only one. */
static int drop_link(struct journal_handle *handle, struct ext4_inode *inode)
{
	int result = 0;

	if (S_ISDIR(inode->inode.mode))
		WRITE_ONCE(inode->inode.links, 0);
	else if (inode->inode.links)
		count_links(inode, -1);
	touch(inode, false);
	if (!inode->inode.links)
		result = ext4_orphan_add(handle, inode);
	return result ? result : ext4_inode_store(handle, inode);
}

static int remove_name(struct ext4_inode *dir, struct dentry *dentry, struct ext4_inode *inode)
{
	struct ext4_name name = name_of(dentry);
	struct journal_handle handle;
	struct ext4_slot slot;
	int result = ext4_begin(dir->fs, CREDITS_DIRECTORY + 10, &handle);

	if (result)
		return result;
	result = ext4_directory_open(&handle, dir, &name, &slot);
	if (!result) {
		result = ext4_directory_delete(&handle, dir, &slot);
		ext4_slot_put(&slot);
	}
	if (!result && S_ISDIR(inode->inode.mode))
		count_links(dir, -1);
	if (!result)
		result = drop_link(&handle, inode);
	if (!result)
		result = store_directory(&handle, dir);
	journal_end(&handle);
	return result;
}

static int unlink(struct inode *v, struct dentry *dentry, struct inode *target)
{
	struct ext4_inode *dir = ext4_inode_of(v), *inode = ext4_inode_of(target);
	int result = check_removal(dir, inode);

	return result ? result : remove_name(dir, dentry, inode);
}

static int remove_directory(struct inode *v, struct dentry *dentry, struct inode *target)
{
	struct ext4_inode *dir = ext4_inode_of(v), *inode = ext4_inode_of(target);
	int result = check_removal(dir, inode);

	if (!result)
		result = ext4_directory_is_empty(inode);
	if (result != 1)
		return result ? result : -ENOTEMPTY;
	return remove_name(dir, dentry, inode);
}

/* --- renaming --- */

struct renaming {
	struct ext4_inode *from_dir, *to_dir, *source, *replaced;
	struct ext4_name from, to;
	u32 flags;
	struct ext4_inode *whiteout; /* that was made; to be put after the handle */
};

/* A directory gets another parent: its "..", and the links of both parents. */
static int move_directory(struct journal_handle *handle, struct ext4_inode *inode,
			  struct ext4_inode *from, struct ext4_inode *to)
{
	struct ext4_slot slot;
	int result = 0;

	if (inode->flags & EXT4_FL_INLINE_DATA)
		result = ext4_inline_to_blocks(handle, inode);
	if (!result)
		result = ext4_directory_parent(inode, &slot);
	if (result)
		return result;
	result = ext4_directory_set(handle, inode, &slot, to);
	ext4_slot_put(&slot);
	count_links(from, -1);
	count_links(to, 1);
	return result;
}

static int point_name_at(struct journal_handle *handle, struct ext4_inode *dir,
			 const struct ext4_name *name, struct ext4_inode *inode)
{
	struct ext4_slot slot;
	int result = ext4_directory_open(handle, dir, name, &slot);

	if (!result) {
		result = ext4_directory_set(handle, dir, &slot, inode);
		ext4_slot_put(&slot);
	}
	return result;
}

/* What RENAME_WHITEOUT leaves at the old name. */
static int leave_whiteout(struct journal_handle *handle, struct renaming *r)
{
	struct ext4_inode *whiteout;
	int result = ext4_inode_create(r->from_dir->fs, handle, r->from_dir, S_IFCHR, 0, &whiteout);

	if (result)
		return result;
	result = point_name_at(handle, r->from_dir, &r->from, whiteout);
	if (result)
		undo_create(handle, whiteout);
	r->whiteout = whiteout;
	return result;
}

static int remove_old_name(struct journal_handle *handle, struct renaming *r)
{
	struct ext4_slot slot;
	int result;

	if (r->flags & RENAME_WHITEOUT)
		return leave_whiteout(handle, r);
	result = ext4_directory_open(handle, r->from_dir, &r->from, &slot);
	if (!result) {
		result = ext4_directory_delete(handle, r->from_dir, &slot);
		ext4_slot_put(&slot);
	}
	return result;
}

static int store_parents(struct journal_handle *handle, const struct renaming *r)
{
	int result = store_directory(handle, r->from_dir);

	return result || r->from_dir == r->to_dir ? result : store_directory(handle, r->to_dir);
}

static int rename_in(struct journal_handle *handle, struct renaming *r)
{
	struct ext4_inode *source = r->source, *replaced = r->replaced;
	int result;

	if (replaced)
		result = point_name_at(handle, r->to_dir, &r->to, source);
	else
		result = ext4_directory_add(handle, r->to_dir, &r->to, source);
	if (!result)
		result = remove_old_name(handle, r);
	if (!result && S_ISDIR(source->inode.mode) && r->from_dir != r->to_dir)
		result = move_directory(handle, source, r->from_dir, r->to_dir);
	if (!result && replaced && S_ISDIR(replaced->inode.mode))
		count_links(r->to_dir, -1);
	if (!result && replaced)
		result = drop_link(handle, replaced);
	touch(source, false);
	if (!result)
		result = ext4_inode_store(handle, source);
	return result ? result : store_parents(handle, r);
}

static int exchange_in(struct journal_handle *handle, const struct renaming *r)
{
	bool apart = r->from_dir != r->to_dir;
	int result = point_name_at(handle, r->to_dir, &r->to, r->source);

	if (!result)
		result = point_name_at(handle, r->from_dir, &r->from, r->replaced);
	if (!result && apart && S_ISDIR(r->source->inode.mode))
		result = move_directory(handle, r->source, r->from_dir, r->to_dir);
	if (!result && apart && S_ISDIR(r->replaced->inode.mode))
		result = move_directory(handle, r->replaced, r->to_dir, r->from_dir);
	touch(r->source, false);
	touch(r->replaced, false);
	if (!result)
		result = ext4_inode_store(handle, r->source);
	if (!result)
		result = ext4_inode_store(handle, r->replaced);
	return result ? result : store_parents(handle, r);
}

static int check_rename(const struct renaming *r)
{
	int result = check_removal(r->from_dir, r->source);

	if (!result)
		result = ext4_inode_is_writable(r->to_dir);
	if (!result && r->replaced)
		result = check_removal(r->to_dir, r->replaced);
	if (!result && r->to.length > EXT4_NAME_MAX)
		result = -ENAMETOOLONG;
	if (!result && r->replaced && !(r->flags & RENAME_EXCHANGE) &&
	    S_ISDIR(r->replaced->inode.mode)) {
		result = ext4_directory_is_empty(r->replaced);
		result = result == 1 ? 0 : result ? result : -ENOTEMPTY;
	}
	return result;
}

static int do_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		     struct dentry *to, struct inode *source, struct inode *replaced, u32 flags)
{
	struct renaming r = {
		.from_dir = ext4_inode_of(from_dir),
		.to_dir = ext4_inode_of(to_dir),
		.source = ext4_inode_of(source),
		.replaced = replaced ? ext4_inode_of(replaced) : nullptr,
		.from = name_of(from),
		.to = name_of(to),
		.flags = flags,
	};
	struct journal_handle handle;
	int result = check_rename(&r);

	if (result)
		return result;
	/* Who writes a new file and renames it over the old one, without fsync, must not lose both. */
	if (replaced && S_ISREG(source->mode))
		result = memory_object_sync(source->object, 0, INT64_MAX);
	if (!result)
		result = ext4_begin(r.source->fs, 2 * CREDITS_ENTRY + CREDITS_INODE + 8, &handle);
	if (result)
		return result;
	result = flags & RENAME_EXCHANGE ? exchange_in(&handle, &r) : rename_in(&handle, &r);
	journal_end(&handle);
	if (r.whiteout)
		inode_put(&r.whiteout->inode);
	return result;
}

/* --- symbolic links --- */

static int read_link_block(struct ext4_inode *inode, char *text, u32 length)
{
	struct buffer *buffer;
	u64 block;
	int result = ext4_map_block(inode, 0, &block);

	if (!result && (!block || length >= inode->fs->block_size))
		result = ext4_error(inode->fs, -EUCLEAN, "symbolic link %u is damaged",
				    inode->number);
	if (!result)
		result = buffer_get(inode->fs->cache, block, &buffer);
	if (result)
		return result;
	memcpy(text, buffer->data, length);
	buffer_put(buffer);
	return 0;
}

static int read_link(struct inode *v, char **text, struct path *path)
{
	struct ext4_inode *inode = ext4_inode_of(v);
	u32 length = (u32)MIN(v->size, (u64)PATH_MAX);
	int result = 0;

	*text = kzalloc(length + 1, 0);
	if (!*text)
		return -ENOMEM;
	if (inode->flags & EXT4_FL_INLINE_DATA)
		memcpy(*text, inode->inline_data, length);
	else if (length < sizeof(inode->block) && !ext4_has_extents(inode))
		memcpy(*text, inode->block, length);
	else
		result = read_link_block(inode, *text, length);
	if (!result && strlen(*text) != length)
		result = ext4_error(inode->fs, -EUCLEAN, "symbolic link %u is damaged",
				    inode->number);
	if (result) {
		kfree(*text);
		*text = nullptr;
	}
	return result;
}

const struct inode_ops ext4_directory_inode_ops = {
	.lookup = lookup,
	.create = create,
	.symlink = make_symlink,
	.link = make_link,
	.unlink = unlink,
	.rmdir = remove_directory,
	.rename = do_rename,
	.create_unnamed = create_unnamed,
	.set_acl = ext4_set_acl,
	EXT4_ATTRIBUTE_OPS,
};

const struct file_ops ext4_directory_ops = {
	FILE_OPS_DEFAULTS,	     .read = file_read_eisdir,
	.seek = file_seek_directory, .read_directory = ext4_read_directory,
	.sync = ext4_sync_file,	     .ioctl = ext4_ioctl,
};

const struct inode_ops ext4_link_inode_ops = { .read_link = read_link, EXT4_ATTRIBUTE_OPS };
const struct inode_ops ext4_special_inode_ops = { .set_acl = ext4_set_acl, EXT4_ATTRIBUTE_OPS };
