/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What MSG_ERRQUEUE tells of what was sent: MSG_ZEROCOPY, SO_TIMESTAMPING, and what did not fit. */
#include "net_test.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <sched.h>

struct notice {
	struct sock_extended_err error;
	struct scm_timestamping stamps;
	bool has_error, has_stamps;
	ssize_t length;
	int flags;
	char data[256];
};

static void read_controls(struct msghdr *m, struct notice *out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) {
			memcpy(&out->error, CMSG_DATA(c), sizeof(out->error));
			out->has_error = true;
		}
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
			memcpy(&out->stamps, CMSG_DATA(c), sizeof(out->stamps));
			out->has_stamps = true;
		}
	}
}

/* The next message, with `flags`; waits for it. */
static struct notice notice_of(int fd, int flags)
{
	struct notice n = {};
	char control[512];
	struct iovec v = { n.data, sizeof(n.data) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	if (flags & MSG_ERRQUEUE)
		EXPECT(ready(fd, 0, 5000) & POLLERR);
	n.length = recvmsg(fd, &m, flags);
	n.flags = m.msg_flags;
	read_controls(&m, &n);
	return n;
}

static bool recent(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return t->tv_sec && now.tv_sec - t->tv_sec <= 100 && now.tv_sec >= t->tv_sec;
}

TEST(zerocopy_needs_a_kind_of_socket)
{
	int one = 1, two = 2, value;
	socklen_t length = sizeof(value);
	int tcp = socket(AF_INET, SOCK_STREAM, 0), raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	int local = socket(AF_UNIX, SOCK_STREAM, 0);

	EXPECT_EQ(setsockopt(tcp, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
	EXPECT_EQ(getsockopt(tcp, SOL_SOCKET, SO_ZEROCOPY, &value, &length), 0);
	EXPECT_EQ(value, 1);
	EXPECT_ERRNO(setsockopt(tcp, SOL_SOCKET, SO_ZEROCOPY, &two, sizeof(two)), EINVAL);
	EXPECT_ERRNO(setsockopt(raw, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), EOPNOTSUPP);
	EXPECT_ERRNO(setsockopt(local, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), EOPNOTSUPP);
}

/* Over loopback the bytes are copied, by both kernels. Notices may come one for each send, or together. */
static void expect_notices(int fd, unsigned count)
{
	unsigned next = 0;

	while (next < count) {
		struct notice n = notice_of(fd, MSG_ERRQUEUE);

		REQUIRE(n.length == 0);
		EXPECT(n.has_error);
		EXPECT(n.flags & MSG_ERRQUEUE);
		EXPECT_EQ(n.error.ee_errno, 0);
		EXPECT_EQ(n.error.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
		EXPECT_EQ(n.error.ee_code, SO_EE_CODE_ZEROCOPY_COPIED);
		EXPECT_EQ(n.error.ee_info, next);
		REQUIRE(n.error.ee_data >= next && n.error.ee_data < count);
		next = n.error.ee_data + 1;
	}
	EXPECT_EQ(ready(fd, 0, 0), 0);
}

TEST(zerocopy_of_a_stream_is_told)
{
	static char out[65536], in[65536];
	int client, server, one = 1;

	loopback_up();
	connected(&client, &server);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 3);
	/* Without the option the flag means nothing. */
	EXPECT_EQ(send(client, out, 100, MSG_ZEROCOPY), 100);
	EXPECT_EQ(recv(server, in, 100, MSG_WAITALL), 100);
	EXPECT_ERRNO(recv(client, in, 1, MSG_ERRQUEUE), EAGAIN);
	REQUIRE(setsockopt(client, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) == 0);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(send(client, out, sizeof(out), MSG_ZEROCOPY), sizeof(out));
		EXPECT_EQ(recv(server, in, sizeof(in), MSG_WAITALL), sizeof(in));
		EXPECT(memcmp(in, out, sizeof(in)) == 0);
	}
	expect_notices(client, 3);
}

TEST(zerocopy_of_datagrams_is_told)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM), one = 1;
	struct sockaddr_in to = loopback_address(port_of(b));
	char in[8192], out[8192] = "x";

	REQUIRE(setsockopt(a, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) == 0);
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(sendto(a, out, sizeof(out), MSG_ZEROCOPY, (struct sockaddr *)&to,
				 sizeof(to)),
			  sizeof(out));
		EXPECT_EQ(recv(b, in, sizeof(in), 0), sizeof(in));
	}
	expect_notices(a, 4);
}

