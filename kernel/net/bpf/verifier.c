/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verifier of BPF: abstract interpretation in one pass.
 *
 * A program without loops is a graph without circles, so its instructions can be put in an order in which each comes after all
 * that may lead to it. Each is then looked at exactly once, with a state that holds for every way there: the union of what the
 * ways leave behind. So the work is bounded by the length of the program, not by the number of ways through it, and there is no
 * search that would have to be cut short by a rule (Linux's "pruning") that is sound only if nothing was forgotten. What it costs:
 * what is known only of one way is lost where it meets another one, so some correct programs are refused.
 *
 * (V1) Whenever a run reaches an instruction, its registers and its stack are as the state of that instruction says: a NUMBER is
 * in its intervals, a pointer points into what its kind names, at an offset in its interval.
 * (V2) NOTHING is never read. So what a program computes depends on no address and on nothing that was left in the stack: numbers come
 * from constants, the packet, the context, maps and functions only, and what leaves a program (R0, values, cb) is a number.
 * (V3) A pointer moves by numbers whose intervals are small (OFFSET_MAX) and is followed only where all offsets of its interval are
 * inside. VALUE_OR_NULL neither moves nor is followed.
 * (V4) An instruction runs at most once in a run, so a call returns one value: all copies of it are null or not together.
 * (V5) An instruction without a state is never reached. It is made one that ends the program, all the same.
 *
 * States are of kmalloc: one waits at each target of a jump that was seen but not reached yet, at most STATES_MAX of them.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/bpf/map.h>
#include <net/bpf/verifier.h>
#include <net/bpf/verifier_priv.h>

#define STATES_MAX 1024u
#define OFFSET_MAX (1 << 29)

const char *value_kind_name(u8 kind)
{
	static const char *const names[] = {
		[NOTHING] = "?",
		[NUMBER] = "scalar",
		[CONTEXT] = "ctx",
		[STACK] = "fp",
		[MAP] = "map_ptr",
		[VALUE] = "map_value",
		[VALUE_OR_NULL] = "map_value_or_null",
	};

	return names[kind];
}

int bpf_check_readable(struct verifier *v, unsigned number)
{
	return register_of(v, number)->kind != NOTHING ? 0
						       : refuse(v, -EACCES, "R%u !read_ok", number);
}

int bpf_check_number(struct verifier *v, unsigned number)
{
	int error = bpf_check_readable(v, number);

	if (error || register_of(v, number)->kind == NUMBER)
		return error;
	return refuse(v, -EACCES, "R%u is a pointer (%s), not a number", number,
		      value_kind_name(register_of(v, number)->kind));
}

/* --- Arithmetic --- */

static bool is_small(const struct scalar *s)
{
	return s->signed_min >= -OFFSET_MAX && s->signed_max <= OFFSET_MAX;
}

/* *pointer moves by `offset`. */
static int move_pointer(struct verifier *v, u8 operation, const struct value *pointer,
			const struct scalar *offset, struct value *out)
{
	struct scalar moved = scalar_compute(operation, true, pointer->number, *offset);

	if (pointer->kind != STACK && pointer->kind != VALUE)
		return refuse(v, -EACCES, "pointer arithmetic on %s prohibited",
			      value_kind_name(pointer->kind));
	if (!is_small(offset) || !is_small(&moved))
		return refuse(v, -EACCES, "value makes %s pointer be out of bounds",
			      value_kind_name(pointer->kind));
	if (pointer->kind == STACK && !scalar_is_constant(&moved))
		return refuse(v, -EACCES, "variable stack access prohibited");
	*out = *pointer;
	out->number = moved;
	return 0;
}

/* One operand at least is a pointer. */
static int verify_pointer_arithmetic(struct verifier *v, const struct value *a,
				     const struct value *b, struct value *out)
{
	const struct bpf_insn *i = instruction_of(v);
	u8 operation = BPF_OP(i->code);

	if (BPF_CLASS(i->code) == BPF_ALU64) {
		if (b->kind == NUMBER && (operation == BPF_ADD || operation == BPF_SUB))
			return move_pointer(v, operation, a, &b->number, out);
		if (a->kind == NUMBER && operation == BPF_ADD)
			return move_pointer(v, operation, b, &a->number, out);
	}
	return refuse(v, -EACCES, "R%u pointer arithmetic with operator %02x prohibited",
		      i->dst_reg, i->code);
}

static int verify_move(struct verifier *v, const struct value *from)
{
	const struct bpf_insn *i = instruction_of(v);
	bool wide = BPF_CLASS(i->code) == BPF_ALU64;

	if (!wide && from->kind != NUMBER)
		return refuse(v, -EACCES, "R%u partial copy of pointer", i->src_reg);
	*register_of(v, i->dst_reg) = wide ? *from
					   : value_of_number(scalar_compute(
						     BPF_MOV, false, scalar_unknown, from->number));
	return 0;
}

static int verify_swap(struct verifier *v)
{
	const struct bpf_insn *i = instruction_of(v);
	struct value *to = register_of(v, i->dst_reg);
	int error = bpf_check_number(v, i->dst_reg);

	if (error)
		return error;
	*to = value_of_number(scalar_is_constant(&to->number)
				      ? scalar_constant(bpf_swap(BPF_SRC(i->code) == BPF_TO_BE,
								 i->imm, to->number.min))
				      : scalar_of_width((unsigned)i->imm));
	return 0;
}

static int verify_arithmetic(struct verifier *v)
{
	const struct bpf_insn *i = instruction_of(v);
	struct value *to = register_of(v, i->dst_reg);
	struct value b = value_of_number(scalar_constant((u64)(s64)i->imm));
	int error = 0;

	if (BPF_OP(i->code) == BPF_END)
		return verify_swap(v);
	if (BPF_SRC(i->code) == BPF_X) {
		error = bpf_check_readable(v, i->src_reg);
		b = *register_of(v, i->src_reg);
	}
	if (error)
		return error;
	if (BPF_OP(i->code) == BPF_MOV)
		return verify_move(v, &b);
	error = bpf_check_readable(v, i->dst_reg);
	if (error)
		return error;
	if (to->kind != NUMBER || b.kind != NUMBER)
		return verify_pointer_arithmetic(v, to, &b, to);
	*to = value_of_number(scalar_compute(BPF_OP(i->code), BPF_CLASS(i->code) == BPF_ALU64,
					     to->number, b.number));
	return 0;
}

/* BPF_LD with BPF_IMM: a number, a map, or a value of an array. */
static int verify_constant(struct verifier *v)
{
	const struct bpf_insn *i = instruction_of(v);
	struct value *to = register_of(v, i->dst_reg);
	const struct bpf_map *map;

	if (!i->src_reg) {
		*to = value_of_number(scalar_constant((u32)i[0].imm | (u64)(u32)i[1].imm << 32));
		return 0;
	}
	if ((u32)i->imm >= v->program->map_count)
		return refuse(v, -EINVAL, "no map %u", (u32)i->imm);
	map = v->program->maps[i->imm];
	*to = (struct value){ .kind = MAP, .map = (u8)i->imm };
	if (i->src_reg == BPF_PSEUDO_MAP_FD)
		return 0;
	if (!bpf_map_only_value(map) || (u32)i[1].imm >= map->value_size)
		return refuse(v, -EINVAL, "direct value access on this map is not possible");
	to->kind = VALUE;
	to->number = scalar_constant((u32)i[1].imm);
	return 0;
}

/* --- Where ways meet --- */

static bool may_be_start_of_value(const struct value *a, const struct value *b)
{
	return a->kind == VALUE_OR_NULL || (a->kind == VALUE && scalar_is_constant(&a->number) &&
					    !a->number.min && b->kind != VALUE);
}

static bool is_null(const struct value *a)
{
	return a->kind == NUMBER && scalar_is_constant(&a->number) && !a->number.min;
}

/* What is either a or b. */
static struct value join_values(const struct value *a, const struct value *b)
{
	const struct value nothing = { .kind = NOTHING };
	struct value or_null = { .kind = VALUE_OR_NULL, .number = scalar_constant(0) };
	bool a_may = may_be_start_of_value(a, b), b_may = may_be_start_of_value(b, a);

	if (a_may && b_may) {
		or_null.map = a->map;
		or_null.call = a->kind == b->kind && a->call == b->call ? a->call : 0;
		return a->map == b->map ? or_null : nothing;
	}
	if ((a_may && is_null(b)) || (b_may && is_null(a))) {
		or_null.map = a_may ? a->map : b->map;
		return or_null;
	}
	if (a->kind != b->kind || a->map != b->map)
		return nothing;
	if (a->kind == STACK && a->number.min != b->number.min)
		return nothing;
	return (struct value){ .kind = a->kind,
			       .map = a->map,
			       .number = scalar_join(a->number, b->number) };
}

static void join_states(struct state *to, const struct state *from)
{
	for (unsigned n = 0; n < BPF_REGISTERS; n++)
		to->registers[n] = join_values(&to->registers[n], &from->registers[n]);
	for (unsigned n = 0; n < BPF_STACK_SLOTS; n++) {
		to->spills[n] = join_values(&to->spills[n], &from->spills[n]);
		to->written[n] &= from->written[n];
	}
}

static void free_state(struct verifier *v, struct state *state)
{
	v->states -= state != nullptr;
	kfree(state);
}

static struct state *new_state(struct verifier *v)
{
	struct state *state = kzalloc(sizeof(*state), 0);

	v->states += state != nullptr;
	return state;
}

/* The state of instruction v->at holds at `next` too; it is taken. */
static void flow_to(struct verifier *v, u32 next)
{
	struct instruction_node *node = &v->nodes[next];

	if (node->state) {
		join_states(node->state, v->state);
		free_state(v, v->state);
	} else {
		node->state = v->state;
	}
	v->state = nullptr;
}

/* --- Jumps --- */

/* All copies of what a call returned are null, or are not (V4). */
static void settle(struct state *s, const struct value *tested, bool null)
{
	struct value what = *tested, *all[] = { s->registers, s->spills };
	const unsigned counts[] = { BPF_REGISTERS, BPF_STACK_SLOTS };

	for (unsigned list = 0; list < ARRAY_SIZE(all); list++)
		for (unsigned n = 0; n < counts[list]; n++) {
			struct value *one = &all[list][n];

			if (one != tested &&
			    (one->kind != VALUE_OR_NULL || !what.call || one->call != what.call))
				continue;
			if (null)
				*one = value_of_number(scalar_constant(0));
			else
				one->kind = VALUE;
		}
}

/* Narrows v->state to the runs in which the jump is `taken`. 1: there may be some; 0: none; -EACCES. */
static int assume(struct verifier *v, bool taken)
{
	const struct bpf_insn *i = instruction_of(v);
	bool wide = BPF_CLASS(i->code) == BPF_JMP, equal = BPF_OP(i->code) == BPF_JEQ;
	u64 constant = wide ? (u64)(s64)i->imm : (u32)i->imm;
	struct value *a = register_of(v, i->dst_reg),
		     b = value_of_number(scalar_constant(constant));

	if (BPF_SRC(i->code) == BPF_X)
		b = *register_of(v, i->src_reg);
	if (a->kind == NUMBER && b.kind == NUMBER) {
		bool some = scalar_assume(BPF_OP(i->code), wide, taken, &a->number, &b.number);

		if (BPF_SRC(i->code) == BPF_X && i->src_reg != i->dst_reg)
			register_of(v, i->src_reg)->number = b.number;
		return some;
	}
	if (!wide || !is_null(&b) || (!equal && BPF_OP(i->code) != BPF_JNE))
		return refuse(v, -EACCES, "R%u pointer comparison prohibited", i->dst_reg);
	if (a->kind != VALUE_OR_NULL)
		return taken != equal; /* no other pointer is null */
	settle(v->state, a, taken == equal);
	return 1;
}

static int verify_jump(struct verifier *v, const u32 next[2])
{
	const struct bpf_insn *i = instruction_of(v);
	struct state *other;
	int error = bpf_check_readable(v, i->dst_reg), some;

	if (!error && BPF_SRC(i->code) == BPF_X)
		error = bpf_check_readable(v, i->src_reg);
	if (error)
		return error;
	if (v->states >= STATES_MAX)
		return refuse(v, -E2BIG, "too many branches at a time");
	other = new_state(v);
	if (!other)
		return -ENOMEM;
	*other = *v->state;
	for (unsigned taken = 0; taken < 2; taken++) {
		some = assume(v, taken);
		if (some > 0)
			flow_to(v, next[taken]);
		else
			free_state(v, v->state);
		v->state = taken ? nullptr : other;
		if (some < 0) {
			error = some;
			break;
		}
	}
	return error;
}

/* --- The pass --- */

static int verify_one(struct verifier *v)
{
	const struct bpf_insn *i = instruction_of(v);

	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return verify_arithmetic(v);
	case BPF_LD:
		return BPF_MODE(i->code) == BPF_IMM ? verify_constant(v)
						    : bpf_verify_packet_load(v);
	case BPF_JMP:
		if (BPF_OP(i->code) == BPF_CALL)
			return bpf_verify_call(v);
		return BPF_OP(i->code) == BPF_EXIT ? bpf_check_number(v, BPF_REG_0) : 0;
	default:
		return bpf_verify_access(v);
	}
}

