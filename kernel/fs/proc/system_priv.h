/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System-wide files of /proc that are defined outside system.c. */
#pragma once

#include <fs/synthetic/synthetic.h>

extern const struct synthetic_type proc_meminfo, proc_vmstat, proc_slabinfo, proc_buddyinfo,
	proc_zoneinfo;
extern const struct synthetic_type proc_kallsyms, proc_iomem, proc_vmallocinfo, proc_execdomains,
	proc_softirqs, proc_schedstat, proc_misc, proc_pagetypeinfo, proc_locks;
extern const struct synthetic_type
	proc_frames; /* kpagecount; kpageflags with proc_frames_flags as its data */
extern const bool proc_frames_flags;
extern const struct synthetic_table proc_tty_table, proc_sysvipc_table;
extern u32 proc_kptr_restrict; /* kernel.kptr_restrict: 2 hides kernel addresses from everybody */
extern const struct synthetic_type proc_kmsg;
extern const struct synthetic_type proc_irq_directory; /* /proc/irq */
extern const struct synthetic_type proc_partitions, proc_diskstats;
extern const struct synthetic_table proc_cairn_table; /* /proc/cairn: the kernel's own books */
