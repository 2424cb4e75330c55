/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several CPUs, the part inside this architecture. */
#pragma once

/* Puts the boot CPU first in the list of CPUs. Once the local APIC works. */
void x86_smp_init(void);
