/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings and groups of AF_PACKET: packet(7), PACKET_RX_RING, PACKET_TX_RING, PACKET_FANOUT. */
#include "net_test.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define BLOCK 4096u
#define BLOCKS 4u
#define FRAME 2048u

/* Passes datagrams to one port only, outgoing ones not. */
static void listen_to_port(int fd, int port)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 3, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 14 + 22),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { 6, program };

	REQUIRE(!setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)));
}

static int open_packet(int protocol, int port)
{
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_protocol = htons((uint16_t)protocol),
				    .sll_ifindex = 1 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	REQUIRE(fd >= 0);
	if (port)
		listen_to_port(fd, port);
	if (protocol)
		REQUIRE(!bind(fd, (struct sockaddr *)&name, sizeof(name)));
	return fd;
}

static void *ring(int fd, int version, int option, unsigned timeout_ms)
{
	struct tpacket_req3 q = { .tp_block_size = BLOCK,
				  .tp_block_nr = BLOCKS,
				  .tp_frame_size = FRAME,
				  .tp_frame_nr = BLOCKS * (BLOCK / FRAME),
				  .tp_retire_blk_tov = timeout_ms,
				  .tp_sizeof_priv = option == PACKET_RX_RING ? 13 : 0 };
	void *at;

	REQUIRE(!setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)));
	REQUIRE(!setsockopt(fd, SOL_PACKET, option, &q,
			    version == TPACKET_V3 ? sizeof(q) : sizeof(struct tpacket_req)));
	at = mmap(NULL, BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(at != MAP_FAILED);
	return at;
}

static void send_datagrams(int port, unsigned count, size_t size)
{
	struct sockaddr_in to = loopback_address(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char text[5000];

	for (unsigned i = 0; i < count; i++) {
		text[0] = (char)('a' + i);
		EXPECT_EQ(sendto(fd, text, size, 0, (struct sockaddr *)&to, sizeof(to)),
			  (long)size);
	}
	close(fd);
}

static struct tpacket_stats_v3 statistics(int fd, size_t expected)
{
	struct tpacket_stats_v3 stats = {};
	socklen_t length = sizeof(stats);

	EXPECT_EQ(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length), 0);
	EXPECT_EQ(length, expected);
	return stats;
}

TEST(packet_ring_receives)
{
	for (int version = TPACKET_V1; version <= TPACKET_V2; version++) {
		int fd = (loopback_up(), open_packet(ETH_P_IP, 5101));
		char *at = ring(fd, version, PACKET_RX_RING, 0);
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		struct tpacket_stats_v3 stats;

		EXPECT_EQ(poll(&ready, 1, 0), 0);
		send_datagrams(5101, 11, 100);
		EXPECT_EQ(poll(&ready, 1, 0), 1);
		for (unsigned i = 0; i < 8; i++) {
			struct tpacket_hdr *one = (void *)(at + i * FRAME);
			struct tpacket2_hdr *two = (void *)(at + i * FRAME);
			unsigned length = version == TPACKET_V1 ? one->tp_len : two->tp_len;
			unsigned mac = version == TPACKET_V1 ? one->tp_mac : two->tp_mac;

			EXPECT_EQ((version == TPACKET_V1 ? one->tp_status : two->tp_status) & 1, 1);
			EXPECT_EQ(length, 14 + 28 + 100);
			EXPECT_EQ(at[i * FRAME + mac + 14 + 28], 'a' + (int)i);
			if (version == TPACKET_V1)
				one->tp_status = TP_STATUS_KERNEL;
			else
				two->tp_status = TP_STATUS_KERNEL;
		}
		stats = statistics(fd, sizeof(struct tpacket_stats));
		EXPECT_EQ(stats.tp_packets, 11);
		EXPECT_EQ(stats.tp_drops, 3);
		EXPECT_EQ(poll(&ready, 1, 0), 0);
		munmap(at, BLOCK * BLOCKS);
		close(fd);
	}
}

