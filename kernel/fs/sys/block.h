/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of block devices in /sys, between block.c and block_queue.c. */
#pragma once

#include <block/block.h>
#include <fs/synthetic/synthetic.h>

/* What a file tells of a device: one of the three. */
struct sys_block_attribute {
	u64 (*number)(struct block_device *device);
	void (*show)(struct block_device *device, struct text_buffer *out);
	const char *text;
};
#define SYS_BLOCK_NUMBER(name_, function_)                                                         \
	static const struct sys_block_attribute name_ = { .number = (function_) }
#define SYS_BLOCK_SHOW(name_, function_)                                                           \
	static const struct sys_block_attribute name_ = { .show = (function_) }
#define SYS_BLOCK_TEXT(name_, text_)                                                               \
	static const struct sys_block_attribute name_ = { .text = (text_) }

/* A file whose data is a struct sys_block_attribute. */
extern const struct synthetic_type sys_block_file;
/* The directory queue/ of a disk. */
extern const struct synthetic_table sys_block_queue_table;
