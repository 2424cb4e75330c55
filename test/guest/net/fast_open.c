/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP Fast Open: RFC 7413, tcp(7), net.ipv4.tcp_fastopen of ip-sysctl.rst. Each test has a network of its own, without cookies. */
#define _NETINET_TCP_H 1 /* that of the C library knows less of TCP_INFO, and both cannot be had */
#include "net_test.h"

#include <linux/genetlink.h>
#include <linux/tcp.h>
#include <linux/tcp_metrics.h>
#include <sched.h>

#define SETTING "/proc/sys/net/ipv4/tcp_fastopen"

static void begin(const char *bits)
{
	REQUIRE(unshare(CLONE_NEWNET) == 0);
	loopback_up();
	REQUIRE(write_setting(SETTING, bits) == 0);
}

static long tcp_counter(const char *name)
{
	return counter("/proc/net/netstat", "TcpExt", name);
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {};
	socklen_t length = sizeof(info);

	REQUIRE(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0);
	return info;
}

static int listener_of(int queue)
{
	struct sockaddr_in address = loopback_address(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	if (queue)
		REQUIRE(set_tcp(fd, TCP_FASTOPEN, queue) == 0);
	REQUIRE(listen(fd, 16) == 0);
	return fd;
}

/* Connects with a send of `text`; the client's socket. */
static int send_to(int listener, const char *text, int flags)
{
	struct sockaddr_in to = loopback_address(port_of(listener));
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT_EQ(sendto(fd, text, strlen(text), MSG_FASTOPEN | flags, (struct sockaddr *)&to,
			 sizeof(to)),
		  (ssize_t)strlen(text));
	return fd;
}

static int accepted(int listener, const char *text)
{
	int fd = accept(listener, NULL, NULL);
	char got[64] = {};

	REQUIRE(fd >= 0);
	EXPECT_EQ(recv(fd, got, strlen(text), MSG_WAITALL), (ssize_t)strlen(text));
	EXPECT_STREQ(got, text);
	return fd;
}

TEST(fast_open_takes_a_cookie_and_then_data)
{
	int listener, client, server;
	char got[8];

	begin("3");
	listener = listener_of(5);
	client = send_to(listener, "first", 0);
	server = accepted(listener, "first");
	EXPECT_EQ(tcp_counter("TCPFastOpenCookieReqd"), 1);
	EXPECT_EQ(tcp_counter("TCPFastOpenPassive"), 0);
	EXPECT_EQ(info_of(client).tcpi_options & TCPI_OPT_SYN_DATA, 0);
	EXPECT_EQ(info_of(client).tcpi_fastopen_client_fail, TFO_COOKIE_UNAVAILABLE);
	close(client);
	close(server);

	client = send_to(listener, "second", 0);
	server = accepted(listener, "second");
	EXPECT_EQ(tcp_counter("TCPFastOpenActive"), 1);
	EXPECT_EQ(tcp_counter("TCPFastOpenPassive"), 1);
	EXPECT_EQ(tcp_counter("TCPFastOpenPassiveFail"), 0);
	EXPECT(info_of(client).tcpi_options & TCPI_OPT_SYN_DATA);
	EXPECT(info_of(server).tcpi_options & TCPI_OPT_SYN_DATA);
	EXPECT_EQ(info_of(client).tcpi_fastopen_client_fail, TFO_STATUS_UNSPEC);
	EXPECT_EQ(send(server, "answer", 6, 0), 6);
	EXPECT_EQ(send(client, "more", 4, 0), 4);
	EXPECT_EQ(recv(server, got, 4, MSG_WAITALL), 4);
	EXPECT_EQ(recv(client, got, 6, MSG_WAITALL), 6);
}

/* connect(2) says that it is through; the first send connects. */
TEST(fast_open_waits_for_data)
{
	int listener, client, server;
	struct sockaddr_in to;
	char c;

	begin("3");
	listener = listener_of(5);
	to = loopback_address(port_of(listener));
	close(send_to(listener, "cookie", 0));
	close(accepted(listener, "cookie"));
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	EXPECT_EQ(set_tcp(client, TCP_FASTOPEN_CONNECT, 1), 0);
	EXPECT_EQ(get_tcp(client, TCP_FASTOPEN_CONNECT), 1);
	EXPECT_EQ(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	EXPECT_ERRNO(connect(client, (struct sockaddr *)&to, sizeof(to)), EISCONN);
	EXPECT_EQ(info_of(client).tcpi_state, 2); /* SYN_SENT */
	EXPECT(ready(client, POLLOUT, 0) & POLLOUT);
	EXPECT_EQ(ready(listener, POLLIN, 0), 0);
	EXPECT_ERRNO(recv(client, &c, 1, 0), EAGAIN);
	EXPECT_EQ(send(client, "data", 4, 0), 4);
	server = accepted(listener, "data");
	EXPECT(info_of(client).tcpi_options & TCPI_OPT_SYN_DATA);
	EXPECT_EQ(send(server, "x", 1, 0), 1);
	EXPECT(ready(client, POLLIN, 1000) & POLLIN);
	EXPECT_EQ(recv(client, &c, 1, 0), 1);
	EXPECT_EQ(tcp_counter("TCPFastOpenActive"), 1);
}

/* Connects with a send (or, by_connect, a write) to a listener whose queue is full, and gives up after 300 ms; how many bytes went. */
static ssize_t send_to_full(struct sockaddr_in *to, bool by_connect)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval limit = { .tv_usec = 300000 };
	struct timespec before, after;
	ssize_t n;

	REQUIRE(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
	clock_gettime(CLOCK_MONOTONIC, &before);
	if (by_connect) {
		EXPECT_EQ(set_tcp(fd, TCP_FASTOPEN_CONNECT, 1), 0);
		EXPECT_EQ(connect(fd, (struct sockaddr *)to, sizeof(*to)), 0);
		n = write(fd, "data", 4);
	} else {
		n = sendto(fd, "data", 4, MSG_FASTOPEN, (struct sockaddr *)to, sizeof(*to));
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	EXPECT((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >=
	       290);
	EXPECT_EQ(info_of(fd).tcpi_state, 2); /* SYN_SENT */
	close(fd);
	return n;
}

/* The data goes with the SYN, and a send that may wait waits for the answer all the same. */
TEST(fast_open_send_waits_for_the_answer)
{
	int listener, fillers[2];
	struct sockaddr_in to;

	begin("3");
	listener = listener_of(5);
	to = loopback_address(port_of(listener));
	close(send_to(listener, "cookie", 0));
	close(accepted(listener, "cookie"));
	REQUIRE(listen(listener, 0) == 0); /* room for one */
	for (int i = 0; i < 2; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&to, sizeof(to));
	}
	EXPECT_EQ(send_to_full(&to, false), 4);
	EXPECT_EQ(send_to_full(&to, true), 4);
}

/* A socket that never sends never connects. */
TEST(fast_open_that_sends_nothing_is_nothing)
{
	int listener, client;
	struct sockaddr_in to;

	begin("3");
	listener = listener_of(5);
	to = loopback_address(port_of(listener));
	close(send_to(listener, "cookie", 0));
	close(accepted(listener, "cookie"));
	client = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(set_tcp(client, TCP_FASTOPEN_CONNECT, 1), 0);
	EXPECT_EQ(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	close(client);
	EXPECT_EQ(ready(listener, POLLIN, 50), 0);
}

TEST(fast_open_without_cookies)
{
	int listener, client, server;

	begin("519"); /* 0x207: nobody needs them */
	listener = listener_of(5);
	client = send_to(listener, "data", MSG_DONTWAIT);
	server = accepted(listener, "data");
	EXPECT_EQ(tcp_counter("TCPFastOpenPassive"), 1);
	EXPECT_EQ(tcp_counter("TCPFastOpenActive"), 1);
	EXPECT_EQ(tcp_counter("TCPFastOpenCookieReqd"), 0);
	close(client);
	close(server);

	REQUIRE(write_setting(SETTING, "3") == 0);
	close(listener);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(set_tcp(listener, TCP_FASTOPEN_NO_COOKIE, 1), 0);
	EXPECT_EQ(get_tcp(listener, TCP_FASTOPEN_NO_COOKIE), 1);
	EXPECT_ERRNO(set_tcp(listener, TCP_FASTOPEN_NO_COOKIE, 2), EINVAL);
	EXPECT_EQ(set_tcp(client, TCP_FASTOPEN_NO_COOKIE, 1), 0);
	EXPECT_EQ(set_tcp(listener, TCP_FASTOPEN, 5), 0);
	REQUIRE(listen(listener, 5) == 0);
	struct sockaddr_in to = loopback_address(port_of(listener));

	EXPECT_EQ(sendto(client, "data", 4, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)), 4);
	server = accepted(listener, "data");
	EXPECT_EQ(tcp_counter("TCPFastOpenPassive"), 2);
}

/* More data than a segment has room for: what does not go with the SYN follows. */
TEST(fast_open_sends_what_follows)
{
	static char data[100000], got[100000];
	int listener, client, server;
	struct sockaddr_in to;

	begin("3");
	listener = listener_of(5);
	to = loopback_address(port_of(listener));
	close(send_to(listener, "cookie", 0));
	close(accepted(listener, "cookie"));
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 251);
	client = socket(AF_INET, SOCK_STREAM, 0);
	IN_CHILD(pid)
	{
		_exit(sendto(client, data, sizeof(data), MSG_FASTOPEN, (struct sockaddr *)&to,
			     sizeof(to)) != sizeof(data));
	}
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(recv(server, got, sizeof(got), MSG_WAITALL), (ssize_t)sizeof(got));
	EXPECT(memcmp(data, got, sizeof(got)) == 0);
	EXPECT_EQ(tcp_counter("TCPFastOpenActive"), 1);
}

/* With another key the old cookie is refused, and a new one given; of two keys both are good. */
TEST(fast_open_keys_can_be_changed)
{
	unsigned char keys[32], got[64];
	socklen_t length = sizeof(got);
	int listener;

	begin("3");
	listener = listener_of(5);
	for (unsigned i = 0; i < sizeof(keys); i++)
		keys[i] = (unsigned char)(i * 5 + 1);
	EXPECT_EQ(getsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &length), 0);
	EXPECT_EQ(length, 0); /* none of its own */
	length = sizeof(got);
	EXPECT_EQ(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 16), 0);
	EXPECT_ERRNO(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 15), EINVAL);
	EXPECT_ERRNO(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 48), EINVAL);
	EXPECT_EQ(getsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &length), 0);
	EXPECT_EQ(length, 16);
	EXPECT(memcmp(keys, got, 16) == 0);
	close(send_to(listener, "cookie", 0));
	close(accepted(listener, "cookie"));

	/* The old key second: the cookie is good, and replaced. */
	for (unsigned i = 0; i < 16; i++) {
		keys[16 + i] = keys[i];
		keys[i] = (unsigned char)(99 + i);
	}
	EXPECT_EQ(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 32), 0);
	close(send_to(listener, "again", 0));
	close(accepted(listener, "again"));
	EXPECT_EQ(tcp_counter("TCPFastOpenPassiveAltKey"), 1);
	close(send_to(listener, "new", 0));
	close(accepted(listener, "new"));
	EXPECT_EQ(tcp_counter("TCPFastOpenPassiveAltKey"), 1);
	EXPECT_EQ(tcp_counter("TCPFastOpenPassive"), 2);

	keys[0] ^= 1;
	EXPECT_EQ(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 16), 0);
	close(send_to(listener, "refused", 0));
	close(accepted(listener, "refused"));
	EXPECT_EQ(tcp_counter("TCPFastOpenPassiveFail"), 1);
	EXPECT_EQ(tcp_counter("TCPFastOpenActiveFail"), 1);
	close(send_to(listener, "good", 0));
	close(accepted(listener, "good"));
	EXPECT_EQ(tcp_counter("TCPFastOpenPassive"), 3);
}

