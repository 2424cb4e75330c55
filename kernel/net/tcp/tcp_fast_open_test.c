/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fast Open over a bad wire, floods of it, and signed segments: what needs faults or strangers. */
#include "../../../arch/host/host.h"
#include "../../../arch/host/wire.h"

#include <lib/errno.h>
#include <lib/string.h>
#include <lib/test.h>

#include <asm/socket.h>
#include <linux/tcp.h>

static struct socket *listener, *client, *server;
static struct socket_address address;
static u32 syns, data_with_syn;

static bool count_syns(const struct wire_segment *s)
{
	if ((s->flags & (TH_SYN | TH_ACK)) == TH_SYN) {
		syns++;
		data_with_syn += s->length;
	}
	return false;
}

static void set(struct socket *socket, int option, int value)
{
	EXPECT_EQ(socket->ops->set_option(socket, SOL_TCP, option, &value, sizeof(value)), 0);
}

static void begin(int queue)
{
	wire_init(7);
	initial_network.sysctl.tcp.fast_open = FAST_OPEN_CLIENT | FAST_OPEN_SERVER;
	wire.look = count_syns;
	syns = data_with_syn = 0;
	address = host_net_address(2, 80);
	listener = host_net_socket();
	EXPECT_EQ(listener->ops->bind(listener, &address), 0);
	set(listener, TCP_FASTOPEN, queue);
	EXPECT_EQ(listener->ops->listen(listener, 100), 0);
}

/* connect(2) of a client with TCP_FASTOPEN_CONNECT, and a write; it has begun. */
static struct socket *open_with(size_t bytes)
{
	struct socket *socket = host_net_socket();
	int error;

	set(socket, TCP_FASTOPEN_CONNECT, 1);
	error = socket->ops->connect(socket, &address);
	while ((error == -EINPROGRESS || error == -EALREADY) && wire_step(UINT64_MAX))
		error = socket->ops->connect(socket, &address);
	EXPECT_EQ(error, 0);
	EXPECT_EQ(wire_write(socket, bytes), (ssize_t)bytes);
	return socket;
}

static struct socket *take(void)
{
	struct socket *socket = nullptr;
	int error;

	while ((error = listener->ops->accept(listener, &socket)) == -EAGAIN &&
	       wire_step(UINT64_MAX))
		;
	EXPECT_EQ(error, 0);
	return socket;
}

static void expect_bytes(struct socket *socket, size_t bytes)
{
	size_t got = 0;

	while (got < bytes) {
		ssize_t n = wire_read(socket, bytes - got);

		if (n > 0)
			got += (size_t)n;
		else if (n != -EAGAIN || !wire_step(UINT64_MAX))
			break;
	}
	EXPECT_EQ(got, bytes);
}

/* The first connection, for the cookie. */
static void meet(void)
{
	client = open_with(10);
	server = take();
	expect_bytes(server, 10);
	EXPECT_EQ(data_with_syn, 0);
	wire_close(client, server);
	syns = 0;
}

static void finish(void)
{
	EXPECT(wire_transfer(server, client, 50000, 20 * NSEC_PER_SEC));
	EXPECT(wire_transfer(client, server, 50000, 20 * NSEC_PER_SEC));
	EXPECT_EQ(tcp_of(listener)->listener->fast_pending, 0);
	host_net_socket_free(listener);
	wire_close(client, server);
}

/* The server answers before the handshake is over: one way there, one way back. */
TEST(fast_open_saves_a_round_trip)
{
	u64 start;

	begin(5);
	meet();
	start = host_clock_ns;
	client = open_with(100);
	server = take();
	EXPECT_EQ(tcp_of(server)->state, TCP_SYN_RECEIVED);
	EXPECT_EQ(tcp_of(listener)->listener->fast_pending, 1);
	expect_bytes(server, 100);
	EXPECT_EQ(wire_write(server, 2000), 2000);
	expect_bytes(client, 2000);
	EXPECT_LE(host_clock_ns - start, 2 * wire.delay_ns + NSEC_PER_MSEC);
	EXPECT_EQ(data_with_syn, 100);
	EXPECT(tcp_of(client)->fast_open.data_acked);
	finish();
}

/* The server has another key by now, or no room: the data goes again, after an ordinary handshake. */
TEST(fast_open_falls_back_when_data_is_not_taken)
{
	const u8 key[16] = { 1, 2, 3 };

	begin(5);
	meet();
	EXPECT_EQ(listener->ops->set_option(listener, SOL_TCP, TCP_FASTOPEN_KEY, key, sizeof(key)),
		  0);
	client = open_with(3000);
	server = take();
	expect_bytes(server, 3000);
	EXPECT_LT(1000, data_with_syn);
	EXPECT(!tcp_of(client)->fast_open.data_acked);
	EXPECT_EQ(tcp_of(client)->fast_open.client_fail, TFO_DATA_NOT_ACKED);
	finish();
}

/* Something on the way drops SYNs with data. */
static bool drop_data_with_syn(const struct wire_segment *s)
{
	count_syns(s);
	return (s->flags & TH_SYN) && s->length;
}

TEST(fast_open_falls_back_when_the_syn_is_lost)
{
	begin(5);
	meet();
	wire.look = drop_data_with_syn;
	for (int i = 0; i < 2; i++) {
		syns = 0;
		client = open_with(100);
		server = take();
		expect_bytes(server, 100);
		EXPECT_EQ(syns, 2);
		EXPECT_EQ(tcp_of(client)->fast_open.client_fail, TFO_SYN_RETRANSMITTED);
		wire_close(client, server);
	}
	/* It has learned. */
	syns = data_with_syn = 0;
	client = open_with(100);
	server = take();
	expect_bytes(server, 100);
	EXPECT_EQ(syns, 1);
	EXPECT_EQ(data_with_syn, 0);
	finish();
}

