/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of sockets, and what comes with messages because of them: ip(7), ipv6(7), udp(7), tcp(7), socket(7), RFC 3542. */
#include "net_test.h"

#include <linux/filter.h>
#include <linux/in6.h>
#include <string.h>
#include <sys/uio.h>

#define LOOP6 { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT }
/* Not in every C library. */
#ifndef IPV6_FLOWINFO
#define IPV6_FLOWINFO 11
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static int bound6(int type)
{
	struct sockaddr_in6 address = LOOP6;
	int fd = socket(AF_INET6, type, 0);

	REQUIRE(fd >= 0);
	REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

static void connect6(int fd, int port)
{
	struct sockaddr_in6 address = LOOP6;

	address.sin6_port = htons(port);
	REQUIRE(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
}

static void set(int fd, int level, int option, int value)
{
	REQUIRE(setsockopt(fd, level, option, &value, sizeof(value)) == 0);
}

static int get(int fd, int level, int option)
{
	int value = -2;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, option, &value, &length) ? -errno : value;
}

/* Receives, and looks for one control message: its length, or -1. */
static ssize_t received_control(int fd, int level, int type, void *out, size_t size)
{
	char data[256], control[512];
	struct iovec v = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	REQUIRE(recvmsg(fd, &m, 0) >= 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == level && c->cmsg_type == type) {
			size_t n = c->cmsg_len - CMSG_LEN(0);

			memcpy(out, CMSG_DATA(c), n < size ? n : size);
			return (ssize_t)n;
		}
	return -1;
}

static ssize_t send_control(int fd, int level, int type, const void *data, size_t size)
{
	char control[128] = {};
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = CMSG_SPACE(size) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*c = (struct cmsghdr){ .cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(size) };
	memcpy(CMSG_DATA(c), data, size);
	return sendmsg(fd, &m, 0);
}

/* A header of options with nothing but padding. */
static const unsigned char padding[8] = { 0, 0, 1, 4 };

TEST(extension_headers_travel)
{
	int a = (loopback_up(), bound6(SOCK_DGRAM)), b = bound6(SOCK_DGRAM);
	unsigned char got[64];

	connect6(a, port_of(b));
	set(b, IPPROTO_IPV6, IPV6_RECVHOPOPTS, 1);
	set(b, IPPROTO_IPV6, IPV6_RECVDSTOPTS, 1);
	set(b, IPPROTO_IPV6, IPV6_RECVRTHDR, 1);
	EXPECT_EQ(get(b, IPPROTO_IPV6, IPV6_RECVHOPOPTS), 1);
	REQUIRE(send_control(a, IPPROTO_IPV6, IPV6_HOPOPTS, padding, 8) == 1);
	REQUIRE(received_control(b, IPPROTO_IPV6, IPV6_HOPOPTS, got, sizeof(got)) == 8);
	EXPECT_EQ(got[0], IPPROTO_UDP);
	EXPECT(memcmp(got + 1, padding + 1, 7) == 0);
	REQUIRE(send_control(a, IPPROTO_IPV6, IPV6_DSTOPTS, padding, 8) == 1);
	REQUIRE(received_control(b, IPPROTO_IPV6, IPV6_DSTOPTS, got, sizeof(got)) == 8);
	EXPECT_ERRNO(send_control(a, IPPROTO_IPV6, IPV6_HOPOPTS, padding, 4), EINVAL);
	REQUIRE(send(a, "y", 1, 0) == 1);
	EXPECT_EQ(received_control(b, IPPROTO_IPV6, IPV6_HOPOPTS, got, sizeof(got)), -1);
}

TEST(extension_headers_stay)
{
	int a = (loopback_up(), bound6(SOCK_DGRAM)), b = bound6(SOCK_DGRAM);
	unsigned char got[64] = {};
	socklen_t length = sizeof(got);

	connect6(a, port_of(b));
	set(b, IPPROTO_IPV6, IPV6_RECVHOPOPTS, 1);
	EXPECT_EQ(setsockopt(a, IPPROTO_IPV6, IPV6_HOPOPTS, padding, 8), 0);
	EXPECT_EQ(getsockopt(a, IPPROTO_IPV6, IPV6_HOPOPTS, got, &length), 0);
	EXPECT_EQ(length, 8);
	EXPECT_EQ(send(a, "x", 1, 0), 1);
	EXPECT_EQ(received_control(b, IPPROTO_IPV6, IPV6_HOPOPTS, got, sizeof(got)), 8);
	EXPECT_EQ(setsockopt(a, IPPROTO_IPV6, IPV6_HOPOPTS, NULL, 0), 0);
	EXPECT_EQ(send(a, "x", 1, 0), 1);
	EXPECT_EQ(received_control(b, IPPROTO_IPV6, IPV6_HOPOPTS, got, sizeof(got)), -1);
	EXPECT_ERRNO(setsockopt(a, IPPROTO_IPV6, IPV6_HOPOPTS, padding, 7), EINVAL);
}

TEST(what_a_datagram_says_of_itself)
{
	int a = (loopback_up(), bound6(SOCK_DGRAM)), b = bound6(SOCK_DGRAM), class = 0x20, n;
	struct sockaddr_in6 to;

	connect6(a, port_of(b));
	set(b, IPPROTO_IPV6, IPV6_FLOWINFO, 1);
	set(b, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, 1);
	set(a, IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0);
	REQUIRE(send_control(a, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class)) == 1);
	REQUIRE(received_control(b, IPPROTO_IPV6, IPV6_FLOWINFO, &n, sizeof(n)) == sizeof(n));
	EXPECT_EQ(ntohl(n), 0x20 << 20);
	REQUIRE(send(a, "x", 1, 0) == 1);
	REQUIRE(received_control(b, IPPROTO_IPV6, IPV6_ORIGDSTADDR, &to, sizeof(to)) == sizeof(to));
	EXPECT_EQ(ntohs(to.sin6_port), port_of(b));
	EXPECT(IN6_IS_ADDR_LOOPBACK(&to.sin6_addr));
	set(a, IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 1);
	REQUIRE(send(a, "x", 1, 0) == 1);
	REQUIRE(received_control(b, IPPROTO_IPV6, IPV6_FLOWINFO, &n, sizeof(n)) == sizeof(n));
	EXPECT(ntohl(n) & 0xfffff);
}

