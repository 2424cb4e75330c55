/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tmpfs directories: a tree of names for look-ups and a list in the order of readdir, newest first as on Linux. Positions
 * are cookies that descend from entry to entry and are never reused, so a reader that stops and goes on neither
 * skips nor repeats what stays there.
 */
#include <fs/tmpfs/tmpfs_priv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/dcache.h>

#include <linux/fs.h>
#include <linux/limits.h>

static struct tmpfs_directory *directory_of(struct inode *dir)
{
	return &tmpfs_inode_of(dir)->directory;
}

static int compare(const struct tmpfs_entry *entry, const struct dentry *d)
{
	if (entry->hash != d->hash)
		return entry->hash < d->hash ? -1 : 1;
	if (entry->length != d->name_length)
		return entry->length < d->name_length ? -1 : 1;
	return memcmp(entry->name, d->name, entry->length);
}

static struct tmpfs_entry *find(struct inode *dir, const struct dentry *d)
{
	struct rb_node *node = directory_of(dir)->names.root;

	while (node) {
		struct tmpfs_entry *entry = rb_entry(node, struct tmpfs_entry, node);
		int order = compare(entry, d);

		if (!order)
			return entry;
		node = order > 0 ? node->left : node->right;
	}
	return nullptr;
}

static struct tmpfs_entry *entry_alloc(const struct dentry *d)
{
	struct tmpfs_entry *entry = kmalloc(sizeof(*entry) + d->name_length, 0);

	if (!entry)
		return nullptr;
	entry->length = d->name_length;
	entry->hash = d->hash;
	memcpy(entry->name, d->name, d->name_length);
	return entry;
}

static void touch(struct inode *dir)
{
	dir->modified = dir->changed = inode_time_now();
}

/* Adds an entry for `inode`, whose reference moves in. */
static void insert(struct inode *dir, const struct dentry *d, struct tmpfs_entry *entry,
		   struct inode *inode)
{
	struct tmpfs_directory *directory = directory_of(dir);
	struct rb_node **link = &directory->names.root, *parent = nullptr;

	while (*link) {
		parent = *link;
		link = compare(rb_entry(parent, struct tmpfs_entry, node), d) > 0 ? &parent->left
										  : &parent->right;
	}
	rb_insert(&directory->names, &entry->node, parent, link, nullptr);
	entry->inode = inode;
	if (S_ISDIR(inode->mode))
		WRITE_ONCE(directory_of(inode)->parent, dir->number);
	entry->cookie = directory->next_cookie--;
	list_add(&directory->entries, &entry->order);
	dir->size += TMPFS_ENTRY_SIZE;
	touch(dir);
}

/* Takes an entry out; the reference of its inode stays with the caller. */
static void erase(struct inode *dir, struct tmpfs_entry *entry)
{
	struct tmpfs_directory *directory = directory_of(dir);

	rb_erase(&directory->names, &entry->node, nullptr);
	list_remove(&entry->order);
	kfree(entry);
	dir->size -= TMPFS_ENTRY_SIZE;
	touch(dir);
}

static void links_add(struct inode *inode, s32 n)
{
	__atomic_fetch_add(&inode->links, (u32)n, __ATOMIC_RELAXED);
}

static int lookup(struct inode *dir, struct dentry *dentry, struct inode **out)
{
	struct tmpfs_entry *entry = find(dir, dentry);

	*out = entry ? entry->inode : nullptr;
	if (entry)
		inode_get(entry->inode);
	return 0;
}

static int create(struct inode *dir, struct dentry *dentry, u32 mode, u64 device,
		  struct inode **out)
{
	struct tmpfs_entry *entry = entry_alloc(dentry);
	int result;

	if (!entry)
		return -ENOMEM;
	result = tmpfs_inode_create(dir->superblock, dir, mode, device, out);
	if (result) {
		kfree(entry);
		return result;
	}
	inode_get(*out);
	insert(dir, dentry, entry, *out);
	if (S_ISDIR(mode))
		links_add(dir, 1);
	return 0;
}

static int make_symlink(struct inode *dir, struct dentry *dentry, const char *target,
			struct inode **out)
{
	char *text = kstrdup(target, 0);
	int result;

	if (!text)
		return -ENOMEM;
	result = create(dir, dentry, S_IFLNK | 0777, 0, out);
	if (result) {
		kfree(text);
		return result;
	}
	tmpfs_inode_of(*out)->link = text;
	(*out)->size = strlen(text);
	return 0;
}

static int make_link(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	struct tmpfs *fs = tmpfs_inode_of(target)->fs;
	bool counted = READ_ONCE(target->links) > 0;
	struct tmpfs_entry *entry;

	if (READ_ONCE(target->links) >= UINT32_MAX - 1)
		return -EMLINK;
	if (counted && tmpfs_charge_inode(fs))
		return -ENOSPC;
	entry = entry_alloc(dentry);
	if (!entry) {
		if (counted)
			__atomic_fetch_sub(&fs->inodes_used, 1, __ATOMIC_RELAXED);
		return -ENOMEM;
	}
	inode_get(target);
	insert(dir, dentry, entry, target);
	links_add(target, 1);
	target->changed = dir->changed;
	return 0;
}

