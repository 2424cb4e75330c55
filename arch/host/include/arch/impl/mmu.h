/* SPDX-License-Identifier: GPL-2.0-or-later */
/* There is no MMU to drive; the type is needed by structures that are only passed around. */
#pragma once

typedef struct {
	u64 value;
} pte_t;