TEST(options_of_ipv4_travel)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_address(port_of(b));
	const unsigned char nothing[4] = { 1, 1, 1, 0 };
	unsigned char got[40] = {};
	socklen_t length = sizeof(got);

	set(b, IPPROTO_IP, IP_RECVOPTS, 1);
	EXPECT_EQ(setsockopt(a, IPPROTO_IP, IP_OPTIONS, nothing, sizeof(nothing)), 0);
	EXPECT_EQ(getsockopt(a, IPPROTO_IP, IP_OPTIONS, got, &length), 0);
	EXPECT_EQ(length, 4);
	EXPECT_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	EXPECT_EQ(received_control(b, IPPROTO_IP, IP_RECVOPTS, got, sizeof(got)), 4);
	EXPECT_EQ(got[0], 1);
	EXPECT_ERRNO(setsockopt(a, IPPROTO_IP, IP_OPTIONS, (unsigned char[]){ 7, 1, 0, 0 }, 4),
		     EINVAL);
}

TEST(nothing_is_fragmented_that_must_not_be)
{
	static char large[70000];
	int a = (loopback_up(), bound6(SOCK_DGRAM)), b = bound6(SOCK_DGRAM);

	connect6(a, port_of(b));
	EXPECT_EQ(get(a, IPPROTO_IPV6, IPV6_DONTFRAG), 0);
	set(a, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
	EXPECT_EQ(get(a, IPPROTO_IPV6, IPV6_DONTFRAG), 1);
	EXPECT_EQ(send(a, large, 60000, 0), 60000);
	EXPECT_ERRNO(send(a, large, 65527, 0), EMSGSIZE);
	set(a, IPPROTO_IPV6, IPV6_DONTFRAG, 0);
	EXPECT_EQ(send(a, large, 65527, 0), 65527);
}

TEST(checksums_of_udp_can_be_left_out)
{
	int a = (loopback_up(), bound6(SOCK_DGRAM)), b = bound6(SOCK_DGRAM);
	char c;

	connect6(a, port_of(b));
	set(a, IPPROTO_UDP, 101 /* UDP_NO_CHECK6_TX */, 1);
	EXPECT_EQ(get(a, IPPROTO_UDP, 101), 1);
	EXPECT_EQ(send(a, "x", 1, 0), 1);
	EXPECT_ERRNO(recv(b, &c, 1, MSG_DONTWAIT), EAGAIN);
	set(b, IPPROTO_UDP, 102 /* UDP_NO_CHECK6_RX */, 1);
	EXPECT_EQ(send(a, "y", 1, 0), 1);
	EXPECT_EQ(recv(b, &c, 1, 0), 1);
	EXPECT_EQ(c, 'y');
}

TEST(merged_datagrams_tell_their_size)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM), size = 0, total = 0, n;
	struct sockaddr_in to = loopback_address(port_of(b));
	static char large[65508];
	char out[1000] = {}, in[4096];
	struct iovec v = { in, sizeof(in) };

	set(b, IPPROTO_UDP, UDP_GRO, 1);
	EXPECT_EQ(get(b, IPPROTO_UDP, UDP_GRO), 1);
	set(a, IPPROTO_UDP, UDP_SEGMENT, 400);
	EXPECT_EQ(sendto(a, out, sizeof(out), 0, (struct sockaddr *)&to, sizeof(to)), 1000);
	while (total < 1000) { /* in one piece or in three */
		char control[64];
		struct msghdr m = { .msg_iov = &v,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };

		REQUIRE((n = (int)recvmsg(b, &m, 0)) > 0);
		total += n;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
			if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
				memcpy(&size, CMSG_DATA(c), sizeof(size));
		EXPECT(n <= 400 || size == 400);
	}
	EXPECT_EQ(total, 1000);
	EXPECT_ERRNO(sendto(a, large, sizeof(large), 0, (struct sockaddr *)&to, sizeof(to)),
		     EMSGSIZE);
	set(a, IPPROTO_UDP, UDP_SEGMENT, 1);
	EXPECT_ERRNO(sendto(a, out, 129, 0, (struct sockaddr *)&to, sizeof(to)), EINVAL);
}

