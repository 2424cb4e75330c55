/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of Internet sockets: the loopback device is up, addresses are short. */
#pragma once

#include "guest_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Sets IFF_UP of lo; each test that uses addresses calls it. */
static inline void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	REQUIRE(fd >= 0);
	REQUIRE(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	request.ifr_flags |= IFF_UP;
	REQUIRE(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	close(fd);
}

static inline struct sockaddr_in loopback_address(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static inline int port_of(int fd)
{
	struct sockaddr_in6 address;
	socklen_t length = sizeof(address);

	REQUIRE(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
	return ntohs(address.sin6_port); /* at the same place in both families */
}

/* An option of TCP that is an int. */
static inline int set_tcp(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value));
}

/* Its value, or -errno. */
static inline int get_tcp(int fd, int option)
{
	int value = -2;
	socklen_t length = sizeof(value);

	return getsockopt(fd, IPPROTO_TCP, option, &value, &length) ? -errno : value;
}

/* A bound socket of the type; listening if it is a stream. */
static inline int bound(int type)
{
	struct sockaddr_in address = loopback_address(0);
	int fd = socket(AF_INET, type, 0);

	REQUIRE(fd >= 0);
	REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	if (type == SOCK_STREAM)
		REQUIRE(listen(fd, 16) == 0);
	return fd;
}

/* Both ends of a connection. */
static inline void connected(int *client, int *server)
{
	int listener = bound(SOCK_STREAM);
	struct sockaddr_in address = loopback_address(port_of(listener));

	*client = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(connect(*client, (struct sockaddr *)&address, sizeof(address)) == 0);
	*server = accept(listener, NULL, NULL);
	REQUIRE(*server >= 0);
	close(listener);
}

static inline int ready(int fd, int events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = (short)events };

	return poll(&p, 1, timeout_ms) > 0 ? p.revents : 0;
}

/* Number `name` of the protocol `title` of a file with lines of names and lines of numbers; -1: there is none. */
static inline long counter(const char *path, const char *title, const char *name)
{
	static char names[8192], numbers[8192];
	FILE *file = fopen(path, "r");
	long result = -1;

	REQUIRE(file != NULL);
	while (result < 0 && fgets(names, sizeof(names), file) &&
	       fgets(numbers, sizeof(numbers), file)) {
		char *a, *b, *n, *v;

		if (strncmp(names, title, strlen(title)) || names[strlen(title)] != ':')
			continue;
		n = strtok_r(names, " \n", &a);
		v = strtok_r(numbers, " \n", &b);
		for (; n && v; n = strtok_r(NULL, " \n", &a), v = strtok_r(NULL, " \n", &b))
			if (!strcmp(n, name))
				result = atol(v);
		EXPECT(!n && !v); /* as many numbers as names */
	}
	fclose(file);
	return result;
}

/* Writes a file of /proc/sys; 0 or -1 and errno. */
static inline int write_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), result;

	REQUIRE(fd >= 0);
	result = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return result;
}
