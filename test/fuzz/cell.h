/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the fuzzer's process 1 (fuzz.c), its cells (cell.c) and the grammar (grammar.h, generated). */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CELL_MS 700
/* What the kernel may keep: magazines and slabs with holes, and files that cells left in /. */
#define LEAK_PAGES 150

enum argument_kind {
	ARGUMENT_NUMBER,
	ARGUMENT_FLAGS,
	ARGUMENT_FD,
	ARGUMENT_DIRFD,
	ARGUMENT_PID,
	ARGUMENT_UID,
	ARGUMENT_SIGNAL,
	ARGUMENT_MODE,
	ARGUMENT_CLOCK,
	ARGUMENT_SIZE,
	ARGUMENT_PATH,
	ARGUMENT_VECTOR,
	ARGUMENT_ADDRESS,
	ARGUMENT_POINTER,
};

/* One call: its number and the kinds of its arguments, in the order of the registers. */
struct grammar_call {
	const char *name;
	long number;
	unsigned char count;
	unsigned char kinds[6];
};
extern const struct grammar_call grammar[];
extern const unsigned grammar_count;

/* Written by all cells. */
struct shared {
	bool isolated;
	unsigned long calls[512], successes[512]; /* by place in the grammar */
};
extern struct shared *shared;
/* What a cell has in the place of the console, which is not its to write to, stop or hang up. */
extern int null_file;

/* Makes calls at random until it is killed or has made enough. */
__attribute__((noreturn)) void cell(unsigned long seed);