TEST(lost_datagrams_are_counted)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_address(port_of(b));
	unsigned lost = 0;
	char out[2000] = {};

	set(b, SOL_SOCKET, SO_RXQ_OVFL, 1);
	set(b, SOL_SOCKET, SO_RCVBUF, 4000);
	for (int i = 0; i < 20; i++)
		REQUIRE(sendto(a, out, sizeof(out), 0, (struct sockaddr *)&to, sizeof(to)) > 0);
	usleep(10000);
	while (recv(b, out, sizeof(out), MSG_DONTWAIT) > 0)
		;
	REQUIRE(sendto(a, out, 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1);
	REQUIRE(received_control(b, SOL_SOCKET, SO_RXQ_OVFL, &lost, sizeof(lost)) == 4);
	EXPECT(lost > 0 && lost < 20);
}

TEST(a_stream_tells_what_is_left)
{
	int client, server, left = -1;
	char c[4], control[64];
	struct iovec v = { c, 2 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	loopback_up();
	connected(&client, &server);
	set(server, IPPROTO_TCP, TCP_INQ, 1);
	EXPECT_EQ(get(server, IPPROTO_TCP, TCP_INQ), 1);
	REQUIRE(send(client, "12345", 5, 0) == 5);
	REQUIRE(recvmsg(server, &m, 0) == 2);
	REQUIRE(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == TCP_CM_INQ);
	memcpy(&left, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(left));
	EXPECT_EQ(left, 3);
}

TEST(a_stream_tells_when_bytes_came)
{
	int client, server;
	struct timeval time = {};

	loopback_up();
	connected(&client, &server);
	set(server, SOL_SOCKET, SO_TIMESTAMP, 1);
	for (int i = 0; i < 100 && !time.tv_sec; i++) { /* Linux begins to stamp a little later */
		REQUIRE(send(client, "1", 1, 0) == 1);
		received_control(server, SOL_SOCKET, SO_TIMESTAMP, &time, sizeof(time));
		usleep(1000);
	}
	EXPECT(time.tv_sec > 0);
}

TEST(unsent_data_is_bounded)
{
	int client, server;
	static char data[100000];

	loopback_up();
	connected(&client, &server);
	set(server, SOL_SOCKET, SO_RCVBUF, 4096);
	set(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1000);
	EXPECT_EQ(get(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 1000);
	EXPECT(ready(client, POLLOUT, 0) & POLLOUT);
	while (send(client, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	EXPECT_EQ(ready(client, POLLOUT, 0), 0);
	for (size_t n = 0; !(ready(client, POLLOUT, 0) & POLLOUT);) {
		ssize_t got = recv(server, data, sizeof(data), 0);

		REQUIRE(got > 0);
		n += (size_t)got;
		REQUIRE(n < 50000000);
	}
}

TEST(a_send_may_connect)
{
	int listener = (loopback_up(), bound(SOCK_STREAM)), fd = socket(AF_INET, SOCK_STREAM, 0),
	    server;
	struct sockaddr_in to = loopback_address(port_of(listener));
	char got[8] = {};

	EXPECT_EQ(sendto(fd, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)), 5);
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(recv(server, got, sizeof(got), 0), 5);
	EXPECT_ERRNO(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)), EISCONN);
	set(listener, IPPROTO_TCP, TCP_FASTOPEN, 5);
	EXPECT_EQ(get(listener, IPPROTO_TCP, TCP_FASTOPEN), 5);
}

TEST(segments_from_far_away_are_dropped)
{
	int client, server;
	char c;

	loopback_up();
	connected(&client, &server);
	set(server, IPPROTO_IP, IP_MINTTL, 200);
	EXPECT_EQ(get(server, IPPROTO_IP, IP_MINTTL), 200);
	REQUIRE(send(client, "a", 1, 0) == 1);
	EXPECT_ERRNO(recv(server, &c, 1, MSG_DONTWAIT), EAGAIN);
	set(server, IPPROTO_IP, IP_MINTTL, 0);
	EXPECT_EQ(recv(server, &c, 1, 0), 1); /* sent again */
}

/* Four sockets of one port; a program says by the first byte which of them. */
static void chosen_by_program(int family)
{
	struct sock_filter code[] = { { BPF_LD | BPF_B | BPF_ABS, 0, 0, 0 },
				      { BPF_ALU | BPF_SUB | BPF_K, 0, 0, '0' },
				      { BPF_RET | BPF_A, 0, 0, 0 } };
	struct sock_fprog program = { 3, code };
	struct sockaddr_in6 to = LOOP6;
	struct sockaddr_in to4;
	int fds[4], port = 0, sender = socket(family, SOCK_DGRAM, 0);

	for (int i = 0; i < 4; i++) {
		struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
		struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(port) };

		fds[i] = socket(family, SOCK_DGRAM, 0);
		set(fds[i], SOL_SOCKET, SO_REUSEPORT, 1);
		REQUIRE(bind(fds[i], family == AF_INET ? (void *)&any4 : (void *)&any,
			     family == AF_INET ? sizeof(any4) : sizeof(any)) == 0);
		port = port_of(fds[i]);
	}
	REQUIRE(setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
			   sizeof(program)) == 0);
	to.sin6_port = htons(port);
	to4 = loopback_address(port);
	for (int i = 3; i >= 0; i--) {
		char c = (char)('0' + i), got = 0;

		REQUIRE(sendto(sender, &c, 1, 0, family == AF_INET ? (void *)&to4 : (void *)&to,
			       family == AF_INET ? sizeof(to4) : sizeof(to)) == 1);
		REQUIRE(ready(fds[i], POLLIN, 5000));
		EXPECT_EQ(recv(fds[i], &got, 1, 0), 1);
		EXPECT_EQ(got, c);
		close(fds[i]);
	}
}

