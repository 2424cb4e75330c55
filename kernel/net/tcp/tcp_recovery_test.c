/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each means of recovery seen to act, on a wire that takes away exactly what calls for it. */
#include "../../../arch/host/wire.h"

#include <lib/errno.h>
#include <lib/test.h>

#include <asm/socket.h>
#include <linux/tcp.h>

#define MSEC NSEC_PER_MSEC
#define WARM 300000 /* bytes that open the window and measure the path */

static struct socket *client, *server;
static u32 data_seen, lose_first, lose_last, sent_twice, highest;
static u32 swallowed; /* segments of more bytes vanish; 0: none */
static u64 blackout_until_ns, times[32];
static unsigned times_count;

/* Loses the client's data segments number lose_first to lose_last, and all until a time. */
static bool look(const struct wire_segment *s)
{
	if (!s->length || s->source.bytes[15] != 1)
		return host_clock_ns < blackout_until_ns;
	if (host_clock_ns < blackout_until_ns) {
		if (times_count < ARRAY_SIZE(times))
			times[times_count++] = host_clock_ns;
		return true;
	}
	data_seen++;
	if (highest && seq_before(s->seq, highest))
		sent_twice++;
	if (!highest || seq_after(s->seq + s->length, highest))
		highest = s->seq + s->length;
	if (swallowed && s->length > swallowed)
		return true;
	return data_seen >= lose_first && data_seen <= lose_last;
}

/* Loses nothing from here on but segments number `first` to `last`, counted from 1; 0: none. */
static void lose(u32 first, u32 last)
{
	data_seen = sent_twice = highest = 0;
	lose_first = first;
	lose_last = last;
}

/* A connection with a window of some dozens of segments, over 20 ms there and back. */
static void begin(void)
{
	wire_init(7);
	wire.look = look;
	wire_connect(80, &client, &server);
	EXPECT(wire_transfer(client, server, WARM, 30 * NSEC_PER_SEC));
	lose(0, 0);
}

static void end(void)
{
	wire_close(client, server);
}

static u64 seconds_for(size_t bytes, u64 limit_ns)
{
	u64 start = host_clock_ns;

	EXPECT(wire_transfer(client, server, bytes, limit_ns));
	return host_clock_ns - start;
}

TEST(tcp_one_lost_segment_is_sent_once_more)
{
	begin();
	lose(6, 6);
	EXPECT_LT(seconds_for(40000, NSEC_PER_SEC), 150 * MSEC);
	EXPECT_EQ(sent_twice, 1);
	EXPECT_EQ(tcp_of(client)->retries, 0);
	end();
}

TEST(tcp_holes_in_a_window_are_filled_in_one_round_trip)
{
	begin();
	wire.loss = 100000;
	EXPECT(wire_transfer(client, server, 100000, 20 * NSEC_PER_SEC));
	EXPECT_LT(sent_twice, 25); /* about 70 segments, a tenth of them lost */
	end();
}

/* The ACK that would tell of the loss never comes: a probe finds it before the time-out. */
TEST(tcp_lost_tail_is_probed_for)
{
	begin();
	lose(9, 10); /* of ten */
	EXPECT_LT(seconds_for(10 * 1448, NSEC_PER_SEC), 150 * MSEC);
	EXPECT_EQ(tcp_of(client)->retries, 0);
	end();
}

TEST(tcp_silence_is_met_with_time_outs_that_grow)
{
	begin();
	blackout_until_ns = host_clock_ns + 5 * NSEC_PER_SEC;
	EXPECT(wire_transfer(client, server, 5000, 30 * NSEC_PER_SEC));
	EXPECT_LT(4, times_count);
	EXPECT_LT(times_count, 20);
	for (unsigned i = times_count - 2; i < times_count && i > times_count - 3; i++)
		EXPECT_LE(1900 * (times[i] - times[i - 1]), 1000 * (times[i + 1] - times[i]));
	end();
}

/* Less late than a quarter of a round trip is not lost (RFC 8985). */
TEST(tcp_small_reordering_causes_no_retransmission)
{
	begin();
	wire.reorder = 200000;
	wire.late_ns = 3 * MSEC;
	EXPECT(wire_transfer(client, server, 400000, 30 * NSEC_PER_SEC));
	EXPECT_EQ(sent_twice, 0);
	end();
}

