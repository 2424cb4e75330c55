/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inodes, directories and links of synthetic file systems. The files' contents are in
 * synthetic_file.c. */
#include <fs/synthetic/synthetic_priv.h>

#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/permission.h>

#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/magic.h>

struct synthetic_inode {
	struct inode inode; /* first */
	struct synthetic_node node;
};

const struct synthetic_node *synthetic_node_of(const struct inode *inode)
{
	return &((const struct synthetic_inode *)inode)->node;
}

static void free_inode(struct inode *inode)
{
	kfree(inode);
}

/* Stable for the same node, so that two looks at a name show the same number. */
static u64 node_number(const struct synthetic_node *node)
{
	u64 n = (uintptr_t)node->type ^ ((uintptr_t)node->data << 7) ^
		node->key[0] * 0x9e3779b97f4a7c15ull ^ node->key[1] * 0xc2b2ae3d27d4eb4full ^
		node->key[2] * 0x165667b19e3779f9ull;
	n ^= n >> 29;
	n *= 0xbf58476d1ce4e5b9ull;
	return (n ^ n >> 32) & 0x7fffffff;
}

static void refresh_attributes(struct inode *inode)
{
	const struct synthetic_node *node = synthetic_node_of(inode);
	if (node->type->attributes)
		node->type->attributes(node, inode);
}

static int create_inode(struct superblock *sb, const struct synthetic_node *node,
			struct inode **out)
{
	struct synthetic_inode *si = kzalloc(sizeof(*si), 0);
	if (!si)
		return -ENOMEM;
	inode_init(&si->inode, node->type->mode);
	si->node = *node;
	si->node.superblock = sb;
	si->inode.number = node_number(node);
	si->inode.superblock = sb;
	si->inode.ops = &synthetic_inode_ops;
	si->inode.file_ops =
		S_ISDIR(node->type->mode) ? &synthetic_directory_ops : &synthetic_text_ops;
	si->inode.free = free_inode;
	if (S_ISDIR(node->type->mode))
		si->inode.links = 2;
	refresh_attributes(&si->inode);
	*out = &si->inode;
	return 0;
}

static int synthetic_lookup(struct inode *dir, struct dentry *dentry, struct inode **out)
{
	const struct synthetic_node *parent = synthetic_node_of(dir);
	struct synthetic_node node = { 0 };
	int err = parent->type->lookup(parent, dentry->name, &node);
	if (err == -ENOENT) {
		*out = nullptr;
		return 0;
	}
	return err ? err : create_inode(dir->superblock, &node, out);
}

static bool synthetic_revalidate(struct dentry *dentry)
{
	/* A name that was not there may be there now: ask again each time. */
	if (!dentry->inode)
		return false;
	const struct synthetic_node *node = synthetic_node_of(dentry->inode);
	return !node->type->valid || node->type->valid(node);
}

static int synthetic_read_link(struct inode *inode, char **text, struct path *path)
{
	const struct synthetic_node *node = synthetic_node_of(inode);
	return node->type->read_link ? node->type->read_link(node, text, path) : -EINVAL;
}

static int synthetic_get_attributes(struct inode *inode, struct kstat *out)
{
	u64 device = out->device;

	refresh_attributes(inode);
	inode_stat(inode, out);
	out->device = device;
	return 0;
}

