/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checksums of packets: what becomes of a sum of zero. */
#include <lib/string.h>
#include <lib/test.h>
#include <net/packet_buffer.h>

/* The checksum of 20 bytes that sum up to `rest`, completed in the field at `offset`. */
static u16 completed(u16 offset, u16 rest)
{
	struct packet *p = packet_alloc();
	u16 sum, *words = packet_append(p, 20);

	memset(words, 0, 20);
	words[0] = rest;
	p->checksum = CHECKSUM_PARTIAL;
	p->checksum_start = (u16)packet_headroom(p);
	p->checksum_offset = offset;
	packet_complete_checksum(p);
	EXPECT_EQ(p->checksum, CHECKSUM_UNKNOWN);
	memcpy(&sum, p->data + offset, sizeof(sum));
	packet_free(p);
	return sum;
}

/* A UDP header without a checksum carries 0, so that a sum of 0 is sent as 0xffff (RFC 768); TCP knows no such thing. */
TEST(packet_checksum_of_zero)
{
	packet_init();
	EXPECT_EQ(completed(16, 0xffff), 0);
	EXPECT_EQ(completed(6, 0xffff), 0xffff);
	EXPECT_EQ(completed(16, 1), 0xfffe);
	EXPECT_EQ(completed(6, 1), 0xfffe);
}
