/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of user access that need no assembler: the exception table and the choice of an atomic
 * operation. */
#include <arch/ucopy.h>
#include <lib/errno.h>

struct exception_entry {
	s32 instruction; /* relative to this field */
	s32 fixup;
};

extern const struct exception_entry __ex_table_start[], __ex_table_end[];

int user_atomic_set(u32 __user *word, u32 operand, u32 *old);
int user_atomic_add(u32 __user *word, u32 operand, u32 *old);
int user_atomic_or(u32 __user *word, u32 operand, u32 *old);
int user_atomic_andn(u32 __user *word, u32 operand, u32 *old);
int user_atomic_xor(u32 __user *word, u32 operand, u32 *old);

static vaddr_t relative(const s32 *field)
{
	return (vaddr_t)field + (vaddr_t)(s64)*field;
}

vaddr_t arch_exception_fixup(vaddr_t pc)
{
	const struct exception_entry *low = __ex_table_start, *high = __ex_table_end;

	while (low < high) {
		const struct exception_entry *middle = low + (high - low) / 2;
		vaddr_t instruction = relative(&middle->instruction);

		if (instruction == pc)
			return relative(&middle->fixup);
		if (instruction < pc)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

int arch_user_atomic(enum user_atomic op, u32 __user *word, u32 operand, u32 *old)
{
	switch (op) {
	case USER_ATOMIC_SET:
		return user_atomic_set(word, operand, old);
	case USER_ATOMIC_ADD:
		return user_atomic_add(word, operand, old);
	case USER_ATOMIC_OR:
		return user_atomic_or(word, operand, old);
	case USER_ATOMIC_ANDN:
		return user_atomic_andn(word, operand, old);
	case USER_ATOMIC_XOR:
		return user_atomic_xor(word, operand, old);
	}
	return -ENOSYS;
}
