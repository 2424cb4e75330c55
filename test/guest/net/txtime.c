/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SO_TXTIME: a time for each packet, which devices without a queueing discipline for it do not look at. */
#include "net_test.h"

#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <net/ethernet.h>

static int set_txtime(int fd, int clock, unsigned flags)
{
	struct sock_txtime value = { clock, flags };

	return setsockopt(fd, SOL_SOCKET, SO_TXTIME, &value, sizeof(value));
}

/* Sends with a time of `size` bytes; bytes or -1. */
static ssize_t send_at(int fd, const void *text, size_t length, uint64_t when, size_t size)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(when))];
		struct cmsghdr header;
	} control = { .header = { CMSG_LEN(size), SOL_SOCKET, SCM_TXTIME } };
	struct iovec vector = { (void *)text, length };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_SPACE(size) };

	memcpy(CMSG_DATA(&control.header), &when, sizeof(when));
	return sendmsg(fd, &message, 0);
}

/* In an hour; long ago. */
static uint64_t later(void)
{
	return (uint64_t)(now_ms() + 3600000) * 1000000;
}

TEST(txtime_is_an_option)
{
	struct sock_txtime value = { 9, 9 };
	socklen_t length = sizeof(value);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_DGRAM, 0), status;

	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_TXTIME, &value, &length), 0);
	EXPECT_EQ(length, sizeof(value));
	EXPECT_EQ(value.clockid, 0);
	EXPECT_EQ(value.flags, 0);
	EXPECT_EQ(set_txtime(fd, CLOCK_MONOTONIC, SOF_TXTIME_REPORT_ERRORS), 0);
	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_TXTIME, &value, &length), 0);
	EXPECT_EQ(value.clockid, CLOCK_MONOTONIC);
	EXPECT_EQ(value.flags, SOF_TXTIME_REPORT_ERRORS);
	EXPECT_EQ(set_txtime(fd, CLOCK_TAI, SOF_TXTIME_DEADLINE_MODE), 0);
	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_TXTIME, &value, &length), 0);
	EXPECT_EQ(value.clockid, CLOCK_TAI);
	EXPECT_EQ(value.flags, SOF_TXTIME_DEADLINE_MODE);
	EXPECT_ERRNO(set_txtime(fd, CLOCK_MONOTONIC, 4), EINVAL);
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_TXTIME, &value, sizeof(value) - 1), EINVAL);
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_TXTIME, &value, sizeof(value) + 1), EINVAL);
	EXPECT_EQ(set_txtime(local, CLOCK_MONOTONIC, 0), 0);
	if (fork() == 0) {
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_EQ(set_txtime(fd, CLOCK_MONOTONIC, 0), 0);
		EXPECT_ERRNO(set_txtime(fd, CLOCK_TAI, 0), EPERM);
		_exit(test_has_failed());
	}
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
	close(fd);
	close(local);
}

static void sends_at_once(int from, int to, const char *text, int length)
{
	char buf[128];

	EXPECT_ERRNO(send_at(from, text, (size_t)length, later(), 8), EINVAL);
	EXPECT_EQ(set_txtime(from, CLOCK_MONOTONIC, SOF_TXTIME_REPORT_ERRORS), 0);
	EXPECT_ERRNO(send_at(from, text, (size_t)length, later(), 4), EINVAL);
	EXPECT_ERRNO(send_at(from, text, (size_t)length, later(), 16), EINVAL);
	EXPECT_EQ(send_at(from, text, (size_t)length, later(), 8), length);
	EXPECT(ready(to, POLLIN, 10000));
	EXPECT(recv(to, buf, sizeof(buf), 0) >= length);
	EXPECT_EQ(send_at(from, text, (size_t)length, 1, 8), length);
	EXPECT(ready(to, POLLIN, 10000));
	EXPECT(recv(to, buf, sizeof(buf), 0) >= length);
	EXPECT_ERRNO(recv(from, buf, sizeof(buf), MSG_ERRQUEUE | MSG_DONTWAIT), EAGAIN);
	close(from);
	close(to);
}

TEST(txtime_of_udp)
{
	struct sockaddr_in address;
	int from = socket(AF_INET, SOCK_DGRAM, 0), to;

	loopback_up();
	to = bound(SOCK_DGRAM);
	address = loopback_address(port_of(to));
	EXPECT_EQ(connect(from, (struct sockaddr *)&address, sizeof(address)), 0);
	sends_at_once(from, to, "text", 4);
}

TEST(txtime_of_tcp)
{
	int client, server;

	loopback_up();
	connected(&client, &server);
	sends_at_once(client, server, "text", 4);
}

TEST(txtime_of_raw)
{
	struct sockaddr_in address = loopback_address(0);
	int from = socket(AF_INET, SOCK_RAW, 200), to = socket(AF_INET, SOCK_RAW, 200);

	loopback_up();
	EXPECT_EQ(connect(from, (struct sockaddr *)&address, sizeof(address)), 0);
	shutdown(from, SHUT_RD);
	sends_at_once(from, to, "text", 4);
}

TEST(txtime_of_packets)
{
	static const char frame[60] = { [12] = (char)0x88, [13] = (char)0xb5, [14] = 'r' };
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(0x88b5),
				    .sll_ifindex = 1 };
	int from = socket(AF_PACKET, SOCK_RAW, 0), to = socket(AF_PACKET, SOCK_RAW, 0);

	loopback_up();
	EXPECT_EQ(bind(to, (struct sockaddr *)&name, sizeof(name)), 0);
	name.sll_protocol = 0;
	EXPECT_EQ(bind(from, (struct sockaddr *)&name, sizeof(name)), 0);
	sends_at_once(from, to, frame, sizeof(frame));
}

TEST(txtime_of_unix_is_none)
{
	int fds[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	EXPECT_EQ(set_txtime(fds[0], CLOCK_MONOTONIC, 0), 0);
	EXPECT_ERRNO(send_at(fds[0], "text", 4, later(), 8), EINVAL);
	close(fds[0]);
	close(fds[1]);
}
