/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the network counts, in each of its name spaces: /proc/net/snmp, netstat, snmp6, softnet_stat (proc(5)). */
#include "net_test.h"

#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

static long line_counter(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char line[128], found[64];
	long value, result = -1;

	REQUIRE(file != NULL);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", found, &value) == 2 && !strcmp(found, name))
			result = value;
	fclose(file);
	return result;
}

static void send_nowhere(int count)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in to = loopback_address(9); /* nobody is there */

	for (int i = 0; i < count; i++)
		EXPECT_EQ(sendto(fd, "12345", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	close(fd);
}

TEST(statistics_count)
{
	long before, octets;
	int client, server, on = 1;
	char c;

	loopback_up();
	before = counter("/proc/net/snmp", "Udp", "NoPorts");
	octets = counter("/proc/net/netstat", "IpExt", "OutOctets");
	send_nowhere(10);
	EXPECT_EQ(counter("/proc/net/snmp", "Udp", "NoPorts"), before + 10);
	EXPECT(counter("/proc/net/netstat", "IpExt", "OutOctets") >= octets + 330);
	before = counter("/proc/net/netstat", "TcpExt", "TCPOrigDataSent");
	connected(&client, &server);
	EXPECT_EQ(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(send(client, "x", 1, 0), 1);
		EXPECT_EQ(recv(server, &c, 1, 0), 1);
	}
	EXPECT(counter("/proc/net/netstat", "TcpExt", "TCPOrigDataSent") >= before + 20);
	EXPECT(counter("/proc/net/netstat", "TcpExt", "TCPDelivered") > 0);
	EXPECT(counter("/proc/net/netstat", "TcpExt", "SyncookiesSent") >= 0);
	before = counter("/proc/net/netstat", "TcpExt", "TCPAbortOnClose");
	EXPECT_EQ(send(client, "x", 1, 0), 1);
	close(server); /* unread: reset */
	EXPECT_EQ(counter("/proc/net/netstat", "TcpExt", "TCPAbortOnClose"), before + 1);
}

TEST(statistics_of_ipv6_have_a_line_each)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_port = htons(9),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	long before;

	loopback_up();
	before = line_counter("/proc/net/snmp6", "Udp6NoPorts");
	EXPECT_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	EXPECT_EQ(line_counter("/proc/net/snmp6", "Udp6NoPorts"), before + 1);
	EXPECT(line_counter("/proc/net/snmp6", "Ip6OutOctets") > 0);
	EXPECT(line_counter("/proc/net/snmp6", "Icmp6InDestUnreachs") > 0);
	EXPECT(line_counter("/proc/net/snmp6", "UdpLite6InErrors") >= 0);
}

/* Thirteen columns for each CPU; the first counts what it received. */
TEST(statistics_of_the_cpus)
{
	long sums[2] = {};

	loopback_up();
	for (int round = 0; round < 2; round++) {
		FILE *file = fopen("/proc/net/softnet_stat", "r");
		unsigned processed, columns = 0;
		char line[256];

		REQUIRE(file != NULL);
		while (fgets(line, sizeof(line), file)) {
			REQUIRE(sscanf(line, "%x", &processed) == 1);
			sums[round] += processed;
			columns = 0;
			for (char *c = line; *c; c++)
				columns += *c == ' ' || *c == '\n';
		}
		fclose(file);
		EXPECT_EQ(columns, 13);
		if (!round)
			send_nowhere(50);
	}
	EXPECT(sums[1] >= sums[0] + 50);
}

static int setting(const char *path)
{
	FILE *file = fopen(path, "r");
	int value = -1;

	REQUIRE(file != NULL);
	EXPECT_EQ(fscanf(file, "%d", &value), 1);
	fclose(file);
	return value;
}

/* Counters and settings of a name space are its own. */
TEST(statistics_and_settings_by_name_space)
{
	int status, before;
	long no_ports;

	loopback_up();
	before = setting("/proc/sys/net/ipv4/tcp_fin_timeout");
	send_nowhere(3);
	no_ports = counter("/proc/net/snmp", "Udp", "NoPorts");
	if (fork() == 0) {
		REQUIRE(unshare(CLONE_NEWNET) == 0);
		loopback_up();
		EXPECT_EQ(counter("/proc/net/snmp", "Udp", "NoPorts"), 0);
		send_nowhere(7);
		EXPECT_EQ(counter("/proc/net/snmp", "Udp", "NoPorts"), 7);
		EXPECT_EQ(setting("/proc/sys/net/ipv4/tcp_fin_timeout"), 60);
		EXPECT_EQ(write_setting("/proc/sys/net/ipv4/tcp_fin_timeout", "17"), 0);
		EXPECT_EQ(setting("/proc/sys/net/ipv4/tcp_fin_timeout"), 17);
		EXPECT_EQ(write_setting("/proc/sys/net/core/somaxconn", "33"), 0);
		EXPECT_EQ(write_setting("/proc/sys/net/unix/max_dgram_qlen", "5"), 0);
		_exit(test_has_failed());
	}
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(counter("/proc/net/snmp", "Udp", "NoPorts"), no_ports);
	EXPECT_EQ(setting("/proc/sys/net/ipv4/tcp_fin_timeout"), before);
	EXPECT(setting("/proc/sys/net/core/somaxconn") != 33);
	EXPECT(setting("/proc/sys/net/unix/max_dgram_qlen") != 5);
}

/* A new one has the congestion control of the first. */
TEST(congestion_control_by_name_space)
{
	char text[16] = {};
	int status;

	if (fork() == 0) {
		FILE *file;

		REQUIRE(unshare(CLONE_NEWNET) == 0);
		EXPECT_EQ(write_setting("/proc/sys/net/ipv4/tcp_congestion_control", "reno"), 0);
		file = fopen("/proc/sys/net/ipv4/tcp_congestion_control", "r");
		REQUIRE(file != NULL && fgets(text, sizeof(text), file));
		EXPECT_EQ(strcmp(text, "reno\n"), 0);
		_exit(test_has_failed());
	}
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_congestion_control", "r");

	REQUIRE(file != NULL && fgets(text, sizeof(text), file));
	EXPECT(strcmp(text, "reno\n"));
	fclose(file);
}
