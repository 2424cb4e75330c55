/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that answers: a process for each connection. */
#include "peer.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void udp(int control, struct request *r)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6 };
	struct sockaddr_storage from;
	socklen_t length = sizeof(here), from_length = sizeof(from);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct tally tally;
	char greeting;

	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) ||
	    getsockname(fd, (struct sockaddr *)&here, &length))
		fail("UDP socket");
	r->port = ntohs(here.sin6_port);
	if (!send_all(control, r, sizeof(*r)))
		fail("answer");
	if (r->kind == UDP_UP) {
		tally = receive_datagrams(fd, r);
		if (!send_all(control, &tally, sizeof(tally)))
			fail("tally");
		return;
	}
	if (recvfrom(fd, &greeting, 1, 0, (struct sockaddr *)&from, &from_length) != 1 ||
	    connect(fd, (struct sockaddr *)&from, from_length))
		fail("greeting");
	send_datagrams(fd, r);
}

/* Joins a group, and tells what comes to it. */
static void group(int control, struct request *r)
{
	struct sockaddr_storage to;
	socklen_t length;
	int fd = group_socket(r->kind == GROUP4 ? AF_INET : AF_INET6, 0, true, &to, &length);
	struct tally tally;

	r->port = ntohs(((struct sockaddr_in *)&to)->sin_port); /* in the same place for IPv6 */
	if (!send_all(control, r, sizeof(*r)))
		fail("answer");
	tally = receive_datagrams(fd, r);
	if (!send_all(control, &tally, sizeof(tally)))
		fail("tally");
}

static void sink(int fd, uint64_t bytes)
{
	static uint8_t buffer[262144];

	while (bytes) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

		if (n <= 0)
			return;
		bytes -= (uint64_t)n < bytes ? (uint64_t)n : bytes;
	}
}

static void source(int fd, uint64_t bytes)
{
	static uint8_t buffer[262144];

	for (; bytes; bytes -= bytes < sizeof(buffer) ? bytes : sizeof(buffer))
		if (!send_all(fd, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer)))
			return;
}

/* Kilobytes that are free here. */
static uint64_t memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long free = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu", &free) == 1)
			break;
	if (file)
		fclose(file);
	return free;
}

static void answer(int fd)
{
	struct request r;
	uint8_t good = 1;

	if (!receive_all(fd, &r, sizeof(r)))
		return;
	switch (r.kind) {
	case TCP_UP:
		good = receive_stream(fd, r.seed, r.bytes);
		break;
	case TCP_DOWN:
		good = send_stream(fd, r.seed, r.bytes);
		break;
	case TCP_ECHO: /* the client's bytes and ours cross */
		if (fork() == 0)
			_exit(!send_stream(fd, r.seed + 1, r.bytes));
		good = receive_stream(fd, r.seed, r.bytes);
		wait(NULL);
		break;
	case BULK_UP:
		sink(fd, r.bytes);
		break;
	case BULK_DOWN:
		source(fd, r.bytes);
		break;
	case MEMORY:
		r.bytes = memory_available();
		(void)send_all(fd, &r, sizeof(r));
		return;
	case GROUP4:
	case GROUP6:
		group(fd, &r);
		return;
	case UDP_UP:
	case UDP_DOWN:
		udp(fd, &r);
		return;
	default:
		return;
	}
	(void)send_all(fd, &good, 1);
}

void serve(void)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int listener = socket(AF_INET6, SOCK_STREAM, 0), one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) || listen(listener, 64))
		fail("listen");
	signal(SIGCHLD, SIG_IGN);
	printf("serving\n");
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		if (fork() == 0) {
			signal(SIGCHLD, SIG_DFL);
			close(listener);
			answer(fd);
			_exit(0);
		}
		close(fd);
	}
}
