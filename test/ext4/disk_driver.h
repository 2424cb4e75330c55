/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For first processes that need /dev/vda: Debian's kernel has the driver of virtio disks as modules. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Loads /modules/NAME.ko (harness/machine.py puts them there) and waits until the disk has appeared. */
static inline void load_disk_driver(void)
{
	static const char *const modules[] = {
		"virtio_ring",		 "virtio",     "virtio_pci_modern_dev",
		"virtio_pci_legacy_dev", "virtio_pci", "virtio_blk"
	};
	char path[64];

	for (unsigned i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		snprintf(path, sizeof(path), "/modules/%s.ko", modules[i]);
		int fd = open(path, O_RDONLY);

		(void)!syscall(SYS_finit_module, fd, "",
			       0); /* ENOSYS where the driver is built in */
		close(fd);
	}
	for (int i = 0; i < 200 && access("/dev/vda", F_OK); i++)
		usleep(50000);
}
