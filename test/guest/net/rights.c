/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What travels with messages: descriptors and credentials, unix(7) and cmsg(3). */
#include "guest_test.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

union control {
	char bytes[CMSG_SPACE(sizeof(int) * 260)];
	struct cmsghdr align;
};

/* Sends `count` descriptors with one byte. */
static ssize_t send_fds(int to, const int *fds, unsigned count)
{
	union control control = {};
	struct iovec vector = { "x", 1 };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	return sendmsg(to, &message, MSG_NOSIGNAL);
}

/* Receives; the descriptors go to fds, their number is returned; *flags: those of the message. */
static int receive_fds(int from, int *fds, unsigned room, int flags, int *result)
{
	union control control = {};
	char byte[16];
	struct iovec vector = { byte, sizeof(byte) };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = room ? CMSG_LEN(room * sizeof(int)) : 0 };
	struct cmsghdr *header;
	int count = 0;

	if (recvmsg(from, &message, flags) < 0)
		return -1;
	*result = message.msg_flags;
	header = CMSG_FIRSTHDR(&message);
	if (!header)
		return 0;
	if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(header), (size_t)count * sizeof(int));
	}
	return count;
}

TEST(rights_pass_descriptors)
{
	int fds[2], pipes[2], got[4] = {}, flags = 0;
	char buf[8];

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && pipe(pipes) == 0);
	EXPECT_EQ(send_fds(fds[0], pipes, 2), 1);
	close(pipes[1]);
	EXPECT_EQ(receive_fds(fds[1], got, 4, MSG_CMSG_CLOEXEC, &flags), 2);
	EXPECT_EQ(flags, MSG_CMSG_CLOEXEC);
	EXPECT_EQ(fcntl(got[1], F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(write(got[1], "y", 1), 1);
	EXPECT_EQ(read(pipes[0], buf, 1), 1);
	/* In a queue it is open still. */
	EXPECT_EQ(send_fds(fds[0], &got[1], 1), 1);
	close(got[1]);
	EXPECT_EQ(fcntl(pipes[0], F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(read(pipes[0], buf, 1), EAGAIN);
	/* A read without room for it drops it. */
	EXPECT_EQ(read(fds[1], buf, sizeof(buf)), 1);
	EXPECT_EQ(read(pipes[0], buf, 1), 0);
}

TEST(rights_bounds)
{
	int fds[2], many[254], got[260], flags = 0, next;

	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	for (int i = 0; i < 254; i++)
		many[i] = 0;
	EXPECT_ERRNO(send_fds(fds[0], many, 254), EINVAL);
	EXPECT_EQ(send_fds(fds[0], many, 253), 1);
	EXPECT_EQ(receive_fds(fds[1], got, 260, 0, &flags), 253);
	EXPECT_EQ(flags, 0);
	for (int i = 0; i < 253; i++)
		close(got[i]);
	many[1] = 999;
	EXPECT_ERRNO(send_fds(fds[0], many, 2), EBADF);
	/* Less room than descriptors. */
	many[1] = 0;
	next = dup(0);
	close(next);
	EXPECT_EQ(send_fds(fds[0], many, 3), 1);
	EXPECT_EQ(receive_fds(fds[1], got, 1, 0, &flags), 1);
	EXPECT_EQ(flags, MSG_CTRUNC);
	EXPECT_EQ(got[0], next);
	close(next);
	EXPECT_EQ(send_fds(fds[0], many, 1), 1);
	EXPECT_EQ(receive_fds(fds[1], got, 0, 0, &flags), 0);
	EXPECT_EQ(flags, MSG_CTRUNC);
	EXPECT_EQ(dup(0), next);
}

TEST(rights_peek)
{
	int fds[2], pipes[2], got[2] = {}, again[2] = {}, flags = 0;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && pipe(pipes) == 0);
	EXPECT_EQ(send_fds(fds[0], pipes, 1), 1);
	EXPECT_EQ(receive_fds(fds[1], got, 2, MSG_PEEK, &flags), 1);
	EXPECT_EQ(receive_fds(fds[1], again, 2, 0, &flags), 1);
	EXPECT_NE(got[0], again[0]);
	EXPECT_ERRNO(recv(fds[1], got, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(rights_part_a_stream)
{
	int fds[2], got[2] = {}, flags = 0, zero = 0;
	char buf[8];

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	EXPECT_EQ(write(fds[0], "ab", 2), 2);
	EXPECT_EQ(send_fds(fds[0], &zero, 1), 1);
	EXPECT_EQ(write(fds[0], "cd", 2), 2);
	/* Data with descriptors ends the read that gets them. */
	EXPECT_EQ(recv(fds[1], buf, 1, 0), 1);
	EXPECT_EQ(receive_fds(fds[1], got, 2, 0, &flags), 1);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), 0), 2);
	EXPECT_EQ(memcmp(buf, "cd", 2), 0);
}

TEST(rights_no_descriptor_left)
{
	int fds[2], got[2] = {}, flags = 0, two[2] = { 0, 0 };
	struct rlimit limit = { 5, 100 };

	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	EXPECT_EQ(send_fds(fds[0], two, 2), 1);
	limit.rlim_cur = (rlim_t)fds[1] + 2;
	EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	EXPECT_EQ(receive_fds(fds[1], got, 2, 0, &flags), 1);
	EXPECT_EQ(flags, MSG_CTRUNC);
}

TEST(rights_bad_control_messages)
{
	union control control = {};
	struct iovec vector = { "x", 1 };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control };
	int fds[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	message.msg_controllen = sizeof(struct cmsghdr) - 1; /* too short to hold one: nothing */
	EXPECT_EQ(sendmsg(fds[0], &message, 0), 1);
	message.msg_controllen = CMSG_SPACE(4);
	control.align.cmsg_len = 1;
	EXPECT_ERRNO(sendmsg(fds[0], &message, 0), EINVAL);
	control.align.cmsg_len = 1000;
	EXPECT_ERRNO(sendmsg(fds[0], &message, 0), EINVAL);
	control.align.cmsg_len = CMSG_LEN(4);
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = 77;
	EXPECT_ERRNO(sendmsg(fds[0], &message, 0), EINVAL);
	control.align.cmsg_type = SCM_CREDENTIALS;
	EXPECT_ERRNO(sendmsg(fds[0], &message, 0), EINVAL);
	message.msg_controllen = 1 << 20;
	EXPECT_ERRNO(sendmsg(fds[0], &message, 0), ENOBUFS);
	message.msg_control = (void *)8;
	message.msg_controllen = 64;
	EXPECT_ERRNO(sendmsg(fds[0], &message, 0), EFAULT);
}

/* Receives one byte with credentials. */
static bool receive_credentials(int from, struct ucred *out)
{
	union control control = {};
	char byte;
	struct iovec vector = { &byte, 1 };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;

	if (recvmsg(from, &message, 0) < 0)
		return false;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(out, CMSG_DATA(header), sizeof(*out));
	return true;
}

static ssize_t send_credentials(int to, struct ucred claimed)
{
	union control control = {};
	struct iovec vector = { "x", 1 };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_SPACE(sizeof(claimed)) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_CREDENTIALS;
	header->cmsg_len = CMSG_LEN(sizeof(claimed));
	memcpy(CMSG_DATA(header), &claimed, sizeof(claimed));
	return sendmsg(to, &message, 0);
}

TEST(rights_credentials)
{
	struct ucred got = {};
	int fds[2], on = 1, status;

	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	EXPECT_EQ(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	EXPECT_EQ(send(fds[0], "x", 1, 0), 1);
	EXPECT(receive_credentials(fds[1], &got));
	EXPECT_EQ(got.pid, getpid());
	EXPECT_EQ(got.uid, 0);
	EXPECT_EQ(send_credentials(fds[0], (struct ucred){ 1, 22, 33 }), 1);
	EXPECT(receive_credentials(fds[1], &got));
	EXPECT_EQ(got.pid, 1);
	EXPECT_EQ(got.uid, 22);
	EXPECT_EQ(got.gid, 33);
	if (fork() == 0) {
		EXPECT_EQ(setgid(1000), 0);
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(send_credentials(fds[0], (struct ucred){ 1, 1000, 1000 }), EPERM);
		EXPECT_ERRNO(send_credentials(fds[0], (struct ucred){ getpid(), 0, 1000 }), EPERM);
		EXPECT_ERRNO(send_credentials(fds[0], (struct ucred){ getpid(), 1000, 0 }), EPERM);
		EXPECT_EQ(send_credentials(fds[0], (struct ucred){ getpid(), 1000, 1000 }), 1);
		_exit(test_has_failed());
	}
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
}

/* A write end of a pipe whose last copy is in a queue that nobody can read is closed: end of file. */
static void expect_closed(int pipe_end)
{
	char byte;
	int i;

	EXPECT_EQ(fcntl(pipe_end, F_SETFL, O_NONBLOCK), 0);
	for (i = 0; i < 500 && read(pipe_end, &byte, 1) != 0; i++)
		usleep(10000);
	EXPECT(i < 500);
}

TEST(rights_cycle_of_one)
{
	int fds[2], pipes[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && pipe(pipes) == 0);
	EXPECT_EQ(send_fds(fds[0], &fds[1], 1), 1);
	EXPECT_EQ(send_fds(fds[0], &pipes[1], 1), 1);
	close(pipes[1]);
	close(fds[0]);
	close(fds[1]);
	/* Linux looks for garbage when a socket is closed. */
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	expect_closed(pipes[0]);
}

TEST(rights_cycle_of_two)
{
	int a[2], b[2], pipes[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, a) == 0);
	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, b) == 0 && pipe(pipes) == 0);
	EXPECT_EQ(send_fds(a[0], b, 2), 1);
	EXPECT_EQ(send_fds(b[0], a, 2), 1);
	EXPECT_EQ(send_fds(b[1], &pipes[1], 1), 1);
	close(pipes[1]);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	expect_closed(pipes[0]);
}

