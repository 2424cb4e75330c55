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
