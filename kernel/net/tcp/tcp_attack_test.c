/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strangers who forge segments, floods, and the ends of connections: keep-alive, TIME_WAIT, urgent data. */
#include "../../../arch/host/host.h"
#include "../../../arch/host/wire.h"

#include <lib/errno.h>
#include <lib/test.h>

#include <asm/socket.h>
#include <linux/tcp.h>

static struct socket *client, *server;
static u32 acks_from_client;

static bool count_acks(const struct wire_segment *s)
{
	if (s->source.bytes[15] == 1 && !s->length)
		acks_from_client++;
	return false;
}

static void begin(void)
{
	wire_init(3);
	wire_connect(80, &client, &server);
	EXPECT(wire_transfer(client, server, 10000, NSEC_PER_SEC));
	wire_run(NSEC_PER_SEC);
	wire.look = count_acks;
	acks_from_client = 0;
}

/* A segment that claims to come from the server, with sequence number rcv_nxt + offset. */
static void forge_to_client(u32 offset, u8 flags, u32 ack_offset)
{
	const struct tcp *t = tcp_of(client);

	wire_forge(&(struct wire_segment){ .source = t->inet.node.remote,
					   .destination = t->inet.node.local,
					   .source_port = t->inet.node.remote_port,
					   .destination_port = t->inet.node.local_port,
					   .seq = t->rcv_nxt + offset,
					   .ack = t->snd_una + ack_offset,
					   .flags = flags,
					   .window = 1000 });
}

static void expect_alive(void)
{
	EXPECT_EQ(tcp_of(client)->state, TCP_ESTABLISHED);
	EXPECT(wire_transfer(client, server, 10000, 10 * NSEC_PER_SEC));
	EXPECT(wire_transfer(server, client, 10000, 10 * NSEC_PER_SEC));
	wire_close(client, server);
}

/* RFC 5961: only the exact number resets; another in the window is asked about, ten times a second at most. */
TEST(tcp_guessed_resets_are_challenged)
{
	begin();
	for (u32 i = 1; i < 200; i++)
		forge_to_client(i, TH_RST, 0);
	wire_run(NSEC_PER_SEC / 2);
	EXPECT_LT(0, acks_from_client);
	EXPECT_LE(acks_from_client, 10);
	expect_alive();
}

TEST(tcp_exact_reset_is_believed)
{
	begin();
	forge_to_client(0, TH_RST, 0);
	wire_run(NSEC_PER_SEC / 2);
	EXPECT_EQ(tcp_of(client)->state, TCP_CLOSED);
	EXPECT_EQ(wire_read(client, 10), -ECONNRESET);
	wire_close(client, server);
}

TEST(tcp_forged_syns_are_challenged)
{
	begin();
	for (u32 i = 0; i < 200; i++)
		forge_to_client(i * 3, TH_SYN, 0);
	wire_run(NSEC_PER_SEC / 2);
	EXPECT_LT(0, acks_from_client);
	EXPECT_LE(acks_from_client, 10);
	expect_alive();
}

/* ACKs of what was never sent, or long ago: a storm is not answered in kind. */
TEST(tcp_forged_acks_change_nothing)
{
	u32 una;

	begin();
	una = tcp_of(client)->snd_una;
	for (u32 i = 0; i < 2000; i++)
		forge_to_client(0, TH_ACK, i % 2 ? 1 + i : (u32)-2000000 - i);
	wire_run(NSEC_PER_SEC / 2);
	EXPECT_EQ(tcp_of(client)->snd_una, una);
	EXPECT_LE(acks_from_client, 20);
	expect_alive();
}

/* Half open connections are bounded, and one that completes the handshake by a cookie is served. */
TEST(tcp_syn_flood_leaves_room_for_the_honest)
{
	struct socket_address to;
	struct socket *listener;
	int error;

	wire_init(3);
	to = host_net_address(2, 80);
	listener = host_net_socket();
	EXPECT_EQ(listener->ops->bind(listener, &to), 0);
	EXPECT_EQ(listener->ops->listen(listener, 16), 0);
	for (u32 i = 0; i < 20000; i++) {
		wire_forge(&(struct wire_segment){
			.source = inet_from_v4(net32(0x0a010000 + i % 50000)),
			.destination = inet_from_v4(net32(0x0a000002)),
			.source_port = (u16)(1 + i),
			.destination_port = 80,
			.seq = (u32)host_net_random(),
			.flags = TH_SYN,
			.window = 1000 });
		wire_run(NSEC_PER_SEC / 20000);
	}
	EXPECT_LE(tcp_of(listener)->listener->half_open_count, 512);
	client = host_net_socket();
	error = client->ops->connect(client, &to);
	while ((error == -EINPROGRESS || error == -EALREADY) && wire_step(UINT64_MAX))
		error = client->ops->connect(client, &to);
	EXPECT_EQ(error, 0);
	while ((error = listener->ops->accept(listener, &server)) == -EAGAIN &&
	       wire_step(UINT64_MAX))
		;
	EXPECT_EQ(error, 0);
	EXPECT(wire_transfer(client, server, 100000, 10 * NSEC_PER_SEC));
	EXPECT(wire_transfer(server, client, 100000, 10 * NSEC_PER_SEC));
	host_net_socket_free(listener);
	wire_close(client, server);
}