/* The server's answer is lost: it goes again, and data of both sides is there once. */
static u32 answers_to_lose;

static bool drop_answers(const struct wire_segment *s)
{
	return (s->flags & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK) && answers_to_lose &&
	       answers_to_lose--;
}

TEST(fast_open_survives_a_lost_answer)
{
	begin(5);
	meet();
	wire.look = drop_answers;
	answers_to_lose = 1;
	client = open_with(100);
	server = take();
	expect_bytes(server, 100);
	EXPECT_EQ(wire_write(server, 5000), 5000);
	expect_bytes(client, 5000);
	finish();
}

/* The server closes before the handshake is over. */
TEST(fast_open_may_end_at_once)
{
	begin(5);
	meet();
	client = open_with(100);
	server = take();
	expect_bytes(server, 100);
	EXPECT_EQ(wire_write(server, 200), 200);
	host_net_socket_free(server);
	expect_bytes(client, 200);
	while (wire_read(client, 1) == -EAGAIN && wire_step(UINT64_MAX))
		;
	EXPECT_EQ(wire_read(client, 1), 0);
	wire_run(NSEC_PER_SEC);
	EXPECT_EQ(tcp_of(listener)->listener->fast_pending, 0);
	host_net_socket_free(listener);
	wire_close(client, nullptr);
}

static void forge(u32 from, u32 seq, u8 flags, u32 length)
{
	wire_forge(&(struct wire_segment){ .source = inet_from_v4(net32(0x0a010000 + from)),
					   .destination = inet_from_v4(net32(0x0a000002)),
					   .source_port = (u16)(1000 + from),
					   .destination_port = 80,
					   .seq = seq,
					   .length = length,
					   .flags = flags,
					   .window = 1000 });
}

/* SYNs whose senders never answer, or answer with resets: the limit holds, and for a while what was reset counts. */
TEST(fast_open_floods_are_bounded)
{
	begin(8);
	initial_network.sysctl.tcp.fast_open |= FAST_OPEN_SERVER_NO_COOKIE;
	wire.look = drop_answers;
	answers_to_lose = UINT32_MAX;
	for (u32 i = 0; i < 1000; i++) {
		forge(i, 5000, TH_SYN, 10);
		wire_run(NSEC_PER_SEC / 1000);
		EXPECT_LE(tcp_of(listener)->listener->fast_pending, 8);
	}
	EXPECT_EQ(tcp_of(listener)->listener->fast_pending, 8);
	for (u32 i = 0; i < 8; i++)
		forge(i, 5011, TH_RST, 0);
	wire_run(NSEC_PER_SEC / 10);
	EXPECT_EQ(tcp_of(listener)->listener->fast_pending, 0);
	EXPECT_EQ(tcp_of(listener)->listener->fast_resets, 8);
	forge(2000, 5000, TH_SYN, 10);
	wire_run(NSEC_PER_SEC / 10);
	EXPECT_EQ(tcp_of(listener)->listener->fast_pending, 0);
	wire_run(120 * NSEC_PER_SEC); /* the half open are gone as well */
	forge(2001, 5000, TH_SYN, 10);
	wire_run(NSEC_PER_SEC / 10);
	EXPECT_EQ(tcp_of(listener)->listener->fast_pending, 1);
	host_net_socket_free(listener);
	while (wire_step(UINT64_MAX))
		;
}

/* --- Signed segments --- */

static void set_key(struct socket *socket, const char *key)
{
	struct tcp_md5sig m = { .tcpm_keylen = 6,
				.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX,
				.tcpm_prefixlen = 8 };
	struct socket_address net = host_net_address(0, 0);

	memcpy(&m.tcpm_addr, &net.storage, sizeof(m.tcpm_addr));
	memcpy(m.tcpm_key, key, 6);
	EXPECT_EQ(socket->ops->set_option(socket, SOL_TCP, TCP_MD5SIG_EXT, &m, sizeof(m)), 0);
}

/* Loss and reordering, with SACK beside the signatures; then strangers who do not know the key. */
TEST(md5_connections_stand_on_a_bad_wire)
{
	const struct tcp *t;

	begin(0);
	set_key(listener, "secret");
	client = host_net_socket();
	set_key(client, "secret");
	while (client->ops->connect(client, &address) && wire_step(UINT64_MAX))
		;
	server = take();
	t = tcp_of(client);
	EXPECT(t->sack && !t->timestamps);
	wire.loss = 20000;
	wire.reorder = 50000;
	wire.late_ns = 5 * NSEC_PER_MSEC;
	EXPECT(wire_transfer(client, server, 1000000, 300 * NSEC_PER_SEC));
	EXPECT(wire_transfer(server, client, 1000000, 300 * NSEC_PER_SEC));
	wire.loss = wire.reorder = 0;
	wire_run(NSEC_PER_SEC);
	for (u32 i = 0; i < 3; i++)
		wire_forge(&(struct wire_segment){ .source = t->inet.node.remote,
						   .destination = t->inet.node.local,
						   .source_port = t->inet.node.remote_port,
						   .destination_port = t->inet.node.local_port,
						   .seq = t->rcv_nxt + i,
						   .ack = t->snd_nxt,
						   .flags = TH_RST | TH_ACK });
	wire_run(NSEC_PER_SEC);
	EXPECT_EQ(t->state, TCP_ESTABLISHED);
	host_net_socket_free(listener);
	wire_close(client, server);
}
