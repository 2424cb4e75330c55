/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first instructions: from the boot loader to C.
 *
 * Three doors: startup_32 and startup_64 of the Linux boot protocol (%esi: struct boot_params, in any
 * place in memory) and pvh_entry (%ebx: struct hvm_start_info, at the linked physical address). All lead
 * to boot_common, in 32-bit protected mode without paging, with
 *     %ebp  physical address of the image    %esi  the loader's structure    %ebx  BOOT_*
 * It clears .bss and builds the page tables: the image with its final protections, 4 GiB of direct
 * map, and the same 4 GiB one to one for the moment that paging is switched on.
 */
#include <arch/impl/frame.h>
#include <arch/impl/layout.h>

#include "boot.h"
#include "x86.h"

/* An image address as offset from the beginning of the image. */
#define IMAGE(symbol) (symbol - (KERNEL_BASE + KERNEL_LOAD_OFFSET))

#define TABLE_FLAGS 0x27	/* present, writable, user, accessed: the leaf decides */
#define IMAGE_FLAGS 0x161	/* present, accessed, dirty, global */
#define DIRECT_FLAGS 0xe3	/* present, writable, accessed, dirty, large */
#define WRITE_FLAG 0x2
#define NX_HIGH 0x80000000	/* in the upper half of an entry */

	.section .head, "ax"
	.code32
	.globl startup_32
startup_32:
	cld
	cli
	leal BOOT_PARAMS_SCRATCH_END(%esi), %esp
	call 1f
1:	popl %ebp
	subl $(1b - startup_32), %ebp
	movl $BOOT_LINUX, %ebx
	jmp boot_common

	.globl pvh_entry
pvh_entry:
	cld
	cli
	movl %ebx, %esi
	movl $BOOT_PVH, %ebx
	movl $KERNEL_LOAD_OFFSET, %ebp
	jmp boot_common

	/* struct kernel_info of the boot protocol; tools/mkbzimage.py puts its offset into the header. */
	.org 0x1f0
	.ascii "LToP"
	.long 16, 16, 0

	.org 0x200
	.code64
	.globl startup_64
startup_64:
	cld
	cli
	leaq startup_32(%rip), %rbp
	leaq boot_stack_top(%rip), %rsp
	subq $16, %rsp
	movw $(boot_gdt_end - boot_gdt - 1), (%rsp)
	leaq boot_gdt(%rip), %rax
	movq %rax, 2(%rsp)
	lgdt (%rsp)
	movq %cr4, %rax
	andq $~CR4_PCIDE, %rax	/* or paging cannot be switched off */
	movq %rax, %cr4
	leaq leave_long_mode(%rip), %rax
	pushq $BOOT_CS32
	pushq %rax
	lretq

	.code32
leave_long_mode:
	movl $X86_KERNEL_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $CR0_PE, %eax
	movl %eax, %cr0
	movl $MSR_EFER, %ecx
	xorl %eax, %eax
	xorl %edx, %edx
	wrmsr
	movl $BOOT_LINUX, %ebx

boot_common:
	leal IMAGE(boot_stack_top)(%ebp), %esp
	leal IMAGE(__bss_start)(%ebp), %edi
	leal IMAGE(__bss_end)(%ebp), %ecx
	subl %edi, %ecx
	shrl $2, %ecx
	xorl %eax, %eax
	rep stosl
	pushl %esi
	pushl %ebx
	call check_cpu
	call map_image
	call map_direct
	call link_tables
	popl %ebx
	popl %esi
	jmp enter_long_mode

	/* Long mode and no-execute pages, or there is no point in going on. */
check_cpu:
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb 1f
	movl $0x80000001, %eax
	cpuid
	andl $((1 << 29) | (1 << 20)), %edx
	cmpl $((1 << 29) | (1 << 20)), %edx
	jne 1f
	ret
1:	leal IMAGE(no_cpu_message)(%ebp), %esi
	movw $0x3f8, %dx
2:	lodsb
	testb %al, %al
	jz 3f
	outb %al, %dx
	jmp 2b
3:	hlt
	jmp 3b

	/* One 4 KiB entry for each page of the image, so that it may lie at any page of memory. */
