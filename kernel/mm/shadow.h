/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shadow memory of the sanitizer build (SANITIZE=1): for every 8 bytes of RAM one byte that says how
 * many of them may be touched. The allocators mark what they hand out and what they take back; the
 * compiler adds a check to every access. In other builds nothing of this exists.
 */
#pragma once

#include <lib/types.h>

/* Why bytes may not be touched; values of shadow bytes that the report explains. */
#define SHADOW_FREE_PAGE 0xff
#define SHADOW_FREE_OBJECT 0xfb
#define SHADOW_REDZONE 0xfc

#ifdef CONFIG_SANITIZE

/* Bytes of shadow for `frames` page frames. */
#define SHADOW_BYTES(frames) ((frames) * (PAGE_SIZE / 8))

/* Boot: `shadow` covers `frames` frames whose first one is mapped at `first`. Checks begin. */
void shadow_init(u8 *shadow, const void *first, u64 frames);

/* Forbids or allows [start, start + size); start is a multiple of 8. Any context. */
void shadow_poison(const void *start, size_t size, u8 why);
void shadow_unpoison(const void *start, size_t size);

/* Whether [p, p + size) may be touched. */
bool shadow_allows(const void *p, size_t size);

/* Panics if the byte may not be touched: freed twice. */
void shadow_assert_usable(const void *p);

#else

#define SHADOW_BYTES(frames) 0ul
static inline void shadow_init(u8 *shadow, const void *first, u64 frames)
{
	(void)shadow, (void)first, (void)frames;
}
static inline void shadow_poison(const void *start, size_t size, u8 why)
{
	(void)start, (void)size, (void)why;
}
static inline void shadow_unpoison(const void *start, size_t size)
{
	(void)start, (void)size;
}

#endif
