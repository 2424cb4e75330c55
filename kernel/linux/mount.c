/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mount(2), umount2(2), pivot_root(2). */
#include <linux/user_path.h>
#include <mm/slab.h>

#include <syscall_prototypes.h>

#define TYPE_MAX 128

/* A path that may be missing. */
static int copy_optional_path(const char __user *user, char **out)
{
	*out = nullptr;
	return user ? copy_path_from_user(user, out) : 0;
}

/* mount(2): `data` is a page, or what of it can be read before unmapped memory begins. */
static int copy_data(const void __user *user, char **out)
{
	size_t in_page = PAGE_SIZE - ((uintptr_t)user & (PAGE_SIZE - 1));
	char *data;

	*out = nullptr;
	if (!user)
		return 0;
	data = kzalloc(PAGE_SIZE + 1, 0);
	if (!data)
		return -ENOMEM;
	if (copy_from_user(data, user, PAGE_SIZE) && copy_from_user(data, user, in_page)) {
		kfree(data);
		return -EFAULT;
	}
	*out = data;
	return 0;
}

long sys_mount(const char __user *user_source, const char __user *user_target,
	       const char __user *user_type, unsigned long flags, void __user *user_data)
{
	char *source __cleanup(user_path_cleanup) = nullptr;
	char type[TYPE_MAX], *data;
	long result;

	USER_PATH_OR_RETURN(target, user_target);
	result = copy_optional_path(user_source, &source);
	if (result)
		return result;
	if (user_type) {
		ssize_t length = copy_string_from_user(type, user_type, sizeof(type));

		if (length < 0)
			return length == -ENAMETOOLONG ? -ENODEV : length;
	}
	result = copy_data(user_data, &data);
	if (result)
		return result;
	result = vfs_mount(source, target, user_type ? type : nullptr, flags, data);
	kfree(data);
	return result;
}

long sys_umount2(const char __user *user, unsigned flags)
{
	USER_PATH_OR_RETURN(target, user);
	return vfs_unmount(target, (int)flags);
}

long sys_pivot_root(const char __user *user_new, const char __user *user_old)
{
	USER_PATH_OR_RETURN(new_root, user_new);
	USER_PATH_OR_RETURN(put_old, user_old);
	return vfs_pivot_root(new_root, put_old);
}
