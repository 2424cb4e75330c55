/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PACKET_VNET_HDR: packet(7), <linux/virtio_net.h>. */
#include "net_test.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>

#define PORT 9001
#define HEADERS (ETH_HLEN + sizeof(struct iphdr) + sizeof(struct udphdr))

struct frame {
	struct virtio_net_hdr offload;
	struct ethhdr link;
	struct iphdr ip;
	struct udphdr udp;
	unsigned char payload[3000];
} __attribute__((packed));

static unsigned sum_of(const void *data, size_t length, unsigned sum)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : (unsigned)bytes[i] << 8;
	return sum;
}

static unsigned short folded(unsigned sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((unsigned short)sum);
}

/* A datagram to ourselves, with the sum of the pseudo header where its checksum belongs. */
static size_t make_frame(struct frame *f, size_t payload)
{
	size_t length = sizeof(f->udp) + payload;

	memset(f, 0, sizeof(*f));
	f->link.h_proto = htons(ETH_P_IP);
	f->ip = (struct iphdr){ .version = 4,
				.ihl = 5,
				.ttl = 8,
				.protocol = IPPROTO_UDP,
				.id = htons(77),
				.tot_len = htons((unsigned short)(sizeof(f->ip) + length)),
				.saddr = htonl(INADDR_LOOPBACK),
				.daddr = htonl(INADDR_LOOPBACK) };
	f->ip.check = (unsigned short)~folded(sum_of(&f->ip, sizeof(f->ip), 0));
	f->udp = (struct udphdr){ .source = htons(9000),
				  .dest = htons(PORT),
				  .len = htons((unsigned short)length) };
	f->udp.check = folded(sum_of(&f->ip.saddr, 8, IPPROTO_UDP + (unsigned)length));
	memset(f->payload, 'x', payload);
	f->offload = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					      .csum_start = ETH_HLEN + sizeof(f->ip),
					      .csum_offset = 6 };
	return sizeof(f->offload) + HEADERS + payload;
}

static int packet_socket(int protocol)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons((unsigned short)protocol)), on = 1;
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_protocol = htons((unsigned short)protocol),
				    .sll_ifindex = (int)if_nametoindex("lo") };

	REQUIRE(fd >= 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	EXPECT_EQ(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	return fd;
}

static int receiver(void)
{
	struct sockaddr_in address = { AF_INET, htons(PORT), { htonl(INADDR_LOOPBACK) }, {} };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

/* A packet that no socket of the Internet sent is taken for a stranger's, loopback or not. */
static void accept_own_addresses(void)
{
	static const char *const files[] = { "/proc/sys/net/ipv4/conf/lo/accept_local",
					     "/proc/sys/net/ipv4/conf/lo/route_localnet" };

	for (int i = 0; i < 2; i++) {
		int fd = open(files[i], O_WRONLY);

		EXPECT_EQ(write(fd, "1", 1), 1);
		close(fd);
	}
}

TEST(offload_headers_are_sent)
{
	static struct frame f;
	char got[4000];
	int sender, at, fd;
	size_t size;

	loopback_up();
	accept_own_addresses();
	sender = packet_socket(0);
	at = receiver();
	/* The kernel completes the checksum: what comes is delivered. */
	size = make_frame(&f, 100);
	EXPECT_EQ(send(sender, &f, size, 0), (ssize_t)size);
	REQUIRE(ready(at, POLLIN, 5000));
	EXPECT_EQ(recv(at, got, sizeof(got), 0), 100);
	/* Without being asked to it does not, and the packet is dropped. */
	f.offload.flags = 0;
	EXPECT_EQ(send(sender, &f, size, 0), (ssize_t)size);
	EXPECT(!ready(at, POLLIN, 300));
	/* A datagram longer than the link, as one that will be cut into fragments. */
	size = make_frame(&f, 2999);
	f.offload.gso_type = VIRTIO_NET_HDR_GSO_UDP;
	f.offload.gso_size = 1480;
	f.offload.hdr_len = HEADERS;
	EXPECT_EQ(send(sender, &f, size, 0), (ssize_t)size);
	REQUIRE(ready(at, POLLIN, 5000));
	EXPECT_EQ(recv(at, got, sizeof(got), 0), 2999);
	close(sender);
	/* Sockets for packets without link headers have none of it. */
	fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	EXPECT_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &(int){ 1 }, sizeof(int)), EINVAL);
	close(fd);
}