static void set_timestamping(int fd, int flags)
{
	REQUIRE(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) == 0);
}

TEST(timestamping_of_what_comes)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM), value, bad = 1 << 30;
	struct sockaddr_in to = loopback_address(port_of(b));
	socklen_t length = sizeof(value);
	struct notice n;

	EXPECT_ERRNO(setsockopt(b, SOL_SOCKET, SO_TIMESTAMPING, &bad, sizeof(bad)), EINVAL);
	set_timestamping(b, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	EXPECT_EQ(getsockopt(b, SOL_SOCKET, SO_TIMESTAMPING, &value, &length), 0);
	EXPECT_EQ(value, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	EXPECT_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	n = notice_of(b, 0);
	EXPECT_EQ(n.length, 1);
	EXPECT(n.has_stamps && recent(&n.stamps.ts[0]));
	EXPECT(!n.stamps.ts[2].tv_sec);
	/* Without SOF_TIMESTAMPING_SOFTWARE nothing is reported. */
	set_timestamping(b, SOF_TIMESTAMPING_RX_SOFTWARE);
	EXPECT_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	n = notice_of(b, 0);
	EXPECT(!n.has_stamps);
}

TEST(timestamping_of_what_goes)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_address(port_of(b));
	struct notice n;

	set_timestamping(a, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
				    SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
	for (unsigned i = 0; i < 3; i++) {
		EXPECT_EQ(sendto(a, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
		n = notice_of(a, MSG_ERRQUEUE);
		EXPECT_EQ(n.length, 0);
		EXPECT(n.has_error && n.has_stamps && recent(&n.stamps.ts[0]));
		EXPECT_EQ(n.error.ee_errno, ENOMSG);
		EXPECT_EQ(n.error.ee_origin, SO_EE_ORIGIN_TIMESTAMPING);
		EXPECT_EQ(n.error.ee_info, SCM_TSTAMP_SND);
		EXPECT_EQ(n.error.ee_data, i);
	}
	/* With the packet: its headers, and what was sent at the end. */
	set_timestamping(a, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	EXPECT_EQ(sendto(a, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	n = notice_of(a, MSG_ERRQUEUE);
	REQUIRE(n.length == 14 + 20 + 8 + 5);
	EXPECT(memcmp(n.data + 14 + 20 + 8, "hello", 5) == 0);
	EXPECT_EQ(n.error.ee_data, 0);
	EXPECT_ERRNO(recv(a, n.data, 1, MSG_ERRQUEUE), EAGAIN);
}

TEST(timestamping_of_one_message)
{
	int a = (loopback_up(), bound(SOCK_DGRAM)), b = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_address(port_of(b));
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_name = &to,
			    .msg_namelen = sizeof(to),
			    .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int wanted = SOF_TIMESTAMPING_TX_SOFTWARE, wrong = SOF_TIMESTAMPING_SOFTWARE;
	struct notice n;

	set_timestamping(a, SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY);
	*c = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SO_TIMESTAMPING };
	memcpy(CMSG_DATA(c), &wanted, sizeof(wanted));
	EXPECT_EQ(sendmsg(a, &m, 0), 1);
	n = notice_of(a, MSG_ERRQUEUE);
	EXPECT(n.has_stamps && recent(&n.stamps.ts[0]));
	EXPECT_EQ(send(a, "x", 1, 0), -1);
	EXPECT_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	EXPECT_ERRNO(recv(a, n.data, 1, MSG_ERRQUEUE | MSG_DONTWAIT), EAGAIN);
	memcpy(CMSG_DATA(c), &wrong, sizeof(wrong));
	EXPECT_ERRNO(sendmsg(a, &m, 0), EINVAL);
}

/* The message that tells of a send which did not fit; the address that it went to. */
static struct sock_extended_err too_big(int fd, struct sockaddr_in6 *to)
{
	struct sock_extended_err error = {};
	char control[256], data[16];
	struct iovec v = { data, sizeof(data) };
	struct msghdr m = { .msg_name = to,
			    .msg_namelen = sizeof(*to),
			    .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	EXPECT(ready(fd, 0, 5000) & POLLERR);
	EXPECT_EQ(recvmsg(fd, &m, MSG_ERRQUEUE), 0);
	EXPECT(m.msg_flags & MSG_ERRQUEUE);
	REQUIRE(CMSG_FIRSTHDR(&m));
	memcpy(&error, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(error));
	EXPECT_ERRNO(recvmsg(fd, &m, MSG_ERRQUEUE), EAGAIN);
	return error;
}

static void set_loopback_mtu(int mtu)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_mtu = mtu };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	REQUIRE(ioctl(fd, SIOCSIFMTU, &request) == 0);
	close(fd);
}

/* Sends more than fits to `to`, which is not to be fragmented: the queue tells of it if `level` has asked for errors. */
static void expect_too_big(int level, int discover, int receive_errors, const void *to,
			   socklen_t size)
{
	static char data[4000];
	int one = 1, never = IP_PMTUDISC_DO, family = *(const sa_family_t *)to;
	int fd = socket(family, SOCK_DGRAM, 0);
	struct sock_extended_err error;
	struct sockaddr_in6 seen = {};

	REQUIRE(fd >= 0);
	EXPECT_EQ(setsockopt(fd, level, discover, &never, sizeof(never)), 0);
	EXPECT_ERRNO(sendto(fd, data, sizeof(data), 0, to, size), EMSGSIZE);
	EXPECT_EQ(ready(fd, 0, 0), 0);
	EXPECT_EQ(setsockopt(fd, level, receive_errors, &one, sizeof(one)), 0);
	EXPECT_ERRNO(sendto(fd, data, sizeof(data), 0, to, size), EMSGSIZE);
	error = too_big(fd, &seen);
	EXPECT_EQ(error.ee_errno, EMSGSIZE);
	EXPECT_EQ(error.ee_origin, SO_EE_ORIGIN_LOCAL);
	EXPECT_EQ(error.ee_type | error.ee_code | error.ee_data, 0);
	EXPECT_EQ(error.ee_info, 1500);
	EXPECT_EQ(seen.sin6_family, family);
	EXPECT_EQ(ntohs(seen.sin6_port), family == AF_INET6 ? 9 : 0);
	if (family == AF_INET6) { /* of more than any datagram has it is told as well */
		static char most[70000];

		EXPECT_ERRNO(sendto(fd, most, sizeof(most), 0, to, size), EMSGSIZE);
		EXPECT_EQ(too_big(fd, &seen).ee_info, 1500);
	}
	EXPECT_EQ(sendto(fd, data, 1000, 0, to, size), 1000);
	close(fd);
}

TEST(what_does_not_fit_is_told)
{
	struct sockaddr_in to = loopback_address(9);
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(9),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	REQUIRE(unshare(CLONE_NEWNET) == 0);
	loopback_up();
	set_loopback_mtu(1500);
	expect_too_big(SOL_IP, IP_MTU_DISCOVER, IP_RECVERR, &to, sizeof(to));
	expect_too_big(SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_RECVERR, &to6, sizeof(to6));
}

/* IPV6_2292PKTINFO and IPV6_2292HOPLIMIT: as they were before RFC 3542. */
TEST(old_options_of_ipv6_are_heard)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), one = 1, hops = -1;
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	char control[256], data[16];
	struct iovec v = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	bool has_address = false;

	loopback_up();
	REQUIRE(bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	to.sin6_port = htons(port_of(fd));
	EXPECT_EQ(setsockopt(fd, SOL_IPV6, IPV6_2292HOPLIMIT, &one, sizeof(one)), 0);
	EXPECT_EQ(setsockopt(fd, SOL_IPV6, IPV6_2292PKTINFO, &one, sizeof(one)), 0);
	EXPECT_ERRNO(setsockopt(fd, SOL_IPV6, IPV6_HOPLIMIT, &one, sizeof(one)), ENOPROTOOPT);
	REQUIRE(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1);
	EXPECT_EQ(recvmsg(fd, &m, 0), 1);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		EXPECT_EQ(c->cmsg_level, SOL_IPV6);
		if (c->cmsg_type == IPV6_2292HOPLIMIT)
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
		has_address |= c->cmsg_type == IPV6_2292PKTINFO &&
			       !memcmp(CMSG_DATA(c), &to.sin6_addr, 16);
	}
	EXPECT_EQ(hops, 64);
	EXPECT(has_address);
}
