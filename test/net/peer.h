/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two machines of the net layer say to each other: a TCP connection each time, with a request first. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SERVER 1 /* the last part of their addresses */
#define CLIENT 2
#define PORT 5001
#define TAKEN 0xdea0 /* and two more: addresses that the server has, too */

enum request_kind {
	TCP_UP = 1,
	TCP_DOWN,
	TCP_ECHO,
	UDP_UP,
	UDP_DOWN,
	BULK_UP,
	BULK_DOWN,
	MEMORY,
	GROUP4,
	GROUP6
};

struct request {
	uint32_t kind;
	uint32_t count, size; /* UDP: datagrams, and the most bytes of one */
	uint32_t port;	      /* UDP: of the server, in its answer */
	uint64_t seed, bytes;
};

/* What the receiver of datagrams saw. */
struct tally {
	uint32_t right, again, wrong;
};

void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
double now_seconds(void);
void nap(unsigned milliseconds);
socklen_t peer_address(struct sockaddr_storage *to, int family, unsigned number, unsigned port);

/* A socket that talks to 239.9.9.9 or ff15::909 on eth0, joined to it if `join`; `to`: the group's address. */
int group_socket(int family, unsigned port, bool join, struct sockaddr_storage *to,
		 socklen_t *length);

/* Adds fd09::`number` to a device; `ask`: with a look whether somebody has it. */
void set_address6(int index, unsigned number, bool ask);

/* The bytes of a seed's stream from `offset` on. */
void fill(uint8_t *to, uint64_t seed, uint64_t offset, size_t n);
bool send_all(int fd, const void *from, size_t n);
bool receive_all(int fd, void *to, size_t n);
bool send_stream(int fd, uint64_t seed, uint64_t bytes);
bool receive_stream(int fd, uint64_t seed, uint64_t bytes);
void send_datagrams(int fd, const struct request *r);
struct tally receive_datagrams(int fd, const struct request *r);

/* Answers requests until the machine is switched off. */
void serve(void) __attribute__((noreturn));
/* Every test of a kind of link. `link`: "lossy", "rates", "clean", "hostile". */
void run_client(const char *link, uint64_t bytes);
