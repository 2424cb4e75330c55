/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP-Lite over loopback: udplite(7), RFC 3828. */
#include "net_test.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#define SEND_COVERAGE 10 /* UDPLITE_SEND_CSCOV, of no header that programs have */
#define RECEIVE_COVERAGE 11
#define LEVEL 136 /* SOL_UDPLITE */

static int lite(int family)
{
	int fd = socket(family, SOCK_DGRAM, IPPROTO_UDPLITE);
	struct sockaddr_in six_or_four = loopback_address(0);
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	REQUIRE(fd >= 0);
	if (family == AF_INET)
		REQUIRE(!bind(fd, (struct sockaddr *)&six_or_four, sizeof(six_or_four)));
	else
		REQUIRE(!bind(fd, (struct sockaddr *)&six, sizeof(six)));
	return fd;
}

static void join(int from, int to)
{
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);

	REQUIRE(!getsockname(to, (struct sockaddr *)&name, &length));
	REQUIRE(!connect(from, (struct sockaddr *)&name, length));
}

static void set(int fd, int option, int value)
{
	int got = -1;
	socklen_t length = sizeof(got);

	EXPECT_EQ(setsockopt(fd, LEVEL, option, &value, sizeof(value)), 0);
	EXPECT_EQ(getsockopt(fd, LEVEL, option, &got, &length), 0);
	EXPECT_EQ(got, value && value < 8 ? 8 : value);
}

TEST(udplite_is_like_udp)
{
	for (int six = 0; six < 2; six++) {
		int family = six ? AF_INET6 : AF_INET;
		int a = (loopback_up(), lite(family)), b = lite(family), value;
		socklen_t length = sizeof(value);
		char buf[16];

		join(a, b);
		EXPECT_EQ(send(a, "one", 3, 0), 3);
		EXPECT_EQ(send(a, "", 0, 0), 0);
		EXPECT_EQ(recv(b, buf, sizeof(buf), MSG_DONTWAIT), 3);
		EXPECT_EQ(recv(b, buf, sizeof(buf), MSG_DONTWAIT), 0);
		EXPECT_EQ(getsockopt(a, SOL_SOCKET, SO_PROTOCOL, &value, &length), 0);
		EXPECT_EQ(value, IPPROTO_UDPLITE);
		close(b);
		EXPECT_EQ(send(a, "x", 1, 0), 1);
		EXPECT_ERRNO(recv(a, buf, 1, MSG_DONTWAIT), ECONNREFUSED);
		close(a);
	}
}

/* Its ports are others than those of UDP. */
TEST(udplite_has_ports_of_its_own)
{
	int udp = (loopback_up(), bound(SOCK_DGRAM)),
	    fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	struct sockaddr_in name = loopback_address(port_of(udp));
	int coverage = 8;
	char c;

	EXPECT_EQ(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	EXPECT_EQ(sendto(udp, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)), 1);
	EXPECT_EQ(recv(udp, &c, 1, MSG_DONTWAIT), 1);
	EXPECT_ERRNO(recv(fd, &c, 1, MSG_DONTWAIT), EAGAIN);
	EXPECT_ERRNO(setsockopt(udp, LEVEL, SEND_COVERAGE, &coverage, sizeof(coverage)),
		     ENOPROTOOPT);
}

TEST(udplite_coverage_is_asked_for)
{
	int a = (loopback_up(), lite(AF_INET)), b = lite(AF_INET);
	char buf[64];

	join(a, b);
	for (int coverage = 0; coverage < 40; coverage += 5) {
		set(a, SEND_COVERAGE, coverage);
		EXPECT_EQ(send(a, "some text, of which a part", 26, 0), 26);
		EXPECT_EQ(recv(b, buf, sizeof(buf), MSG_DONTWAIT), 26);
	}
	set(b, RECEIVE_COVERAGE, 20);
	set(a, SEND_COVERAGE, 19);
	EXPECT_EQ(send(a, "some text, of which a part", 26, 0), 26);
	EXPECT_ERRNO(recv(b, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	set(a, SEND_COVERAGE, 20);
	EXPECT_EQ(send(a, "some text, of which a part", 26, 0), 26);
	EXPECT_EQ(recv(b, buf, sizeof(buf), MSG_DONTWAIT), 26);
	set(b, RECEIVE_COVERAGE, 0); /* all of it */
	EXPECT_EQ(send(a, "some text, of which a part", 26, 0), 26);
	EXPECT_ERRNO(recv(b, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	set(a, SEND_COVERAGE, 0);
	EXPECT_EQ(send(a, "some text, of which a part", 26, 0), 26);
	EXPECT_EQ(recv(b, buf, sizeof(buf), MSG_DONTWAIT), 26);
}

/* What a raw socket sees of it; then the same with a byte changed. */
TEST(udplite_covers_what_it_says)
{
	int a = (loopback_up(), lite(AF_INET)), b = lite(AF_INET);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDPLITE);
	struct sockaddr_in to = loopback_address(0);
	unsigned char packet[128], *datagram = packet + 20;
	char buf[64];

	REQUIRE(raw >= 0);
	join(a, b);
	set(a, SEND_COVERAGE, 12);
	EXPECT_EQ(send(a, "0123456789", 10, 0), 10);
	EXPECT_EQ(recv(raw, packet, sizeof(packet), 0), 20 + 8 + 10);
	EXPECT_EQ(datagram[4] * 256 + datagram[5], 12);
	EXPECT_EQ(recv(b, buf, sizeof(buf), MSG_DONTWAIT), 10);
	datagram[8 + 5] ^= 1; /* not covered */
	EXPECT_EQ(sendto(raw, datagram, 18, 0, (struct sockaddr *)&to, sizeof(to)), 18);
	EXPECT_EQ(recv(b, buf, sizeof(buf), MSG_DONTWAIT), 10);
	EXPECT_EQ(buf[5], '4');
	datagram[8 + 3] ^= 1; /* covered */
	EXPECT_EQ(sendto(raw, datagram, 18, 0, (struct sockaddr *)&to, sizeof(to)), 18);
	EXPECT_ERRNO(recv(b, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	datagram[8 + 3] ^= 1;
	datagram[5] = 7; /* less than the header */
	EXPECT_EQ(sendto(raw, datagram, 18, 0, (struct sockaddr *)&to, sizeof(to)), 18);
	EXPECT_ERRNO(recv(b, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
}

TEST(udplite_is_listed)
{
	int fd = (loopback_up(), lite(AF_INET6)), other = lite(AF_INET);
	char wanted[16], line[256];
	int found = 0;

	for (int six = 0; six < 2; six++) {
		FILE *file = fopen(six ? "/proc/net/udplite6" : "/proc/net/udplite", "r");

		REQUIRE(file != NULL);
		snprintf(wanted, sizeof(wanted), ":%04X ", port_of(six ? fd : other));
		while (fgets(line, sizeof(line), file))
			found += strstr(line, wanted) != NULL;
		fclose(file);
	}
	EXPECT_EQ(found, 2);
}
