/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exception table: which instructions may fault on user memory, and where each goes on then. */
#include <arch/ucopy.h>

/* Each relative to its own place. */
struct ex_entry {
	s32 pc, fixup;
};
extern const struct ex_entry __ex_table_start[], __ex_table_end[];

static vaddr_t address_of(const s32 *relative)
{
	return (vaddr_t)relative + *relative;
}

vaddr_t arch_exception_fixup(vaddr_t pc)
{
	const struct ex_entry *low = __ex_table_start, *high = __ex_table_end;

	while (low < high) {
		const struct ex_entry *middle = low + (high - low) / 2;
		vaddr_t at = address_of(&middle->pc);
		if (at == pc)
			return address_of(&middle->fixup);
		if (at < pc)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}
