/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Native calls on handles as such: abi/native/cairn/handle.h. */
#include <core/time.h>
#include <lib/string.h>
#include <mm/ucopy.h>
#include <native/native.h>

#include <cairn/handle.h>
#include <syscall_prototypes.h>

#define CPU_TIME_MIN_NS NSEC_PER_MSEC

_Static_assert(sizeof(struct cairn_handle_info) == 40);
_Static_assert(CAIRN_RIGHTS_ALL == RIGHTS_ALL && CAIRN_RIGHTS_SAME == RIGHTS_SAME);
_Static_assert(CAIRN_RIGHT_READ == RIGHT_READ && CAIRN_RIGHT_WRITE == RIGHT_WRITE &&
	       CAIRN_RIGHT_EXECUTE == RIGHT_EXECUTE && CAIRN_RIGHT_MAP == RIGHT_MAP &&
	       CAIRN_RIGHT_DUPLICATE == RIGHT_DUPLICATE && CAIRN_RIGHT_TRANSFER == RIGHT_TRANSFER &&
	       CAIRN_RIGHT_WAIT == RIGHT_WAIT && CAIRN_RIGHT_CONTROL == RIGHT_CONTROL &&
	       CAIRN_RIGHT_INSPECT == RIGHT_INSPECT && CAIRN_RIGHT_DERIVE == RIGHT_DERIVE &&
	       CAIRN_RIGHT_REVOKE == RIGHT_REVOKE);

static void describe(const struct handle *handle, struct cairn_handle_info *info)
{
	*info = (struct cairn_handle_info){
		.rights = handle->rights,
		.flags = (handle->flags & HANDLE_CLOEXEC ? 0 : CAIRN_HANDLE_KEEP_ON_EXEC) |
			 (handle->flags & HANDLE_CLOFORK ? 0 : CAIRN_HANDLE_KEEP_ON_FORK),
		.state = (handle->derivation ? CAIRN_HANDLE_DERIVED : 0) |
			 (derivation_revoked(handle->derivation) ? CAIRN_HANDLE_REVOKED : 0),
		.handles = __atomic_load_n(&handle->object->handles, __ATOMIC_RELAXED),
		.badge = handle->badge,
	};
	(void)string_copy(info->type, handle->object->type->name, sizeof(info->type));
}

int native_handle_info(struct pool *pool, int fd, struct cairn_handle_info __user *out, size_t size)
{
	struct cairn_handle_info info;
	struct handle copy;
	int error;

	if (size < sizeof(info))
		return -EINVAL;
	error = handle_get_copy(pool, fd, &copy);
	if (error)
		return error;
	describe(&copy, &info);
	handle_copy_put(&copy);
	return copy_to_user(out, &info, sizeof(info)) ? -EFAULT : 0;
}

long sys_handle_inspect(int fd, struct cairn_handle_info __user *out, size_t size)
{
	return native_handle_info(current_pool(), fd, out, size);
}

/* CAIRN_HANDLE_KEEP_* as HANDLE_*; -EINVAL. */
int native_cpu_time(u64 value, u64 *time_ns, u64 *period_ns)
{
	*time_ns = (u32)value * NSEC_PER_USEC;
	*period_ns = (value >> 32) * NSEC_PER_USEC;
	if (*time_ns && (*time_ns < CPU_TIME_MIN_NS || *period_ns < CPU_TIME_MIN_NS))
		return -EINVAL;
	return 0;
}

int native_handle_flags(u32 flags, u32 *out)
{
	if (flags & ~(CAIRN_HANDLE_KEEP_ON_EXEC | CAIRN_HANDLE_KEEP_ON_FORK))
		return -EINVAL;
	*out = (flags & CAIRN_HANDLE_KEEP_ON_EXEC ? 0 : HANDLE_CLOEXEC) |
	       (flags & CAIRN_HANDLE_KEEP_ON_FORK ? 0 : HANDLE_CLOFORK);
	return 0;
}

static int check_request(u32 rights, u32 flags, u32 *slot_flags)
{
	if (rights & ~RIGHTS_ALL && rights != RIGHTS_SAME)
		return -EINVAL;
	return native_handle_flags(flags, slot_flags);
}

long sys_handle_duplicate(int fd, unsigned rights, unsigned flags)
{
	u32 slot_flags;
	int error = check_request(rights, flags, &slot_flags);

	return error ?: handle_duplicate(current_pool(), fd, rights, slot_flags, 0, handle_limit());
}

long sys_handle_derive(int fd, unsigned rights, u64 badge, unsigned flags)
{
	u32 slot_flags;
	int error = check_request(rights, flags, &slot_flags);

	return error
		       ?: handle_derive(current_pool(), fd, rights, badge, slot_flags,
					handle_limit());
}

long sys_handle_revoke(int fd)
{
	return handle_revoke(current_pool(), fd);
}
