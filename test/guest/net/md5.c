/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP_MD5SIG and TCP_MD5SIG_EXT of tcp(7), RFC 2385. */
#define _NETINET_TCP_H 1 /* that of the C library has an older structure, and both cannot be had */
#include "net_test.h"

#include <linux/tcp.h>
#include <sched.h>

static void begin(void)
{
	REQUIRE(unshare(CLONE_NEWNET) == 0);
	loopback_up();
}

static long tcp_counter(const char *name)
{
	return counter("/proc/net/netstat", "TcpExt", name);
}

static int set_key(int fd, const char *address, const char *key)
{
	struct tcp_md5sig m = { .tcpm_keylen = (__u16)strlen(key) };
	struct sockaddr_in *to = (struct sockaddr_in *)&m.tcpm_addr;

	to->sin_family = AF_INET;
	REQUIRE(inet_pton(AF_INET, address, &to->sin_addr) == 1);
	memcpy(m.tcpm_key, key, strlen(key));
	return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m));
}

static int set_prefix_key(int fd, const char *address, int prefix, const char *key)
{
	struct tcp_md5sig m = { .tcpm_keylen = (__u16)strlen(key),
				.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX,
				.tcpm_prefixlen = (__u8)prefix };
	struct sockaddr_in *to = (struct sockaddr_in *)&m.tcpm_addr;

	to->sin_family = AF_INET;
	REQUIRE(inet_pton(AF_INET, address, &to->sin_addr) == 1);
	memcpy(m.tcpm_key, key, strlen(key));
	return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &m, sizeof(m));
}

/* Tries for a while; 0 or -1 and errno. */
static int try_connect(int fd, int listener, int milliseconds)
{
	struct sockaddr_in to = loopback_address(port_of(listener));
	struct timeval limit = { milliseconds / 1000, milliseconds % 1000 * 1000 };

	REQUIRE(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static void exchange(int from, int to, size_t bytes)
{
	char *data = malloc(bytes), *got = malloc(bytes);

	REQUIRE(data && got);
	for (size_t i = 0; i < bytes; i++)
		data[i] = (char)(i * 7 + i / 251);
	IN_CHILD(pid)
	{
		_exit(send(from, data, bytes, 0) != (ssize_t)bytes);
	}
	EXPECT_EQ(recv(to, got, bytes, MSG_WAITALL), (ssize_t)bytes);
	EXPECT(memcmp(data, got, bytes) == 0);
	free(data);
	free(got);
}

TEST(md5_signed_connections_carry_data)
{
	int listener = (begin(), bound(SOCK_STREAM)), client = socket(AF_INET, SOCK_STREAM, 0),
	    server;

	EXPECT_EQ(set_key(listener, "127.0.0.1", "secret"), 0);
	EXPECT_EQ(set_key(client, "127.0.0.1", "secret"), 0);
	REQUIRE(try_connect(client, listener, 5000) == 0);
	server = accept(listener, NULL, NULL);
	exchange(client, server, 5);
	exchange(server, client, 200000);
	exchange(client, server, 100000);
	EXPECT_EQ(tcp_counter("TCPMD5NotFound"), 0);
	EXPECT_EQ(tcp_counter("TCPMD5Unexpected"), 0);
	EXPECT_EQ(tcp_counter("TCPMD5Failure"), 0);
	/* The end is signed too, from both sides. */
	shutdown(client, SHUT_WR);
	EXPECT(ready(server, POLLRDHUP, 5000) & POLLRDHUP);
	close(server);
	EXPECT(ready(client, POLLHUP, 5000) & POLLHUP);
}

TEST(md5_unsigned_segments_are_not_taken)
{
	int listener = (begin(), bound(SOCK_STREAM)), client = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT_EQ(set_key(listener, "127.0.0.1", "secret"), 0);
	EXPECT(try_connect(client, listener, 50) < 0);
	EXPECT(tcp_counter("TCPMD5NotFound") >= 1);
	EXPECT_EQ(ready(listener, POLLIN, 0), 0);
}

TEST(md5_signatures_that_nobody_asked_for_are_not_taken)
{
	int listener = (begin(), bound(SOCK_STREAM)), client = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT_EQ(set_key(client, "127.0.0.1", "secret"), 0);
	EXPECT(try_connect(client, listener, 50) < 0);
	EXPECT(tcp_counter("TCPMD5Unexpected") >= 1);
}

TEST(md5_wrong_signatures_are_not_taken)
{
	int listener = (begin(), bound(SOCK_STREAM)), client = socket(AF_INET, SOCK_STREAM, 0),
	    server;

	EXPECT_EQ(set_key(listener, "127.0.0.1", "secret"), 0);
	EXPECT_EQ(set_key(client, "127.0.0.1", "secres"), 0);
	EXPECT(try_connect(client, listener, 50) < 0);
	EXPECT(tcp_counter("TCPMD5Failure") >= 1);
	close(client);

	/* A key that is changed in the middle: what comes after that is not believed until the other side has it as well. */
	client = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(set_key(client, "127.0.0.1", "secret"), 0);
	REQUIRE(try_connect(client, listener, 5000) == 0);
	server = accept(listener, NULL, NULL);
	exchange(client, server, 10);
	EXPECT_EQ(set_key(client, "127.0.0.1", "another"), 0);
	EXPECT_EQ(send(client, "x", 1, 0), 1);
	EXPECT_EQ(ready(server, POLLIN, 20), 0);
	EXPECT_EQ(set_key(server, "127.0.0.1", "another"), 0);
	EXPECT(ready(server, POLLIN, 10000) & POLLIN); /* sent again */
}

TEST(md5_keys_of_prefixes_the_longest_counts)
{
	int listener = (begin(), bound(SOCK_STREAM)), client = socket(AF_INET, SOCK_STREAM, 0),
	    server;

	EXPECT_EQ(set_prefix_key(listener, "0.0.0.0", 0, "for all"), 0);
	EXPECT_EQ(set_prefix_key(listener, "127.0.0.0", 8, "for the loop"), 0);
	EXPECT_EQ(set_prefix_key(listener, "10.0.0.0", 8, "for others"), 0);
	EXPECT_EQ(set_prefix_key(client, "127.0.0.0", 8, "for the loop"), 0);
	REQUIRE(try_connect(client, listener, 5000) == 0);
	server = accept(listener, NULL, NULL);
	exchange(client, server, 1000);
	close(client);
	close(server);
	/* Without it the shorter one is left. */
	EXPECT_EQ(set_prefix_key(listener, "127.0.0.0", 8, ""), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(set_key(client, "127.0.0.1", "for all"), 0);
	REQUIRE(try_connect(client, listener, 5000) == 0);
}

TEST(md5_keys_have_their_limits)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct tcp_md5sig m = { .tcpm_keylen = TCP_MD5SIG_MAXKEYLEN };
	struct sockaddr_in *to = (struct sockaddr_in *)&m.tcpm_addr;

	begin();
	to->sin_family = AF_INET;
	EXPECT_EQ(setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m)), 0);
	EXPECT_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m) - 1), EINVAL);
	m.tcpm_keylen++;
	EXPECT_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m)), EINVAL);
	m.tcpm_keylen = 5;
	to->sin_family = AF_INET6;
	EXPECT_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m)), EINVAL);
	to->sin_family = AF_INET;
	EXPECT_ERRNO(set_prefix_key(fd, "10.0.0.0", 33, "x"), EINVAL);
	EXPECT_ERRNO(set_key(fd, "10.1.1.1", ""), ENOENT);
	/* An interface that is no part of a virtual router. */
	m.tcpm_flags = TCP_MD5SIG_FLAG_IFINDEX;
	m.tcpm_ifindex = 1;
	EXPECT_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &m, sizeof(m)), EINVAL);
	/* Options of one socket may keep so much (net.core.optmem_max), and no more. */
	int error = 0;

	for (unsigned i = 0; i < 2000 && !error; i++) {
		to->sin_addr.s_addr = htonl(0x0a000000 + i);
		error = setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m));
	}
	EXPECT(error < 0 && errno == ENOMEM);
}

