/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restartable sequences and membarrier. The C library has registered an area for each thread. */
#include "guest_test.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/time.h>

static struct rseq *area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static void run_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	EXPECT_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

TEST(the_area_tells_the_cpu)
{
	unsigned cpus = sysconf(_SC_NPROCESSORS_ONLN);

	REQUIRE(__rseq_size > 0);
	for (unsigned i = 0; i < 4 * cpus; i++) {
		run_on(i % cpus);
		EXPECT_EQ(*(volatile unsigned *)&area()->cpu_id, i % cpus);
		EXPECT_EQ(*(volatile unsigned *)&area()->cpu_id_start, i % cpus);
	}
	IN_CHILD(pid)
	{
		run_on(0);
		EXPECT_EQ(*(volatile unsigned *)&area()->cpu_id, 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

static long rseq(void *at, unsigned size, int flags, unsigned signature)
{
	return syscall(SYS_rseq, at, size, flags, signature);
}

TEST(registration_errors)
{
	static _Alignas(32) char mine[64];

	EXPECT_ERRNO(rseq(area(), 32, 0, RSEQ_SIG), EBUSY);
	EXPECT_ERRNO(rseq(area(), 32, 0, RSEQ_SIG + 1), EPERM);
	EXPECT_ERRNO(rseq(mine, 32, 0, RSEQ_SIG), EINVAL);
	EXPECT_ERRNO(rseq(area(), 32, 2, RSEQ_SIG), EINVAL);
	EXPECT_ERRNO(rseq(area(), 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG + 1), EPERM);
	EXPECT_EQ(rseq(area(), 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG), 0);
	EXPECT_EQ((int)area()->cpu_id, RSEQ_CPU_ID_UNINITIALIZED);
	EXPECT_ERRNO(rseq(mine + 8, 32, 0, 1), EINVAL);
	EXPECT_ERRNO(rseq(mine, 31, 0, 1), EINVAL);
	EXPECT_EQ(rseq(mine, 32, 0, 1), 0);
	EXPECT_EQ(rseq(mine, 32, RSEQ_FLAG_UNREGISTER, 1), 0);
}

static volatile int stop;

/* Spins inside a critical section until `stop` is set (false), or until it was aborted (true). */
static bool spin_in_section(void)
{
	unsigned long aborted = 0;

#if defined(__x86_64__)
	asm volatile(".pushsection .data.rseq_cs, \"aw\"\n\t.balign 32\n"
		     "33:\t.long 0, 0\n\t.quad 11f, 22f - 11f, 44f\n\t.popsection\n\t"
		     "leaq 33b(%%rip), %%rax\n\tmovq %%rax, %[cs]\n"
		     "11:\tcmpl $0, %[stop]\n\tje 11b\n"
		     "22:\tjmp 55f\n\t.long %c[sig]\n"
		     "44:\tmovq $1, %[aborted]\n55:"
		     : [aborted] "+r"(aborted), [cs] "=m"(area()->rseq_cs)
		     : [stop] "m"(stop), [sig] "i"(RSEQ_SIG)
		     : "rax", "memory", "cc");
#else
	asm volatile(".pushsection .data.rseq_cs, \"aw\"\n\t.balign 32\n"
		     "33:\t.long 0, 0\n\t.quad 11f, 22f - 11f, 44f\n\t.popsection\n\t"
		     "adrp x9, 33b\n\tadd x9, x9, :lo12:33b\n\tstr x9, %[cs]\n"
		     "11:\tldr w9, %[stop]\n\tcbz w9, 11b\n"
		     "22:\tb 55f\n\t.inst %c[sig]\n"
		     "44:\tmov %[aborted], #1\n55:"
		     : [aborted] "+r"(aborted), [cs] "=m"(area()->rseq_cs)
		     : [stop] "m"(stop), [sig] "i"(RSEQ_SIG)
		     : "x9", "memory");
#endif
	return aborted;
}

static void on_alarm(int signo)
{
}

TEST(a_signal_aborts_the_section)
{
	struct itimerval timer = { .it_value.tv_usec = 20000 };

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &timer, NULL);
	EXPECT(spin_in_section());
	EXPECT_EQ(area()->rseq_cs, 0);
	stop = 1;
	EXPECT(!spin_in_section());
}

static void *burn(void *unused)
{
	run_on(0);
	while (!stop)
		;
	return NULL;
}

TEST(preemption_aborts_the_section)
{
	pthread_t thread;

	run_on(0);
	pthread_create(&thread, NULL, burn, NULL);
	EXPECT(spin_in_section());
	EXPECT_EQ(area()->rseq_cs, 0);
	stop = 1;
	pthread_join(thread, NULL);
}

TEST(a_damaged_section_is_fatal)
{
	static _Alignas(32) struct rseq_cs bad = { .start_ip = 0,
						   .post_commit_offset = 100,
						   .abort_ip = 4096 };

	IN_CHILD(pid)
	{
		signal(SIGALRM, on_alarm);
		*(volatile uint64_t *)&area()->rseq_cs = (uintptr_t)&bad;
		raise(SIGALRM);
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGSEGV);
}

/* --- membarrier --- */

static long membarrier(int command, unsigned flags, int cpu)
{
	return syscall(SYS_membarrier, command, flags, cpu);
}

TEST(barriers_must_be_registered)
{
	long all = membarrier(MEMBARRIER_CMD_QUERY, 0, 0);

	EXPECT_EQ(all & 0x1ff, 0x1ff);
	EXPECT_ERRNO(membarrier(MEMBARRIER_CMD_QUERY, 1, 0), EINVAL);
	EXPECT_ERRNO(membarrier(1 << 20, 0, 0), EINVAL);
	EXPECT_EQ(membarrier(MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
	EXPECT_EQ(membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0), 0);
	EXPECT_EQ(membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0), 0);
	for (int bit = MEMBARRIER_CMD_PRIVATE_EXPEDITED;
	     bit <= MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ; bit <<= 2) {
		EXPECT_ERRNO(membarrier(bit, 0, 0), EPERM);
		EXPECT_EQ(membarrier(bit << 1, 0, 0), 0);
		EXPECT_EQ(membarrier(bit, 0, 0), 0);
	}
	EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU, 0), 0);
	EXPECT_ERRNO(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, MEMBARRIER_CMD_FLAG_CPU, 0),
		     EINVAL);
}