map_image:
	leal IMAGE(boot_image_pt + (KERNEL_LOAD_OFFSET >> 12) * 8)(%ebp), %edi
	movl %ebp, %eax
	leal IMAGE(__text_end)(%ebp), %ebx
	movl $IMAGE_FLAGS, %edx
	xorl %ecx, %ecx
	call map_range
	leal IMAGE(__rodata_end)(%ebp), %ebx
	movl $NX_HIGH, %ecx
	call map_range
	leal IMAGE(__kernel_end)(%ebp), %ebx
	orl $WRITE_FLAG, %edx
	/* falls through */

	/* Pages from %eax to %ebx at entry %edi on, with flags %ecx:%edx. */
map_range:
	cmpl %ebx, %eax
	jae 1f
	movl %eax, %esi
	orl %edx, %esi
	movl %esi, (%edi)
	movl %ecx, 4(%edi)
	addl $8, %edi
	addl $4096, %eax
	jmp map_range
1:	ret

	/* 4 GiB in pages of 2 MiB. Executable, until arch_direct_map_init makes the final tables. */
map_direct:
	leal IMAGE(boot_direct_pd)(%ebp), %edi
	movl $DIRECT_FLAGS, %eax
	movl $2048, %ecx
1:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $8, %edi
	addl $0x200000, %eax
	loop 1b
	ret

	/* Fills in one upper level entry. */
	.macro LINK table, index, to
	leal (IMAGE(\to) + TABLE_FLAGS)(%ebp), %eax
	movl %eax, (IMAGE(\table) + (\index) * 8)(%ebp)
	.endm
link_tables:
	.set i, 0
	.rept 4
	LINK boot_image_pd, i, (boot_image_pt + i * 4096)
	LINK boot_direct_pdpt, i, (boot_direct_pd + i * 4096)
	.set i, i + 1
	.endr
	LINK boot_image_pd, 511, fixmap_pt
	LINK boot_image_pdpt, 510, boot_image_pd
	LINK kernel_root, 0, boot_direct_pdpt
	LINK kernel_root, ((DIRECT_MAP_BASE >> 39) & 511), boot_direct_pdpt
	LINK kernel_root, ((VMAP_BASE >> 39) & 511), vmap_pdpt
	LINK kernel_root, 511, boot_image_pdpt
	ret

enter_long_mode:
	leal IMAGE(boot_gdt)(%ebp), %eax
	subl $8, %esp
	movw $(boot_gdt_end - boot_gdt - 1), (%esp)
	movl %eax, 2(%esp)
	lgdt (%esp)
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	leal IMAGE(kernel_root)(%ebp), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	movl $(EFER_SCE | EFER_LME | EFER_NXE), %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_KERNEL, %eax
	movl %eax, %cr0
	leal IMAGE(long_mode)(%ebp), %eax
	pushl $X86_KERNEL_CS
	pushl %eax
	lret

	.code64
long_mode:
	movq $high, %rax
	jmp *%rax
high:
	movl $X86_KERNEL_DS, %eax
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	/* The boot CPU's per-CPU offset is 0. */
	xorl %edx, %edx
	movl $MSR_GS_BASE, %ecx
	wrmsr
	movl $MSR_KERNEL_GS_BASE, %ecx
	wrmsr
	movl $MSR_FS_BASE, %ecx
	wrmsr
	movl %ebx, %edi
	movl %esi, %esi
	movl %ebp, %edx
	movq $(boot_stack_top - X86_FPU_AREA_SIZE), %rsp
	xorl %ebp, %ebp
	call x86_boot_start
	ud2

	.section .rodata.boot, "a"
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00cf9a000000ffff	/* BOOT_CS32: flat 32-bit code */
	.quad 0x00af9a000000ffff	/* X86_KERNEL_CS */
	.quad 0x00cf92000000ffff	/* X86_KERNEL_DS */
boot_gdt_end:
no_cpu_message:
	.asciz "Cairn needs a 64-bit CPU with no-execute pages.\r\n"

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, 18		/* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad pvh_entry - KERNEL_BASE

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
	.globl kernel_root, fixmap_pt, boot_direct_pd, boot_stack, boot_stack_top
kernel_root:	.skip 4096
vmap_pdpt:	.skip 4096
fixmap_pt:	.skip 4096
boot_image_pdpt: .skip 4096
boot_image_pd:	.skip 4096
boot_image_pt:	.skip 4 * 4096
boot_direct_pdpt: .skip 4096
boot_direct_pd:	.skip 4 * 4096
boot_stack:	.skip KSTACK_SIZE
boot_stack_top:
