/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open_tree(2), move_mount(2), mount_setattr(2), fsopen(2), fsconfig(2), fsmount(2), fspick(2). */
#include <lib/errno.h>
#include <lib/format.h>
#include <linux/descriptor.h>
#include <linux/user_path.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <vfs/mount_handle.h>

#include <linux/fs.h>
#include <linux/mount.h>
#include <syscall_prototypes.h>

/* fsopen(2), fsconfig(2) */
#define NAME_BYTES_MAX 256
#define VALUE_BYTES_MAX 256

#define TREE_FLAGS (AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW)

static int may_mount(void)
{
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

long sys_open_tree(int dirfd, const char __user *user, unsigned flags)
{
	struct path path;
	struct file *file;
	int err;

	if ((flags & ~(TREE_FLAGS | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)) ||
	    (flags & (AT_RECURSIVE | OPEN_TREE_CLONE)) == AT_RECURSIVE)
		return -EINVAL;
	if ((flags & OPEN_TREE_CLONE) && may_mount())
		return -EPERM;
	err = user_path_lookup(dirfd, user, flags & TREE_FLAGS, &path);
	if (err)
		return err;
	err = flags & OPEN_TREE_CLONE ? vfs_open_tree_clone(&path, flags & AT_RECURSIVE, &file)
				      : vfs_open_path(&path, O_PATH, &file);
	path_put(&path);
	return err ? err : descriptor_install(file, flags & OPEN_TREE_CLOEXEC);
}

/* One end of move_mount: its flags in the order symbolic links, empty path. */
static int find_end(int dirfd, const char __user *user, bool follow, bool empty, struct path *out)
{
	return user_path_lookup(dirfd, user,
				(follow ? 0u : AT_SYMLINK_NOFOLLOW) | (empty ? AT_EMPTY_PATH : 0u),
				out);
}

long sys_move_mount(int from_dirfd, const char __user *user_from, int to_dirfd,
		    const char __user *user_to, unsigned flags)
{
	struct path from, to;
	int err = may_mount();

	if (!err && (flags & ~(unsigned)MOVE_MOUNT__MASK))
		err = -EINVAL;
	if (!err)
		err = find_end(from_dirfd, user_from, flags & MOVE_MOUNT_F_SYMLINKS,
			       flags & MOVE_MOUNT_F_EMPTY_PATH, &from);
	if (err)
		return err;
	err = find_end(to_dirfd, user_to, flags & MOVE_MOUNT_T_SYMLINKS,
		       flags & MOVE_MOUNT_T_EMPTY_PATH, &to);
	if (!err) {
		err = flags & MOVE_MOUNT_SET_GROUP ? vfs_mount_set_group(&from, &to)
						   : vfs_move_mount(&from, &to);
		path_put(&to);
	}
	path_put(&from);
	return err;
}

#define SIMPLE_ATTRIBUTES                                                                          \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |            \
	 MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

static u32 simple_flags(u64 attributes)
{
	return (attributes & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0) |
	       (attributes & MOUNT_ATTR_NOSUID ? MS_NOSUID : 0) |
	       (attributes & MOUNT_ATTR_NODEV ? MS_NODEV : 0) |
	       (attributes & MOUNT_ATTR_NOEXEC ? MS_NOEXEC : 0) |
	       (attributes & MOUNT_ATTR_NODIRATIME ? MS_NODIRATIME : 0) |
	       (attributes & MOUNT_ATTR_NOSYMFOLLOW ? MS_NOSYMFOLLOW : 0);
}

/* The mode of access times, of which there is always one. */
static int time_flags(u64 attributes, u32 *out)
{
	switch (attributes & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_RELATIME:
		*out = MS_RELATIME;
		return 0;
	case MOUNT_ATTR_NOATIME:
		*out = MS_NOATIME;
		return 0;
	case MOUNT_ATTR_STRICTATIME:
		*out = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

/* The flags that fsmount(2) and mount_setattr(2) set. */
static int decode_change(const struct mount_attr *attr, struct mount_change *out)
{
	u32 times = 0;
	int err = 0;

	if ((attr->attr_set | attr->attr_clr) & ~(u64)(SIMPLE_ATTRIBUTES | MOUNT_ATTR__ATIME))
		return -EINVAL; /* MOUNT_ATTR_IDMAP takes user name spaces */
	if (attr->propagation & ~(u64)(MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE) ||
	    (attr->propagation & (attr->propagation - 1)))
		return -EINVAL;
	out->propagation = attr->propagation;
	out->clear = simple_flags(attr->attr_clr);
	out->set = simple_flags(attr->attr_set);
	if (!(attr->attr_clr & MOUNT_ATTR__ATIME))
		return attr->attr_set & MOUNT_ATTR__ATIME ? -EINVAL : 0;
	if ((attr->attr_clr & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME)
		return -EINVAL;
	err = time_flags(attr->attr_set, &times);
	out->clear |= MS_RELATIME | MS_NOATIME;
	out->set |= times;
	return err;
}

long sys_mount_setattr(int dirfd, const char __user *user, unsigned flags,
		       const struct mount_attr __user *user_attr, size_t size)
{
	struct mount_change change = { .recursive = flags & AT_RECURSIVE };
	struct mount_attr attr;
	struct path path;
	int err;

	if (flags & ~(TREE_FLAGS | AT_RECURSIVE))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < MOUNT_ATTR_SIZE_VER0)
		return -EINVAL;
	err = may_mount();
	if (!err)
		err = copy_struct_from_user(&attr, sizeof(attr), user_attr, size);
	if (err)
		return err;
	if (!attr.attr_set && !attr.attr_clr && !attr.propagation)
		return 0;
	err = decode_change(&attr, &change);
	if (!err)
		err = user_path_lookup(dirfd, user, flags & TREE_FLAGS, &path);
	if (err)
		return err;
	err = vfs_change_mount(&path, &change);
	path_put(&path);
	return err;
}

long sys_fsopen(const char __user *user_type, unsigned flags)
{
	char type[NAME_BYTES_MAX];
	struct file *file;
	ssize_t length;
	int err = may_mount();

	if (err)
		return err;
	if (flags & ~(unsigned)FSOPEN_CLOEXEC)
		return -EINVAL;
	length = copy_string_from_user(type, user_type, sizeof(type));
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : length;
	err = mount_context_create(type, &file);
	return err ? err : descriptor_install(file, flags & FSOPEN_CLOEXEC);
}

long sys_fspick(int dirfd, const char __user *user, unsigned flags)
{
	unsigned at = 0;
	struct file *file;
	struct path path;
	int err = may_mount();

	if (err)
		return err;
	if (flags & ~(unsigned)(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT |
				FSPICK_EMPTY_PATH))
		return -EINVAL;
	if (flags & FSPICK_SYMLINK_NOFOLLOW)
		at |= AT_SYMLINK_NOFOLLOW;
	if (flags & FSPICK_EMPTY_PATH)
		at |= AT_EMPTY_PATH;
	err = user_path_lookup(dirfd, user, at, &path);
	if (err)
		return err;
	err = mount_context_pick(&path, &file);
	path_put(&path);
	return err ? err : descriptor_install(file, flags & FSPICK_CLOEXEC);
}

/* Which of the arguments a command has; -EINVAL if others are given or one of them is not. */
static int check_arguments(unsigned command, bool key, bool value, int aux)
{
	switch (command) {
	case FSCONFIG_SET_FLAG:
		return key && !value && !aux ? 0 : -EINVAL;
	case FSCONFIG_SET_STRING:
		return key && value && !aux ? 0 : -EINVAL;
	case FSCONFIG_SET_BINARY:
		return key && value && aux > 0 && aux <= 1024 * 1024 ? 0 : -EINVAL;
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		return key && value && (aux == AT_FDCWD || aux >= 0) ? 0 : -EINVAL;
	case FSCONFIG_SET_FD:
		return key && !value && aux >= 0 ? 0 : -EINVAL;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_RECONFIGURE:
		return !key && !value && !aux ? 0 : -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}

/* A parameter: its key, and its value as the text that mount(2) would have. */
static long set_parameter(struct file *file, unsigned command, const char __user *user_key,
			  const char __user *user_value, int aux)
{
	char key[NAME_BYTES_MAX], value[VALUE_BYTES_MAX];
	ssize_t length = copy_string_from_user(key, user_key, sizeof(key));

	if (length >= 0 && command == FSCONFIG_SET_STRING)
		length = copy_string_from_user(value, user_value, sizeof(value));
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : length;
	switch (command) {
	case FSCONFIG_SET_FLAG:
		return mount_context_set(file, key, nullptr);
	case FSCONFIG_SET_FD:
		(void)snprintf(value, sizeof(value), "%d", aux);
		return mount_context_set(file, key, value);
	case FSCONFIG_SET_STRING:
		return mount_context_set(file, key, value);
	default: /* no file system here has parameters that are paths or binary */
		return -EINVAL;
	}
}

long sys_fsconfig(int fd, unsigned command, const char __user *key, void __user *value, int aux)
{
	int err;

	if (fd < 0)
		return -EINVAL;
	err = check_arguments(command, key, value, aux);
	if (err)
		return err;
	FILE_OR_RETURN(borrow, fd, 0);
	if (!mount_context_is(borrow.file))
		return -EINVAL;
	switch (command) {
	case FSCONFIG_CMD_CREATE:
		err = may_mount();
		return err ? err : mount_context_make(borrow.file);
	case FSCONFIG_CMD_RECONFIGURE:
		err = may_mount();
		return err ? err : mount_context_reconfigure(borrow.file);
	default:
		return set_parameter(borrow.file, command, key,
				     __force_user(const char __user *, value), aux);
	}
}

long sys_fsmount(int fd, unsigned flags, unsigned attributes)
{
	struct file *file;
	u32 times;
	int err = may_mount();

	if (err)
		return err;
	if ((flags & ~(unsigned)FSMOUNT_CLOEXEC) ||
	    (attributes & ~(unsigned)(SIMPLE_ATTRIBUTES | MOUNT_ATTR__ATIME)) ||
	    time_flags(attributes, &times))
		return -EINVAL;
	FILE_OR_RETURN(borrow, fd, 0);
	if (!mount_context_is(borrow.file))
		return -EINVAL;
	err = mount_context_mount(borrow.file, simple_flags(attributes) | times, &file);
	return err ? err : descriptor_install(file, flags & FSMOUNT_CLOEXEC);
}
