/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and settings of TCP that few programs use: tcp(7), socket(7), ip-sysctl.rst. */
#define _NETINET_TCP_H 1 /* that of the C library has an older structure, and both cannot be had */
#include "net_test.h"

#include <linux/tcp.h>
#include <netinet/ip.h>
#include <sched.h>
#include <time.h>

#define SETTING(name) "/proc/sys/net/ipv4/tcp_" name

static void begin(void)
{
	REQUIRE(unshare(CLONE_NEWNET) == 0);
	loopback_up();
}

static int connect_to(int listener)
{
	struct sockaddr_in to = loopback_address(port_of(listener));
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	REQUIRE(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	return fd;
}

TEST(tcp_the_first_segment_is_saved)
{
	int listener = (loopback_up(), bound(SOCK_STREAM));

	EXPECT_ERRNO(set_tcp(listener, TCP_SAVE_SYN, 3), EINVAL);
	for (int with = 1; with <= 2; with++) {
		unsigned char got[200];
		socklen_t length = 10;
		int server, link = with == 2 ? 14 : 0;
		struct tcphdr tcp;
		struct iphdr ip;

		EXPECT_EQ(set_tcp(listener, TCP_SAVE_SYN, with), 0);
		EXPECT_EQ(get_tcp(listener, TCP_SAVE_SYN), with);
		close(connect_to(listener));
		server = accept(listener, NULL, NULL);
		EXPECT_ERRNO(getsockopt(server, IPPROTO_TCP, TCP_SAVED_SYN, got, &length), EINVAL);
		length = sizeof(got);
		EXPECT_EQ(getsockopt(server, IPPROTO_TCP, TCP_SAVED_SYN, got, &length), 0);
		EXPECT_EQ(length, link + 20 + 40);
		memcpy(&ip, got + link, sizeof(ip));
		memcpy(&tcp, got + link + 20, sizeof(tcp));
		EXPECT_EQ(ip.version, 4);
		EXPECT_EQ(ip.protocol, IPPROTO_TCP);
		EXPECT_EQ(ntohs(ip.tot_len), 60);
		EXPECT_EQ(tcp.dest, htons(port_of(listener)));
		EXPECT(tcp.syn && !tcp.ack);
		/* Once. */
		length = sizeof(got);
		EXPECT_EQ(getsockopt(server, IPPROTO_TCP, TCP_SAVED_SYN, got, &length), 0);
		EXPECT_EQ(length, 0);
		close(server);
	}
}

static long milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

TEST(tcp_goes_no_faster_than_it_may)
{
	enum { TOTAL = 3000000 };
	char *data = malloc(TOTAL), *got = malloc(TOTAL);
	int listener = (loopback_up(), bound(SOCK_STREAM)), client, server;
	unsigned rate = 10000000, small = 0;
	unsigned long long large = 0;
	socklen_t length = sizeof(large);
	long start;

	REQUIRE(data && got);
	EXPECT_EQ(getsockopt(listener, SOL_SOCKET, SO_MAX_PACING_RATE, &large, &length), 0);
	EXPECT_EQ(large, ~0ull);
	EXPECT_EQ(length, 8);
	length = sizeof(small);
	EXPECT_EQ(getsockopt(listener, SOL_SOCKET, SO_MAX_PACING_RATE, &small, &length), 0);
	EXPECT_EQ(small, ~0u);
	client = connect_to(listener);
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(setsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)), 0);
	EXPECT_EQ(getsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &small, &length), 0);
	EXPECT_EQ(small, rate);
	for (size_t i = 0; i < TOTAL; i++)
		data[i] = (char)(i * 7 + i / 251);
	start = milliseconds();
	IN_CHILD(pid)
	{
		_exit(send(client, data, TOTAL, 0) != TOTAL);
	}
	EXPECT_EQ(recv(server, got, TOTAL, MSG_WAITALL), TOTAL);
	EXPECT_GE(milliseconds() - start, 100); /* 300, but ten segments of 64 KiB go at once */
	EXPECT(memcmp(data, got, TOTAL) == 0);
	free(data);
	free(got);
}

