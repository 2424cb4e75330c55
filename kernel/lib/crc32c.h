/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRC-32C (Castagnoli, polynomial 0x82f63b78, reflected; RFC 3720 B.4) and CRC-16 (0xa001, reflected). */
#pragma once

#include <lib/types.h>

/* Continues `crc` over `n` bytes, without the inversions at start and end that RFC 3720 adds. */
u32 crc32c(u32 crc, const void *data, size_t n);

/* The same of the CRC-16 of ANSI (polynomial 0x8005, reflected). */
u16 crc16(u16 crc, const void *data, size_t n);
