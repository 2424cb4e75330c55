/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the tests of a KTEST=1 build in the kernel: ktest=all on the command line, or ktest=text for
 * those whose name or file contains the text. Ends the emulator with status 0 (of
 * arch_exit_emulator) when all passed, else 1.
 */
#include <arch/power.h>
#include <core/command_line.h>
#include <core/ktest.h>
#include <core/log.h>
#include <lib/format.h>
#include <lib/string.h>
#include <lib/test.h>

extern const struct ktest __ktests_start[], __ktests_end[];

static const char *wanted;
static u32 failures; /* of the running test; atomic, tests have threads */

static int set_wanted(const char *value)
{
	wanted = value;
	return 0;
}
KERNEL_PARAMETER("ktest=", set_wanted);

void test_fail(const char *file, int line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("ktest: %s:%d: %s", file, line, text);
	__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
}

/* Allocations are made to fail in the tests on the host only. */
bool test_allocation_failed(void)
{
	return false;
}

static bool is_wanted(const struct ktest *test)
{
	return !strcmp(wanted, "all") || strstr(test->name, wanted) || strstr(test->file, wanted);
}

void ktest_run(void)
{
	unsigned passed = 0, failed = 0;

	if (!wanted)
		return;
	for (const struct ktest *test = __ktests_start; test < __ktests_end; test++) {
		if (!is_wanted(test))
			continue;
		failures = 0;
		test->run();
		if (failures)
			failed++;
		else
			passed++;
		log_info("ktest: %s: %s %s", test->file, test->name, failures ? "FAILED" : "ok");
	}
	log_info("ktest: %u passed, %u failed", passed, failed);
	arch_exit_emulator(failed || !passed);
}
