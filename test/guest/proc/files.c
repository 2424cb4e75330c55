/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc: which files there are, and that what they tell is true. */
#include "guest_test.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static char text[65536];

static const char *contents(const char *path)
{
	text[0] = 0;
	EXPECT(read_file(path, text, sizeof(text)) >= 0);
	return text;
}

/* The value of a line "name: value" of a file. */
static long long value_of(const char *path, const char *name)
{
	char wanted[64];
	const char *at;

	contents(path);
	snprintf(wanted, sizeof(wanted), "\n%s", name);
	at = strncmp(text, name, strlen(name)) == 0 ? text - 1 : strstr(text, wanted);
	return EXPECT(at != NULL) ? strtoll(at + 1 + strlen(name), NULL, 10) : -1;
}

TEST(proc_files_are_there)
{
	static const char *const files[] = {
		"self/auxv",
		"self/cmdline",
		"self/comm",
		"self/environ",
		"self/io",
		"self/limits",
		"self/maps",
		"self/mountinfo",
		"self/mounts",
		"self/mountstats",
		"self/numa_maps",
		"self/oom_adj",
		"self/oom_score",
		"self/oom_score_adj",
		"self/personality",
		"self/sched",
		"self/schedstat",
		"self/smaps",
		"self/smaps_rollup",
		"self/stack",
		"self/stat",
		"self/statm",
		"self/status",
		"self/syscall",
		"self/wchan",
		"self/timers",
		"self/timerslack_ns",
		"self/coredump_filter",
		"self/uid_map",
		"self/gid_map",
		"self/projid_map",
		"self/setgroups",
		"self/sessionid",
		"self/loginuid",
		"self/cpuset",
		"self/cgroup",
		"self/fdinfo/0",
		"thread-self/children",
		"thread-self/status",
		"buddyinfo",
		"cmdline",
		"consoles",
		"cpuinfo",
		"devices",
		"diskstats",
		"execdomains",
		"filesystems",
		"interrupts",
		"iomem",
		"kallsyms",
		"loadavg",
		"locks",
		"meminfo",
		"misc",
		"modules",
		"mounts",
		"pagetypeinfo",
		"partitions",
		"schedstat",
		"slabinfo",
		"softirqs",
		"stat",
		"swaps",
		"sysvipc/msg",
		"sysvipc/sem",
		"sysvipc/shm",
		"tty/drivers",
		"tty/ldiscs",
		"uptime",
		"version",
		"vmallocinfo",
		"vmstat",
		"zoneinfo",
	};
	char path[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%s", files[i]);
		if (!EXPECT(read_file(path, text, sizeof(text)) >= 0))
			printf("# %s\n", path);
	}
}

TEST(proc_io_counts_calls_and_bytes)
{
	long long reads = value_of("/proc/self/io", "syscr:"), bytes;
	char buf[100];
	int f = open("/dev/zero", O_RDONLY);

	bytes = value_of("/proc/self/io", "rchar:");
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(read(f, buf, 100), 100);
	EXPECT(value_of("/proc/self/io", "syscr:") - reads >= 10);
	EXPECT(value_of("/proc/self/io", "rchar:") - bytes >= 1000);
	close(f);
}

TEST(proc_locks_are_listed)
{
	struct flock lock = { .l_type = F_RDLCK, .l_start = 10, .l_len = 5 };
	int f = open("f", O_CREAT | O_RDWR, 0644);
	struct stat st;
	char wanted[128];

	fstat(f, &st);
	EXPECT_EQ(flock(f, LOCK_EX), 0);
	EXPECT_EQ(fcntl(f, F_SETLK, &lock), 0);
	contents("/proc/locks");
	snprintf(wanted, sizeof(wanted), "FLOCK  ADVISORY  WRITE %d ", getpid());
	EXPECT(strstr(text, wanted) != NULL);
	snprintf(wanted, sizeof(wanted), ":%lu 0 EOF\n", (unsigned long)st.st_ino);
	EXPECT(strstr(text, wanted) != NULL);
	snprintf(wanted, sizeof(wanted), "POSIX  ADVISORY  READ %d ", getpid());
	EXPECT(strstr(text, wanted) != NULL);
	snprintf(wanted, sizeof(wanted), ":%lu 10 14\n", (unsigned long)st.st_ino);
	EXPECT(strstr(text, wanted) != NULL);
	close(f);
	contents("/proc/locks");
	EXPECT(strstr(text, wanted) == NULL);
}

TEST(proc_children_and_count_of_processes)
{
	long long before = value_of("/proc/stat", "processes ");
	char wanted[32];

	IN_CHILD(pid)
	{
		pause();
		_exit(0);
	}
	snprintf(wanted, sizeof(wanted), "%d ", pid);
	EXPECT_STREQ(contents("/proc/thread-self/children"), wanted);
	EXPECT(value_of("/proc/stat", "processes ") > before);
	kill(pid, SIGKILL);
	wait_status(pid);
	EXPECT_STREQ(contents("/proc/thread-self/children"), "");
}

TEST(proc_settings_are_kept)
{
	EXPECT_STREQ(contents("/proc/self/coredump_filter"), "00000033\n");
	make_file("/proc/self/coredump_filter", "0x7f");
	IN_CHILD(pid)
	{
		EXPECT_STREQ(contents("/proc/self/coredump_filter"), "0000007f\n");
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	make_file("/proc/self/timerslack_ns", "12345");
	EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 12345);
	make_file("/proc/self/oom_adj", "15");
	EXPECT_STREQ(contents("/proc/self/oom_score_adj"), "1000\n");
	make_file("/proc/self/oom_score_adj", "-500");
	EXPECT_STREQ(contents("/proc/self/oom_adj"), "-8\n");
}

