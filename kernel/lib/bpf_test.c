/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of lib/bpf.c, and random programs: whatever the checker accepts ends and touches nothing else. */
#include <lib/bpf.h>
#include <lib/errno.h>
#include <lib/test.h>

static const u8 packet[] = { 0x45, 0x00, 0x00, 0x54, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06 };

static bool load_packet(const void *context, u32 offset, unsigned size, u32 *out)
{
	const u8 *bytes = context;
	u32 value = 0;

	if (offset >= sizeof(packet) || sizeof(packet) - offset < size)
		return false;
	for (unsigned i = 0; i < size; i++)
		value = value << 8 | bytes[offset + i];
	*out = value;
	return true;
}

static bool load_ancillary(const void *context, u32 what, u32 a, u32 x, u32 *out)
{
	*out = a * 1000 + x * 100 + what;
	return what != SKF_AD_RANDOM;
}

static const struct bpf_input input = { packet, sizeof(packet), load_packet, load_ancillary };

static u32 run(const struct sock_filter *program, size_t count)
{
	EXPECT_EQ(bpf_check(program, count, BPF_DIALECT_PACKET, 0), 0);
	return bpf_run(program, &input);
}
#define RUN(...)                                                                                   \
	({                                                                                         \
		const struct sock_filter program_[] = { __VA_ARGS__ };                             \
		run(program_, ARRAY_SIZE(program_));                                               \
	})
#define CHECK(dialect, ...)                                                                        \
	({                                                                                         \
		const struct sock_filter program_[] = { __VA_ARGS__ };                             \
		bpf_check(program_, ARRAY_SIZE(program_), dialect, 64);                            \
	})
#define S(c, v) BPF_STMT(c, v)
#define RET_A S(BPF_RET | BPF_A, 0)
#define RET_0 S(BPF_RET | BPF_K, 0)

TEST(bpf_loads)
{
	EXPECT_EQ(RUN(S(BPF_LD | BPF_W | BPF_ABS, 4), RET_A), 0x12344000u);
	EXPECT_EQ(RUN(S(BPF_LD | BPF_H | BPF_ABS, 2), RET_A), 0x54u);
	EXPECT_EQ(RUN(S(BPF_LD | BPF_B | BPF_ABS, 9), RET_A), 6u);
	EXPECT_EQ(RUN(S(BPF_LD | BPF_W | BPF_LEN, 0), RET_A), 10u);
	EXPECT_EQ(RUN(S(BPF_LDX | BPF_B | BPF_MSH, 0), S(BPF_MISC | BPF_TXA, 0), RET_A), 20u);
	EXPECT_EQ(RUN(S(BPF_LDX | BPF_IMM, 8), S(BPF_LD | BPF_B | BPF_IND, 1), RET_A), 6u);
	/* Beyond the end: 0, whatever would follow. */
	EXPECT_EQ(RUN(S(BPF_LD | BPF_W | BPF_ABS, 8), S(BPF_RET | BPF_K, 7)), 0u);
	EXPECT_EQ(RUN(S(BPF_LDX | BPF_IMM, UINT32_MAX), S(BPF_LD | BPF_W | BPF_IND, 2), RET_A),
		  (u32)0x00005412);
}

TEST(bpf_ancillary)
{
	EXPECT_EQ(RUN(S(BPF_LDX | BPF_IMM, 3), S(BPF_LD | BPF_IMM, 2),
		      S(BPF_LD | BPF_B | BPF_ABS, (u32)(SKF_AD_OFF + SKF_AD_NLATTR)), RET_A),
		  2312u);
	EXPECT_EQ(RUN(S(BPF_LD | BPF_IMM, 2),
		      S(BPF_LD | BPF_W | BPF_ABS, (u32)(SKF_AD_OFF + SKF_AD_RANDOM)),
		      S(BPF_RET | BPF_K, 7)),
		  0u);
	EXPECT_EQ(CHECK(BPF_DIALECT_PACKET,
			S(BPF_LD | BPF_W | BPF_ABS, (u32)(SKF_AD_OFF + SKF_AD_MAX)), RET_A),
		  -EINVAL);
	EXPECT_EQ(CHECK(BPF_DIALECT_PACKET, S(BPF_LD | BPF_H | BPF_ABS, (u32)(SKF_AD_OFF + 2)),
			RET_A),
		  -EINVAL);
	EXPECT_EQ(CHECK(BPF_DIALECT_SECCOMP, S(BPF_LD | BPF_W | BPF_ABS, (u32)SKF_AD_OFF), RET_A),
		  -EINVAL);
}