static void expect_key(const char *wanted)
{
	char got[128] = {};
	int fd = open(SETTING "_key", O_RDONLY);

	REQUIRE(fd >= 0);
	REQUIRE(read(fd, got, sizeof(got) - 1) > 0);
	EXPECT_STREQ(got, wanted);
	close(fd);
}

TEST(fast_open_keys_are_a_setting)
{
	begin("3");
	expect_key("00000000-00000000-00000000-00000000\n");
	EXPECT_EQ(write_setting(SETTING "_key", "1-22-333-abcd1234"), 0);
	expect_key("00000001-00000022-00000333-abcd1234\n");
	EXPECT_EQ(write_setting(SETTING "_key", "1-2-3-4,5-6-7-8\n"), 0);
	expect_key("00000001-00000002-00000003-00000004,00000005-00000006-00000007-00000008\n");
	EXPECT_ERRNO(write_setting(SETTING "_key", "1-2-3"), EINVAL);
	EXPECT_ERRNO(write_setting(SETTING "_key", "x-2-3-4"), EINVAL);
	EXPECT_EQ(write_setting(SETTING "_key", "1-2-3-4"), 0);
	EXPECT_EQ(write_setting(SETTING "_blackhole_timeout_sec", "60"), 0);
	EXPECT_ERRNO(write_setting(SETTING "_blackhole_timeout_sec", "-1"), EINVAL);
}

