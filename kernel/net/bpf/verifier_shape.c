/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first look at a program: instructions that exist, with nothing in fields that they do not use (RFC 9669), and the order
 * in which they may follow each other.
 */
#include <lib/errno.h>
#include <net/bpf/verifier_priv.h>

static bool arithmetic_is_known(const struct bpf_insn *i)
{
	bool constant = BPF_SRC(i->code) == BPF_K;
	int width = BPF_CLASS(i->code) == BPF_ALU64 ? 64 : 32;

	if (i->off)
		return false;
	switch (BPF_OP(i->code)) {
	case BPF_END:
		return BPF_CLASS(i->code) == BPF_ALU && !i->src_reg &&
		       (i->imm == 16 || i->imm == 32 || i->imm == 64);
	case BPF_NEG:
		return constant && !i->src_reg && !i->imm;
	case BPF_DIV:
	case BPF_MOD:
		return constant ? !i->src_reg && i->imm : !i->imm;
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		return constant ? !i->src_reg && i->imm >= 0 && i->imm < width : !i->imm;
	default:
		return BPF_OP(i->code) <= BPF_ARSH && (constant ? !i->src_reg : !i->imm);
	}
}

static bool jump_is_known(const struct bpf_insn *i)
{
	bool constant = BPF_SRC(i->code) == BPF_K, wide = BPF_CLASS(i->code) == BPF_JMP;

	switch (BPF_OP(i->code)) {
	case BPF_JA:
		return wide && constant && !i->src_reg && !i->dst_reg && !i->imm;
	case BPF_CALL: /* of a function of the kernel */
		return wide && constant && !i->src_reg && !i->dst_reg && !i->off;
	case BPF_EXIT:
		return wide && constant && !i->src_reg && !i->dst_reg && !i->off && !i->imm;
	default:
		return BPF_OP(i->code) <= BPF_JSLE && (constant ? !i->src_reg : !i->imm);
	}
}

/* `left` instructions follow. */
static bool load_is_known(const struct bpf_insn *i, u32 left)
{
	if (i->off)
		return false;
	switch (i->code) {
	case BPF_LD | BPF_IMM | BPF_DW:
		return left && !i[1].code && !i[1].dst_reg && !i[1].src_reg && !i[1].off &&
		       (!i->src_reg || (i->src_reg == BPF_PSEUDO_MAP_FD && !i[1].imm) ||
			i->src_reg == BPF_PSEUDO_MAP_VALUE);
	case BPF_LD | BPF_ABS | BPF_W:
	case BPF_LD | BPF_ABS | BPF_H:
	case BPF_LD | BPF_ABS | BPF_B:
		return !i->dst_reg && !i->src_reg;
	case BPF_LD | BPF_IND | BPF_W:
	case BPF_LD | BPF_IND | BPF_H:
	case BPF_LD | BPF_IND | BPF_B:
		return !i->dst_reg;
	default:
		return false;
	}
}

static bool atomic_is_known(const struct bpf_insn *i)
{
	if (bpf_access_size(i->code) < 4)
		return false;
	switch (i->imm & ~BPF_FETCH) {
	case BPF_ADD:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
		return true;
	default:
		return i->imm == BPF_XCHG || i->imm == BPF_CMPXCHG;
	}
}

static bool is_known(const struct bpf_insn *i, u32 left)
{
	if (i->dst_reg >= BPF_REGISTERS || i->src_reg >= BPF_REGISTERS)
		return false;
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return arithmetic_is_known(i);
	case BPF_JMP:
	case BPF_JMP32:
		return jump_is_known(i);
	case BPF_LD:
		return load_is_known(i, left);
	case BPF_LDX:
		return BPF_MODE(i->code) == BPF_MEM && !i->imm;
	case BPF_ST:
		return BPF_MODE(i->code) == BPF_MEM && !i->src_reg;
	default: /* BPF_STX */
		return BPF_MODE(i->code) == BPF_MEM
			       ? !i->imm
			       : BPF_MODE(i->code) == BPF_ATOMIC && atomic_is_known(i);
	}
}

