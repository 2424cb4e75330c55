/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that the verifier accepts, and ones that it refuses, each with the reason that it must give. */
#include <core/rcu.h>
#include <net/bpf/assembler.h>
#include <net/bpf/verifier.h>

struct sample {
	const char *name;
	const char *reason; /* null: accepted */
	int error;
	struct bpf_insn instructions[28];
};

/* The address of a key on the stack, and what a map has there, in R0. */
#define KEY STORE(BPF_W, 10, -4, 1), MOVX(2, 10), ALU(BPF_ADD, 2, -4)
#define LOOKUP(map) KEY, MAP(1, map), CALL(map_lookup_elem)
#define DONE MOV(0, 0), EXIT

static const struct sample accepted[] = {
	{ "constant", .instructions = { MOV(0, 1), EXIT } },
	{ "jump over nothing", .instructions = { MOV(0, 1), JUMP(BPF_JEQ, 0, 1, 0), EXIT } },
	{ "backwards without a loop",
	  .instructions = { GOTO(2), MOV(0, 1), EXIT, JUMP(BPF_JEQ, 1, 0, -3), GOTO(-4) } },
	{ "a way that no run goes",
	  .instructions = { MOV(0, 1), JUMP(BPF_JEQ, 0, 1, 1), LOAD(BPF_DW, 0, 9, 0), EXIT } },
	{ "spilled context", .instructions = { STOREX(BPF_DW, 10, -8, 1), LOAD(BPF_DW, 6, 10, -8),
					       PACKET(BPF_W, 0), EXIT } },
	{ "written in pieces", .instructions = { STORE(BPF_W, 10, -8, 1), STORE(BPF_H, 10, -4, 1),
						 STORE(BPF_B, 10, -2, 1), STORE(BPF_B, 10, -1, 1),
						 LOAD(BPF_DW, 0, 10, -8), EXIT } },
	{ "value after a look",
	  .instructions = { LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 1), LOAD(BPF_DW, 0, 0, 8), EXIT } },
	{ "value, tested through a copy",
	  .instructions = { LOOKUP(0), MOVX(6, 0), MOVX(7, 0), JUMP(BPF_JNE, 6, 0, 2), DONE,
			    LOAD(BPF_DW, 0, 7, 8), EXIT } },
	{ "value, tested through the stack",
	  .instructions = { LOOKUP(0), STOREX(BPF_DW, 10, -16, 0), JUMP(BPF_JNE, 0, 0, 2), DONE,
			    LOAD(BPF_DW, 1, 10, -16), LOAD(BPF_DW, 0, 1, 0), EXIT } },
	{ "value or nothing looked up",
	  .instructions = { MOVX(6, 1), MOV(0, 0), LOAD(BPF_W, 7, 6, 0), JUMP(BPF_JEQ, 7, 0, 6),
			    LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 1), LOAD(BPF_DW, 0, 0, 0), EXIT } },
	{ "index with a mask",
	  .instructions = { LOAD(BPF_W, 6, 1, 0), LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 3),
			    ALU(BPF_AND, 6, 15), ALUX(BPF_ADD, 0, 6), LOAD(BPF_B, 0, 0, 0),
			    EXIT } },
	{ "index with a comparison",
	  .instructions = { LOAD(BPF_W, 6, 1, 0), LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 3),
			    JUMP(BPF_JGT, 6, 12, 2), ALUX(BPF_ADD, 0, 6), LOAD(BPF_W, 0, 0, 0),
			    DONE } },
	{ "index with two signed comparisons",
	  .instructions = { LOAD(BPF_W, 6, 1, 0), LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 4),
			    JUMP(BPF_JSGT, 6, 12, 3), JUMP(BPF_JSLT, 6, 0, 2), ALUX(BPF_ADD, 0, 6),
			    LOAD(BPF_W, 0, 0, 0), DONE } },
	{ "only value of an array",
	  .instructions = { WIDE(1, BPF_PSEUDO_MAP_VALUE, 2, 8), LOAD(BPF_DW, 0, 1, 48), EXIT } },
	{ "atomic on a value", .instructions = { LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 2), MOV(1, 1),
						 ATOMIC(BPF_DW, BPF_ADD, 0, 8, 1), DONE } },
	{ "bytes of the packet",
	  .instructions = { MOV(2, 0), MOVX(3, 10), ALU(BPF_ADD, 3, -16), MOV(4, 16),
			    CALL(skb_load_bytes), LOAD(BPF_DW, 0, 10, -8), EXIT } },
	{ "as many bytes as it says",
	  .instructions = { LOAD(BPF_W, 4, 1, 0), ALU(BPF_AND, 4, 7), ALU(BPF_ADD, 4, 1), MOV(2, 0),
			    STORE(BPF_DW, 10, -8, 0), MOVX(3, 10), ALU(BPF_ADD, 3, -8),
			    CALL(skb_load_bytes), EXIT } },
	{ "update",
	  .instructions = { KEY, MAP(1, 1), STORE(BPF_DW, 10, -16, 1), MOVX(3, 10),
			    ALU(BPF_ADD, 3, -16), MOV(4, 0), CALL(map_update_elem), EXIT } },
	{ "field of the context",
	  .instructions = { STORE(BPF_W, 1, 48, 1), LOAD(BPF_DW, 0, 1, 48), EXIT } },
};

