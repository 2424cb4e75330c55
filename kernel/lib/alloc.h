/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract, upwards: the memory that data structures of lib/ allocate. Implemented by mm/ in the kernel and over
 * malloc in the unit tests.
 */
#pragma once

#include <lib/types.h>

/* Zeroed memory, or null. Never sleeps, so that trees may grow under a spinlock. */
[[nodiscard]] void *lib_alloc(size_t size);
void lib_free(void *memory);

/*
 * First member of memory that readers may still be looking at: lib_free_deferred frees it after an RCU grace
 * period. Any context.
 */
struct lib_deferred {
	void *words[2];
};
void lib_free_deferred(struct lib_deferred *memory);
