/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What single instructions of BPF mean (RFC 9669): arithmetic and comparisons, for the interpreter and for what the verifier
 * knows exactly. They are defined for all operands.
 */
#pragma once

#include <lib/types.h>

#include <linux/bpf.h>

#define BPF_REGISTERS MAX_BPF_REG
#define BPF_STACK_SIZE 512 /* bytes below R10 */

/* BPF_SIZE() in bytes. */
static inline unsigned bpf_access_size(u8 code)
{
	static const u8 sizes[] = { 4, 2, 1, 8 };

	return sizes[BPF_SIZE(code) >> 3];
}

/* BPF_ALU and BPF_ALU64, but for BPF_END. Shifts take the operand modulo the width; x / 0 is 0 and x % 0 is x. */
static inline u64 bpf_arithmetic64(u8 operation, u64 a, u64 b)
{
	switch (operation) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_LSH:
		return a << (b & 63);
	case BPF_RSH:
		return a >> (b & 63);
	case BPF_NEG:
		return -a;
	case BPF_MOD:
		return b ? a % b : a;
	case BPF_XOR:
		return a ^ b;
	case BPF_ARSH:
		return (u64)((s64)a >> (b & 63));
	default: /* BPF_MOV */
		return b;
	}
}

/* The same in 32 bits; the upper half of the result is 0. */
static inline u64 bpf_arithmetic32(u8 operation, u32 a, u32 b)
{
	switch (operation) {
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	case BPF_ARSH:
		return (u32)((s32)a >> (b & 31));
	default: /* the lower half depends on the lower halves alone, or what is above them is 0 */
		return (u32)bpf_arithmetic64(operation, a, b);
	}
}

/* BPF_END: `width` bits of `value` as the machine, which is little endian, or a big-endian one has them. */
static inline u64 bpf_swap(bool big_endian, s32 width, u64 value)
{
	switch (width) {
	case 16:
		return big_endian ? __builtin_bswap16((u16)value) : (u16)value;
	case 32:
		return big_endian ? __builtin_bswap32((u32)value) : (u32)value;
	default:
		return big_endian ? __builtin_bswap64(value) : value;
	}
}

/* BPF_JMP: is the jump taken? */
static inline bool bpf_compare64(u8 operation, u64 a, u64 b)
{
	switch (operation) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JSET:
		return a & b;
	case BPF_JNE:
		return a != b;
	case BPF_JSGT:
		return (s64)a > (s64)b;
	case BPF_JSGE:
		return (s64)a >= (s64)b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSLT:
		return (s64)a < (s64)b;
	case BPF_JSLE:
		return (s64)a <= (s64)b;
	default: /* BPF_JA */
		return true;
	}
}

/* BPF_JMP32: signed ones extend the sign, the others what is 0 above. */
static inline bool bpf_compare32(u8 operation, u32 a, u32 b)
{
	bool is_signed = operation == BPF_JSGT || operation == BPF_JSGE || operation == BPF_JSLT ||
			 operation == BPF_JSLE;

	return is_signed ? bpf_compare64(operation, (u64)(s32)a, (u64)(s32)b)
			 : bpf_compare64(operation, a, b);
}
