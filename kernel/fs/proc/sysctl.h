/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What files of /proc/sys are made of. A subsystem's values stand in tables here or, for those above this layer's reach, in a table
 * of their own folder that sysctl.c names.
 */
#pragma once

#include <fs/synthetic/synthetic.h>

/* An integer variable of the kernel; a write outside the limits is -EINVAL. `size` is that of the variable, 4 or 8. */
struct sysctl_number {
	void *value;
	u32 size;
	s64 minimum, maximum;
};
#define SYSCTL_NUMBER(variable, minimum_, maximum_)                                                \
	{ .value = &(variable),                                                                    \
	  .size = sizeof(variable),                                                                \
	  .minimum = (minimum_),                                                                   \
	  .maximum = (maximum_) }

/* Files whose data is a struct sysctl_number. */
extern const struct synthetic_type sysctl_number_file, sysctl_number_file_ro;

/* Files whose data is a struct sysctl_function: numbers that are not variables. `set` null: read-only type only. */
struct sysctl_function {
	s64 (*get)(void);
	int (*set)(s64 value);
	s64 minimum, maximum;
};
extern const struct synthetic_type sysctl_function_file, sysctl_function_file_ro;

/* A file whose data is its text. */
extern const struct synthetic_type sysctl_text_ro;

extern const struct synthetic_table sysctl_kernel_table, sysctl_vm_table, sysctl_fs_table;
