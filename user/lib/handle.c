/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls on handles. */
#include <cairn/handle.h>
#include <cairn/number.h>
#include <sys/syscall.h>
#include <unistd.h>

int cairn_handle_inspect(int handle, struct cairn_handle_info *info, size_t size)
{
	return (int)syscall(CAIRN_NR_handle_inspect, handle, info, size);
}

int cairn_handle_duplicate(int handle, unsigned rights, unsigned flags)
{
	return (int)syscall(CAIRN_NR_handle_duplicate, handle, rights, flags);
}

int cairn_handle_derive(int handle, unsigned rights, __u64 badge, unsigned flags)
{
	return (int)syscall(CAIRN_NR_handle_derive, handle, rights, badge, flags);
}

long cairn_handle_revoke(int handle)
{
	return syscall(CAIRN_NR_handle_revoke, handle);
}
