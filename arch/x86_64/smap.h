/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STAC and CLAC, as 3 byte no-ops that x86_features_detect() replaces on CPUs that have SMAP. For assembler files.
 */
#pragma once

/* clang-format off */
	.macro SMAP_SITE byte3
990:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.long 990b - .
	.byte \byte3, 0, 0, 0
	.popsection
	.endm

	.macro SMAP_CLAC
	SMAP_SITE 0xca
	.endm

	.macro SMAP_STAC
	SMAP_SITE 0xcb
	.endm
	/* clang-format on */
