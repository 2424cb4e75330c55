/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vDSO in an address space. */
#pragma once

struct aspace;

/*
 * Maps the vDSO and its data page and notes the place in as->vdso (stays 0 if the architecture has
 * none). For exec, while the address space is empty but for the stack. Returns 0 or -errno. May
 * sleep.
 */
[[nodiscard]] int vdso_map(struct aspace *as);
