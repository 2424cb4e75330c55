/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Races between threads, processes, mappings, futexes and signals, on as many CPUs as there are. `stress=MILLISECONDS` on
 * the kernel's command line makes each of them last longer.
 */
#include "guest_test.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define MILLISECONDS 300 /* of each test */
#define PAGE 4096

static long long deadline;

static void start_clock(void)
{
	const char *longer = getenv("stress");

	deadline = now_ms() + (longer ? atoi(longer) : MILLISECONDS);
}

static bool time_is_up(void)
{
	return now_ms() >= deadline;
}

/* Runs a function in n threads and waits for them. */
static void run_threads(unsigned n, void *(*fn)(void *))
{
	pthread_t threads[n];

	for (unsigned i = 0; i < n; i++)
		REQUIRE(pthread_create(&threads[i], NULL, fn, (void *)(uintptr_t)i) == 0);
	for (unsigned i = 0; i < n; i++)
		EXPECT_EQ(pthread_join(threads[i], NULL), 0);
}

/* Runs a function in n processes and waits for them. */
static void run_processes(unsigned n, void (*fn)(unsigned index))
{
	pid_t pids[n];

	for (unsigned i = 0; i < n; i++) {
		IN_CHILD(pid)
		{
			fn(i);
			_exit(test_has_failed());
		}
		pids[i] = pid;
	}
	for (unsigned i = 0; i < n; i++)
		EXPECT_EQ(wait_status(pids[i]), 0);
}

/* --- processes --- */

HELPER(smp_nothing)
{
	return 7;
}

static void fork_and_exec(unsigned index)
{
	while (!time_is_up()) {
		IN_CHILD(pid)
		{
			if (index % 2)
				_exit(7);
			execl(GUEST_PROGRAM, "x", "helper", "smp_nothing", NULL);
			_exit(1);
		}
		EXPECT_EQ(wait_status(pid), 7);
	}
}

TEST(fork_exec_and_exit_at_once)
{
	start_clock();
	run_processes(6, fork_and_exec);
}

static void *short_thread(void *arg)
{
	return arg;
}

static void *make_threads(void *arg)
{
	while (!time_is_up()) {
		pthread_t thread;
		void *result = NULL;

		if (EXPECT_EQ(pthread_create(&thread, NULL, short_thread, arg), 0))
			EXPECT_EQ(pthread_join(thread, &result), 0);
		EXPECT_EQ((uintptr_t)result, (uintptr_t)arg);
	}
	return NULL;
}

TEST(threads_come_and_go)
{
	start_clock();
	run_threads(6, make_threads);
}

static void *spin_forever(void *unused)
{
	for (;;)
		getppid();
	return NULL;
}

static void *sleep_forever(void *unused)
{
	for (;;)
		pause();
	return NULL;
}

static void *fork_forever(void *unused)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return NULL;
}

/* A process with threads of all kinds. */
static void start_a_crowd(void)
{
	static void *(*const kinds[])(void *) = { spin_forever, sleep_forever, fork_forever,
						  spin_forever, sleep_forever };

	for (unsigned i = 0; i < 5; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, kinds[i], NULL);
	}
	usleep(3000);
}

TEST(exec_exit_and_kill_end_all_threads)
{
	start_clock();
	for (unsigned round = 0; !time_is_up(); round++) {
		IN_CHILD(pid)
		{
			start_a_crowd();
			if (round % 3 == 0)
				_exit(7);
			if (round % 3 == 1)
				execl(GUEST_PROGRAM, "x", "helper", "smp_nothing", NULL);
			pause();
		}
		if (round % 3 == 2) {
			usleep(1000 * (round % 11));
			kill(pid, SIGKILL);
			EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
		} else {
			EXPECT_EQ(wait_status(pid), 7);
		}
	}
}

static void *exec_from_thread(void *start)
{
	pthread_barrier_wait(start);
	execl(GUEST_PROGRAM, "x", "helper", "smp_nothing", NULL);
	return NULL;
}

TEST(threads_that_exec_at_once_become_one)
{
	start_clock();
	while (!time_is_up()) {
		IN_CHILD(pid)
		{
			static pthread_barrier_t start;
			pthread_t thread;

			pthread_barrier_init(&start, NULL, 4);
			for (unsigned i = 0; i < 3; i++)
				pthread_create(&thread, NULL, exec_from_thread, &start);
			exec_from_thread(&start);
			_exit(1);
		}
		EXPECT_EQ(wait_status(pid), 7);
	}
}

static void *exit_from_thread(void *start)
{
	pthread_barrier_wait(start);
	_exit(9);
}

