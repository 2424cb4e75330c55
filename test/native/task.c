/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks and address spaces by hand: a process put together from its parts, with its pool as its whole authority; pagers. */
#include <guest_test.h>

#include <cairn/aspace.h>
#include <cairn/channel.h>
#include <cairn/handle.h>
#include <cairn/pool.h>
#include <cairn/task.h>
#include <cairn/untyped.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define CODE 0x10000000ul
#define DATA 0x20000000ul
#define STACK_TOP 0x30010000ul

static int untyped, task, space, pool, data;
static volatile unsigned long *shared;

/*
 * What runs in the new task is copied to a page of its own, so that it can be anywhere: it must not use anything outside of itself. Its
 * arguments are in registers; it makes calls with the instruction itself.
 */
static inline long call4(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
#else
	register long n __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(n), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
#endif
}

static inline long call3(long number, long a, long b, long c)
{
	return call4(number, a, b, c, 0);
}

#define ALONE __attribute__((noinline, aligned(64), optimize("no-tree-loop-distribute-patterns")))

/* Stores what it was given, tries calls that it must not have, writes to its handle, and ends. */
ALONE static void program(unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	volatile unsigned long *out = (unsigned long *)DATA;

	out[0] = a + b + c + d;
	out[1] = (unsigned long)call3(__NR_openat, -100, (long)out, 0);
	out[2] = (unsigned long)call3(__NR_kill, 1, 9, 0);
	out[3] = (unsigned long)call3(__NR_read, 0, (long)&out[8], 8);
	out[4] = (unsigned long)call3(__NR_write, 4, (long)&out[0], 8);
	call3(__NR_exit_group, 7, 0, 0);
	for (;;)
		;
}

/* Counts for ever. */
ALONE static void counter(void)
{
	volatile unsigned long *out = (unsigned long *)DATA;

	for (;;)
		out[0]++;
}

/* Touches what is not mapped. */
ALONE static void toucher(unsigned long address)
{
	volatile unsigned long *out = (unsigned long *)DATA;

	out[0] = *(volatile unsigned long *)address;
	*(volatile unsigned long *)(address + 3 * PAGE) = 4;
	call3(__NR_exit_group, 0, 0, 0);
	for (;;)
		;
}

/* Waits for the other thread's word, and tells what it found by a handle of the pool that both have. */
ALONE static void waiter(void)
{
	volatile unsigned long *out = (unsigned long *)DATA;

	while (!out[0])
		call4(__NR_futex, (long)&out[0], FUTEX_WAIT_PRIVATE, 0, 0);
	out[1] = out[0] + 1;
	call3(__NR_write, 4, (long)&out[1], 8);
	call3(__NR_exit_group, 1, 0, 0);
	for (;;)
		;
}

ALONE static void waker(void)
{
	volatile unsigned long *out = (unsigned long *)DATA;

	out[0] = 5;
	call4(__NR_futex, (long)&out[0], FUTEX_WAKE_PRIVATE, 1, 0);
	call3(__NR_exit_group, 2, 0, 0);
	for (;;)
		;
}

static int make(unsigned type, unsigned long argument)
{
	int handles[2] = { -1, -1 };

	REQUIRE(cairn_untyped_retype(untyped, type, argument, handles, 0) == 0);
	return handles[0];
}

static void map_at(int memory, unsigned long address, unsigned long length, unsigned flags)
{
	struct cairn_mapping mapping = { .address = address,
					 .length = length,
					 .memory = memory,
					 .flags = flags | CAIRN_MAP_FIXED };

	REQUIRE(cairn_aspace_map(space, &mapping) == 0);
	EXPECT_EQ(mapping.address, address);
}

/* A task with its code, a page shared with us, a stack and an empty pool; not started. */
static void build(void *entry)
{
	int code;

	untyped = cairn_untyped_create(1 << 20, 0);
	REQUIRE(untyped >= 0);
	task = make(CAIRN_TYPE_TASK, 0);
	space = make(CAIRN_TYPE_ASPACE, 0);
	pool = make(CAIRN_TYPE_POOL, 0);
	code = make(CAIRN_TYPE_MEMORY, 2 * PAGE);
	data = make(CAIRN_TYPE_MEMORY, PAGE);
	EXPECT_EQ(pwrite(code, entry, 1024, 0), 1024);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, data, 0);
	REQUIRE(shared != MAP_FAILED);
	map_at(code, CODE, 2 * PAGE, CAIRN_MAP_READ | CAIRN_MAP_EXECUTE);
	map_at(data, DATA, PAGE, CAIRN_MAP_READ | CAIRN_MAP_WRITE);
	map_at(-1, STACK_TOP - 4 * PAGE, 4 * PAGE, CAIRN_MAP_READ | CAIRN_MAP_WRITE);
	EXPECT_EQ(cairn_task_set(task, CAIRN_TASK_ASPACE, space), 0);
	EXPECT_EQ(cairn_task_set(task, CAIRN_TASK_POOL, pool), 0);
	EXPECT_EQ(cairn_task_set(task, CAIRN_TASK_ENTRY, CODE), 0);
	EXPECT_EQ(cairn_task_set(task, CAIRN_TASK_STACK, STACK_TOP - 8), 0);
}

