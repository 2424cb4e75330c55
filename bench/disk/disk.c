/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk benchmarks, as the first process: ext4 on /dev/vda, each row after the caches were dropped where it says cold.
 * Prints "bench disk NAME NANOSECONDS of OPERATIONS" for each row; only=NAME runs that row (not those of programs) and what it
 * needs.
 */
#define _GNU_SOURCE
#include "disk_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES (32u << 20)
#define LARGE (128u << 10)
#define SMALL 4096u
#define RANDOM_OPERATIONS 2000u
#define SMALL_FILES 10000u

static char *buffer;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool wanted(const char *name)
{
	const char *only = getenv("only");

	return !only || !strcmp(only, name);
}

static void row(const char *name, double start, unsigned operations)
{
	printf("bench disk %s %.1f of %u\n", name, (now_ns() - start) / operations, operations);
	fflush(stdout);
}

static void failed(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	fflush(stdout);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	write(fd, "3", 1);
	close(fd);
}

/* What write_128k_new leaves, for a row that runs alone. */
static void prepare_file(void)
{
	int fd = open("/disk/file", O_RDWR | O_CREAT, 0644);

	for (unsigned i = 0; i < FILE_BYTES / LARGE; i++)
		if (write(fd, buffer, LARGE) != LARGE)
			return failed("prepare");
	fsync(fd);
	close(fd);
}

/* `count` transfers of `size` bytes, in order or at random places of the file. */
static void transfer(const char *name, int flags, unsigned size, unsigned count, bool in_order)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	unsigned long long seed = 88172645463325252ull;
	double start;
	int fd;

	if (!wanted(name))
		return;
	drop_caches();
	start = now_ns();
	fd = open("/disk/file", flags | O_CREAT, 0644);
	if (fd < 0)
		return failed(name);
	for (unsigned i = 0; i < count; i++) {
		off_t at;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		at = (off_t)(in_order ? i : seed % (FILE_BYTES / size)) * size;
		if ((writes ? pwrite(fd, buffer, size, at) : pread(fd, buffer, size, at)) !=
		    (ssize_t)size)
			return failed(name);
	}
	if (writes && fsync(fd))
		failed(name);
	close(fd);
	row(name, start, count);
}

static void transfers(void)
{
	unsigned whole = FILE_BYTES / LARGE, pages = FILE_BYTES / SMALL;

	transfer("write_128k_new", O_RDWR, LARGE, whole, true);
	transfer("read_128k", O_RDONLY, LARGE, whole, true);
	transfer("read_4k", O_RDONLY, SMALL, pages, true);
	transfer("read_4k_random", O_RDONLY, SMALL, RANDOM_OPERATIONS, false);
	transfer("read_128k_random", O_RDONLY, LARGE, whole, false);
	transfer("write_128k", O_RDWR, LARGE, whole, true);
	transfer("write_4k", O_RDWR, SMALL, pages, true);
	transfer("write_4k_random", O_RDWR, SMALL, RANDOM_OPERATIONS, false);
	transfer("write_128k_random", O_RDWR, LARGE, whole, false);
	transfer("direct_read_128k", O_RDONLY | O_DIRECT, LARGE, whole, true);
	transfer("direct_read_4k", O_RDONLY | O_DIRECT, SMALL, RANDOM_OPERATIONS, true);
	transfer("direct_read_4k_random", O_RDONLY | O_DIRECT, SMALL, RANDOM_OPERATIONS, false);
	transfer("direct_write_128k", O_RDWR | O_DIRECT, LARGE, whole, true);
	transfer("direct_write_4k", O_RDWR | O_DIRECT, SMALL, RANDOM_OPERATIONS, true);
	transfer("direct_write_4k_random", O_RDWR | O_DIRECT, SMALL, RANDOM_OPERATIONS, false);
	if (wanted("write_128k_new"))
		unlink("/disk/file");
}

static void syncs(void)
{
	const unsigned count = 300;
	int fd = open("/disk/log", O_RDWR | O_CREAT | O_APPEND, 0644);
	double start = now_ns();

	if (!wanted("append_and_fsync"))
		return;
	for (unsigned i = 0; i < count; i++)
		if (write(fd, buffer, 512) != 512 || fsync(fd))
			return failed("append_and_fsync");
	row("append_and_fsync", start, count);
	close(fd);
}

static void small_files(void)
{
	char name[64];
	struct stat st;
	double start;
	int fd;

	mkdir("/disk/small", 0755);
	start = now_ns();
	for (unsigned i = 0; i < SMALL_FILES; i++) {
		snprintf(name, sizeof(name), "/disk/small/%u", i);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0 || write(fd, buffer, 1000) != 1000)
			return failed("create");
		close(fd);
	}
	sync();
	row("create_small_file", start, SMALL_FILES);
	drop_caches();
	start = now_ns();
	for (unsigned i = 0; i < SMALL_FILES; i++) {
		snprintf(name, sizeof(name), "/disk/small/%u", i);
		if (stat(name, &st))
			return failed("stat");
	}
	row("stat_small_file_cold", start, SMALL_FILES);
	start = now_ns();
	for (unsigned i = 0; i < SMALL_FILES; i++) {
		snprintf(name, sizeof(name), "/disk/small/%u", i);
		if (unlink(name))
			return failed("unlink");
	}
	sync();
	row("delete_small_file", start, SMALL_FILES);
}

static void program(const char *name, const char *command, unsigned operations)
{
	double start = now_ns();
	int status;
	pid_t child = fork();

	if (!child) {
		if (chroot("/disk") || chdir("/root"))
			_exit(1);
		setenv("PATH", "/usr/bin:/bin", 1);
		setenv("HOME", "/root", 1);
		execl("/bin/bash", "bash", "-ec", command, NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	if (status)
		failed(name);
	else if (operations)
		row(name, start, operations);
}

static void programs(void)
{
	program("untar_5000", "tar -xf /archive.tar && sync", 5000);
	program("prepare",
		"cd tree && git init -q && git config user.email a@b && git config user.name a && "
		"git add . && "
		"git commit -q -m one && sync",
		0);
	program("git_status_warm", "cd tree && git status -s", 1);
	drop_caches();
	program("git_status_cold", "cd tree && git status -s", 1);
	program("sqlite_transaction",
		"{ echo 'create table t(a,b); begin;'; for ((i=0;i<2000;i++)); do echo \"insert "
		"into t values($i,'text $i');\"; done; "
		"echo 'commit;'; } | sqlite3 one.db",
		2000);
	program("sqlite_autocommit",
		"{ echo 'create table t(a,b);'; for ((i=0;i<100;i++)); do echo \"insert into t "
		"values($i,'text $i');\"; done; } | "
		"sqlite3 two.db",
		100);
	program("delete_tree", "rm -rf tree && sync", 5000);
}

static void set_up(void)
{
	mount("dev", "/dev", "devtmpfs", 0, "");
	mount("proc", "/proc", "proc", 0, "");
	load_disk_driver();
	if (mount("/dev/vda", "/disk", "ext4", 0, ""))
		failed("mount");
	mount("dev", "/disk/dev", "devtmpfs", 0, "");
}

int main(void)
{
	const char *only = getenv("only");

	set_up();
	buffer = aligned_alloc(4096, LARGE);
	memset(buffer, 'x', LARGE);
	if (only && !wanted("write_128k_new"))
		prepare_file();
	transfers();
	syncs();
	if (!only || strstr(only, "small_file"))
		small_files();
	if (!only)
		programs();
	printf("bench done\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
