/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open(2), openat2(2), close(2), close_range(2). */
#include <lib/string.h>
#include <linux/user_path.h>

#include <linux/close_range.h>
#include <linux/openat2.h>
#include <linux/resource.h>
#include <syscall_prototypes.h>

#define KNOWN_FLAGS                                                                                \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |      \
	 O_DSYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |        \
	 O_CLOEXEC | O_PATH | O_TMPFILE)
#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define UNNAMED_BIT (O_TMPFILE & ~O_DIRECTORY)

int user_path_lookup(int dirfd, const char __user *user, u32 at_flags, struct path *out)
{
	u32 flags = (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
		    (at_flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);

	USER_PATH_OR_RETURN(path, user);
	return path_lookup(dirfd, path, flags, out);
}

/* What open(2) requires of a combination of flags. */
static int check_flags(u32 flags)
{
	if ((flags & O_CREAT) && (flags & O_DIRECTORY) && !(flags & O_PATH))
		return -EINVAL;
	if (flags & UNNAMED_BIT) {
		if ((flags & O_TMPFILE) != O_TMPFILE || (flags & O_CREAT) ||
		    (flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
	}
	return 0;
}

static long open_into_pool(int dirfd, const char *path, const struct open_request *request)
{
	struct pool *pool = current_pool();
	struct file *file;
	int result = check_flags(request->flags);
	int fd;

	if (result)
		return result;
	fd = handle_reserve(pool, 0, (unsigned)current_limit(RLIMIT_NOFILE));
	if (fd < 0)
		return fd;
	result = vfs_open(dirfd, path, request, &file);
	if (result) {
		handle_cancel(pool, fd);
		return result;
	}
	handle_publish(pool, fd, &file->object, file_rights(file->flags),
		       request->flags & O_CLOEXEC ? HANDLE_CLOEXEC : 0);
	file_put(file);
	return fd;
}

long sys_openat(int dirfd, const char __user *user, unsigned flags, unsigned mode)
{
	struct open_request request = { .flags = (flags & KNOWN_FLAGS) | O_LARGEFILE };

	if (flags & O_PATH)
		request.flags = flags & PATH_FLAGS;
	if (flags & (O_CREAT | UNNAMED_BIT))
		request.mode = mode & 07777;
	USER_PATH_OR_RETURN(path, user);
	return open_into_pool(dirfd, path, &request);
}

long sys_open(const char __user *path, unsigned flags, unsigned mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

long sys_creat(const char __user *path, unsigned mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

static int decode_resolve(u64 resolve, u32 *lookup)
{
	static const struct {
		u64 resolve;
		u32 lookup;
	} bits[] = {
		{ RESOLVE_NO_XDEV, LOOKUP_NO_XDEV },
		{ RESOLVE_NO_MAGICLINKS, LOOKUP_NO_MAGICLINKS },
		{ RESOLVE_NO_SYMLINKS, LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGICLINKS },
		{ RESOLVE_BENEATH, LOOKUP_BENEATH },
		{ RESOLVE_IN_ROOT, LOOKUP_IN_ROOT },
		{ RESOLVE_CACHED, LOOKUP_CACHED },
	};

	*lookup = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
		if (resolve & bits[i].resolve)
			*lookup |= bits[i].lookup;
		resolve &= ~bits[i].resolve;
	}
	if (resolve || ((*lookup & LOOKUP_BENEATH) && (*lookup & LOOKUP_IN_ROOT)))
		return -EINVAL;
	return 0;
}

long sys_openat2(int dirfd, const char __user *user, const struct open_how __user *user_how,
		 size_t size)
{
	struct open_how how = {};
	struct open_request request;
	int result;

	if (size < sizeof(how)) /* the first version of the structure */
		return -EINVAL;
	result = copy_struct_from_user(&how, sizeof(how), user_how, size);
	if (result)
		return result;
	if ((how.flags & ~(u64)KNOWN_FLAGS) || (how.mode & ~07777ull))
		return -EINVAL;
	if (how.mode && !(how.flags & (O_CREAT | UNNAMED_BIT)))
		return -EINVAL;
	if ((how.flags & O_PATH) && (how.flags & ~(u64)PATH_FLAGS))
		return -EINVAL;
	request = (struct open_request){ .flags = (u32)how.flags |
						  (how.flags & O_PATH ? 0 : O_LARGEFILE),
					 .mode = (u32)how.mode };
	result = decode_resolve(how.resolve, &request.lookup_flags);
	if (result)
		return result;
	if ((how.resolve & RESOLVE_CACHED) && (how.flags & (O_TRUNC | O_CREAT | UNNAMED_BIT)))
		return -EAGAIN;
	USER_PATH_OR_RETURN(path, user);
	return open_into_pool(dirfd, path, &request);
}

long sys_close(int fd)
{
	return handle_close(current_pool(), fd);
}

long sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	struct task *task = current_task();

	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if ((flags & CLOSE_RANGE_UNSHARE) && READ_ONCE(task->pool->users) > 1) {
		struct pool *own, *old = task->pool;
		int result = pool_copy(old, &own);

		if (result)
			return result;
		task->pool = own;
		pool_user_put(old);
	}
	return handle_close_range(task->pool, first, last, flags & CLOSE_RANGE_CLOEXEC);
}
