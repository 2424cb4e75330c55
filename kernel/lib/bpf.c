/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Classic BPF: checking and running programs. The checker is what makes the interpreter's lack of checks right. */
#include <lib/bpf.h>
#include <lib/errno.h>

struct machine {
	u32 a, x;
	u32 memory[BPF_MEMWORDS];
};

/* Not of bytes of the packet but of what is known of it (filter.rst, "BPF extensions"). */
static bool is_ancillary(const struct sock_filter *f)
{
	return f->k >= (u32)SKF_AD_OFF;
}

/* There is one in each word up to SKF_AD_MAX. */
static bool check_ancillary(const struct sock_filter *f)
{
	u32 what = f->k - (u32)SKF_AD_OFF;

	return !is_ancillary(f) || (what % 4 == 0 && what < SKF_AD_MAX);
}

static bool check_load(const struct sock_filter *f, enum bpf_dialect dialect, u32 data_size)
{
	bool packet = dialect == BPF_DIALECT_PACKET;

	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return packet ? check_ancillary(f) : f->k % 4 == 0 && f->k < data_size;
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
		return packet && check_ancillary(f);
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LDX | BPF_B | BPF_MSH:
		return packet;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
		return f->k < BPF_MEMWORDS;
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
		return true;
	default:
		return false;
	}
}

static bool check_arithmetic(const struct sock_filter *f, enum bpf_dialect dialect)
{
	bool constant = BPF_SRC(f->code) == BPF_K;

	if (f->code & ~(BPF_ALU | 0xf0 | BPF_X))
		return false;
	switch (BPF_OP(f->code)) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
		return true;
	case BPF_NEG:
		return constant;
	case BPF_MOD:
		return dialect == BPF_DIALECT_PACKET && (!constant || f->k);
	case BPF_DIV:
		return !constant || f->k;
	case BPF_LSH:
	case BPF_RSH:
		return !constant || f->k < 32;
	default:
		return false;
	}
}

/* `left` instructions follow this one. */
static bool check_jump(const struct sock_filter *f, size_t left)
{
	if (f->code == (BPF_JMP | BPF_JA))
		return f->k < left;
	if (f->code & ~(BPF_JMP | 0xf0 | BPF_X))
		return false;
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JSET:
		return f->jt < left && f->jf < left;
	default:
		return false;
	}
}

static bool check_instruction(const struct sock_filter *f, size_t left, enum bpf_dialect dialect,
			      u32 data_size)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_LDX:
		return check_load(f, dialect, data_size);
	case BPF_ST:
	case BPF_STX:
		return (f->code == BPF_ST || f->code == BPF_STX) && f->k < BPF_MEMWORDS;
	case BPF_ALU:
		return check_arithmetic(f, dialect);
	case BPF_JMP:
		return check_jump(f, left);
	case BPF_RET:
		return f->code == (BPF_RET | BPF_K) || f->code == (BPF_RET | BPF_A);
	default:
		return f->code == (BPF_MISC | BPF_TAX) || f->code == (BPF_MISC | BPF_TXA);
	}
}

int bpf_check(const struct sock_filter *program, size_t count, enum bpf_dialect dialect,
	      u32 data_size)
{
	if (!count || count > BPF_MAXINSNS)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		if (!check_instruction(&program[i], count - 1 - i, dialect, data_size))
			return -EINVAL;
	return BPF_CLASS(program[count - 1].code) == BPF_RET ? 0 : -EINVAL;
}

/* False: the program ends with 0. */
static bool load(struct machine *m, const struct sock_filter *f, const struct bpf_input *input)
{
	static const u8 sizes[] = { 4, 2, 1, 0 };
	u32 *to = BPF_CLASS(f->code) == BPF_LD ? &m->a : &m->x;
	unsigned size = sizes[BPF_SIZE(f->code) >> 3];
	u32 value = 0;

	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		*to = f->k;
		return true;
	case BPF_MEM:
		*to = m->memory[f->k];
		return true;
	case BPF_LEN:
		*to = input->length;
		return true;
	case BPF_ABS:
		if (is_ancillary(f))
			return input->ancillary(input->context, f->k - (u32)SKF_AD_OFF, m->a, m->x,
						to);
		return input->load(input->context, f->k, size, to);
	case BPF_IND:
		return input->load(input->context, f->k + m->x, size, to);
	default: /* BPF_MSH: the length of an IP header */
		if (!input->load(input->context, f->k, 1, &value))
			return false;
		*to = (value & 0xf) << 2;
		return true;
	}
}

/* False: a division by zero. */
static bool calculate(struct machine *m, const struct sock_filter *f)
{
	u32 operand = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		m->a += operand;
		break;
	case BPF_SUB:
		m->a -= operand;
		break;
	case BPF_MUL:
		m->a *= operand;
		break;
	case BPF_OR:
		m->a |= operand;
		break;
	case BPF_AND:
		m->a &= operand;
		break;
	case BPF_XOR:
		m->a ^= operand;
		break;
	case BPF_LSH:
		m->a <<= operand & 31;
		break;
	case BPF_RSH:
		m->a >>= operand & 31;
		break;
	case BPF_NEG:
		m->a = -m->a;
		break;
	default: /* BPF_DIV, BPF_MOD */
		if (!operand)
			return false;
		m->a = BPF_OP(f->code) == BPF_DIV ? m->a / operand : m->a % operand;
		break;
	}
	return true;
}

/* How many instructions a jump leaves out. */
static u32 jump(const struct machine *m, const struct sock_filter *f)
{
	u32 operand = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return f->k;
	case BPF_JEQ:
		return m->a == operand ? f->jt : f->jf;
	case BPF_JGT:
		return m->a > operand ? f->jt : f->jf;
	case BPF_JGE:
		return m->a >= operand ? f->jt : f->jf;
	default: /* BPF_JSET */
		return m->a & operand ? f->jt : f->jf;
	}
}

u32 bpf_run(const struct sock_filter *program, const struct bpf_input *input)
{
	struct machine m = {};

	for (const struct sock_filter *f = program;; f++) {
		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
		case BPF_LDX:
			if (!load(&m, f, input))
				return 0;
			break;
		case BPF_ST:
			m.memory[f->k] = m.a;
			break;
		case BPF_STX:
			m.memory[f->k] = m.x;
			break;
		case BPF_ALU:
			if (!calculate(&m, f))
				return 0;
			break;
		case BPF_JMP:
			f += jump(&m, f);
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		default:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				m.x = m.a;
			else
				m.a = m.x;
			break;
		}
	}
}
