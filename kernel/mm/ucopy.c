/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User memory: strings, paths, structures of stated size, copies that must not sleep. */
#include <mm/ucopy.h>

#include <core/thread_base.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/limits.h>

ssize_t copy_string_from_user(char *to, const char __user *from, size_t size)
{
	uintptr_t start = (uintptr_t)from;

	if (start >= USER_MAX)
		return -EFAULT;
	size_t limit = MIN(size, (size_t)(USER_MAX - start));
	ssize_t n = arch_copy_string_from_user(to, from, limit);

	if (n < 0)
		return n;
	if ((size_t)n < limit)
		return n;
	/* No terminator: the buffer is too small, or user space ended first. */
	return limit < size ? -EFAULT : -ENAMETOOLONG;
}

static struct slab_cache *path_cache;

int copy_path_from_user(const char __user *path, char **out)
{
	char *buf = slab_alloc(path_cache, 0);

	if (!buf)
		return -ENOMEM;
	ssize_t n = copy_string_from_user(buf, path, PATH_MAX);

	if (n < 0) {
		slab_free(path_cache, buf);
		return (int)n;
	}
	*out = buf;
	return 0;
}

void path_buffer_free(char *path)
{
	slab_free(path_cache, path);
}

int copy_from_user_nofault(void *to, const void __user *from, size_t size)
{
	current_base()->nofault_count++;
	int err = copy_from_user(to, from, size);

	current_base()->nofault_count--;
	return err;
}

int copy_to_user_nofault(void __user *to, const void *from, size_t size)
{
	current_base()->nofault_count++;
	int err = copy_to_user(to, from, size);

	current_base()->nofault_count--;
	return err;
}

/* Any byte that is not zero in user memory: 1; none: 0; -EFAULT. */
static int user_bytes_not_zero(const u8 __user *from, size_t size)
{
	u8 buf[64];

	while (size) {
		size_t step = MIN(size, sizeof(buf));

		if (copy_from_user(buf, from, step))
			return -EFAULT;
		for (size_t i = 0; i < step; i++)
			if (buf[i])
				return 1;
		from += step;
		size -= step;
	}
	return 0;
}

int copy_struct_from_user(void *to, size_t size, const void __user *from, size_t user_size)
{
	size_t common = MIN(size, user_size);

	if (user_size > size) {
		int extra = user_bytes_not_zero((const u8 __user *)from + size, user_size - size);

		if (extra)
			return extra < 0 ? extra : -E2BIG;
	}
	memset((char *)to + common, 0, size - common);
	return copy_from_user(to, from, common);
}

void ucopy_boot(void)
{
	path_cache = slab_cache_create("names_cache", PATH_MAX, 8);
}