TEST(fast_open_can_be_switched_off)
{
	int listener, fd = -1;
	struct sockaddr_in to;

	begin("0");
	listener = listener_of(5);
	to = loopback_address(port_of(listener));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_ERRNO(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)),
		     EOPNOTSUPP);
	EXPECT_ERRNO(set_tcp(fd, TCP_FASTOPEN_CONNECT, 1), EOPNOTSUPP);
	/* The client may, the server does not: an ordinary handshake, every time. */
	REQUIRE(write_setting(SETTING, "1") == 0);
	for (int i = 0; i < 2; i++) {
		close(send_to(listener, "data", 0));
		close(accepted(listener, "data"));
	}
	EXPECT_EQ(tcp_counter("TCPFastOpenPassive"), 0);
	EXPECT_EQ(tcp_counter("TCPFastOpenActive"), 0);
	/* Every listener, by the setting. */
	REQUIRE(write_setting(SETTING, "1027") == 0);
	close(listener);
	listener = listener_of(0);
	EXPECT_EQ(get_tcp(listener, TCP_FASTOPEN), 16);
	for (int i = 0; i < 2; i++) {
		close(send_to(listener, "data", 0));
		close(accepted(listener, "data"));
	}
	EXPECT_EQ(tcp_counter("TCPFastOpenPassive"), 1);
}

