/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The random number generator behind getrandom(2), /dev/urandom and the kernel's own needs. It never blocks: it is
 * seeded before the first user program runs with all that the machine offers.
 */
#pragma once

#include <lib/types.h>

/* Fills memory with random bytes. Any context. */
void random_bytes(void *to, size_t size);
u64 random_u64(void);
/* A number in [0, limit), without bias; limit > 0. */
u64 random_below(u64 limit);

/* Mixes entropy in. Any context; cheap enough for interrupt handlers. */
void random_add(const void *data, size_t size);
void random_add_event(u64 value);

/* True once enough entropy came in for keys: a hardware generator or a seed from the firmware, or 256 events. */
bool random_ready(void);

/* Mixes in a seed that the boot loader vouches for (rng-seed of the device tree) and counts it as enough. */
void random_add_seed(const void *data, size_t size);

/* Boot: the seed, from the CPU's generator, the firmware, clocks, or else the jitter of the cycle counter. */
void random_init(void);
