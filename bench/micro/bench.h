/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One row of the micro benchmarks: what a file of bench/micro/ declares. */
#pragma once

#include <stdint.h>
#include <time.h>

struct bench {
	const char *group, *name;
	/* Does the operation `n` times; returns the nanoseconds it took, or -1 when the kernel cannot do it. */
	int64_t (*run)(unsigned n);
	unsigned n; /* operations of one measurement */
	struct bench *next;
};

void bench_add(struct bench *bench);

#define BENCH(group_, name_, count)                                                                \
	static int64_t bench_##name_(unsigned n);                                                  \
	static struct bench entry_##name_ = { group_, #name_, bench_##name_, count, 0 };           \
	__attribute__((constructor)) static void register_##name_(void)                            \
	{                                                                                          \
		bench_add(&entry_##name_);                                                         \
	}                                                                                          \
	static int64_t bench_##name_(unsigned n)

static inline int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* What more than one row measures; as bench.run. */
int64_t pipe_round_trips(unsigned n);
/* Calls a server in another process through the sending handle or, with a badge, one derived from it. */
int64_t channel_round_trips(unsigned n, unsigned long badge);

/* Times a statement that is executed n times. */
#define TIMED(n, statement)                                                                        \
	({                                                                                         \
		int64_t start_ = now_ns();                                                         \
		for (unsigned i_ = 0; i_ < (n); i_++) {                                            \
			statement;                                                                 \
		}                                                                                  \
		now_ns() - start_;                                                                 \
	})
