/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random connections over a random wire: loss, reordering, duplicates, bottlenecks, small windows, readers and writers of
 * every pace. What must hold: each side gets exactly the bytes that the other sent, then the end, in finite time, and
 * nothing is left afterwards.
 */
#include "../../../arch/host/wire.h"

#include <lib/errno.h>
#include <lib/test.h>

#include <asm/socket.h>
#include <linux/tcp.h>

#define CONNECTIONS 1000
#define PATIENCE (3600 * NSEC_PER_SEC)

struct side {
	struct socket *socket;
	u64 to_send, sent, to_get, got;
	u32 write_most, read_most;
	u64 pause_ns, busy_until_ns;
	u8 salt;
	bool finished, ended; /* our FIN is queued; we saw theirs */
	int error;
};

static u8 buffer[65536];

static u64 below(u64 limit)
{
	return limit ? host_net_random() % limit : 0;
}

static u8 byte_at(const struct side *s, u64 at)
{
	return (u8)(at * 131 + (at >> 8) * 17 + (at >> 16) + s->salt);
}

static bool act_write(struct side *s)
{
	size_t n = (size_t)MIN(1 + below(s->write_most), s->to_send - s->sent);
	struct iter data;
	struct socket_message m = { .data = &data };
	ssize_t done;

	if (s->finished || s->error)
		return false;
	if (s->sent == s->to_send) {
		s->finished = true;
		s->error = s->socket->ops->shutdown(s->socket, SHUT_WR);
		return true;
	}
	for (size_t i = 0; i < n; i++)
		buffer[i] = byte_at(s, s->sent + i);
	iter_init_kernel(&data, buffer, n);
	done = s->socket->ops->send(s->socket, &m);
	if (done > 0)
		s->sent += (u64)done;
	else if (done != -EAGAIN)
		s->error = (int)done;
	return done > 0;
}

static bool act_read(struct side *s, const struct side *other)
{
	struct iter data;
	struct socket_message m = { .data = &data };
	ssize_t n;

	if (s->ended || s->error)
		return false;
	iter_init_kernel(&data, buffer, 1 + below(s->read_most));
	n = s->socket->ops->receive(s->socket, &m);
	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		s->ended = n == 0;
		s->error = (int)n;
		return true;
	}
	for (ssize_t i = 0; i < n; i++)
		if (buffer[i] != byte_at(other, s->got + (u64)i)) {
			s->error = -EBADMSG;
			break;
		}
	s->got += (u64)n;
	return true;
}

static void act(struct side *s, const struct side *other)
{
	bool wrote, read;

	if (host_clock_ns < s->busy_until_ns)
		return;
	do {
		wrote = act_write(s);
		read = act_read(s, other);
	} while ((wrote || read) && !s->pause_ns);
	if (wrote || read)
		s->busy_until_ns = host_clock_ns + 1 + below(s->pause_ns);
}

static bool done(const struct side *s)
{
	return s->error || (s->finished && s->ended);
}

/* Both sides work until they are through. False: nothing would ever happen again, or it takes for ever. */
static bool converse(struct side *a, struct side *b)
{
	u64 end = host_clock_ns + PATIENCE;

	while (!done(a) || !done(b)) {
		u64 wake = UINT64_MAX;

		act(a, b);
		act(b, a);
		if (a->busy_until_ns > host_clock_ns)
			wake = a->busy_until_ns;
		if (b->busy_until_ns > host_clock_ns)
			wake = MIN(wake, b->busy_until_ns);
		if (!wire_step(wake) && wake == UINT64_MAX && !(done(a) && done(b)))
			return false;
		if (host_clock_ns > end)
			return false;
	}
	return true;
}

static struct side random_side(void)
{
	static const u64 amounts[] = { 0, 1, 100, 5000, 70000, 400000 };
	static const u64 pauses[] = {
		0, 0, 0, NSEC_PER_MSEC, 100 * NSEC_PER_MSEC, 5 * NSEC_PER_SEC
	};
	struct side s = { .to_send = below(amounts[below(6)] + 1), .salt = (u8)below(256) };

	s.write_most = (u32)below(3) ? sizeof(buffer) - 1 : 1 + (u32)below(300);
	s.read_most = (u32)below(3) ? sizeof(buffer) - 1 : 1 + (u32)below(3000);
	s.pause_ns = pauses[below(6)];
	return s;
}

/* Tiny steps with long pauses would take days. */
static void limit(struct side *from, const struct side *to)
{
	u64 steps = MAX(from->pause_ns, to->pause_ns) > NSEC_PER_MSEC ? 100 : UINT32_MAX;

	steps *= MIN(from->write_most, to->read_most);
	from->to_send = MIN(from->to_send, steps);
}

