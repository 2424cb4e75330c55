/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of BPF: what bpf(2) loads and sockets run. The theory is in program.c. */
#pragma once

#include <lib/types.h>
#include <mm/budget.h>
#include <net/bpf/instruction.h>

struct bpf_log;
struct bpf_map;
struct file;
struct filter_view;
struct pool;
struct socket;

#define BPF_PROGRAM_MAPS 64 /* that one program may use */

struct bpf_program {
	u32 refs; /* atomic: its files, and who runs it */
	u32 type; /* BPF_PROG_TYPE_* */
	u32 id;
	u32 uid;     /* who loaded it */
	u64 time_ns; /* when, since boot */
	u64 tag;     /* a hash of the instructions */
	bool gpl;    /* of a licence that goes with the kernel's */
	char name[BPF_OBJ_NAME_LEN];
	struct memory_charge charge;
	u32 map_count;
	struct bpf_map *maps[BPF_PROGRAM_MAPS]; /* each with a reference */
	u32 count;
	struct bpf_insn instructions[] __counted_by(count);
};

/*
 * A program with one reference and room for `count` (1 to BPF_MAXINSNS) instructions, to be filled in and verified; charged to
 * the budget (null: to nobody). -ENOMEM. May sleep.
 */
[[nodiscard]] int bpf_program_create(struct memory_budget *budget, u32 count,
				     struct bpf_program **out);
void bpf_program_get(struct bpf_program *program);
/* The last one may sleep: nobody runs it any more. Null does nothing. */
void bpf_program_put(struct bpf_program *program);

/*
 * Puts the numbers of maps in program->maps in the place of their descriptors in the instructions: handles that may
 * read and write, as programs do both. -EBADF, -EPERM; -EINVAL: it is no map; -E2BIG: there are too many. May sleep.
 */
[[nodiscard]] int bpf_program_find_maps(struct bpf_program *program, struct pool *pool);

/*
 * Checks that the program is safe (verifier.h), tells the reason to the log, and makes it ready to run. -EINVAL, -EACCES, -E2BIG,
 * -ENOMEM. May sleep.
 */
[[nodiscard]] int bpf_program_verify(struct bpf_program *program, struct bpf_log *log);

/* A file that stands for the program; takes a reference of its own. -ENOMEM, -ENFILE. */
[[nodiscard]] int bpf_program_open(struct bpf_program *program, struct file **out);
/* The program of a descriptor with RIGHT_* `rights`, with a reference. -EBADF; -EINVAL: it is none. */
[[nodiscard]] int bpf_program_of_handle(struct pool *pool, int fd, u32 rights,
					struct bpf_program **out);
/* The program of a file, or null. Borrowed. */
struct bpf_program *bpf_program_of_file(const struct file *file);

/*
 * Runs a verified program on what it sees, for a socket (null: none). Its R0. Under RCU; never sleeps; takes about a kilobyte of
 * stack.
 */
[[nodiscard]] u64 bpf_program_run(const struct bpf_program *program, const struct filter_view *view,
				  struct socket *socket);
/* The same with the context given: it may change context->cb. */
[[nodiscard]] u64 bpf_program_run_context(const struct bpf_program *program,
					  const struct filter_view *view, struct socket *socket,
					  struct __sk_buff *context);
/* What programs may know besides the bytes. Under RCU. */
void bpf_context_fill(struct __sk_buff *context, const struct filter_view *view);
