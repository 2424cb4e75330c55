/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test suite of RFC 1321, A.5, and that pieces make no difference. */
#include <lib/md5.h>
#include <lib/string.h>
#include <lib/test.h>

static void digest_of(const char *text, size_t piece, u8 digest[static MD5_SIZE])
{
	size_t n = strlen(text);
	struct md5 m;

	md5_begin(&m);
	for (size_t at = 0; at < n; at += piece)
		md5_update(&m, text + at, MIN(piece, n - at));
	md5_end(&m, digest);
}

static void expect_digest(const char *text, const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	static const size_t pieces[] = { 1, 7, 64, 1000 };

	for (size_t p = 0; p < ARRAY_SIZE(pieces); p++) {
		char got[2 * MD5_SIZE + 1] = {};
		u8 digest[MD5_SIZE];

		digest_of(text, pieces[p], digest);
		for (unsigned i = 0; i < MD5_SIZE; i++) {
			got[2 * i] = digits[digest[i] >> 4];
			got[2 * i + 1] = digits[digest[i] & 15];
		}
		EXPECT(!strcmp(got, hex));
	}
}

TEST(md5_has_the_digests_of_the_rfc)
{
	expect_digest("", "d41d8cd98f00b204e9800998ecf8427e");
	expect_digest("a", "0cc175b9c0f1b6a831c399e269772661");
	expect_digest("abc", "900150983cd24fb0d6963f7d28e17f72");
	expect_digest("message digest", "f96b697d7cb7938d525a2f31aaf161d0");
	expect_digest("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b");
	expect_digest("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
		      "d174ab98d277d9f5a5611c2c9f419d9f");
	expect_digest("1234567890123456789012345678901234567890123456789012345678901234567890123456"
		      "7890",
		      "57edf4a22be3c955ac49da2e2107b67a");
}
