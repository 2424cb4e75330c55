/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions of BPF by name, for the tests of this folder, and programs made of them. */
#pragma once

#include <lib/errno.h>
#include <lib/string.h>
#include <lib/test.h>
#include <net/bpf/log.h>
#include <net/bpf/map.h>
#include <net/bpf/mnemonics.h>
#include <net/bpf/program.h>

#define WIDE(dst, src, low, high)                                                                  \
	INSN(BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, low), INSN(0, 0, 0, 0, high)
/* Map `number` of the test. */
#define MAP(dst, number) WIDE(dst, BPF_PSEUDO_MAP_FD, number, 0)
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##function)

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
