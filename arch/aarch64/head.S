/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry of the boot CPU: from the arm64 boot protocol (MMU off, EL1 or EL2, x0 = device tree) to arch_start() in C
 * at the linked address.
 *
 * Everything before `primary_virtual` runs at the address the loader chose, so it uses only pc-relative addresses.
 * The image may lie at any multiple of 2 MiB. Its pages are mapped one by one with the protection of their section,
 * so that no page is ever writable and executable, and the page below the boot stack is left out.
 */
#include <arch/impl/asm.h>
#include <arch/impl/layout.h>

#define SCTLR_EL1_OFF 0x30d00800
#define SCTLR_EL2_OFF 0x30c50830
/* M C SA SA0 ITD SED EOS I DZE UCT nTWI nTWE TSCXT EIS UCI nTLSMD LSMAOE; SPAN clear: PAN is set on entry. */
#define SCTLR_EL1_ON 0x3455d99d

/* Attributes 0 normal write-back, 1 device nGnRE, 2 normal uncached. */
#define MAIR 0x4404ff
/* 48 bits each, 4 KiB granules, walks cached and inner shareable, top byte ignored in user addresses. */
#define TCR 0x20b5103510

#define TABLE 0x3
#define PAGE_RX 0x0240000000000783
#define PAGE_R 0x0260000000000783
#define PAGE_RW 0x0268000000000703
#define BLOCK_RX 0x0040000000000781

#define HCR_RW (1 << 31)

	.globl layout_kernel_base
	.set layout_kernel_base, KERNEL_BASE

	.section .head.text, "ax"
FUNCTION(_start)
	b	primary_entry
	.long	0
	.quad	0		/* text_offset */
	.quad	__image_size
	.quad	0xa		/* little endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0		/* offset of the PE header, for an EFI stub */
END_FUNCTION(_start)

LOCAL_FUNCTION(primary_entry)
	mov	x21, x0
	bl	enter_el1
	bl	create_tables
	bl	cpu_setup
	adrp	x1, kernel_root
	bl	enable_mmu
	adrp	x22, _start
	adrp	x23, empty_root
	ldr	x8, =primary_virtual
	br	x8
END_FUNCTION(primary_entry)

/* Drops from EL2 to EL1 with nothing trapped, or stays in EL1. MMU off. Clobbers x0 to x3. */
LOCAL_FUNCTION(enter_el1)
	mov_q	x1, SCTLR_EL1_OFF
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.eq	1f
	msr	sctlr_el1, x1
	isb
	ret

1:	mov_q	x0, SCTLR_EL2_OFF
	msr	sctlr_el2, x0
	mov_q	x0, HCR_RW
	msr	hcr_el2, x0
	isb
	msr	sctlr_el1, x1
	mrs	x0, cnthctl_el2
	orr	x0, x0, #3		/* physical counter and timer */
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #0x33ff		/* FPSIMD not trapped; SVE is */
	msr	cptr_el2, x0
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0

	mov	x1, #0			/* all performance counters belong to EL1 */
	mrs	x0, id_aa64dfr0_el1
	ubfx	x0, x0, #8, #4
	sub	x2, x0, #1
	cmp	x2, #0xe		/* 0: none, 15: not the architected one */
	b.hs	2f
	mrs	x1, pmcr_el0
	ubfx	x1, x1, #11, #5
2:	msr	mdcr_el2, x1

	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #24, #4
	cbz	x0, 3f
	mrs	x0, S3_4_C12_C9_5	/* ICC_SRE_EL2: system registers, also for EL1 */
	mov	x1, #9
	orr	x0, x0, x1
	msr	S3_4_C12_C9_5, x0
	isb
	mrs	x0, S3_4_C12_C9_5
	tbz	x0, #0, 3f
	msr	S3_4_C12_C11_0, xzr	/* ICH_HCR_EL2 */

3:	mov	x0, #0x3c5		/* EL1h, all masked */
	msr	spsr_el2, x0
	msr	elr_el2, lr
	eret
END_FUNCTION(enter_el1)

