/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths of system calls, and what most calls about names share. */
#pragma once

#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/ucopy.h>
#include <vfs/vfs.h>

#include <linux/fcntl.h>

static inline void user_path_cleanup(char **path)
{
	if (*path)
		path_buffer_free(*path);
}

/* Declares `name`, the user's path copied into the kernel until the end of the scope; returns the error when it cannot be. */
#define USER_PATH_OR_RETURN(name, user)                                                            \
	char *name __cleanup(user_path_cleanup) = nullptr;                                         \
	do {                                                                                       \
		int user_path_error_ = copy_path_from_user((user), &name);                         \
		if (unlikely(user_path_error_))                                                    \
			return user_path_error_;                                                   \
	} while (0)

static inline void file_borrow_cleanup(struct file_borrow *borrow)
{
	if (borrow->file)
		file_release(borrow);
}

/* Declares `name.file`, the file behind a descriptor, for the length of the scope; returns -EBADF when there is none. */
#define FILE_OR_RETURN(name, fd, rights)                                                           \
	struct file_borrow name __cleanup(file_borrow_cleanup) = {};                               \
	do {                                                                                       \
		int name##_error = file_borrow(current_pool(), (fd), (rights), &name);             \
		if (unlikely(name##_error)) {                                                      \
			name.file = nullptr;                                                       \
			return name##_error;                                                       \
		}                                                                                  \
	} while (0)

/*
 * Finds the path of a call with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH in `at_flags` (others are the caller's business),
 * with references. A null user path is an empty one.
 */
[[nodiscard]] int user_path_lookup(int dirfd, const char __user *path, u32 at_flags,
				   struct path *out);
