/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of a machine whose power is cut: checks what was promised before the last cuts, then works on the
 * disk and promises more until the next one.
 *
 *   round=N promises=A,B,...   rounds before N, oldest first, and how many files each had promised; with work=0 it checks only
 *
 * A promise is a line "promise I" on the console, written after fsync(2) of file I has returned.
 */
#include "disk_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LARGEST 40000u
#define KEPT 5 /* rounds */

static void end(void)
{
	sync();
	reboot(RB_POWER_OFF);
}

static void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("failed: ");
	vprintf(fmt, args);
	printf(" (%s)\n", strerror(errno));
	va_end(args);
	fflush(stdout);
	end();
}

/* A number that round, file and place decide. */
static unsigned mix(unsigned round, unsigned file, unsigned at)
{
	unsigned long long x =
		(round * 1000003ull + file) * 0x9e3779b97f4a7c15ull + at * 0xbf58476d1ce4e5b9ull;

	x ^= x >> 31;
	return (unsigned)(x * 0x94d049bb133111ebull >> 33);
}

static unsigned make_contents(unsigned round, unsigned file, unsigned char *data)
{
	unsigned size = 1 + mix(round, file, 0) % LARGEST;

	for (unsigned i = 0; i < size; i++)
		data[i] = (unsigned char)mix(round, file, i + 1);
	return size;
}

static void write_file(const char *path, const void *data, size_t size, bool synced)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		fail("write %s", path);
	if (synced && fsync(fd))
		fail("fsync %s", path);
	close(fd);
}

static bool has_contents(const char *path, unsigned round, unsigned file)
{
	static unsigned char expected[LARGEST], found[LARGEST + 1];
	unsigned size = make_contents(round, file, expected);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, found, sizeof(found));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)size && !memcmp(found, expected, size);
}

/* What was promised is there; "current", which is only ever replaced by rename, is one of its versions. */
static void check(unsigned round, unsigned promised)
{
	char path[64];
	bool known = false;

	for (unsigned i = 0; i < promised; i++) {
		snprintf(path, sizeof(path), "/disk/round%u/file%u", round, i);
		if (!has_contents(path, round, i))
			fail("%s is not what was fsynced", path);
	}
	snprintf(path, sizeof(path), "/disk/round%u/current", round);
	if (access(path, F_OK))
		return;
	for (unsigned i = 0; i < promised + 100 && !known; i++)
		known = has_contents(path, round, 100000 + i);
	if (!known)
		fail("%s is none of its versions", path);
}

static void remove_tree(const char *path)
{
	char command[100];

	snprintf(command, sizeof(command), "/bin/busybox rm -rf %s", path);
	if (system(command))
		fail("remove %s", path);
}

/* Directories that come and go, with files that nobody fsyncs. */
static void churn(unsigned round, unsigned i, const void *data, size_t size)
{
	char path[80];

	snprintf(path, sizeof(path), "/disk/round%u/directory%u", round, i);
	if (mkdir(path, 0755))
		fail("mkdir %s", path);
	strcat(path, "/unsynced");
	write_file(path, data, size, false);
	if (truncate(path, (off_t)size / 2))
		fail("truncate %s", path);
	if (i < 3)
		return;
	snprintf(path, sizeof(path), "/disk/round%u/directory%u/unsynced", round, i - 3);
	if (unlink(path))
		fail("unlink %s", path);
	*strrchr(path, '/') = 0;
	if (rmdir(path))
		fail("rmdir %s", path);
}

static void work(unsigned round)
{
	static unsigned char data[LARGEST];
	char path[64], current[64];
	unsigned size;

	snprintf(path, sizeof(path), "/disk/round%u", round);
	if (mkdir(path, 0755))
		fail("mkdir %s", path);
	for (unsigned i = 0;; i++) {
		size = make_contents(round, i, data);
		snprintf(path, sizeof(path), "/disk/round%u/file%u", round, i);
		write_file(path, data, size, true);
		printf("promise %u\n", i);
		fflush(stdout);
		size = make_contents(round, 100000 + i, data);
		snprintf(path, sizeof(path), "/disk/round%u/new", round);
		snprintf(current, sizeof(current), "/disk/round%u/current", round);
		write_file(path, data, size, i % 2 == 0);
		if (rename(path, current))
			fail("rename %s", path);
		churn(round, i, data, size);
	}
}

static const char *word(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static void set_up(void)
{
	mkdir("/dev", 0755);
	mkdir("/disk", 0755);
	mount("dev", "/dev", "devtmpfs", 0, "");
	load_disk_driver();
	if (mount("/dev/vda", "/disk", "ext4", 0, ""))
		fail("mount");
}

int main(void)
{
	unsigned round, oldest;
	char *list = strdup(word("promises"));
	char path[64];

	set_up();
	round = (unsigned)atoi(word("round"));
	oldest = round > KEPT ? round - KEPT : 0;
	for (char *p = strtok(list, ","); p; p = strtok(NULL, ","))
		check(oldest++, (unsigned)atoi(p));
	printf("checked\n");
	fflush(stdout);
	snprintf(path, sizeof(path), "/disk/round%u", round - KEPT);
	if (round >= KEPT && !access(path, F_OK))
		remove_tree(path);
	if (strcmp(word("work"), "0"))
		work(round);
	if (umount("/disk"))
		fail("umount");
	printf("unmounted\n");
	fflush(stdout);
	end();
	return 0;
}
