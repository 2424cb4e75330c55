/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The magic SysRq key. */
#pragma once

#include <lib/types.h>

/*
 * Does what a letter means (Linux's admin-guide/sysrq: b c e f i l m o p t w, digits); other letters print the list. From
 * /proc/sysrq-trigger, or from the console: a break and then the letter. Any context.
 */
void sysrq_command(char letter);