TEST(bpf_arithmetic_and_jumps)
{
	EXPECT_EQ(RUN(S(BPF_LD | BPF_IMM, 7), S(BPF_ALU | BPF_MUL | BPF_K, 6),
		      S(BPF_ALU | BPF_SUB | BPF_K, 2), S(BPF_ALU | BPF_DIV | BPF_K, 4), RET_A),
		  10u);
	EXPECT_EQ(RUN(S(BPF_LD | BPF_IMM, 1), S(BPF_ALU | BPF_NEG, 0), RET_A), UINT32_MAX);
	EXPECT_EQ(
		RUN(S(BPF_LD | BPF_IMM, 9), S(BPF_ALU | BPF_DIV | BPF_X, 0), S(BPF_RET | BPF_K, 5)),
		0u);
	EXPECT_EQ(RUN(S(BPF_LD | BPF_IMM, 9), S(BPF_ST, 15), S(BPF_LD | BPF_IMM, 1),
		      S(BPF_LDX | BPF_MEM, 15), S(BPF_ALU | BPF_ADD | BPF_X, 0), RET_A),
		  10u);
	EXPECT_EQ(RUN(S(BPF_LD | BPF_IMM, 9), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 8, 1, 0),
		      S(BPF_RET | BPF_K, 1), S(BPF_RET | BPF_K, 2)),
		  2u);
	EXPECT_EQ(RUN(BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), S(BPF_RET | BPF_K, 1),
		      S(BPF_RET | BPF_K, 2)),
		  2u);
}

TEST(bpf_refuses_bad_programs)
{
	const enum bpf_dialect p = BPF_DIALECT_PACKET, s = BPF_DIALECT_SECCOMP;

	EXPECT_EQ(bpf_check(nullptr, 0, p, 0), -EINVAL);
	EXPECT_EQ(CHECK(p, S(BPF_LD | BPF_IMM, 1)), -EINVAL);
	EXPECT_EQ(CHECK(p, BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(p, BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(p, BPF_JUMP(BPF_JMP | BPF_JA, UINT32_MAX, 0, 0), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(p, S(BPF_ST, 16), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(p, S(BPF_LD | BPF_MEM, 16), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(p, S(BPF_ALU | BPF_DIV | BPF_K, 0), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(p, S(BPF_ALU | BPF_LSH | BPF_K, 32), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(p, S(0xffff, 0), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(s, S(BPF_LD | BPF_W | BPF_ABS, 60), RET_0), 0);
	EXPECT_EQ(CHECK(s, S(BPF_LD | BPF_W | BPF_ABS, 64), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(s, S(BPF_LD | BPF_W | BPF_ABS, 2), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(s, S(BPF_LD | BPF_B | BPF_ABS, 0), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(s, S(BPF_LD | BPF_W | BPF_IND, 0), RET_0), -EINVAL);
	EXPECT_EQ(CHECK(s, S(BPF_ALU | BPF_MOD | BPF_K, 3), RET_0), -EINVAL);
}

static u64 random_state = 88172645463325252ull;
static u32 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (u32)(random_state >> 16);
}

TEST(bpf_random_programs_end)
{
	struct sock_filter program[12];
	unsigned accepted = 0;

	for (unsigned round = 0; round < 300000; round++) {
		size_t count = 1 + next_random() % ARRAY_SIZE(program);

		for (size_t i = 0; i < count; i++)
			program[i] = (struct sock_filter){ (u16)(next_random() & 0xff),
							   (u8)(next_random() & 7),
							   (u8)(next_random() & 7),
							   next_random() >> (next_random() & 31) };
		if (next_random() & 1)
			program[count - 1] = (struct sock_filter){ BPF_RET | BPF_A, 0, 0, 0 };
		if (bpf_check(program, count, BPF_DIALECT_PACKET, 0))
			continue;
		accepted++;
		(void)bpf_run(program, &input);
	}
	EXPECT(accepted > 1000);
}
