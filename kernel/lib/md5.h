/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MD5 (RFC 1321): for protocols that prescribe it. It resists nobody who may choose what is hashed. */
#pragma once

#include <lib/types.h>

#define MD5_SIZE 16 /* bytes of a digest */

struct md5 {
	u32 state[4];
	u64 length; /* bytes so far */
	u8 block[64];
};

/* A digest is of all bytes that md5_update gets between md5_begin and md5_end. Any context. */
void md5_begin(struct md5 *m);
void md5_update(struct md5 *m, const void *data, size_t n);
void md5_end(struct md5 *m, u8 digest[static MD5_SIZE]);
