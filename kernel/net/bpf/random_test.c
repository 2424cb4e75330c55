/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random programs: what the verifier accepts stays inside its memory and knows nothing of addresses.
 *
 * Each accepted program runs twice, with maps of its own at other places and other rubbish in the stack, and every access is
 * checked: that both runs end alike (R0, cb, contents of the maps) shows that no pointer and nothing unset went into a number.
 * The programs are not uniform, or none would be accepted: they keep in mind what the registers probably hold.
 */
#include "../../../arch/host/net.h"

#include <core/rcu.h>
#include <net/bpf/assembler.h>
#include <net/bpf/interpreter.h>
#include <net/bpf/verifier.h>
#include <net/filter_view.h>
#include <net/socket.h>

#define LENGTH 40
#define ROUNDS 200000

/* --- Making programs --- */

enum guess { EMPTY, NUMBER, CONTEXT, STACK, VALUE };

struct maker {
	struct bpf_insn instructions[LENGTH + 16];
	u32 count;
	u8 guesses[BPF_REGISTERS];
	u8 map[BPF_REGISTERS]; /* of a VALUE */
};

static u64 random_state; /* its own: functions of programs draw from the host's */

static u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static u32 below(u32 limit)
{
	return (u32)((next_random() >> 8) % limit);
}

static void put(struct maker *m, struct bpf_insn i)
{
	if (m->count < LENGTH)
		m->instructions[m->count++] = i;
}

/* A register that probably holds this; else any. */
static u8 some(const struct maker *m, enum guess wanted)
{
	u8 first = (u8)below(BPF_REGISTERS);

	for (u8 n = 0; n < BPF_REGISTERS && below(40); n++)
		if (m->guesses[(first + n) % BPF_REGISTERS] == wanted)
			return (first + n) % BPF_REGISTERS;
	return first;
}

static s32 constant(void)
{
	switch (below(6)) {
	case 0:
		return (s32)next_random();
	case 1:
		return (s32)(1u << below(32)) - (s32)below(3);
	case 2:
		return -(s32)below(70);
	default:
		return (s32)below(70);
	}
}

static u8 any_size(void)
{
	static const u8 sizes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };

	return sizes[below(4)];
}

static void put_arithmetic(struct maker *m)
{
	static const u8 operations[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,  BPF_AND,
					 BPF_AND, BPF_LSH, BPF_RSH, BPF_MOD, BPF_XOR, BPF_ARSH };
	u8 class = below(2) ? BPF_ALU64 : BPF_ALU, operation = operations[below(12)];
	u8 dst = some(m, NUMBER);

	switch (below(8)) {
	case 0:
		put(m, INSN(BPF_ALU | BPF_END | (below(2) ? BPF_TO_BE : 0), dst, 0, 0,
			    16 << below(3)));
		break;
	case 1:
		put(m, INSN(class | BPF_NEG, dst, 0, 0, 0));
		break;
	case 2:
	case 3:
		put(m, INSN(class | operation | BPF_X, dst, some(m, NUMBER), 0, 0));
		break;
	default:
		put(m, INSN(class | operation | BPF_K, dst, 0, 0,
			    operation == BPF_AND && below(2) ? (s32)below(16) : constant()));
	}
}

static void put_move(struct maker *m)
{
	u8 dst = (u8)below(10);

	if (below(2)) {
		put(m, below(2) ? MOV(dst, constant()) : ALU32(BPF_MOV, dst, constant()));
		m->guesses[dst] = NUMBER;
	} else {
		u8 src = some(m, (enum guess)(NUMBER + below(4)));

		put(m, MOVX(dst, src));
		m->guesses[dst] = m->guesses[src];
		m->map[dst] = m->map[src];
	}
}

/* A pointer moves: by little, or by a number that was made small just before. */
static void put_pointer_arithmetic(struct maker *m)
{
	u8 pointer = some(m, below(3) ? VALUE : STACK), number = some(m, NUMBER);

	if (pointer == BPF_REG_10) {
		u8 dst = (u8)below(10);

		put(m, MOVX(dst, pointer));
		m->guesses[dst] = STACK;
		pointer = dst;
	}
	if (below(2)) {
		put(m, ALU(below(2) ? BPF_ADD : BPF_SUB, pointer, (s32)below(24)));
	} else {
		if (below(3))
			put(m, ALU(BPF_AND, number, (s32)below(20)));
		put(m, ALUX(below(4) ? BPF_ADD : BPF_SUB, pointer, number));
	}
}

