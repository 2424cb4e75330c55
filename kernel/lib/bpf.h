/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classic BPF: the filter machine of packet sockets and seccomp (S. McCanne, V. Jacobson, "The BSD Packet Filter", 1993; Linux's
 * Documentation/networking/filter). Two registers, sixteen words of memory, jumps that only go forward: every program ends.
 */
#pragma once

#include <lib/types.h>

#include <linux/filter.h>

/* What a program filters. */
struct bpf_input {
	const void *context;
	u32 length; /* what BPF_LEN loads */
	/*
	 * Loads 1, 2 or 4 bytes at an offset, as a number. Offsets that are negative as s32 are up to the caller (SKF_NET_OFF).
	 * False: there is no such byte, and the program ends with 0.
	 */
	bool (*load)(const void *context, u32 offset, unsigned size, u32 *out);
	/* The same for what is no byte of it, SKF_AD_* `what`, which may depend on A and X. Only BPF_DIALECT_PACKET needs it. */
	bool (*ancillary)(const void *context, u32 what, u32 a, u32 x, u32 *out);
};

/* What a program may be made of, besides the common instructions. */
enum bpf_dialect {
	BPF_DIALECT_PACKET, /* all of it */
	BPF_DIALECT_SECCOMP, /* loads of aligned words inside `data_size` only, no indexed loads, no BPF_MOD */
};

/*
 * May this program be run? -EINVAL: empty, too long, an unknown instruction, a jump or a memory word out of range, a division by a
 * constant 0, a shift by 32 or more, an SKF_AD_* that there is not, a last instruction that is no return.
 */
[[nodiscard]] int bpf_check(const struct sock_filter *program, size_t count,
			    enum bpf_dialect dialect, u32 data_size);

/* Runs a program that bpf_check() accepted; what it returns. Any context. */
u32 bpf_run(const struct sock_filter *program, const struct bpf_input *input);
