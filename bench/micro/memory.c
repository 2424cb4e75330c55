// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings and faults. */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 256
#define SIZE (PAGES * 4096ul)

static void touch(volatile char *p, int write)
{
	for (unsigned i = 0; i < PAGES; i++) {
		if (write)
			p[i * 4096ul] = 1;
		else
			(void)p[i * 4096ul];
	}
}

BENCH("memory", mmap_munmap, 5000)
{
	return TIMED(
		n, munmap(mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			  SIZE));
}

/* A fault each: n is a multiple of PAGES. */
BENCH("memory", fault_anonymous, 20 * PAGES)
{
	int64_t total = 0;

	for (unsigned i = 0; i < n / PAGES + 1; i++) {
		char *p = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		total += TIMED(1, touch(p, 1));
		munmap(p, SIZE);
	}
	return total * n / ((n / PAGES + 1) * PAGES);
}

static int page_file(void)
{
	int fd = open("/tmp/pages", O_RDWR | O_CREAT, 0644);
	char *block = calloc(1, SIZE);

	if (pwrite(fd, block, SIZE, 0) != (ssize_t)SIZE)
		exit(1);
	free(block);
	return fd;
}

BENCH("memory", fault_file, 20 * PAGES)
{
	int fd = page_file();
	int64_t total = 0;

	for (unsigned i = 0; i < n / PAGES + 1; i++) {
		char *p = mmap(0, SIZE, PROT_READ, MAP_SHARED, fd, 0);

		total += TIMED(1, touch(p, 0));
		munmap(p, SIZE);
	}
	return total * n / ((n / PAGES + 1) * PAGES);
}

BENCH("memory", fault_copy_on_write, 20 * PAGES)
{
	int fd = page_file();
	int64_t total = 0;

	for (unsigned i = 0; i < n / PAGES + 1; i++) {
		char *p = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

		touch(p, 0);
		total += TIMED(1, touch(p, 1));
		munmap(p, SIZE);
	}
	return total * n / ((n / PAGES + 1) * PAGES);
}

BENCH("memory", brk, 5000)
{
	return TIMED(n, ({
			     char *p = sbrk(65536);

			     *p = 1;
			     sbrk(-65536);
		     }));
}

BENCH("memory", mremap, 2000)
{
	char *p = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	touch(p, 1);
	return TIMED(n, ({
			     p = mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
			     p = mremap(p, 2 * SIZE, SIZE, 0);
		     }));
}

/* Reading a file of the page cache through a mapping: 1 MiB. */
BENCH("file", mmap_read_1m, 30)
{
	int fd = page_file();
	volatile long sum = 0;

	return TIMED(n, ({
			     const long *p = mmap(0, SIZE, PROT_READ, MAP_SHARED, fd, 0);

			     for (unsigned i = 0; i < SIZE / sizeof(long); i += 8)
				     sum += p[i];
			     munmap((void *)p, SIZE);
		     }));
}