TEST(threads_that_exit_at_once_end_the_process_once)
{
	start_clock();
	while (!time_is_up()) {
		IN_CHILD(pid)
		{
			static pthread_barrier_t start;
			pthread_t thread;

			pthread_barrier_init(&start, NULL, 4);
			for (unsigned i = 0; i < 3; i++)
				pthread_create(&thread, NULL, exit_from_thread, &start);
			exit_from_thread(&start);
		}
		EXPECT_EQ(wait_status(pid), 9);
	}
}

/* Groups that die while others send to them. */
static void change_groups(unsigned index)
{
	signal(SIGUSR1, SIG_IGN);
	while (!time_is_up()) {
		IN_CHILD(pid)
		{
			setpgid(0, 0);
			kill(0, SIGUSR1);
			_exit(0);
		}
		kill(-pid, SIGUSR1);
		kill(-pid, SIGCONT);
		setpgid(pid, pid);
		kill(-pid, SIGUSR1);
		EXPECT_EQ(wait_status(pid), 0);
	}
}

TEST(signals_to_groups_that_die)
{
	start_clock();
	run_processes(6, change_groups);
}

/* --- signals between threads --- */

static unsigned handled;
static pid_t thread_ids[4];
static bool finished;

static void count_signal(int signo)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

static void *signal_each_other(void *arg)
{
	unsigned self = (uintptr_t)arg, sent = 0;

	__atomic_store_n(&thread_ids[self], syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!time_is_up()) {
		pid_t other = __atomic_load_n(&thread_ids[(self + 1) % 4], __ATOMIC_ACQUIRE);

		if (other)
			EXPECT_EQ(syscall(SYS_tgkill, getpid(), other, SIGUSR1), 0);
		if (sent++ % 16 == 0)
			usleep(100);
	}
	__atomic_store_n(&finished, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 50; i++)
		usleep(1000); /* the others still send */
	return NULL;
}

TEST(threads_signal_each_other)
{
	signal(SIGUSR1, count_signal);
	start_clock();
	run_threads(4, signal_each_other);
	EXPECT(handled > 0);
}

/* --- mappings --- */

/*
 * One thread replaces a page by another; the others must never see a page after it was taken away. Each page holds its
 * generation; munmap and mprotect return when no CPU can use the old translation any more.
 */
static struct {
	unsigned *page;
	unsigned generation; /* what the page holds at least */
	bool stop;
} shared_page;

static void *watch_page(void *unused)
{
	while (!__atomic_load_n(&shared_page.stop, __ATOMIC_RELAXED)) {
		unsigned least = __atomic_load_n(&shared_page.generation, __ATOMIC_ACQUIRE);
		unsigned seen = __atomic_load_n(shared_page.page, __ATOMIC_ACQUIRE);

		if (seen < least) {
			EXPECT_LE(least, seen);
			return NULL;
		}
	}
	return NULL;
}

static void replace_pages(unsigned *spare)
{
	unsigned generation = 1;

	while (!time_is_up()) {
		void *moved;

		spare = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		REQUIRE(spare != MAP_FAILED);
		*spare = ++generation;
		moved = mremap(spare, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, shared_page.page);
		REQUIRE(moved == shared_page.page);
		__atomic_store_n(&shared_page.generation, generation, __ATOMIC_RELEASE);
	}
}

TEST(replaced_pages_are_gone_on_all_cpus)
{
	pthread_t threads[3];

	start_clock();
	shared_page.page =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*shared_page.page = 1;
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, watch_page, NULL);
	replace_pages(NULL);
	shared_page.stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

/* After fork the child must not see what the parent writes, however many of its CPUs have the page writable. */
static volatile unsigned counters[4 * 1024];

static void *keep_writing(void *arg)
{
	volatile unsigned *mine = &counters[(uintptr_t)arg * 1024];

	while (!__atomic_load_n(&finished, __ATOMIC_RELAXED))
		++*mine;
	return NULL;
}

static void compare_twice(void)
{
	unsigned before[3];

	for (int i = 0; i < 3; i++)
		before[i] = counters[i * 1024];
	usleep(2000);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(counters[i * 1024], before[i]);
}

