/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The C library's side of the host "architecture": runs each test in a child process, counts allocations, and makes the
 * Nth one fail. `runner [PREFIX]` runs the tests whose name begins with PREFIX.
 */
#include "host.h"

#include <malloc.h>
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEST_SECONDS 60
#define FAILURES_MAX 100000 /* a test that allocates more often is stuck */

static long blocks;

void host_print(const char *text)
{
	fputs(text, stdout);
}

void host_abort(const char *text)
{
	fputs(text, stdout);
	fflush(stdout);
	__sanitizer_print_stack_trace();
	abort();
}

void *host_alloc(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		host_abort("out of host memory\n");
	__atomic_fetch_add(&blocks, 1, __ATOMIC_RELAXED);
	return memory;
}

void host_free(void *memory)
{
	if (!memory)
		return;
	__atomic_fetch_sub(&blocks, 1, __ATOMIC_RELAXED);
	free(memory);
}

size_t host_alloc_size(void *memory)
{
	return malloc_usable_size(memory);
}

int host_scale(void)
{
	const char *text = getenv("TEST_SCALE");
	int scale = text ? atoi(text) : 1;

	return scale > 0 ? scale : 1;
}

long host_blocks(void)
{
	return blocks;
}

#define THREADS_MAX 16u

struct start {
	void (*body)(unsigned);
	unsigned number;
};

static void *start_thread(void *argument)
{
	const struct start *start = argument;

	start->body(start->number);
	return NULL;
}

void host_run_threads(unsigned count, void (*body)(unsigned number))
{
	struct start starts[THREADS_MAX];
	pthread_t threads[THREADS_MAX];

	for (unsigned i = 0; i < count; i++) {
		starts[i] = (struct start){ body, i };
		if (i >= THREADS_MAX || pthread_create(&threads[i], NULL, start_thread, &starts[i]))
			host_abort("no threads\n");
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

#ifdef HOST_THREADS
void host_yield(void)
{
	sched_yield();
}
#endif

unsigned long long host_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * 1000000000ull + (unsigned long long)now.tv_nsec;
}

int host_command(const char *text)
{
	int status;

	fflush(stdout);
	status = system(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

long host_file_read(const char *path, void *to, long size)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		return -1;
	long got = (long)fread(to, 1, (size_t)size, file);

	fclose(file);
	return got;
}

int host_file_write(const char *path, const void *from, long size)
{
	FILE *file = fopen(path, "wb");

	if (!file)
		return -1;
	long put = (long)fwrite(from, 1, (size_t)size, file);

	return fclose(file) || put != size ? -1 : 0;
}

/* In the child. */
static int run(const struct ktest *test)
{
	if (!host_run_test(test, 0))
		return 1;
	if (!host_test_no_memory(test))
		return 0;
	for (long nth = 1; nth < FAILURES_MAX; nth++) {
		if (!host_run_test(test, nth)) {
			printf("    with allocation %ld failing\n", nth);
			return 1;
		}
		if (!host_failure_injected())
			return 0;
	}
	printf("    allocates without end\n");
	return 1;
}

static int run_in_child(const struct ktest *test)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		alarm(TEST_SECONDS * (unsigned)host_scale());
		status = run(test);
		fflush(stdout);
		_exit(status);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 0;
	if (WIFSIGNALED(status))
		printf("    died of signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 1 ? argv[1] : "";
	const struct ktest *test;
	unsigned passed = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0); /* a sanitizer ends the process without a flush */
	for (size_t i = 0; (test = host_test(i)); i++) {
		if (strncmp(host_test_name(test), prefix, strlen(prefix)) != 0)
			continue;
		if (run_in_child(test)) {
			passed++;
			printf("pass %s\n", host_test_name(test));
		} else {
			failed++;
			printf("FAIL %s (%s)\n", host_test_name(test), host_test_file(test));
		}
	}
	printf("host: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
