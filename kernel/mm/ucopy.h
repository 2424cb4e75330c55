/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User memory: the only way to touch a __user pointer. Each function checks the range against
 * USER_MAX, copies once, and resolves faults, so it may sleep: no spinlock held, and no lock that
 * the fault path takes (docs/locking.md), except the _nofault forms.
 */
#pragma once

#include <arch/layout.h>
#include <arch/ucopy.h>
#include <lib/errno.h>
#include <lib/types.h>

/* True if [ptr, ptr + size) lies in user space and does not wrap. */
static inline bool user_range_ok(const void __user *ptr, size_t size)
{
	return size <= USER_MAX && (uintptr_t)ptr <= USER_MAX - size;
}

/* Return 0 or -EFAULT; on failure the destination may be partly written. */
[[nodiscard]] static inline int copy_from_user(void *to, const void __user *from, size_t size)
{
	if (!user_range_ok(from, size) || arch_copy_from_user(to, from, size))
		return -EFAULT;
	return 0;
}
[[nodiscard]] static inline int copy_to_user(void __user *to, const void *from, size_t size)
{
	if (!user_range_ok(to, size) || arch_copy_to_user(to, from, size))
		return -EFAULT;
	return 0;
}
[[nodiscard]] static inline int clear_user(void __user *to, size_t size)
{
	if (!user_range_ok(to, size) || arch_clear_user(to, size))
		return -EFAULT;
	return 0;
}

/* One value: get_user(value, ptr) and put_user(value, ptr); the size is that of `value`. */
#define get_user(value, user_ptr) copy_from_user(&(value), (user_ptr), sizeof(value))
#define put_user(value, user_ptr)                                                                  \
	({                                                                                         \
		auto put_user_value_ = (value);                                                    \
		copy_to_user((user_ptr), &put_user_value_, sizeof(put_user_value_));               \
	})

/* Copies a terminated string. Returns its length; -ENAMETOOLONG: no terminator within `size` bytes;
 * -EFAULT. */
[[nodiscard]] ssize_t copy_string_from_user(char *to, const char __user *from, size_t size);

/*
 * Copies a path (at most PATH_MAX with its terminator) into a new buffer that path_buffer_free()
 * frees. Returns 0, -EFAULT, -ENAMETOOLONG, -ENOMEM. An empty path is the caller's business.
 */
[[nodiscard]] int copy_path_from_user(const char __user *path, char **out);
void path_buffer_free(char *path);

/* Do not resolve faults: fail with -EFAULT when the page is not there. For use under spinlocks. */
[[nodiscard]] int copy_from_user_nofault(void *to, const void __user *from, size_t size);
[[nodiscard]] int copy_to_user_nofault(void __user *to, const void *from, size_t size);

/*
 * Copies a structure whose size user space states (openat2(2), clone3(2)): a shorter one is zero
 * extended, a longer one must have zeros behind `size`: -E2BIG otherwise. -EFAULT.
 */
[[nodiscard]] int copy_struct_from_user(void *to, size_t size, const void __user *from,
					size_t user_size);

/* Boot, after slab_init. */
void ucopy_boot(void);