/* Blocks of many packets; the last one comes by its time-out. */
/* PACKET_COPY_THRESH: what a frame has no room for can be had in one piece. */
TEST(packet_ring_leaves_whole_packets_beside_it)
{
	for (int keeps = 0; keeps <= 1; keeps++) {
		int fd = (loopback_up(), open_packet(ETH_P_IP, 5107));
		struct tpacket2_hdr *first;
		char got[5000];

		EXPECT_EQ(setsockopt(fd, SOL_PACKET, PACKET_COPY_THRESH, &keeps, sizeof(keeps)), 0);
		first = ring(fd, TPACKET_V2, PACKET_RX_RING, 0);
		send_datagrams(5107, 1, 3000);
		send_datagrams(5107, 1, 100);
		EXPECT_EQ(first->tp_len, 14 + 28 + 3000);
		EXPECT_LT(first->tp_snaplen, FRAME);
		EXPECT_EQ(first->tp_status & TP_STATUS_COPY, keeps ? TP_STATUS_COPY : 0);
		if (keeps)
			EXPECT_EQ(recv(fd, got, sizeof(got), MSG_DONTWAIT), 14 + 28 + 3000);
		EXPECT_ERRNO(recv(fd, got, sizeof(got), MSG_DONTWAIT), EAGAIN);
		close(fd);
	}
}

TEST(packet_blocks_receive)
{
	int fd = (loopback_up(), open_packet(ETH_P_IP, 5102));
	char *at = ring(fd, TPACKET_V3, PACKET_RX_RING, 50);
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct tpacket_stats_v3 stats;
	unsigned seen = 0;

	send_datagrams(5102, 25, 200);
	for (unsigned i = 0; seen < 25; i++) {
		struct tpacket_block_desc *block = (void *)(at + i % BLOCKS * BLOCK);
		struct tpacket_hdr_v1 *h = &block->hdr.bh1;
		struct tpacket3_hdr *packet;

		while (!(__atomic_load_n(&h->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			REQUIRE(poll(&ready, 1, 10000) == 1);
		EXPECT_EQ(block->version, TPACKET_V3);
		EXPECT_EQ(block->offset_to_priv, sizeof(*block));
		EXPECT_EQ(h->offset_to_first_pkt, sizeof(*block) + 16);
		EXPECT_EQ(h->seq_num, i + 1);
		REQUIRE(h->num_pkts > 0);
		packet = (void *)((char *)block + h->offset_to_first_pkt);
		for (unsigned n = h->num_pkts; n; n--) {
			char *data = (char *)packet + packet->tp_mac;

			EXPECT_EQ(packet->tp_len, 14 + 28 + 200);
			EXPECT_EQ(packet->tp_snaplen, packet->tp_len);
			EXPECT_EQ(data[14 + 28], (char)('a' + seen++));
			EXPECT_EQ(packet->tp_next_offset != 0, n > 1);
			packet = (void *)((char *)packet + packet->tp_next_offset);
		}
		if (seen == 25)
			EXPECT(h->block_status & TP_STATUS_BLK_TMO);
		__atomic_store_n(&h->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	}
	stats = statistics(fd, sizeof(stats));
	EXPECT_EQ(stats.tp_packets, 25);
	EXPECT_EQ(stats.tp_drops, 0);
	EXPECT_EQ(stats.tp_freeze_q_cnt, 0);
}

/* Nobody gives blocks back: the queue freezes, and packets are lost. */
TEST(packet_blocks_freeze)
{
	int fd = (loopback_up(), open_packet(ETH_P_IP, 5103));
	char *at = ring(fd, TPACKET_V3, PACKET_RX_RING, 10000);
	struct tpacket_block_desc *block = (void *)at;
	struct tpacket_stats_v3 stats;

	send_datagrams(5103, 8, 1400); /* two to a block */
	send_datagrams(5103, 5, 1400);
	stats = statistics(fd, sizeof(stats));
	EXPECT_EQ(stats.tp_packets, 13);
	EXPECT_EQ(stats.tp_drops, 5);
	EXPECT_EQ(stats.tp_freeze_q_cnt, 1);
	EXPECT_EQ(block->hdr.bh1.num_pkts, 2);
	block->hdr.bh1.block_status = TP_STATUS_KERNEL;
	send_datagrams(5103, 2, 1400);
	stats = statistics(fd, sizeof(stats));
	EXPECT_EQ(stats.tp_packets, 2);
	EXPECT_EQ(stats.tp_drops, 0);
}

TEST(packet_ring_options_are_checked)
{
	struct tpacket_req3 q = { BLOCK, 2, FRAME, 4, 0, 4000, 0 };
	int fd = (loopback_up(), open_packet(0, 0)), version = TPACKET_V3, one = 1;
	void *at;

	EXPECT_EQ(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)), 0);
	EXPECT_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &q, sizeof(struct tpacket_req)),
		     EINVAL);
	EXPECT_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)), EINVAL);
	q.tp_sizeof_priv = 0;
	q.tp_retire_blk_tov = 10;
	EXPECT_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &q, sizeof(q)), EINVAL);
	EXPECT_EQ(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)), 0);
	EXPECT_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)), EBUSY);
	EXPECT_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_LOSS, &one, sizeof(one)), EBUSY);
	EXPECT_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)), EBUSY);
	q.tp_retire_blk_tov = 0;
	EXPECT_EQ(setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &q, sizeof(q)), 0);
	/* Both are mapped together. */
	EXPECT(mmap(NULL, 2 * BLOCK, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	at = mmap(NULL, 4 * BLOCK, PROT_READ, MAP_SHARED, fd, 0);
	EXPECT(at != MAP_FAILED);
	q.tp_block_nr = q.tp_frame_nr = 0;
	EXPECT_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &q, sizeof(q)), EBUSY);
	munmap(at, 4 * BLOCK);
	EXPECT_EQ(setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &q, sizeof(q)), 0);
	EXPECT_EQ(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)), 0);
}

