/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vDSO inside the kernel image, on a page of its own so that it can be mapped. */
	.section .rodata.vdso, "a"
	.balign	4096
	.globl	vdso_start, vdso_end
vdso_start:
	.incbin	"vdso.so"
vdso_end:
	.balign	4096
