/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that asks: the tests of the net layer. */
#include "peer.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_SECONDS 200

static int connect_to_server(int family)
{
	struct sockaddr_storage to;
	socklen_t length = peer_address(&to, family, SERVER, PORT);
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, length))
		fail("connect");
	return fd;
}

static int ask(int family, const struct request *r)
{
	int fd = connect_to_server(family);

	if (!send_all(fd, r, sizeof(*r)))
		fail("request");
	return fd;
}

static void expect_good(int fd)
{
	uint8_t good;

	if (!receive_all(fd, &good, 1) || !good)
		fail("the server's verdict");
	close(fd);
}

static void stream(const char *name, int family, uint32_t kind, uint64_t bytes)
{
	struct request r = { .kind = kind, .bytes = bytes, .seed = kind * 77 + (uint64_t)family };
	double start = now_seconds();
	int fd = ask(family, &r);
	pid_t sender = 0;
	int status = 0;

	if (kind == TCP_ECHO && (sender = fork()) == 0)
		_exit(!send_stream(fd, r.seed, bytes));
	if (kind == TCP_UP && !send_stream(fd, r.seed, bytes))
		fail("send");
	if (kind == TCP_DOWN && !receive_stream(fd, r.seed, bytes))
		fail("receive");
	if (kind == TCP_ECHO && !receive_stream(fd, r.seed + 1, bytes))
		fail("receive");
	if (sender && (waitpid(sender, &status, 0) < 0 || status))
		fail("sender");
	expect_good(fd);
	if (*name)
		printf("rate %s %.0f\n", name, (double)bytes / (now_seconds() - start));
}

static void bulk(const char *name, int family, uint32_t kind, uint64_t bytes)
{
	struct request r = { .kind = kind, .bytes = bytes };
	static uint8_t buffer[262144];
	double start = now_seconds();
	int fd = ask(family, &r);

	while (bytes) {
		size_t n = bytes < sizeof(buffer) ? (size_t)bytes : sizeof(buffer);
		ssize_t done = kind == BULK_UP ? send(fd, buffer, n, 0) : recv(fd, buffer, n, 0);

		if (done <= 0)
			fail("bulk");
		bytes -= (uint64_t)done;
	}
	expect_good(fd);
	printf("rate %s %.0f\n", name, (double)r.bytes / (now_seconds() - start));
}

/* The mean of many: with few losses it is luck when they come. */
static void repeated(const char *name, int family, uint32_t kind, uint64_t bytes, unsigned times)
{
	double start = now_seconds();

	for (unsigned i = 0; i < times; i++)
		stream("", family, kind, bytes);
	printf("rate %s %.0f\n", name, (double)bytes * times / (now_seconds() - start));
}

static void connections(const char *name, int family, uint32_t count, uint64_t bytes)
{
	for (uint32_t i = 0; i < count; i++) {
		struct request r = { .kind = TCP_ECHO, .bytes = i * 97 % bytes, .seed = i };
		int fd = ask(family, &r);

		if (!send_stream(fd, r.seed, r.bytes) || !receive_stream(fd, r.seed + 1, r.bytes))
			fail("%s %u", name, i);
		expect_good(fd);
	}
}

static void datagrams(const char *name, int family, uint32_t kind, uint32_t size)
{
	struct request r = { .kind = kind, .count = 200, .size = size, .seed = size };
	int control = ask(family, &r), fd = socket(family, SOCK_DGRAM, 0);
	struct sockaddr_storage to;
	socklen_t length;
	struct tally tally;

	if (!receive_all(control, &r, sizeof(r)))
		fail("answer");
	if (kind == GROUP4 || kind == GROUP6)
		fd = group_socket(family, r.port, false, &to, &length);
	else
		length = peer_address(&to, family, SERVER, r.port);
	if (connect(fd, (struct sockaddr *)&to, length))
		fail("connect");
	if (kind != UDP_DOWN) {
		send_datagrams(fd, &r);
		if (!receive_all(control, &tally, sizeof(tally)))
			fail("tally");
	} else {
		for (int i = 0; i < 5; i++) /* one of them may be lost */
			(void)!send(fd, "", 1, 0), nap(20);
		tally = receive_datagrams(fd, &r);
	}
	printf("%s: %u of %u right, %u again, %u wrong\n", name, tally.right, r.count, tally.again,
	       tally.wrong);
	/* The link loses one frame of a hundred, and a receiver whose host is busy some more. */
	if (tally.wrong || tally.right < r.count * 3 / 4)
		fail("datagrams");
}

#define MEMORY_BOUND (64u << 10) /* kilobytes that an attack may cost the server */

/* Asked before and after: what the server has left. The first answer is kept in a file, for tests are processes. */
static void memory(void)
{
	struct request r = { .kind = MEMORY };
	int fd = ask(AF_INET, &r), kept = open("/memory", O_RDWR | O_CREAT, 0600);
	uint64_t before;

	if (!receive_all(fd, &r, sizeof(r)) || !r.bytes)
		fail("answer");
	if (read(kept, &before, sizeof(before)) != sizeof(before)) {
		(void)!write(kept, &r.bytes, sizeof(r.bytes));
		return;
	}
	printf("the server has %llu kB left of %llu\n", (unsigned long long)r.bytes,
	       (unsigned long long)before);
	if (r.bytes + MEMORY_BOUND < before)
		fail("memory");
}