/* A frame of an own kind with one byte of payload. */
static unsigned put_frame(char *frame, int version, char c)
{
	char *data = frame + (version == TPACKET_V3 ? 48 : 32);
	struct tpacket2_hdr *two = (void *)frame;
	struct tpacket3_hdr *three = (void *)frame;

	memset(data, 0, 60);
	data[12] = (char)0x88;
	data[13] = (char)0xb5;
	data[14] = c;
	if (version == TPACKET_V3) {
		three->tp_len = 60;
		three->tp_next_offset = 0;
		__atomic_store_n(&three->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	} else {
		two->tp_len = 60;
		__atomic_store_n(&two->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	}
	return 60;
}

TEST(packet_ring_sends)
{
	for (int version = TPACKET_V2; version <= TPACKET_V3; version++) {
		int fd = (loopback_up(), open_packet(0x88b6, 0)), at = open_packet(0x88b5, 0);
		char *frames = ring(fd, version, PACKET_TX_RING, 0), buf[100];
		struct tpacket2_hdr *second = (void *)(frames + FRAME);

		EXPECT_EQ(send(fd, NULL, 0, 0), 0); /* there is nothing */
		for (int i = 0; i < 5; i++)
			put_frame(frames + i * (int)FRAME, version, (char)('0' + i));
		EXPECT_EQ(send(fd, NULL, 0, 0), 5 * 60);
		for (int i = 0; i < 5; i++) {
			EXPECT_EQ(recv(at, buf, sizeof(buf), MSG_DONTWAIT), 60);
			EXPECT_EQ(buf[14], '0' + i);
		}
		EXPECT_ERRNO(recv(at, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
		if (version == TPACKET_V2)
			EXPECT_EQ(second->tp_status, TP_STATUS_AVAILABLE);
		close(at);
		close(fd);
	}
}

TEST(packet_ring_refuses_to_send_what_is_not_sound)
{
	int fd = (loopback_up(), open_packet(0x88b6, 0)), at = open_packet(0x88b5, 0);
	char *frames = ring(fd, TPACKET_V2, PACKET_TX_RING, 0), buf[100];
	struct tpacket2_hdr *first = (void *)frames;

	put_frame(frames, TPACKET_V2, 'x');
	first->tp_len = 5000; /* longer than the frame */
	EXPECT_ERRNO(send(fd, NULL, 0, 0), EMSGSIZE);
	EXPECT_EQ(first->tp_status, TP_STATUS_WRONG_FORMAT);
	EXPECT_EQ(send(fd, NULL, 0, 0), 0);
	put_frame(frames, TPACKET_V2, 'y');
	EXPECT_EQ(send(fd, NULL, 0, 0), 60);
	EXPECT_EQ(recv(at, buf, sizeof(buf), MSG_DONTWAIT), 60);
	EXPECT_EQ(buf[14], 'y');
}

/* --- Groups --- */

static int fanout(int fd, int id, int type_flags)
{
	int value = id | type_flags << 16;

	return setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof(value));
}

static int queued(int fd)
{
	char buf[2000];
	int n = 0;

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

TEST(packet_fanout_shares)
{
	static const int types[] = { PACKET_FANOUT_LB, PACKET_FANOUT_HASH, PACKET_FANOUT_CPU,
				     PACKET_FANOUT_RND, PACKET_FANOUT_QM };
	struct sockaddr_in name = loopback_address(5104);
	int sink = socket(AF_INET, SOCK_DGRAM, 0);

	loopback_up();
	/* Else each datagram is answered by an error, which is shared too. */
	REQUIRE(!bind(sink, (struct sockaddr *)&name, sizeof(name)));
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int a = open_packet(ETH_P_IP, 5104), b = open_packet(ETH_P_IP, 5104), value = 0;
		socklen_t length = sizeof(value);
		int got_a, got_b;

		EXPECT_EQ(fanout(a, 77, types[i]), 0);
		EXPECT_EQ(fanout(b, 77, types[i]), 0);
		EXPECT_EQ(getsockopt(a, SOL_PACKET, PACKET_FANOUT, &value, &length), 0);
		EXPECT_EQ(value, 77 | types[i] << 16);
		send_datagrams(5104, 20, 100);
		got_a = queued(a);
		got_b = queued(b);
		EXPECT_EQ(got_a + got_b, 20);
		if (types[i] == PACKET_FANOUT_LB)
			EXPECT_EQ(got_a, 10);
		if (types[i] == PACKET_FANOUT_HASH) /* one flow */
			EXPECT(!got_a || !got_b);
		close(a);
		send_datagrams(5104, 3, 100);
		EXPECT_EQ(queued(b), 3);
		close(b);
	}
}

TEST(packet_fanout_is_checked)
{
	int a = (loopback_up(), open_packet(ETH_P_IP, 0)), b = open_packet(ETH_P_IP, 0), value = 0;
	int unbound = open_packet(0, 0), other = open_packet(ETH_P_ARP, 0);
	struct sockaddr_ll name = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
	socklen_t length = sizeof(value);

	EXPECT_ERRNO(fanout(unbound, 5, PACKET_FANOUT_HASH), EINVAL);
	EXPECT_ERRNO(fanout(a, 5, PACKET_FANOUT_ROLLOVER | PACKET_FANOUT_FLAG_ROLLOVER), EINVAL);
	EXPECT_ERRNO(fanout(a, 5, 99), EINVAL);
	EXPECT_EQ(fanout(a, 5, PACKET_FANOUT_HASH), 0);
	EXPECT_ERRNO(fanout(a, 5, PACKET_FANOUT_HASH), EALREADY);
	EXPECT_ERRNO(fanout(b, 5, PACKET_FANOUT_CPU), EINVAL);
	EXPECT_ERRNO(fanout(b, 5, PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_ROLLOVER), EINVAL);
	EXPECT_ERRNO(fanout(other, 5, PACKET_FANOUT_HASH), EINVAL);
	EXPECT_ERRNO(bind(a, (struct sockaddr *)&name, sizeof(name)), EINVAL);
	EXPECT_ERRNO(fanout(b, 5, PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID), EINVAL);
	EXPECT_EQ(fanout(b, 0, PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID), 0);
	EXPECT_EQ(getsockopt(b, SOL_PACKET, PACKET_FANOUT, &value, &length), 0);
	EXPECT((value & 0xffff) != 5);
	EXPECT_EQ(value >> 16, PACKET_FANOUT_HASH);
}

/* Classic BPF chooses by the last byte of the port of the sender. */
TEST(packet_fanout_by_program)
{
	struct sock_filter code[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 28),
				      BPF_STMT(BPF_RET | BPF_A, 0) };
	struct sock_fprog program = { 2, code };
	int a = (loopback_up(), open_packet(ETH_P_IP, 5105)), b = open_packet(ETH_P_IP, 5105);

	EXPECT_ERRNO(setsockopt(a, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof(program)),
		     EINVAL);
	EXPECT_EQ(fanout(a, 9, PACKET_FANOUT_CBPF), 0);
	EXPECT_EQ(fanout(b, 9, PACKET_FANOUT_CBPF), 0);
	EXPECT_EQ(setsockopt(a, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof(program)), 0);
	send_datagrams(5105, 7, 100); /* 'a' is odd */
	EXPECT_EQ(queued(a), 3);
	EXPECT_EQ(queued(b), 4);
}

/* What does not fit into the first goes to the second. */
TEST(packet_fanout_rolls_over)
{
	int a = (loopback_up(), open_packet(ETH_P_IP, 5106)), b = open_packet(ETH_P_IP, 5106);
	struct tpacket_rollover_stats stats;
	socklen_t length = sizeof(stats);
	char *frames;

	frames = ring(a, TPACKET_V2, PACKET_RX_RING, 0);
	EXPECT_EQ(fanout(a, 11, PACKET_FANOUT_ROLLOVER), 0);
	EXPECT_EQ(fanout(b, 11, PACKET_FANOUT_ROLLOVER), 0);
	send_datagrams(5106, 20, 100);
	EXPECT(queued(b) >= 12); /* eight frames are in the ring */
	EXPECT_EQ(((struct tpacket2_hdr *)frames)->tp_status & TP_STATUS_USER, TP_STATUS_USER);
	EXPECT_EQ(getsockopt(a, SOL_PACKET, PACKET_ROLLOVER_STATS, &stats, &length), 0);
	EXPECT(stats.tp_all > 0);
	EXPECT_EQ(stats.tp_failed, 0);
}

static void send_fragment(int fd, unsigned offset, bool more, size_t bytes)
{
	struct sockaddr_in to = loopback_address(0);
	struct {
		struct iphdr header;
		char data[100];
	} p = { .header = { .version = 4,
			    .ihl = 5,
			    .tot_len = htons((uint16_t)(20 + bytes)),
			    .id = htons(0x1234),
			    .frag_off = htons((uint16_t)(offset / 8 | (more ? IP_MF : 0))),
			    .ttl = 64,
			    .protocol = 253,
			    .saddr = to.sin_addr.s_addr,
			    .daddr = to.sin_addr.s_addr } };

	memset(p.data, (int)('a' + offset / 8), sizeof(p.data));
	EXPECT_EQ(sendto(fd, &p, 20 + bytes, 0, (struct sockaddr *)&to, sizeof(to)),
		  (ssize_t)(20 + bytes));
}

/* PACKET_FANOUT_FLAG_DEFRAG: a group gets datagrams, in whatever order their fragments come. */
TEST(packet_fanout_puts_fragments_together)
{
	int way = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG, other = way << 16 | 77;
	int fd = (loopback_up(), open_packet(ETH_P_IP, 0)), raw = socket(AF_INET, SOCK_RAW, 253);
	int on = 1;
	char got[200];
	struct iphdr h;

	EXPECT_EQ(setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &other, sizeof(other)), 0);
	REQUIRE(setsockopt(raw, SOL_IP, IP_HDRINCL, &on, sizeof(on)) == 0);
	send_fragment(raw, 32, false, 20);
	send_fragment(raw, 0, true, 16);
	EXPECT_ERRNO(recv(fd, got, sizeof(got), MSG_DONTWAIT), EAGAIN);
	send_fragment(raw, 16, true, 16);
	EXPECT_EQ(recv(fd, got, sizeof(got), MSG_DONTWAIT), 14 + 20 + 52);
	memcpy(&h, got + 14, sizeof(h));
	EXPECT_EQ(h.frag_off, 0);
	EXPECT_EQ(ntohs(h.tot_len), 72);
	EXPECT_EQ(got[34], 'a');
	EXPECT_EQ(got[34 + 16], 'c');
	EXPECT_EQ(got[34 + 51], 'e');
	EXPECT_ERRNO(recv(fd, got, sizeof(got), MSG_DONTWAIT), EAGAIN);
	/* The host itself has it as well. */
	EXPECT_EQ(recv(raw, got, sizeof(got), MSG_DONTWAIT), 20 + 52);
}
