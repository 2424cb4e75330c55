/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DEFLATE (RFC 1951) and gzip (RFC 1952) decompression, made for long inputs that lie in memory. */
#pragma once

#include <lib/types.h>

/* Takes output, in order. Returns 0, or -errno to end. */
typedef int inflate_output(void *arg, const u8 *data, size_t size);

/* Memory that a decompression needs: about 300 KiB, given by the caller; contents need no preparation. */
struct inflate;
size_t inflate_state_size(void);

/*
 * Decompresses one gzip member at `data`. *used gets the bytes that it takes, of `size`. Returns 0; -EINVAL: not gzip,
 * damaged, or cut off (what was decompressed before was delivered); or what `output` returned.
 */
[[nodiscard]] int gunzip(struct inflate *state, const u8 *data, size_t size, size_t *used,
			 inflate_output *output, void *arg);

/* The same for a bare DEFLATE stream. */
[[nodiscard]] int inflate(struct inflate *state, const u8 *data, size_t size, size_t *used,
			  inflate_output *output, void *arg);

/* CRC-32 and number of the bytes that the last decompression delivered. */
u32 inflate_crc(const struct inflate *state);
u64 inflate_length(const struct inflate *state);
