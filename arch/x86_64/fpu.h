/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FPU state of user threads. It is switched eagerly: while a user thread runs, the registers
 * hold its state, and its memory at the top of the kernel stack is stale. Kernel threads leave the
 * registers alone, so a thread that comes back after only kernel threads ran finds its state still
 * loaded.
 */
#pragma once

#include <arch/thread.h>
#include <lib/types.h>

/* Size of the state in memory, and the XSAVE features in it (0: FXSAVE). */
extern u32 x86_fpu_size;
extern u64 x86_fpu_features;

/* Switches the FPU on, on this CPU; the first call also decides the two above. */
void x86_fpu_enable(void);

/* The state that a program starts with, written to memory. */
void x86_fpu_init_memory(void *area);

/* Writes what signal frames say about the layout into the bytes that are left to software. */
void x86_fpu_mark_layout(void *area);

/* Makes an area of which only the FXSAVE part was filled in a valid whole. */
void x86_fpu_mark_legacy(void *area);

/* Saves the registers completely (no "unmodified" or "initial" short cuts), and loads them. */
void x86_fpu_save(void *area);
void x86_fpu_load(const void *area);

/* Makes a state that came from user space safe to load. False if it makes no sense. */
[[nodiscard]] bool x86_fpu_sanitize(void *area);

/* Part of arch_switch. Interrupts are masked. */
void x86_fpu_switch_out(struct arch_thread *from);
void x86_fpu_switch_in(struct arch_thread *to);
