/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of bpf(2): instructions by name, and the call. */
#pragma once

#include "../../../kernel/net/bpf/mnemonics.h"
#include "net_test.h"

#include <stddef.h>
#include <sys/syscall.h>

#define MAP_FD(dst, fd)                                                                            \
	INSN(BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)

static inline long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static inline int map_create(int type, int key, int value, int entries)
{
	union bpf_attr attr = { .map_type = (unsigned)type,
				.key_size = (unsigned)key,
				.value_size = (unsigned)value,
				.max_entries = (unsigned)entries };

	return (int)bpf(BPF_MAP_CREATE, &attr);
}

/* BPF_MAP_LOOKUP_ELEM, UPDATE, DELETE, GET_NEXT_KEY. */
static inline long map_do(int command, int fd, const void *key, void *value, unsigned flags)
{
	union bpf_attr attr = {};

	attr.map_fd = (unsigned)fd;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	attr.flags = flags;
	return bpf(command, &attr);
}

static inline int load(const struct bpf_insn *program, size_t count)
{
	static char log[65536];
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				.insn_cnt = (unsigned)count,
				.insns = (uintptr_t)program,
				.license = (uintptr_t)"GPL",
				.log_level = 1,
				.log_size = sizeof(log),
				.log_buf = (uintptr_t)log };

	return (int)bpf(BPF_PROG_LOAD, &attr);
}
#define PROGRAM(...)                                                                               \
	({                                                                                         \
		const struct bpf_insn program_[] = { __VA_ARGS__ };                                \
		load(program_, sizeof(program_) / sizeof(program_[0]));                            \
	})

/* What a program says of a frame. */
static inline unsigned run_on(int fd, const void *frame, unsigned size)
{
	union bpf_attr attr = {};

	attr.test.prog_fd = (unsigned)fd;
	attr.test.data_in = (uintptr_t)frame;
	attr.test.data_size_in = size;
	EXPECT_EQ(bpf(BPF_PROG_TEST_RUN, &attr), 0);
	return attr.test.retval;
}