static bool writes_frame_pointer(const struct bpf_insn *i)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
	case BPF_LD:
	case BPF_LDX:
		return i->dst_reg == BPF_REG_10;
	case BPF_STX:
		return BPF_MODE(i->code) == BPF_ATOMIC && (i->imm & BPF_FETCH) &&
		       i->imm != BPF_CMPXCHG && i->src_reg == BPF_REG_10;
	default:
		return false;
	}
}

static bool is_double(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW);
}

int bpf_shape_check(struct verifier *v)
{
	for (v->at = 0; v->at < v->count; v->at++) {
		const struct bpf_insn *i = instruction_of(v);

		if (!is_known(i, v->count - 1 - v->at))
			return refuse(v, -EINVAL, "unknown opcode %02x or reserved fields",
				      i->code);
		if (writes_frame_pointer(i))
			return refuse(v, -EACCES, "frame pointer is read only");
		v->at += is_double(i);
	}
	return 0;
}

/* --- Order --- */

enum mark { UNSEEN, OPEN, DONE };

static bool is_second_half(const struct verifier *v, u32 at)
{
	/* No instruction but a second half has opcode 0: bpf_shape_check. */
	return !v->program->instructions[at].code;
}

int bpf_flow_next(struct verifier *v, u32 at, u32 next[2])
{
	const struct bpf_insn *i = &v->program->instructions[at];
	bool jump = BPF_CLASS(i->code) == BPF_JMP || BPF_CLASS(i->code) == BPF_JMP32;
	int count = 0;

	if (jump && BPF_OP(i->code) == BPF_EXIT)
		return 0;
	if (!jump || BPF_OP(i->code) != BPF_JA)
		next[count++] = at + 1 + is_double(i);
	if (jump && BPF_OP(i->code) != BPF_CALL)
		next[count++] = (u32)((s32)at + 1 + i->off);
	for (int n = 0; n < count; n++)
		if (next[n] >= v->count || is_second_half(v, next[n])) {
			bpf_log_print(v->log, "jump out of range from insn %u to %d", at,
				      (s32)next[n]);
			return -EINVAL;
		}
	return count;
}

/* Goes on from `at` to one that was not seen yet. 1: it is on top of the stack; 0: there is none. */
static int descend(struct verifier *v, u32 at, u32 *depth)
{
	u32 next[2];
	int count = bpf_flow_next(v, at, next);

	for (int n = 0; n < count; n++) {
		struct instruction_node *node = &v->nodes[next[n]];

		if (node->mark == OPEN) {
			bpf_log_print(v->log, "back-edge from insn %u to %u", at, next[n]);
			return -EINVAL;
		}
		if (node->mark == UNSEEN) {
			node->mark = OPEN;
			v->nodes[(*depth)++].stack = (u16)next[n];
			return 1;
		}
	}
	return MIN(count, 0);
}

int bpf_flow_order(struct verifier *v)
{
	u32 depth = 1, place = v->count, first;

	v->nodes[0].stack = 0;
	v->nodes[0].mark = OPEN;
	while (depth) {
		u32 at = v->nodes[depth - 1].stack;
		int descended = descend(v, at, &depth);

		if (descended < 0)
			return descended;
		if (descended)
			continue;
		/* All that follow it have their places: its own is before them. */
		v->nodes[at].mark = DONE;
		v->nodes[--place].order = (u16)at;
		depth--;
	}
	first = place;
	for (u32 at = 0; at < v->count; at++)
		if (v->nodes[at].mark == UNSEEN && !is_second_half(v, at)) {
			bpf_log_print(v->log, "unreachable insn %u", at);
			return -EINVAL;
		}
	for (u32 n = 0; n < v->count - first; n++)
		v->nodes[n].order = v->nodes[first + n].order;
	return (int)(v->count - first);
}