static struct cairn_task_info state(void)
{
	struct cairn_task_info info = {};

	EXPECT_EQ(cairn_task_inspect(task, &info, sizeof(info)), 0);
	return info;
}

static void wait_for_end(void)
{
	struct pollfd item = { task, POLLIN, 0 };

	REQUIRE(poll(&item, 1, 20000) == 1);
	EXPECT_EQ(state().state, CAIRN_TASK_STATE_ENDED);
}

TEST(a_process_from_its_parts)
{
	struct cairn_slot from = { -1, 1, { 0 } }, to = { 0, 1, { 4 } };
	unsigned long used;
	int pipes[2];
	long sum;

	build(program);
	REQUIRE(pipe(pipes) == 0);
	from.path[0] = (unsigned)pipes[1];
	to.pool = pool;
	EXPECT_EQ(cairn_pool_put(&from, &to, CAIRN_POOL_MOVE, CAIRN_RIGHT_WRITE, 0), 4);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(cairn_task_set(task, CAIRN_TASK_ARGUMENT0 + i, 10 + i), 0);
	EXPECT_EQ(cairn_task_set(task, CAIRN_TASK_NICE, 5), 0);
	EXPECT_EQ(state().state, CAIRN_TASK_STATE_NEW);
	EXPECT_EQ(state().instruction, CODE);
	EXPECT_EQ(state().nice, 5);
	EXPECT_ERRNO(cairn_task_control(task, CAIRN_TASK_RESUME), EBUSY);
	EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_START), 0);
	wait_for_end();
	EXPECT_EQ(WEXITSTATUS(state().status), 7);
	EXPECT_EQ(shared[0], 46);
	EXPECT_EQ((long)shared[1], -EPERM);
	EXPECT_EQ((long)shared[2], -EPERM);
	EXPECT_EQ((long)shared[3], -EBADF);
	EXPECT_EQ((long)shared[4], 8);
	EXPECT_EQ(read(pipes[0], &sum, sizeof(sum)), 8);
	EXPECT_EQ(sum, 46);
	EXPECT_ERRNO(cairn_task_control(task, CAIRN_TASK_START), ESRCH);
	EXPECT_ERRNO(cairn_task_set(task, CAIRN_TASK_ENTRY, 0), ESRCH);
	{
		struct cairn_untyped_info info;

		EXPECT_EQ(cairn_untyped_end(untyped), 0);
		EXPECT_EQ(cairn_untyped_inspect(untyped, &info, sizeof(info)), 0);
		used = info.used;
		EXPECT_EQ(used, info.size); /* nothing is to be had from it any more */
	}
}

/* What has the same address space and the same pool is a second thread. */
TEST(two_threads_of_one_process)
{
	struct cairn_slot from = { -1, 1, { 0 } }, to = { 0, 1, { 4 } };
	int pipes[2], second, code;
	unsigned long word;

	build(waiter);
	code = make(CAIRN_TYPE_MEMORY, 2 * PAGE);
	EXPECT_EQ(pwrite(code, (void *)waker, 1024, 0), 1024);
	map_at(code, CODE + 16 * PAGE, 2 * PAGE, CAIRN_MAP_READ | CAIRN_MAP_EXECUTE);
	second = make(CAIRN_TYPE_TASK, 0);
	EXPECT_EQ(cairn_task_set(second, CAIRN_TASK_ASPACE, (__u64)space), 0);
	EXPECT_EQ(cairn_task_set(second, CAIRN_TASK_POOL, (__u64)pool), 0);
	EXPECT_EQ(cairn_task_set(second, CAIRN_TASK_ENTRY, CODE + 16 * PAGE), 0);
	EXPECT_EQ(cairn_task_set(second, CAIRN_TASK_STACK, STACK_TOP - 2 * PAGE), 0);
	REQUIRE(pipe(pipes) == 0);
	from.path[0] = (unsigned)pipes[1];
	to.pool = pool;
	EXPECT_EQ(cairn_pool_put(&from, &to, CAIRN_POOL_MOVE, CAIRN_RIGHT_WRITE, 0), 4);
	EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_START), 0);
	sleep_ms(20);
	EXPECT_EQ(cairn_task_control(second, CAIRN_TASK_START), 0);
	EXPECT_EQ(read(pipes[0], &word, sizeof(word)), 8);
	EXPECT_EQ(word, 6);
	wait_for_end();
	EXPECT_EQ(WEXITSTATUS(state().status), 1);
	task = second;
	wait_for_end();
	EXPECT_EQ(WEXITSTATUS(state().status), 2);
	EXPECT_EQ(cairn_untyped_end(untyped), 0);
}

