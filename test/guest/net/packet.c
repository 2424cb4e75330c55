/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AF_PACKET sockets and socket filters: packet(7), socket(7). */
#include "net_test.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int open_packet(int type, int protocol, int index)
{
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_protocol = htons((uint16_t)protocol),
				    .sll_ifindex = index };
	int fd = socket(AF_PACKET, type, 0);

	EXPECT(fd >= 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static void send_datagram(int port, const char *text)
{
	struct sockaddr_in to = { AF_INET, htons((uint16_t)port), { htonl(INADDR_LOOPBACK) }, {} };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	EXPECT_EQ(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)),
		  (long)strlen(text));
	close(fd);
}

/* The next incoming packet to a UDP port, or -1. */
static int receive_datagram(int fd, int port, char *buf, int size, int header,
			    struct sockaddr_ll *from)
{
	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		socklen_t length = sizeof(*from);
		struct iphdr *ip = (struct iphdr *)(buf + header);
		struct udphdr *udp = (struct udphdr *)(ip + 1);
		int n;

		if (poll(&ready, 1, 300) != 1)
			return -1;
		n = (int)recvfrom(fd, buf, (size_t)size, 0, (struct sockaddr *)from, &length);
		if (n < 0 || from->sll_pkttype == PACKET_OUTGOING)
			continue;
		if (ip->protocol == IPPROTO_UDP && udp->dest == htons((uint16_t)port))
			return n;
	}
}

TEST(packet_sees_what_arrives)
{
	struct sockaddr_ll from = {};
	int raw, cooked;
	char buf[2000];

	loopback_up();
	raw = open_packet(SOCK_RAW, ETH_P_IP, 1);
	cooked = open_packet(SOCK_DGRAM, ETH_P_ALL, 0);
	send_datagram(5555, "some text");
	EXPECT_EQ(receive_datagram(raw, 5555, buf, sizeof(buf), 14, &from), 14 + 20 + 8 + 9);
	EXPECT_EQ(memcmp(buf + 42, "some text", 9), 0);
	EXPECT_EQ(from.sll_ifindex, 1);
	EXPECT_EQ(ntohs(from.sll_protocol), ETH_P_IP);
	EXPECT_EQ(from.sll_pkttype, PACKET_HOST);
	EXPECT_EQ(from.sll_hatype, 772);
	EXPECT_EQ(receive_datagram(cooked, 5555, buf, sizeof(buf), 0, &from), 20 + 8 + 9);
}

TEST(packet_sends)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(0x88b5),
				  .sll_ifindex = 1,
				  .sll_halen = 6 };
	int from = socket(AF_PACKET, SOCK_DGRAM, 0), at;
	char buf[128], frame[60] = { [12] = (char)0x88, [13] = (char)0xb5, [14] = 'r' };

	loopback_up();
	at = open_packet(SOCK_RAW, 0x88b5, 1);
	EXPECT_EQ(sendto(from, "payload", 7, 0, (struct sockaddr *)&to, sizeof(to)), 7);
	EXPECT_EQ(recv(at, buf, sizeof(buf), 0), 21);
	EXPECT_EQ(memcmp(buf + 14, "payload", 7), 0);
	EXPECT_EQ(send(at, frame, sizeof(frame), 0), (long)sizeof(frame));
	EXPECT_EQ(recv(at, buf, 15, MSG_TRUNC), (long)sizeof(frame));
	EXPECT_EQ(buf[14], 'r');
	EXPECT_ERRNO(send(at, frame, 5, 0), EINVAL);
	EXPECT_ERRNO(recv(at, buf, 1, MSG_DONTWAIT), EAGAIN);
	to.sll_ifindex = 9999;
	EXPECT_ERRNO(sendto(from, "payload", 7, 0, (struct sockaddr *)&to, sizeof(to)), ENXIO);
	EXPECT_ERRNO(bind(from, (struct sockaddr *)&to, sizeof(to)), ENODEV);
}

TEST(packet_filter)
{
	/* UDP to port 7777 only, of IP without options. */
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 22),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7777, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 28),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { 4, program };
	struct sockaddr_ll from = {};
	int fd, on = 1, status;
	char buf[2000];

	loopback_up();
	fd = open_packet(SOCK_DGRAM, ETH_P_IP, 1);
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), 0);
	send_datagram(5555, "dropped");
	send_datagram(7777, "passed");
	EXPECT_EQ(receive_datagram(fd, 7777, buf, sizeof(buf), 0, &from), 28);
	EXPECT_ERRNO(recv(fd, buf, 1, MSG_DONTWAIT), EAGAIN);
	filter.len = 0;
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), EINVAL);
	filter.len = 3;
	program[1].jt = 200;
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), EINVAL);
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)), 0);
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)), EPERM);
	if (fork() == 0) {
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(socket(AF_PACKET, SOCK_RAW, 0), EPERM);
		_exit(test_has_failed());
	}
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
}