TEST(proc_timers_are_listed)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR2,
				  .sigev_value.sival_ptr = (void *)0x1234 };
	char wanted[128];
	timer_t timer;

	REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	snprintf(wanted, sizeof(wanted),
		 "ID: 0\nsignal: 12/0000000000001234\nnotify: signal/pid.%d\nClockID: 1\n",
		 getpid());
	EXPECT_STREQ(contents("/proc/self/timers"), wanted);
	timer_delete(timer);
	EXPECT_STREQ(contents("/proc/self/timers"), "");
}

TEST(proc_map_files_lead_to_files)
{
	char link[256], target[256], here[200];
	void *map;
	int f;
	ssize_t n;

	make_file("f", "hello");
	f = open("f", O_RDONLY);
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, f, 0);
	close(f);
	snprintf(link, sizeof(link), "/proc/self/map_files/%lx-%lx", (unsigned long)map,
		 (unsigned long)map + 4096);
	n = readlink(link, target, sizeof(target) - 1);
	if (EXPECT(n > 0)) {
		target[n] = 0;
		EXPECT(getcwd(here, sizeof(here)) != NULL);
		strcat(here, "/f");
		EXPECT_STREQ(target, here);
	}
	EXPECT_STREQ(contents(link), "hello");
	munmap(map, 4096);
	EXPECT_ERRNO(readlink(link, target, sizeof(target)), ENOENT);
}

/* The word of a page in pagemap; its frame's in kpagecount. */
static uint64_t word_of(const char *path, uint64_t index)
{
	uint64_t word = 0;
	int fd = open(path, O_RDONLY);

	EXPECT_EQ(pread(fd, &word, sizeof(word), (off_t)(index * sizeof(word))), sizeof(word));
	close(fd);
	return word;
}

TEST(proc_pagemap_tells_root_the_frames)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	const uint64_t frame_mask = (1ull << 55) - 1;
	uint64_t word = word_of("/proc/self/pagemap", (uintptr_t)page / 4096);

	EXPECT(word >> 63);
	EXPECT_NE(word & frame_mask, 0);
	EXPECT_EQ(word_of("/proc/kpagecount", word & frame_mask), 1);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
		word = word_of("/proc/self/pagemap", (uintptr_t)page / 4096);
		EXPECT(word >> 63);
		EXPECT_EQ(word & frame_mask, 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(munmap(page, 4096), 0);
}

TEST(proc_clear_refs_forgets)
{
	long long before, after;
	char *map =
		mmap(NULL, 256 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(map, 1, 256 * 4096);
	before = value_of("/proc/self/smaps_rollup", "Referenced:");
	make_file("/proc/self/clear_refs", "1");
	after = value_of("/proc/self/smaps_rollup", "Referenced:");
	EXPECT(before >= 1024);
	EXPECT(after < before - 900);
	munmap(map, 256 * 4096);
	EXPECT(value_of("/proc/self/status", "VmHWM:") > 1000);
	make_file("/proc/self/clear_refs", "5");
	EXPECT(value_of("/proc/self/status", "VmHWM:") < before);
}

TEST(proc_faults_are_counted)
{
	long long before = value_of("/proc/vmstat", "pgfault ");
	char *map =
		mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < 64; i++)
		map[i * 4096] = 1;
	EXPECT(value_of("/proc/vmstat", "pgfault ") - before >= 64);
}

TEST(proc_sysctls_are_there)
{
	static const char *const names[] = {
		"fs/file-max",
		"fs/file-nr",
		"fs/nr_open",
		"fs/inode-nr",
		"fs/inode-state",
		"fs/dentry-state",
		"fs/overflowuid",
		"fs/overflowgid",
		"fs/pipe-max-size",
		"fs/protected_hardlinks",
		"fs/protected_symlinks",
		"fs/inotify/max_user_watches",
		"fs/mqueue/msg_max",
		"kernel/cap_last_cap",
		"kernel/dmesg_restrict",
		"kernel/domainname",
		"kernel/hostname",
		"kernel/kptr_restrict",
		"kernel/msgmax",
		"kernel/msgmnb",
		"kernel/msgmni",
		"kernel/ngroups_max",
		"kernel/osrelease",
		"kernel/ostype",
		"kernel/overflowuid",
		"kernel/overflowgid",
		"kernel/panic",
		"kernel/panic_on_oops",
		"kernel/pid_max",
		"kernel/printk",
		"kernel/random/boot_id",
		"kernel/random/uuid",
		"kernel/randomize_va_space",
		"kernel/sched_rr_timeslice_ms",
		"kernel/sem",
		"kernel/shmall",
		"kernel/shmmax",
		"kernel/shmmni",
		"kernel/tainted",
		"kernel/threads-max",
		"kernel/version",
		"kernel/pty/max",
		"kernel/pty/nr",
		"vm/overcommit_memory",
		"vm/mmap_min_addr",
		"vm/min_free_kbytes",
		"vm/panic_on_oom",
	};
	char path[96];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/proc/sys/%s", names[i]);
		if (!EXPECT(read_file(path, text, sizeof(text)) > 0))
			printf("# %s\n", path);
	}
}