TEST(fast_open_options_have_their_limits)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), client, server;

	begin("3");
	EXPECT_ERRNO(set_tcp(fd, TCP_FASTOPEN, -1), EINVAL);
	EXPECT_ERRNO(set_tcp(fd, TCP_FASTOPEN_CONNECT, 2), EINVAL);
	EXPECT_EQ(get_tcp(fd, TCP_FASTOPEN), 0);
	connected(&client, &server);
	EXPECT_ERRNO(set_tcp(client, TCP_FASTOPEN, 1), EINVAL);
	EXPECT_ERRNO(set_tcp(client, TCP_FASTOPEN_CONNECT, 1), EINVAL);
	EXPECT_ERRNO(set_tcp(client, TCP_FASTOPEN_NO_COOKIE, 1), EINVAL);
}

TEST(fast_open_to_nobody_is_refused)
{
	int listener, fd;
	struct sockaddr_in to;

	begin("7");
	listener = listener_of(5);
	to = loopback_address(port_of(listener));
	close(listener);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_ERRNO(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)),
		     ECONNREFUSED);
}

/* A request of NETLINK_GENERIC with one attribute (size 0: none); the bytes of the answer. */
static ssize_t generic(int fd, __u16 type, __u16 flags, __u8 command, __u16 attribute,
		       const void *value, size_t size, void *answer, size_t room)
{
	struct {
		struct nlmsghdr n;
		struct genlmsghdr g;
		struct nlattr a;
		char value[32];
	} q = { .n = { .nlmsg_type = type, .nlmsg_flags = (__u16)(NLM_F_REQUEST | flags) },
		.g = { .cmd = command, .version = 1 },
		.a = { .nla_len = (__u16)(NLA_HDRLEN + size), .nla_type = attribute } };

	q.n.nlmsg_len =
		(__u32)(NLMSG_LENGTH(GENL_HDRLEN) + (size ? NLA_HDRLEN + NLA_ALIGN(size) : 0));
	memcpy(q.value, value, size);
	REQUIRE(send(fd, &q, q.n.nlmsg_len, 0) == (ssize_t)q.n.nlmsg_len);
	return recv(fd, answer, room, 0);
}

