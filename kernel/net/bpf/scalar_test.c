/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verifier knows of numbers holds for all of them: random intervals, random numbers in them. */
#include <lib/test.h>
#include <net/bpf/instruction.h>
#include <net/bpf/scalar.h>

static u64 random_state;

static u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Numbers near the borders of every width, mostly. */
static u64 number(void)
{
	u64 n = next_random();

	switch (n % 8) {
	case 0:
		return n;
	case 1:
		return n >> (n >> 8) % 64;
	case 2:
		return (u64)((s64)n >> (n >> 8) % 64);
	case 3:
		return (1ull << (n >> 8) % 64) - 3 + (n >> 20) % 6;
	default:
		return (n >> 8) % 70;
	}
}

/* An interval of one order, with a number that is in it. */
static struct scalar interval(u64 *member)
{
	u64 one = number(), other = next_random() % 3 ? one + number() % 100 : number();
	struct scalar s = scalar_unknown;

	switch (next_random() % 4) {
	case 0:
		*member = one;
		return scalar_constant(one);
	case 1:
		s.signed_min = MIN((s64)one, (s64)other);
		s.signed_max = MAX((s64)one, (s64)other);
		break;
	default:
		s.min = MIN(one, other);
		s.max = MAX(one, other);
		break;
	}
	*member = next_random() % 2 ? one : other;
	return s;
}

static const u8 operations[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,   BPF_AND, BPF_LSH,
				 BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR, BPF_ARSH, BPF_MOV };

TEST(bpf_scalars_contain_what_is_computed)
{
	random_state = 88172645463325252ull;
	for (int round = 0; round < 300000 * host_scale() && !test_has_failed(); round++) {
		u64 a, b;
		struct scalar sa = interval(&a), sb = interval(&b), result;
		u8 operation = operations[next_random() % ARRAY_SIZE(operations)];
		bool wide = next_random() % 2;

		result = scalar_compute(operation, wide, sa, sb);
		EXPECT(result.min <= result.max && result.signed_min <= result.signed_max);
		EXPECT(scalar_contains(&result,
				       wide ? bpf_arithmetic64(operation, a, b)
					    : bpf_arithmetic32(operation, (u32)a, (u32)b)));
		/* And what was computed is an operand like any other. */
		result = scalar_compute(BPF_ADD, true, result, sa);
		EXPECT(scalar_contains(&result,
				       a + (wide ? bpf_arithmetic64(operation, a, b)
						 : bpf_arithmetic32(operation, (u32)a, (u32)b))));
		result = scalar_join(sa, sb);
		EXPECT(scalar_contains(&result, a) && scalar_contains(&result, b));
	}
}

static const u8 jumps[] = { BPF_JEQ,  BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT,
			    BPF_JSGE, BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE };

TEST(bpf_scalars_survive_jumps)
{
	random_state = 7046029254386353131ull;
	for (int round = 0; round < 300000 * host_scale() && !test_has_failed(); round++) {
		u64 a, b;
		struct scalar sa = interval(&a), sb = interval(&b);
		u8 operation = jumps[next_random() % ARRAY_SIZE(jumps)];
		bool wide = next_random() % 2;
		bool taken = wide ? bpf_compare64(operation, a, b)
				  : bpf_compare32(operation, (u32)a, (u32)b);

		/* This way exists, and the numbers go it. */
		EXPECT(scalar_assume(operation, wide, taken, &sa, &sb));
		EXPECT(scalar_contains(&sa, a) && scalar_contains(&sb, b));
	}
}

TEST(bpf_scalars_know_enough)
{
	struct scalar byte = scalar_of_width(8), s, limit = scalar_constant(63);

	s = scalar_compute(BPF_AND, true, scalar_unknown, scalar_constant(15));
	EXPECT_EQ(s.max, 15);
	EXPECT_EQ(s.signed_min, 0);
	s = scalar_compute(BPF_LSH, true, s, scalar_constant(2));
	EXPECT_EQ(s.max, 60);
	s = scalar_compute(BPF_SUB, true, s, scalar_constant(8));
	EXPECT_EQ(s.signed_min, -8);
	EXPECT_EQ(s.signed_max, 52);
	s = scalar_compute(BPF_ADD, false, byte, byte);
	EXPECT_EQ(s.max, 510);
	s = scalar_unknown;
	EXPECT(scalar_assume(BPF_JSGE, true, false, &s, &limit));
	EXPECT_EQ(s.signed_max, 62);
	limit = scalar_constant(0);
	EXPECT(scalar_assume(BPF_JSLT, true, false, &s, &limit));
	EXPECT_EQ(s.max, 62);
	EXPECT(!scalar_assume(BPF_JGT, true, true, &limit, &s));
	limit = scalar_constant(62);
	EXPECT(scalar_assume(BPF_JEQ, true, false, &s, &limit));
	EXPECT_EQ(s.max, 61);
}
