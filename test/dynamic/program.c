/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uses what a C library sets up at start: relocations, thread-local storage, constructors, threads, the vDSO, stdio. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static __thread int local = 5;
static int constructed;
static const char *const words[] = { "relocated", "pointers" };

__attribute__((constructor)) static void construct(void)
{
	constructed = 1;
}

static void *thread(void *argument)
{
	local += *(int *)argument;
	return (void *)(long)local;
}

int main(int argc, char **argv)
{
	int seven = 7;
	void *result;
	pthread_t id;
	struct timespec now;
	char *text = malloc(1 << 20);

	memset(text, 'x', 1 << 20);
	if (!constructed || strcmp(words[1], "pointers") != 0)
		return 1;
	if (pthread_create(&id, NULL, thread, &seven) || pthread_join(id, &result))
		return 2;
	if ((long)result != 12 || local != 5)
		return 3;
	if (clock_gettime(CLOCK_MONOTONIC, &now) || (now.tv_sec == 0 && now.tv_nsec == 0))
		return 4;
	errno = 0;
	if (close(-1) != -1 || errno != EBADF)
		return 5;
	printf("hello %d %s %.3f\n", argc, getenv("GREETING"), strtod(argv[1], NULL) / 3);
	return 0;
}
