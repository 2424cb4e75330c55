/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and string functions. The mem* functions are weak: an architecture may replace them. */
#include <lib/errno.h>
#include <lib/string.h>

/* One unaligned load or store of a word; the compiler turns them into single instructions. */
static inline u64 load_word(const void *p)
{
	u64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline void store_word(void *p, u64 v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

__attribute__((weak)) void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *d = to;
	const char *s = from;

	for (; n >= 32; n -= 32, d += 32, s += 32) {
		u64 a = load_word(s), b = load_word(s + 8);
		u64 c = load_word(s + 16), e = load_word(s + 24);

		store_word(d, a);
		store_word(d + 8, b);
		store_word(d + 16, c);
		store_word(d + 24, e);
	}
	for (; n >= 8; n -= 8, d += 8, s += 8)
		store_word(d, load_word(s));
	for (; n; n--)
		*d++ = *s++;
	return to;
}

__attribute__((weak)) void *memmove(void *to, const void *from, size_t n)
{
	char *d = to;
	const char *s = from;

	/* Forward word copies are right when the destination lies below, backward ones when above.
	 */
	if ((uintptr_t)d - (uintptr_t)s >= n) {
		for (; n >= 8; n -= 8, d += 8, s += 8)
			store_word(d, load_word(s));
		for (; n; n--)
			*d++ = *s++;
		return to;
	}
	for (; n >= 8; n -= 8)
		store_word(d + n - 8, load_word(s + n - 8));
	while (n--)
		d[n] = s[n];
	return to;
}

__attribute__((weak)) void *memset(void *to, int c, size_t n)
{
	char *d = to;
	u64 word = (u8)c * 0x0101010101010101ull;

	for (; n >= 32; n -= 32, d += 32) {
		store_word(d, word);
		store_word(d + 8, word);
		store_word(d + 16, word);
		store_word(d + 24, word);
	}
	for (; n >= 8; n -= 8, d += 8)
		store_word(d, word);
	for (; n; n--)
		*d++ = (char)c;
	return to;
}

__attribute__((weak)) int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n >= 8 && load_word(p) == load_word(q); n -= 8, p += 8, q += 8)
		;
	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	for (; n; n--, p++)
		if (*p == (u8)c)
			return (void *)p;
	return nullptr;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; n--, a++, b++)
		;
	return n ? (u8)*a - (u8)*b : 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return nullptr;
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = nullptr;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (!*s)
			return (char *)last;
	}
}

char *strstr(const char *haystack, const char *needle)
{
	size_t n = strlen(needle);

	for (;; haystack++) {
		if (!strncmp(haystack, needle, n))
			return (char *)haystack;
		if (!*haystack)
			return nullptr;
	}
}

ssize_t string_copy(char *to, const char *from, size_t size)
{
	size_t n = strnlen(from, size);

	if (n == size) {
		memcpy(to, from, size - 1);
		to[size - 1] = 0;
		return -E2BIG;
	}
	memcpy(to, from, n + 1);
	return (ssize_t)n;
}

bool string_starts(const char *s, const char *prefix)
{
	for (; *prefix; s++, prefix++)
		if (*s != *prefix)
			return false;
	return true;
}