static const void *attribute_of(const struct nlmsghdr *n, int type, int size)
{
	const char *at = (const char *)n + NLMSG_LENGTH(GENL_HDRLEN),
		   *end = (const char *)n + n->nlmsg_len;

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *a = (const void *)at;

		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a->nla_len >= NLA_HDRLEN + size ? at + NLA_HDRLEN : NULL;
		at += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

/* What `ip tcp_metrics` shows and forgets. */
TEST(fast_open_cookies_can_be_seen_and_forgotten)
{
	static union {
		struct nlmsghdr n;
		char bytes[8192];
	} answer;
	int listener, fd;
	const __u16 *id;
	const __u32 *address;

	begin("3");
	listener = listener_of(5);
	close(send_to(listener, "cookie", 0));
	close(accepted(listener, "cookie"));
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	REQUIRE(generic(fd, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
			TCP_METRICS_GENL_NAME, sizeof(TCP_METRICS_GENL_NAME), &answer,
			sizeof(answer)) > 0);
	id = attribute_of(&answer.n, CTRL_ATTR_FAMILY_ID, 2);
	REQUIRE(id != NULL);
	__u16 family = *id;

	REQUIRE(generic(fd, family, NLM_F_DUMP, TCP_METRICS_CMD_GET, 0, "", 0, &answer,
			sizeof(answer)) > 0);
	address = attribute_of(&answer.n, TCP_METRICS_ATTR_ADDR_IPV4, 4);
	REQUIRE(address != NULL);
	EXPECT_EQ(*address, htonl(INADDR_LOOPBACK));
	EXPECT(attribute_of(&answer.n, TCP_METRICS_ATTR_FOPEN_COOKIE, 8) != NULL);
	EXPECT(attribute_of(&answer.n, TCP_METRICS_ATTR_FOPEN_MSS, 2) != NULL);
	close(fd);
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	REQUIRE(generic(fd, family, NLM_F_ACK, TCP_METRICS_CMD_DEL, 0, "", 0, &answer,
			sizeof(answer)) > 0);
	EXPECT_EQ(answer.n.nlmsg_type, NLMSG_ERROR);
	EXPECT_EQ(((struct nlmsgerr *)NLMSG_DATA(&answer.n))->error, 0);
	close(send_to(listener, "again", 0));
	close(accepted(listener, "again"));
	EXPECT_EQ(tcp_counter("TCPFastOpenCookieReqd"), 2);
}