/* Instruction v->at, with v->state, which is passed on or freed. */
static int verify_step(struct verifier *v)
{
	u32 next[2];
	int count = bpf_flow_next(v, v->at, next), error = count < 0 ? count : 0;

	v->processed++;
	if (!error && count == 2)
		error = verify_jump(v, next);
	else if (!error)
		error = verify_one(v);
	if (!error && count == 1)
		flow_to(v, next[0]);
	free_state(v, v->state);
	v->state = nullptr;
	return error;
}

static int verify_all(struct verifier *v)
{
	int count = bpf_flow_order(v), error = 0;
	struct state *start;

	if (count < 0)
		return count;
	start = v->nodes[0].state = new_state(v);
	if (!start)
		return -ENOMEM;
	start->registers[BPF_REG_1].kind = CONTEXT;
	start->registers[BPF_REG_10].kind = STACK;
	for (int n = 0; n < count && !error; n++) {
		v->at = v->nodes[n].order;
		v->state = v->nodes[v->at].state;
		v->nodes[v->at].state = nullptr;
		v->nodes[v->at].reached = v->state;
		if (v->state)
			error = verify_step(v);
	}
	for (u32 at = 0; at < v->count; at++)
		free_state(v, v->nodes[at].state);
	return error;
}

static void set_address(struct bpf_insn *i, u64 address)
{
	i[0].imm = (s32)address;
	i[1].imm = (s32)(address >> 32);
	i[0].src_reg = 0;
}

