/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel mappings made at run time: stacks with guard pages, device registers, large tables. */
#pragma once

#include <lib/types.h>

/* A kernel stack of KSTACK_SIZE with an unmapped page below. Returns its lowest address or null. May sleep. */
[[nodiscard]] void *kstack_alloc(void);
void kstack_free(void *stack);

/* Maps device registers, uncached. Any alignment. Null without memory. May sleep. */
[[nodiscard]] void *vmap_device(paddr_t pa, size_t size);
void vunmap_device(void *va);

/* Boot, after slab_init. */
void vmap_init(void);
