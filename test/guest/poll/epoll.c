/* SPDX-License-Identifier: GPL-2.0-or-later */
/* epoll(7). */
#include "guest_test.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

/* Not known to the compiler, which would warn. */
static void *volatile bad_address = (void *)8;

static int add(int ep, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

/* Events of the first ready descriptor, 0 if none is. */
static uint32_t first(int ep, int *fd)
{
	struct epoll_event e = {};

	if (epoll_wait(ep, &e, 1, 0) != 1)
		return 0;
	*fd = e.data.fd;
	return e.events;
}

TEST(epoll_ctl_errors)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC), fds[2], file;

	REQUIRE(pipe(fds) == 0);
	make_file("file", "x");
	file = open("file", O_RDONLY);
	EXPECT_EQ(fcntl(ep, F_GETFD), FD_CLOEXEC);
	EXPECT_ERRNO(epoll_create1(1), EINVAL);
	EXPECT_ERRNO(epoll_create(0), EINVAL);
	EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &e), 0);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &e), EEXIST);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fds[1], &e), ENOENT);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_DEL, fds[1], NULL), ENOENT);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, 999, &e), EBADF);
	EXPECT_ERRNO(epoll_ctl(999, EPOLL_CTL_ADD, fds[1], &e), EBADF);
	EXPECT_ERRNO(epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[1], &e), EINVAL);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e), EINVAL);
	EXPECT_ERRNO(epoll_ctl(ep, 77, fds[1], &e), EINVAL);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, file, &e), EPERM);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], bad_address), EFAULT);
	EXPECT_ERRNO(epoll_wait(ep, &e, 0, 0), EINVAL);
	EXPECT_ERRNO(epoll_wait(fds[0], &e, 1, 0), EINVAL);
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	EXPECT_ERRNO(epoll_wait(ep, bad_address, 1, 0), EFAULT);
	EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1); /* the event was not lost */
}

TEST(epoll_level_and_edge)
{
	int ep = epoll_create1(0), level[2], edge[2], fd = -1;
	char c;

	REQUIRE(pipe(level) == 0 && pipe(edge) == 0);
	EXPECT_EQ(add(ep, level[0], EPOLLIN), 0);
	EXPECT_EQ(first(ep, &fd), 0);
	EXPECT_EQ(write(level[1], "ab", 2), 2);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(first(ep, &fd), EPOLLIN);
	EXPECT_EQ(fd, level[0]);
	EXPECT_EQ(read(level[0], &c, 1), 1);
	EXPECT_EQ(first(ep, &fd), EPOLLIN);
	EXPECT_EQ(read(level[0], &c, 1), 1);
	EXPECT_EQ(first(ep, &fd), 0);

	EXPECT_EQ(add(ep, edge[0], EPOLLIN | EPOLLET), 0);
	EXPECT_EQ(write(edge[1], "a", 1), 1);
	EXPECT_EQ(first(ep, &fd), EPOLLIN);
	EXPECT_EQ(fd, edge[0]);
	EXPECT_EQ(first(ep, &fd), 0);
	EXPECT_EQ(write(edge[1], "b", 1), 1);
	EXPECT_EQ(first(ep, &fd), EPOLLIN); /* a new arrival is a new edge */
	EXPECT_EQ(first(ep, &fd), 0);
	close(edge[1]);
	EXPECT_EQ(first(ep, &fd), EPOLLIN | EPOLLHUP);
}

TEST(epoll_oneshot_until_modified)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT };
	int ep = epoll_create1(0), fds[2], fd;

	REQUIRE(pipe(fds) == 0);
	EXPECT_EQ(add(ep, fds[0], EPOLLIN | EPOLLONESHOT), 0);
	EXPECT_EQ(write(fds[1], "a", 1), 1);
	EXPECT_EQ(first(ep, &fd), EPOLLIN);
	EXPECT_EQ(write(fds[1], "b", 1), 1);
	EXPECT_EQ(first(ep, &fd), 0);
	EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &e), 0);
	EXPECT_EQ(first(ep, &fd), EPOLLIN);
	e.events = 0;
	EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &e), 0);
	EXPECT_EQ(first(ep, &fd), 0);
	EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], NULL), 0);
	EXPECT_EQ(add(ep, fds[0], EPOLLIN), 0);
	EXPECT_EQ(first(ep, &fd), EPOLLIN);
}