/* Addresses in the place of numbers of maps, and (V5). */
static void finish(const struct verifier *v)
{
	struct bpf_program *program = v->program;

	for (u32 at = 0; at < program->count; at++) {
		struct bpf_insn *i = &program->instructions[at];
		bool is_double = i->code == (BPF_LD | BPF_IMM | BPF_DW);

		if (!v->nodes[at].reached)
			*i = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
		else if (is_double && i->src_reg == BPF_PSEUDO_MAP_FD)
			set_address(i, (u64)program->maps[i->imm]);
		else if (is_double && i->src_reg == BPF_PSEUDO_MAP_VALUE)
			set_address(i,
				    (u64)bpf_map_only_value(program->maps[i->imm]) + (u32)i[1].imm);
		at += is_double;
	}
}

int bpf_verify(struct bpf_program *program, struct bpf_log *log)
{
	size_t size = sizeof(struct verifier) + program->count * sizeof(struct instruction_node);
	struct verifier *v = kvmalloc(size, ALLOC_ZERO);
	int error;

	if (!v)
		return -ENOMEM;
	v->count = program->count;
	v->program = program;
	v->log = log;
	error = bpf_shape_check(v);
	if (!error)
		error = verify_all(v);
	if (!error)
		finish(v);
	bpf_log_print(log, "processed %u insns (limit %u)", v->processed, BPF_MAXINSNS);
	kvfree(v);
	return error;
}