TEST(a_program_chooses_among_those_that_share_a_port)
{
	loopback_up();
	chosen_by_program(AF_INET);
	chosen_by_program(AF_INET6);
}

TEST(a_socket_is_bound_to_a_device)
{
	int fd = (loopback_up(), socket(AF_INET, SOCK_DGRAM, 0));
	char name[IFNAMSIZ] = "?";
	socklen_t length = sizeof(name);
	uint64_t cookie = 0, other = 0;

	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length), 0);
	EXPECT_EQ(length, 0);
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	length = sizeof(name);
	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length), 0);
	EXPECT(strcmp(name, "lo") == 0);
	EXPECT_EQ(get(fd, SOL_SOCKET, SO_BINDTOIFINDEX), (int)if_nametoindex("lo"));
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none0", 6), ENODEV);
	length = sizeof(cookie);
	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length), 0);
	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &other, &length), 0);
	EXPECT(cookie == other && cookie);
}

TEST(a_scope_means_something_on_a_link_only)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_scope_id = 4711 }, to = LOOP6;
	int fd = (loopback_up(), socket(AF_INET6, SOCK_DGRAM, 0)),
	    sender = socket(AF_INET6, SOCK_DGRAM, 0);
	char c;

	REQUIRE(bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0);
	to.sin6_port = htons(port_of(fd));
	to.sin6_scope_id = 4712;
	REQUIRE(sendto(sender, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1);
	EXPECT_EQ(recv(fd, &c, 1, 0), 1);
}

TEST(preferences_of_addresses_exclude_each_other)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	EXPECT_EQ(get(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES),
		  IPV6_PREFER_SRC_PUBTMP_DEFAULT | IPV6_PREFER_SRC_HOME);
	set(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, IPV6_PREFER_SRC_PUBLIC);
	EXPECT_EQ(get(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES),
		  IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_HOME);
	EXPECT_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES,
				&(int){ IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_TMP }, 4),
		     EINVAL);
}

