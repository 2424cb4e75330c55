/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of the kernel that programs of BPF may call (bpf-helpers(7)). */
#pragma once

#include <lib/types.h>

struct bpf_machine;

/* What the verifier makes sure of, in R1 to R5. */
enum bpf_argument {
	ARGUMENT_NONE,
	ARGUMENT_NUMBER,  /* any */
	ARGUMENT_CONTEXT, /* what R1 was at the start */
	ARGUMENT_MAP,
	ARGUMENT_KEY,	/* points to a key of the map */
	ARGUMENT_VALUE, /* points to a value of the map */
	ARGUMENT_BUFFER, /* points to as many bytes as the next one says, which the function writes all */
	ARGUMENT_SIZE, /* of that buffer: at least 1 */
};

#define BPF_HELPER_ARGUMENTS 5

struct bpf_helper {
	u64 (*call)(const struct bpf_machine *machine, const u64 *arguments);
	u8 arguments[BPF_HELPER_ARGUMENTS]; /* enum bpf_argument */
	bool returns_value; /* points to a value of the map, or is null; else a number */
};

/* BPF_FUNC_*; null: there is no such function. */
const struct bpf_helper *bpf_helper_find(u32 function);

/* Calls a function that the verifier found, with what is in R1 to R5. */
u64 bpf_helper_call(const struct bpf_machine *machine, u32 function, const u64 *registers);
