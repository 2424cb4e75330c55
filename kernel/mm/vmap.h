/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel mappings made at run time: stacks with guard pages, device registers, large tables. */
#pragma once

#include <lib/types.h>

/* A kernel stack of KSTACK_SIZE with an unmapped page below. Returns its lowest address or null.
 * May sleep. */
[[nodiscard]] void *kstack_alloc(void);
void kstack_free(void *stack);

/* Maps device registers, uncached. Any alignment. Null without memory. May sleep. */
[[nodiscard]] void *vmap_device(paddr_t pa, size_t size);
void vunmap_device(void *va);

/* Zeroed memory, contiguous in virtual addresses only, with an unmapped page behind it. Null
 * without memory. May sleep. */
[[nodiscard]] void *vmap_alloc(size_t size, u32 flags);
void vmap_free(void *va);
/* True for addresses of this file's mappings. */
bool vmap_contains(const void *va);

/* Calls visit for every mapping but the stacks, in order of address; it must not map or sleep for long. May sleep. */
void vmap_for_each(void (*visit)(vaddr_t start, size_t size, bool device, void *arg), void *arg);

/* Frees the stacks that are kept for reuse; returns how many pages. For reclaim. May sleep. */
u64 vmap_shrink(void);

/* Boot, after slab_init. */
void vmap_init(void);
