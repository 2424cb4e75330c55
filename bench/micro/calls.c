// SPDX-License-Identifier: GPL-2.0-or-later
/* Single system calls, files by name, signals. */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

BENCH("call", null_call, 20000)
{
	return TIMED(n, syscall(SYS_getppid));
}

BENCH("call", read_1, 20000)
{
	char c;
	int fd = open("/dev/zero", O_RDONLY);

	return fd < 0 ? -1 : TIMED(n, read(fd, &c, 1));
}

BENCH("call", write_1, 20000)
{
	int fd = open("/dev/null", O_WRONLY);

	return fd < 0 ? -1 : TIMED(n, write(fd, "x", 1));
}

BENCH("call", clock_gettime, 20000)
{
	struct timespec ts;

	return TIMED(n, clock_gettime(CLOCK_REALTIME, &ts));
}

static char *make_file(const char *name, size_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
	char *block = calloc(1, size + 1);

	if (fd < 0 || write(fd, block, size) != (ssize_t)size)
		exit(1);
	free(block);
	close(fd);
	return (char *)name;
}

BENCH("file", stat, 5000)
{
	struct stat st;

	make_file("/tmp/stat", 1);
	return TIMED(n, stat("/tmp/stat", &st));
}

BENCH("file", fstat, 20000)
{
	struct stat st;
	int fd = open(make_file("/tmp/fstat", 1), O_RDONLY);

	return TIMED(n, fstat(fd, &st));
}

BENCH("file", open_close, 5000)
{
	make_file("/tmp/open", 1);
	return TIMED(n, close(open("/tmp/open", O_RDONLY)));
}

BENCH("file", path_walk_8, 5000)
{
	static const char path[] = "/tmp/a/b/c/d/e/f/g";
	char part[sizeof(path)] = "";
	struct stat st;

	for (size_t i = 1; i <= strlen(path); i++)
		if (path[i] == '/' || !path[i])
			mkdir(memcpy(part, path, i), 0755);
	return TIMED(n, stat(path, &st));
}

BENCH("file", create_delete_0k, 1000)
{
	return TIMED(n, ({
			     close(open("/tmp/created", O_CREAT | O_WRONLY, 0644));
			     unlink("/tmp/created");
		     }));
}

BENCH("file", create_delete_10k, 1000)
{
	static char block[10240];

	return TIMED(n, ({
			     int fd = open("/tmp/created", O_CREAT | O_WRONLY, 0644);

			     if (write(fd, block, sizeof(block)) != sizeof(block))
				     return -1;
			     close(fd);
			     unlink("/tmp/created");
		     }));
}

BENCH("file", rename, 2000)
{
	make_file("/tmp/from", 1);
	return TIMED(n, ({
			     rename("/tmp/from", "/tmp/to");
			     rename("/tmp/to", "/tmp/from");
		     }));
}

BENCH("file", lock, 5000)
{
	int fd = open(make_file("/tmp/lock", 1), O_RDWR);

	return TIMED(n, ({
			     flock(fd, LOCK_EX);
			     flock(fd, LOCK_UN);
		     }));
}

BENCH("file", getdents_1000, 20)
{
	static char block[32768];

	mkdir("/tmp/many", 0755);
	for (int i = 0; i < 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/tmp/many/file%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0644));
	}
	return TIMED(n, ({
			     int fd = open("/tmp/many", O_RDONLY | O_DIRECTORY);

			     while (syscall(SYS_getdents64, fd, block, sizeof(block)) > 0)
				     ;
			     close(fd);
		     }));
}

BENCH("file", read_64k, 500)
{
	static char block[65536];
	int fd = open(make_file("/tmp/read", sizeof(block)), O_RDONLY);

	return TIMED(n, pread(fd, block, sizeof(block), 0));
}

BENCH("file", write_64k, 500)
{
	static char block[65536];
	int fd = open(make_file("/tmp/write", sizeof(block)), O_RDWR);

	return TIMED(n, pwrite(fd, block, sizeof(block), 0));
}

#define MANY 100

/* Descriptors that never become ready, made once. */
static const int *many_pipes(void)
{
	static int fds[MANY];

	for (int i = 0; i < MANY && !fds[i]; i++) {
		int p[2];

		if (pipe(p))
			exit(1);
		fds[i] = p[0];
	}
	return fds;
}

BENCH("wait", poll_100, 1000)
{
	const int *fds = many_pipes();
	struct pollfd p[MANY];

	for (int i = 0; i < MANY; i++)
		p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	return TIMED(n, poll(p, MANY, 0));
}

BENCH("wait", select_100, 1000)
{
	const int *fds = many_pipes();
	int highest = 0;
	fd_set set;
	struct timeval zero = { 0 };

	return TIMED(n, ({
			     FD_ZERO(&set);
			     for (int i = 0; i < MANY; i++) {
				     FD_SET(fds[i], &set);
				     highest = fds[i] > highest ? fds[i] : highest;
			     }
			     select(highest + 1, &set, 0, 0, &zero);
		     }));
}

BENCH("wait", epoll_100, 5000)
{
	const int *fds = many_pipes();
	int ep = epoll_create1(0);
	struct epoll_event events[MANY];

	for (int i = 0; i < MANY; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fds[i] };

		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e);
	}
	int64_t ns = TIMED(n, epoll_wait(ep, events, MANY, 0));

	close(ep);
	return ns;
}

static void handler(int signo)
{
	(void)signo;
}

BENCH("signal", signal_install, 10000)
{
	struct sigaction action = { .sa_handler = handler };

	return TIMED(n, sigaction(SIGUSR1, &action, 0));
}

BENCH("signal", signal_delivery, 5000)
{
	struct sigaction action = { .sa_handler = handler };

	sigaction(SIGUSR1, &action, 0);
	pid_t me = getpid();

	return TIMED(n, kill(me, SIGUSR1));
}

static char *fault_page;

static void fault_handler(int signo)
{
	(void)signo;
	mprotect(fault_page, 4096, PROT_READ | PROT_WRITE);
}

BENCH("signal", protection_fault, 2000)
{
	struct sigaction action = { .sa_handler = fault_handler };

	sigaction(SIGSEGV, &action, 0);
	fault_page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return TIMED(n, ({
			     *(volatile char *)fault_page = 1;
			     mprotect(fault_page, 4096, PROT_READ);
		     }));
}
