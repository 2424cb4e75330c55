/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devpts. Owner and permissions belong to the terminal, so they are the same in every mount. */
#include <fs/devpts/devpts.h>

#include <dev/tty/pty.h>
#include <fs/synthetic/synthetic.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>

#include <linux/magic.h>
#include <linux/major.h>

static bool slave_valid(const struct synthetic_node *node)
{
	u32 uid, gid, mode;
	return pty_attributes((int)node->key[0], &uid, &gid, &mode);
}

static void slave_attributes(const struct synthetic_node *node, struct inode *inode)
{
	u32 mode;
	if (pty_attributes((int)node->key[0], &inode->uid, &inode->gid, &mode))
		inode->mode = S_IFCHR | mode;
	inode->device_number = device_make(UNIX98_PTY_SLAVE_MAJOR, (u32)node->key[0]);
}

static int slave_set_attributes(const struct synthetic_node *node, struct inode *inode,
				const struct inode_attributes *attributes)
{
	int index = (int)node->key[0];
	u32 uid, gid, mode;
	if (!pty_attributes(index, &uid, &gid, &mode))
		return -EIO;
	pty_set_attributes(index, attributes->valid & ATTR_UID ? attributes->uid : uid,
			   attributes->valid & ATTR_GID ? attributes->gid : gid,
			   attributes->valid & ATTR_MODE ? attributes->mode & 07777 : mode);
	slave_attributes(node, inode);
	return 0;
}

static int slave_open(const struct synthetic_node *node, struct inode *inode, struct file *file)
{
	return pty_open_slave(inode, file);
}

static const struct synthetic_type slave = {
	.mode = S_IFCHR | 0620,
	.open = slave_open,
	.valid = slave_valid,
	.attributes = slave_attributes,
	.set_attributes = slave_set_attributes,
};

static void ptmx_attributes(const struct synthetic_node *node, struct inode *inode)
{
	inode->device_number = device_make(TTYAUX_MAJOR, 2);
}

static int ptmx_open(const struct synthetic_node *node, struct inode *inode, struct file *file)
{
	return pty_open_master(inode, file);
}

static const struct synthetic_type ptmx = {
	.mode = S_IFCHR | 0666,
	.open = ptmx_open,
	.attributes = ptmx_attributes,
};

static int root_lookup(const struct synthetic_node *dir, const char *name,
		       struct synthetic_node *out)
{
	if (strcmp(name, "ptmx") == 0) {
		*out = (struct synthetic_node){ .type = &ptmx };
		return 0;
	}
	u64 index;
	u32 uid, gid, mode;
	if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1]) ||
	    parse_u64(name, 10, &index) || index >= PTY_MAX ||
	    !pty_attributes((int)index, &uid, &gid, &mode))
		return -ENOENT;
	*out = (struct synthetic_node){ .type = &slave, .key = { index } };
	return 0;
}

static bool root_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		      struct synthetic_node *out)
{
	if (*cursor == 0) {
		*cursor = 1;
		(void)string_copy(name, "ptmx", NAME_MAX + 1);
		*out = (struct synthetic_node){ .type = &ptmx };
		return true;
	}
	int index = pty_next((int)*cursor - 1);
	if (index < 0)
		return false;
	*cursor = (u64)index + 2;
	(void)snprintf(name, NAME_MAX + 1, "%d", index);
	*out = (struct synthetic_node){ .type = &slave, .key = { (u64)index } };
	return true;
}

static const struct synthetic_type root = {
	.mode = S_IFDIR | 0755,
	.lookup = root_lookup,
	.next = root_next,
};

static int devpts_mount(const struct file_system_type *type, const char *source, u32 flags,
			const char *data, struct superblock **out)
{
	return synthetic_mount(type, DEVPTS_SUPER_MAGIC, &(struct synthetic_node){ .type = &root },
			       out);
}

static struct file_system_type devpts_type = {
	.name = "devpts",
	.user_visible = true,
	.mount = devpts_mount,
};

void devpts_init(void)
{
	file_system_register(&devpts_type);
}
