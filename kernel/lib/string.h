/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and strings, as ISO C has them (the architecture may supply faster mem* functions), and bounded helpers. */
#pragma once

#include <lib/types.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *haystack, const char *needle);

/*
 * Copies as much of `from` as fits, always terminated (size > 0). Returns strlen(from), or -E2BIG when it was cut.
 */
ssize_t string_copy(char *to, const char *from, size_t size);

bool string_starts(const char *s, const char *prefix);

/*
 * Parses all of `s` as a number; base 0 understands 0x and a leading 0. Returns 0, -EINVAL (not a number), -ERANGE.
 */
[[nodiscard]] int parse_u64(const char *s, unsigned base, u64 *out);
[[nodiscard]] int parse_s64(const char *s, unsigned base, s64 *out);
/* A size with an optional suffix K, M, G, T (mem=64M). */
[[nodiscard]] int parse_size(const char *s, u64 *out);
