/* SPDX-License-Identifier: GPL-2.0-or-later */
/* eventfd(2), timerfd_create(2), signalfd(2). */
#include "guest_test.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static short ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	EXPECT(poll(&p, 1, 0) >= 0);
	return p.revents;
}

TEST(eventfd_counts)
{
	uint64_t v = 3;
	int fd = eventfd(2, EFD_NONBLOCK | EFD_CLOEXEC);

	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(write(fd, &v, 8), 8);
	EXPECT_EQ(ready(fd), POLLIN | POLLOUT);
	EXPECT_EQ(read(fd, &v, 8), 8);
	EXPECT_EQ(v, 5);
	EXPECT_ERRNO(read(fd, &v, 8), EAGAIN);
	EXPECT_ERRNO(read(fd, &v, 7), EINVAL);
	EXPECT_EQ(ready(fd), POLLOUT);
	v = UINT64_MAX;
	EXPECT_ERRNO(write(fd, &v, 8), EINVAL);
	v = UINT64_MAX - 1;
	EXPECT_EQ(write(fd, &v, 8), 8);
	EXPECT_EQ(ready(fd), POLLIN);
	v = 1;
	EXPECT_ERRNO(write(fd, &v, 8), EAGAIN);
	EXPECT_ERRNO(eventfd(0, 0x40), EINVAL);
}

TEST(eventfd_semaphore_gives_one_at_a_time)
{
	uint64_t v;
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);

	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(read(fd, &v, 8), 8);
		EXPECT_EQ(v, 1);
	}
	EXPECT_ERRNO(read(fd, &v, 8), EAGAIN);
}

TEST(eventfd_blocks_until_written)
{
	uint64_t v = 7;
	int fd = eventfd(0, 0);

	IN_CHILD(pid)
	{
		sleep_ms(30);
		_exit(write(fd, &v, 8) == 8 ? 0 : 1);
	}
	v = 0;
	EXPECT_EQ(read(fd, &v, 8), 8);
	EXPECT_EQ(v, 7);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(timerfd_expires_once)
{
	struct itimerspec spec = { .it_value = { 0, 30000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	long long start = now_ms();
	uint64_t v = 0;

	EXPECT_ERRNO(read(fd, &v, 8), EAGAIN);
	EXPECT_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
	EXPECT_EQ(timerfd_gettime(fd, &spec), 0);
	EXPECT(spec.it_value.tv_nsec > 0 && spec.it_value.tv_nsec <= 30000000);
	EXPECT_ERRNO(read(fd, &v, 8), EAGAIN);
	EXPECT_EQ(fcntl(fd, F_SETFL, 0), 0);
	EXPECT_EQ(read(fd, &v, 8), 8);
	EXPECT_EQ(v, 1);
	EXPECT_GE(now_ms() - start, 29);
	EXPECT_EQ(timerfd_gettime(fd, &spec), 0);
	EXPECT_EQ(spec.it_value.tv_nsec + spec.it_value.tv_sec, 0);
}

TEST(timerfd_counts_periods)
{
	struct itimerspec spec = { .it_value = { 0, 10000000 }, .it_interval = { 0, 10000000 } },
			  old;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t v = 0;

	EXPECT_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
	sleep_ms(65);
	EXPECT_EQ(ready(fd), POLLIN);
	EXPECT_EQ(read(fd, &v, 8), 8);
	EXPECT_GE(v, 6);
	spec = (struct itimerspec){};
	EXPECT_EQ(timerfd_settime(fd, 0, &spec, &old), 0);
	EXPECT_EQ(old.it_interval.tv_nsec, 10000000);
	EXPECT_EQ(ready(fd), 0);
}

TEST(timerfd_absolute_and_errors)
{
	struct itimerspec spec = {};
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	uint64_t v = 0;

	clock_gettime(CLOCK_REALTIME, &spec.it_value);
	EXPECT_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL), 0);
	EXPECT_EQ(read(fd, &v, 8), 8);
	EXPECT_EQ(v, 1);
	spec.it_value.tv_nsec = 1000000000;
	EXPECT_ERRNO(timerfd_settime(fd, 0, &spec, NULL), EINVAL);
	EXPECT_ERRNO(timerfd_settime(fd, 0x80, &spec, NULL), EINVAL);
	EXPECT_ERRNO(timerfd_gettime(0, &spec), EINVAL);
	EXPECT_ERRNO(timerfd_create(77, 0), EINVAL);
	EXPECT_ERRNO(timerfd_create(CLOCK_REALTIME, 1), EINVAL);
}

TEST(signalfd_reads_blocked_signals)
{
	struct signalfd_siginfo info[2];
	sigset_t mask;
	int fd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fd = signalfd(-1, &mask, SFD_NONBLOCK);
	REQUIRE(fd >= 0);
	EXPECT_ERRNO(read(fd, info, sizeof(info)), EAGAIN);
	EXPECT_ERRNO(read(fd, info, 127), EINVAL);
	EXPECT_EQ(ready(fd), 0);
	kill(getpid(), SIGUSR1);
	EXPECT_EQ(ready(fd), POLLIN);
	EXPECT_EQ(read(fd, info, sizeof(info)), sizeof(info[0]));
	EXPECT_EQ(info[0].ssi_signo, SIGUSR1);
	EXPECT_EQ(info[0].ssi_pid, getpid());
	EXPECT_EQ(info[0].ssi_code, SI_USER);
	EXPECT_EQ(fcntl(fd, F_SETFL, 0), 0);
	IN_CHILD(pid)
	{
		sleep_ms(20);
		_exit(3);
	}
	EXPECT_EQ(read(fd, info, sizeof(info)), sizeof(info[0])); /* waits */
	EXPECT_EQ(info[0].ssi_signo, SIGCHLD);
	EXPECT_EQ(info[0].ssi_pid, pid);
	EXPECT_EQ(info[0].ssi_status, 3);
	EXPECT_EQ(info[0].ssi_code, CLD_EXITED);
	EXPECT_EQ(wait_status(pid), 3);
}

TEST(signalfd_mask_can_be_changed)
{
	struct signalfd_siginfo info;
	sigset_t mask;
	int fd;

	sigfillset(&mask);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigemptyset(&mask);
	fd = signalfd(-1, &mask, SFD_NONBLOCK);
	kill(getpid(), SIGUSR2);
	EXPECT_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
	sigaddset(&mask, SIGUSR2);
	EXPECT_EQ(signalfd(fd, &mask, 0), fd);
	EXPECT_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	EXPECT_ERRNO(signalfd(0, &mask, 0), EINVAL);
}
