/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What strace and gdb look at: calls that nest, a variable that changes, a thread, a child, a signal. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int counter;
static volatile double ratio = 0.5;

__attribute__((noinline)) static int inner(int n)
{
	counter += n;
	ratio *= 2;
	return counter * 3;
}

__attribute__((noinline)) static int outer(int n)
{
	int result = inner(n + 1);

	return result + 1;
}

static void *body(void *argument)
{
	return (void *)(long)outer((int)(long)argument);
}

static void handler(int signo)
{
	counter += signo;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "calls";
	int result = 0;

	signal(SIGUSR1, handler);
	if (strcmp(what, "calls") == 0) {
		result = outer(4);
	} else if (strcmp(what, "thread") == 0) {
		pthread_t thread;
		void *out;

		pthread_create(&thread, NULL, body, (void *)2L);
		pthread_join(thread, &out);
		result = (int)(long)out;
	} else if (strcmp(what, "fork") == 0) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(outer(1) & 7);
		waitpid(pid, &status, 0);
		result = WEXITSTATUS(status);
	} else if (strcmp(what, "signal") == 0) {
		raise(SIGUSR1);
		result = counter;
	} else if (strcmp(what, "crash") == 0) {
		*(volatile int *)8 = 1;
	} else if (strcmp(what, "wait") == 0) {
		while (!counter)
			usleep(20000);
		result = counter;
	}
	printf("%s %d\n", what, result);
	return 0;
}