static void random_wire(void)
{
	static const u32 losses[] = { 0, 0, 10000, 10000, 50000, 150000 };
	static const u64 delays[] = { 20 * NSEC_PER_USEC, NSEC_PER_MSEC, 25 * NSEC_PER_MSEC,
				      300 * NSEC_PER_MSEC };

	wire = (struct wire){ .loss = losses[below(6)],
			      .duplicate = below(2) ? 20000 : 0,
			      .reorder = below(2) ? (u32)below(300000) : 0,
			      .mark = below(4) ? 0 : 20000,
			      .delay_ns = delays[below(4)] };
	wire.late_ns = below(wire.delay_ns * 2) + NSEC_PER_MSEC;
	if (!below(3)) {
		wire.byte_ns = 100 + below(10000);
		wire.queue_bytes = 10000 + (u32)below(100000);
	}
	if (!below(8))
		wire.mtu = 600 + (u32)below(900);
	initial_network.sysctl.tcp.timestamps = below(4);
	initial_network.sysctl.tcp.sack = below(3);
	initial_network.sysctl.tcp.window_scaling = below(3);
	initial_network.sysctl.tcp.ecn = below(2) ? 1 : 2;
}

static void set_option(struct socket *socket, int level, int option, int value)
{
	EXPECT_EQ(socket->ops->set_option(socket, level, option, &value, sizeof(value)), 0);
}

static void random_options(struct socket *socket)
{
	if (!below(3))
		set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
	if (!below(4)) {
		socket->receive_buffer = 2304u << below(6);
		tcp_option_changed(socket, SO_RCVBUF);
	}
	if (!below(4))
		tcp_of(socket)->congestion = tcp_congestion_find("reno");
}

static bool connect_pair(struct side *a, struct side *b, u16 port)
{
	struct socket_address to = host_net_address(2, port);
	struct socket *listener = host_net_socket();
	int error;

	random_options(listener);
	EXPECT_EQ(listener->ops->bind(listener, &to), 0);
	EXPECT_EQ(listener->ops->listen(listener, 5), 0);
	a->socket = host_net_socket();
	random_options(a->socket);
	error = a->socket->ops->connect(a->socket, &to);
	while (error == -EINPROGRESS || error == -EALREADY) {
		if (!wire_step(UINT64_MAX))
			break;
		error = a->socket->ops->connect(a->socket, &to);
	}
	a->error = error;
	if (error == -ETIMEDOUT) {
		host_net_socket_free(listener);
		return false;
	}
	EXPECT_EQ(error, 0);
	/* The last ACK of the handshake may be lost: then data, or the SYN and ACK again, makes up for it. */
	while (!error && (error = listener->ops->accept(listener, &b->socket)) == -EAGAIN) {
		act_write(a);
		if (!wire_step(UINT64_MAX))
			break;
		error = 0;
	}
	EXPECT_EQ(error, 0);
	host_net_socket_free(listener);
	return !error;
}

static void show(const struct side *s, const char *name)
{
	const struct tcp *t = tcp_of(s->socket);

	test_fail(__FILE_NAME__, __LINE__,
		  "%s: sent %llu of %llu, got %llu, error %d, state %u, phase %u, una %u nxt %u "
		  "write "
		  "%u wnd %u cwnd %u flight %u lost %u sacked %u probe %llu",
		  name, (unsigned long long)s->sent, (unsigned long long)s->to_send,
		  (unsigned long long)s->got, s->error, t->state, t->phase, t->snd_una - t->iss,
		  t->snd_nxt - t->iss, t->write_seq - t->iss, t->snd_wnd, t->cwnd, tcp_flight(t),
		  t->lost, t->sacked, (unsigned long long)t->probe_at);
}

static void one_connection(u64 seed)
{
	struct side a, b;

	host_net_seed(seed);
	a = random_side();
	b = random_side();
	limit(&a, &b);
	limit(&b, &a);
	random_wire();
	if (connect_pair(&a, &b, (u16)(1 + below(60000)))) {
		bool through = converse(&a, &b);

		/* Fifteen losses in a row end a connection, which is right. */
		if (a.error != -ETIMEDOUT && b.error != -ETIMEDOUT &&
		    !(through && a.got == b.to_send && b.got == a.to_send && !a.error &&
		      !b.error)) {
			test_fail(__FILE_NAME__, __LINE__,
				  "seed %llu: loss %u dup %u reorder %u delay %llu late %llu byte "
				  "%llu "
				  "queue %u mtu %u ts %d sack %d scale %d; %s after %llu ms",
				  (unsigned long long)seed, wire.loss, wire.duplicate, wire.reorder,
				  (unsigned long long)wire.delay_ns,
				  (unsigned long long)wire.late_ns,
				  (unsigned long long)wire.byte_ns, wire.queue_bytes, wire.mtu,
				  initial_network.sysctl.tcp.timestamps,
				  initial_network.sysctl.tcp.sack,
				  initial_network.sysctl.tcp.window_scaling,
				  through ? "wrong" : "stalled",
				  (unsigned long long)(host_clock_ns / NSEC_PER_MSEC));
			show(&a, "a");
			show(&b, "b");
		}
		host_net_socket_free(b.socket);
	}
	host_net_socket_free(a.socket);
	while (wire_step(UINT64_MAX)) /* TIME_WAIT passes */
		;
}

TEST(tcp_gives_every_byte_over_any_wire)
{
	wire_init(20);
	for (u64 n = 0; n < CONNECTIONS && !test_has_failed(); n++)
		one_connection(n);
}
