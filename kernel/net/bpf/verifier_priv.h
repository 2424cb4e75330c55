/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the verifier share. */
#pragma once

#include <net/bpf/log.h>
#include <net/bpf/program.h>
#include <net/bpf/scalar.h>

#define BPF_STACK_SLOTS (BPF_STACK_SIZE / 8)

/* What a register holds. */
enum value_kind {
	NOTHING, /* unknown, perhaps a pointer: it must not be read */
	NUMBER,
	CONTEXT,       /* struct __sk_buff */
	STACK,	       /* the end of the stack, and an offset that is a constant */
	MAP,	       /* a struct bpf_map, for helpers */
	VALUE,	       /* the start of a value of a map, and an offset */
	VALUE_OR_NULL, /* the start of one, or 0 */
};

struct value {
	u8 kind;
	u8 map;		      /* MAP, VALUE, VALUE_OR_NULL: its number in program->maps */
	u16 call;	      /* VALUE_OR_NULL: the call that returned it, counted from 1; 0: any */
	struct scalar number; /* a NUMBER, or the offset of a STACK or VALUE */
};

/* What is known at one instruction, whichever way led there. */
struct state {
	struct value registers[BPF_REGISTERS];
	/* A slot was written by one store of a register, which is known; else NOTHING. */
	struct value spills[BPF_STACK_SLOTS];
	u8 written[BPF_STACK_SLOTS]; /* bit n: byte n of the slot is (part of) a number */
};

struct instruction_node {
	struct state *state; /* of the ways looked at so far; null: none; of kmalloc */
	u16 order;	     /* which one is looked at as the n-th */
	u16 stack;	     /* of bpf_flow_order */
	u8 mark;
	bool reached; /* by a run, perhaps */
};

struct verifier {
	struct bpf_program *program;
	struct bpf_log *log;
	u32 at; /* instruction that is looked at */
	u32 processed;
	u32 states; /* that exist */
	struct state *state;
	u32 count;
	struct instruction_node nodes[] __counted_by(count);
};

static inline const struct bpf_insn *instruction_of(const struct verifier *v)
{
	return &v->program->instructions[v->at];
}
static inline struct value *register_of(struct verifier *v, unsigned number)
{
	return &v->state->registers[number];
}
static inline struct value value_of_number(struct scalar number)
{
	return (struct value){ .kind = NUMBER, .number = number };
}

/* Tells the log why instruction v->at is refused; returns `error`. */
#define refuse(v, error, format, ...)                                                              \
	(bpf_log_print((v)->log, "%u: " format, (v)->at __VA_OPT__(, ) __VA_ARGS__), (error))
const char *value_kind_name(u8 kind);

/* Is each instruction well formed by itself? -EINVAL, -EACCES (R10 is written). */
[[nodiscard]] int bpf_shape_check(struct verifier *v);

/*
 * Which instructions may follow `at`: how many (0 to 2), with the one that does when no jump is taken first. -EINVAL: it leads
 * out of the program, or into the middle of an instruction.
 */
[[nodiscard]] int bpf_flow_next(struct verifier *v, u32 at, u32 next[2]);
/*
 * Fills in nodes[].order: each instruction after all that may lead to it. How many there are; -EINVAL: an instruction is never
 * reached, or there is a loop.
 */
[[nodiscard]] int bpf_flow_order(struct verifier *v);

/* Is register `number` not NOTHING; is it a NUMBER? -EACCES. */
[[nodiscard]] int bpf_check_readable(struct verifier *v, unsigned number);
[[nodiscard]] int bpf_check_number(struct verifier *v, unsigned number);

/* Carries out a BPF_LDX, BPF_ST or BPF_STX. -EACCES. */
[[nodiscard]] int bpf_verify_access(struct verifier *v);
/* May the bytes behind a register be read (they are numbers), or written (they are then), by a function? `least` to `most` bytes. -EACCES. */
[[nodiscard]] int bpf_verify_buffer(struct verifier *v, unsigned number, u64 least, u64 most,
				    bool write);

/* Carries out a BPF_CALL, BPF_ABS or BPF_IND. -EACCES, -EINVAL. */
[[nodiscard]] int bpf_verify_call(struct verifier *v);
[[nodiscard]] int bpf_verify_packet_load(struct verifier *v);