static s32 offset_for(const struct maker *m, u8 pointer)
{
	switch (m->guesses[pointer]) {
	case CONTEXT:
		return below(4) ? 48 + 4 * (s32)below(5) : 4 * (s32)below(20);
	case STACK:
		return below(8) ? -8 * (s32)(1 + below(6)) : -(s32)below(530);
	default:
		return (s32)below(20) - 2;
	}
}

static void put_access(struct maker *m)
{
	static const u8 atomics[] = { BPF_ADD, BPF_OR, BPF_AND, BPF_XOR };
	u8 pointer = some(m, (enum guess)(CONTEXT + below(3))), other = some(m, NUMBER);
	s32 offset = offset_for(m, pointer);

	if (below(4) == 0)
		other = some(m, (enum guess)(NUMBER + below(4)));
	switch (below(4)) {
	case 0:
		put(m, LOAD(any_size(), other = (u8)below(10), pointer, offset));
		m->guesses[other] = NUMBER;
		break;
	case 1:
		put(m, STORE(any_size(), pointer, offset, constant()));
		break;
	case 2:
		put(m, STOREX(below(2) ? BPF_DW : any_size(), pointer, offset, other));
		break;
	default:
		put(m, ATOMIC(below(2) ? BPF_DW : BPF_W, pointer, 0, offset, other));
		m->instructions[m->count - 1].dst_reg = pointer;
		m->instructions[m->count - 1].imm =
			below(3) ? atomics[below(4)] | (below(2) ? BPF_FETCH : 0)
				 : (below(2) ? BPF_XCHG : BPF_CMPXCHG);
	}
}

static void put_jump(struct maker *m)
{
	static const u8 operations[] = { BPF_JEQ,  BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT,
					 BPF_JSGE, BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE };
	u8 class = below(3) ? BPF_JMP : BPF_JMP32, operation = operations[below(11)];
	u8 dst = some(m, below(6) ? NUMBER : VALUE);
	s32 offset = (s32)below(4);

	if (!below(30))
		put(m, GOTO(offset));
	else if (below(3))
		put(m, INSN(class | operation | BPF_K, dst, 0, offset, below(4) ? constant() : 0));
	else
		put(m, INSN(class | operation | BPF_X, dst, some(m, NUMBER), offset, 0));
}

static void after_call(struct maker *m, enum guess result)
{
	for (unsigned n = BPF_REG_1; n <= BPF_REG_5; n++)
		m->guesses[n] = EMPTY;
	m->guesses[BPF_REG_0] = result;
}

static void put_lookup(struct maker *m)
{
	u8 map = (u8)below(TEST_MAPS);
	const struct bpf_insn lookup[] = { STORE(BPF_W, 10, -4, (s32)below(6)), MOVX(2, 10),
					   ALU(BPF_ADD, 2, -4), MAP(1, map),
					   CALL(map_lookup_elem) };

	for (unsigned n = 0; n < ARRAY_SIZE(lookup); n++)
		put(m, lookup[n]);
	after_call(m, VALUE);
	m->map[BPF_REG_0] = map;
	if (!below(10))
		return;
	if (below(3)) {
		put(m, MOVX(7, 0));
		m->guesses[7] = VALUE;
	}
	put(m, JUMP(BPF_JNE, 0, 0, 2));
	put(m, MOV(0, (s32)below(9)));
	put(m, EXIT);
}

static void put_call(struct maker *m)
{
	u8 map = (u8)below(TEST_MAPS);
	const struct bpf_insn update[] = { STORE(BPF_W, 10, -4, (s32)below(6)),
					   MOVX(2, 10),
					   ALU(BPF_ADD, 2, -4),
					   MAP(1, map),
					   MOVX(3, 10),
					   ALU(BPF_ADD, 3, -8 * (s32)(1 + below(8))),
					   MOV(4, (s32)below(3)),
					   CALL(map_update_elem) };
	const struct bpf_insn take[] = { MOVX(1, some(m, CONTEXT)),
					 MOV(2, (s32)below(20)),
					 MOVX(3, 10),
					 ALU(BPF_ADD, 3, -8 * (s32)(1 + below(8))),
					 MOVX(4, some(m, NUMBER)),
					 ALU(BPF_AND, 4, (s32)below(16)),
					 ALU(BPF_ADD, 4, 1),
					 CALL(skb_load_bytes) };
	const struct bpf_insn *which = below(2) ? update : take;

	for (unsigned n = 0; n < 8; n++)
		if (which == update || n != 5 || below(3))
			put(m, which[n]);
	if (which == update && below(2))
		put(m, CALL(get_prandom_u32));
	after_call(m, NUMBER);
}

