/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CRC-32 of gzip and Ethernet (polynomial 0xedb88320, reflected). */
#pragma once

#include <lib/types.h>

/* Continues `crc`, 0 at the start, over `n` bytes. */
u32 crc32(u32 crc, const void *data, size_t n);
