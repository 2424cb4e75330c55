/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of bpf(2): instructions by name, and the call. */
#pragma once

#include "net_test.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <sys/syscall.h>

#define INSN(code_, dst, src, off_, imm_)                                                          \
	((struct bpf_insn){ .code = (code_),                                                       \
			    .dst_reg = (dst),                                                      \
			    .src_reg = (src),                                                      \
			    .off = (off_),                                                         \
			    .imm = (int32_t)(imm_) })
#define ALU(op, dst, imm) INSN(BPF_ALU64 | (op) | BPF_K, dst, 0, 0, imm)
#define ALUX(op, dst, src) INSN(BPF_ALU64 | (op) | BPF_X, dst, src, 0, 0)
#define MOV(dst, imm) ALU(BPF_MOV, dst, imm)
#define MOVX(dst, src) ALUX(BPF_MOV, dst, src)
#define LOAD(size, dst, src, off) INSN(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define STORE(size, dst, off, imm) INSN(BPF_ST | BPF_MEM | (size), dst, 0, off, imm)
#define STOREX(size, dst, off, src) INSN(BPF_STX | BPF_MEM | (size), dst, src, off, 0)
#define ATOMIC(size, op, dst, off, src) INSN(BPF_STX | BPF_ATOMIC | (size), dst, src, off, op)
#define JUMP(op, dst, imm, off) INSN(BPF_JMP | (op) | BPF_K, dst, 0, off, imm)
#define PACKET(size, off) INSN(BPF_LD | BPF_ABS | (size), 0, 0, 0, off)
#define MAP_FD(dst, fd)                                                                            \
	INSN(BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

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
