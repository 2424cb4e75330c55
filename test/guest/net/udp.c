/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP and ICMP over loopback: udp(7), ip(7), recv(2). */
#include "net_test.h"

#include <linux/filter.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

TEST(datagrams_keep_their_borders)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_address(port_of(b)), from;
	socklen_t length = sizeof(from);
	char buf[16];

	EXPECT_EQ(sendto(a, "one", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
	EXPECT_EQ(sendto(a, "", 0, 0, (struct sockaddr *)&to, sizeof(to)), 0);
	EXPECT_EQ(sendto(a, "three", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	EXPECT_EQ(recvfrom(b, buf, sizeof(buf), 0, (struct sockaddr *)&from, &length), 3);
	EXPECT_EQ(ntohs(from.sin_port), port_of(a));
	EXPECT_EQ(recv(b, buf, sizeof(buf), 0), 0);
	EXPECT_EQ(recv(b, buf, 2, MSG_TRUNC), 5);
	EXPECT_ERRNO(recv(b, buf, 2, MSG_DONTWAIT), EAGAIN);
}

TEST(nobody_there_is_told_to_a_connected_socket)
{
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = (loopback_up(), bound(SOCK_DGRAM));
	struct sockaddr_in to = loopback_address(port_of(b));
	char c;

	close(b);
	REQUIRE(connect(a, (struct sockaddr *)&to, sizeof(to)) == 0);
	EXPECT_EQ(send(a, "x", 1, 0), 1);
	EXPECT_ERRNO(recv(a, &c, 1, 0), ECONNREFUSED);
}

TEST(large_datagrams_in_one_piece)
{
	static char out[65507], in[65536];
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_address(port_of(b));

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 251);
	EXPECT_EQ(sendto(a, out, sizeof(out), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(out));
	EXPECT_EQ(recv(b, in, sizeof(in), 0), sizeof(out));
	EXPECT(memcmp(in, out, sizeof(out)) == 0);
	EXPECT_ERRNO(sendto(a, in, sizeof(in), 0, (struct sockaddr *)&to, sizeof(to)), EMSGSIZE);
}

TEST(a_connected_socket_hears_only_its_peer)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM), c = bound(SOCK_DGRAM);
	struct sockaddr_in to_a = loopback_address(port_of(a)), to_b = loopback_address(port_of(b));
	char buf[8];

	REQUIRE(connect(a, (struct sockaddr *)&to_b, sizeof(to_b)) == 0);
	EXPECT_EQ(sendto(c, "no", 2, 0, (struct sockaddr *)&to_a, sizeof(to_a)), 2);
	EXPECT_EQ(sendto(b, "yes", 3, 0, (struct sockaddr *)&to_a, sizeof(to_a)), 3);
	EXPECT_EQ(recv(a, buf, sizeof(buf), 0), 3);
	EXPECT_ERRNO(recv(a, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	EXPECT_ERRNO(send(c, "x", 1, 0), EDESTADDRREQ);
}

TEST(packet_info_tells_the_destination)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	struct sockaddr_in any = { .sin_family = AF_INET }, to;
	char buf[16], control[128];
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	bool info = false, ttl = false;

	REQUIRE(bind(b, (struct sockaddr *)&any, sizeof(any)) == 0);
	REQUIRE(setsockopt(b, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) == 0);
	REQUIRE(setsockopt(b, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one)) == 0);
	to = loopback_address(port_of(b));
	REQUIRE(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1);
	REQUIRE(recvmsg(b, &m, 0) == 1);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *p = (struct in_pktinfo *)CMSG_DATA(c);

			info = p->ipi_addr.s_addr == htonl(INADDR_LOOPBACK) && p->ipi_ifindex == 1;
		}
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
			ttl = *(int *)CMSG_DATA(c) == 64;
	}
	EXPECT(info);
	EXPECT(ttl);
}

