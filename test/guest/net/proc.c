/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net: proc(5). */
#include "net_test.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/ip.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A line of the file contains the text. */
static bool has_line(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	char line[512];
	bool found = false;

	if (!EXPECT(file != NULL))
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, text) != NULL;
	fclose(file);
	return found;
}

/* The inode number of a socket, as the last columns of the tables have it. */
static const char *inode_of(int fd)
{
	static char text[32];
	struct stat st;

	EXPECT_EQ(fstat(fd, &st), 0);
	snprintf(text, sizeof(text), " %lu", (unsigned long)st.st_ino);
	return text;
}

TEST(proc_net_devices)
{
	char link[32] = {};

	EXPECT_EQ(readlink("/proc/net", link, sizeof(link)), 8);
	EXPECT_EQ(strcmp(link, "self/net"), 0);
	EXPECT(has_line("/proc/net/dev", "    lo: "));
	EXPECT(has_line("/proc/self/net/dev", " face |bytes "));
	EXPECT(has_line("/proc/net/arp", "IP address "));
}

TEST(proc_net_sockets)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "listed" };
	struct sockaddr_in address = { AF_INET, htons(6789), { htonl(INADDR_LOOPBACK) }, {} };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(6790) };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	loopback_up();
	EXPECT_EQ(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	EXPECT(has_line("/proc/net/unix", " listed\n"));
	EXPECT(has_line("/proc/net/unix", inode_of(fd)));
	close(fd);
	EXPECT(!has_line("/proc/net/unix", " listed\n"));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	EXPECT_EQ(listen(fd, 5), 0);
	EXPECT(has_line("/proc/net/tcp", ": 0100007F:1A85 00000000:0000 0A "));
	EXPECT(has_line("/proc/net/tcp", inode_of(fd)));
	close(fd);
	EXPECT(!has_line("/proc/net/tcp", ": 0100007F:1A85 "));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	EXPECT(has_line("/proc/net/udp", ": 0100007F:1A85 00000000:0000 07 "));
	close(fd);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&six, sizeof(six)), 0);
	EXPECT(has_line("/proc/net/udp6", ": 00000000000000000000000000000000:1A86 "));
	fd = socket(AF_NETLINK, SOCK_RAW, 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&(struct sockaddr_nl){ .nl_family = AF_NETLINK },
		       sizeof(struct sockaddr_nl)),
		  0);
	EXPECT(has_line("/proc/net/netlink", inode_of(fd)));
}

TEST(routes_of_ipv6)
{
	char line[256], to[33], from[33], via[33], device[17];
	unsigned length, from_length, metric, refs, use, flags, found = 0;
	FILE *f = (loopback_up(), fopen("/proc/net/ipv6_route", "r"));

	REQUIRE(f);
	while (fgets(line, sizeof(line), f)) {
		REQUIRE(sscanf(line, "%32s %x %32s %x %32s %x %x %x %x %16s", to, &length, from,
			       &from_length, via, &metric, &refs, &use, &flags, device) == 10);
		if (strcmp(to, "00000000000000000000000000000001") == 0 && length == 128 &&
		    (flags & 0x80200001) == 0x80200001)
			found += strcmp(device, "lo") == 0;
	}
	EXPECT(found);
	fclose(f);
}

/* The line behind a leaf of /proc/net/fib_trie says this of it. */
static bool trie_says(const char *leaf, const char *what)
{
	FILE *file = fopen("/proc/net/fib_trie", "r");
	bool at_leaf = false, found = false;
	char line[128];

	if (!EXPECT(file != NULL))
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		char *text = line + strspn(line, " ");

		text[strcspn(text, "\n")] = 0;
		if (!strncmp(text, "|-- ", 4))
			at_leaf = !strcmp(text + 4, leaf);
		else
			found = at_leaf && !strcmp(text, what);
	}
	fclose(file);
	return found;
}

TEST(proc_net_trie_of_routes)
{
	loopback_up();
	EXPECT(has_line("/proc/net/fib_trie", "Main:\n"));
	EXPECT(has_line("/proc/net/fib_trie", "Local:\n"));
	EXPECT(has_line("/proc/net/fib_trie", "  +-- 127.0.0.0/8 "));
	EXPECT(has_line("/proc/net/fib_trie", "     +-- 127.0.0.0/31 1 0 0\n"));
	EXPECT(has_line("/proc/net/fib_trie", "        |-- 127.0.0.1\n"));
	EXPECT(has_line("/proc/net/fib_trie", "           /32 host LOCAL\n"));
	EXPECT(trie_says("127.0.0.1", "/32 host LOCAL"));
	EXPECT(trie_says("127.0.0.0", "/8 host LOCAL"));
	EXPECT(trie_says("127.255.255.255", "/32 link BROADCAST"));
	EXPECT(!trie_says("127.0.0.1", "/8 host LOCAL"));
	EXPECT(has_line("/proc/net/rt_cache", "Iface\tDestination\tGateway \tFlags\t\tRefCnt"));
}

/* The number behind a name in a line of /proc/net/sockstat; -1: there is none. */
static long sockstat(const char *line_of, const char *name)
{
	FILE *file = fopen("/proc/net/sockstat", "r");
	char line[256], *at;
	long value = -1;

	REQUIRE(file != NULL);
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, line_of, strlen(line_of)) && (at = strstr(line, name)))
			value = atol(at + strlen(name));
	fclose(file);
	return value;
}

/* Waits until a number is, or is not, 0. */
static bool becomes(const char *line_of, const char *name, bool zero)
{
	for (int tries = 0; tries < 500; tries++) {
		if ((sockstat(line_of, name) == 0) == zero)
			return true;
		sleep_ms(10);
	}
	return false;
}

TEST(proc_net_sockstat_counts_fragments)
{
	struct {
		struct iphdr ip;
		char data[16];
	} packet = { .ip = { .version = 4,
			     .ihl = 5,
			     .id = htons(77),
			     .frag_off = htons(IP_MF),
			     .ttl = 9,
			     .protocol = 200,
			     .daddr = htonl(INADDR_LOOPBACK),
			     .saddr = htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in to = loopback_address(0);
	int fd;

	REQUIRE(unshare(CLONE_NEWNET) == 0);
	loopback_up();
	EXPECT_EQ(sockstat("FRAG:", "inuse "), 0);
	EXPECT_EQ(sockstat("FRAG:", "memory "), 0);
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	EXPECT_EQ(sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)),
		  (long)sizeof(packet));
	EXPECT(becomes("FRAG:", "memory ", false));
	EXPECT_EQ(sockstat("FRAG:", "inuse "), 1);
	packet.ip.frag_off = htons(2);
	EXPECT_EQ(sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)),
		  (long)sizeof(packet));
	EXPECT(becomes("FRAG:", "memory ", true));
	close(fd);
}

TEST(proc_net_sockstat_counts_orphans)
{
	static char data[65536];
	int client, server;

	REQUIRE(unshare(CLONE_NEWNET) == 0);
	loopback_up();
	connected(&client, &server);
	while (send(client, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	/* Linux has reserves for each CPU that do not count. */
	EXPECT(sockstat("TCP:", "mem ") >= 0);
	close(client);
	EXPECT(becomes("TCP:", "orphan ", false));
	close(server);
}
