/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/irq (proc(5)). */
#include "guest_test.h"

#include <dirent.h>

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return done;
}

static void expect_text(int irq, const char *file, const char *wanted)
{
	char path[96], text[64] = "";

	snprintf(path, sizeof(path), "/proc/irq/%d/%s", irq, file);
	EXPECT(read_file(path, text, sizeof(text)) > 0);
	text[strcspn(text, "\n")] = 0;
	if (strcmp(text, wanted) != 0)
		test_fail(__FILE__, __LINE__, "%s: %s, not %s", path, text, wanted);
}

/* Moves an interrupt between the first two CPUs and back. */
static void move(int irq, const char *before)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/irq/%d/smp_affinity_list", irq);
	expect_text(irq, "smp_affinity_list", "1");
	EXPECT(write_text(path, "0-1\n"));
	expect_text(irq, "smp_affinity_list", "0-1");
	EXPECT(!write_text(path, "63\n"));
	EXPECT(!write_text(path, "1-0\n"));
	EXPECT(!write_text(path, "x\n"));
	snprintf(path, sizeof(path), "/proc/irq/%d/smp_affinity", irq);
	EXPECT(!write_text(path, "0\n"));
	EXPECT(!write_text(path, "g\n"));
	EXPECT(write_text(path, "1"));
	expect_text(irq, "smp_affinity_list", "0");
	EXPECT(write_text(path, before));
}

TEST(interrupts_can_be_moved)
{
	DIR *dir = opendir("/proc/irq");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct dirent *entry;
	int seen = 0, moved = 0;

	REQUIRE(dir);
	while ((entry = readdir(dir))) {
		int irq = atoi(entry->d_name);
		char path[320], before[64] = "";

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		seen++;
		snprintf(path, sizeof(path), "/proc/irq/%s/smp_affinity", entry->d_name);
		EXPECT(read_file(path, before, sizeof(before)) > 0);
		if (cpus < 2 || !write_text(path, "2"))
			continue; /* Linux's timers, and those that it spreads itself, stay where they are */
		moved++;
		move(irq, before);
	}
	closedir(dir);
	EXPECT(seen > 0);
	EXPECT(cpus < 2 || moved > 0);
	EXPECT_EQ(access("/proc/irq/default_smp_affinity", R_OK), 0);
}
