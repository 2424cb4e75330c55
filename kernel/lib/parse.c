/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to numbers: whole strings only, every overflow reported. */
#include <lib/errno.h>
#include <lib/string.h>

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A') + 10;
	return 99;
}

/* Parses digits up to the first character that is none; *end points at it. */
static int parse_digits(const char *s, unsigned base, u64 *out, const char **end)
{
	u64 value = 0;
	bool overflow = false;

	if (base == 0 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16) {
		base = 16;
		s += 2;
	} else if (base == 0) {
		base = s[0] == '0' ? 8 : 10;
	}
	if (digit_value(*s) >= base)
		return -EINVAL;
	for (; digit_value(*s) < base; s++)
		overflow |= mul_overflows(value, base, &value) ||
			    add_overflows(value, digit_value(*s), &value);
	*end = s;
	*out = value;
	return overflow ? -ERANGE : 0;
}

int parse_u64(const char *s, unsigned base, u64 *out)
{
	const char *end;
	u64 value;
	int r = parse_digits(s, base, &value, &end);

	if (r == -EINVAL || *end)
		return -EINVAL;
	if (!r)
		*out = value;
	return r;
}

int parse_s64(const char *s, unsigned base, s64 *out)
{
	bool negative = *s == '-';
	u64 value;
	int r = parse_u64(negative ? s + 1 : s, base, &value);

	if (r)
		return r;
	if (value > (u64)INT64_MAX + negative)
		return -ERANGE;
	*out = negative ? (s64)(0 - value) : (s64)value;
	return 0;
}

int parse_size(const char *s, u64 *out)
{
	static const char suffixes[] = "KMGT";
	const char *end, *suffix;
	u64 value;
	int r = parse_digits(s, 0, &value, &end);

	if (r)
		return r;
	if (*end) {
		char c = *end >= 'a' ? (char)(*end - 'a' + 'A') : *end;

		suffix = strchr(suffixes, c);
		if (!suffix || end[1])
			return -EINVAL;
		if (mul_overflows(value, 1ull << 10 * (suffix - suffixes + 1), &value))
			return -ERANGE;
	}
	*out = value;
	return 0;
}
