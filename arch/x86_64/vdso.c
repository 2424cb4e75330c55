/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vDSO (sources in vdso/) as exec sees it. */
#include <arch/vdso.h>

extern const char vdso_start[], vdso_end[];

const void *arch_vdso_image(size_t *size)
{
	*size = (size_t)(vdso_end - vdso_start);
	return vdso_start;
}