#define REFUSED(name, error, reason, ...)                                                          \
	{                                                                                          \
		name, reason, error,                                                               \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

static const struct sample refused[] = {
	REFUSED("no end", -EINVAL, "out of range", MOV(0, 0)),
	REFUSED("jump out", -EINVAL, "out of range", MOV(0, 0), GOTO(1), EXIT),
	REFUSED("jump before", -EINVAL, "out of range", MOV(0, 0), GOTO(-3), EXIT),
	REFUSED("jump into a constant", -EINVAL, "out of range", GOTO(1), WIDE(0, 0, 1, 1), EXIT),
	REFUSED("half a constant", -EINVAL, "unknown opcode",
		INSN(BPF_LD | BPF_IMM | BPF_DW, 0, 0, 0, 0)),
	REFUSED("loop", -EINVAL, "back-edge", MOV(0, 0), JUMP(BPF_JNE, 0, 9, -1), EXIT),
	REFUSED("unreachable", -EINVAL, "unreachable", MOV(0, 0), EXIT, MOV(0, 0), EXIT),
	REFUSED("unknown opcode", -EINVAL, "unknown opcode", INSN(0xff, 0, 0, 0, 0), EXIT),
	REFUSED("reserved field", -EINVAL, "unknown opcode", INSN(BPF_ALU64 | BPF_MOV, 0, 1, 0, 0),
		EXIT),
	REFUSED("offset of arithmetic", -EINVAL, "unknown opcode",
		INSN(BPF_ALU64 | BPF_DIV, 0, 0, 1, 3), EXIT),
	REFUSED("register 11", -EINVAL, "unknown opcode", MOV(11, 0), EXIT),
	REFUSED("division by 0", -EINVAL, "unknown opcode", MOV(0, 0), ALU(BPF_MOD, 0, 0), EXIT),
	REFUSED("wide shift", -EINVAL, "unknown opcode", MOV(0, 0), ALU32(BPF_LSH, 0, 32), EXIT),
	REFUSED("call of a function of the program", -EINVAL, "unknown opcode",
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0), EXIT),
	REFUSED("unknown function", -EINVAL, "unknown func", INSN(BPF_JMP | BPF_CALL, 0, 0, 0, -1),
		EXIT),
	REFUSED("function of another type", -EINVAL, "unknown func", CALL(skb_store_bytes), EXIT),
	REFUSED("unknown map", -EINVAL, "no map", MAP(1, 3), DONE),
	REFUSED("value of a map of several", -EINVAL, "not possible",
		WIDE(1, BPF_PSEUDO_MAP_VALUE, 0, 0), DONE),
	REFUSED("value beyond it", -EINVAL, "not possible", WIDE(1, BPF_PSEUDO_MAP_VALUE, 2, 64),
		DONE),
	REFUSED("R10", -EACCES, "frame pointer", MOV(10, 0), DONE),
	REFUSED("R10 fetched into", -EACCES, "frame pointer", STORE(BPF_DW, 10, -8, 0),
		ATOMIC(BPF_DW, BPF_XCHG, 10, -8, 10), DONE),
	REFUSED("unset register", -EACCES, "R2 !read_ok", MOVX(0, 2), EXIT),
	REFUSED("unset result", -EACCES, "R0 !read_ok", EXIT),
	REFUSED("set on one way only", -EACCES, "R0 !read_ok", LOAD(BPF_W, 2, 1, 0),
		JUMP(BPF_JEQ, 2, 0, 1), MOV(0, 0), EXIT),
	REFUSED("register of a call", -EACCES, "R1 !read_ok", CALL(ktime_get_ns), MOVX(0, 1), EXIT),
	REFUSED("unset stack", -EACCES, "invalid read from stack", LOAD(BPF_DW, 0, 10, -8), EXIT),
	REFUSED("half-set stack", -EACCES, "invalid read from stack", STORE(BPF_W, 10, -8, 0),
		LOAD(BPF_DW, 0, 10, -8), EXIT),
	REFUSED("set on one way's stack", -EACCES, "invalid read from stack", LOAD(BPF_W, 2, 1, 0),
		JUMP(BPF_JEQ, 2, 0, 1), STORE(BPF_DW, 10, -8, 0), LOAD(BPF_DW, 0, 10, -8), EXIT),
	REFUSED("set on the way that is looked at first", -EACCES, "invalid read from stack",
		LOAD(BPF_W, 2, 1, 0), JUMP(BPF_JEQ, 2, 0, 1), GOTO(1), STORE(BPF_DW, 10, -8, 0),
		LOAD(BPF_DW, 0, 10, -8), EXIT),
	REFUSED("places that differ", -EACCES, "invalid mem access '?'", LOAD(BPF_W, 2, 1, 0),
		STORE(BPF_DW, 10, -8, 0), MOVX(3, 10), JUMP(BPF_JEQ, 2, 0, 1), GOTO(1),
		ALU(BPF_SUB, 3, 8), LOAD(BPF_B, 0, 3, 0), EXIT),
	REFUSED("above the stack", -EACCES, "invalid access to fp", STORE(BPF_DW, 10, 0, 1), DONE),
	REFUSED("below the stack", -EACCES, "invalid access to fp", STORE(BPF_DW, 10, -520, 1),
		DONE),
	REFUSED("below it by arithmetic", -EACCES, "invalid access to fp", MOVX(1, 10),
		ALU(BPF_SUB, 1, 600), STORE(BPF_B, 1, 0, 1), DONE),
	REFUSED("unaligned stack", -EACCES, "invalid access to fp", STORE(BPF_DW, 10, -12, 1),
		DONE),
	REFUSED("variable stack", -EACCES, "variable stack", LOAD(BPF_B, 2, 1, 0), MOVX(3, 10),
		ALUX(BPF_SUB, 3, 2), DONE),
	REFUSED("huge offset", -EACCES, "out of bounds", MOVX(3, 10), ALU(BPF_ADD, 3, 1 << 30),
		DONE),
	REFUSED("part of a pointer", -EACCES, "part is stored", STOREX(BPF_W, 10, -8, 1), DONE),
	REFUSED("pointer as a number", -EACCES, "invalid read from stack",
		STOREX(BPF_DW, 10, -8, 1), LOAD(BPF_W, 0, 10, -8), EXIT),
	REFUSED("rest of a pointer", -EACCES, "invalid read from stack", STOREX(BPF_DW, 10, -8, 1),
		STORE(BPF_B, 10, -8, 0), LOAD(BPF_DW, 0, 10, -8), EXIT),
	REFUSED("pointer is returned", -EACCES, "R0 is a pointer", MOVX(0, 10), EXIT),
	REFUSED("pointer into the context", -EACCES, "leaks addr", STOREX(BPF_DW, 1, 48, 10), DONE),
	REFUSED("pointer into a value", -EACCES, "leaks addr", LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 1),
		STOREX(BPF_DW, 0, 0, 10), DONE),
	REFUSED("pointer into a map", -EACCES, "invalid indirect read", KEY, MAP(1, 1),
		STOREX(BPF_DW, 10, -16, 10), MOVX(3, 10), ALU(BPF_ADD, 3, -16), MOV(4, 0),
		CALL(map_update_elem), EXIT),
	REFUSED("pointers are compared", -EACCES, "pointer comparison", MOVX(2, 10),
		JUMPX(BPF_JGT, 2, 1, 0), DONE),
	REFUSED("order of a pointer", -EACCES, "pointer comparison", JUMP(BPF_JGT, 1, 0, 0), DONE),
	REFUSED("lower half of a pointer", -EACCES, "pointer comparison", JUMP32(BPF_JEQ, 1, 0, 0),
		DONE),
	REFUSED("difference of pointers", -EACCES, "pointer arithmetic", MOVX(0, 10),
		ALUX(BPF_SUB, 0, 10), EXIT),
	REFUSED("pointer from a number", -EACCES, "pointer arithmetic", MOV(0, 0),
		ALUX(BPF_SUB, 0, 10), EXIT),
	REFUSED("product of a pointer", -EACCES, "pointer arithmetic", MOVX(0, 10),
		ALU(BPF_MUL, 0, 2), EXIT),
	REFUSED("sum in 32 bits", -EACCES, "pointer arithmetic", MOVX(0, 10), ALU32(BPF_ADD, 0, 2),
		EXIT),
	REFUSED("copy in 32 bits", -EACCES, "partial copy", ALU32X(BPF_MOV, 0, 10), EXIT),
	REFUSED("swapped pointer", -EACCES, "is a pointer", MOVX(0, 10),
		INSN(BPF_ALU | BPF_END, 0, 0, 0, 64), EXIT),
	REFUSED("moved context", -EACCES, "on ctx prohibited", ALU(BPF_ADD, 1, 4), DONE),
	REFUSED("moved map", -EACCES, "on map_ptr prohibited", MAP(1, 0), ALU(BPF_ADD, 1, 4), DONE),
	REFUSED("number as a pointer", -EACCES, "invalid mem access 'scalar'", MOV(1, 0),
		LOAD(BPF_B, 0, 1, 0), EXIT),
	REFUSED("map as memory", -EACCES, "invalid mem access 'map_ptr'", MAP(1, 0),
		LOAD(BPF_B, 0, 1, 0), EXIT),
	REFUSED("field of others", -EACCES, "invalid access to ctx", LOAD(BPF_W, 0, 1, 76), EXIT),
	REFUSED("field that is read only", -EACCES, "invalid access to ctx", STORE(BPF_W, 1, 8, 0),
		DONE),
	REFUSED("atomic on the context", -EACCES, "invalid mem access 'ctx'", MOV(2, 0),
		ATOMIC(BPF_W, BPF_ADD, 1, 48, 2), DONE),
	REFUSED("maybe null", -EACCES, "map_value_or_null", LOOKUP(0), LOAD(BPF_B, 0, 0, 0), EXIT),
	REFUSED("null", -EACCES, "invalid mem access 'scalar'", LOOKUP(0), JUMP(BPF_JNE, 0, 0, 1),
		LOAD(BPF_B, 1, 0, 0), DONE),
	REFUSED("moved before the look", -EACCES, "prohibited", LOOKUP(0), ALU(BPF_ADD, 0, 4),
		DONE),
	REFUSED("other call's value", -EACCES, "map_value_or_null", LOOKUP(0), MOVX(6, 0),
		LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 1), LOAD(BPF_B, 1, 6, 0), DONE),
	REFUSED("one or the other call's value", -EACCES, "map_value_or_null", LOAD(BPF_W, 9, 1, 0),
		LOOKUP(0), MOVX(6, 0), LOOKUP(0), MOVX(8, 0), JUMP(BPF_JEQ, 9, 0, 1), GOTO(1),
		MOVX(8, 6), JUMP(BPF_JEQ, 6, 0, 1), LOAD(BPF_B, 1, 8, 0), DONE),
	REFUSED("beyond a value", -EACCES, "invalid access to map_value", LOOKUP(0),
		JUMP(BPF_JEQ, 0, 0, 1), LOAD(BPF_DW, 1, 0, 9), DONE),
	REFUSED("before a value", -EACCES, "invalid access to map_value", LOOKUP(0),
		JUMP(BPF_JEQ, 0, 0, 1), LOAD(BPF_B, 1, 0, -1), DONE),
	REFUSED("index too large by one", -EACCES, "invalid access to map_value",
		LOAD(BPF_W, 6, 1, 0), LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 3), ALU(BPF_AND, 6, 16),
		ALUX(BPF_ADD, 0, 6), LOAD(BPF_B, 0, 0, 0), DONE),
	REFUSED("index that may be negative", -EACCES, "out of bounds", LOAD(BPF_DW, 6, 1, 48),
		LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 3), JUMP(BPF_JSGT, 6, 3, 2), ALUX(BPF_ADD, 0, 6),
		LOAD(BPF_B, 0, 0, 0), DONE),
	REFUSED("atomic at a variable place", -EACCES, "invalid access to map_value",
		LOAD(BPF_W, 6, 1, 0), LOOKUP(0), JUMP(BPF_JEQ, 0, 0, 3), ALU(BPF_AND, 6, 7),
		ALUX(BPF_ADD, 0, 6), ATOMIC(BPF_DW, BPF_ADD, 0, 0, 6), DONE),
	REFUSED("unaligned atomic", -EACCES, "invalid access to map_value", LOOKUP(0),
		JUMP(BPF_JEQ, 0, 0, 2), MOV(1, 1), ATOMIC(BPF_DW, BPF_ADD, 0, 4, 1), DONE),
	REFUSED("atomic on unset stack", -EACCES, "invalid access to fp", MOV(1, 0),
		ATOMIC(BPF_DW, BPF_ADD, 10, -8, 1), DONE),
	REFUSED("atomic with a pointer", -EACCES, "is a pointer", STORE(BPF_DW, 10, -8, 0),
		ATOMIC(BPF_DW, BPF_ADD, 10, -8, 1), DONE),
	REFUSED("unset key", -EACCES, "invalid indirect read", MAP(1, 0), MOVX(2, 10),
		ALU(BPF_ADD, 2, -4), CALL(map_lookup_elem), DONE),
	REFUSED("key out of the stack", -EACCES, "invalid access to fp", MAP(1, 0), MOVX(2, 10),
		ALU(BPF_ADD, 2, -2), CALL(map_lookup_elem), DONE),
	REFUSED("no map", -EACCES, "expected=map_ptr", KEY, MOV(1, 0), CALL(map_lookup_elem), DONE),
	REFUSED("no context", -EACCES, "expected=ctx", MOV(1, 0), CALL(get_socket_cookie), DONE),
	REFUSED("buffer without size", -EACCES, "zero-sized", MOV(2, 0), MOVX(3, 10),
		ALU(BPF_ADD, 3, -8), MOV(4, 0), CALL(skb_load_bytes), DONE),
	REFUSED("buffer too small", -EACCES, "invalid access to fp", MOV(2, 0), MOVX(3, 10),
		ALU(BPF_ADD, 3, -8), MOV(4, 9), CALL(skb_load_bytes), DONE),
	REFUSED("buffer of negative size", -EACCES, "invalid access to fp", MOV(2, 0), MOVX(3, 10),
		ALU(BPF_ADD, 3, -8), MOV(4, -1), CALL(skb_load_bytes), DONE),
	REFUSED("part of a buffer", -EACCES, "invalid indirect read", LOAD(BPF_W, 4, 1, 0),
		ALU(BPF_AND, 4, 7), ALU(BPF_ADD, 4, 1), MOV(2, 0), MOVX(3, 10), ALU(BPF_ADD, 3, -8),
		CALL(skb_load_bytes), DONE),
	REFUSED("packet without context", -EINVAL, "R6 != pointer", MOV(6, 0), PACKET(BPF_W, 0),
		EXIT),
	REFUSED("packet at a pointer", -EACCES, "is a pointer", MOVX(6, 1), PACKETX(BPF_W, 10, 0),
		EXIT),
};

