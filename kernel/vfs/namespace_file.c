/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that stand for name spaces: an anonymous inode with the name space's number holds it. */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <proc/pid_namespace.h>
#include <vfs/dcache.h>
#include <vfs/mount_priv.h>
#include <vfs/namespace_file.h>

#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

static struct mount *files_mount;
static void (*inode_free)(struct inode *inode); /* of anonymous inodes */

static void free_inode(struct inode *inode)
{
	namespace_put(inode->private);
	inode_free(inode);
}

/* A new descriptor for a name space. */
static long open_namespace(struct namespace *ns)
{
	struct path path;
	struct file *file;
	int fd = namespace_path(ns, &path);

	if (fd)
		return fd;
	fd = vfs_open_unchecked(&path, O_RDONLY, &file);
	path_put(&path);
	if (fd)
		return fd;
	fd = handle_install(current_task()->pool, &file->object, file_rights(O_RDONLY),
			    HANDLE_CLOEXEC, 0,
			    (unsigned)MIN(current_limit(RLIMIT_NOFILE), (u64)INT32_MAX));
	file_put(file);
	return fd;
}

static long get_parent(struct namespace *ns)
{
	struct pid_namespace *parent;

	if (ns->type != namespace_type(NAMESPACE_PID))
		return -EINVAL;
	parent = container_of(ns, struct pid_namespace, base)->parent;
	/* What lies outside one's own is not shown. */
	if (!parent || !pid_namespace_is_below(parent, current_pid_namespace()))
		return -EPERM;
	return open_namespace(&parent->base);
}

static long namespace_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	struct namespace *ns = file->inode->private;

	(void)argument;
	switch (request) {
	case NS_GET_NSTYPE:
		return (long)ns->type->clone_flag;
	case NS_GET_PARENT:
		return get_parent(ns);
	case NS_GET_USERNS: /* there are no user name spaces */
		return -EPERM;
	default:
		return -ENOTTY;
	}
}

static const struct file_ops namespace_file_ops = {
	FILE_OPS_DEFAULTS,
	.ioctl = namespace_ioctl,
};

int namespace_path(struct namespace *ns, struct path *out)
{
	struct inode *inode;
	int err = inode_create_anonymous(ns->type->name, S_IFREG | 0444, &inode);

	if (err)
		return err;
	WRITE_ONCE(inode_free, inode->free);
	namespace_get(ns);
	inode->number = ns->inode;
	inode->private = ns;
	inode->file_ops = &namespace_file_ops;
	inode->free = free_inode;
	inode->uid = inode->gid = 0;
	err = dentry_create_detached(files_mount->superblock, inode, "", &out->dentry);
	if (err) {
		inode_put(inode);
		return err;
	}
	/* In no directory: it goes with its last user, and the name space with it. */
	__atomic_fetch_or(&out->dentry->flags, DENTRY_UNLINKED, __ATOMIC_SEQ_CST);
	out->mount = files_mount;
	mount_get(files_mount);
	return 0;
}

struct namespace *namespace_of_file(const struct file *file)
{
	return file->ops == &namespace_file_ops ? file->inode->private : nullptr;
}

bool mount_is_of_namespaces(const struct mount *mount)
{
	return mount->superblock == files_mount->superblock;
}

bool namespace_is_of_mounts(const struct inode *inode)
{
	const struct namespace *ns = inode->private;

	return inode->file_ops == &namespace_file_ops && ns->type->clone_flag == CLONE_NEWNS;
}

int namespace_check_bindable(const struct inode *inode)
{
	const struct namespace *ns = inode->private;

	/* Numbers are given in order of birth. */
	return namespace_is_of_mounts(inode) &&
			       current_namespaces()->of[NAMESPACE_MOUNT]->inode >= ns->inode
		       ? -EINVAL
		       : 0;
}

static char *show_root(const struct dentry *root, char *buf, size_t size)
{
	const struct namespace *ns = root->inode->private;
	int length = snprintf(buf, size, "%s:[%u]", ns->type->name, ns->inode);

	return (size_t)length < size ? buf : nullptr;
}

static const struct superblock_ops files_ops = { .statfs = superblock_statfs_simple,
						 .show_root = show_root };
static const struct file_system_type files_type = { .name = "nsfs" };

void namespace_files_init(void)
{
	struct superblock *sb;
	struct inode *inode;

	if (superblock_create(&files_type, &files_ops, NSFS_MAGIC, &sb) ||
	    inode_create_anonymous("nsfs", S_IFDIR, &inode) || superblock_set_root(sb, inode) ||
	    mount_create_internal(sb, &files_mount))
		panic("no memory for the files of name spaces");
}
