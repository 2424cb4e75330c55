/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-mode part of bzImage (Linux x86 boot protocol 2.15, Documentation/arch/x86/boot of the protocol): the setup
 * header, and the code that a 16-bit loader such as QEMU's option ROM starts. It asks the BIOS for the memory
 * map and enters the kernel's 32-bit entry.
 *
 * The first 4 KiB of this segment serve as the struct boot_params that is handed over: the header is at its place in
 * it anyhow. So the code begins behind them.
 */

#define E820_SIZE 20
#define SMAP 0x534d4150
#define E820_ENTRIES 0x1e8
#define E820_TABLE 0x2d0
#define CODE32_START 0x214
#define REALMODE_SWITCH 0x208
#define LOADED_AT 0x100000

	.code16
	.text
	.globl _start
_start:
	.org 0x1f1
	.byte SETUP_SECTORS
	.word 1			/* root_flags: read only */
	.long 0			/* syssize, by mkbzimage */
	.word 0			/* ram_size */
	.word 0xffff		/* vid_mode: normal */
	.word 0			/* root_dev */
	.word 0xaa55
	/* Offset 0x200: the jump, whose second byte tells where the header ends. */
	.byte 0xeb, header_end - 1f
1:	.ascii "HdrS"
	.word 0x20f
	.long 0			/* realmode_swtch */
	.word 0			/* start_sys_seg */
	.word version - 0x200
	.byte 0			/* type_of_loader */
	.byte 1			/* loadflags: LOADED_HIGH */
	.word 0			/* setup_move_size */
	.long LOADED_AT		/* code32_start */
	.long 0, 0		/* ramdisk_image, ramdisk_size */
	.long 0			/* bootsect_kludge */
	.word 0			/* heap_end_ptr */
	.byte 0, 0		/* ext_loader_ver, ext_loader_type */
	.long 0			/* cmd_line_ptr */
	.long 0x7fffffff	/* initrd_addr_max */
	.long 0x200000		/* kernel_alignment: what a loader should prefer */
	.byte 1			/* relocatable_kernel */
	.byte 12		/* min_alignment */
	.word 1			/* xloadflags: XLF_KERNEL_64 */
	.long 4095		/* cmdline_size */
	.long 0			/* hardware_subarch */
	.quad 0			/* hardware_subarch_data */
	.long 0, 0		/* payload_offset, payload_length: nothing is compressed */
	.quad 0			/* setup_data */
	.quad LOADED_AT		/* pref_address */
	.long 0			/* init_size, by mkbzimage */
	.long 0			/* handover_offset */
	.long 0			/* kernel_info_offset, by mkbzimage */
header_end:
	jmp start

	.org 0x1000
start:
	cld
	/* Make %cs equal to %ds, so that one origin serves code and data. */
	pushw %ds
	pushw $1f
	lretw
1:	pushw %ds
	popw %es
	/* Everything in front of the header is boot_params now. */
	xorw %di, %di
	movw $0x1f1, %cx
	xorb %al, %al
	rep stosb
	call read_memory_map
	call enable_a20
	jmp enter_protected_mode

	/* INT 15h, AX=E820h: one range per call, until %ebx is 0 again or the table is full. */
read_memory_map:
	xorl %ebx, %ebx
	movw $E820_TABLE, %di
1:	movl $0xe820, %eax
	movl $E820_SIZE, %ecx
	movl $SMAP, %edx
	int $0x15
	jc 2f
	cmpl $SMAP, %eax
	jne 2f
	addw $E820_SIZE, %di
	incb E820_ENTRIES
	cmpb $128, E820_ENTRIES
	je 2f
	testl %ebx, %ebx
	jnz 1b
2:	ret

enable_a20:
	movw $0x2401, %ax
	int $0x15
	inb $0x92, %al
	orb $2, %al
	andb $0xfe, %al
	outb %al, $0x92
	ret

enter_protected_mode:
	cmpl $0, REALMODE_SWITCH
	je 1f
	lcallw *REALMODE_SWITCH
	jmp 2f
1:	cli
	movb $0x80, %al		/* no NMI */
	outb %al, $0x70
2:	xorl %esi, %esi
	movw %ds, %si
	shll $4, %esi		/* boot_params */
	movl CODE32_START, %edx
	leal gdt(%esi), %eax
	movl %eax, gdt_pointer + 2
	leal protected_mode(%esi), %eax
	movl %eax, far_target
	lgdt gdt_pointer
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl *far_target

	.code32
protected_mode:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	xorl %ebx, %ebx
	xorl %ebp, %ebp
	xorl %edi, %edi
	jmp *%edx

	.balign 8
gdt:	.quad 0, 0
	.quad 0x00cf9a000000ffff	/* 0x10, as the protocol wants */
	.quad 0x00cf92000000ffff	/* 0x18 */
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long 0
far_target:
	.long 0
	.word 0x10
version:
	.asciz "6.12.0-cairn"

	.org SETUP_SECTORS * 512 + 511
	.byte 0
