/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vDSO. There is none yet: signal handlers bring their own restorer, and clocks are read by
 * system call. */
#include <arch/vdso.h>

const void *arch_vdso_image(size_t *size)
{
	*size = 0;
	return nullptr;
}
