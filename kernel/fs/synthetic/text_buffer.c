/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that grows by doubling. */
#include <fs/synthetic/text_buffer.h>

#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <stdarg.h>

#define FIRST_CAPACITY 1024
#define KIB_COLUMN 16

char *text_reserve(struct text_buffer *t, size_t size)
{
	size_t needed;
	if (t->failed || add_overflows(t->size, size, &needed))
		return nullptr;
	if (needed <= t->capacity)
		return t->data + t->size;
	size_t capacity = t->capacity ? t->capacity : FIRST_CAPACITY;
	while (capacity < needed)
		capacity *= 2;
	char *data = kvmalloc(capacity, 0);
	if (!data) {
		t->failed = true;
		return nullptr;
	}
	if (t->size)
		memcpy(data, t->data, t->size);
	kvfree(t->data);
	t->data = data;
	t->capacity = capacity;
	return t->data + t->size;
}

void text_append(struct text_buffer *t, const void *bytes, size_t size)
{
	char *to = text_reserve(t, size);
	if (!to)
		return;
	memcpy(to, bytes, size);
	t->size += size;
}

void text_printf(struct text_buffer *t, const char *fmt, ...)
{
	for (;;) {
		size_t room = t->capacity - t->size;
		va_list ap;
		va_start(ap, fmt);
		int n = vsnprintf(t->data ? t->data + t->size : nullptr, room, fmt, ap);
		va_end(ap);
		if ((size_t)n < room) {
			t->size += (size_t)n;
			return;
		}
		if (!text_reserve(t, (size_t)n + 1))
			return;
	}
}

void text_pad(struct text_buffer *t, size_t start, size_t width)
{
	size_t missing = start + width - MIN(t->size, start + width);
	char *to = missing ? text_reserve(t, missing) : nullptr;

	if (!to)
		return;
	memset(to, ' ', missing);
	t->size += missing;
}

void text_kib_line(struct text_buffer *t, const char *name, u64 kib)
{
	size_t start = t->size;

	text_append(t, name, strlen(name));
	text_append(t, ":", 1);
	text_pad(t, start, KIB_COLUMN);
	text_printf(t, "%8llu kB\n", (unsigned long long)kib);
}

void text_append_escaped(struct text_buffer *t, const char *text, const char *special)
{
	while (*text) {
		size_t plain = 0;

		while (text[plain] && !strchr(special, text[plain]))
			plain++;
		text_append(t, text, plain);
		text += plain;
		if (*text)
			text_printf(t, "\\%03o", (unsigned char)*text++);
	}
}

void text_free(struct text_buffer *t)
{
	kvfree(t->data);
	*t = (struct text_buffer){ 0 };
}

void text_bit_list(struct text_buffer *t, u64 mask)
{
	const char *separator = "";

	for (unsigned bit = 0; bit < 64; bit++) {
		unsigned last = bit;

		if (!(mask >> bit & 1))
			continue;
		while (last + 1 < 64 && (mask >> (last + 1) & 1))
			last++;
		text_printf(t, last > bit ? "%s%u-%u" : "%s%u", separator, bit, last);
		separator = ",";
		bit = last;
	}
}
