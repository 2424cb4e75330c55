/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's symbol table: names of functions for backtraces. tools/ksyms.py makes it from a first link of the
 * image, in which the weak symbols below are missing; the second link adds it behind the text.
 *
 * Offsets from __text_start are sorted; names follow each other in the same order, and an index leads to each
 * sixteenth of them. The last entry is the end of the text, with an empty name.
 */
#include <core/panic.h>
#include <lib/string.h>

#define KSYM_GROUP 16

extern const char __text_start[];
[[gnu::weak]] extern const u32 ksym_count;
[[gnu::weak]] extern const u32 ksym_offsets[];
[[gnu::weak]] extern const u32 ksym_index[];
[[gnu::weak]] extern const char ksym_names[];

static const char *name_of(u32 symbol)
{
	const char *name = ksym_names + ksym_index[symbol / KSYM_GROUP];

	for (u32 i = 0; i < symbol % KSYM_GROUP; i++)
		name += strlen(name) + 1;
	return name;
}

const char *ksym_lookup(vaddr_t pc, u64 *offset, u64 *size)
{
	u64 target = pc - (vaddr_t)__text_start;
	u32 low = 0, high;
	const char *name;

	if (&ksym_count == nullptr)
		return nullptr;
	high = ksym_count - 1;
	if (target < ksym_offsets[0] || target >= ksym_offsets[high])
		return nullptr;
	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (ksym_offsets[middle] <= target)
			low = middle;
		else
			high = middle;
	}
	name = name_of(low);
	*offset = target - ksym_offsets[low];
	*size = ksym_offsets[low + 1] - ksym_offsets[low];
	return name;
}

const char *ksym_next(u32 *cursor, vaddr_t *address)
{
	u32 symbol = *cursor;

	if (&ksym_count == nullptr || symbol + 1 >= ksym_count)
		return nullptr;
	*cursor = symbol + 1;
	*address = (vaddr_t)__text_start + ksym_offsets[symbol];
	return name_of(symbol);
}
