/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poll(2), ppoll(2), select(2), pselect(2). */
#include "guest_test.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>

/* Not known to the compiler, which would warn. */
static void *volatile bad_address = (void *)8;

static volatile sig_atomic_t signals;

static void count_signal(int signo)
{
	(void)signo;
	signals++;
}

TEST(poll_reports_each_descriptor)
{
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	struct pollfd p[] = { { .fd = fds[0], .events = POLLIN },
			      { .fd = fds[1], .events = POLLOUT },
			      { .fd = -5, .events = POLLIN, .revents = 77 },
			      { .fd = 999, .events = POLLIN } };
	EXPECT_EQ(poll(p, 4, -1), 2);
	EXPECT_EQ(p[0].revents, 0);
	EXPECT_EQ(p[1].revents, POLLOUT);
	EXPECT_EQ(p[2].revents, 0);
	EXPECT_EQ(p[3].revents, POLLNVAL);
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	EXPECT_EQ(poll(p, 1, -1), 1);
	EXPECT_EQ(p[0].revents, POLLIN);
	EXPECT_ERRNO(poll(bad_address, 1, 0), EFAULT);
}

TEST(poll_of_many_descriptors)
{
	enum { N = 40 };
	struct pollfd p[N];
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	for (int i = 0; i < N; i++)
		p[i] = (struct pollfd){ .fd = i % 3 ? fds[0] : fds[1], .events = POLLIN | POLLOUT };
	EXPECT_EQ(poll(p, N, 10), 14);
	for (int i = 0; i < N; i++)
		EXPECT_EQ(p[i].revents, i % 3 ? 0 : POLLOUT);
}

TEST(poll_waits_for_time_and_for_events)
{
	struct pollfd p = { .events = POLLIN };
	long long start = now_ms();
	int fds[2];

	EXPECT_EQ(poll(NULL, 0, 30), 0);
	EXPECT_GE(now_ms() - start, 29);
	REQUIRE(pipe(fds) == 0);
	p.fd = fds[0];
	IN_CHILD(pid)
	{
		sleep_ms(30);
		write(fds[1], "x", 1);
		sleep_ms(30);
		_exit(0);
	}
	EXPECT_EQ(poll(&p, 1, 5000), 1);
	EXPECT_LT(now_ms() - start, 2000);
	close(fds[1]);
	read(fds[0], fds, 1);
	EXPECT_EQ(poll(&p, 1, 5000), 1); /* the child's end closes */
	EXPECT_EQ(p.revents, POLLHUP);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(poll_is_interrupted_by_a_handler)
{
	signal(SIGALRM, count_signal);
	ualarm(20000, 0);
	EXPECT_ERRNO(poll(NULL, 0, 5000), EINTR);
	EXPECT_EQ(signals, 1);
}

TEST(poll_goes_on_after_a_stop)
{
	IN_CHILD(pid)
	{
		long long start = now_ms();
		int r = poll(NULL, 0, 150);

		_exit(r == 0 && now_ms() - start >= 149 ? 0 : 1);
	}
	sleep_ms(30);
	kill(pid, SIGSTOP);
	sleep_ms(30);
	kill(pid, SIGCONT);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(poll_refuses_more_than_the_limit)
{
	struct rlimit limit = { 10, 10 };
	struct pollfd p[11];

	memset(p, 0xff, sizeof(p));
	setrlimit(RLIMIT_NOFILE, &limit);
	EXPECT_ERRNO(poll(p, 11, 0), EINVAL);
	EXPECT_EQ(poll(p, 10, 0), 0);
}

TEST(ppoll_mask_lets_a_signal_in)
{
	struct timespec t = { 5, 0 };
	sigset_t blocked, none, now;

	signal(SIGUSR1, count_signal);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	kill(getpid(), SIGUSR1);
	EXPECT_EQ(signals, 0);
	EXPECT_ERRNO(ppoll(NULL, 0, &t, &none), EINTR);
	EXPECT_EQ(signals, 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	EXPECT_EQ(sigismember(&now, SIGUSR1), 1);
	t.tv_nsec = 1000000000;
	EXPECT_ERRNO(ppoll(NULL, 0, &t, NULL), EINVAL);
}

TEST(select_returns_members_and_time)
{
	struct timeval t = { 0, 500000 };
	fd_set in, out;
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fds[0], &in);
	FD_SET(fds[1], &out);
	EXPECT_EQ(select(fds[1] + 1, &in, &out, NULL, &t), 1);
	EXPECT(!FD_ISSET(fds[0], &in));
	EXPECT(FD_ISSET(fds[1], &out));
	EXPECT(t.tv_usec > 0 && t.tv_usec <= 500000);
	FD_SET(fds[0], &in);
	t = (struct timeval){ 0, 20000 };
	EXPECT_EQ(select(fds[0] + 1, &in, NULL, NULL, &t), 0);
	EXPECT_EQ(t.tv_usec, 0);
	EXPECT(!FD_ISSET(fds[0], &in));
	close(fds[1]);
	FD_SET(fds[0], &in);
	FD_ZERO(&out);
	FD_SET(fds[0], &out);
	EXPECT_EQ(select(fds[0] + 1, &in, &out, NULL, NULL), 1); /* end of file is readable */
	EXPECT(FD_ISSET(fds[0], &in) && !FD_ISSET(fds[0], &out));
	close(fds[0]);
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	EXPECT_ERRNO(select(fds[0] + 1, &in, NULL, NULL, NULL), EBADF);
	EXPECT_ERRNO(select(-1, NULL, NULL, NULL, NULL), EINVAL);
}

TEST(pselect_mask_and_interruption)
{
	struct timespec t = { 5, 0 };
	sigset_t blocked, none;

	signal(SIGUSR1, count_signal);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	kill(getpid(), SIGUSR1);
	EXPECT_ERRNO(pselect(0, NULL, NULL, NULL, &t, &none), EINTR);
	EXPECT_EQ(signals, 1);
}