static void put_packet_load(struct maker *m)
{
	if (below(2))
		put(m, PACKET(below(3) ? BPF_W : BPF_B, (s32)below(20)));
	else
		put(m, PACKETX(BPF_H, some(m, NUMBER), (s32)below(20)));
	after_call(m, NUMBER);
}

static void put_something(struct maker *m);

/* Two ways, that meet again. */
static void put_branches(struct maker *m)
{
	u32 jump = m->count, over;

	put(m, JUMP(BPF_JGT, some(m, NUMBER), (s32)below(40), 0));
	put_something(m);
	over = m->count;
	put(m, GOTO(0));
	put_something(m);
	if (m->count == LENGTH)
		return;
	m->instructions[jump].off = (s16)(over - jump);
	m->instructions[over].off = (s16)(m->count - over - 1);
}

static void put_something(struct maker *m)
{
	u64 bits = next_random();

	switch (below(20)) {
	case 0:
	case 1:
		put_lookup(m);
		break;
	case 2:
		put_call(m);
		break;
	case 3:
		put_packet_load(m);
		break;
	case 4:
	case 5:
		put_jump(m);
		break;
	case 6:
		put_branches(m);
		break;
	case 7:
	case 8:
		put_move(m);
		break;
	case 9:
	case 10:
		put_pointer_arithmetic(m);
		break;
	case 11:
	case 12:
	case 13:
	case 14:
	case 15:
		put_access(m);
		break;
	case 16:
		if (!below(8))
			put(m, INSN(bits, bits >> 8 & 15, bits >> 12 & 15, (s8)(bits >> 16),
				    constant()));
		break;
	default:
		put_arithmetic(m);
	}
}

static void make(struct maker *m)
{
	u32 length = 4 + below(LENGTH - 8);

	*m = (struct maker){ .guesses = { [BPF_REG_1] = CONTEXT, [BPF_REG_10] = STACK } };
	put(m, MOVX(6, 1));
	m->guesses[6] = CONTEXT;
	for (u8 n = 0; n < 3; n++) {
		u8 dst = (u8)(7 + below(3));

		put(m, below(2) ? LOAD(BPF_W, dst, 6, 0) : MOV(dst, constant()));
		m->guesses[dst] = NUMBER;
		put(m, STORE(BPF_DW, 10, -8 * (1 + n), constant()));
	}
	while (m->count < length)
		put_something(m);
	if (below(2) || m->guesses[BPF_REG_0] != NUMBER)
		m->instructions[m->count++] = MOVX(0, some(m, NUMBER));
	m->instructions[m->count++] = EXIT;
}

/* --- Running them --- */

#define SEEN_MAX 64

struct machine_run {
	struct bpf_map *maps[TEST_MAPS];
	struct bpf_program *program;
	struct bpf_machine machine;
	struct __sk_buff context;
	u64 result;
	/* What functions returned to it. */
	struct {
		const void *value;
		u32 size;
	} seen[SEEN_MAX];
	unsigned seen_count;
};

static struct machine_run *running;

static struct bpf_map_ops noting[TEST_MAPS];
static const struct bpf_map_ops *real[TEST_MAPS];

static void *lookup_and_note(const struct bpf_map *map, const void *key)
{
	void *value = real[map->ops - noting]->lookup(map, key);

	if (value && running && EXPECT(running->seen_count < SEEN_MAX)) {
		running->seen[running->seen_count].value = value;
		running->seen[running->seen_count++].size = map->value_size;
	}
	return value;
}

static bool is_inside(u64 address, unsigned size, const void *from, u64 length)
{
	return address >= (u64)from && address - (u64)from <= length &&
	       size <= length - (address - (u64)from);
}

