/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of arch/aarch64 share. */
#pragma once

#include <arch/mmu.h>
#include <lib/device_tree.h>
#include <lib/types.h>

struct trap_frame;
struct thread;
struct arch_thread;

/* The firmware's device tree, mapped read only for as long as the kernel runs. */
extern struct device_tree firmware_tree;

/* What is added to an address inside the kernel image to get the physical one. */
extern u64 kernel_phys_offset;

/*
 * Maps [pa, pa + size) in the window of early_map.c with MMU_* `prot`, for ever. Devices are mapped
 * in blocks of 2 MiB and a block is mapped once. Null when the window is full. Works from
 * arch_start on.
 */
[[nodiscard]] void *early_map(paddr_t pa, size_t size, u32 prot);

/* The `index`th register window of a node, mapped; null if there is none. */
[[nodiscard]] volatile void *early_map_registers(dt_node node, unsigned index);

/* A writable view of a part of the kernel image, to patch it; one at a time, ended by
 * early_unmap_view(). */
[[nodiscard]] void *early_map_view(paddr_t pa, size_t size);
void early_unmap_view(void);

/* Finds the serial port of the device tree for arch_early_putc. */
void early_console_init(void);

/* Finds the conduit of PSCI. */
void psci_init(void);
int psci_cpu_on(u64 mpidr, paddr_t entry, u64 context);

/* Features of the boot CPU, from its ID registers (cpu.c). */
struct cpu_features {
	bool pan;
	bool random;
	unsigned asid_bits;
	unsigned cache_line; /* smallest data cache line, bytes */
};
extern struct cpu_features cpu_features;
void cpu_features_init(void);
void cpu_features_init_secondary(void);

/* Emulates an EL0 read of an ID register. True if `instruction` was one and has been done. */
bool cpu_emulate_id_read(struct trap_frame *frame, u32 instruction);

/* Interrupt controller driver; gic.c chose one. */
struct irqchip {
	const char *name;
	bool (*init)(dt_node node);
	void (*init_cpu)(void);
	u32 (*acknowledge)(void); /* INTID; >= 1020: none */
	void (*end)(u32 irq);
	void (*unmask)(u32 irq, bool level);
	void (*mask)(u32 irq);
	void (*send)(unsigned cpu, u32 sgi);
	void (*route)(u32 irq, unsigned cpu); /* an SPI goes to this CPU, if it is online */
};
extern const struct irqchip gicv2_chip, gicv3_chip;
void gic_init_cpu(void);
void gic_interrupt(struct trap_frame *frame);
void gic_route(u32 irq, unsigned cpu);

/* Finds the frame that turns messages of devices into interrupts. */
void gicv2m_init(void);

/* The timer's interrupt; its handler half. */
extern u32 timer_irq;
void timer_init_cpu(void);
void timer_acknowledge(void);

/* FPSIMD registers: moved on a switch; in assembler (switch.S). */
struct arch_fpu;
void fpu_save(struct arch_fpu *fpu);
void fpu_load(const struct arch_fpu *fpu);
/* Brings the current thread's fpu field up to date, or changes field and registers (thread.c). */
void fpu_sync_current(void);
void fpu_replace_current(const struct arch_fpu *fpu);

/* Breakpoints, watchpoints, single steps of user threads (ptrace.c): the thread that is about to run; interrupts are masked. */
void arm_debug_load(const struct arch_thread *at);
/* The current thread forgets them. */
void arm_debug_reset(struct arch_thread *at);

/* Multiprocessor identification of CPU `cpu`: the affinity fields of MPIDR_EL1. */
u64 cpu_mpidr(unsigned cpu);
void smp_init(void);

/* What a CPU needs before it has a stack; secondary_entry reads it. */
struct secondary_start {
	void *kstack_top;
	unsigned long percpu;
	struct thread *idle;
	void (*entry)(unsigned cpu);
	unsigned cpu;
	bool taken; /* the CPU has read it */
};
extern struct secondary_start secondary_start;
void secondary_entry(void);
[[noreturn]] void secondary_main(void);

extern u64 kernel_root[512], kernel_l2[512], empty_root[512], idmap_root[512];
extern char boot_stack[], boot_stack_top[];
extern char __kernel_start[], __kernel_end[], __text_start[], __text_end[];
extern char __rodata_start[], __rodata_end[], __early_pool_start[];

/* Physical address of something inside the kernel image. */
static inline paddr_t image_to_phys(const void *p)
{
	return (paddr_t)p + kernel_phys_offset;
}