TEST(cork_makes_one_datagram)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_address(port_of(b));
	char buf[16];

	REQUIRE(connect(a, (struct sockaddr *)&to, sizeof(to)) == 0);
	EXPECT_EQ(send(a, "ab", 2, MSG_MORE), 2);
	EXPECT_ERRNO(recv(b, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	EXPECT_EQ(send(a, "cd", 2, 0), 2);
	EXPECT_EQ(recv(b, buf, sizeof(buf), 0), 4);
	EXPECT(memcmp(buf, "abcd", 4) == 0);
}

TEST(multicast_over_loopback)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in any = { .sin_family = AF_INET }, to;
	struct ip_mreqn group = { .imr_multiaddr.s_addr = inet_addr("239.1.2.3"),
				  .imr_ifindex = 1 };
	char buf[8];

	REQUIRE(bind(b, (struct sockaddr *)&any, sizeof(any)) == 0);
	EXPECT_EQ(setsockopt(b, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	EXPECT_ERRNO(setsockopt(b, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)),
		     EADDRINUSE);
	EXPECT_EQ(setsockopt(a, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group)), 0);
	to = (struct sockaddr_in){ .sin_family = AF_INET,
				   .sin_port = htons(port_of(b)),
				   .sin_addr = group.imr_multiaddr };
	EXPECT_EQ(sendto(a, "all", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
	EXPECT(ready(b, POLLIN, 500) & POLLIN);
	EXPECT_EQ(recv(b, buf, sizeof(buf), MSG_DONTWAIT), 3);
	EXPECT_EQ(setsockopt(b, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)), 0);
}

/* Sends an echo request to an address, or to where the socket is connected if there is none; 127.0.0.1 replies. */
static void expect_reply(int fd, const struct sockaddr_in *to)
{
	struct icmphdr echo = { .type = ICMP_ECHO, .un.echo = { htons(77), htons(1) } };
	unsigned char buf[128];
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof(echo) / 2; i++)
		sum += ((unsigned short *)&echo)[i];
	sum = (sum & 0xffff) + (sum >> 16);
	echo.checksum = (unsigned short)~sum;
	REQUIRE(sendto(fd, &echo, sizeof(echo), 0, (struct sockaddr *)to, to ? sizeof(*to) : 0) ==
		sizeof(echo));
	for (int i = 0; i < 3; i++) {
		struct icmphdr *reply = (struct icmphdr *)(buf + 20);
		struct sockaddr_in from;
		socklen_t length = sizeof(from);

		if (!EXPECT(ready(fd, POLLIN, 1000) & POLLIN))
			break;
		EXPECT_EQ(recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &length), 28);
		if (reply->type == ICMP_ECHOREPLY) {
			EXPECT_EQ(ntohs(reply->un.echo.id), 77);
			EXPECT_EQ(ntohl(from.sin_addr.s_addr), INADDR_LOOPBACK);
			return;
		}
	}
	EXPECT(!"no reply");
}

TEST(a_raw_socket_pings)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct sockaddr_in to = loopback_address(0);

	loopback_up();
	REQUIRE(fd >= 0);
	expect_reply(fd, &to);
}

TEST(a_raw_socket_takes_any_address_for_this_host)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct sockaddr_in any = { .sin_family = AF_INET };

	loopback_up();
	REQUIRE(fd >= 0);
	expect_reply(fd, &any);
	EXPECT_EQ(connect(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	expect_reply(fd, NULL);
}

TEST(families_and_types_are_checked)
{
	EXPECT_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	EXPECT_ERRNO(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	EXPECT_ERRNO(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
}

TEST(bad_addresses_are_refused)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(0x01020304) };

	loopback_up();
	EXPECT_ERRNO(bind(fd, (struct sockaddr *)&address, sizeof(address)), EADDRNOTAVAIL);
	EXPECT_ERRNO(bind(fd, (struct sockaddr *)&address, 8), EINVAL);
	address.sin_family = AF_INET6;
	EXPECT_ERRNO(bind(fd, (struct sockaddr *)&address, sizeof(address)), EAFNOSUPPORT);
	address.sin_family = AF_INET;
	address.sin_port = htons(9);
	EXPECT_ERRNO(connect(fd, (struct sockaddr *)&address, sizeof(address)), ENETUNREACH);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = 0;
	EXPECT_ERRNO(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)), EINVAL);
}

TEST(udp_filter_sees_the_header_and_cuts)
{
	/* Behind the header of 8 bytes: only data that begins with 'a', cut to 2 bytes. */
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'a', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 8 + 2),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { .len = 4, .filter = program };
	int receiver, sender, none = 0;
	struct sockaddr_in to;
	char data[16];

	loopback_up();
	receiver = bound(SOCK_DGRAM);
	to = loopback_address(port_of(receiver));
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	REQUIRE(setsockopt(receiver, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0);
	EXPECT_EQ(sendto(sender, "xyz", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
	EXPECT_EQ(sendto(sender, "abc", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
	EXPECT_EQ(recv(receiver, data, sizeof(data), 0), 2);
	EXPECT(memcmp(data, "ab", 2) == 0);
	EXPECT_EQ(ready(receiver, POLLIN, 0), 0);
	EXPECT_EQ(setsockopt(receiver, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)), 0);
	EXPECT_EQ(sendto(sender, "xyz", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
	EXPECT_EQ(recv(receiver, data, sizeof(data), 0), 3);
	close(sender);
	close(receiver);
}
