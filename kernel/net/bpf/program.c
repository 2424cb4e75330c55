/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BPF for sockets: the part of bpf(2) that network programs use, by RFC 9669.
 *
 * A program comes in as instructions, is verified once (verifier.c), and is then interpreted for each packet (interpreter.h), without
 * allocation and without checks: that the checks are not needed is what the verifier proved. It sees the packet by loads that may
 * fail, a copy of what is known of it (struct __sk_buff), a stack of its own, and maps (map.c), and calls a few functions (helper.c).
 * There is no JIT: a filter of twenty instructions costs less than finding the socket.
 *
 * (P1) A program does not change once it is verified, and only verified ones have files, so whoever has a reference may run it.
 * (P2) Every program ends: it has no loops, and a run executes no instruction twice.
 * (P3) A program keeps its maps, and a map keeps nothing: there are no circles.
 * (P4) Numbers of programs and maps (id) are for reading: no call makes a handle of them, because only handles are authority.
 *
 * Life: files have references, and so has each place where a program is attached (net/filter.c), which drops its own after a
 * grace period: at the last one nobody runs it.
 */
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/bpf/map.h>
#include <net/bpf/program.h>
#include <net/bpf/verifier.h>
#include <obj/handle.h>

int bpf_program_create(struct memory_budget *budget, u32 count, struct bpf_program **out)
{
	static u32 last_id;
	size_t size = sizeof(struct bpf_program) + count * sizeof(struct bpf_insn);
	struct bpf_program *program = kvmalloc(size, ALLOC_ZERO | ALLOC_USER);

	if (!program)
		return -ENOMEM;
	program->count = count;
	program->refs = 1;
	program->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	if (!memory_charge_begin(&program->charge, budget, kvmalloc_size(size))) {
		kvfree(program);
		return -ENOMEM;
	}
	*out = program;
	return 0;
}

void bpf_program_get(struct bpf_program *program)
{
	__atomic_fetch_add(&program->refs, 1, __ATOMIC_RELAXED);
}

void bpf_program_put(struct bpf_program *program)
{
	if (!program || __atomic_fetch_sub(&program->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	for (u32 n = 0; n < program->map_count; n++)
		bpf_map_put(program->maps[n]);
	memory_charge_destroy(&program->charge);
	kvfree(program);
}

/* The number of the map in program->maps, which takes over the reference. */
static int number_of(struct bpf_program *program, struct bpf_map *map)
{
	for (u32 n = 0; n < program->map_count; n++)
		if (program->maps[n] == map) {
			bpf_map_put(map);
			return (int)n;
		}
	if (program->map_count == BPF_PROGRAM_MAPS) {
		bpf_map_put(map);
		return -E2BIG;
	}
	program->maps[program->map_count] = map;
	return (int)program->map_count++;
}

int bpf_program_find_maps(struct bpf_program *program, struct pool *pool)
{
	for (u32 at = 0; at < program->count; at++) {
		struct bpf_insn *i = &program->instructions[at];
		struct bpf_map *map;
		int error, number;

		if (i->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		at++;
		if (i->src_reg != BPF_PSEUDO_MAP_FD && i->src_reg != BPF_PSEUDO_MAP_VALUE)
			continue;
		error = bpf_map_of_handle(pool, i->imm, RIGHT_READ | RIGHT_WRITE, &map);
		if (error)
			return error;
		number = number_of(program, map);
		if (number < 0)
			return number;
		i->imm = number;
	}
	return 0;
}

int bpf_program_verify(struct bpf_program *program, struct bpf_log *log)
{
	program->tag =
		hash_bytes(program->instructions, program->count * sizeof(struct bpf_insn), 0);
	return bpf_verify(program, log);
}