static u32 length_of(const struct sample *sample)
{
	u32 count = ARRAY_SIZE(sample->instructions);

	while (count && !memcmp(&sample->instructions[count - 1], &(struct bpf_insn){},
				sizeof(struct bpf_insn)))
		count--;
	return count;
}

static void check(const struct sample *sample, struct bpf_map *const *maps)
{
	struct bpf_program *program = make_program(sample->instructions, length_of(sample), maps);
	struct bpf_log log = {};
	int error = bpf_verify(program, &log);

	if (error != sample->error || (sample->reason && !strstr(log.text, sample->reason)))
		test_fail(__FILE_NAME__, __LINE__, "%s: %d, %s", sample->name, error, log.text);
	bpf_program_put(program);
}

TEST(bpf_verifier_accepts_and_refuses)
{
	struct bpf_map *maps[TEST_MAPS];

	make_maps(maps);
	for (size_t n = 0; n < ARRAY_SIZE(accepted); n++)
		check(&accepted[n], maps);
	for (size_t n = 0; n < ARRAY_SIZE(refused); n++)
		check(&refused[n], maps);
	for (unsigned n = 0; n < TEST_MAPS; n++)
		bpf_map_put(maps[n]);
}

/* As many ways through it as there are numbers of 1000 bits: each instruction is looked at once. */
TEST(bpf_verifier_is_done_with_each_instruction_once)
{
	static struct bpf_insn many[BPF_MAXINSNS];
	struct bpf_program *program;
	struct bpf_log log = {};
	u32 count = 0;

	many[count++] = LOAD(BPF_W, 2, 1, 0);
	many[count++] = MOV(0, 0);
	while (count < BPF_MAXINSNS - 3) {
		many[count] = INSN(BPF_JMP | BPF_JSET | BPF_K, 2, 0, 1, 1 << count % 31);
		count++;
		many[count++] = ALU(BPF_ADD, 0, 1);
	}
	many[count++] = EXIT;
	program = make_program(many, count, nullptr);
	EXPECT_EQ(bpf_verify(program, &log), 0);
	EXPECT(strstr(log.text, "processed 40"));
	bpf_program_put(program);
}