/* Fills the tables below with the MMU off and drops stale cache lines over them. Clobbers x0 to x12. */
LOCAL_FUNCTION(create_tables)
	adrp	x0, early_tables
	adrp	x1, early_tables_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b

	adrp	x0, kernel_root
	adrp	x1, kernel_l1
	adrp	x2, kernel_l2
	adrp	x3, kernel_l3
	orr	x4, x1, #TABLE
	str	x4, [x0, #(KERNEL_BASE >> 39 & 511) * 8]
	orr	x4, x2, #TABLE
	str	x4, [x1, #(KERNEL_BASE >> 30 & 511) * 8]
	orr	x4, x3, #TABLE
	mov	x5, #KERNEL_L3_TABLES
2:	str	x4, [x2], #8
	add	x4, x4, #0x1000
	subs	x5, x5, #1
	b.ne	2b

	adrp	x0, _start
	adrp	x4, __text_end
	adrp	x5, __rodata_end
	adrp	x6, __kernel_end
	adrp	x7, boot_stack_guard
	mov_q	x8, PAGE_RX
	mov_q	x9, PAGE_R
	mov_q	x10, PAGE_RW
3:	cmp	x0, x4
	csel	x11, x8, x9, lo
	cmp	x0, x5
	csel	x11, x11, x10, lo
	orr	x11, x11, x0
	cmp	x0, x7
	csel	x11, x11, xzr, ne
	str	x11, [x3], #8
	add	x0, x0, #0x1000
	cmp	x0, x6
	b.lo	3b

	/* The identity map: only the 2 MiB that hold this code. */
	adrp	x0, _start
	adrp	x1, idmap_root
	adrp	x2, idmap_l1
	adrp	x3, idmap_l2
	ubfx	x4, x0, #39, #9
	orr	x5, x2, #TABLE
	str	x5, [x1, x4, lsl #3]
	ubfx	x4, x0, #30, #9
	orr	x5, x3, #TABLE
	str	x5, [x2, x4, lsl #3]
	ubfx	x4, x0, #21, #9
	mov_q	x5, BLOCK_RX
	orr	x5, x5, x0
	str	x5, [x3, x4, lsl #3]

	dmb	sy
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x2, x3, x2
	adrp	x0, early_tables
	adrp	x1, early_tables_end
4:	dc	ivac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	4b
	dsb	sy
	ret
END_FUNCTION(create_tables)

/* Registers of this CPU that do not depend on where it runs. Clobbers x0 to x3. */
LOCAL_FUNCTION(cpu_setup)
	tlbi	vmalle1
	dsb	nsh
	mov	x0, #(3 << 20)		/* FPSIMD usable, SVE and SME not */
	msr	cpacr_el1, x0
	mov	x0, #(1 << 12)		/* debug channel not for user mode */
	msr	mdscr_el1, x0
	msr	contextidr_el1, xzr
	mrs	x0, id_aa64dfr0_el1
	ubfx	x0, x0, #8, #4
	sub	x0, x0, #1
	cmp	x0, #0xe
	b.hs	1f
	msr	pmuserenr_el0, xzr
1:	mov	x0, #2			/* user mode reads the virtual counter, nothing else */
	msr	cntkctl_el1, x0
	mov_q	x0, MAIR
	msr	mair_el1, x0

	mov_q	x0, TCR
	mrs	x1, id_aa64mmfr0_el1
	and	x2, x1, #0xf
	mov	x3, #5
	cmp	x2, x3
	csel	x2, x2, x3, lo
	bfi	x0, x2, #32, #3		/* IPS: physical address size */
	ubfx	x2, x1, #4, #4
	cmp	x2, #2
	cset	x2, eq
	orr	x0, x0, x2, lsl #36	/* AS: 16-bit ASIDs */
	mrs	x1, id_aa64mmfr1_el1
	and	x1, x1, #0xf
	cmp	x1, #1
	cset	x2, hs
	orr	x0, x0, x2, lsl #39	/* HA: hardware access flag */
	cmp	x1, #2
	cset	x2, hs
	orr	x0, x0, x2, lsl #40	/* HD: hardware dirty state */
	msr	tcr_el1, x0
	ret
END_FUNCTION(cpu_setup)

/* Turns the MMU on with the kernel's root at physical address x1. Runs on the identity map. Clobbers x0, x2. */
LOCAL_FUNCTION(enable_mmu)
	adrp	x2, idmap_root
	msr	ttbr0_el1, x2
	msr	ttbr1_el1, x1
	isb
	mov_q	x0, SCTLR_EL1_ON
	msr	sctlr_el1, x0
	isb
	ic	iallu
	dsb	nsh
	isb
	ret
END_FUNCTION(enable_mmu)

	.text
/* x21 = device tree, x22 = physical address of the image, x23 = of the empty root. */
LOCAL_FUNCTION(primary_virtual)
	msr	ttbr0_el1, x23
	isb
	tlbi	vmalle1
	dsb	nsh
	adr_l	x0, vectors
	msr	vbar_el1, x0
	msr	tpidr_el1, xzr
	msr	tpidr_el0, xzr
	msr	tpidrro_el0, xzr
	isb

	adr_l	x0, __bss_start
	adr_l	x1, __bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b

2:	adr_l	x0, boot_thread
	msr	sp_el0, x0
	adr_l	x1, boot_stack_top
	str	x1, [x0, #THREAD_KSTACK_TOP]
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x21
	mov	x1, x22
	bl	arch_start
	brk	#0
END_FUNCTION(primary_virtual)

/* Another CPU, started by PSCI: the tables exist. */
	.section .head.text, "ax"
FUNCTION(secondary_entry)
	bl	enter_el1
	bl	cpu_setup
	adrp	x1, kernel_root
	bl	enable_mmu
	adrp	x23, empty_root
	ldr	x8, =secondary_virtual
	br	x8
END_FUNCTION(secondary_entry)

	.text
LOCAL_FUNCTION(secondary_virtual)
	msr	ttbr0_el1, x23
	isb
	tlbi	vmalle1
	dsb	nsh
	adr_l	x0, vectors
	msr	vbar_el1, x0
	isb
	adr_l	x0, secondary_start
	ldp	x1, x2, [x0]		/* stack, per-CPU offset */
	ldr	x3, [x0, #16]		/* idle thread */
	msr	tpidr_el1, x2
	msr	tpidrro_el0, xzr
	msr	sp_el0, x3
	str	x1, [x3, #THREAD_KSTACK_TOP]
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	bl	secondary_main
	brk	#0
END_FUNCTION(secondary_virtual)

	.section .early_tables, "aw", %nobits
	.balign	4096
early_tables:
	.globl	kernel_root, kernel_l2, empty_root, idmap_root
kernel_root:
	.skip	4096
kernel_l1:
	.skip	4096
kernel_l2:
	.skip	4096
kernel_l3:
	.skip	4096 * KERNEL_L3_TABLES
idmap_root:
	.skip	4096
idmap_l1:
	.skip	4096
idmap_l2:
	.skip	4096
empty_root:
	.skip	4096
early_tables_end:
	.globl	boot_stack, boot_stack_top
boot_stack_guard:
	.skip	4096
boot_stack:
	.skip	KSTACK_SIZE
boot_stack_top:
