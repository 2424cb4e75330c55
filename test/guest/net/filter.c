/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters of sockets of all families: socket(7), Documentation/networking/filter.rst. Of packet sockets: packet.c. */
#include "bpf_test.h"

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/un.h>

#define S(c, v) ((struct sock_filter)BPF_STMT(c, (unsigned)(v)))
#define LOAD_BYTE(at) S(BPF_LD | BPF_B | BPF_ABS, at)
#define LOAD_WORD(at) S(BPF_LD | BPF_W | BPF_ABS, at)
#define RETURN(n) S(BPF_RET | BPF_K, n)
#define RETURN_A S(BPF_RET | BPF_A, 0)
/* What has a program that ends here: all passes if A is this, else nothing. */
#define ONLY_IF(value)                                                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), 0, 1), RETURN(-1), RETURN(0)
/* X: bytes of a TCP header that is at 0. */
#define TCP_HEADER_TO_X                                                                            \
	LOAD_BYTE(12), S(BPF_ALU | BPF_RSH | BPF_K, 4), S(BPF_ALU | BPF_LSH | BPF_K, 2),           \
		S(BPF_MISC | BPF_TAX, 0)

#define ATTACH(fd, ...)                                                                            \
	({                                                                                         \
		struct sock_filter program_[] = { __VA_ARGS__ };                                   \
		struct sock_fprog filter_ = { sizeof(program_) / sizeof(program_[0]), program_ };  \
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter_, sizeof(filter_));           \
	})

/* Drops segments whose text begins with 'n'. */
#define NO_TEXT_WITH_N                                                                             \
	TCP_HEADER_TO_X, S(BPF_LD | BPF_W | BPF_LEN, 0),                                           \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 3, 0), S(BPF_LD | BPF_B | BPF_IND, 0),      \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'n', 0, 1), RETURN(0), RETURN(-1)

static int detach(int fd)
{
	int ignored = 0;

	return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof(ignored));
}

/* How many instructions the filter has; -1 and errno. */
static int filter_length(int fd)
{
	socklen_t length = 0;

	return getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &length) ? -1 : (int)length;
}

/* --- TCP --- */

TEST(filter_of_a_connection_delays_what_it_drops)
{
	char buf[16] = {};
	int client, server;

	loopback_up();
	connected(&client, &server);
	EXPECT_EQ(ATTACH(server, NO_TEXT_WITH_N), 0);
	EXPECT_EQ(send(client, "yes", 3, 0), 3);
	EXPECT(ready(server, POLLIN, 10000));
	EXPECT_EQ(recv(server, buf, sizeof(buf), 0), 3);
	EXPECT_EQ(send(client, "no", 2, 0), 2);
	EXPECT_EQ(ready(server, POLLIN, 500), 0);
	EXPECT_EQ(detach(server), 0);
	/* The peer sends it again until it arrives. */
	EXPECT(ready(server, POLLIN, 60000));
	EXPECT_EQ(recv(server, buf, sizeof(buf), 0), 2);
	EXPECT_EQ(memcmp(buf, "no", 2), 0);
	close(client);
	close(server);
}

TEST(filter_of_a_connection_cuts_segments)
{
	char buf[16] = {};
	int client, server;

	loopback_up();
	connected(&client, &server);
	EXPECT_EQ(ATTACH(server, TCP_HEADER_TO_X, S(BPF_MISC | BPF_TXA, 0),
			 S(BPF_ALU | BPF_ADD | BPF_K, 3), RETURN_A),
		  0);
	EXPECT_EQ(send(client, "abcdef", 6, 0), 6);
	EXPECT_EQ(recv(server, buf, sizeof(buf), 0), 3);
	EXPECT_EQ(recv(server, buf + 3, sizeof(buf) - 3, 0), 3);
	EXPECT_EQ(memcmp(buf, "abcdef", 6), 0);
	/* Less than a header is a header. */
	EXPECT_EQ(ATTACH(server, RETURN(1)), 0);
	EXPECT_EQ(shutdown(client, SHUT_WR), 0);
	EXPECT_EQ(recv(server, buf, sizeof(buf), 0), 0);
	close(client);
	close(server);
}

static int connecting(int listener)
{
	struct sockaddr_in address = loopback_address(port_of(listener));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		EXPECT_EQ(errno, EINPROGRESS);
	return fd;
}

TEST(filter_of_a_listener_sees_its_segments)
{
	int listener, client;

	loopback_up();
	listener = bound(SOCK_STREAM);
	/* Its SYN: flags are at 13. */
	EXPECT_EQ(ATTACH(listener, LOAD_BYTE(13), S(BPF_ALU | BPF_AND | BPF_K, 2), ONLY_IF(0)), 0);
	client = connecting(listener);
	EXPECT_EQ(ready(client, POLLOUT, 300), 0);
	EXPECT_EQ(detach(listener), 0);
	EXPECT(ready(client, POLLOUT, 60000) & POLLOUT);
	close(client);
	close(listener);
}

TEST(filter_is_inherited_by_connections)
{
	int listener, client, server, on = 1;
	char buf[16];

	loopback_up();
	listener = bound(SOCK_STREAM);
	EXPECT_EQ(ATTACH(listener, NO_TEXT_WITH_N), 0);
	EXPECT_EQ(setsockopt(listener, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)), 0);
	client = connecting(listener);
	EXPECT(ready(client, POLLOUT, 10000));
	EXPECT_EQ(send(client, "no", 2, 0), 2);
	EXPECT(ready(listener, POLLIN, 10000));
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(filter_length(server), 10);
	EXPECT_EQ(ready(server, POLLIN, 300), 0);
	EXPECT_ERRNO(recv(server, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	EXPECT_ERRNO(detach(server), EPERM);
	close(client);
	close(server);
	close(listener);
}

TEST(filter_of_a_connection_is_its_own)
{
	int listener, client, server;
	char buf[16];

	loopback_up();
	listener = bound(SOCK_STREAM);
	EXPECT_EQ(ATTACH(listener, NO_TEXT_WITH_N), 0);
	client = connecting(listener);
	EXPECT(ready(listener, POLLIN, 10000));
	EXPECT_EQ(detach(listener), 0);
	EXPECT_ERRNO(detach(listener), ENOENT);
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(filter_length(server), 10);
	EXPECT_EQ(detach(server), 0);
	EXPECT(ready(client, POLLOUT, 10000));
	EXPECT_EQ(send(client, "no", 2, 0), 2);
	EXPECT_EQ(recv(server, buf, sizeof(buf), 0), 2);
	close(client);
	/* And one that was attached while the connection waited is not its. */
	client = connecting(listener);
	EXPECT(ready(listener, POLLIN, 10000));
	EXPECT_EQ(ATTACH(listener, RETURN(0)), 0);
	close(server);
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(filter_length(server), 0);
	close(client);
	close(server);
	close(listener);
}

/* --- UDP: what is in front of the datagram, and besides it --- */

/* Does a program that loads so come to this value for a datagram "x" to `fd`? It is waited for no longer than this. */
static bool passes(int fd, struct sock_filter first, struct sock_filter second, unsigned value,
		   int wait_ms)
{
	struct sockaddr_in to = loopback_address(port_of(fd));
	char buf[4];

	EXPECT_EQ(ATTACH(fd, first, second, ONLY_IF(value)), 0);
	EXPECT_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	return ready(fd, POLLIN, wait_ms) && recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 1;
}
static bool comes_to(int fd, struct sock_filter first, struct sock_filter second, unsigned value)
{
	return passes(fd, first, second, value, 10000);
}
#define NOTHING S(BPF_LDX | BPF_IMM, 12)

TEST(filter_sees_headers_in_front)
{
	int fd;

	loopback_up();
	fd = bound(SOCK_DGRAM);
	EXPECT(comes_to(fd, NOTHING, S(BPF_LD | BPF_H | BPF_ABS, 4), 9)); /* UDP: the length */
	EXPECT(comes_to(fd, NOTHING, LOAD_WORD(SKF_NET_OFF + 12), INADDR_LOOPBACK));
	EXPECT(comes_to(fd, NOTHING, LOAD_BYTE(SKF_NET_OFF + 9), IPPROTO_UDP));
	EXPECT(comes_to(fd, NOTHING, LOAD_BYTE(SKF_NET_OFF + 28), 'x'));
	EXPECT(!passes(fd, NOTHING, LOAD_BYTE(SKF_NET_OFF + 29), 0, 300));
	EXPECT(comes_to(fd, NOTHING, S(BPF_LD | BPF_H | BPF_ABS, SKF_LL_OFF + 12), 0x0800));
	EXPECT(comes_to(fd, NOTHING, LOAD_BYTE(SKF_LL_OFF + 14), 0x45));
	EXPECT(comes_to(fd, NOTHING, S(BPF_LD | BPF_W | BPF_IND, SKF_NET_OFF), INADDR_LOOPBACK));
	EXPECT(comes_to(fd, NOTHING, S(BPF_LD | BPF_W | BPF_LEN, 0), 9));
	close(fd);
}

TEST(filter_knows_more_than_bytes)
{
	int fd;

	loopback_up();
	fd = bound(SOCK_DGRAM);
	EXPECT(comes_to(fd, NOTHING, LOAD_WORD(SKF_AD_OFF + SKF_AD_PROTOCOL), 0x0800));
	EXPECT(comes_to(fd, NOTHING, LOAD_BYTE(SKF_AD_OFF + SKF_AD_PKTTYPE), 0));
	EXPECT(comes_to(fd, NOTHING, LOAD_WORD(SKF_AD_OFF + SKF_AD_IFINDEX), 1));
	EXPECT(comes_to(fd, NOTHING, LOAD_WORD(SKF_AD_OFF + SKF_AD_HATYPE), 772));
	EXPECT(comes_to(fd, NOTHING, LOAD_WORD(SKF_AD_OFF + SKF_AD_MARK), 0));
	EXPECT(comes_to(fd, NOTHING, LOAD_WORD(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT), 0));
	EXPECT(comes_to(fd, NOTHING, LOAD_WORD(SKF_AD_OFF + SKF_AD_PAY_OFFSET), 8));
	EXPECT(comes_to(fd, NOTHING, LOAD_WORD(SKF_AD_OFF + SKF_AD_ALU_XOR_X), 12));
	/* There is none of these. */
	EXPECT_ERRNO(ATTACH(fd, LOAD_WORD(SKF_AD_OFF + SKF_AD_MAX), RETURN_A), EINVAL);
	EXPECT_ERRNO(ATTACH(fd, LOAD_WORD(SKF_AD_OFF + 1), RETURN_A), EINVAL);
	EXPECT_ERRNO(ATTACH(fd, LOAD_WORD(-1), RETURN_A), EINVAL);
	close(fd);
}

TEST(filter_can_be_read)
{
	struct sock_filter program[8] = {};
	socklen_t length = 8;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), extended;

	EXPECT_EQ(filter_length(fd), 0);
	EXPECT_EQ(ATTACH(fd, LOAD_BYTE(7), RETURN_A), 0);
	EXPECT_EQ(filter_length(fd), 2);
	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, program, &length), 0);
	EXPECT_EQ(length, 2);
	EXPECT_EQ(program[0].code, BPF_LD | BPF_B | BPF_ABS);
	EXPECT_EQ(program[0].k, 7);
	EXPECT_EQ(program[1].code, BPF_RET | BPF_A);
	length = 1;
	EXPECT_ERRNO(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, program, &length), EINVAL);
	length = 2;
	EXPECT_ERRNO(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &length), EFAULT);
	extended = PROGRAM(MOV(0, -1), EXIT);
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &extended, sizeof(extended)), 0);
	EXPECT_ERRNO(filter_length(fd), EACCES);
	close(extended);
	close(fd);
}

/* --- AF_UNIX --- */

static void pair(int type, int fds[2])
{
	REQUIRE(socketpair(AF_UNIX, type, 0, fds) == 0);
}

static void filters_messages(int type)
{
	char buf[16] = {};
	int fds[2];

	pair(type, fds);
	EXPECT_EQ(ATTACH(fds[1], LOAD_BYTE(0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'n', 0, 1),
			 RETURN(0), RETURN(4)),
		  0);
	EXPECT_EQ(filter_length(fds[1]), 4);
	/* The sender is told nothing, however many there are. */
	for (int i = 0; i < 1000; i++)
		EXPECT_EQ(send(fds[0], "no", 2, MSG_DONTWAIT), 2);
	EXPECT_EQ(send(fds[0], "yes, and more", 13, 0), 13);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), MSG_TRUNC), 4);
	EXPECT_EQ(memcmp(buf, "yes,", 5), 0);
	EXPECT_ERRNO(recv(fds[1], buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	/* Only what is received is filtered. */
	EXPECT_EQ(send(fds[1], "no", 2, 0), 2);
	EXPECT_EQ(recv(fds[0], buf, sizeof(buf), 0), 2);
	EXPECT_EQ(detach(fds[1]), 0);
	EXPECT_EQ(send(fds[0], "no", 2, 0), 2);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), 0), 2);
	close(fds[0]);
	close(fds[1]);
}

TEST(filter_of_unix_datagrams)
{
	filters_messages(SOCK_DGRAM);
}

TEST(filter_of_unix_packets)
{
	filters_messages(SOCK_SEQPACKET);
}

TEST(filter_of_a_unix_stream_is_not_run)
{
	char buf[16];
	int fds[2];

	pair(SOCK_STREAM, fds);
	EXPECT_EQ(ATTACH(fds[1], RETURN(0)), 0);
	EXPECT_EQ(filter_length(fds[1]), 1);
	EXPECT_EQ(send(fds[0], "text", 4, 0), 4);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), MSG_DONTWAIT), 4);
	EXPECT_EQ(detach(fds[1]), 0);
	close(fds[0]);
	close(fds[1]);
}

TEST(filter_passes_an_empty_message)
{
	char buf[4];
	int fds[2];

	pair(SOCK_DGRAM, fds);
	EXPECT_EQ(ATTACH(fds[1], RETURN(100)), 0);
	EXPECT_EQ(send(fds[0], "", 0, 0), 0);
	EXPECT(ready(fds[1], POLLIN, 0));
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), 0), 0);
	close(fds[0]);
	close(fds[1]);
}

/* Does a program that loads so come to this value for "abcdefgh"? */
static bool message_comes_to(struct sock_filter load, unsigned value)
{
	char buf[16];
	bool passed;
	int fds[2];

	pair(SOCK_DGRAM, fds);
	EXPECT_EQ(ATTACH(fds[1], NOTHING, load, ONLY_IF(value)), 0);
	EXPECT_EQ(send(fds[0], "abcdefgh", 8, 0), 8);
	passed = recv(fds[1], buf, sizeof(buf), MSG_DONTWAIT) == 8;
	close(fds[0]);
	close(fds[1]);
	return passed;
}

TEST(filter_of_a_message_knows_only_the_message)
{
	EXPECT(message_comes_to(LOAD_WORD(4), 0x65666768));
	EXPECT(!message_comes_to(LOAD_WORD(5), 0));
	EXPECT(message_comes_to(S(BPF_LD | BPF_W | BPF_LEN, 0), 8));
	EXPECT(message_comes_to(LOAD_BYTE(SKF_NET_OFF + 2), 'c'));
	EXPECT(!message_comes_to(LOAD_BYTE(SKF_LL_OFF), 'a'));
	EXPECT(message_comes_to(LOAD_WORD(SKF_AD_OFF + SKF_AD_PROTOCOL), 0));
	EXPECT(message_comes_to(LOAD_WORD(SKF_AD_OFF + SKF_AD_PKTTYPE), 0));
	EXPECT(message_comes_to(LOAD_WORD(SKF_AD_OFF + SKF_AD_MARK), 0));
	/* No device: the program ends. */
	EXPECT(!message_comes_to(LOAD_WORD(SKF_AD_OFF + SKF_AD_IFINDEX), 0));
	EXPECT(!message_comes_to(LOAD_WORD(SKF_AD_OFF + SKF_AD_HATYPE), 0));
}

TEST(filter_drops_handles_with_the_message)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	char text[] = "no";
	struct iovec vector = { text, 2 };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fds[2], ends[2];

	pair(SOCK_DGRAM, fds);
	REQUIRE(pipe(ends) == 0);
	EXPECT_EQ(ATTACH(fds[1], RETURN(0)), 0);
	memcpy(CMSG_DATA(&control.header), &ends[1], sizeof(int));
	EXPECT_EQ(sendmsg(fds[0], &message, 0), 2);
	close(ends[1]);
	EXPECT_EQ(read(ends[0], text, 1), 0);
	close(ends[0]);
	close(fds[0]);
	close(fds[1]);
}

TEST(filter_of_bpf_sees_a_message)
{
	int fds[2],
		program = PROGRAM(MOVX(6, 1), LOAD(BPF_W, 7, 1, offsetof(struct __sk_buff, len)),
				  PACKET(BPF_B, 1), MOVX(8, 0), MOV(0, 0), JUMP(BPF_JNE, 7, 3, 2),
				  JUMP(BPF_JNE, 8, 'b', 1), MOV(0, 2), EXIT);
	char buf[16];

	REQUIRE(program >= 0);
	pair(SOCK_SEQPACKET, fds);
	EXPECT_EQ(setsockopt(fds[1], SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)), 0);
	EXPECT_EQ(send(fds[0], "abcd", 4, 0), 4);
	EXPECT_EQ(send(fds[0], "acd", 3, 0), 3);
	EXPECT_EQ(send(fds[0], "abc", 3, 0), 3);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), MSG_TRUNC), 2);
	EXPECT_ERRNO(recv(fds[1], buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	close(program);
	close(fds[0]);
	close(fds[1]);
}

/* --- AF_NETLINK --- */

static int netlink_to(int protocol, unsigned groups, struct sockaddr_nl *name)
{
	socklen_t length = sizeof(*name);
	int fd = socket(AF_NETLINK, SOCK_RAW, protocol);

	*name = (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_groups = groups };
	REQUIRE(fd >= 0);
	REQUIRE(bind(fd, (struct sockaddr *)name, sizeof(*name)) == 0);
	REQUIRE(getsockname(fd, (struct sockaddr *)name, &length) == 0);
	return fd;
}

/* As systemd-udevd sends to those who listen to it. */
TEST(filter_of_netlink_between_programs)
{
	struct sockaddr_nl name, group = { .nl_family = AF_NETLINK, .nl_groups = 2 };
	int from = netlink_to(NETLINK_KOBJECT_UEVENT, 0, &name);
	int to = netlink_to(NETLINK_KOBJECT_UEVENT, 2, &name);
	struct sockaddr_nl one = name;
	char buf[64];

	one.nl_groups = 0;
	EXPECT_EQ(ATTACH(to, LOAD_BYTE(0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'n', 0, 1),
			 RETURN(0), RETURN(5)),
		  0);
	EXPECT_EQ(sendto(from, "no group", 8, 0, (struct sockaddr *)&group, sizeof(group)), 8);
	EXPECT_EQ(sendto(from, "no one", 6, 0, (struct sockaddr *)&one, sizeof(one)), 6);
	EXPECT_EQ(sendto(from, "group", 5, 0, (struct sockaddr *)&group, sizeof(group)), 5);
	/* Linux says 5: what the receiver has left of it. */
	EXPECT(sendto(from, "one more", 8, 0, (struct sockaddr *)&one, sizeof(one)) >= 5);
	EXPECT_EQ(recv(to, buf, sizeof(buf), MSG_TRUNC), 5);
	EXPECT_EQ(memcmp(buf, "group", 5), 0);
	EXPECT_EQ(recv(to, buf, sizeof(buf), MSG_TRUNC), 5);
	EXPECT_EQ(memcmp(buf, "one m", 5), 0);
	EXPECT_ERRNO(recv(to, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	close(from);
	close(to);
}

/* Asks for the loopback device; bytes of the answer, or -1. */
static ssize_t ask_for_loopback(int fd, char *answer, size_t size)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = { { sizeof(request), RTM_GETLINK, NLM_F_REQUEST, 7, 0 }, { .ifi_index = 1 } };

	EXPECT_EQ(send(fd, &request, sizeof(request), 0), (long)sizeof(request));
	return recv(fd, answer, size, MSG_DONTWAIT | MSG_TRUNC);
}

/* The place of an attribute in the answer, from `at` on. */
static long place_of(const char *answer, size_t at, size_t end, int type)
{
	while (at + sizeof(struct rtattr) <= end) {
		const struct rtattr *a = (const struct rtattr *)(answer + at);

		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return (long)at;
		at += RTA_ALIGN(a->rta_len);
	}
	return 0;
}

#define ATTRIBUTES NLMSG_LENGTH(sizeof(struct ifinfomsg))
#define FIND(what, type) S(BPF_LDX | BPF_IMM, type), LOAD_WORD(SKF_AD_OFF + (what))

TEST(filter_of_netlink_finds_attributes)
{
	struct sockaddr_nl name;
	int fd = netlink_to(NETLINK_ROUTE, 0, &name);
	static char answer[16384], cut[16384];
	long length = ask_for_loopback(fd, answer, sizeof(answer)), nest;

	REQUIRE(length > (long)ATTRIBUTES);
	EXPECT_EQ(ATTACH(fd, S(BPF_LD | BPF_IMM, ATTRIBUTES), FIND(SKF_AD_NLATTR, IFLA_QDISC),
			 RETURN_A),
		  0);
	EXPECT_EQ(ask_for_loopback(fd, cut, sizeof(cut)),
		  place_of(answer, ATTRIBUTES, (size_t)length, IFLA_QDISC));
	/* From a later place the first one is not seen: nothing is left. */
	EXPECT_EQ(ATTACH(fd, S(BPF_LD | BPF_IMM, ATTRIBUTES + 8), FIND(SKF_AD_NLATTR, IFLA_IFNAME),
			 RETURN_A),
		  0);
	EXPECT_ERRNO(ask_for_loopback(fd, cut, sizeof(cut)), EAGAIN);
	EXPECT_EQ(ATTACH(fd, S(BPF_LD | BPF_IMM, ATTRIBUTES), FIND(SKF_AD_NLATTR, IFLA_AF_SPEC),
			 FIND(SKF_AD_NLATTR_NEST, AF_INET6), RETURN_A),
		  0);
	nest = place_of(answer, ATTRIBUTES, (size_t)length, IFLA_AF_SPEC);
	EXPECT_EQ(ask_for_loopback(fd, cut, sizeof(cut)),
		  place_of(answer, (size_t)nest + RTA_LENGTH(0), (size_t)length, AF_INET6));
	/* Beyond the end there is none. */
	EXPECT_EQ(ATTACH(fd, S(BPF_LD | BPF_IMM, 100000), FIND(SKF_AD_NLATTR, 1), RETURN_A), 0);
	EXPECT_ERRNO(ask_for_loopback(fd, cut, sizeof(cut)), EAGAIN);
	close(fd);
}
