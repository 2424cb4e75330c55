/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SO_PEEK_OFF: recv(2) with MSG_PEEK goes on where the last one ended (socket(7)). */
#include "net_test.h"

#include <pthread.h>
#include <sys/un.h>

static int set_offset(int fd, int offset)
{
	return setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset));
}

static int offset_of(int fd)
{
	socklen_t length = sizeof(int);
	int offset = -100;

	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &length), 0);
	return offset;
}

static void pair(int type, int fds[2])
{
	REQUIRE(socketpair(AF_UNIX, type, 0, fds) == 0);
}

/* Does a receive of up to `size` bytes give this text? It is on its way. */
static bool gives(int fd, size_t size, int flags, const char *text)
{
	char buf[32] = {};
	ssize_t n = recv(fd, buf, size, flags | MSG_DONTWAIT);

	for (int tries = 0; n < 0 && tries < 500; tries++) {
		sleep_ms(10);
		n = recv(fd, buf, size, flags | MSG_DONTWAIT);
	}
	return n == (ssize_t)strlen(text) && memcmp(buf, text, (size_t)n) == 0;
}

TEST(peek_offset_is_an_option_of_some)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0), raw = socket(AF_INET, SOCK_RAW, 200);
	int value = 0, fds[2];
	socklen_t length = sizeof(value);

	EXPECT_ERRNO(set_offset(tcp, 0), EOPNOTSUPP);
	EXPECT_ERRNO(getsockopt(tcp, SOL_SOCKET, SO_PEEK_OFF, &value, &length), EOPNOTSUPP);
	EXPECT_ERRNO(set_offset(raw, 0), EOPNOTSUPP);
	pair(SOCK_STREAM, fds);
	EXPECT_EQ(offset_of(fds[0]), -1);
	EXPECT_EQ(set_offset(fds[0], 5), 0);
	EXPECT_EQ(offset_of(fds[0]), 5);
	EXPECT_EQ(set_offset(fds[0], -7), 0);
	EXPECT_LT(offset_of(fds[0]), 0);
	close(tcp);
	close(raw);
	close(fds[0]);
	close(fds[1]);
}

