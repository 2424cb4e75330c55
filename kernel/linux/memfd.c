/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memfd_create(2). */
#include <fs/tmpfs/memfd.h>
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/ucopy.h>

#include <linux/memfd.h>
#include <syscall_prototypes.h>

#define NAME_SIZE 250 /* with the terminator: NAME_MAX without "memfd:" */

long sys_memfd_create(const char __user *user_name, unsigned flags)
{
	char name[NAME_SIZE];
	struct file *file;
	ssize_t length;
	int result;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	length = copy_string_from_user(name, user_name, sizeof(name));
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : length;
	result = memfd_create(name, flags & MFD_ALLOW_SEALING, 0777, &file);
	return result ? result : descriptor_install(file, flags & MFD_CLOEXEC);
}
