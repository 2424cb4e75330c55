/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System-wide files of /proc that are defined outside system.c. */
#pragma once

#include <fs/synthetic/synthetic.h>

extern const struct synthetic_type proc_meminfo, proc_vmstat, proc_slabinfo, proc_buddyinfo,
	proc_zoneinfo;
extern const struct synthetic_type proc_kmsg;
extern const struct synthetic_type proc_partitions, proc_diskstats;
extern const struct synthetic_table proc_cairn_table; /* /proc/cairn: the kernel's own books */
