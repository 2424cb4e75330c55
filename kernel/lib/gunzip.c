/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gzip format around DEFLATE: header, checksum, length. */
#include <lib/errno.h>
#include <lib/inflate.h>
#include <lib/string.h>

/* The length of a gzip header, or 0 if it is none. RFC 1952, 2.3. */
static size_t gzip_header(const u8 *p, size_t size)
{
	size_t at = 10;
	u8 flags;

	if (size < 18 || p[0] != 0x1f || p[1] != 0x8b || p[2] != 8 || (p[3] & 0xe0))
		return 0;
	flags = p[3];
	if (flags & 4) { /* FEXTRA */
		at += 2 + (p[at] | (size_t)p[at + 1] << 8);
		if (at >= size)
			return 0;
	}
	for (unsigned bit = 8; bit <= 16; bit <<= 1) { /* FNAME, FCOMMENT */
		if (!(flags & bit))
			continue;
		while (at < size && p[at])
			at++;
		at++;
	}
	if (flags & 2) /* FHCRC */
		at += 2;
	return at < size ? at : 0;
}

int gunzip(struct inflate *s, const u8 *data, size_t size, size_t *used, inflate_output *output,
	   void *arg)
{
	size_t header = gzip_header(data, size);
	u32 crc, length;
	int result;

	*used = 0;
	if (!header)
		return -EINVAL;
	result = inflate(s, data + header, size - header, used, output, arg);
	*used += header;
	if (result)
		return result;
	if (size - *used < 8)
		return -EINVAL;
	memcpy(&crc, data + *used, 4);
	memcpy(&length, data + *used + 4, 4);
	*used += 8;
	return crc == inflate_crc(s) && length == (u32)inflate_length(s) ? 0 : -EINVAL;
}
