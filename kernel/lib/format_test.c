/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of lib/format.c and of number parsing. */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/test.h>

static __printf(2, 3) void expect_text(const char *wanted, const char *fmt, ...)
{
	char text[128];
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	EXPECT_STREQ(text, wanted);
	EXPECT_EQ((size_t)length, strlen(wanted));
}

TEST(format_numbers)
{
	expect_text("0 -1 4294967295", "%d %d %u", 0, -1, 4294967295u);
	expect_text("-9223372036854775808", "%ld", INT64_MIN);
	expect_text("18446744073709551615", "%lu", UINT64_MAX);
	expect_text("ff FF 0xff 377 0377", "%x %X %#x %o %#o", 255, 255, 255, 255, 255);
	expect_text("[   42][42   ][00042][+42]", "[%5d][%-5d][%05d][%+d]", 42, 42, 42, 42);
	expect_text("[  007]", "[%5.3d]", 7);
	expect_text("[   -7][-0007]", "[%*d][%05d]", 5, -7, -7);
	expect_text("1 2 3 4", "%hhd %hd %zd %jd", (signed char)1, (short)2, (ssize_t)3,
		    (intmax_t)4);
}

TEST(format_text)
{
	expect_text("[abc][  abc][abc  ][ab]", "[%s][%5s][%-5s][%.2s]", "abc", "abc", "abc", "abc");
	expect_text("a%b", "%c%%%c", 'a', 'b');
	expect_text("0000000000000010", "%p", (void *)16);
}

TEST(format_cuts_at_the_end_of_the_buffer)
{
	char text[4] = "zzz";

	EXPECT_EQ(snprintf(text, sizeof(text), "%s", "abcdef"), 6);
	EXPECT_STREQ(text, "abc");
	EXPECT_EQ(snprintf(text, 0, "%d", 12345), 5);
	EXPECT_STREQ(text, "abc");
	EXPECT_EQ(scnprintf(text, sizeof(text), "%d", 12345), 3);
	EXPECT_EQ(scnprintf(text, 1, "x"), 0);
	EXPECT_STREQ(text, "");
}

TEST(parse_numbers)
{
	u64 u = 0;
	s64 s = 0;

	EXPECT_EQ(parse_u64("18446744073709551615", 10, &u), 0);
	EXPECT_EQ(u, UINT64_MAX);
	EXPECT_EQ(parse_u64("18446744073709551616", 10, &u), -ERANGE);
	EXPECT_EQ(parse_u64("0x1f", 0, &u), 0);
	EXPECT_EQ(u, 31u);
	EXPECT_EQ(parse_u64("017", 0, &u), 0);
	EXPECT_EQ(u, 15u);
	EXPECT_EQ(parse_u64("", 10, &u), -EINVAL);
	EXPECT_EQ(parse_u64("12x", 10, &u), -EINVAL);
	EXPECT_EQ(parse_s64("-9223372036854775808", 10, &s), 0);
	EXPECT_EQ(s, INT64_MIN);
	EXPECT_EQ(parse_s64("-9223372036854775809", 10, &s), -ERANGE);
	EXPECT_EQ(parse_size("64M", &u), 0);
	EXPECT_EQ(u, 64ull << 20);
	EXPECT_EQ(parse_size("99999999999T", &u), -ERANGE);
}
