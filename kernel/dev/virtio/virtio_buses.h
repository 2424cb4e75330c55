/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot of what carries virtio devices, and of the small drivers. */
#pragma once

#include <lib/types.h>

/* Binds to virtio devices on PCI. After pci_init. In a thread. */
void virtio_pci_init(void);

/* Adds a device with memory-mapped registers, which firmware or the command line told of. In a thread. */
void virtio_mmio_add(paddr_t address, u64 size, unsigned irq, bool level);
/* Adds those of virtio_mmio.device=. In a thread. */
void virtio_mmio_init(void);

/* Drivers. */
void virtio_rng_init(void);
void virtio_blk_init(void);
void virtio_net_init(void);
