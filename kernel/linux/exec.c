/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: execve and execveat. */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/task.h>
#include <syscall_prototypes.h>
#include <vfs/vfs.h>

#include <linux/fcntl.h>

/* The name that the program knows itself by: with a descriptor in it where the path alone does not lead to the file. */
static int exec_name(int dirfd, const char *path, char **out)
{
	size_t size;

	*out = nullptr;
	if (dirfd == AT_FDCWD || path[0] == '/')
		return 0;
	size = strlen(path) + sizeof("/dev/fd/-2147483648/");
	*out = kmalloc(size, 0);
	if (!*out)
		return -ENOMEM;
	snprintf(*out, size, path[0] ? "/dev/fd/%d/%s" : "/dev/fd/%d%s", dirfd, path);
	return 0;
}

static long exec_at(int dirfd, const char __user *upath, struct exec_request *req, unsigned flags)
{
	u32 lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : (u32)LOOKUP_FOLLOW;
	char *path, *name = nullptr;
	long result;

	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	result = copy_path_from_user(upath, &path);
	if (result)
		return result;
	result = exec_name(dirfd, path, &name);
	if (!result)
		result = vfs_open_executable(dirfd, path, lookup, &req->file);
	if (!result) {
		req->path = name ? name : path;
		result = task_exec(req);
		file_put(req->file);
	}
	kfree(name);
	path_buffer_free(path);
	return result;
}

long sys_execve(const char __user *path, const char __user *const __user *argv,
		const char __user *const __user *envp)
{
	struct exec_request req = { .user_argv = argv, .user_envp = envp };

	return exec_at(AT_FDCWD, path, &req, 0);
}

long sys_execveat(int dirfd, const char __user *path, const char __user *const __user *argv,
		  const char __user *const __user *envp, unsigned flags)
{
	struct exec_request req = { .user_argv = argv, .user_envp = envp };

	if (flags & ~(unsigned)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return exec_at(dirfd, path, &req, flags);
}
