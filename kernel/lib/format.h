/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printf-like formatting: %d %i %u %x %X %o %c %s %p %% with flags, width, precision and the sizes hh h l ll z t j.
 * No floating point.
 */
#pragma once

#include <lib/types.h>

#include <stdarg.h>

/* As ISO C: always terminated if size > 0; returns the length that the whole text has. */
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);

/* As snprintf but returns what is in buf, without the terminator: for building text piece by piece. */
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
