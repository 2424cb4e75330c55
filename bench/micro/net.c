// SPDX-License-Identifier: GPL-2.0-or-later
/* TCP and UDP over loopback: latency, bandwidth, connections. */
#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP;
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
}

static struct sockaddr_in bound_address(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	getsockname(fd, (struct sockaddr *)&address, &length);
	return address;
}

static int bound(int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type, 0);

	bind(fd, (struct sockaddr *)&address, sizeof(address));
	if (type == SOCK_STREAM)
		listen(fd, 128);
	return fd;
}

static int connect_to(int listener, int type)
{
	struct sockaddr_in address = bound_address(listener);
	int fd = socket(AF_INET, type, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof(address)) ? -1 : fd;
}

static int connected(int *server)
{
	int one = 1, listener, client;

	loopback_up();
	listener = bound(SOCK_STREAM);
	client = connect_to(listener, SOCK_STREAM);
	*server = accept(listener, 0, 0);
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(*server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	close(listener);
	return client;
}

/* A child that answers each byte. */
static pid_t echo(int fd, int other)
{
	pid_t pid = fork();
	char c;

	if (pid)
		return pid;
	close(other);
	while (read(fd, &c, 1) == 1)
		if (write(fd, &c, 1) != 1)
			break;
	_exit(0);
}

static int64_t round_trips(unsigned n, int client, pid_t pid)
{
	char c = 'x';
	int64_t ns = TIMED(n, ({
				   if (write(client, &c, 1) != 1 || read(client, &c, 1) != 1)
					   return -1;
			   }));

	close(client);
	kill(pid, 9);
	waitpid(pid, 0, 0);
	return ns;
}

BENCH("net", tcp_round_trip, 2000)
{
	int server, client = connected(&server);
	pid_t pid;

	if (client < 0)
		return -1;
	pid = echo(server, client);
	close(server);
	return round_trips(n, client, pid);
}

BENCH("net", udp_round_trip, 2000)
{
	int server, client;
	struct sockaddr_in address;
	pid_t pid;

	loopback_up();
	server = bound(SOCK_DGRAM);
	client = connect_to(server, SOCK_DGRAM);
	if (client < 0)
		return -1;
	address = bound_address(client);
	if (connect(server, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	pid = echo(server, client);
	close(server);
	return round_trips(n, client, pid);
}

static int64_t bandwidth(unsigned n, size_t size)
{
	int server, client = connected(&server);
	static char buffer[65536];
	int64_t ns;
	pid_t pid;

	if (client < 0)
		return -1;
	pid = fork();
	if (!pid) {
		close(client);
		while (read(server, buffer, sizeof(buffer)) > 0)
			;
		_exit(0);
	}
	close(server);
	ns = TIMED(n, ({
			   if (write(client, buffer, size) != (ssize_t)size)
				   return -1;
		   }));
	close(client);
	waitpid(pid, 0, 0);
	return ns;
}

BENCH("net", tcp_bandwidth_64k, 400)
{
	return bandwidth(n, 65536);
}

BENCH("net", tcp_bandwidth_1k, 2000)
{
	return bandwidth(n, 1024);
}

BENCH("net", tcp_connection, 500)
{
	struct linger linger = { 1, 0 };
	int listener;

	loopback_up();
	listener = bound(SOCK_STREAM);
	int64_t ns =
		TIMED(n, ({
			      int client = connect_to(listener, SOCK_STREAM);
			      int server = accept(listener, 0, 0);

			      if (client < 0 || server < 0)
				      return -1;
			      setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
			      close(client);
			      close(server);
		      }));
	close(listener);
	return ns;
}

BENCH("net", tcp_connection_close, 500)
{
	int listener;
	char c = 'x';

	loopback_up();
	listener = bound(SOCK_STREAM);
	int64_t ns = TIMED(n, ({
				   int client = connect_to(listener, SOCK_STREAM);
				   int server = accept(listener, 0, 0);

				   if (client < 0 || server < 0 || write(client, &c, 1) != 1 ||
				       read(server, &c, 1) != 1)
					   return -1;
				   close(client);
				   close(server);
			   }));
	close(listener);
	return ns;
}

BENCH("net", udp_bandwidth_8k, 1000)
{
	static char buffer[8192];
	int server, client;

	loopback_up();
	server = bound(SOCK_DGRAM);
	client = connect_to(server, SOCK_DGRAM);
	int64_t ns = TIMED(n, ({
				   if (write(client, buffer, sizeof(buffer)) != sizeof(buffer) ||
				       read(server, buffer, sizeof(buffer)) != sizeof(buffer))
					   return -1;
			   }));
	close(client);
	close(server);
	return ns;
}