TEST(md5_signed_connections_of_ipv6)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct tcp_md5sig m = { .tcpm_keylen = 6, .tcpm_key = "secret" };
	int listener, client;

	begin();
	listener = socket(AF_INET6, SOCK_STREAM, 0);
	client = socket(AF_INET6, SOCK_STREAM, 0);
	memcpy(&m.tcpm_addr, &address, sizeof(address));
	EXPECT_EQ(setsockopt(listener, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m)), 0);
	EXPECT_EQ(setsockopt(client, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m)), 0);
	REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	REQUIRE(listen(listener, 5) == 0);
	address.sin6_port = htons(port_of(listener));
	REQUIRE(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
	exchange(client, accept(listener, NULL, NULL), 100000);
	EXPECT_EQ(tcp_counter("TCPMD5Failure"), 0);
}

/* A connection that ends is answered with a signed reset: the other side believes it. */
TEST(md5_signed_resets_are_believed)
{
	int listener = (begin(), bound(SOCK_STREAM)), client = socket(AF_INET, SOCK_STREAM, 0),
	    server;
	struct linger off = { 1, 0 };
	char c;

	EXPECT_EQ(set_key(listener, "127.0.0.1", "secret"), 0);
	EXPECT_EQ(set_key(client, "127.0.0.1", "secret"), 0);
	REQUIRE(try_connect(client, listener, 5000) == 0);
	server = accept(listener, NULL, NULL);
	REQUIRE(setsockopt(server, SOL_SOCKET, SO_LINGER, &off, sizeof(off)) == 0);
	close(server);
	EXPECT(ready(client, POLLHUP, 5000) & POLLHUP);
	EXPECT_ERRNO(recv(client, &c, 1, 0), ECONNRESET);
}
