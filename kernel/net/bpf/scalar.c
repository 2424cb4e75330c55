/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verifier knows of numbers: arithmetic, comparisons and unions of intervals. */
#include <net/bpf/instruction.h>
#include <net/bpf/scalar.h>

const struct scalar scalar_unknown = SCALAR_UNKNOWN;

/* Tells each interval what the other one says. False: no number is in both. */
static bool agree(struct scalar *s)
{
	/* An interval that does not cross the border of the other order is one there too. */
	if ((s64)s->min <= (s64)s->max) {
		s->signed_min = MAX(s->signed_min, (s64)s->min);
		s->signed_max = MIN(s->signed_max, (s64)s->max);
	}
	if (s->signed_min > s->signed_max)
		return false;
	if ((u64)s->signed_min <= (u64)s->signed_max) {
		s->min = MAX(s->min, (u64)s->signed_min);
		s->max = MIN(s->max, (u64)s->signed_max);
	}
	return s->min <= s->max;
}

static struct scalar between(u64 min, u64 max)
{
	struct scalar s = { min, max, INT64_MIN, INT64_MAX };

	(void)agree(&s);
	return s;
}

struct scalar scalar_of_width(unsigned bits)
{
	return between(0, bits == 64 ? UINT64_MAX : (1ull << bits) - 1);
}

/* The lower half. */
static struct scalar truncate(struct scalar s)
{
	if (s.min >> 32 == s.max >> 32)
		return between((u32)s.min, (u32)s.max);
	return between(0, UINT32_MAX);
}

/* All bits up to the highest one that is set. */
static u64 fill(u64 value)
{
	return value ? UINT64_MAX >> __builtin_clzll(value) : 0;
}

static struct scalar add(struct scalar a, struct scalar b)
{
	struct scalar s = scalar_unknown;

	if (add_overflows(a.max, b.max, &s.max))
		s.max = UINT64_MAX;
	else
		s.min = a.min + b.min;
	if (add_overflows(a.signed_min, b.signed_min, &s.signed_min) ||
	    add_overflows(a.signed_max, b.signed_max, &s.signed_max)) {
		s.signed_min = INT64_MIN;
		s.signed_max = INT64_MAX;
	}
	(void)agree(&s);
	return s;
}

static struct scalar subtract(struct scalar a, struct scalar b)
{
	struct scalar s = scalar_unknown;

	if (a.min >= b.max) {
		s.min = a.min - b.max;
		s.max = a.max - b.min;
	}
	if (sub_overflows(a.signed_min, b.signed_max, &s.signed_min) ||
	    sub_overflows(a.signed_max, b.signed_min, &s.signed_max)) {
		s.signed_min = INT64_MIN;
		s.signed_max = INT64_MAX;
	}
	(void)agree(&s);
	return s;
}

/* `b` is what is shifted by: less than the width. */
static struct scalar shift_left(struct scalar a, u64 b)
{
	return a.max <= UINT64_MAX >> b ? between(a.min << b, a.max << b) : scalar_unknown;
}

static struct scalar shift_right_signed(struct scalar a, u64 b)
{
	struct scalar s = scalar_unknown;

	s.signed_min = a.signed_min >> b;
	s.signed_max = a.signed_max >> b;
	(void)agree(&s);
	return s;
}

static struct scalar shift(u8 operation, unsigned width, struct scalar a, struct scalar b)
{
	u64 count = b.min & (width - 1);

	if (!scalar_is_constant(&b))
		return operation == BPF_RSH ? between(0, a.max) : scalar_unknown;
	if (operation == BPF_LSH)
		return shift_left(a, count);
	if (operation == BPF_RSH)
		return between(a.min >> count, a.max >> count);
	if (width == 64)
		return shift_right_signed(a, count);
	/* Of 32 bits: the sign is that of the lower half. */
	return a.max <= INT32_MAX ? between(a.min >> count, a.max >> count) : scalar_unknown;
}

static struct scalar multiply(struct scalar a, struct scalar b)
{
	u64 max;

	return mul_overflows(a.max, b.max, &max) ? scalar_unknown : between(a.min * b.min, max);
}

static struct scalar divide(struct scalar a, struct scalar b)
{
	/* x / 0 is 0 */
	return scalar_is_constant(&b) && b.min ? between(a.min / b.min, a.max / b.min)
					       : between(0, a.max);
}

static struct scalar modulo(struct scalar a, struct scalar b)
{
	/* x % 0 is x */
	return between(0, b.min ? MIN(a.max, b.max - 1) : a.max);
}

/* In 64 bits; or in 32, of operands that have no more, before the result is truncated. */
static struct scalar compute(u8 operation, unsigned width, struct scalar a, struct scalar b)
{
	switch (operation) {
	case BPF_ADD:
		return add(a, b);
	case BPF_SUB:
		return subtract(a, b);
	case BPF_MUL:
		return multiply(a, b);
	case BPF_DIV:
		return divide(a, b);
	case BPF_MOD:
		return modulo(a, b);
	case BPF_AND:
		return between(0, MIN(a.max, b.max));
	case BPF_OR:
		return between(MAX(a.min, b.min), fill(a.max | b.max));
	case BPF_XOR:
		return between(0, fill(a.max | b.max));
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		return shift(operation, width, a, b);
	case BPF_MOV:
		return b;
	default:
		return scalar_unknown;
	}
}

