/* SPDX-License-Identifier: MIT */
/*
 * Devices for drivers that live in a process: interrupts, registers, I/O ports, and memory that a device may reach.
 *
 * Everything here comes from the root of devices, a handle that only a process outside of every silo with CAP_SYS_RAWIO can make, and
 * that stands for power over the whole machine: a device that is told an address writes there, whatever that is. A driver is given only
 * the handles of its own device, narrowed or derived as it should be; derived ones can be revoked, and are unmapped then.
 *
 * The handles are files:
 *   an interrupt    read(2) of 8 bytes waits for the line and tells how often it came since the last read; poll(2) says when. A level
 *                   triggered line that came stays masked until 8 bytes are written: the driver has silenced its device
 *   registers       mmap(2), MAP_SHARED, or <cairn/aspace.h>: uncached, at offset 0 the first byte of the first page
 *   ports           pread(2) and pwrite(2) of 1, 2 or 4 bytes; the offset is the number of the port, counted from the first
 *   DMA memory      mmap(2), MAP_SHARED, or <cairn/aspace.h>: zeros, contiguous; cairn_device_inspect tells the device's address. Its
 *                   frames are charged to the maker's budget, and free again when it is neither held nor mapped: stop the device first
 *
 * A range or line has one owner at a time: the kernel's driver, or one object. It is free again when the object's last handle and
 * mapping are gone.
 *
 * Errors of all calls besides those of <cairn/handle.h>: EFAULT, a bad address.
 */
#pragma once

#include <linux/types.h>

#define CAIRN_DEVICE_INTERRUPT                                                                     \
	0u /* first: the line as in /proc/interrupts (GSI, or INTID of the GIC); size: 1 */
#define CAIRN_DEVICE_REGISTERS                                                                     \
	1u		      /* first, size: physical addresses, whole pages that are not RAM */
#define CAIRN_DEVICE_PORTS 2u /* first, size: I/O ports (x86_64) */
#define CAIRN_DEVICE_DMA 3u   /* size: whole pages, up to 4 MiB; first: 0, and then the address */

#define CAIRN_DEVICE_LEVEL 1u /* flags of an interrupt: level triggered; else by edges */

struct cairn_device {
	__u32 type;  /* CAIRN_DEVICE_* */
	__u32 flags; /* CAIRN_DEVICE_LEVEL */
	__u64 first, size;
};

#ifndef __KERNEL__
#include <stddef.h>

/*
 * Makes a handle of the root of devices. flags: CAIRN_HANDLE_KEEP_*. Needs CAP_SYS_RAWIO.
 * The handle. EPERM: without it, in a silo, or of a task that was made by hand; EMFILE; ENOMEM.
 */
int cairn_device_root(unsigned flags);

/*
 * Makes an object for a part of a device. `root` needs WRITE. flags: CAIRN_HANDLE_KEEP_*. May sleep.
 * The handle. EBUSY: it has an owner; ENODEV: the machine has no such line or ports; EINVAL: no such type, flag or range, or RAM;
 * ENOMEM: no memory, or not in the caller's budget; EMFILE.
 */
int cairn_device_create(int root, const struct cairn_device *device, unsigned flags);

/* Tells what it was made from; of DMA memory `first` is its physical address. Needs INSPECT. 0. EINVAL: size is below that of the
 * structure, or the handle is of something else. */
int cairn_device_inspect(int device, struct cairn_device *info, size_t size);
#endif
