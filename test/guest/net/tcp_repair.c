/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP_REPAIR: a connection goes on in another socket, and its peer does not notice (linux/tcp.h; CRIU is who uses it). */
#define _NETINET_TCP_H 1 /* that of the C library has an older structure, and both cannot be had */
#include "net_test.h"

#include <linux/sockios.h>
#include <linux/tcp.h>

enum { OPTION_MSS = 2, OPTION_SCALE, OPTION_SACK, OPTION_TIMESTAMP = 8 };

static unsigned get_sequence(int fd, int queue)
{
	EXPECT_EQ(set_tcp(fd, TCP_REPAIR_QUEUE, queue), 0);
	EXPECT_EQ(get_tcp(fd, TCP_REPAIR_QUEUE), queue);
	return (unsigned)get_tcp(fd, TCP_QUEUE_SEQ);
}

static void set_sequence(int fd, int queue, unsigned sequence)
{
	EXPECT_EQ(set_tcp(fd, TCP_REPAIR_QUEUE, queue), 0);
	EXPECT_EQ(set_tcp(fd, TCP_QUEUE_SEQ, (int)sequence), 0);
}

struct saved {
	struct sockaddr_in local, remote;
	unsigned sent, received;
	char unread[16];
	ssize_t unread_length;
	struct tcp_repair_window window;
	struct tcp_info info;
	int mss, timestamp;
};

/* What there is to know of a connection; its socket is closed, and says nothing to the peer. */
static void take_out(int fd, struct saved *s)
{
	socklen_t length = sizeof(s->local);

	EXPECT_EQ(set_tcp(fd, TCP_REPAIR, TCP_REPAIR_ON), 0);
	EXPECT_EQ(get_tcp(fd, TCP_REPAIR), 1);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&s->local, &length), 0);
	length = sizeof(s->remote);
	EXPECT_EQ(getpeername(fd, (struct sockaddr *)&s->remote, &length), 0);
	length = sizeof(s->window);
	EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &s->window, &length), 0);
	length = sizeof(s->info);
	EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &s->info, &length), 0);
	s->mss = get_tcp(fd, TCP_MAXSEG);
	s->timestamp = get_tcp(fd, TCP_TIMESTAMP);
	s->sent = get_sequence(fd, TCP_SEND_QUEUE);
	EXPECT_EQ(recv(fd, s->unread, sizeof(s->unread), MSG_PEEK | MSG_DONTWAIT), 0);
	s->received = get_sequence(fd, TCP_RECV_QUEUE);
	EXPECT_ERRNO(recv(fd, s->unread, sizeof(s->unread), MSG_DONTWAIT), EPERM);
	s->unread_length = recv(fd, s->unread, sizeof(s->unread), MSG_PEEK | MSG_DONTWAIT);
	close(fd);
}

static int put_in(struct saved *s)
{
	struct tcp_repair_opt options[] = {
		{ OPTION_MSS, (unsigned)s->mss },
		{ OPTION_SCALE, s->info.tcpi_snd_wscale | s->info.tcpi_rcv_wscale << 16 },
		{ OPTION_SACK, 0 },
		{ OPTION_TIMESTAMP, 0 },
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT_EQ(set_tcp(fd, TCP_REPAIR, TCP_REPAIR_ON), 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&s->local, sizeof(s->local)), 0);
	set_sequence(fd, TCP_RECV_QUEUE, s->received - (unsigned)s->unread_length);
	set_sequence(fd, TCP_SEND_QUEUE, s->sent);
	EXPECT_EQ(connect(fd, (struct sockaddr *)&s->remote, sizeof(s->remote)), 0);
	EXPECT_EQ(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, options, sizeof(options)), 0);
	EXPECT_EQ(set_tcp(fd, TCP_TIMESTAMP, s->timestamp), 0);
	EXPECT_EQ(set_tcp(fd, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE), 0);
	EXPECT_EQ(send(fd, s->unread, (size_t)s->unread_length, 0), s->unread_length);
	EXPECT_EQ(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &s->window, sizeof(s->window)), 0);
	return fd;
}

static void exchange(int from, int to, const char *text)
{
	char got[32] = {};

	EXPECT_EQ(send(from, text, strlen(text), 0), (ssize_t)strlen(text));
	EXPECT_EQ(recv(to, got, strlen(text), MSG_WAITALL), (ssize_t)strlen(text));
	EXPECT_STREQ(got, text);
}

/* Until then it would be sent again, to nobody while the connection is in no socket. */
static void wait_until_acknowledged(int fd)
{
	int unsent = 1;

	for (int i = 0; i < 2000 && unsent; i++) {
		REQUIRE(ioctl(fd, SIOCOUTQ, &unsent) == 0);
		if (unsent)
			sleep_ms(5);
	}
	EXPECT_EQ(unsent, 0);
}