static int synthetic_set_attributes(struct inode *inode, const struct inode_attributes *attributes)
{
	const struct synthetic_node *node = synthetic_node_of(inode);
	if (node->type->set_attributes)
		return node->type->set_attributes(node, inode, attributes);
	/* Opening with O_TRUNC is allowed: there is nothing to cut. */
	return attributes->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

static int synthetic_permission(struct inode *inode, u32 mask)
{
	const struct synthetic_node *node = synthetic_node_of(inode);
	refresh_attributes(inode);
	if (node->type->permission) {
		int err = node->type->permission(node, mask);
		if (err)
			return err;
	}
	return inode_mode_permission(inode, mask);
}

static int synthetic_open(struct inode *inode, struct file *file)
{
	const struct synthetic_node *node = synthetic_node_of(inode);
	if (node->type->open)
		return node->type->open(node, inode, file);
	return S_ISREG(node->type->mode) ? synthetic_text_open(file) : 0;
}

/* Names are not made here. The errors are those of Linux: /proc has no such name, /sys does not permit one. */
static int synthetic_create(struct inode *dir, struct dentry *dentry, u32 mode, u64 device,
			    struct inode **out)
{
	if (dir->superblock->magic == PROC_SUPER_MAGIC)
		return -ENOENT;
	return S_ISREG(mode) ? -EACCES : -EPERM;
}

const struct inode_ops synthetic_inode_ops = {
	.create = synthetic_create,
	.lookup = synthetic_lookup,
	.read_link = synthetic_read_link,
	.get_attributes = synthetic_get_attributes,
	.set_attributes = synthetic_set_attributes,
	.permission = synthetic_permission,
	.open = synthetic_open,
	.revalidate = synthetic_revalidate,
};

/* Directories. Offsets: 0 ".", 1 "..", then the type's cursor + 2. */

static int synthetic_read_directory(struct file *file, struct directory_context *ctx)
{
	const struct synthetic_node *dir = synthetic_node_of(file->inode);
	if (file->offset == 0) {
		if (!ctx->emit(ctx, ".", 1, file->inode->number, S_IFDIR >> 12, 1))
			return 0;
		file->offset = 1;
	}
	if (file->offset == 1) {
		u64 parent =
			file->dentry ? file->dentry->parent->inode->number : file->inode->number;
		if (!ctx->emit(ctx, "..", 2, parent, S_IFDIR >> 12, 2))
			return 0;
		file->offset = 2;
	}
	char *name = kmalloc(NAME_MAX + 1, 0);
	if (!name)
		return -ENOMEM;
	struct synthetic_node node;
	u64 cursor = file->offset - 2;
	while (node = (struct synthetic_node){ 0 }, dir->type->next(dir, &cursor, name, &node)) {
		if (!ctx->emit(ctx, name, strlen(name), node_number(&node), node.type->mode >> 12,
			       cursor + 2))
			break;
		file->offset = cursor + 2;
	}
	kfree(name);
	return 0;
}

const struct file_ops synthetic_directory_ops = {
	FILE_OPS_DEFAULTS,	   .read = file_read_eisdir,
	.seek = file_seek_generic, .read_directory = synthetic_read_directory,
	.sync = file_sync_noop,
};

int synthetic_table_lookup(const struct synthetic_node *dir, const char *name,
			   struct synthetic_node *out)
{
	const struct synthetic_table *table = dir->data;
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->entries[i].name, name) != 0)
			continue;
		*out = *dir;
		out->type = table->entries[i].type;
		out->data = table->entries[i].data;
		return 0;
	}
	return -ENOENT;
}

bool synthetic_table_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			  struct synthetic_node *out)
{
	const struct synthetic_table *table = dir->data;
	if (*cursor >= table->count)
		return false;
	const struct synthetic_named *entry = &table->entries[(*cursor)++];
	(void)string_copy(name, entry->name, NAME_MAX + 1);
	*out = *dir;
	out->type = entry->type;
	out->data = entry->data;
	return true;
}

const struct synthetic_type synthetic_directory = {
	.mode = S_IFDIR | 0555,
	.lookup = synthetic_table_lookup,
	.next = synthetic_table_next,
};

static const struct superblock_ops synthetic_superblock_ops = {
	.statfs = superblock_statfs_simple,
};

int synthetic_mount(const struct file_system_type *type, u32 magic,
		    const struct synthetic_node *root, struct superblock **out)
{
	struct superblock *sb;
	int err = superblock_create(type, &synthetic_superblock_ops, magic, &sb);
	if (err)
		return err;
	struct inode *inode;
	err = create_inode(sb, root, &inode);
	if (!err) {
		inode->number = 1;
		err = superblock_set_root(sb, inode);
		if (err)
			inode_put(inode);
	}
	if (err) {
		superblock_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}
