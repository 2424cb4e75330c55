/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions of BPF (RFC 9669) by name: for tests of the kernel, on the host and as programs of a guest. */
#pragma once

#include <linux/bpf.h>

#define INSN(code_, dst, src, off_, imm_)                                                          \
	((struct bpf_insn){ .code = (__u8)(code_),                                                 \
			    .dst_reg = (dst),                                                      \
			    .src_reg = (src),                                                      \
			    .off = (__s16)(off_),                                                  \
			    .imm = (__s32)(imm_) })
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
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
