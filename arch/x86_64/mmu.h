/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mappings that this architecture's own devices need, from early boot on. They are never removed.
 */
#pragma once

#include <lib/types.h>

/* Device registers, uncached. Panics when the 2 MiB for all of these are used up. Boot CPU, at
 * boot. */
void *x86_map_device(paddr_t pa, size_t size);

/* A table of the firmware, read only, wherever it lies. */
const void *x86_map_table(paddr_t pa, size_t size);