TEST(epoll_forgets_closed_files)
{
	int ep = epoll_create1(0), fds[2], copy, fd;

	REQUIRE(pipe(fds) == 0);
	EXPECT_EQ(add(ep, fds[0], EPOLLIN), 0);
	EXPECT_EQ(write(fds[1], "a", 1), 1);
	copy = dup(fds[0]);
	close(fds[0]);
	EXPECT_EQ(first(ep, &fd), EPOLLIN); /* the open file lives on */
	close(copy);
	EXPECT_EQ(first(ep, &fd), 0);
}

TEST(epoll_waits_and_times_out)
{
	struct epoll_event e;
	int ep = epoll_create1(0), event = eventfd(0, 0);
	long long start = now_ms();
	uint64_t v = 1;

	EXPECT_EQ(add(ep, event, EPOLLIN), 0);
	EXPECT_EQ(epoll_wait(ep, &e, 1, 30), 0);
	EXPECT_GE(now_ms() - start, 29);
	IN_CHILD(pid)
	{
		sleep_ms(30);
		_exit(write(event, &v, 8) == 8 ? 0 : 1);
	}
	EXPECT_EQ(epoll_wait(ep, &e, 1, 5000), 1);
	EXPECT_EQ(e.data.fd, event);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(epoll_gives_every_descriptor_its_turn)
{
	enum { N = 20 };
	struct epoll_event e[8];
	int ep = epoll_create1(0), fds[N], seen[1024] = { 0 };

	for (int i = 0; i < N; i++) {
		fds[i] = eventfd(1, 0);
		EXPECT_EQ(add(ep, fds[i], EPOLLIN), 0);
	}
	for (int round = 0; round < 5; round++) {
		int n = epoll_wait(ep, e, 8, 0);

		EXPECT_EQ(n, 8);
		for (int i = 0; i < n; i++)
			seen[e[i].data.fd]++;
	}
	for (int i = 0; i < N; i++)
		EXPECT_EQ(seen[fds[i]], 2);
}

TEST(epoll_nests_without_cycles)
{
	int a = epoll_create1(0), b = epoll_create1(0), event = eventfd(0, 0), fd = -1;
	uint64_t v = 1;

	EXPECT_EQ(add(a, b, EPOLLIN), 0);
	EXPECT_ERRNO(add(b, a, EPOLLIN), ELOOP);
	EXPECT_EQ(add(b, event, EPOLLIN), 0);
	EXPECT_EQ(first(a, &fd), 0);
	EXPECT_EQ(write(event, &v, 8), 8);
	EXPECT_EQ(first(a, &fd), EPOLLIN);
	EXPECT_EQ(fd, b);
	EXPECT_EQ(read(event, &v, 8), 8);
	EXPECT_EQ(first(a, &fd), 0);
}

TEST(epoll_chain_is_bounded)
{
	int last = epoll_create1(0), depth = 1;

	while (depth < 20) {
		int ep = epoll_create1(0);

		if (add(ep, last, EPOLLIN))
			break;
		last = ep;
		depth++;
	}
	EXPECT_EQ(errno, ELOOP);
	EXPECT_EQ(depth, 5);
}

TEST(epoll_exclusive_rules)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(0), inner = epoll_create1(0), event = eventfd(1, 0), fd;

	EXPECT_EQ(add(ep, event, EPOLLIN | EPOLLEXCLUSIVE), 0);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, event, &e), EINVAL);
	EXPECT_ERRNO(add(ep, inner, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
	EXPECT_ERRNO(add(ep, eventfd(0, 0), EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL);
	EXPECT_EQ(first(ep, &fd), EPOLLIN);
}

TEST(epoll_pwait_mask)
{
	struct epoll_event e;
	int ep = epoll_create1(0);
	sigset_t blocked, none;

	signal(SIGUSR1, SIG_DFL);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	IN_CHILD(pid)
	{
		kill(getpid(), SIGALRM);
		epoll_pwait(ep, &e, 1, 5000, &none);
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGALRM);
}
