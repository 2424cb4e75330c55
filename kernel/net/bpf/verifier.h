/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is a program of BPF safe to run? The theory is in verifier.c. */
#pragma once

#include <lib/types.h>

struct bpf_log;
struct bpf_program;

/*
 * Checks a program whose loads of maps (BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE) name them by their number in program->maps, and
 * makes addresses of those. Instructions that no run reaches become ones that end it. -EINVAL: it is no program, or has a loop;
 * -EACCES: it does what it must not; -E2BIG: it has too many branches at a time; -ENOMEM. May sleep.
 */
[[nodiscard]] int bpf_verify(struct bpf_program *program, struct bpf_log *log);