TEST(raw_checksums_are_filled_in)
{
	struct sockaddr_in6 to = LOOP6;
	unsigned char packet[8] = { 1, 2, 3, 4, 0, 0, 7, 8 }, got[8];
	int fd = (loopback_up(), socket(AF_INET6, SOCK_RAW, 253)), off = 4;

	REQUIRE(fd >= 0);
	EXPECT_EQ(get(fd, IPPROTO_IPV6, IPV6_CHECKSUM), -1);
	EXPECT_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, &(int){ 3 }, 4), EINVAL);
	EXPECT_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, &off, 4), 0);
	REQUIRE(sendto(fd, packet, 8, 0, (struct sockaddr *)&to, sizeof(to)) == 8);
	REQUIRE(recv(fd, got, 8, 0) == 8);
	EXPECT(got[4] || got[5]);
}

static int bound_without_port(int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(0x7f000005) };
	int fd = socket(AF_INET, type, 0);

	REQUIRE(fd >= 0);
	set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	EXPECT_EQ(port_of(fd), 0);
	return fd;
}

/* The address that it was bound to, and a port now. */
static void expect_chosen(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	EXPECT_EQ(ntohl(address.sin_addr.s_addr), 0x7f000005u);
	EXPECT(address.sin_port != 0);
}

TEST(an_address_is_bound_without_a_port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), stream, datagram;

	loopback_up();
	REQUIRE(bind(listener, (struct sockaddr *)&to, sizeof(to)) == 0);
	REQUIRE(listen(listener, 5) == 0);
	to.sin_port = htons(port_of(listener));
	stream = bound_without_port(SOCK_STREAM);
	EXPECT_EQ(connect(stream, (struct sockaddr *)&to, sizeof(to)), 0);
	expect_chosen(stream);
	datagram = bound_without_port(SOCK_DGRAM);
	EXPECT_EQ(sendto(datagram, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	expect_chosen(datagram);
	close(stream);
	close(datagram);
	close(listener);
}

/* --- Leases of flow labels --- */

static int flow_label(int fd, int action, unsigned label, int share, int flags)
{
	struct {
		struct in6_addr to;
		uint32_t label;
		uint8_t action, share;
		uint16_t flags, expires, linger;
		uint32_t pad;
	} request = { .to = IN6ADDR_LOOPBACK_INIT,
		      .label = htonl(label),
		      .action = (uint8_t)action,
		      .share = (uint8_t)share,
		      .flags = (uint16_t)flags };
	int result =
		setsockopt(fd, SOL_IPV6, 32 /* IPV6_FLOWLABEL_MGR */, &request, sizeof(request));

	return result || label || action ? result : (int)ntohl(request.label);
}

TEST(flow_labels_are_leased)
{
	enum { GET, PUT, RENEW };
	enum { CREATE = 1, EXCLUSIVE = 2 };
	enum { ALONE = 1, PROCESS, USER, ANY = 255 };
	int a = socket(AF_INET6, SOCK_DGRAM, 0), b = socket(AF_INET6, SOCK_DGRAM, 0), chosen;

	EXPECT_ERRNO(flow_label(a, GET, 71, ANY, 0), ENOENT);
	EXPECT_ERRNO(flow_label(a, PUT, 71, ANY, 0), ESRCH);
	EXPECT_ERRNO(flow_label(a, GET, 0x171717, ANY, CREATE), EINVAL);
	EXPECT_ERRNO(flow_label(a, GET, 71, 9, CREATE), EINVAL);
	EXPECT_EQ(flow_label(a, GET, 71, ANY, CREATE), 0);
	EXPECT_EQ(flow_label(b, GET, 71, ANY, 0), 0);
	EXPECT_ERRNO(flow_label(b, GET, 71, ANY, CREATE | EXCLUSIVE), EEXIST);
	EXPECT_ERRNO(flow_label(b, GET, 71, USER, 0), EPERM);
	EXPECT_EQ(flow_label(b, RENEW, 71, ANY, 0), 0);
	EXPECT_EQ(flow_label(b, PUT, 71, ANY, 0), 0);
	EXPECT_ERRNO(flow_label(b, PUT, 71, ANY, 0), ESRCH);
	EXPECT_EQ(flow_label(a, GET, 72, ALONE, CREATE), 0);
	EXPECT_ERRNO(flow_label(b, GET, 72, ALONE, 0), EPERM);
	chosen = flow_label(b, GET, 0, ANY, CREATE);
	EXPECT(chosen > 0 && chosen < 1 << 20);
	EXPECT_EQ(flow_label(b, PUT, (unsigned)chosen, ANY, 0), 0);
}
