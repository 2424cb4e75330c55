/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a program on bytes that user space gives (BPF_PROG_TEST_RUN). */
#pragma once

#include <lib/types.h>

#include <linux/bpf.h>

struct bpf_program;

#define BPF_TEST_SIZE_MAX 3500u /* of a frame: less than a page, as on Linux */

struct bpf_test {
	const void *data; /* a frame with an Ethernet header, in kernel memory */
	u32 size;
	u32 repeat;		  /* at least 1 */
	struct __sk_buff context; /* in: cb, mark, priority; out: all that the program had */
	u32 result;
	u32 duration_ns; /* of one run */
};

/* -EINVAL: the frame is too short or too long; -EINTR, -ENOMEM. May sleep between runs. */
[[nodiscard]] int bpf_program_test(const struct bpf_program *program, struct bpf_test *test);
