/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of kernel code. The same macros serve foo_test.c beside foo.c, which runs in a process on the host under
 * ASan and UBSan (arch/host), and foo_ktest.c, which runs in the kernel (KTEST=1 build, ktest=all).
 *
 *   TEST(list_moves_entries) { EXPECT_EQ(count(), 3); }
 *
 * On the host each test runs in a process of its own; memory that it leaves allocated is a failure. A
 * TEST_NO_MEMORY runs again and again with the first, second, ... allocation failing, until none is left
 * to fail: it may check results with `ok || test_allocation_failed()`.
 */
#pragma once

#include <lib/string.h>
#include <lib/types.h>

struct ktest {
	const char *name;
	const char *file;
	void (*run)(void);
	bool no_memory; /* fail allocations in turn */
};

#define TEST_(name_, no_memory_)                                                                   \
	static void name_(void);                                                                   \
	__attribute__((section(".ktests"), used, aligned(8),                                       \
		       no_sanitize("address"))) static const struct ktest ktest_##name_ = {        \
		#name_, __FILE_NAME__, name_, no_memory_                                           \
	};                                                                                         \
	static void name_(void)
#define TEST(name_) TEST_(name_, false)
#define TEST_NO_MEMORY(name_) TEST_(name_, true)

/* Records a failure of the running test and prints it. */
void test_fail(const char *file, int line, const char *fmt, ...) __printf(3, 4);

/* True if the running test has failed already: for loops that would only repeat it. Host only. */
bool test_has_failed(void);

/* How many times longer than usual a test of random operations shall run: TEST_SCALE, or 1. Host only. */
int host_scale(void);

/* True in a TEST_NO_MEMORY when an allocation of this run was made to fail. */
bool test_allocation_failed(void);

/* Each evaluates its operands once; after a failure the test goes on. */
#define EXPECT(e)                                                                                  \
	({                                                                                         \
		bool test_ok_ = !!(e);                                                             \
		if (!test_ok_)                                                                     \
			test_fail(__FILE_NAME__, __LINE__, "%s", #e);                              \
		test_ok_;                                                                          \
	})
#define EXPECT_OP_(a, op, b)                                                                       \
	({                                                                                         \
		auto test_a_ = (a);                                                                \
		auto test_b_ = (b);                                                                \
		bool test_ok_ = test_a_ op test_b_;                                                \
		if (!test_ok_)                                                                     \
			test_fail(__FILE_NAME__, __LINE__, "%s %s %s: %lld, %lld", #a, #op, #b,    \
				  (long long)test_a_, (long long)test_b_);                         \
		test_ok_;                                                                          \
	})
#define EXPECT_EQ(a, b) EXPECT_OP_(a, ==, b)
#define EXPECT_NE(a, b) EXPECT_OP_(a, !=, b)
#define EXPECT_LT(a, b) EXPECT_OP_(a, <, b)
#define EXPECT_LE(a, b) EXPECT_OP_(a, <=, b)
#define EXPECT_GE(a, b) EXPECT_OP_(a, >=, b)
#define EXPECT_STREQ(a, b)                                                                         \
	({                                                                                         \
		const char *test_a_ = (a);                                                         \
		const char *test_b_ = (b);                                                         \
		bool test_ok_ = strcmp(test_a_, test_b_) == 0;                                     \
		if (!test_ok_)                                                                     \
			test_fail(__FILE_NAME__, __LINE__, "%s: \"%s\", not \"%s\"", #a, test_a_,  \
				  test_b_);                                                        \
		test_ok_;                                                                          \
	})

/* As EXPECT, but ends the test. */
#define REQUIRE(e)                                                                                 \
	do {                                                                                       \
		if (!EXPECT(e))                                                                    \
			return;                                                                    \
	} while (0)
