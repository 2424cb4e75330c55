/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Core files (core(5)): an ELF file with the memory and the registers of a process that a signal ended, as gdb reads it. It has
 * the registers of all threads, first those of the one that the signal hit; patterns that begin with '|' make no file.
 */
#pragma once

#include <lib/types.h>

#define CORE_PATTERN_MAX 128

/* /proc/sys/kernel/core_pattern, core_uses_pid. The pattern is copied out and in under a lock. */
void core_pattern_get(char out[CORE_PATTERN_MAX]);
void core_pattern_set(const char *text, size_t length);
extern s32 core_uses_pid;

/* Boot. */
void core_dump_init(void);
