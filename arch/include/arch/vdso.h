/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contract: the vDSO, a small ELF shared object that exec maps into each process (vdso(7)). */
#pragma once

#include <lib/types.h>

/*
 * The object and its size in bytes; page aligned in the kernel image and padded with zeros to whole pages. Exec maps it
 * readable and executable with core/vdso_data.h's page in front of it (proc/vdso.c). Null if there is none.
 */
const void *arch_vdso_image(size_t *size);