TEST(tcp_forged_cookies_open_nothing)
{
	struct socket_address to;
	struct socket *listener;

	wire_init(3);
	to = host_net_address(2, 80);
	listener = host_net_socket();
	EXPECT_EQ(listener->ops->bind(listener, &to), 0);
	EXPECT_EQ(listener->ops->listen(listener, 0), 0);
	for (u32 i = 0; i < 20000; i++) {
		bool syn = i < 100; /* cookies go out, then come guesses */

		wire_forge(&(struct wire_segment){ .source = inet_from_v4(net32(0x0a010001)),
						   .destination = inet_from_v4(net32(0x0a000002)),
						   .source_port = (u16)(1 + i),
						   .destination_port = 80,
						   .seq = i,
						   .ack = syn ? 0 : (u32)host_net_random(),
						   .flags = syn ? TH_SYN : TH_ACK,
						   .window = 1000 });
		wire_run(1000);
	}
	EXPECT_EQ(tcp_of(listener)->listener->ready_count, 0);
	wire_close(listener, nullptr);
}

static void set(struct socket *socket, int option, int value)
{
	EXPECT_EQ(socket->ops->set_option(socket, IPPROTO_TCP, option, &value, sizeof(value)), 0);
}

TEST(tcp_keepalive_finds_a_dead_peer)
{
	u64 start;

	begin();
	set(client, TCP_KEEPIDLE, 10);
	set(client, TCP_KEEPINTVL, 2);
	set(client, TCP_KEEPCNT, 3);
	client->options |= SOCKET_KEEP_ALIVE;
	client->ops->option_changed(client, SO_KEEPALIVE);
	wire_run(100 * NSEC_PER_SEC); /* answered: alive */
	EXPECT_EQ(tcp_of(client)->state, TCP_ESTABLISHED);
	EXPECT_LT(5, acks_from_client);
	wire.loss = 1000000;
	start = host_clock_ns;
	while (tcp_of(client)->state == TCP_ESTABLISHED && wire_step(start + 100 * NSEC_PER_SEC))
		;
	EXPECT_EQ(wire_read(client, 10), -ETIMEDOUT);
	EXPECT_LE(host_clock_ns - start, 17 * NSEC_PER_SEC);
	wire_close(client, server);
}

static struct socket *connect_from(u16 port, const struct socket_address *to)
{
	struct socket *socket = host_net_socket();
	struct socket_address from = host_net_address(1, port);
	int error;

	socket->options |= SOCKET_REUSE_ADDRESS;
	EXPECT_EQ(socket->ops->bind(socket, &from), 0);
	error = socket->ops->connect(socket, to);
	while ((error == -EINPROGRESS || error == -EALREADY) && wire_step(UINT64_MAX))
		error = socket->ops->connect(socket, to);
	EXPECT_EQ(error, 0);
	return socket;
}

/* The same ports again a second after: time stamps tell the old connection from the new (RFC 6191). */
TEST(tcp_time_wait_is_reused)
{
	struct socket_address to;
	struct socket *listener;

	wire_init(3);
	to = host_net_address(2, 80);
	listener = host_net_socket();
	listener->options |= SOCKET_REUSE_ADDRESS;
	EXPECT_EQ(listener->ops->bind(listener, &to), 0);
	EXPECT_EQ(listener->ops->listen(listener, 5), 0);
	for (int round = 0; round < 3; round++) {
		client = connect_from(5555, &to);
		wire_run(NSEC_PER_SEC / 10);
		REQUIRE(listener->ops->accept(listener, &server) == 0);
		EXPECT(wire_transfer(client, server, 5000, NSEC_PER_SEC));
		host_net_socket_free(client);
		wire_run(NSEC_PER_SEC / 10);
		host_net_socket_free(server);
		wire_run(2 * NSEC_PER_SEC);
	}
	EXPECT_LT(host_clock_ns, 30 * NSEC_PER_SEC);
	wire_close(listener, nullptr);
}

/* One after the other, ended from either side, by FIN and by RST; what is left is checked by the runner. */
TEST(tcp_connections_leave_nothing)
{
	long before, most = 0;

	wire_init(3);
	wire.delay_ns = NSEC_PER_MSEC;
	before = host_blocks();
	for (u32 i = 0; i < 20000 && !test_has_failed(); i++) {
		wire_connect((u16)(1 + i % 1000), &client, &server);
		EXPECT_EQ(wire_write(client, 100), 100);
		wire_run(3 * NSEC_PER_MSEC);
		EXPECT_EQ(wire_read(server, 100), 100);
		client->linger_seconds = i % 3 ? -1 : 0;
		host_net_socket_free(i % 2 ? client : server);
		wire_run(3 * NSEC_PER_MSEC);
		host_net_socket_free(i % 2 ? server : client);
		wire_run(3 * NSEC_PER_MSEC);
		most = MAX(most, host_blocks() - before);
	}
	EXPECT_LT(most, 20000); /* those of a minute, in TIME_WAIT */
	while (wire_step(UINT64_MAX))
		;
	EXPECT_EQ(host_blocks(), before);
}

static ssize_t with_flags(struct socket *socket, bool send, char *text, size_t n, int flags)
{
	struct iter data;
	struct socket_message m = { .data = &data, .flags = flags };

	iter_init_kernel(&data, text, n);
	return send ? socket->ops->send(socket, &m) : socket->ops->receive(socket, &m);
}

TEST(tcp_urgent_byte_goes_beside_the_stream)
{
	char text[8] = {};

	begin();
	EXPECT_EQ(with_flags(client, true, "abc", 3, MSG_OOB), 3);
	EXPECT_EQ(with_flags(client, true, "de", 2, 0), 2);
	wire_run(NSEC_PER_SEC);
	EXPECT_EQ(with_flags(server, false, text, 8, MSG_OOB), 1);
	EXPECT_EQ(text[0], 'c');
	EXPECT_EQ(with_flags(server, false, text, 8, 0), 2); /* up to the mark */
	EXPECT_EQ(text[1], 'b');
	EXPECT_EQ(with_flags(server, false, text, 8, 0), 2);
	EXPECT_EQ(text[0], 'd');
	wire_close(client, server);
}
