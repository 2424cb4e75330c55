/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls on pools. */
#include <cairn/number.h>
#include <cairn/pool.h>
#include <sys/syscall.h>
#include <unistd.h>

int cairn_pool_put(const struct cairn_slot *from, const struct cairn_slot *to, unsigned operation,
		   unsigned rights, unsigned flags)
{
	return (int)syscall(CAIRN_NR_pool_put, from, to, operation, rights, flags);
}

int cairn_pool_close(const struct cairn_slot *slot)
{
	return (int)syscall(CAIRN_NR_pool_close, slot);
}

int cairn_pool_next(const struct cairn_slot *slot, struct cairn_handle_info *info, size_t size)
{
	return (int)syscall(CAIRN_NR_pool_next, slot, info, size);
}