static volatile bool in_section;

static void *sit_in_section(void *unused)
{
	in_section = true;
	EXPECT(spin_in_section());
	return NULL;
}

TEST(a_barrier_restarts_sections_of_other_threads)
{
	pthread_t thread;

	EXPECT_EQ(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0), 0);
	pthread_create(&thread, NULL, sit_in_section, NULL);
	while (!in_section)
		sched_yield();
	sleep_ms(5);
	EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0), 0);
	pthread_join(thread, NULL);
}

/* Dekker's way in: with plain accesses on one side and the barrier on the other, never both. */
static volatile int flag_a, flag_b, seen_a, seen_b, round_a, round_b;

static void *quick_side(void *unused)
{
	for (int round = 1; round <= 300; round++) {
		while (round_a < round)
			sched_yield();
		flag_b = round;
		asm volatile("" ::: "memory");
		seen_b = flag_a;
		round_b = round;
	}
	return NULL;
}

TEST(a_barrier_orders_the_other_side)
{
	pthread_t thread;

	EXPECT_EQ(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
	pthread_create(&thread, NULL, quick_side, NULL);
	for (int round = 1; round <= 300; round++) {
		__atomic_store_n(&round_a, round, __ATOMIC_SEQ_CST);
		flag_a = round;
		EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
		seen_a = flag_b;
		while (__atomic_load_n(&round_b, __ATOMIC_ACQUIRE) < round)
			sched_yield();
		EXPECT(seen_a == round || seen_b == round);
	}
	pthread_join(thread, NULL);
}
