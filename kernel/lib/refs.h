/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of references that are looked at by those who hold none. */
#pragma once

#include <lib/types.h>

/*
 * Adds a reference unless there is none: of what was found in a table, or under RCU, while its last reference may go. The memory must
 * hold still meanwhile. False: it is about to be destroyed. Any context.
 */
[[nodiscard]] static inline bool refs_get_unless_zero(u32 *refs)
{
	u32 count = __atomic_load_n(refs, __ATOMIC_RELAXED);

	while (count)
		if (__atomic_compare_exchange_n(refs, &count, count + 1, true, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
	return false;
}
