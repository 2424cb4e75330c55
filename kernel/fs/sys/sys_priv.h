/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of /sys. */
#pragma once

#include <fs/synthetic/synthetic.h>

extern const struct synthetic_type sys_class_directory; /* /sys/class: a directory for each class */
extern const struct synthetic_type
	sys_virtual_directory; /* /sys/devices/virtual: the same, with the devices */
extern const struct synthetic_type sys_numbers_directory; /* /sys/dev/char */
extern const struct synthetic_type sys_block_directory;	  /* /sys/block: links to disks */
extern const struct synthetic_type
	sys_block_class_directory; /* /sys/class/block: links to disks and partitions */
extern const struct synthetic_type sys_block_devices_directory; /* /sys/devices/virtual/block */
extern const struct synthetic_type sys_block_numbers_directory; /* /sys/dev/block */
/* "8:1" as a device number: 0 or -EINVAL. */
[[nodiscard]] int sys_parse_device_number(const char *text, u64 *number);
extern const struct synthetic_type sys_cpu_directory; /* /sys/devices/system/cpu */
extern const struct synthetic_table sys_node_table;   /* /sys/devices/system/node */

/* A set of CPUs as "0-3,6", and as hexadecimal words; each with a newline. */
void sys_show_cpu_list(struct text_buffer *out, u64 mask);
void sys_show_cpu_map(struct text_buffer *out, u64 mask);
