/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One of two machines on an Ethernet: the init of the net layer's guests. `peer=server` on the kernel's command line answers
 * requests, `peer=client` makes them and prints a line for each test. What is sent follows from a seed, so that the
 * receiver knows every byte. `bytes=` is how much a TCP test transfers.
 */
#define _GNU_SOURCE
#include "peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char command_line[2048];

static const char *word(const char *name, const char *otherwise)
{
	static char value[64];
	char pattern[32];
	const char *at;

	snprintf(pattern, sizeof(pattern), "%s=", name);
	at = strstr(command_line, pattern);
	if (!at)
		return otherwise;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(pattern), " \n"),
		 at + strlen(pattern));
	return value;
}

void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf(" (errno %d: %s)\n", errno, strerror(errno));
	fflush(stdout);
	_exit(1);
}

double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void nap(unsigned milliseconds)
{
	struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

/* --- Set-up --- */

/* Debian's kernel has its drivers in modules; this one has none to load. */
static void load_modules(void)
{
	static const char *const names[] = { "virtio_ring",
					     "virtio",
					     "virtio_pci_legacy_dev",
					     "virtio_pci_modern_dev",
					     "virtio_pci",
					     "virtio_mmio",
					     "failover",
					     "net_failover",
					     "virtio_net" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/modules/%s.ko", names[i]);
		fd = open(path, O_RDONLY);
		if (fd >= 0 && !syscall(SYS_finit_module, fd, "", 0))
			close(fd);
	}
}

void set_address6(int index, unsigned number, bool ask)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg message;
		struct rtattr attribute;
		struct in6_addr address;
	} r = {
		.header = { sizeof(r), RTM_NEWADDR, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, 0,
			    0 },
		.message = { AF_INET6, 64, ask ? 0 : IFA_F_NODAD, 0, (unsigned)index },
		.attribute = { sizeof(r.attribute) + sizeof(r.address), IFA_LOCAL },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	char text[64];

	snprintf(text, sizeof(text), "fd09::%x", number);
	inet_pton(AF_INET6, text, &r.address);
	if (send(fd, &r, sizeof(r), 0) != sizeof(r) || recv(fd, &answer, sizeof(answer), 0) < 0 ||
	    answer.error.error)
		fail("IPv6 address: %d", answer.error.error);
	close(fd);
}

static void set_addresses(unsigned number)
{
	struct ifreq r = { .ifr_name = "eth0" };
	struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), index;

	for (int tries = 0; ioctl(fd, SIOCGIFINDEX, &r); tries++) {
		if (tries == 200)
			fail("no eth0");
		nap(50);
	}
	index = r.ifr_ifindex;
	memset(&r.ifr_addr, 0, sizeof(r.ifr_addr));
	a->sin_family = AF_INET;
	a->sin_addr.s_addr = htonl(0x0a090000 + number);
	if (ioctl(fd, SIOCSIFADDR, &r))
		fail("address");
	a->sin_addr.s_addr = htonl(0xffffff00);
	if (ioctl(fd, SIOCSIFNETMASK, &r))
		fail("mask");
	if (ioctl(fd, SIOCGIFFLAGS, &r))
		fail("flags");
	r.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		fail("up");
	close(fd);
	set_address6(index, number, false);
	for (unsigned i = 0; number == SERVER && i < 3; i++)
		set_address6(index, TAKEN + i, false);
}

socklen_t peer_address(struct sockaddr_storage *to, int family, unsigned number, unsigned port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
	char text[64];

	memset(to, 0, sizeof(*to));
	if (family == AF_INET) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		four->sin_addr.s_addr = htonl(0x0a090000 + number);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)port);
	snprintf(text, sizeof(text), "fd09::%x", number);
	inet_pton(AF_INET6, text, &six->sin6_addr);
	return sizeof(*six);
}

/* --- Bytes that follow from a seed --- */

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

