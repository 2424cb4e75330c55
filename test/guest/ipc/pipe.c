/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pipes and FIFOs: pipe(7), fifo(7). */
#include "guest_test.h"

#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Not known to the compiler, which would warn. */
static void *volatile bad_address = (void *)8;

static volatile sig_atomic_t pipe_signals;

static void count_signal(int signo)
{
	(void)signo;
	pipe_signals++;
}

static short ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };

	EXPECT(poll(&p, 1, 0) >= 0);
	return p.revents;
}

TEST(pipe_carries_bytes_in_order)
{
	char buf[16];
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	EXPECT_EQ(fcntl(fds[0], F_GETFL) & O_ACCMODE, O_RDONLY);
	EXPECT_EQ(fcntl(fds[1], F_GETFL) & O_ACCMODE, O_WRONLY);
	EXPECT_EQ(fcntl(fds[0], F_GETFD), 0);
	EXPECT_EQ(write(fds[1], "hello ", 6), 6);
	EXPECT_EQ(write(fds[1], "world", 5), 5);
	EXPECT_EQ(write(fds[1], "", 0), 0);
	EXPECT_EQ(read(fds[0], buf, 3), 3);
	EXPECT_EQ(memcmp(buf, "hel", 3), 0);
	EXPECT_EQ(read(fds[0], buf, sizeof(buf)), 8);
	EXPECT_EQ(memcmp(buf, "lo world", 8), 0);
	EXPECT_ERRNO(read(fds[1], buf, 1), EBADF);
	EXPECT_ERRNO(write(fds[0], buf, 1), EBADF);
	EXPECT_ERRNO(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
	EXPECT_ERRNO(pread(fds[0], buf, 1, 0), ESPIPE);
	EXPECT_ERRNO(write(fds[1], bad_address, 5), EFAULT);
	close(fds[1]);
	EXPECT_EQ(read(fds[0], buf, sizeof(buf)), 0);
}

TEST(pipe2_flags)
{
	int fds[2];

	EXPECT_ERRNO(pipe2(fds, O_APPEND), EINVAL);
	EXPECT_ERRNO(pipe2(bad_address, 0), EFAULT);
	REQUIRE(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
	EXPECT_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(fds[1], F_GETFL), O_WRONLY | O_NONBLOCK);
	EXPECT_ERRNO(read(fds[0], fds, 1), EAGAIN);
}

TEST(pipe_fills_at_its_capacity)
{
	static char block[4096];
	int fds[2], n = 0;

	REQUIRE(pipe2(fds, O_NONBLOCK) == 0);
	EXPECT_EQ(fcntl(fds[0], F_GETPIPE_SZ), 65536);
	while (write(fds[1], block, sizeof(block)) == sizeof(block))
		n++;
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_EQ(n, 16);
	EXPECT_EQ(ready(fds[1]), 0);
	EXPECT_EQ(ioctl(fds[0], FIONREAD, &n), 0);
	EXPECT_EQ(n, 65536);
	EXPECT_EQ(read(fds[0], block, sizeof(block)), 4096);
	EXPECT_EQ(ready(fds[1]), POLLOUT);
	EXPECT_EQ(write(fds[1], block, sizeof(block)), 4096);
	EXPECT_ERRNO(fcntl(fds[0], F_SETPIPE_SZ, 4096), EBUSY);
	EXPECT_EQ(fcntl(fds[0], F_SETPIPE_SZ, 100000), 131072);
	EXPECT_EQ(fcntl(fds[1], F_GETPIPE_SZ), 131072);
	EXPECT_EQ(write(fds[1], block, sizeof(block)), 4096);
	EXPECT_ERRNO(fcntl(0, F_GETPIPE_SZ), EBADF);
}

TEST(pipe_small_writes_are_not_torn)
{
	static char block[PIPE_BUF * 16];
	int fds[2];

	REQUIRE(pipe2(fds, O_NONBLOCK) == 0);
	EXPECT_EQ(write(fds[1], block, sizeof(block) - 10), sizeof(block) - 10);
	EXPECT_ERRNO(write(fds[1], block, 11), EAGAIN); /* all or nothing */
	/* A large one may be cut; how much of the last page is used is left open. */
	EXPECT_LE(write(fds[1], block, PIPE_BUF + 1), 10);
}

TEST(pipe_without_readers_breaks)
{
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	EXPECT_EQ(ready(fds[1]), POLLOUT);
	close(fds[0]);
	EXPECT_EQ(ready(fds[1]), POLLOUT | POLLERR);
	signal(SIGPIPE, count_signal);
	EXPECT_ERRNO(write(fds[1], "x", 1), EPIPE);
	EXPECT_EQ(pipe_signals, 1);
	IN_CHILD(pid)
	{
		signal(SIGPIPE, SIG_DFL);
		write(fds[1], "x", 1);
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGPIPE);
}

TEST(pipe_blocks_and_wakes_both_ways)
{
	static char block[200000];
	int fds[2], total = 0;
	char c;

	REQUIRE(pipe(fds) == 0);
	IN_CHILD(pid)
	{
		close(fds[0]);
		sleep_ms(30);
		_exit(write(fds[1], block, sizeof(block)) == sizeof(block) ? 0 : 1);
	}
	close(fds[1]);
	EXPECT_EQ(read(fds[0], &c, 1), 1); /* waits for the child */
	sleep_ms(30);			   /* the child fills the pipe and waits for us */
	for (;;) {
		ssize_t n = read(fds[0], block, sizeof(block));

		if (n <= 0)
			break;
		total += (int)n;
	}
	EXPECT_EQ(total, 199999);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(pipe_read_is_interrupted_or_restarted)
{
	struct sigaction action = { .sa_handler = count_signal };
	int fds[2];
	char c;

	REQUIRE(pipe(fds) == 0);
	sigaction(SIGALRM, &action, NULL);
	ualarm(30000, 0);
	EXPECT_ERRNO(read(fds[0], &c, 1), EINTR);
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	IN_CHILD(pid)
	{
		sleep_ms(100);
		write(fds[1], "x", 1);
		_exit(0);
	}
	ualarm(30000, 0);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	EXPECT_EQ(pipe_signals, 2);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(pipe_packets_stay_apart)
{
	char buf[100];
	int fds[2];

	REQUIRE(pipe2(fds, O_DIRECT) == 0);
	EXPECT_EQ(write(fds[1], "first", 5), 5);
	EXPECT_EQ(write(fds[1], "second", 6), 6);
	EXPECT_EQ(read(fds[0], buf, 3), 3); /* the rest of the packet is lost */
	EXPECT_EQ(read(fds[0], buf, sizeof(buf)), 6);
}

TEST(pipe_vectors)
{
	char a[3], b[10];
	struct iovec out[] = { { "ab", 2 }, { NULL, 0 }, { "cdef", 4 } };
	struct iovec in[] = { { a, 3 }, { b, 10 } };
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	EXPECT_EQ(writev(fds[1], out, 3), 6);
	EXPECT_EQ(readv(fds[0], in, 2), 6);
	EXPECT_EQ(memcmp(a, "abc", 3), 0);
	EXPECT_EQ(memcmp(b, "def", 3), 0);
}

TEST(pipe_is_a_fifo_to_stat)
{
	struct stat st, other;
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	EXPECT_EQ(fstat(fds[0], &st), 0);
	EXPECT_EQ(fstat(fds[1], &other), 0);
	EXPECT(S_ISFIFO(st.st_mode));
	EXPECT_EQ(st.st_mode & 07777, 0600);
	EXPECT_EQ(st.st_ino, other.st_ino);
	EXPECT_EQ(st.st_size, 0);
}

TEST(fifo_open_waits_for_the_other_end)
{
	long long start = now_ms();
	char c;
	int fd;

	REQUIRE(mkfifo("f", 0600) == 0);
	EXPECT_ERRNO(open("f", O_WRONLY | O_NONBLOCK), ENXIO);
	IN_CHILD(pid)
	{
		sleep_ms(50);
		fd = open("f", O_WRONLY);
		_exit(write(fd, "x", 1) == 1 ? 0 : 1);
	}
	fd = open("f", O_RDONLY);
	REQUIRE(fd >= 0);
	EXPECT_GE(now_ms() - start, 45);
	EXPECT_EQ(read(fd, &c, 1), 1);
	EXPECT_EQ(read(fd, &c, 1), 0);
	EXPECT_EQ(wait_status(pid), 0);
	close(fd);
	fd = open("f", O_RDWR);
	EXPECT_EQ(write(fd, "abc", 3), 3);
	EXPECT_EQ(read(fd, &c, 1), 1);
}

TEST(fifo_nonblocking_reader_sees_no_hang_up_before_a_writer)
{
	char c;
	int in, out;

	REQUIRE(mkfifo("f", 0600) == 0);
	in = open("f", O_RDONLY | O_NONBLOCK);
	REQUIRE(in >= 0);
	EXPECT_EQ(ready(in), 0);
	EXPECT_EQ(read(in, &c, 1), 0);
	out = open("f", O_WRONLY);
	EXPECT_ERRNO(read(in, &c, 1), EAGAIN);
	EXPECT_EQ(write(out, "x", 1), 1);
	EXPECT_EQ(ready(in), POLLIN);
	close(out);
	EXPECT_EQ(ready(in), POLLIN | POLLHUP);
	EXPECT_EQ(read(in, &c, 1), 1);
	EXPECT_EQ(ready(in), POLLHUP);
}

TEST(fifo_open_is_interrupted)
{
	struct sigaction action = { .sa_handler = count_signal };

	REQUIRE(mkfifo("f", 0600) == 0);
	sigaction(SIGALRM, &action, NULL);
	ualarm(30000, 0);
	EXPECT_ERRNO(open("f", O_RDONLY), EINTR);
	EXPECT_ERRNO(open("f", O_WRONLY | O_NONBLOCK), ENXIO); /* nothing was left behind */
}

TEST(pipe_opened_again_through_proc_does_not_wait)
{
	char name[64], c;
	int fds[2], again;

	EXPECT_EQ(pipe(fds), 0);
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	close(fds[1]);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[0]);
	again = open(name, O_RDONLY);
	EXPECT(again >= 0);
	EXPECT_EQ(read(again, &c, 1), 1);
	EXPECT_EQ(read(again, &c, 1), 0);
}
