// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes, threads, and talk between them. */
#define _GNU_SOURCE
#include "bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

BENCH("process", fork_exit, 200)
{
	return TIMED(n, ({
			     pid_t pid = fork();

			     if (!pid)
				     _exit(0);
			     waitpid(pid, 0, 0);
		     }));
}

static char *const exit_arguments[] = { "/init", "exit", 0 };

BENCH("process", fork_exec, 100)
{
	return TIMED(n, ({
			     pid_t pid = fork();

			     if (!pid) {
				     execve("/init", exit_arguments, environ);
				     _exit(1);
			     }
			     waitpid(pid, 0, 0);
		     }));
}

BENCH("process", vfork_exec, 100)
{
	return TIMED(n, ({
			     pid_t pid = vfork();

			     if (!pid) {
				     execve("/init", exit_arguments, environ);
				     _exit(1);
			     }
			     waitpid(pid, 0, 0);
		     }));
}

BENCH("process", posix_spawn, 100)
{
	return TIMED(n, ({
			     pid_t pid;

			     if (posix_spawn(&pid, "/init", 0, 0, exit_arguments, environ))
				     return -1;
			     waitpid(pid, 0, 0);
		     }));
}

BENCH("process", shell, 50)
{
	static char *const arguments[] = { "sh", "-c", "/init exit", 0 };

	return TIMED(n, ({
			     pid_t pid = fork();

			     if (!pid) {
				     execve("/bin/busybox", arguments, environ);
				     _exit(1);
			     }
			     waitpid(pid, 0, 0);
		     }));
}

static void *nothing(void *arg)
{
	return arg;
}

BENCH("process", thread_create_join, 500)
{
	return TIMED(n, ({
			     pthread_t thread;

			     if (pthread_create(&thread, 0, nothing, 0))
				     return -1;
			     pthread_join(thread, 0);
		     }));
}

/* A byte there and back between two processes. */
static int64_t round_trips(unsigned n, int near_in, int near_out, int far_in, int far_out)
{
	char c = 0;
	pid_t pid = fork();

	if (!pid) {
		close(near_in);
		close(near_out);
		while (read(far_in, &c, 1) == 1 && write(far_out, &c, 1) == 1)
			;
		_exit(0);
	}
	close(far_in);
	if (far_out != far_in)
		close(far_out);
	int64_t ns = TIMED(n, ({
				   if (write(near_out, &c, 1) != 1 || read(near_in, &c, 1) != 1)
					   return -1;
			   }));
	close(near_out);
	if (near_in != near_out)
		close(near_in);
	waitpid(pid, 0, 0);
	return ns;
}

int64_t pipe_round_trips(unsigned n)
{
	int there[2], back[2];

	if (pipe(there) || pipe(back))
		return -1;
	return round_trips(n, back[0], there[1], there[0], back[1]);
}

BENCH("ipc", pipe_round_trip, 3000)
{
	return pipe_round_trips(n);
}

BENCH("ipc", unix_round_trip, 2000)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		return -1;
	return round_trips(n, s[0], s[0], s[1], s[1]);
}

/* Blocks of 64 KiB into `in`, which another process takes out of `out`. */
static int64_t blocks_through(unsigned n, int out, int in)
{
	static char block[65536];
	pid_t pid = fork();

	if (!pid) {
		close(in);
		while (read(out, block, sizeof(block)) > 0)
			;
		_exit(0);
	}
	close(out);
	int64_t ns = TIMED(n, ({
				   if (write(in, block, sizeof(block)) < 0)
					   return -1;
			   }));

	close(in);
	waitpid(pid, 0, 0);
	return ns;
}

BENCH("ipc", pipe_bandwidth_64k, 200)
{
	int p[2];

	return pipe(p) ? -1 : blocks_through(n, p[0], p[1]);
}

BENCH("ipc", unix_bandwidth_64k, 200)
{
	int s[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, s) ? -1 : blocks_through(n, s[0], s[1]);
}

static int futex_words[2];

static void futex_wait_for(int *word)
{
	while (!__atomic_exchange_n(word, 0, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
}

static void futex_post(int *word)
{
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static void *futex_partner(void *arg)
{
	unsigned n = *(unsigned *)arg;

	for (unsigned i = 0; i < n; i++) {
		futex_wait_for(&futex_words[0]);
		futex_post(&futex_words[1]);
	}
	return 0;
}

BENCH("ipc", futex_round_trip, 3000)
{
	pthread_t thread;

	futex_words[0] = futex_words[1] = 0;
	if (pthread_create(&thread, 0, futex_partner, &n))
		return -1;
	int64_t ns = TIMED(n, ({
				   futex_post(&futex_words[0]);
				   futex_wait_for(&futex_words[1]);
			   }));

	pthread_join(thread, 0);
	return ns;
}

/* A process of a ring hands the token on and looks at `size` bytes of its own, as one that has work to do. */
static int hand_on(int from, int to, char *memory, unsigned size)
{
	char c;

	if (read(from, &c, 1) != 1)
		return 0;
	for (unsigned i = 0; i < size; i += 64)
		memory[i]++;
	return write(to, &c, 1) == 1;
}

/* A token through a ring of processes; nanoseconds for n switches. */
static int64_t ring(unsigned n, unsigned processes, unsigned size)
{
	enum { RING = 8 };
	static char memory[16384];
	int p[RING][2];
	pid_t pids[RING];
	char c = 0;

	for (unsigned i = 0; i < processes; i++)
		if (pipe(p[i]))
			return -1;
	for (unsigned i = 1; i < processes; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			while (hand_on(p[i - 1][0], p[i][1], memory, size))
				;
			_exit(0);
		}
	}
	if (write(p[0][1], &c, 1) != 1)
		return -1;
	int64_t ns = TIMED(n / processes, ({
				   if (!hand_on(p[processes - 1][0], p[0][1], memory, size))
					   return -1;
			   }));

	for (unsigned i = 1; i < processes; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], 0, 0);
	}
	for (unsigned i = 0; i < processes; i++) {
		close(p[i][0]);
		close(p[i][1]);
	}
	return ns;
}

BENCH("ipc", context_switch_2, 4000)
{
	return ring(n, 2, 0);
}

BENCH("ipc", context_switch_8, 4000)
{
	return ring(n, 8, 0);
}

BENCH("ipc", context_switch_8_16k, 4000)
{
	return ring(n, 8, 16384);
}

BENCH("process", sched_yield, 20000)
{
	return TIMED(n, syscall(SYS_sched_yield));
}
