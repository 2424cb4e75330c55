// SPDX-License-Identifier: GPL-2.0-or-later
/* The same work by several threads at once: what one operation takes while the others do it too. */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct storm {
	void (*work)(unsigned n);
	unsigned n;
	pthread_barrier_t start;
};

static void *storm_thread(void *arg)
{
	struct storm *storm = arg;

	pthread_barrier_wait(&storm->start);
	storm->work(storm->n);
	return 0;
}

/* Nanoseconds that `threads` threads take to do n operations in all. */
static int64_t storm(unsigned threads, unsigned n, void (*work)(unsigned n))
{
	struct storm s = { .work = work, .n = n / threads };
	pthread_t ids[8];

	pthread_barrier_init(&s.start, 0, threads + 1);
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&ids[i], 0, storm_thread, &s))
			return -1;
	int64_t start = now_ns();

	pthread_barrier_wait(&s.start);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], 0);
	return now_ns() - start;
}

static void call(unsigned n)
{
	while (n--)
		syscall(SYS_getppid);
}

BENCH("scale", call_1_thread, 20000)
{
	return storm(1, n, call);
}

BENCH("scale", call_2_threads, 20000)
{
	return storm(2, n, call);
}

BENCH("scale", call_4_threads, 20000)
{
	return storm(4, n, call);
}

#define PAGES 64u

static void fault(unsigned n)
{
	for (unsigned done = 0; done < n; done += PAGES) {
		volatile char *p = mmap(0, PAGES * 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (unsigned i = 0; i < PAGES; i++)
			p[i * 4096] = 1;
		munmap((void *)p, PAGES * 4096);
	}
}

BENCH("scale", fault_1_thread, 64 * PAGES)
{
	return storm(1, n, fault);
}

BENCH("scale", fault_2_threads, 64 * PAGES)
{
	return storm(2, n, fault);
}

static void open_close(unsigned n)
{
	while (n--)
		close(open("/init", O_RDONLY));
}

BENCH("scale", open_1_thread, 4000)
{
	return storm(1, n, open_close);
}

BENCH("scale", open_2_threads, 4000)
{
	return storm(2, n, open_close);
}
