/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls on address spaces. */
#include <cairn/aspace.h>
#include <cairn/number.h>
#include <sys/syscall.h>
#include <unistd.h>

int cairn_aspace_map(int aspace, struct cairn_mapping *mapping)
{
	return (int)syscall(CAIRN_NR_aspace_map, aspace, mapping);
}

int cairn_aspace_unmap(int aspace, __u64 address, __u64 length)
{
	return (int)syscall(CAIRN_NR_aspace_unmap, aspace, address, length);
}

int cairn_aspace_protect(int aspace, __u64 address, __u64 length, unsigned rights)
{
	return (int)syscall(CAIRN_NR_aspace_protect, aspace, address, length, rights);
}

int cairn_aspace_query(int aspace, __u64 address, struct cairn_mapping *mapping)
{
	return (int)syscall(CAIRN_NR_aspace_query, aspace, address, mapping);
}

int cairn_aspace_set_pager(int aspace, int sender)
{
	return (int)syscall(CAIRN_NR_aspace_set_pager, aspace, sender);
}
