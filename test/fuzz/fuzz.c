/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system call fuzzer, as process 1: arguments by the grammar of abi/syscalls.tbl (grammar.h, made by tools/syscalls.py
 * fuzz), so that most calls get past their first checks.
 *
 * Work is done in cells: a process with two threads, in name spaces of its own where the kernel has them, that makes
 * calls at random for at most CELL_MS. A cell's calls follow from its seed and the moments at which its threads run.
 * Prints "cell SEED" for each, the calls that ever succeeded at the end, and "fuzz done". Words of the command line:
 * seconds=N, seed=N (the first one).
 */
#define _GNU_SOURCE
#include "cell.h"

#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>

struct shared *shared;
int null_file;

static unsigned long seconds = 20, first_seed = 1;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static long pages_in_use(void)
{
	char text[1024] = "";
	int caches = open("/proc/sys/vm/drop_caches", O_WRONLY);
	bool dropped = write(caches, "3", 1) == 1;
	int fd = open("/proc/cairn/counts", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	const char *at = dropped && n > 0 ? strstr(text, "pages_used ") : NULL;

	close(caches);
	close(fd);
	return at ? atol(at + 11) : 0;
}

/* What the kernel counts, by name: pages by use, and objects of each slab. */
static struct count {
	char name[32];
	long before, after;
} counts[160];
static unsigned count_count;

static void note_count(const char *name, long value, bool after)
{
	struct count *c = counts;

	while (c < counts + count_count && strcmp(c->name, name) != 0)
		c++;
	if (c == counts + count_count) {
		if (count_count == sizeof(counts) / sizeof(*counts))
			return;
		count_count++;
		snprintf(c->name, sizeof(c->name), "%s", name);
	}
	*(after ? &c->after : &c->before) = value;
}

static void note_counts(const char *path, bool after)
{
	char line[256], name[32];
	FILE *file = fopen(path, "r");
	long value;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%31s %ld", name, &value) == 2)
			note_count(name, value, after);
	if (file)
		fclose(file);
}

static void note_all(bool after)
{
	note_counts("/proc/cairn/counts", after);
	note_counts("/proc/slabinfo", after);
}

/* Where to look when pages are missing. */
static void print_growth(void)
{
	printf("fuzz: grown:");
	for (struct count *c = counts; c < counts + count_count; c++)
		if (c->after > c->before)
			printf(" %s %ld to %ld", c->name, c->before, c->after);
	puts("");
}

static void end_cell(pid_t pid)
{
	double end = now() + CELL_MS / 1e3;

	while (now() < end && waitpid(pid, NULL, WNOHANG) == 0)
		usleep(10000);
	/* Everybody but process 1: who left its group or was stopped, too. */
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void run_cell(unsigned long seed)
{
	printf("cell %lu\n", seed);
	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		shared->isolated =
			unshare(CLONE_NEWIPC | CLONE_NEWUTS) == 0 && unshare(CLONE_NEWNS) == 0;
		/* From here on children are in a new pid name space; the first is its init. */
		if (unshare(CLONE_NEWPID) == 0) {
			pid_t inner = fork();

			if (inner != 0) {
				waitpid(inner, NULL, 0);
				_exit(0);
			}
		}
		cell(seed);
	}
	if (pid > 0)
		end_cell(pid);
}

static void prepare(void)
{
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=666");
	mkdir("/tmp", 01777);
	null_file = open("/dev/null", O_RDWR); /* a cell may remove the path */
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
}

static void report(void)
{
	unsigned succeeded = 0, made = 0;

	for (unsigned i = 0; i < grammar_count; i++) {
		made += shared->calls[i] != 0;
		succeeded += shared->successes[i] != 0;
	}
	printf("fuzz: %u calls in the grammar, %u made, %u succeeded at least once; never:",
	       grammar_count, made, succeeded);
	for (unsigned i = 0; i < grammar_count; i++)
		if (!shared->successes[i])
			printf(" %s", grammar[i].name);
	puts("");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		(void)sscanf(argv[i], "seconds=%lu", &seconds);
		(void)sscanf(argv[i], "seed=%lu", &first_seed);
	}
	prepare();
	puts("");
	run_cell(0); /* what is made once stays */
	long before = pages_in_use();
	note_all(false);
	double end = now() + (double)seconds;

	for (unsigned long seed = first_seed; now() < end; seed++)
		run_cell(seed);
	report();
	for (unsigned i = 0; i < 50 && pages_in_use() > before + LEAK_PAGES; i++) {
		usleep(100000);
	}
	long after = pages_in_use();

	printf("fuzz: pages %ld before, %ld after\n", before, after);
	note_all(true);
	print_growth();
	/* Mounts and System V objects stay where cells have no name spaces of their own. */
	puts(!before || (shared->isolated && after > before + LEAK_PAGES) ? "fuzz leaked"
									  : "fuzz done");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
