/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions of BPF by name, for the tests of this folder, and programs made of them. */
#pragma once

#include <lib/errno.h>
#include <lib/string.h>
#include <lib/test.h>
#include <net/bpf/log.h>
#include <net/bpf/map.h>
#include <net/bpf/program.h>

#define INSN(code_, dst, src, off_, imm_)                                                          \
	((struct bpf_insn){ .code = (u8)(code_),                                                   \
			    .dst_reg = (dst),                                                      \
			    .src_reg = (src),                                                      \
			    .off = (s16)(off_),                                                    \
			    .imm = (s32)(imm_) })
#define ALU(op, dst, imm) INSN(BPF_ALU64 | (op) | BPF_K, dst, 0, 0, imm)
#define ALUX(op, dst, src) INSN(BPF_ALU64 | (op) | BPF_X, dst, src, 0, 0)
#define ALU32(op, dst, imm) INSN(BPF_ALU | (op) | BPF_K, dst, 0, 0, imm)
#define ALU32X(op, dst, src) INSN(BPF_ALU | (op) | BPF_X, dst, src, 0, 0)
#define MOV(dst, imm) ALU(BPF_MOV, dst, imm)
#define MOVX(dst, src) ALUX(BPF_MOV, dst, src)
#define LOAD(size, dst, src, off) INSN(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define STORE(size, dst, off, imm) INSN(BPF_ST | BPF_MEM | (size), dst, 0, off, imm)
#define STOREX(size, dst, off, src) INSN(BPF_STX | BPF_MEM | (size), dst, src, off, 0)
#define ATOMIC(size, op, dst, off, src) INSN(BPF_STX | BPF_ATOMIC | (size), dst, src, off, op)
#define GOTO(off) INSN(BPF_JMP | BPF_JA, 0, 0, off, 0)
#define JUMP(op, dst, imm, off) INSN(BPF_JMP | (op) | BPF_K, dst, 0, off, imm)
#define JUMPX(op, dst, src, off) INSN(BPF_JMP | (op) | BPF_X, dst, src, off, 0)
#define JUMP32(op, dst, imm, off) INSN(BPF_JMP32 | (op) | BPF_K, dst, 0, off, imm)
#define PACKET(size, off) INSN(BPF_LD | BPF_ABS | (size), 0, 0, 0, off)
#define PACKETX(size, src, off) INSN(BPF_LD | BPF_IND | (size), 0, src, 0, off)
#define WIDE(dst, src, low, high)                                                                  \
	INSN(BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, low), INSN(0, 0, 0, 0, high)
/* Map `number` of the test. */
#define MAP(dst, number) WIDE(dst, BPF_PSEUDO_MAP_FD, number, 0)
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##function)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* The maps of every test: an array of values of 16 bytes, a hash table from 4 bytes to 8, an array with one value of 64 bytes. */
#define TEST_MAPS 3

static inline void make_maps(struct bpf_map *maps[TEST_MAPS])
{
	static const struct bpf_map_definition definitions[TEST_MAPS] = {
		{ .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16, .max_entries = 4 },
		{ .type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4 },
		{ .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 64, .max_entries = 1 },
	};

	for (unsigned n = 0; n < TEST_MAPS; n++)
		EXPECT_EQ(bpf_map_create(&definitions[n], nullptr, &maps[n]), 0);
}

/* A program that was not verified yet, which keeps the maps (null: has none). */
static inline struct bpf_program *make_program(const struct bpf_insn *instructions, u32 count,
					       struct bpf_map *const *maps)
{
	struct bpf_program *program = nullptr;

	EXPECT_EQ(bpf_program_create(nullptr, count, &program), 0);
	memcpy(program->instructions, instructions, count * sizeof(*instructions));
	for (unsigned n = 0; maps && n < TEST_MAPS; n++) {
		bpf_map_get(maps[n]);
		program->maps[program->map_count++] = maps[n];
	}
	return program;
}
