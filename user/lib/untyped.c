/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls on untyped memory. */
#include <cairn/number.h>
#include <cairn/untyped.h>
#include <sys/syscall.h>
#include <unistd.h>

int cairn_untyped_create(__u64 size, unsigned flags)
{
	return (int)syscall(CAIRN_NR_untyped_create, size, flags);
}

int cairn_untyped_retype(int untyped, unsigned type, __u64 argument, int handles[2], unsigned flags)
{
	return (int)syscall(CAIRN_NR_untyped_retype, untyped, type, argument, handles, flags);
}

int cairn_untyped_inspect(int untyped, struct cairn_untyped_info *info, size_t size)
{
	return (int)syscall(CAIRN_NR_untyped_inspect, untyped, info, size);
}

int cairn_untyped_end(int untyped)
{
	return (int)syscall(CAIRN_NR_untyped_end, untyped);
}
