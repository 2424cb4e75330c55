/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segment descriptors, task state and interrupt descriptors (Intel SDM volume 3, chapters 3, 6 and
 * 8). */
#include <arch/layout.h>
#include <core/percpu.h>

#include "descriptor.h"
#include "entry.h"
#include "x86.h"

struct idt_entry {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};

struct __packed table_pointer {
	u16 limit;
	u64 base;
};

#define GATE_INTERRUPT 0x8e
#define GATE_INTERRUPT_USER 0xee /* INT3 and INTO may be executed by programs */
#define TSS_AVAILABLE 0x0000890000000000

#define VECTOR_BREAKPOINT 3
#define VECTOR_OVERFLOW 4

static struct idt_entry idt[256];
static char boot_ist_stacks[IST_COUNT][IST_STACK_SIZE] __aligned(IST_STACK_SIZE);

DEFINE_PER_CPU(struct x86_task_state, x86_task_state);

static DEFINE_PER_CPU(u64, gdt[10]) = {
	[X86_KERNEL_CS / 8] = 0x00af9b000000ffff,
	[X86_KERNEL_DS / 8] = 0x00cf93000000ffff,
	[X86_USER_DS / 8] = 0x00cff3000000ffff,
	[X86_USER_CS / 8] = 0x00affb000000ffff,
};

static void idt_fill(void)
{
	static const u8 ist[32] = {
		[VECTOR_DEBUG] = IST_DEBUG,
		[VECTOR_NMI] = IST_NMI,
		[VECTOR_DOUBLE_FAULT] = IST_DOUBLE_FAULT,
		[VECTOR_MACHINE_CHECK] = IST_MACHINE_CHECK,
	};
	for (unsigned i = 0; i < 256; i++) {
		u64 address = (u64)x86_vector_stubs + i * VECTOR_STUB_SIZE;
		bool user = i == VECTOR_BREAKPOINT || i == VECTOR_OVERFLOW;
		idt[i] = (struct idt_entry){
			.offset_low = (u16)address,
			.selector = X86_KERNEL_CS,
			.ist = i < 32 ? ist[i] : 0,
			.type = user ? GATE_INTERRUPT_USER : GATE_INTERRUPT,
			.offset_middle = (u16)(address >> 16),
			.offset_high = address >> 32,
		};
	}
}

static void tss_fill(struct x86_task_state *t, void *kstack_top, char *ist_stacks)
{
	t->tss.rsp[0] = (u64)kstack_top - X86_FPU_AREA_SIZE;
	for (unsigned i = 0; i < IST_COUNT; i++) {
		char *stack = ist_stacks + i * IST_STACK_SIZE;
		*(unsigned long *)stack = arch_percpu_offset();
		t->tss.ist[i] = (u64)stack + IST_STACK_SIZE;
	}
	t->tss.io_map = sizeof(t->tss);
}

void x86_descriptors_load(void *kstack_top, void *ist_stacks)
{
	struct x86_task_state *t = &this_cpu(x86_task_state);
	u64 *table = this_cpu(gdt);
	u64 base = (u64)&t->tss;

	tss_fill(t, kstack_top, ist_stacks);
	table[X86_TSS_SELECTOR / 8] = TSS_AVAILABLE | (sizeof(t->tss) - 1) |
				      (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	table[X86_TSS_SELECTOR / 8 + 1] = base >> 32;

	struct table_pointer gdt_pointer = { sizeof(gdt) - 1, (u64)table };
	struct table_pointer idt_pointer = { sizeof(idt) - 1, (u64)idt };
	asm volatile("lgdt %0" : : "m"(gdt_pointer));
	asm volatile("lidt %0" : : "m"(idt_pointer));
	asm volatile("ltr %w0" : : "r"(X86_TSS_SELECTOR));

	/* SYSRET adds 8 for the stack segment and 16 for the code segment. */
	msr_write(MSR_STAR, (u64)X86_USER32_CS << 48 | (u64)X86_KERNEL_CS << 32);
	msr_write(MSR_LSTAR, (u64)x86_syscall_entry);
	msr_write(MSR_SYSCALL_MASK, FLAGS_CF | FLAGS_TF | FLAGS_IF | FLAGS_DF | FLAGS_IOPL |
					    FLAGS_NT | FLAGS_RF | FLAGS_AC | FLAGS_ID);
}

void x86_descriptors_init(void *kstack_top)
{
	idt_fill();
	x86_descriptors_load(kstack_top, boot_ist_stacks);
}