static int unlink(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	erase(dir, find(dir, dentry));
	target->changed = dir->changed;
	links_add(target, -1);
	if (READ_ONCE(target->links))
		__atomic_fetch_sub(&tmpfs_inode_of(target)->fs->inodes_used, 1, __ATOMIC_RELAXED);
	inode_put(target);
	return 0;
}

static int remove_directory(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	if (!list_empty(&directory_of(target)->entries))
		return -ENOTEMPTY;
	erase(dir, find(dir, dentry));
	links_add(target, -2);
	links_add(dir, -1);
	inode_put(target);
	return 0;
}

static int exchange(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		    struct dentry *to, struct inode *source, struct inode *replaced)
{
	find(from_dir, from)->inode = replaced;
	find(to_dir, to)->inode = source;
	if (S_ISDIR(source->mode) != S_ISDIR(replaced->mode)) {
		links_add(from_dir, S_ISDIR(source->mode) ? -1 : 1);
		links_add(to_dir, S_ISDIR(source->mode) ? 1 : -1);
	}
	touch(from_dir);
	touch(to_dir);
	source->changed = replaced->changed = to_dir->changed;
	return 0;
}

/* What RENAME_WHITEOUT leaves at the old name: a character device 0, 0, which tells an overlay that nothing is there. */
static int whiteout_create(struct inode *dir, const struct dentry *name, struct tmpfs_entry **entry,
			   struct inode **out)
{
	int result;

	*entry = entry_alloc(name);
	if (!*entry)
		return -ENOMEM;
	result = tmpfs_inode_create(dir->superblock, dir, S_IFCHR, 0, out);
	if (result)
		kfree(*entry);
	return result;
}

static int do_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		     struct dentry *to, struct inode *source, struct inode *replaced, u32 flags)
{
	struct tmpfs_entry *entry, *white_entry = nullptr;
	struct inode *whiteout;
	int result = 0;

	if (flags & RENAME_EXCHANGE)
		return exchange(from_dir, from, to_dir, to, source, replaced);
	if (replaced && S_ISDIR(replaced->mode) && !list_empty(&directory_of(replaced)->entries))
		return -ENOTEMPTY;
	entry = entry_alloc(to);
	if (!entry)
		return -ENOMEM;
	if (flags & RENAME_WHITEOUT)
		result = whiteout_create(from_dir, from, &white_entry, &whiteout);
	if (result) {
		kfree(entry);
		return result;
	}
	/* Nothing can fail from here on. */
	if (replaced && S_ISDIR(replaced->mode))
		remove_directory(to_dir, to, replaced);
	else if (replaced)
		unlink(to_dir, to, replaced);
	erase(from_dir, find(from_dir, from));
	insert(to_dir, to, entry, source);
	if (white_entry)
		insert(from_dir, from, white_entry, whiteout);
	if (S_ISDIR(source->mode)) {
		links_add(from_dir, -1);
		links_add(to_dir, 1);
	}
	source->changed = to_dir->changed;
	return 0;
}

static int create_unnamed(struct inode *dir, u32 mode, struct inode **out)
{
	int result = tmpfs_inode_create(dir->superblock, dir, mode, 0, out);

	if (!result)
		(*out)->links = 0;
	return result;
}

static int read_directory(struct file *file, struct directory_context *ctx)
{
	struct tmpfs_directory *directory = directory_of(file->inode);
	struct tmpfs_entry *entry;

	if (!directory_emit_dots(file, ctx))
		return 0;
	list_for_each (entry, &directory->entries, order) {
		if (entry->cookie < file->offset)
			continue;
		if (!ctx->emit(ctx, entry->name, entry->length, entry->inode->number,
			       (entry->inode->mode & S_IFMT) >> 12, entry->cookie + 1))
			return 0;
		file->offset = entry->cookie + 1;
	}
	return 0;
}

const struct inode_ops tmpfs_directory_inode_ops = {
	.lookup = lookup,
	.create = create,
	.symlink = make_symlink,
	.link = make_link,
	.unlink = unlink,
	.rmdir = remove_directory,
	.rename = do_rename,
	.create_unnamed = create_unnamed,
	TMPFS_ATTRIBUTE_OPS,
};

const struct file_ops tmpfs_directory_ops = {
	FILE_OPS_DEFAULTS,	     .read = file_read_eisdir,
	.seek = file_seek_directory, .read_directory = read_directory,
	.sync = file_sync_noop,
};

static int read_link(struct inode *inode, char **text, struct path *path)
{
	*text = kstrdup(tmpfs_inode_of(inode)->link, 0);
	return *text ? 0 : -ENOMEM;
}

const struct inode_ops tmpfs_link_inode_ops = {
	.read_link = read_link,
	TMPFS_ATTRIBUTE_OPS,
};
