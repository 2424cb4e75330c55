/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reassembly: any order gives the datagram, overlaps and gaps give nothing, floods stay within bounds. */
#include "../../arch/host/host.h"
#include "../../arch/host/net.h"

#include <core/time.h>
#include <lib/test.h>

#define HEADER 20u
#define LARGEST 20000u
#define PIECES 100

static u8 expected[LARGEST];

/* Offers bytes `offset` to `offset` + n of the expected ones, behind a header. */
static struct packet *offer(u32 identification, unsigned offset, unsigned n, bool more)
{
	static const u8 header[HEADER] = { 0x45 };
	struct fragment_key key = { .source = { .bytes = { 1 } },
				    .destination = { .bytes = { 2 } },
				    .identification = identification,
				    .protocol = 17 };
	struct packet *p = packet_alloc();

	if (!p || packet_append_bytes(p, header, HEADER) ||
	    packet_append_bytes(p, expected + offset % LARGEST, n)) {
		packet_free(p);
		return nullptr;
	}
	return inet_reassemble(p, &key, &initial_network, HEADER, offset, more);
}

static void begin(void)
{
	host_net_init(5);
	for (unsigned i = 0; i < LARGEST; i++)
		expected[i] = (u8)host_net_random();
}

/* What waits in vain goes. */
static void end(void)
{
	host_clock_ns += 60 * NSEC_PER_SEC;
	inet_fragments_expire();
}

static void expect_whole(struct packet *p, unsigned total)
{
	static u8 got[LARGEST];

	if (EXPECT(p) && EXPECT_EQ(p->length, HEADER + total)) {
		EXPECT(packet_copy(p, HEADER, got, total));
		EXPECT(!memcmp(got, expected, total));
	}
	packet_free(p);
}

/* A datagram cut at random, its pieces in random order, some of them twice. */
static void one_datagram(u32 identification)
{
	struct {
		unsigned start, length;
	} pieces[PIECES];
	unsigned count = 0, total = 0;
	struct packet *whole = nullptr;

	while (count < 2 + host_net_random() % (PIECES - 2)) {
		pieces[count].start = total;
		pieces[count].length = 8 * (1 + (unsigned)(host_net_random() % 24));
		total += pieces[count++].length;
	}
	pieces[count - 1].length -= 3;
	total -= 3;
	for (unsigned left = count; left; left--) {
		unsigned i = (unsigned)(host_net_random() % left);
		unsigned start = pieces[i].start, n = pieces[i].length;

		EXPECT(!whole);
		whole = offer(identification, start, n, start + n < total);
		if (!whole && host_net_random() % 8 == 0)
			EXPECT(!offer(identification, start, n, start + n < total));
		pieces[i] = pieces[left - 1];
	}
	expect_whole(whole, total);
}

TEST(fragments_in_any_order_make_the_datagram)
{
	begin();
	for (u32 i = 0; i < 2000; i++)
		one_datagram(i);
	end();
}

/* RFC 5722: what overlaps ends the datagram, whatever comes after. */
TEST(fragments_that_overlap_make_nothing)
{
	begin();
	EXPECT(!offer(1, 0, 16, true));
	EXPECT(!offer(1, 8, 16, true));
	EXPECT(!offer(1, 16, 8, false));
	EXPECT(!offer(2, 8, 16, false));
	EXPECT(!offer(2, 0, 16, true));
	EXPECT(!offer(2, 0, 8, true));
	end();
}

/* The same bytes, cut otherwise, are ignored as Linux does. */
TEST(fragments_inside_of_others_are_duplicates)
{
	begin();
	EXPECT(!offer(1, 0, 16, true));
	EXPECT(!offer(1, 16, 16, true));
	EXPECT(!offer(1, 8, 16, true));
	EXPECT(!offer(1, 8, 8, true));
	EXPECT(!offer(1, 48, 16, true));
	EXPECT(!offer(1, 32, 16, true));
	EXPECT(!offer(1, 24, 32, true));
	expect_whole(offer(1, 64, 5, false), 69);
	end();
}

/* The last fragment ends before others, so that the bytes add up without being there. */
TEST(fragments_beyond_the_end_make_nothing)
{
	begin();
	EXPECT(!offer(1, 1000, 80, true));
	EXPECT(!offer(1, 80, 16, false));
	EXPECT(!offer(2, 80, 16, false));
	EXPECT(!offer(2, 1000, 80, true));
	EXPECT(!offer(3, 65528, 16, false));
	EXPECT(!offer(4, 0, 13, true));
	end();
}

/* First fragments without end: an honest datagram passes, and what is kept is bounded. */
TEST(fragment_flood_is_bounded)
{
	long before;

	begin();
	before = host_blocks();
	for (u32 i = 0; i < 20000; i++) {
		EXPECT(!offer(1000 + i, 0, 1200, true));
		if (i % 1000 == 0) {
			EXPECT(!offer(i, 0, 1200, true));
			expect_whole(offer(i, 1200, 600, false), 1800);
		}
		EXPECT_LT(host_blocks() - before, 2000);
	}
	end();
	EXPECT_EQ(host_blocks(), before);
}
