/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segment descriptors, task state and interrupt descriptors of a CPU. */
#pragma once

#ifdef __ASSEMBLY__
#include <arch/impl/frame.h>
#else
#include <arch/frame.h>
#endif

/* Interrupt stacks for entries that may come when no stack pointer can be trusted. */
#define IST_DOUBLE_FAULT 1
#define IST_NMI 2
#define IST_DEBUG 3
#define IST_MACHINE_CHECK 4
#define IST_COUNT 4
#define IST_STACK_SIZE                                                                             \
	4096 /* also the alignment; the lowest word holds the CPU's per-CPU offset  \
			     */

/* Offset of rsp0 in x86_task_state. */
#define TASK_STATE_RSP0 8

#ifndef __ASSEMBLY__
#include <lib/types.h>

/* The TSS, shifted by 4 bytes so that rsp0 is aligned. */
struct x86_task_state {
	u32 unused;
	struct __packed {
		u32 reserved0;
		u64 rsp[3];
		u64 reserved1;
		u64 ist[7];
		u64 reserved2;
		u16 reserved3;
		u16 io_map;
	} tss;
} __aligned(64);

/* This CPU's kernel stack for entries from user mode is read from here by the entry code. */
extern struct x86_task_state x86_task_state;

/* Boot CPU, once: interrupt descriptor table; then as x86_descriptors_load. */
void x86_descriptors_init(void *kstack_top);

/*
 * Loads GDT, TSS and IDT on this CPU and programs the SYSCALL entry. `ist_stacks`: IST_COUNT
 * stacks.
 */
void x86_descriptors_load(void *kstack_top, void *ist_stacks);
#endif