TEST(arguments)
{
	struct cairn_task_info info;
	struct cairn_mapping mapping = { .length = PAGE, .memory = -1, .flags = 1 };
	int narrow;

	build(program);
	EXPECT_ERRNO(cairn_task_set(task, 99, 0), EINVAL);
	EXPECT_ERRNO(cairn_task_set(task, CAIRN_TASK_ENTRY, ~0ul), EINVAL);
	EXPECT_ERRNO(cairn_task_set(task, CAIRN_TASK_POOL, space), EINVAL);
	EXPECT_ERRNO(cairn_task_set(task, CAIRN_TASK_ASPACE, 999), EBADF);
	EXPECT_ERRNO(cairn_task_set(task, CAIRN_TASK_NICE, 20), EINVAL);
	EXPECT_ERRNO(cairn_task_control(task, 99), EINVAL);
	EXPECT_ERRNO(cairn_task_inspect(task, &info, 8), EINVAL);
	narrow = cairn_handle_duplicate(task, CAIRN_RIGHT_INSPECT, 0);
	EXPECT_ERRNO(cairn_task_control(narrow, CAIRN_TASK_START), EACCES);
	EXPECT_EQ(cairn_task_inspect(narrow, &info, sizeof(info)), 0);
	mapping.flags = 0x800;
	EXPECT_ERRNO(cairn_aspace_map(space, &mapping), EINVAL);
	mapping.flags = 1;
	mapping.length = 1;
	EXPECT_ERRNO(cairn_aspace_map(space, &mapping), EINVAL);
	mapping.length = PAGE;
	mapping.memory = task;
	EXPECT_ERRNO(cairn_aspace_map(space, &mapping), EBADF);
	EXPECT_ERRNO(cairn_aspace_map(space, NULL), EFAULT);
	mapping = (struct cairn_mapping){ .address = DATA,
					  .length = PAGE,
					  .memory = -1,
					  .flags = CAIRN_MAP_FIXED | CAIRN_MAP_READ };
	EXPECT_ERRNO(cairn_aspace_map(space, &mapping), EEXIST);
	EXPECT_EQ(cairn_aspace_query(space, 0, &mapping), 0);
	EXPECT_EQ(mapping.address, CODE);
	EXPECT_EQ(mapping.flags, CAIRN_MAP_READ | CAIRN_MAP_EXECUTE);
	EXPECT_EQ(cairn_aspace_protect(space, DATA, PAGE, CAIRN_MAP_READ), 0);
	EXPECT_EQ(cairn_aspace_query(space, DATA, &mapping), 0);
	EXPECT_EQ(mapping.flags, CAIRN_MAP_READ);
	EXPECT_EQ(cairn_aspace_unmap(space, DATA, PAGE), 0);
	EXPECT_EQ(cairn_aspace_query(space, DATA, &mapping), 0);
	EXPECT_EQ(mapping.address, STACK_TOP - 4 * PAGE);
	EXPECT_ERRNO(cairn_aspace_query(space, STACK_TOP, &mapping), ENOENT);
	/* A narrowed handle of memory maps no more than it may. */
	mapping =
		(struct cairn_mapping){ .length = PAGE, .flags = CAIRN_MAP_READ | CAIRN_MAP_WRITE };
	mapping.memory = cairn_handle_duplicate(data, CAIRN_RIGHT_READ | CAIRN_RIGHT_MAP, 0);
	EXPECT_ERRNO(cairn_aspace_map(space, &mapping), EACCES);
	EXPECT(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mapping.memory, 0) ==
	       MAP_FAILED);
	EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_KILL), 0);
	EXPECT_EQ(state().state, CAIRN_TASK_STATE_ENDED);
}

/* Of one period in ten: what a sample is late by counts against the next. Another try where the machine stood still. */
TEST(a_cpu_budget_is_kept)
{
	build(counter);
	EXPECT_ERRNO(cairn_task_set(task, CAIRN_TASK_CPU_QUOTA, CAIRN_TASK_CPU_TIME(1, 2)), EINVAL);
	EXPECT_EQ(cairn_task_set(task, CAIRN_TASK_CPU_QUOTA, CAIRN_TASK_CPU_TIME(10000, 100000)),
		  0);
	EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_START), 0);
	while (!shared[0])
		sleep_ms(1);
	for (int try = 0; try < 5; try++) {
		long long from = now_ms();
		unsigned long before = state().user_ns + state().system_ns, used;

		sleep_ms(1000);
		used = (state().user_ns + state().system_ns - before) / 1000000;
		if (used <= (unsigned long)(now_ms() - from) / 10 + 60 && used > 0)
			return;
	}
	EXPECT(!"the budget was kept");
}