TEST(tcp_answers_about_what_is_not_there)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), client, server;
	char text[64];
	socklen_t length = sizeof(text);

	loopback_up();
	EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CC_INFO, text, &length), 0);
	EXPECT_EQ(length, 0);
	length = sizeof(text);
	EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_ULP, text, &length), 0);
	EXPECT_EQ(length, 0);
	EXPECT_EQ(get_tcp(fd, TCP_REPAIR), 0);
	EXPECT_EQ(get_tcp(fd, TCP_REPAIR_QUEUE), -EINVAL);
	EXPECT_EQ(get_tcp(fd, TCP_QUEUE_SEQ), -EINVAL);
	EXPECT_ERRNO(set_tcp(fd, TCP_TIMESTAMP, 5), EPERM);
	EXPECT_ERRNO(set_tcp(fd, TCP_REPAIR_QUEUE, 1), EPERM);
	EXPECT_EQ(set_tcp(fd, TCP_TX_DELAY, 1000), 0);
	EXPECT_EQ(get_tcp(fd, TCP_TX_DELAY), 1000);
	connected(&client, &server);
	EXPECT_NE(get_tcp(client, TCP_TIMESTAMP), -ENOPROTOOPT);
	IN_CHILD(pid)
	{
		int on = 1;

		REQUIRE(setuid(65534) == 0);
		EXPECT_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), EPERM);
		_exit(0);
	}
}

TEST(tcp_settings_are_there)
{
	char got[32] = {};
	int fd = -1;

	begin();
	fd = open(SETTING("notsent_lowat"), O_RDWR);
	REQUIRE(read(fd, got, sizeof(got) - 1) > 0);
	EXPECT_STREQ(got, "4294967295\n");
	close(fd);
	EXPECT_EQ(write_setting(SETTING("notsent_lowat"), "20000"), 0);
	EXPECT_EQ(write_setting(SETTING("moderate_rcvbuf"), "0"), 0);
	EXPECT_EQ(write_setting(SETTING("early_retrans"), "0"), 0);
	EXPECT_ERRNO(write_setting(SETTING("early_retrans"), "5"), EINVAL);
	EXPECT_EQ(write_setting(SETTING("dsack"), "0"), 0);
	EXPECT_EQ(write_setting(SETTING("thin_linear_timeouts"), "1"), 0);
	EXPECT_EQ(write_setting(SETTING("stdurg"), "1"), 0);
	EXPECT_EQ(write_setting(SETTING("stdurg"), "0"), 0);
	EXPECT_EQ(get_tcp(socket(AF_INET, SOCK_STREAM, 0), TCP_NOTSENT_LOWAT), 0);
}

TEST(tcp_answers_with_the_type_of_service_it_is_asked_with)
{
	int listener, fd, server, tos = 0x48, got = -1;
	struct sockaddr_in to;
	socklen_t length = sizeof(got);

	begin();
	EXPECT_EQ(write_setting(SETTING("reflect_tos"), "1"), 0);
	listener = bound(SOCK_STREAM);
	to = loopback_address(port_of(listener));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)) == 0);
	REQUIRE(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(getsockopt(server, IPPROTO_IP, IP_TOS, &got, &length), 0);
	EXPECT_EQ(got, tos);
}

static void setting_text(const char *path, char text[64])
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, 63);

	REQUIRE(n > 0);
	text[n] = '\0';
	close(fd);
}

static int choose(int fd, const char *name)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, strlen(name));
}

/* tcp_allowed_congestion_control: what may be chosen without CAP_NET_ADMIN. */
TEST(tcp_congestion_control_that_is_not_allowed)
{
	char allowed[64], available[64], got[64];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setting_text(SETTING("allowed_congestion_control"), allowed);
	setting_text(SETTING("available_congestion_control"), available);
	EXPECT(strstr(available, "reno") && strstr(available, "cubic"));
	EXPECT_ERRNO(write_setting(SETTING("allowed_congestion_control"), "reno nothing"), ENOENT);
	REQUIRE(write_setting(SETTING("allowed_congestion_control"), "reno\n") == 0);
	setting_text(SETTING("allowed_congestion_control"), got);
	EXPECT_STREQ(got, "reno\n");
	EXPECT_EQ(choose(fd, "cubic"), 0);
	IN_CHILD(pid)
	{
		REQUIRE(setuid(65534) == 0);
		EXPECT_EQ(choose(fd, "cubic"), 0); /* which it is */
		EXPECT_EQ(choose(fd, "reno"), 0);
		EXPECT_ERRNO(choose(fd, "cubic"), EPERM);
		EXPECT_ERRNO(choose(fd, "nothing"), ENOENT);
		_exit(0);
	}
	EXPECT_EQ(write_setting(SETTING("allowed_congestion_control"), allowed), 0);
}
