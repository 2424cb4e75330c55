/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verifier knows of a number: two intervals, one of it as unsigned and one as signed.
 *
 * (B1) A number that an instruction computes at run time lies in both intervals of what scalar_compute made of those of
 * its operands. (B2) Knowing less is always allowed.
 */
#pragma once

#include <lib/types.h>

struct scalar {
	u64 min, max;		    /* min <= max */
	s64 signed_min, signed_max; /* signed_min <= signed_max */
};

#define SCALAR_UNKNOWN { 0, UINT64_MAX, INT64_MIN, INT64_MAX }
extern const struct scalar scalar_unknown;

static inline struct scalar scalar_constant(u64 value)
{
	return (struct scalar){ value, value, (s64)value, (s64)value };
}
/* A number of `bits` (1 to 64) bits. */
struct scalar scalar_of_width(unsigned bits);

static inline bool scalar_is_constant(const struct scalar *s)
{
	return s->min == s->max;
}
static inline bool scalar_contains(const struct scalar *s, u64 value)
{
	return value >= s->min && value <= s->max && (s64)value >= s->signed_min &&
	       (s64)value <= s->signed_max;
}

/* What BPF_ALU (not `wide`) or BPF_ALU64 with BPF_OP `operation`, but BPF_END, makes of any a and b of these. */
struct scalar scalar_compute(u8 operation, bool wide, struct scalar a, struct scalar b);

/* What is either of the one or of the other. */
struct scalar scalar_join(struct scalar a, struct scalar b);

/*
 * Narrows two numbers to those for which the jump BPF_JMP (`wide`) or BPF_JMP32 with BPF_OP `operation` is `taken`. False:
 * there are none.
 */
[[nodiscard]] bool scalar_assume(u8 operation, bool wide, bool taken, struct scalar *a,
				 struct scalar *b);