/* Addresses that the server has are not ours; one of the three questions may be lost. */
static void duplicates(void)
{
	unsigned refused = 0;

	for (unsigned i = 0; i < 3; i++)
		set_address6((int)if_nametoindex("eth0"), TAKEN + i, true);
	nap(4000);
	for (unsigned i = 0; i < 3; i++) {
		struct sockaddr_storage a;
		socklen_t length = peer_address(&a, AF_INET6, TAKEN + i, 0);
		int fd = socket(AF_INET6, SOCK_DGRAM, 0);

		refused += bind(fd, (struct sockaddr *)&a, length) && errno == EADDRNOTAVAIL;
		close(fd);
	}
	if (!refused)
		fail("three addresses that another has");
}

struct test {
	const char *name;
	const char *link;
	int family;
	uint32_t kind;
	uint32_t size; /* of datagrams; connections; repetitions; MiB in bulk */
};
#define CONNECTIONS 100
#define REPEATED 200
#define DUPLICATES 300

static const struct test tests[] = {
	{ "tcp4_up", "lossy", AF_INET, TCP_UP, 0 },
	{ "tcp4_down", "lossy", AF_INET, TCP_DOWN, 0 },
	{ "tcp6_up", "lossy", AF_INET6, TCP_UP, 0 },
	{ "tcp6_down", "lossy", AF_INET6, TCP_DOWN, 0 },
	{ "tcp4_both", "lossy", AF_INET, TCP_ECHO, 0 },
	{ "tcp6_connections", "lossy", AF_INET6, CONNECTIONS, 10 },
	{ "udp4_up", "lossy", AF_INET, UDP_UP, 1400 },
	{ "udp4_down", "lossy", AF_INET, UDP_DOWN, 1400 },
	{ "udp6_up_fragments", "lossy", AF_INET6, UDP_UP, 4000 },
	{ "udp4_down_fragments", "lossy", AF_INET, UDP_DOWN, 4000 },
	{ "group4", "lossy", AF_INET, GROUP4, 1400 },
	{ "group6", "lossy", AF_INET6, GROUP6, 1400 },
	{ "duplicate_addresses_are_refused", "lossy", AF_INET6, DUPLICATES, 0 },
	{ "mean4_up", "rates", AF_INET, REPEATED + TCP_UP, 80 },
	{ "mean4_down", "rates", AF_INET, REPEATED + TCP_DOWN, 80 },
	{ "mean6_up", "rates", AF_INET6, REPEATED + TCP_UP, 80 },
	{ "mean6_down", "rates", AF_INET6, REPEATED + TCP_DOWN, 80 },
	{ "bulk4_up", "clean", AF_INET, BULK_UP, 64 },
	{ "bulk4_down", "clean", AF_INET, BULK_DOWN, 64 },
	{ "bulk6_up", "clean", AF_INET6, BULK_UP, 64 },
	{ "bulk6_down", "clean", AF_INET6, BULK_DOWN, 64 },
	{ "memory_before", "hostile", AF_INET, MEMORY, 0 },
	{ "honest_tcp4_up", "hostile", AF_INET, TCP_UP, 0 },
	{ "honest_tcp6_down", "hostile", AF_INET6, TCP_DOWN, 0 },
	{ "honest_connections", "hostile", AF_INET, CONNECTIONS, 30 },
	{ "honest_udp4_up", "hostile", AF_INET, UDP_UP, 1400 },
	{ "honest_udp6_down", "hostile", AF_INET6, UDP_DOWN, 1400 },
	{ "honest_tcp4_both", "hostile", AF_INET, TCP_ECHO, 0 },
	{ "honest_bulk4_down", "hostile", AF_INET, BULK_DOWN, 8 }, /* more than rings hold */
	{ "memory_is_bounded", "hostile", AF_INET, MEMORY, 0 },
};

static void run(const struct test *t, uint64_t bytes)
{
	switch (t->kind) {
	case REPEATED + TCP_UP:
	case REPEATED + TCP_DOWN:
		repeated(t->name, t->family, t->kind - REPEATED, bytes, t->size);
		break;
	case CONNECTIONS:
		connections(t->name, t->family, t->size, 5000);
		break;
	case UDP_UP:
	case UDP_DOWN:
	case GROUP4:
	case GROUP6:
		datagrams(t->name, t->family, t->kind, t->size);
		break;
	case BULK_UP:
	case BULK_DOWN:
		bulk(t->name, t->family, t->kind, (uint64_t)t->size << 20);
		break;
	case DUPLICATES:
		duplicates();
		break;
	case MEMORY:
		memory();
		break;
	default:
		stream(t->name, t->family, t->kind, bytes);
	}
}

/* The first connection of all finds when the server is up. */
static void wait_for_server(int family)
{
	struct sockaddr_storage to;
	socklen_t length = peer_address(&to, family, SERVER, PORT);

	for (int tries = 0; tries < 300; tries++) {
		int fd = socket(family, SOCK_STREAM, 0);

		if (!connect(fd, (struct sockaddr *)&to, length)) {
			close(fd);
			return;
		}
		close(fd);
		nap(200);
	}
	fail("no server");
}

void run_client(const char *link, uint64_t bytes)
{
	wait_for_server(AF_INET);
	wait_for_server(AF_INET6);
	for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const struct test *t = &tests[i];
		int status;
		pid_t pid;

		if (strcmp(t->link, link))
			continue;
		printf("begin net.%s\n", t->name);
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			alarm(TEST_SECONDS);
			run(t, bytes);
			exit(0);
		}
		waitpid(pid, &status, 0);
		if (WIFSIGNALED(status))
			printf("ended by signal %d\n", WTERMSIG(status));
		printf("%s net.%s\n", status ? "not ok" : "ok", t->name);
		fflush(stdout);
	}
}