/* What can still be received is no garbage. */
TEST(rights_reachable_is_kept)
{
	int a[2], b[2], got[2] = {}, inner[2] = {}, flags = 0;

	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, a) == 0);
	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, b) == 0);
	EXPECT_EQ(send_fds(b[0], &b[1], 1), 1); /* b[1] in its own queue */
	EXPECT_EQ(send_fds(a[0], &b[1], 1), 1); /* and in one that is open */
	close(b[0]);
	close(b[1]);
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	usleep(50000);
	EXPECT_EQ(receive_fds(a[1], got, 2, 0, &flags), 1);
	EXPECT_EQ(receive_fds(got[0], inner, 2, 0, &flags), 1);
	EXPECT(fcntl(inner[0], F_GETFD) >= 0);
}

TEST(rights_cycle_in_a_backlog)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0cycle" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	int pipes[2];

	REQUIRE(pipe(pipes) == 0);
	EXPECT_EQ(bind(server, (struct sockaddr *)&name, 8), 0);
	EXPECT_EQ(listen(server, 1), 0);
	EXPECT_EQ(connect(client, (struct sockaddr *)&name, 8), 0);
	EXPECT_EQ(send_fds(client, &server, 1), 1);
	EXPECT_EQ(send_fds(client, &pipes[1], 1), 1);
	close(pipes[1]);
	close(client);
	close(server);
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	expect_closed(pipes[0]);
}

/* A chain of sockets, each in the queue of the next, goes without exhausting a stack. */
TEST(rights_long_chain)
{
	int previous = -1, fds[2], pipes[2], i;

	REQUIRE(pipe(pipes) == 0);
	previous = pipes[1];
	for (i = 0; i < 2000; i++) {
		REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
		if (send_fds(fds[0], &previous, 1) != 1) {
			/* Linux bounds the depth of nesting. */
			EXPECT_EQ(errno, ETOOMANYREFS);
			close(fds[0]);
			close(fds[1]);
			break;
		}
		close(previous);
		close(fds[0]);
		previous = fds[1];
	}
	close(previous);
	expect_closed(pipes[0]);
}

TEST(rights_in_flight_are_limited)
{
	struct rlimit limit = { 30, 30 };
	int fds[2], zero[10] = {}, i, status;

	if (fork() == 0) {
		REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
		EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
		EXPECT_EQ(setuid(1234), 0);
		for (i = 0; i < 20 && send_fds(fds[0], zero, 10) == 1; i++)
			;
		EXPECT_EQ(errno, ETOOMANYREFS);
		EXPECT_EQ(i, 4);
		_exit(test_has_failed());
	}
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
}