void fill(uint8_t *to, uint64_t seed, uint64_t offset, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = offset + i;

		if (!i || at % 8 == 0)
			word = mix(seed + at / 8);
		to[i] = (uint8_t)(word >> at % 8 * 8);
	}
}

bool send_all(int fd, const void *from, size_t n)
{
	const uint8_t *at = from;

	while (n) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
		n -= (size_t)sent;
	}
	return true;
}

bool receive_all(int fd, void *to, size_t n)
{
	uint8_t *at = to;

	while (n) {
		ssize_t got = recv(fd, at, n, 0);

		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

bool send_stream(int fd, uint64_t seed, uint64_t bytes)
{
	static uint8_t buffer[16384];

	for (uint64_t at = 0; at < bytes;) {
		/* Pieces of odd sizes, so that segments and writes do not fall together. */
		size_t n = 1 + mix(seed ^ at) % sizeof(buffer);

		n = n < bytes - at ? n : (size_t)(bytes - at);
		fill(buffer, seed, at, n);
		if (!send_all(fd, buffer, n))
			return false;
		at += n;
	}
	return true;
}

bool receive_stream(int fd, uint64_t seed, uint64_t bytes)
{
	static uint8_t buffer[16384], wanted[16384];

	for (uint64_t at = 0; at < bytes;) {
		size_t most = sizeof(buffer) < bytes - at ? sizeof(buffer) : (size_t)(bytes - at);
		ssize_t n = recv(fd, buffer, most, 0);

		if (n <= 0)
			return false;
		fill(wanted, seed, at, (size_t)n);
		if (memcmp(buffer, wanted, (size_t)n)) {
			printf("wrong bytes at %llu\n", (unsigned long long)at);
			return false;
		}
		at += (uint64_t)n;
	}
	return true;
}

/* --- UDP: numbered datagrams --- */

static size_t datagram(uint8_t *to, uint64_t seed, uint32_t index, uint32_t size)
{
	size_t n = 8 + mix(seed * 31 + index) % (size - 8);

	memcpy(to, &index, 4);
	memcpy(to + 4, &n, 4);
	fill(to + 8, seed + index, 0, n - 8);
	return n;
}

void send_datagrams(int fd, const struct request *r)
{
	static uint8_t buffer[65536];

	for (uint32_t i = 0; i < r->count; i++) {
		size_t n = datagram(buffer, r->seed, i, r->size);

		(void)!send(fd, buffer, n, MSG_NOSIGNAL);
		nap(4);
	}
}

/* Until nothing has come for a while. */
struct tally receive_datagrams(int fd, const struct request *r)
{
	static uint8_t buffer[65536], wanted[65536], seen[65536];
	struct tally tally = {};
	struct timeval patience = { .tv_sec = 2 };
	ssize_t n;

	memset(seen, 0, sizeof(seen));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		uint32_t index;

		if (n < 8)
			continue; /* a greeting */
		memcpy(&index, buffer, 4);
		if (index >= r->count || index >= sizeof(seen) ||
		    datagram(wanted, r->seed, index, r->size) != (size_t)n ||
		    memcmp(buffer, wanted, (size_t)n))
			tally.wrong++;
		else if (seen[index])
			tally.again++;
		else
			seen[index] = 1, tally.right++;
	}
	return tally;
}

int main(void)
{
	char link[16];
	bool server;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	int fd = open("/proc/cmdline", O_RDONLY);

	(void)!read(fd, command_line, sizeof(command_line) - 1);
	close(fd);
	server = !strcmp(word("peer", "server"), "server");
	snprintf(link, sizeof(link), "%s", word("link", "lossy"));
	load_modules();
	setvbuf(stdout, NULL, _IOLBF, 0);
	set_addresses(server ? SERVER : CLIENT);
	if (server)
		serve();
	else
		run_client(link, strtoull(word("bytes", "250000"), NULL, 0));
	printf("end of tests\n");
	sync();
	reboot(RB_AUTOBOOT);
	return 0;
}