TEST(suspend_step_and_resume)
{
	struct user_regs_struct registers;
	unsigned long seen;

	build(counter);
	EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_START), 0);
	while (!shared[0])
		sleep_ms(1);
	EXPECT_EQ(state().state, CAIRN_TASK_STATE_RUNNING);
	EXPECT_ERRNO(cairn_task_registers_get(task, &registers, sizeof(registers)), EBUSY);
	EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_SUSPEND), 0);
	EXPECT_EQ(state().state, CAIRN_TASK_STATE_AT_REST);
	EXPECT(state().instruction >= CODE && state().instruction < CODE + PAGE);
	seen = shared[0];
	sleep_ms(20);
	EXPECT_EQ(shared[0], seen);
	/* A turn of the loop is less than twenty instructions. */
	for (int i = 0; i < 20; i++) {
		struct pollfd item = { task, POLLPRI, 0 };

		EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_STEP), 0);
		EXPECT_EQ(poll(&item, 1, 20000), 1);
	}
	EXPECT(shared[0] > seen && shared[0] <= seen + 20);
	EXPECT(cairn_task_registers_get(task, &registers, sizeof(registers)) > 0);
	EXPECT_EQ(cairn_task_registers_set(task, &registers, sizeof(registers)), sizeof(registers));
	seen = shared[0];
	EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_RESUME), 0);
	while (shared[0] < seen + 100)
		sleep_ms(1);
	/* Ending the untyped kills it. */
	EXPECT_EQ(cairn_untyped_end(untyped), 0);
	seen = shared ? 1 : 0;
	EXPECT_ERRNO(cairn_task_control(task, CAIRN_TASK_KILL), EKEYREVOKED);
}

TEST(a_task_that_nobody_can_start_ends)
{
	unsigned before;
	struct cairn_untyped_info info;

	build(program);
	EXPECT_EQ(cairn_untyped_inspect(untyped, &info, sizeof(info)), 0);
	before = info.objects;
	EXPECT_EQ(close(task), 0);
	for (int i = 0; i < 2000 && info.objects == before; i++) {
		sleep_ms(5);
		EXPECT_EQ(cairn_untyped_inspect(untyped, &info, sizeof(info)), 0);
	}
	EXPECT_EQ(info.objects, before - 1);
}

/* --- pagers --- */

static int ends[2];

static void *page(void *unused)
{
	struct cairn_message message = {};

	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(cairn_channel_reply_receive(ends[0], 0, &message, NULL),
			  CAIRN_RECEIVED_CALL);
		EXPECT_EQ(message.words[0], 0x40000000ul + (i ? 3 * PAGE : 0));
		EXPECT_EQ(message.words[1], i ? CAIRN_FAULT_WRITE : 0);
		EXPECT(message.words[3] >= CODE && message.words[3] < CODE + PAGE);
		map_at(data, message.words[0], PAGE, CAIRN_MAP_READ | CAIRN_MAP_WRITE);
		message.words[0] = 0;
	}
	EXPECT_EQ(cairn_channel_reply(-1, &message, NULL), 0);
	return NULL;
}

TEST(a_pager_maps_what_is_missing)
{
	pthread_t thread;

	build(toucher);
	shared[0] = 123;
	EXPECT_EQ(cairn_task_set(task, CAIRN_TASK_ARGUMENT0, 0x40000000), 0);
	REQUIRE(cairn_channel_create(ends, 4, 0) == 0);
	EXPECT_ERRNO(cairn_aspace_set_pager(space, ends[0]), EACCES);
	EXPECT_EQ(cairn_aspace_set_pager(space, ends[1]), 0);
	REQUIRE(pthread_create(&thread, NULL, page, NULL) == 0);
	EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_START), 0);
	wait_for_end();
	EXPECT_EQ(state().status, 0);
	EXPECT_EQ(shared[0], 4);
	EXPECT_EQ(pthread_join(thread, NULL), 0);
}

TEST(without_a_pager_it_crashes)
{
	build(toucher);
	EXPECT_EQ(cairn_task_set(task, CAIRN_TASK_ARGUMENT0, 0x40000000), 0);
	REQUIRE(cairn_channel_create(ends, 4, 0) == 0);
	EXPECT_EQ(cairn_aspace_set_pager(space, ends[1]), 0);
	EXPECT_EQ(close(ends[0]), 0);
	EXPECT_EQ(cairn_task_control(task, CAIRN_TASK_START), 0);
	wait_for_end();
	EXPECT_EQ(WTERMSIG(state().status), SIGSEGV);
}