TEST(forked_memory_stands_still)
{
	pthread_t threads[3];

	start_clock();
	for (uintptr_t i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, keep_writing, (void *)i);
	while (!time_is_up()) {
		IN_CHILD(pid)
		{
			compare_twice();
			_exit(test_has_failed());
		}
		EXPECT_EQ(wait_status(pid), 0);
	}
	finished = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

static void *map_and_fault(void *arg)
{
	unsigned seed = 1 + (uintptr_t)arg;

	while (!time_is_up()) {
		size_t size = PAGE * (1 + rand_r(&seed) % 700);
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (!EXPECT(p != MAP_FAILED))
			break;
		for (size_t at = 0; at < size; at += 7 * PAGE)
			p[at] = (char)(at / PAGE);
		for (size_t at = 0; at < size; at += 7 * PAGE)
			if (p[at] != (char)(at / PAGE))
				EXPECT_EQ(p[at], (char)(at / PAGE));
		mprotect(p, size / 2 & ~(PAGE - 1ul), PROT_READ);
		madvise(p, size, MADV_DONTNEED);
		EXPECT_EQ(p[size - 1], 0);
		EXPECT_EQ(munmap(p, size), 0);
	}
	return NULL;
}

TEST(mappings_of_all_threads_at_once)
{
	start_clock();
	run_threads(6, map_and_fault);
}

/* --- futexes --- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned turn, rounds;

static void *take_turns(void *arg)
{
	unsigned self = (uintptr_t)arg;

	for (;;) {
		bool end;

		pthread_mutex_lock(&mutex);
		while (turn % 4 != self && !finished)
			pthread_cond_wait(&changed, &mutex);
		turn++;
		rounds++;
		end = finished = finished || time_is_up();
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
		if (end)
			return NULL;
	}
}

TEST(condition_variables_wake_everybody)
{
	start_clock();
	run_threads(4, take_turns);
	EXPECT(rounds > 5);
}

/* Raw waits and wakes on one word, with requeueing between two: no wake-up may be lost. */
static unsigned words[2];

static void *wait_on_word(void *unused)
{
	struct timespec limit = { 5, 0 };

	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		unsigned value = __atomic_load_n(&words[0], __ATOMIC_ACQUIRE);

		if (__atomic_load_n(&finished, __ATOMIC_ACQUIRE))
			break;
		if (syscall(SYS_futex, &words[0], FUTEX_WAIT_PRIVATE, value, &limit) < 0)
			EXPECT_NE(errno, ETIMEDOUT);
	}
	return NULL;
}

TEST(requeued_waiters_are_woken)
{
	pthread_t threads[4];

	start_clock();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, wait_on_word, NULL);
	while (!time_is_up()) {
		__atomic_add_fetch(&words[0], 1, __ATOMIC_RELEASE);
		syscall(SYS_futex, &words[0], FUTEX_REQUEUE_PRIVATE, 1, (void *)2, &words[1], 0);
		syscall(SYS_futex, &words[1], FUTEX_WAKE_PRIVATE, 100);
		syscall(SYS_futex, &words[0], FUTEX_WAKE_PRIVATE, 100);
	}
	__atomic_store_n(&finished, true, __ATOMIC_RELEASE);
	__atomic_add_fetch(&words[0], 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &words[0], FUTEX_WAKE_PRIVATE, 100);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* --- pipes --- */

static void *pump(void *arg)
{
	int *ends = arg;
	char byte;

	while (read(ends[0], &byte, 1) == 1)
		if (write(ends[1], &byte, 1) != 1)
			break;
	return NULL;
}

TEST(bytes_go_round_in_circles)
{
	int pipes[4][2], ends[4][2];
	pthread_t threads[4];
	unsigned sent = 0;
	char byte = 1;

	for (int i = 0; i < 4; i++)
		REQUIRE(pipe(pipes[i]) == 0);
	for (int i = 0; i < 3; i++) {
		ends[i][0] = pipes[i][0];
		ends[i][1] = pipes[i + 1][1];
		pthread_create(&threads[i], NULL, pump, ends[i]);
	}
	start_clock();
	for (; !time_is_up(); sent++) {
		EXPECT_EQ(write(pipes[0][1], &byte, 1), 1);
		EXPECT_EQ(read(pipes[3][0], &byte, 1), 1);
	}
	for (int i = 0; i < 3; i++) {
		close(pipes[i][1]);
		pthread_join(threads[i], NULL);
	}
	EXPECT(sent > 5);
}

/* Signals are counted in the account of a user who changes all the time. */
static volatile bool users_stop;

static void *send_signals(void *to)
{
	siginfo_t info = { .si_signo = SIGRTMIN, .si_code = SI_QUEUE };

	while (!users_stop)
		syscall(SYS_rt_tgsigqueueinfo, getpid(), (int)(long)to, SIGRTMIN, &info);
	return NULL;
}

TEST(users_change_while_signals_come)
{
	pthread_t senders[3];
	struct timespec none = { 0, 0 };
	long long end = now_ms() + 300;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&senders[i], NULL, send_signals, (void *)syscall(SYS_gettid));
	for (int i = 0; now_ms() < end; i++) {
		/* Of this thread only, and only the real one: it may go back. */
		EXPECT_EQ(syscall(SYS_setresuid, 5000 + i % 7, -1, -1), 0);
		/* Some of those that wait: they come as fast as they go. */
		for (int n = 0; n < 32 && sigtimedwait(&set, NULL, &none) > 0; n++)
			;
	}
	users_stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(senders[i], NULL);
	EXPECT_EQ(syscall(SYS_setresuid, 0, -1, -1), 0);
}
