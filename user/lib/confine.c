/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls that confine the caller. */
#include <cairn/confine.h>
#include <cairn/number.h>
#include <sys/syscall.h>
#include <unistd.h>

int cairn_unveil(const struct cairn_unveil *rules, unsigned count)
{
	return (int)syscall(CAIRN_NR_unveil, rules, count);
}

int cairn_pledge(unsigned promises, unsigned flags)
{
	return (int)syscall(CAIRN_NR_pledge, promises, flags);
}
