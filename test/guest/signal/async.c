/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals about open files: O_ASYNC, F_SETOWN, F_SETSIG (fcntl(2)). */
#include "guest_test.h"

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static volatile sig_atomic_t count, last_fd, last_code;
static volatile long last_band;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	count++;
	last_fd = info->si_fd;
	last_code = info->si_code;
	last_band = info->si_band;
}

static void catch(int signo)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	count = 0;
	EXPECT_EQ(sigaction(signo, &action, NULL), 0);
}

static void wait_for_signal(void)
{
	for (int i = 0; i < 1000 && !count; i++)
		usleep(1000);
}

TEST(sigio_when_a_pipe_can_be_read)
{
	int fds[2];

	catch(SIGIO);
	EXPECT_EQ(pipe(fds), 0);
	EXPECT_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
	EXPECT_EQ(fcntl(fds[0], F_GETOWN), getpid());
	EXPECT_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
	EXPECT_EQ(fcntl(fds[0], F_GETFL) & O_ASYNC, O_ASYNC);
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	wait_for_signal();
	EXPECT(count >= 1);
	EXPECT_EQ(fcntl(fds[0], F_SETFL, 0), 0);
	usleep(20000);
	count = 0;
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	usleep(20000);
	EXPECT_EQ(count, 0);
}

TEST(setsig_tells_descriptor_and_band)
{
	int pair[2], signo = SIGRTMIN + 2;

	catch(signo);
	EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	EXPECT_EQ(fcntl(pair[0], F_SETOWN, getpid()), 0);
	EXPECT_EQ(fcntl(pair[0], F_SETSIG, signo), 0);
	EXPECT_EQ(fcntl(pair[0], F_GETSIG), signo);
	EXPECT_EQ(fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK), 0);
	EXPECT_EQ(send(pair[1], "x", 1, 0), 1);
	wait_for_signal();
	EXPECT(count >= 1);
	EXPECT_EQ(last_fd, pair[0]);
	EXPECT_EQ(last_code, POLL_IN);
	EXPECT(last_band & POLLIN);
}

/* Whatever waits by itself goes with the file. */
TEST(async_files_are_closed)
{
	int pipes[2], fds[] = { socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_DGRAM, 0),
				socket(AF_UNIX, SOCK_DGRAM, 0), eventfd(0, 0),
				timerfd_create(CLOCK_MONOTONIC, 0) };

	for (unsigned i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		EXPECT(fds[i] >= 0);
		EXPECT_EQ(fcntl(fds[i], F_SETOWN, getpid()), 0);
		EXPECT_EQ(fcntl(fds[i], F_SETFL, O_ASYNC), 0);
		EXPECT_EQ(close(fds[i]), 0);
	}
	IN_CHILD(pid)
	{
		EXPECT_EQ(pipe(pipes), 0);
		EXPECT_EQ(fcntl(pipes[0], F_SETFL, O_ASYNC), 0);
		EXPECT_EQ(fcntl(socket(AF_INET, SOCK_DGRAM, 0), F_SETFL, O_ASYNC), 0);
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(owner_that_does_not_exist)
{
	struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = -getpgrp() }, back;
	int fds[2];

	EXPECT_EQ(pipe(fds), 0);
	EXPECT_ERRNO(fcntl(fds[0], F_SETOWN_EX, &owner), ESRCH);
	owner.pid = INT_MIN;
	EXPECT_ERRNO(fcntl(fds[0], F_SETOWN_EX, &owner), ESRCH);
	owner = (struct f_owner_ex){ .type = F_OWNER_PGRP, .pid = getpgrp() };
	EXPECT_EQ(fcntl(fds[0], F_SETOWN_EX, &owner), 0);
	EXPECT_EQ(fcntl(fds[0], F_GETOWN_EX, &back), 0);
	EXPECT_EQ(back.type, F_OWNER_PGRP);
	EXPECT_EQ(back.pid, getpgrp());
}

TEST(dnotify_tells_of_a_new_file)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY), signo = SIGRTMIN + 3;

	catch(signo);
	EXPECT_EQ(fcntl(dir, F_SETSIG, signo), 0);
	EXPECT_EQ(fcntl(dir, F_NOTIFY, DN_CREATE), 0);
	close(open("new", O_CREAT | O_RDWR, 0600));
	wait_for_signal();
	EXPECT_EQ(count, 1);
	EXPECT_EQ(last_fd, dir);
	/* Once, without DN_MULTISHOT. */
	close(open("another", O_CREAT | O_RDWR, 0600));
	usleep(20000);
	EXPECT_EQ(count, 1);
	EXPECT_ERRNO(fcntl(open("new", O_RDONLY), F_NOTIFY, DN_CREATE), ENOTDIR);
}

TEST(lease_holder_is_told_before_an_open)
{
	int fd, signo = SIGRTMIN + 4, pid, status;

	catch(signo);
	close(open("f", O_CREAT | O_RDWR, 0600));
	fd = open("f", O_RDONLY);
	EXPECT_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	EXPECT_EQ(fcntl(fd, F_SETSIG, signo), 0);
	EXPECT_EQ(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
	EXPECT_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	close(open("f", O_RDONLY));
	EXPECT_EQ(count, 0);
	EXPECT_ERRNO(open("f", O_RDWR | O_NONBLOCK), EWOULDBLOCK);
	wait_for_signal();
	EXPECT_EQ(count, 1);
	EXPECT_EQ(last_fd, fd);
	EXPECT_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	pid = fork();
	if (pid == 0)
		_exit(open("f", O_RDWR) >= 0 ? 0 : 1);
	usleep(20000);
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	/* Open for writing elsewhere: no lease for reading. */
	EXPECT(open("f", O_RDWR) >= 0);
	EXPECT_ERRNO(fcntl(fd, F_SETLEASE, F_RDLCK), EAGAIN);
}
