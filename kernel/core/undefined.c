/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run time of the undefined-behaviour sanitizer (SANITIZE=1): what Clang calls when an operation
 * has no meaning in C. Each check's data begins with the place in the source; that and the name of
 * the check are what a reader of the panic needs.
 */
#ifdef CONFIG_SANITIZE

#include <core/panic.h>
#include <lib/types.h>

struct undefined_place {
	const char *file;
	u32 line, column;
};

#define UNDEFINED(check, text)                                                                     \
	[[noreturn]] void __ubsan_handle_##check##_abort(const struct undefined_place *place);     \
	void __ubsan_handle_##check##_abort(const struct undefined_place *place)                   \
	{                                                                                          \
		panic("undefined behaviour: %s at %s:%u:%u", text, place->file, place->line,       \
		      place->column);                                                              \
	}

UNDEFINED(type_mismatch_v1, "null, misaligned or too small object")
UNDEFINED(pointer_overflow, "pointer overflow")
UNDEFINED(shift_out_of_bounds, "shift out of bounds")
UNDEFINED(out_of_bounds, "index out of bounds")
UNDEFINED(divrem_overflow, "division overflow")
UNDEFINED(negate_overflow, "negation overflow")
UNDEFINED(add_overflow, "addition overflow")
UNDEFINED(sub_overflow, "subtraction overflow")
UNDEFINED(mul_overflow, "multiplication overflow")
UNDEFINED(load_invalid_value, "value that its type does not have")
UNDEFINED(nonnull_arg, "null argument")
UNDEFINED(nonnull_return_v1, "null result")
UNDEFINED(vla_bound_not_positive, "array without elements")
UNDEFINED(alignment_assumption, "alignment that was assumed")
UNDEFINED(invalid_builtin, "bad argument of a builtin")
UNDEFINED(function_type_mismatch, "call through a pointer of another type")

/* These two never return, so they have no second form. */
[[noreturn]] void __ubsan_handle_builtin_unreachable(const struct undefined_place *place);
void __ubsan_handle_builtin_unreachable(const struct undefined_place *place)
{
	panic("undefined behaviour: unreachable code at %s:%u:%u", place->file, place->line,
	      place->column);
}
[[noreturn]] void __ubsan_handle_missing_return(const struct undefined_place *place);
void __ubsan_handle_missing_return(const struct undefined_place *place)
{
	panic("undefined behaviour: no value returned at %s:%u:%u", place->file, place->line,
	      place->column);
}

#endif
