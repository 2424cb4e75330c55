/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who runs where: affinity, load on all CPUs, time accounts, registers that move with their thread. */
#include "guest_test.h"

#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <termios.h>

static volatile bool stop;

static void *burn(void *unused)
{
	while (!stop)
		;
	return NULL;
}

/* The jiffies of /proc/stat that CPU n was busy and idle. */
static bool cpu_stat(unsigned cpu, unsigned long *busy, unsigned long *idle)
{
	char text[16384], name[16], *line;
	unsigned long user, nice, system;

	if (read_file("/proc/stat", text, sizeof(text)) < 0)
		return false;
	snprintf(name, sizeof(name), "\ncpu%u ", cpu);
	line = strstr(text, name);
	if (!line ||
	    sscanf(line + strlen(name), "%lu %lu %lu %lu", &user, &nice, &system, idle) != 4)
		return false;
	*busy = user + nice + system;
	return true;
}

TEST(every_cpu_is_busy_under_load)
{
	unsigned cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long busy[cpus], idle[cpus], b, i;
	pthread_t threads[cpus];

	for (unsigned n = 0; n < cpus; n++)
		pthread_create(&threads[n], NULL, burn, NULL);
	sleep_ms(200);
	for (unsigned n = 0; n < cpus; n++)
		EXPECT(cpu_stat(n, &busy[n], &idle[n]));
	sleep_ms(800);
	for (unsigned n = 0; n < cpus; n++) {
		EXPECT(cpu_stat(n, &b, &i));
		EXPECT_LE(8, b - busy[n]);
		EXPECT_LE(i - idle[n], 50);
	}
	stop = true;
	for (unsigned n = 0; n < cpus; n++)
		pthread_join(threads[n], NULL);
}

TEST(idle_cpus_are_idle)
{
	unsigned cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long busy[cpus], idle[cpus], b, i, all = 0;

	for (unsigned n = 0; n < cpus; n++)
		EXPECT(cpu_stat(n, &busy[n], &idle[n]));
	sleep_ms(500);
	for (unsigned n = 0; n < cpus; n++) {
		EXPECT(cpu_stat(n, &b, &i));
		all += i - idle[n];
	}
	EXPECT_LE(cpus * 25, all);
}

TEST(a_thread_goes_where_it_must)
{
	unsigned cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (unsigned round = 0; round < 200; round++) {
		unsigned cpu = round % cpus, now = ~0u;
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		EXPECT_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
		EXPECT_EQ(sched_getcpu(), cpu);
		EXPECT_EQ(syscall(SYS_getcpu, &now, NULL, NULL), 0);
		EXPECT_EQ(now, cpu);
	}
}

static pid_t burner;

static void *burn_named(void *unused)
{
	__atomic_store_n(&burner, syscall(SYS_gettid), __ATOMIC_RELEASE);
	return burn(unused);
}

/* Field 39 of /proc/PID/stat: the CPU last executed on. */
static int last_cpu(pid_t tid)
{
	char path[64], text[1024], *p;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	if (read_file(path, text, sizeof(text)) < 0)
		return -1;
	p = strrchr(text, ')');
	for (int field = 2; p && field < 39; field++)
		p = strchr(p + 1, ' ');
	return p ? atoi(p + 1) : -1;
}

TEST(a_running_thread_is_sent_away)
{
	unsigned cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread;

	pthread_create(&thread, NULL, burn_named, NULL);
	while (!__atomic_load_n(&burner, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		EXPECT_EQ(sched_setaffinity(burner, sizeof(set), &set), 0);
		sleep_ms(30);
		EXPECT_EQ(last_cpu(burner), cpu);
	}
	stop = true;
	pthread_join(thread, NULL);
}

/* Floating point registers belong to the thread, wherever it runs. */
static void *compute(void *arg)
{
	double mine = 1.0 + (uintptr_t)arg, sum = 0;
	unsigned cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (unsigned round = 0; round < 300; round++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((round + (uintptr_t)arg) % cpus, &set);
		for (int i = 0; i < 1000; i++)
			sum += mine;
		sched_setaffinity(0, sizeof(set), &set);
		sched_yield();
	}
	EXPECT(sum == mine * 300 * 1000);
	return NULL;
}

TEST(floating_point_moves_with_the_thread)
{
	pthread_t threads[6];

	for (uintptr_t i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, compute, (void *)i);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
}

static long long clock_us(clockid_t clock)
{
	struct timespec t;

	EXPECT_EQ(clock_gettime(clock, &t), 0);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

/* The clocks of a thread and a process that work for 200 ms agree with each other and with getrusage and times. */
TEST(cpu_time_is_counted)
{
	long long thread = clock_us(CLOCK_THREAD_CPUTIME_ID),
		  process = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	long long wall = now_ms(), used;
	struct rusage usage;
	struct tms tms;

	while (clock_us(CLOCK_THREAD_CPUTIME_ID) - thread < 200000)
		;
	wall = now_ms() - wall;
	EXPECT_LE(199, wall);
	used = clock_us(CLOCK_PROCESS_CPUTIME_ID) - process;
	EXPECT_LE(199000, used);
	EXPECT_LE(used, 400000);
	EXPECT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
	used = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000ll +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
	EXPECT_LE(195000, used);
	EXPECT_LE(used, 500000);
	times(&tms);
	EXPECT_LE(18, tms.tms_utime + tms.tms_stime);
}

/* What answers keys: reads from a terminal and writes back. */
static void answer_keys(int tty)
{
	char key;

	while (read(tty, &key, 1) == 1 && key != 'q')
		write(tty, &key, 1);
}

static int by_size(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

TEST(keys_are_answered_beside_hogs)
{
	unsigned cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[cpus];
	long long took[31];
	struct termios raw;
	int master, slave;
	char key = 'x';

	REQUIRE(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	IN_CHILD(pid)
	{
		answer_keys(slave);
		_exit(0);
	}
	for (unsigned n = 0; n < cpus; n++)
		pthread_create(&threads[n], NULL, burn, NULL);
	sleep_ms(100);
	for (int i = 0; i < 31; i++) {
		long long start = clock_us(CLOCK_MONOTONIC);

		EXPECT_EQ(write(master, &key, 1), 1);
		EXPECT_EQ(read(master, &key, 1), 1);
		took[i] = clock_us(CLOCK_MONOTONIC) - start;
		sleep_ms(10);
	}
	stop = true;
	for (unsigned n = 0; n < cpus; n++)
		pthread_join(threads[n], NULL);
	EXPECT_EQ(write(master, "q", 1), 1);
	EXPECT_EQ(wait_status(pid), 0);
	/* The median: the host takes its CPUs away now and then. */
	qsort(took, 31, sizeof(took[0]), by_size);
	EXPECT_LE(took[15], 20000);
}

TEST(a_sleeper_wakes_beside_hogs)
{
	unsigned cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[2 * cpus];
	long long late[51];

	for (unsigned n = 0; n < cpus; n++)
		pthread_create(&threads[n], NULL, burn, NULL);
	sleep_ms(100);
	for (int i = 0; i < 51; i++) {
		long long start = clock_us(CLOCK_MONOTONIC);

		sleep_ms(10);
		late[i] = clock_us(CLOCK_MONOTONIC) - start - 10000;
	}
	stop = true;
	for (unsigned n = 0; n < cpus; n++)
		pthread_join(threads[n], NULL);
	/* The median: the host takes its CPUs away now and then. */
	qsort(late, 51, sizeof(late[0]), by_size);
	EXPECT_LE(late[25], 20000);
}