/* All jumps lead to places far behind: too many states at a time. */
TEST(bpf_verifier_has_bounded_memory)
{
	static struct bpf_insn many[BPF_MAXINSNS];
	struct bpf_program *program;
	struct bpf_log log = {};
	u32 half = BPF_MAXINSNS / 2 - 2, count = 0;

	many[count++] = MOV(0, 0);
	many[count++] = LOAD(BPF_W, 2, 1, 0);
	for (u32 n = 0; n < half; n++)
		many[count++] = JUMP(BPF_JEQ, 2, (s32)n, (s32)(half - 1));
	for (u32 n = 0; n < half; n++)
		many[count++] = ALU(BPF_ADD, 0, 1);
	many[count++] = EXIT;
	program = make_program(many, count, nullptr);
	EXPECT_EQ(bpf_verify(program, &log), -E2BIG);
	EXPECT(strstr(log.text, "too many branches"));
	bpf_program_put(program);
}

TEST_NO_MEMORY(bpf_verifier_without_memory)
{
	static const struct bpf_insn some[] = { LOAD(BPF_W, 0, 1, 0), JUMP(BPF_JEQ, 0, 1, 1),
						MOV(0, 1), EXIT };
	struct bpf_program *program;
	int error = bpf_program_create(nullptr, ARRAY_SIZE(some), &program);

	if (error) {
		EXPECT_EQ(error, -ENOMEM);
		return;
	}
	memcpy(program->instructions, some, sizeof(some));
	error = bpf_verify(program, nullptr);
	EXPECT(!error || (error == -ENOMEM && test_allocation_failed()));
	bpf_program_put(program);
}
