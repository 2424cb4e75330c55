/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's side of the host "architecture": what core/ and mm/ provide, in the simplest form that shows mistakes.
 * Memory is malloc's, so ASan sees every byte; allocations fail on request. Sleeping and RCU are in sleep.c and rcu.c,
 * those of tests with several threads in threads.c.
 */
#include "host.h"

#include <core/log.h>
#include <core/panic.h>
#include <core/rcu.h>
#include <core/time.h>
#include <lib/alloc.h>
#include <lib/format.h>
#include <lib/test.h>
#include <mm/slab.h>
#include <sched/thread.h>

extern const struct ktest __ktests_start[], __ktests_end[];

struct thread boot_thread;
#ifdef HOST_THREADS
_Thread_local struct thread *host_thread = &boot_thread;
#endif
HOST_PER_THREAD bool host_irq_on = true;
unsigned log_console_level = LOG_DEBUG;

static bool test_failed;
static long allocations_until_failure; /* 0: none fails */
static bool failure_injected;

struct slab_cache {
	const char *name;
	size_t size;
};

/* Tests */

void test_fail(const char *file, int line, const char *fmt, ...)
{
	char text[256], whole[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(whole, sizeof(whole), "    %s:%d: %s\n", file, line, text);
	host_print(whole);
	WRITE_ONCE(test_failed, true);
}

bool test_has_failed(void)
{
	return READ_ONCE(test_failed);
}

bool test_allocation_failed(void)
{
	return failure_injected;
}

int host_failure_injected(void)
{
	return failure_injected;
}

const struct ktest *host_test(size_t index)
{
	return &__ktests_start[index] < __ktests_end ? &__ktests_start[index] : nullptr;
}

const char *host_test_name(const struct ktest *test)
{
	return test->name;
}

const char *host_test_file(const struct ktest *test)
{
	return test->file;
}

int host_test_no_memory(const struct ktest *test)
{
	return test->no_memory;
}

int host_run_test(const struct ktest *test, long fail_nth)
{
	long before = host_blocks();

	test_failed = false;
	failure_injected = false;
	allocations_until_failure = fail_nth;
	test->run();
	allocations_until_failure = 0;
	rcu_barrier();
	if (host_blocks() != before)
		test_fail(test->file, 0, "%ld blocks of memory not freed", host_blocks() - before);
	if (!host_irq_on || boot_thread.base.preempt_count)
		test_fail(test->file, 0, "returns with interrupts or preemption off");
	return !test_failed;
}

/* Memory */

static void *allocate(size_t size)
{
	if (allocations_until_failure && --allocations_until_failure == 0) {
		failure_injected = true;
		return nullptr;
	}
	return host_alloc(size);
}

void *kmalloc(size_t size, u32 flags)
{
	return flags & ALLOC_ZERO ? kzalloc(size, 0) : allocate(size);
}

void *kzalloc(size_t size, u32 flags)
{
	void *memory = allocate(size);

	return memory ? memset(memory, 0, size) : nullptr;
}

void *kcalloc(size_t n, size_t size, u32 flags)
{
	size_t total;

	return mul_overflows(n, size, &total) ? nullptr : kzalloc(total, flags);
}

void *krealloc(void *old, size_t size, u32 flags)
{
	void *memory = kmalloc(size, flags);

	if (memory && old) {
		memcpy(memory, old, MIN(size, host_alloc_size(old)));
		kfree(old);
	}
	return memory;
}

void kfree(const void *p)
{
	host_free((void *)p);
}

char *kstrdup(const char *s, u32 flags)
{
	char *copy = kmalloc(strlen(s) + 1, flags);

	return copy ? memcpy(copy, s, strlen(s) + 1) : nullptr;
}

size_t kmalloc_size(size_t size)
{
	return size;
}

size_t kvmalloc_size(size_t size)
{
	return size;
}

size_t slab_object_size(const struct slab_cache *cache)
{
	return cache->size;
}

void *kvmalloc(size_t size, u32 flags)
{
	return kmalloc(size, flags);
}

void kvfree(const void *p)
{
	kfree(p);
}

/* Caches live as long as the process, like those of the kernel: they are no leak of the test that made them. */
struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align)
{
	static struct slab_cache caches[64];
	static unsigned count;
	struct slab_cache *cache = &caches[count++];

	ASSERT(count <= ARRAY_SIZE(caches));
	*cache = (struct slab_cache){ name, size };
	return cache;
}

void *slab_alloc(struct slab_cache *cache, u32 flags)
{
	return kmalloc(cache->size, flags);
}

void slab_free(struct slab_cache *cache, void *object)
{
	host_free(object);
}

void *lib_alloc(size_t size)
{
	return kzalloc(size, ALLOC_ATOMIC);
}

void lib_free(void *memory)
{
	kfree(memory);
}

static void free_deferred(struct rcu_head *head)
{
	kfree(head);
}

void lib_free_deferred(struct lib_deferred *memory)
{
	rcu_call((struct rcu_head *)memory, free_deferred);
}

/* Log, panic, time */

static bool log_hidden;

void host_quiet(int quiet)
{
	log_hidden = quiet;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (log_hidden)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	host_print("    log: ");
	host_print(text);
	host_print("\n");
}

void panic(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	host_print("    panic: ");
	host_print(text);
	host_abort("\n");
}

void assert_failed(const char *expression, const char *file, int line)
{
	panic("%s:%d: %s does not hold", file, line, expression);
}

u64 clock_base_ns;

u64 host_clock_ns; /* of a test that keeps its own time */

u64 arch_time_ns(void)
{
	return host_clock_ns ? host_clock_ns : host_time_ns();
}

u64 clock_realtime_ns(void)
{
	return host_time_ns();
}
