/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extended attributes (xattr(7)): setxattr(2), getxattr(2), listxattr(2), removexattr(2) and their l and f forms. */
#include <lib/string.h>
#include <linux/user_path.h>
#include <mm/slab.h>
#include <vfs/notify.h>
#include <vfs/permission.h>
#include <vfs/posix_acl.h>

#include <linux/limits.h>
#include <linux/xattr.h>
#include <syscall_prototypes.h>

struct xattr_name {
	char text[XATTR_NAME_MAX + 1];
};

static int copy_name(struct xattr_name *to, const char __user *from)
{
	ssize_t length = copy_string_from_user(to->text, from, sizeof(to->text));

	if (length == -ENAMETOOLONG || length == 0)
		return -ERANGE;
	return length < 0 ? (int)length : 0;
}

/* Who may use a name space, xattr(7). `missing`: what reading answers instead of a refusal. */
static int check_permission(struct inode *inode, const char *name, bool write)
{
	int missing = write ? -EPERM : -ENODATA;

	if (string_starts(name, XATTR_TRUSTED_PREFIX))
		return capable(CAP_SYS_ADMIN) ? 0 : missing;
	if (string_starts(name, XATTR_SECURITY_PREFIX)) {
		if (!write || capable(CAP_SYS_ADMIN))
			return 0;
		return strcmp(name, XATTR_NAME_CAPS) == 0 && capable(CAP_SETFCAP) ? 0 : -EPERM;
	}
	if (string_starts(name, XATTR_SYSTEM_PREFIX))
		return !write || inode_is_owned(inode) ? 0 : -EPERM;
	if (!string_starts(name, XATTR_USER_PREFIX))
		return -EOPNOTSUPP;
	if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
		return missing;
	if (write && S_ISDIR(inode->mode) && (inode->mode & S_ISVTX) && !inode_is_owned(inode))
		return -EPERM;
	return inode_permission(inode, write ? MAY_WRITE : MAY_READ);
}

static int set_locked(struct inode *inode, const char *name, const void *value, size_t size,
		      int flags)
{
	if (posix_acl_is_xattr(inode, name))
		return posix_acl_set_xattr(inode, name, value, size);
	if (!inode->ops || !inode->ops->set_xattr)
		return -EOPNOTSUPP;
	return inode->ops->set_xattr(inode, name, value, size, flags);
}

static long set(struct path *path, const char __user *user_name, const void __user *user_value,
		size_t size, unsigned flags)
{
	struct inode *inode = path->dentry->inode;
	struct xattr_name name;
	void *value;
	int result;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	result = copy_name(&name, user_name);
	if (result)
		return result;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	value = kvmalloc(size + 1, 0);
	if (!value)
		return -ENOMEM;
	result = copy_from_user(value, user_value, size);
	if (!result)
		result = path_check_writable(path);
	if (!result)
		result = check_permission(inode, name.text, true);
	if (!result) {
		write_guard(&inode->lock);
		result = set_locked(inode, name.text, value, size, (int)flags);
	}
	if (!result)
		notify_dentry(path->dentry, IN_ATTRIB);
	kvfree(value);
	return result;
}

static ssize_t get_locked(struct inode *inode, const char *name, void *value, size_t size)
{
	if (posix_acl_is_xattr(inode, name))
		return posix_acl_get_xattr(inode, name, value, size);
	if (!inode->ops || !inode->ops->get_xattr)
		return -EOPNOTSUPP;
	return inode->ops->get_xattr(inode, name, value, size);
}

static long get(struct path *path, const char __user *user_name, void __user *user_value,
		size_t size)
{
	struct inode *inode = path->dentry->inode;
	struct xattr_name name;
	void *value;
	ssize_t n = copy_name(&name, user_name);

	if (!n)
		n = check_permission(inode, name.text, false);
	if (n)
		return n;
	size = MIN(size, (size_t)XATTR_SIZE_MAX);
	value = kvmalloc(size + 1, 0);
	if (!value)
		return -ENOMEM;
	read_lock(&inode->lock);
	n = get_locked(inode, name.text, value, size);
	read_unlock(&inode->lock);
	if (n > 0 && size && copy_to_user(user_value, value, (size_t)n))
		n = -EFAULT;
	kvfree(value);
	return n;
}

