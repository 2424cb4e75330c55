/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How well a link is used that loses, overtakes and doubles: means of many transfers, in the exact time of the wire. */
#include "../../../arch/host/wire.h"

#include <lib/test.h>

#define MSEC NSEC_PER_MSEC
#define TRANSFERS 150
#define BYTES 300000

static u64 counted(enum net_counter counter)
{
	return net_statistics_of(&initial_network)->of[0][counter];
}

/* From the SYN to the last byte, over 100 ms there and back; five rounds of a window that doubles take 0.6 s. */
static u64 mean_of_transfers(u32 loss, u64 late_ns)
{
	u64 sum = 0;

	wire_init(11);
	wire.delay_ns = 50 * MSEC;
	wire.late_ns = late_ns;
	for (unsigned i = 0; i < TRANSFERS; i++) {
		struct socket *client, *server;
		u64 start = host_clock_ns;

		wire.loss = loss;
		wire.reorder = 50000;
		wire.duplicate = 10000;
		wire_connect(80, &client, &server);
		EXPECT(wire_transfer(client, server, BYTES, 100 * NSEC_PER_SEC));
		sum += host_clock_ns - start;
		wire.loss = wire.reorder = wire.duplicate = 0;
		wire_close(client, server);
	}
	return sum / TRANSFERS;
}

TEST(tcp_one_loss_of_a_hundred_costs_little)
{
	EXPECT_LT(mean_of_transfers(10000, 10 * MSEC), 1100 * MSEC);
	/* Hardly anything is sent again that was not lost: 31,000 segments, the SYNs among them. */
	EXPECT_LT(counted(NET_TCP_RETRANSMITTED), 450);
}

/* Later than a quarter of a round trip: taken for lost, found out, and waited for from then on. */
TEST(tcp_gets_used_to_a_link_that_overtakes)
{
	EXPECT_LT(mean_of_transfers(0, 60 * MSEC), 800 * MSEC);
	EXPECT_LT(0, counted(NET_TCP_UNDONE));
}

/* One segment is late by more than anybody waits: the window is what it was before. */
static u32 data_seen;

static bool hold_sixth(const struct wire_segment *s)
{
	bool sixth = s->length && s->source.bytes[15] == 1 && ++data_seen == 6;

	wire.reorder = sixth ? 1000000 : 0;
	return false;
}

TEST(tcp_a_needless_reduction_is_taken_back)
{
	struct socket *client, *server;
	struct tcp *t;
	u32 before;

	wire_init(3);
	wire_connect(80, &client, &server);
	EXPECT(wire_transfer(client, server, BYTES, 30 * NSEC_PER_SEC));
	t = tcp_of(client);
	before = t->cwnd;
	data_seen = 0;
	wire.late_ns = 200 * MSEC;
	wire.look = hold_sixth;
	EXPECT(wire_transfer(client, server, 40000, 30 * NSEC_PER_SEC));
	wire_run(NSEC_PER_SEC);
	EXPECT_EQ(counted(NET_TCP_SACK_RECOVERY), 1);
	EXPECT_EQ(counted(NET_TCP_UNDONE), 1);
	EXPECT_LE(before, t->cwnd);
	EXPECT_EQ(t->phase, PHASE_OPEN);
	wire_close(client, server);
}
