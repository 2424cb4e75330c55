/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that grows: what generated files (/proc, /sys) are made in. */
#pragma once

#include <lib/types.h>

struct text_buffer {
	char *data;
	size_t size, capacity;
	bool failed; /* no memory: what was added since is lost */
};

/* Append. Failures are remembered in `failed`, so that callers need not check each call. May sleep.
 */
void text_printf(struct text_buffer *t, const char *fmt, ...) __printf(2, 3);
/* The numbers of the bits of a mask, as "0-3,5". */
void text_bit_list(struct text_buffer *t, u64 mask);
void text_append(struct text_buffer *t, const void *bytes, size_t size);
/* Spaces until what began at `start` is `width` characters wide. */
void text_pad(struct text_buffer *t, size_t start, size_t width);
/* A line of meminfo(5) or smaps: "Name:", padded to 16, and kibibytes. */
void text_kib_line(struct text_buffer *t, const char *name, u64 kib);
/* Appends text with the characters of `special` as \ooo. */
#define TEXT_SPECIAL_MOUNTS " \t\n\\" /* of mount tables */
void text_append_escaped(struct text_buffer *t, const char *text, const char *special);
/* Space for `size` bytes to be written by the caller, who then adds what it used to t->size. Null:
 * no memory. */
[[nodiscard]] char *text_reserve(struct text_buffer *t, size_t size);
void text_free(struct text_buffer *t);