TEST(peek_offset_of_a_stream)
{
	int fds[2];

	pair(SOCK_STREAM, fds);
	EXPECT_EQ(send(fds[0], "abcdef", 6, 0), 6);
	EXPECT_EQ(send(fds[0], "ghij", 4, 0), 4);
	EXPECT(gives(fds[1], 3, MSG_PEEK, "abc"));
	EXPECT_EQ(set_offset(fds[1], 2), 0);
	EXPECT(gives(fds[1], 3, MSG_PEEK, "cde"));
	EXPECT_EQ(offset_of(fds[1]), 5);
	EXPECT(gives(fds[1], 3, MSG_PEEK, "fgh"));
	/* What is read is not in front of the offset any more. */
	EXPECT(gives(fds[1], 7, 0, "abcdefg"));
	EXPECT_EQ(offset_of(fds[1]), 1);
	EXPECT(gives(fds[1], 10, MSG_PEEK, "ij"));
	EXPECT_ERRNO(recv(fds[1], &fds, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	EXPECT(gives(fds[1], 10, 0, "hij"));
	EXPECT_EQ(offset_of(fds[1]), 0);
	EXPECT_EQ(set_offset(fds[1], 100), 0);
	EXPECT_EQ(send(fds[0], "k", 1, 0), 1);
	EXPECT_ERRNO(recv(fds[1], &fds, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	close(fds[0]);
	EXPECT(gives(fds[1], 1, MSG_PEEK, ""));
	EXPECT(gives(fds[1], 10, 0, "k"));
	close(fds[1]);
}

static void peeks_at_messages(int from, int to)
{
	EXPECT_EQ(offset_of(to), -1);
	EXPECT_EQ(send(from, "abcdef", 6, 0), 6);
	EXPECT_EQ(send(from, "ghij", 4, 0), 4);
	EXPECT(ready(to, POLLIN, 10000));
	EXPECT(gives(to, 3, MSG_PEEK, "abc"));
	EXPECT_EQ(set_offset(to, 0), 0);
	EXPECT(gives(to, 3, MSG_PEEK, "abc"));
	EXPECT_EQ(offset_of(to), 3);
	EXPECT(gives(to, 30, MSG_PEEK, "def"));
	EXPECT(gives(to, 1, MSG_PEEK, "g"));
	EXPECT_EQ(offset_of(to), 7);
	EXPECT(gives(to, 30, 0, "abcdef"));
	EXPECT_EQ(offset_of(to), 1);
	EXPECT(gives(to, 30, MSG_PEEK, "hij"));
	EXPECT_ERRNO(recv(to, &to, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	EXPECT(gives(to, 30, 0, "ghij"));
	EXPECT_EQ(offset_of(to), 0);
	/* An empty one is seen once. */
	EXPECT_EQ(send(from, "", 0, 0), 0);
	EXPECT_EQ(send(from, "x", 1, 0), 1);
	EXPECT(ready(to, POLLIN, 10000));
	EXPECT(gives(to, 30, MSG_PEEK, ""));
	EXPECT(gives(to, 30, MSG_PEEK, "x"));
	EXPECT(gives(to, 30, 0, ""));
	EXPECT(gives(to, 30, 0, "x"));
	close(from);
	close(to);
}

TEST(peek_offset_of_unix_datagrams)
{
	int fds[2];

	pair(SOCK_DGRAM, fds);
	peeks_at_messages(fds[0], fds[1]);
}

TEST(peek_offset_of_unix_packets)
{
	int fds[2];

	pair(SOCK_SEQPACKET, fds);
	peeks_at_messages(fds[0], fds[1]);
}

TEST(peek_offset_of_udp)
{
	struct sockaddr_in address;
	int from, to;

	loopback_up();
	to = bound(SOCK_DGRAM);
	address = loopback_address(port_of(to));
	from = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_EQ(connect(from, (struct sockaddr *)&address, sizeof(address)), 0);
	peeks_at_messages(from, to);
}

/* What a receive says of a message that it sees a part of. */
static ssize_t peek_flags(int fd, size_t size, int flags, int *told)
{
	char buf[32];
	struct iovec vector = { buf, size };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &message, flags | MSG_PEEK | MSG_DONTWAIT);

	*told = message.msg_flags & MSG_TRUNC;
	return n;
}

TEST(peek_offset_and_truncation)
{
	int fds[2], told;

	pair(SOCK_DGRAM, fds);
	EXPECT_EQ(send(fds[0], "abcdef", 6, 0), 6);
	EXPECT_EQ(set_offset(fds[1], 1), 0);
	EXPECT_EQ(peek_flags(fds[1], 2, MSG_TRUNC, &told), 5);
	EXPECT_EQ(told, MSG_TRUNC);
	EXPECT_EQ(offset_of(fds[1]), 3);
	EXPECT_EQ(peek_flags(fds[1], 3, 0, &told), 3);
	EXPECT_EQ(told, 0);
	close(fds[0]);
	close(fds[1]);
}

static void *send_later(void *fd)
{
	sleep_ms(100);
	EXPECT_EQ(send(*(int *)fd, "de", 2, 0), 2);
	return NULL;
}

static void waits_for_more(int type)
{
	pthread_t thread;
	char buf[8];
	ssize_t n;
	int fds[2];

	pair(type, fds);
	EXPECT_EQ(send(fds[0], "abc", 3, 0), 3);
	EXPECT_EQ(set_offset(fds[1], 3), 0);
	REQUIRE(pthread_create(&thread, NULL, send_later, &fds[0]) == 0);
	n = recv(fds[1], buf, sizeof(buf), MSG_PEEK);
	/* Linux 6.1 forgets the offset of a stream while it waits. */
	EXPECT(n == 2 || (type == SOCK_STREAM && n == 5));
	EXPECT_EQ(memcmp(buf + n - 2, "de", 2), 0);
	pthread_join(thread, NULL);
	close(fds[0]);
	close(fds[1]);
}

TEST(peek_offset_waits_for_what_is_behind)
{
	waits_for_more(SOCK_STREAM);
	waits_for_more(SOCK_DGRAM);
	waits_for_more(SOCK_SEQPACKET);
}