static long list(struct path *path, char __user *user, size_t size)
{
	struct inode *inode = path->dentry->inode;
	char *names;
	ssize_t n;

	if (!inode->ops || !inode->ops->list_xattr)
		return 0;
	size = MIN(size, (size_t)XATTR_LIST_MAX);
	names = kvmalloc(size + 1, 0);
	if (!names)
		return -ENOMEM;
	read_lock(&inode->lock);
	n = inode->ops->list_xattr(inode, names, size);
	if (n >= 0)
		n = posix_acl_list_xattr(inode, names, (size_t)n, size);
	read_unlock(&inode->lock);
	if (n > 0 && size && copy_to_user(user, names, (size_t)n))
		n = -EFAULT;
	kvfree(names);
	return n;
}

static int remove_locked(struct inode *inode, const char *name)
{
	if (posix_acl_is_xattr(inode, name))
		return posix_acl_set_xattr(inode, name, nullptr, 0);
	if (!inode->ops || !inode->ops->remove_xattr)
		return -EOPNOTSUPP;
	return inode->ops->remove_xattr(inode, name);
}

static long remove(struct path *path, const char __user *user_name)
{
	struct inode *inode = path->dentry->inode;
	struct xattr_name name;
	int result = copy_name(&name, user_name);

	if (!result)
		result = path_check_writable(path);
	if (!result)
		result = check_permission(inode, name.text, true);
	if (result)
		return result;
	write_lock(&inode->lock);
	result = remove_locked(inode, name.text);
	write_unlock(&inode->lock);
	if (!result)
		notify_dentry(path->dentry, IN_ATTRIB);
	return result;
}

static int descriptor_path(int fd, struct path *out)
{
	FILE_OR_RETURN(b, fd, RIGHT_CONTROL);
	return file_path(b.file, out);
}

/* The three forms of each call differ in how they find the path. */
#define WITH_PATH(find, call)                                                                      \
	struct path found;                                                                         \
	long result = (find);                                                                      \
                                                                                                   \
	if (result)                                                                                \
		return result;                                                                     \
	result = (call);                                                                           \
	path_put(&found);                                                                          \
	return result

#define FOLLOWED(path) user_path_lookup(AT_FDCWD, path, 0, &found)
#define NOT_FOLLOWED(path) user_path_lookup(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &found)
#define OPENED(fd) descriptor_path(fd, &found)

long sys_setxattr(const char __user *path, const char __user *name, const void __user *value,
		  size_t size, unsigned flags)
{
	WITH_PATH(FOLLOWED(path), set(&found, name, value, size, flags));
}

long sys_lsetxattr(const char __user *path, const char __user *name, const void __user *value,
		   size_t size, unsigned flags)
{
	WITH_PATH(NOT_FOLLOWED(path), set(&found, name, value, size, flags));
}

long sys_fsetxattr(int fd, const char __user *name, const void __user *value, size_t size,
		   unsigned flags)
{
	WITH_PATH(OPENED(fd), set(&found, name, value, size, flags));
}

long sys_getxattr(const char __user *path, const char __user *name, void __user *value, size_t size)
{
	WITH_PATH(FOLLOWED(path), get(&found, name, value, size));
}

long sys_lgetxattr(const char __user *path, const char __user *name, void __user *value,
		   size_t size)
{
	WITH_PATH(NOT_FOLLOWED(path), get(&found, name, value, size));
}

long sys_fgetxattr(int fd, const char __user *name, void __user *value, size_t size)
{
	WITH_PATH(OPENED(fd), get(&found, name, value, size));
}

long sys_listxattr(const char __user *path, void __user *names, size_t size)
{
	WITH_PATH(FOLLOWED(path), list(&found, names, size));
}

long sys_llistxattr(const char __user *path, void __user *names, size_t size)
{
	WITH_PATH(NOT_FOLLOWED(path), list(&found, names, size));
}

long sys_flistxattr(int fd, void __user *names, size_t size)
{
	WITH_PATH(OPENED(fd), list(&found, names, size));
}

long sys_removexattr(const char __user *path, const char __user *name)
{
	WITH_PATH(FOLLOWED(path), remove(&found, name));
}

long sys_lremovexattr(const char __user *path, const char __user *name)
{
	WITH_PATH(NOT_FOLLOWED(path), remove(&found, name));
}

long sys_fremovexattr(int fd, const char __user *name)
{
	WITH_PATH(OPENED(fd), remove(&found, name));
}