TEST(tcp_without_sack_recovers_by_duplicate_acks)
{
	initial_network.sysctl.tcp.sack = false;
	begin();
	EXPECT(!tcp_of(client)->sack);
	lose(6, 6);
	EXPECT_LT(seconds_for(40000, NSEC_PER_SEC), 150 * MSEC);
	EXPECT_EQ(sent_twice, 1);
	end();
}

/* What cubic and reno keep of the window after a loss. */
static u32 kept_percent(const char *name)
{
	struct tcp *t;
	u32 before;

	begin();
	t = tcp_of(client);
	t->congestion = tcp_congestion_find(name);
	t->congestion->init(t);
	EXPECT(wire_transfer(client, server, WARM, 30 * NSEC_PER_SEC));
	before = t->cwnd;
	lose(3, 3);
	EXPECT(wire_transfer(client, server, 40000, 30 * NSEC_PER_SEC));
	wire_run(NSEC_PER_SEC);
	EXPECT_EQ(t->phase, PHASE_OPEN);
	return t->ssthresh * 100ull / before;
}

TEST(tcp_cubic_keeps_seven_tenths_of_the_window)
{
	u32 kept = kept_percent("cubic");

	EXPECT_LE(69, kept);
	EXPECT_LE(kept, 75);
	end();
}

TEST(tcp_reno_keeps_half_of_the_window)
{
	u32 kept = kept_percent("reno");

	EXPECT_LE(49, kept);
	EXPECT_LE(kept, 55);
	end();
}

TEST(tcp_congestion_marks_slow_down_without_loss)
{
	u32 before;

	initial_network.sysctl.tcp.ecn = 1;
	begin();
	EXPECT(tcp_of(client)->ecn && tcp_of(server)->ecn);
	before = tcp_of(client)->cwnd;
	wire.mark = 10000;
	EXPECT(wire_transfer(client, server, 1000000, 30 * NSEC_PER_SEC));
	EXPECT_LT(0, wire.marked);
	EXPECT_EQ(sent_twice, 0);
	EXPECT_LT(tcp_of(client)->cwnd, before);
	end();
}

TEST(tcp_finds_the_mtu_of_the_path)
{
	begin();
	wire.mtu = 1000;
	EXPECT(wire_transfer(client, server, 200000, 30 * NSEC_PER_SEC));
	EXPECT_LT(0, wire.too_big);
	EXPECT_LT(wire.too_big, 200);
	EXPECT_EQ(tcp_of(client)->path_mtu, 1000);
	end();
}

/* The update that opens the window again is lost: only probes find out. */
TEST(tcp_probes_a_window_that_is_closed)
{
	u64 sent = 0, got = 0;
	ssize_t n;

	begin();
	do {
		n = wire_write(client, 60000);
		sent += n > 0 ? (u64)n : 0;
		wire_run(NSEC_PER_SEC);
	} while (n > 0);
	EXPECT_EQ(n, -EAGAIN);
	EXPECT_LT(tcp_of(client)->snd_wnd, tcp_of(client)->mss);
	EXPECT_LT(0, tcp_of(client)->probe_at);
	wire_run(60 * NSEC_PER_SEC);
	EXPECT_EQ(tcp_of(client)->state, TCP_ESTABLISHED);
	blackout_until_ns = host_clock_ns + NSEC_PER_SEC / 10;
	while ((n = wire_read(server, 60000)) > 0)
		got += (u64)n;
	wire_run(130 * NSEC_PER_SEC);
	while (got < sent && (n = wire_read(server, 60000)) != 0) {
		EXPECT(n > 0 || n == -EAGAIN);
		got += n > 0 ? (u64)n : 0;
		if (n < 0 && !wire_step(UINT64_MAX))
			break;
	}
	EXPECT_EQ(got, sent);
	end();
}

