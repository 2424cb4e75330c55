/* SPDX-License-Identifier: GPL-2.0-or-later */
/* name_to_handle_at(2), open_by_handle_at(2). */
#include <linux/descriptor.h>
#include <linux/user_path.h>
#include <vfs/export.h>

#include <linux/fcntl.h>
#include <syscall_prototypes.h>

/* struct file_handle, which the uapi headers do not have; f_handle follows. */
struct handle_head {
	u32 bytes;
	s32 type;
};
#define HANDLE_BYTES_MAX 128 /* open_by_handle_at(2): MAX_HANDLE_SZ */

long sys_name_to_handle_at(int dirfd, const char __user *user, struct file_handle __user *user_out,
			   int __user *mount_id, unsigned flags)
{
	struct handle_head __user *out = (struct handle_head __user *)user_out;
	struct export_handle handle;
	struct handle_head head;
	struct path path;
	u32 room;
	int err;

	if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = user_path_lookup(dirfd, user,
			       (flags & AT_EMPTY_PATH) |
				       (flags & AT_SYMLINK_FOLLOW ? 0u : AT_SYMLINK_NOFOLLOW),
			       &path);
	if (err)
		return err;
	int id = path.mount->id;

	err = vfs_export(&path, &handle);
	path_put(&path);
	if (err)
		return err;
	if (copy_from_user(&head, out, sizeof(head)))
		return -EFAULT;
	room = head.bytes;
	if (room > HANDLE_BYTES_MAX)
		return -EINVAL;
	head = (struct handle_head){ handle.words * (u32)sizeof(u32), EXPORT_HANDLE_TYPE };
	if (put_user(id, mount_id) || copy_to_user(out, &head, sizeof(head)))
		return -EFAULT;
	if (room < head.bytes)
		return -EOVERFLOW;
	return copy_to_user(out + 1, handle.data, head.bytes) ? -EFAULT : 0;
}

/* The mount that a descriptor, of anything in it, or AT_FDCWD means. */
static int find_mount(int fd, struct path *out)
{
	struct file_borrow borrow;
	int err;

	if (fd == AT_FDCWD) {
		fs_context_paths(current_fs(), nullptr, out);
		return 0;
	}
	err = file_borrow(current_pool(), fd, 0, &borrow);
	if (err)
		return err;
	err = file_path(borrow.file, out);
	file_release(&borrow);
	return err;
}

long sys_open_by_handle_at(int mount_fd, const struct file_handle __user *user, unsigned flags)
{
	const struct handle_head __user *in = (const struct handle_head __user *)user;
	struct export_handle handle = { 0 };
	struct handle_head head;
	struct path base, path;
	struct file *file;
	int err;

	if (!capable(CAP_DAC_READ_SEARCH))
		return -EPERM;
	err = find_mount(mount_fd, &base);
	if (err)
		return err;
	if (copy_from_user(&head, in, sizeof(head)))
		err = -EFAULT;
	else if (!head.bytes || head.bytes > HANDLE_BYTES_MAX)
		err = -EINVAL;
	else if (copy_from_user(handle.data, in + 1, MIN((size_t)head.bytes, sizeof(handle.data))))
		err = -EFAULT;
	else if (head.type != EXPORT_HANDLE_TYPE)
		err = -ESTALE;
	handle.words = MIN(head.bytes / (u32)sizeof(u32), (u32)FILE_HANDLE_WORDS);
	if (!err)
		err = vfs_import(base.mount, &handle, &path);
	path_put(&base);
	if (err)
		return err;
	err = vfs_open_path(&path, flags & ~(unsigned)O_CLOEXEC, &file);
	path_put(&path);
	return err ? err : descriptor_install(file, flags & O_CLOEXEC);
}