static bool permits(const struct bpf_machine *m, u64 address, unsigned size, bool write)
{
	const struct __sk_buff *context = m->context;
	bool ok = is_inside(address, size, m->stack, sizeof(m->stack)) ||
		  is_inside(address, size, write ? (const void *)context->cb : context,
			    write ? sizeof(context->cb) : sizeof(*context));

	for (unsigned n = 0; n < running->seen_count && !ok; n++)
		ok = is_inside(address, size, running->seen[n].value, running->seen[n].size);
	return EXPECT(ok);
}

static void begin(struct machine_run *r, const struct maker *maker)
{
	u64 value[8];

	running = nullptr;
	make_maps(r->maps);
	for (u32 key = 0; key < 3; key++) {
		for (unsigned n = 0; n < ARRAY_SIZE(value); n++)
			value[n] = key * 7 + n;
		for (unsigned n = 0; n < TEST_MAPS; n++)
			(void)!bpf_map_write(r->maps[n], &key, value, 0);
	}
	for (unsigned n = 0; n < TEST_MAPS; n++) {
		real[n] = r->maps[n]->ops;
		noting[n] = *real[n];
		noting[n].lookup = lookup_and_note;
		r->maps[n]->ops = &noting[n];
	}
	r->program = make_program(maker->instructions, maker->count, r->maps);
}

static void run(struct machine_run *r, const struct filter_view *view, u8 rubbish)
{
	running = r;
	r->seen_count = 0;
	memset(r->machine.stack, rubbish, sizeof(r->machine.stack));
	bpf_context_fill(&r->context, view);
	r->machine.view = view;
	r->machine.socket = nullptr;
	r->machine.context = &r->context;
	host_net_seed(1);
	r->result = bpf_interpret(r->program->instructions, &r->machine, permits);
	running = nullptr;
}

static bool same_ends(const struct machine_run *a, const struct machine_run *b)
{
	if (a->result != b->result || memcmp(&a->context, &b->context, sizeof(a->context)))
		return false;
	for (u32 key = 0; key < 6; key++)
		for (unsigned n = 0; n < TEST_MAPS; n++) {
			const void *one = a->maps[n]->ops->lookup(a->maps[n], &key);
			const void *other = b->maps[n]->ops->lookup(b->maps[n], &key);

			if (!one != !other || (one && memcmp(one, other, a->maps[n]->value_size)))
				return false;
		}
	return true;
}

static void end(struct machine_run *r)
{
	bpf_program_put(r->program);
	for (unsigned n = 0; n < TEST_MAPS; n++)
		bpf_map_put(r->maps[n]);
}

/* True: it was accepted. */
static bool try_program(const struct maker *maker, const struct filter_view *view)
{
	static struct machine_run runs[2];
	struct bpf_log log = {};
	int errors[2];

	for (unsigned n = 0; n < 2; n++) {
		begin(&runs[n], maker);
		errors[n] = bpf_verify(runs[n].program, &log);
	}
	EXPECT_EQ(errors[0], errors[1]);
	for (unsigned n = 0; n < 2 && !errors[0]; n++)
		run(&runs[n], view, (u8)(0x51 + 0x66 * n));
	if (!errors[0])
		EXPECT(same_ends(&runs[0], &runs[1]));
	else
		EXPECT(log.length);
	for (unsigned n = 0; n < 2; n++)
		end(&runs[n]);
	rcu_barrier();
	return !errors[0];
}

TEST(bpf_random_programs_stay_inside)
{
	static struct packet packet;
	struct filter_view view;
	struct maker maker;
	u32 accepted = 0, rounds = ROUNDS * (u32)host_scale();

	packet = (struct packet){ .data = packet.room + 64,
				  .length = 18,
				  .linear = 18,
				  .link_header = 64,
				  .network_header = 64 };
	view = filter_view_packet(&packet);
	random_state = 88172645463325252ull;
	for (u32 round = 0; round < rounds && !test_has_failed(); round++) {
		for (unsigned n = 0; n < 18; n++)
			packet.data[n] = (u8)next_random();
		make(&maker);
		accepted += try_program(&maker, &view);
	}
	/* Enough of them that this says something. */
	EXPECT(accepted > rounds / 20);
}