/* A receiver that runs out of memory drops what it has reported (RFC 2018, 8), which the sender must send again. */
TEST(tcp_survives_a_receiver_that_takes_reports_back)
{
	int one = 1;
	u64 got = 0;

	begin();
	EXPECT_EQ(client->ops->set_option(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	tcp_of(server)->memory_limit = 65536;
	tcp_of(server)->memory_fixed = true;
	lose(1, 1);
	for (u32 i = 0; i < 1500; i++)
		EXPECT_EQ(wire_write(client, 20), 20);
	for (u64 limit = host_clock_ns + 300 * NSEC_PER_SEC; got < 1500 * 20;) {
		ssize_t n = wire_read(server, 1000);

		got += n > 0 ? (u64)n : 0;
		if (n != -EAGAIN ? n <= 0 : !wire_step(limit))
			break;
	}
	EXPECT_EQ(got, 1500 * 20);
	end();
}

/* SO_MAX_PACING_RATE holds for what is sent again as well. */
TEST(tcp_retransmissions_are_paced)
{
	u64 start;

	begin();
	tcp_of(client)->pacing_rate = 100000;
	wire.loss = 100000;
	start = host_clock_ns;
	EXPECT(wire_transfer(client, server, 100000, 60 * NSEC_PER_SEC));
	EXPECT_LT(0, sent_twice);
	/* What was lost on its way took its time too. */
	EXPECT_LE((data_seen - 4) * 1448ull * NSEC_PER_SEC / 100000, host_clock_ns - start);
	end();
}

/* Large segments vanish without a word from now on: the connection goes on with smaller ones, which grow as far as they get through. */
TEST(tcp_gets_out_of_a_black_hole)
{
	initial_network.sysctl.tcp.mtu_probing = 1;
	begin();
	EXPECT_EQ(tcp_of(client)->mss, 1448);
	swallowed = 1200;
	EXPECT(wire_transfer(client, server, 100000, 60 * NSEC_PER_SEC));
	EXPECT(wire_transfer(client, server, 2000000, 60 * NSEC_PER_SEC));
	EXPECT_LE(tcp_of(client)->mss, 1200);
	EXPECT_LE(1200 - 8, tcp_of(client)->mss);
	end();
}

TEST(tcp_stays_in_a_black_hole_without_probing)
{
	begin();
	swallowed = 1200;
	EXPECT(!wire_transfer(client, server, 100000, 60 * NSEC_PER_SEC));
	EXPECT_EQ(tcp_of(client)->mss, 1448);
	wire_close(client, server);
}

/* The probes that vanish are no congestion, and after ten minutes larger ones are tried again. */
TEST(tcp_probes_for_the_mtu_from_the_start)
{
	initial_network.sysctl.tcp.mtu_probing = 2;
	swallowed = 1300;
	begin();
	tcp_of(client)->pacing_rate = 2000000; /* the receiver can keep what waits for a probe */
	EXPECT(wire_transfer(client, server, 2000000, 30 * NSEC_PER_SEC));
	EXPECT_LE(tcp_of(client)->mss, 1300);
	EXPECT_LE(1300 - 8, tcp_of(client)->mss);
	EXPECT_EQ(tcp_of(client)->ssthresh, INT32_MAX);
	EXPECT_EQ(tcp_of(client)->retries, 0);
	swallowed = 0;
	wire_run(601 * NSEC_PER_SEC);
	EXPECT(wire_transfer(client, server, 2000000, 30 * NSEC_PER_SEC));
	EXPECT_LE(1448 - 8, tcp_of(client)->mss);
	end();
}

/* What TCP_REPAIR puts into the send queue was sent by another socket: it is sent again when nobody acknowledges it. */
TEST(tcp_repaired_data_is_sent_again)
{
	struct tcp *t;
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF, queue = TCP_SEND_QUEUE;
	u64 got = 0;

	begin();
	wire_run(NSEC_PER_SEC); /* all is acknowledged */
	t = tcp_of(client);
	EXPECT_EQ(client->ops->set_option(client, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	EXPECT_EQ(client->ops->set_option(client, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue,
					  sizeof(queue)),
		  0);
	EXPECT_EQ(wire_write(client, 3000), 3000);
	EXPECT_EQ(t->snd_nxt, t->write_seq);
	EXPECT_EQ(tcp_flight(t), 3000);
	wire_run(NSEC_PER_SEC);
	EXPECT_EQ(data_seen, 0);
	EXPECT_EQ(client->ops->set_option(client, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
	for (u64 limit = host_clock_ns + 10 * NSEC_PER_SEC; got < 3000;) {
		ssize_t n = wire_read(server, 3000);

		got += n > 0 ? (u64)n : 0;
		if (n != -EAGAIN ? n <= 0 : !wire_step(limit))
			break;
	}
	EXPECT_EQ(got, 3000);
	end();
}
