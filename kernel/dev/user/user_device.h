/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of devices as objects, for drivers in processes: interrupt lines, registers, I/O ports, memory for DMA.
 *
 * Each is an open file, so waiting, reading, mapping, passing on and revoking are what they are for all files; only making one is
 * new (native/device.c), and that takes the root of devices.
 *
 * (V1) A range of registers or ports has at most one such object (the list of claims), and a line no other handler.
 * (V2) A level triggered line that came is masked until the driver says so: a driver that is slow or dead does not stop a CPU.
 * (V3) Frames for DMA live as long as the file, which every mapping of it holds.
 *
 * Life: user_device_create, then as files do; `destroy` gives line, range or frames back.
 */
#pragma once

#include <core/lock.h>
#include <lib/list.h>
#include <mm/budget.h>

struct file;
struct page;

enum user_device_type { USER_INTERRUPT, USER_REGISTERS, USER_PORTS, USER_DMA };

struct user_device {
	enum user_device_type type;
	bool level;	       /* USER_INTERRUPT */
	u64 first, size;       /* line; addresses; ports */
	struct list_head node; /* in the list of claims; self-linked: in none */
	struct file *file;     /* that it is the private data of */
	/* USER_INTERRUPT: */
	u64 pending; /* atomic: how often it came since the last read */
	/* USER_DMA: */
	struct page *frames;
	struct memory_charge charge;
};

/*
 * Makes one, charged to the budget (null: to nobody); *out gets a file with one reference. Of USER_DMA `first` is 0. -EBUSY: it has an
 * owner; -ENODEV: there is no such line or port; -EINVAL: a range that wraps, is not whole pages, or is RAM; -ENOMEM. May sleep.
 */
[[nodiscard]] int user_device_create(struct memory_budget *budget, enum user_device_type type,
				     bool level, u64 first, u64 size, struct file **out);

/* What such a file is; null: it is another kind of file. */
const struct user_device *user_device_of(const struct file *file);