struct scalar scalar_compute(u8 operation, bool wide, struct scalar a, struct scalar b)
{
	if (scalar_is_constant(&a) && scalar_is_constant(&b))
		return scalar_constant(wide ? bpf_arithmetic64(operation, a.min, b.min)
					    : bpf_arithmetic32(operation, (u32)a.min, (u32)b.min));
	if (wide)
		return compute(operation, 64, a, b);
	return truncate(compute(operation, 32, truncate(a), truncate(b)));
}

struct scalar scalar_join(struct scalar a, struct scalar b)
{
	return (struct scalar){ MIN(a.min, b.min), MAX(a.max, b.max),
				MIN(a.signed_min, b.signed_min), MAX(a.signed_max, b.signed_max) };
}

/* --- Jumps --- */

static bool assume_equal(struct scalar *a, struct scalar *b)
{
	struct scalar s = { MAX(a->min, b->min), MIN(a->max, b->max),
			    MAX(a->signed_min, b->signed_min), MIN(a->signed_max, b->signed_max) };

	*a = *b = s;
	return s.min <= s.max;
}

/* `a` is not the constant `b`: an end of an interval can go. */
static bool assume_other(struct scalar *a, const struct scalar *b)
{
	if (!scalar_is_constant(b))
		return true;
	if (scalar_is_constant(a))
		return a->min != b->min;
	if (a->min == b->min)
		a->min++;
	else if (a->max == b->min)
		a->max--;
	if (a->signed_min == (s64)b->min)
		a->signed_min++;
	else if (a->signed_max == (s64)b->min)
		a->signed_max--;
	return a->signed_min <= a->signed_max;
}

static bool assume_greater(struct scalar *a, struct scalar *b, u64 step)
{
	u64 least, most;

	if (add_overflows(b->min, step, &least) || sub_overflows(a->max, step, &most))
		return false;
	a->min = MAX(a->min, least);
	b->max = MIN(b->max, most);
	return a->min <= a->max && b->min <= b->max;
}

static bool assume_greater_signed(struct scalar *a, struct scalar *b, s64 step)
{
	s64 least, most;

	if (add_overflows(b->signed_min, step, &least) || sub_overflows(a->signed_max, step, &most))
		return false;
	a->signed_min = MAX(a->signed_min, least);
	b->signed_max = MIN(b->signed_max, most);
	return a->signed_min <= a->signed_max && b->signed_min <= b->signed_max;
}

static bool narrow(u8 operation, struct scalar *a, struct scalar *b)
{
	switch (operation) {
	case BPF_JEQ:
		return assume_equal(a, b);
	case BPF_JNE:
		return assume_other(a, b) && assume_other(b, a);
	case BPF_JGT:
		return assume_greater(a, b, 1);
	case BPF_JGE:
		return assume_greater(a, b, 0);
	case BPF_JLT:
		return assume_greater(b, a, 1);
	case BPF_JLE:
		return assume_greater(b, a, 0);
	case BPF_JSGT:
		return assume_greater_signed(a, b, 1);
	case BPF_JSGE:
		return assume_greater_signed(a, b, 0);
	case BPF_JSLT:
		return assume_greater_signed(b, a, 1);
	case BPF_JSLE:
		return assume_greater_signed(b, a, 0);
	default: /* BPF_JSET, taken or not */
		return true;
	}
}

static u8 opposite(u8 operation)
{
	switch (operation) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JNE:
		return BPF_JEQ;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JGE:
		return BPF_JLT;
	case BPF_JLT:
		return BPF_JGE;
	case BPF_JLE:
		return BPF_JGT;
	case BPF_JSGT:
		return BPF_JSLE;
	case BPF_JSGE:
		return BPF_JSLT;
	case BPF_JSLT:
		return BPF_JSGE;
	case BPF_JSLE:
		return BPF_JSGT;
	default:
		return operation;
	}
}

bool scalar_assume(u8 operation, bool wide, bool taken, struct scalar *a, struct scalar *b)
{
	if (scalar_is_constant(a) && scalar_is_constant(b))
		return taken == (wide ? bpf_compare64(operation, a->min, b->min)
				      : bpf_compare32(operation, (u32)a->min, (u32)b->min));
	/* In 32 bits it is the same when neither half of a sign nor anything above is in the way. */
	if (!wide && (a->max > INT32_MAX || b->max > INT32_MAX)) {
		bool is_signed = operation == BPF_JSGT || operation == BPF_JSGE ||
				 operation == BPF_JSLT || operation == BPF_JSLE;

		if (is_signed || a->max > UINT32_MAX || b->max > UINT32_MAX)
			return true;
	}
	if (operation == BPF_JA)
		return taken;
	return narrow(taken ? operation : opposite(operation), a, b) && agree(a) && agree(b);
}
