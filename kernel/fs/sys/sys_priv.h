/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of /sys. */
#pragma once

#include <fs/synthetic/synthetic.h>

extern const struct synthetic_type sys_class_directory; /* /sys/class: a directory for each class */
extern const struct synthetic_type
	sys_virtual_directory; /* /sys/devices/virtual: the same, with the devices */
extern const struct synthetic_type
	sys_numbers_directory; /* /sys/dev/char, /sys/dev/block: data is the directory's own name */
extern const struct synthetic_type sys_cpu_directory; /* /sys/devices/system/cpu */
extern const struct synthetic_table sys_node_table;   /* /sys/devices/system/node */

/* A set of CPUs as "0-3,6", and as hexadecimal words; each with a newline. */
void sys_show_cpu_list(struct text_buffer *out, u64 mask);
void sys_show_cpu_map(struct text_buffer *out, u64 mask);
