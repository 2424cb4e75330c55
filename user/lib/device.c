/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls on devices. */
#include <cairn/device.h>
#include <cairn/number.h>
#include <sys/syscall.h>
#include <unistd.h>

int cairn_device_root(unsigned flags)
{
	return (int)syscall(CAIRN_NR_device_root, flags);
}

int cairn_device_create(int root, const struct cairn_device *device, unsigned flags)
{
	return (int)syscall(CAIRN_NR_device_create, root, device, flags);
}

int cairn_device_inspect(int device, struct cairn_device *info, size_t size)
{
	return (int)syscall(CAIRN_NR_device_inspect, device, info, size);
}
