/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter of BPF. It checks nothing but what the instruction set leaves to run time: the verifier is what makes that
 * right. A test gives it a function that is asked about each access (`permits`); elsewhere the compiler leaves that out.
 */
#pragma once

#include <net/bpf/helper.h>
#include <net/bpf/instruction.h>

struct filter_view;
struct socket;

/* What a program works with while it runs. Its registers are the interpreter's. */
struct bpf_machine {
	const struct filter_view *view; /* what BPF_ABS and BPF_IND load from */
	struct socket *socket;		/* may be null */
	struct __sk_buff *context;	/* what R1 points at; not read where no program may */
	u8 stack[BPF_STACK_SIZE] __aligned(8);
};

typedef bool bpf_permits(const struct bpf_machine *machine, u64 address, unsigned size, bool write);

/* BPF_LD with BPF_ABS or BPF_IND: bytes of what it looks at as a number. False: there are none, and the program ends with 0. */
[[nodiscard]] bool bpf_load_packet(const struct bpf_machine *machine, const struct bpf_insn *at,
				   u64 index, u64 *out);

static __always_inline u64 bpf_load(u64 address, unsigned size)
{
	const void *from = (const void *)address;
	u64 value = 0;

	switch (size) {
	case 1:
		__builtin_memcpy(&value, from, 1);
		break;
	case 2:
		__builtin_memcpy(&value, from, 2);
		break;
	case 4:
		__builtin_memcpy(&value, from, 4);
		break;
	default:
		__builtin_memcpy(&value, from, 8);
		break;
	}
	return value;
}

static __always_inline void bpf_store(u64 address, unsigned size, u64 value)
{
	void *to = (void *)address;

	switch (size) {
	case 1:
		__builtin_memcpy(to, &value, 1);
		break;
	case 2:
		__builtin_memcpy(to, &value, 2);
		break;
	case 4:
		__builtin_memcpy(to, &value, 4);
		break;
	default:
		__builtin_memcpy(to, &value, 8);
		break;
	}
}

#define BPF_ATOMIC_OF(word, address, operand, compared, operation)                                 \
	({                                                                                         \
		word *place_ = (word *)(address), old_ = (word)(compared),                         \
		     with_ = (word)(operand);                                                      \
		switch (operation) {                                                               \
		case BPF_ADD:                                                                      \
		case BPF_ADD | BPF_FETCH:                                                          \
			old_ = __atomic_fetch_add(place_, with_, __ATOMIC_SEQ_CST);                \
			break;                                                                     \
		case BPF_OR:                                                                       \
		case BPF_OR | BPF_FETCH:                                                           \
			old_ = __atomic_fetch_or(place_, with_, __ATOMIC_SEQ_CST);                 \
			break;                                                                     \
		case BPF_AND:                                                                      \
		case BPF_AND | BPF_FETCH:                                                          \
			old_ = __atomic_fetch_and(place_, with_, __ATOMIC_SEQ_CST);                \
			break;                                                                     \
		case BPF_XOR:                                                                      \
		case BPF_XOR | BPF_FETCH:                                                          \
			old_ = __atomic_fetch_xor(place_, with_, __ATOMIC_SEQ_CST);                \
			break;                                                                     \
		case BPF_XCHG:                                                                     \
			old_ = __atomic_exchange_n(place_, with_, __ATOMIC_SEQ_CST);               \
			break;                                                                     \
		default: /* BPF_CMPXCHG */                                                         \
			(void)__atomic_compare_exchange_n(place_, &old_, with_, false,             \
							  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);     \
			break;                                                                     \
		}                                                                                  \
		(u64) old_;                                                                        \
	})

