/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel command line (bootparam(7)): words separated by spaces, quotes protect spaces. A word that no
 * KERNEL_PARAMETER takes is handed to init: name=value into its environment, the rest as arguments;
 * everything after "--" is for init.
 */
#pragma once

#include <lib/types.h>

/*
 * Declares a parameter, e.g. KERNEL_PARAMETER("loglevel=", set_log_level). With '=' in the name `set` gets the text
 * after it; without, an empty string. Returns 0, or -EINVAL (logged). Called before memory allocation works,
 * in the order of the command line.
 */
struct kernel_parameter {
	const char *name;
	int (*set)(const char *value);
};
#define KERNEL_PARAMETER(name_, set_)                                                              \
	static const struct kernel_parameter GUARD_PARAM(kernel_parameter_, __COUNTER__)           \
		__attribute__((section(".kernel_parameters"), used, aligned(8))) = { name_, set_ }
#define GUARD_PARAM_(a, b) a##b
#define GUARD_PARAM(a, b) GUARD_PARAM_(a, b)

/* Parses boot_info.command_line. */
void command_line_parse(void);

/* Words for init, null-terminated vectors: arguments after the program's name, and environment. */
extern const char *init_arguments[32 + 1];
extern const char *init_environment[32 + 1];

/* The line as it was given, for /proc/cmdline. */
const char *command_line_text(void);
