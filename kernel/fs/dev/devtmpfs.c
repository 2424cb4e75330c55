/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devtmpfs: a tmpfs whose one superblock every mount shares. Device nodes come and go with the drivers; whatever else user
 * space makes or changes in it (links, modes, owners) stays, because it is an ordinary tmpfs.
 */
#include <core/log.h>
#include <core/panic.h>
#include <fs/dev/devtmpfs.h>
#include <fs/tmpfs/tmpfs.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <vfs/dcache.h>
#include <vfs/devices.h>

static struct superblock *tree;

static int mount_devtmpfs(const struct file_system_type *type, const char *source, u32 flags,
			  const char *data, struct superblock **out)
{
	superblock_get(tree);
	*out = tree;
	return 0;
}

static struct file_system_type devtmpfs_type = {
	.name = "devtmpfs",
	.user_visible = true,
	.mount = mount_devtmpfs,
};

/* The child of a directory, made with this mode if it is missing. *out gets a reference. */
static int child_get(struct dentry *parent, const struct name *name, u32 mode, u64 device,
		     struct dentry **out)
{
	struct inode *dir = parent->inode, *inode;
	int result;

	write_guard(&dir->lock);
	result = dentry_lookup_locked(parent, name, out);
	if (result || (*out)->inode)
		return result;
	result = dir->ops->create(dir, *out, mode, device, &inode);
	if (result) {
		dentry_put(*out);
		return result;
	}
	inode->mode = mode;
	inode->uid = inode->gid = 0;
	dentry_instantiate(*out, inode);
	return 0;
}

static struct name next_name(const char **text)
{
	const char *start = *text, *end = strchr(start, '/');
	u32 length = (u32)(end ? (size_t)(end - start) : strlen(start));

	*text = end ? end + 1 : nullptr;
	return (struct name){ start, length, name_hash(start, length) };
}

/* Makes the node and the directories on the way to it. */
static int make_node(const struct device_node *node)
{
	struct dentry *at = tree->root, *child;
	const char *rest = node->name;
	int result = 0;

	dentry_get(at);
	while (rest && !result) {
		struct name name = next_name(&rest);

		result = rest ? child_get(at, &name, S_IFDIR | 0755, 0, &child)
			      : child_get(at, &name, node->mode, node->device, &child);
		if (!result) {
			dentry_put(at);
			at = child;
		}
	}
	dentry_put(at);
	return result;
}

static void device_added(struct device_node *node)
{
	int result = node->name ? make_node(node) : 0;

	if (result)
		log_error("devtmpfs: no node %s: error %d", node->name, result);
}

static void remove_node(const struct device_node *node)
{
	struct dentry *at = tree->root, *child;
	const char *rest = node->name;

	dentry_get(at);
	while (rest) {
		struct name name = next_name(&rest);
		struct inode *dir = at->inode;

		if (dentry_lookup(at, &name, &child))
			break;
		if (!rest && child->inode && child->inode->device_number == node->device) {
			write_guard(&dir->lock);
			if (!(child->flags & DENTRY_UNLINKED) &&
			    !dir->ops->unlink(dir, child, child->inode))
				dentry_drop(child);
		}
		dentry_put(at);
		at = child;
		if (!at->inode || !S_ISDIR(at->inode->mode))
			break;
	}
	dentry_put(at);
}

static void device_removed(struct device_node *node)
{
	if (node->name)
		remove_node(node);
}

static const struct device_listener listener = { device_added, device_removed };

void devtmpfs_init(void)
{
	if (tmpfs_superblock_create(&devtmpfs_type, "mode=755", &tree))
		panic("no memory for devtmpfs");
	file_system_register(&devtmpfs_type);
	device_listen(&listener);
}