/* What was there goes to the source register, or R0, if the instruction wants it. */
static inline void bpf_atomic(const struct bpf_insn *at, u64 address, u64 *registers)
{
	u64 *operand = &registers[at->src_reg], old;

	if (bpf_access_size(at->code) == 8)
		old = BPF_ATOMIC_OF(u64, address, *operand, registers[BPF_REG_0], at->imm);
	else
		old = BPF_ATOMIC_OF(u32, address, *operand, registers[BPF_REG_0], at->imm);
	if (at->imm == BPF_CMPXCHG)
		registers[BPF_REG_0] = old;
	else if (at->imm & BPF_FETCH)
		*operand = old;
}

/* BPF_ALU, BPF_ALU64 */
static __always_inline u64 bpf_calculate(const struct bpf_insn *at, const u64 *registers)
{
	u64 a = registers[at->dst_reg];
	u64 b = BPF_SRC(at->code) == BPF_X ? registers[at->src_reg] : (u64)(s64)at->imm;

	if (BPF_CLASS(at->code) == BPF_ALU64)
		return bpf_arithmetic64(BPF_OP(at->code), a, b);
	if (BPF_OP(at->code) == BPF_END)
		return bpf_swap(BPF_SRC(at->code) == BPF_TO_BE, at->imm, a);
	return bpf_arithmetic32(BPF_OP(at->code), (u32)a, (u32)b);
}

/* BPF_JMP, BPF_JMP32 */
static __always_inline bool bpf_jumps(const struct bpf_insn *at, const u64 *registers)
{
	u64 a = registers[at->dst_reg];
	u64 b = BPF_SRC(at->code) == BPF_X ? registers[at->src_reg] : (u64)(s64)at->imm;

	return BPF_CLASS(at->code) == BPF_JMP ? bpf_compare64(BPF_OP(at->code), a, b)
					      : bpf_compare32(BPF_OP(at->code), (u32)a, (u32)b);
}

/* BPF_LDX, BPF_ST, BPF_STX. False: not permitted. */
static __always_inline bool bpf_access(const struct bpf_insn *at, u64 *registers,
				       const struct bpf_machine *m, bpf_permits *permits)
{
	bool load = BPF_CLASS(at->code) == BPF_LDX;
	u64 address = registers[load ? at->src_reg : at->dst_reg] + (u64)(s64)at->off;
	unsigned size = bpf_access_size(at->code);

	if (permits && !permits(m, address, size, !load))
		return false;
	if (load)
		registers[at->dst_reg] = bpf_load(address, size);
	else if (BPF_CLASS(at->code) == BPF_ST)
		bpf_store(address, size, (u64)(s64)at->imm);
	else if (BPF_MODE(at->code) == BPF_MEM)
		bpf_store(address, size, registers[at->src_reg]);
	else
		bpf_atomic(at, address, registers);
	return true;
}

/* Runs a verified program; its R0. Under RCU. */
static __always_inline u64 bpf_interpret(const struct bpf_insn *at, struct bpf_machine *m,
					 bpf_permits *permits)
{
	u64 r[BPF_REGISTERS];

	r[BPF_REG_1] = (u64)m->context;
	r[BPF_REG_10] = (u64)(m->stack + BPF_STACK_SIZE);
	for (;; at++) {
		switch (BPF_CLASS(at->code)) {
		case BPF_ALU:
		case BPF_ALU64:
			r[at->dst_reg] = bpf_calculate(at, r);
			break;
		case BPF_JMP:
		case BPF_JMP32:
			if (at->code == (BPF_JMP | BPF_EXIT))
				return r[BPF_REG_0];
			if (at->code == (BPF_JMP | BPF_CALL))
				r[BPF_REG_0] = bpf_helper_call(m, (u32)at->imm, r);
			else if (bpf_jumps(at, r))
				at += at->off;
			break;
		case BPF_LD:
			if (BPF_MODE(at->code) == BPF_IMM) {
				r[at->dst_reg] = (u32)at[0].imm | (u64)(u32)at[1].imm << 32;
				at++;
			} else if (!bpf_load_packet(m, at, r[at->src_reg], &r[BPF_REG_0])) {
				return 0;
			}
			break;
		default:
			if (!bpf_access(at, r, m, permits))
				return 0;
			break;
		}
	}
}