TEST(offload_headers_that_are_impossible)
{
	static struct frame f;
	int sender;
	size_t size;

	loopback_up();
	sender = packet_socket(0);
	size = make_frame(&f, 100);
	EXPECT_ERRNO(send(sender, &f, sizeof(f.offload) - 1, 0), EINVAL);
	f.offload.csum_start = 200;
	EXPECT_ERRNO(send(sender, &f, size, 0), EINVAL);
	size = make_frame(&f, 100);
	f.offload.hdr_len = (unsigned short)size;
	EXPECT_ERRNO(send(sender, &f, size, 0), EINVAL);
	size = make_frame(&f, 100);
	f.offload.gso_type = 77;
	EXPECT_ERRNO(send(sender, &f, size, 0), EINVAL);
	f.offload.gso_type = VIRTIO_NET_HDR_GSO_UDP;
	f.offload.gso_size = 0;
	EXPECT_ERRNO(send(sender, &f, size, 0), EINVAL);
	close(sender);
}

TEST(offload_headers_are_received)
{
	struct sockaddr_in address = { AF_INET, htons(PORT), { htonl(INADDR_LOOPBACK) }, {} };
	int fd, sender = socket(AF_INET, SOCK_DGRAM, 0), at;
	static struct frame f;
	ssize_t n;

	loopback_up();
	at = receiver();
	fd = packet_socket(ETH_P_ALL);
	EXPECT_EQ(sendto(sender, "hello", 5, 0, (struct sockaddr *)&address, sizeof(address)), 5);
	REQUIRE(ready(fd, POLLIN, 5000));
	n = recv(fd, &f, sizeof(f), 0);
	EXPECT_EQ(n, (ssize_t)(sizeof(f.offload) + HEADERS + 5));
	EXPECT_EQ(f.udp.dest, htons(PORT));
	EXPECT_EQ(memcmp(f.payload, "hello", 5), 0);
	/* Over loopback nobody completes a checksum, and the header says where it would be. */
	EXPECT_EQ(f.offload.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	EXPECT_EQ(f.offload.csum_start, ETH_HLEN + sizeof(f.ip));
	EXPECT_EQ(f.offload.csum_offset, 6);
	EXPECT_EQ(f.offload.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	/* There must be room for the header. */
	EXPECT_EQ(sendto(sender, "hello", 5, 0, (struct sockaddr *)&address, sizeof(address)), 5);
	REQUIRE(ready(fd, POLLIN, 5000));
	EXPECT_ERRNO(recv(fd, &f, 5, 0), EINVAL);
	close(fd);
	close(at);
	close(sender);
}

/* A tag that says nothing but a priority is as good as none. */
TEST(frames_with_a_priority_tag_are_received)
{
	static struct frame f;
	unsigned char bytes[256];
	const size_t before = sizeof(f.offload) + 2 * ETH_ALEN;
	int sender, at;
	size_t size;

	loopback_up();
	accept_own_addresses();
	sender = packet_socket(0);
	at = receiver();
	size = make_frame(&f, 100);
	f.offload.csum_start += 4;
	memcpy(bytes, &f, before);
	memcpy(bytes + before, (unsigned char[]){ 0x81, 0, 0xe0, 0 }, 4);
	memcpy(bytes + before + 4, (char *)&f + before, size - before);
	EXPECT_EQ(send(sender, bytes, size + 4, 0), (ssize_t)size + 4);
	REQUIRE(ready(at, POLLIN, 5000));
	EXPECT_EQ(recv(at, bytes, sizeof(bytes), 0), 100);
	/* Another network's frames are not for this host. */
	memcpy(bytes, &f, before);
	memcpy(bytes + before, (unsigned char[]){ 0x81, 0, 0, 5 }, 4);
	memcpy(bytes + before + 4, (char *)&f + before, size - before);
	EXPECT_EQ(send(sender, bytes, size + 4, 0), (ssize_t)size + 4);
	EXPECT(!ready(at, POLLIN, 300));
}
