/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorting in place. */
#pragma once

#include <lib/types.h>

/*
 * Sorts `n` elements of `size` bytes, n log n in the worst case, no memory needed; equal elements may change
 * places. `compare` returns < 0, 0, > 0.
 */
void sort(void *base, size_t n, size_t size, int (*compare)(const void *a, const void *b));
