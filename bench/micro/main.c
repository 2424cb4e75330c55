// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the micro benchmarks as process 1 and prints "bench GROUP NAME NANOSECONDS of OPERATIONS" for
 * each, the least of three measurements per operation, and how many operations were done in all; -1 for what the
 * kernel cannot do. Then powers off.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct bench *first;

void bench_add(struct bench *bench)
{
	struct bench **link = &first;

	while (*link)
		link = &(*link)->next;
	*link = bench;
}

/* Each in a process of its own, so that one that fails takes nothing with it. */
static void run(const struct bench *bench)
{
	int out[2], status;
	int64_t best = -1;

	if (pipe(out))
		return;
	pid_t pid = fork();

	if (pid == 0) {
		(void)bench->run(bench->n / 10 + 1);
		for (int i = 0; i < 3; i++) {
			int64_t ns = bench->run(bench->n);

			if (ns >= 0 && (best < 0 || ns < best))
				best = ns;
		}
		_exit(write(out[1], &best, sizeof(best)) != sizeof(best));
	}
	close(out[1]);
	if (read(out[0], &best, sizeof(best)) != sizeof(best))
		best = -1;
	close(out[0]);
	waitpid(pid, &status, 0);
	if (best < 0)
		printf("bench %s %s -1 of 0\n", bench->group, bench->name);
	else
		printf("bench %s %s %lld.%03lld of %u\n", bench->group, bench->name,
		       (long long)(best / bench->n), (long long)(best % bench->n * 1000 / bench->n),
		       bench->n / 10 + 1 + 3 * bench->n);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	/* The programs that fork+exec and the shell rows start. */
	if (argc > 1 && strcmp(argv[1], "exit") == 0)
		return 0;
	mount("proc", "/proc", "proc", 0, 0);
	mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
	mkdir("/tmp", 0777);
	syscall(SYS_finit_module, open("/fuse.ko", O_RDONLY), "", 0); /* others have it built in */
	puts(""); /* the console may stand in the middle of a line */
	for (const struct bench *b = first; b; b = b->next)
		if (argc < 2 || strcmp(argv[1], b->name) == 0 || strcmp(argv[1], b->group) == 0)
			run(b);
	puts("bench done");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