static void goes_on(bool of_server)
{
	int client, server, *moved, peer;
	struct saved saved;
	char got[16] = {};

	loopback_up();
	connected(&client, &server);
	moved = of_server ? &server : &client;
	peer = of_server ? client : server;
	exchange(client, server, "hello");
	exchange(server, client, "good day");
	EXPECT_EQ(send(peer, "unread", 6, 0), 6);
	EXPECT(ready(*moved, POLLIN, 5000) & POLLIN);
	wait_until_acknowledged(client);
	wait_until_acknowledged(server);
	take_out(*moved, &saved);
	EXPECT_EQ(saved.unread_length, 6);
	EXPECT_EQ(ready(peer, POLLIN | POLLRDHUP, 200) & (POLLIN | POLLRDHUP | POLLHUP | POLLERR),
		  0);
	*moved = put_in(&saved);
	EXPECT_EQ(set_tcp(*moved, TCP_REPAIR, TCP_REPAIR_OFF), 0);
	EXPECT_EQ(get_tcp(*moved, TCP_REPAIR), 0);
	EXPECT_EQ(recv(*moved, got, 6, MSG_WAITALL), 6);
	EXPECT_STREQ(got, "unread");
	exchange(*moved, peer, "from here");
	exchange(peer, *moved, "to there");
	close(*moved);
	EXPECT_EQ(recv(peer, got, 1, 0), 0);
	close(peer);
}

TEST(tcp_repair_of_a_client_goes_on)
{
	goes_on(false);
}

/* Beside a listener at its port, and who else was accepted there. */
TEST(tcp_repair_of_a_server_goes_on)
{
	goes_on(true);
}

TEST(tcp_repair_has_its_limits)
{
	struct tcp_repair_window window = {};
	struct tcp_repair_opt large = { OPTION_SCALE, 15 }, wrong = { OPTION_SACK, 1 };
	int fd = socket(AF_INET, SOCK_STREAM, 0), listener, client, server;
	socklen_t length = sizeof(window) - 1;

	loopback_up();
	listener = bound(SOCK_STREAM);
	EXPECT_ERRNO(set_tcp(listener, TCP_REPAIR, 1), EPERM);
	EXPECT_ERRNO(set_tcp(fd, TCP_REPAIR, 2), EINVAL);
	EXPECT_ERRNO(set_tcp(fd, TCP_REPAIR, -2), EINVAL);
	EXPECT_EQ(get_tcp(fd, TCP_REPAIR_QUEUE), -EINVAL);
	EXPECT_ERRNO(set_tcp(fd, TCP_REPAIR_QUEUE, 1), EPERM);
	EXPECT_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window)),
		     EPERM);
	EXPECT_EQ(set_tcp(fd, TCP_REPAIR, 1), 0);
	EXPECT_EQ(get_tcp(fd, TCP_REPAIR_QUEUE), TCP_NO_QUEUE);
	EXPECT_ERRNO(set_tcp(fd, TCP_REPAIR_QUEUE, 3), EINVAL);
	EXPECT_ERRNO(set_tcp(fd, TCP_QUEUE_SEQ, 5), EINVAL);
	EXPECT_EQ(get_tcp(fd, TCP_QUEUE_SEQ), -EINVAL);
	EXPECT_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, &large, sizeof(large)), EPERM);
	EXPECT_ERRNO(getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, &length), EINVAL);
	EXPECT_EQ(set_tcp(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP), 0);

	connected(&client, &server);
	EXPECT_ERRNO(setsockopt(client, IPPROTO_TCP, TCP_REPAIR_OPTIONS, &large, sizeof(large)),
		     EINVAL);
	EXPECT_EQ(set_tcp(client, TCP_REPAIR, 1), 0);
	EXPECT_ERRNO(send(client, "x", 1, 0), EINVAL);
	EXPECT_ERRNO(recv(client, &window, 1, MSG_PEEK), EINVAL);
	EXPECT_EQ(set_tcp(client, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE), 0);
	EXPECT_ERRNO(set_tcp(client, TCP_QUEUE_SEQ, 5), EPERM);
	EXPECT_ERRNO(setsockopt(client, IPPROTO_TCP, TCP_REPAIR_OPTIONS, &large, sizeof(large)),
		     EFBIG);
	EXPECT_ERRNO(setsockopt(client, IPPROTO_TCP, TCP_REPAIR_OPTIONS, &wrong, sizeof(wrong)),
		     EINVAL);
	window = (struct tcp_repair_window){ .snd_wnd = 2, .max_window = 1 };
	EXPECT_ERRNO(setsockopt(client, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window)),
		     EINVAL);
	EXPECT_ERRNO(setsockopt(client, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, 4), EINVAL);
	IN_CHILD(pid)
	{
		REQUIRE(setuid(65534) == 0);
		EXPECT_ERRNO(set_tcp(server, TCP_REPAIR, 1), EPERM);
		_exit(0);
	}
}

/* What is put into the queue of received bytes is bounded by the buffer, as is what comes from the network. */
TEST(tcp_repair_fills_no_more_than_the_buffer)
{
	static char chunk[32768];
	int client, server, size = 65536;
	size_t all = 0;

	loopback_up();
	connected(&client, &server);
	EXPECT_EQ(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	EXPECT_EQ(set_tcp(client, TCP_REPAIR, 1), 0);
	EXPECT_EQ(set_tcp(client, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE), 0);
	while (all < 4 << 20 && send(client, chunk, sizeof(chunk), 0) == sizeof(chunk))
		all += sizeof(chunk);
	EXPECT(all > 0 && all < 4 << 20);
	EXPECT_ERRNO(send(client, chunk, sizeof(chunk), 0), ENOBUFS);
}
