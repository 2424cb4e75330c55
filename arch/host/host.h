/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the two halves of the host "architecture": kernel-like code (kernel.c, locks.c) that sees only kernel headers,
 * and the C library's side (runner.c). Only plain types cross.
 */
#pragma once

#include <stddef.h>

struct ktest;

/* Implemented on the C library's side. */
void host_print(const char *text);
[[noreturn]] void host_abort(const char *text);
void *host_alloc(size_t size);
void host_free(void *memory);
size_t host_alloc_size(void *memory);
/* True if the allocation that is about to happen shall fail. */
int host_inject_failure(void);
/* Blocks allocated and not yet freed. */
long host_blocks(void);
unsigned long long host_time_ns(void);
/* Runs body(0) to body(count - 1) at the same time and waits for their ends. Of builds with HOST_THREADS. */
void host_run_threads(unsigned count, void (*body)(unsigned number));
#ifdef HOST_THREADS
/* Lets another thread of the process run. */
void host_yield(void);
#endif
/* How many times longer than usual tests of random operations run: TEST_SCALE of the environment, or 1. */
int host_scale(void);
/* Hides the log, for tests that provoke it. */
void host_quiet(int quiet);
/* Runs a shell command; its exit status. */
int host_command(const char *text);
/* At most `size` bytes of a file: how many, -1 without the file; writes a file: 0 or -1. */
long host_file_read(const char *path, void *to, long size);
int host_file_write(const char *path, const void *from, long size);

/* Implemented on the kernel's side. Runs one test with the Nth allocation failing (0: none); true if it passed. */
int host_run_test(const struct ktest *test, long fail_nth);
const struct ktest *host_test(size_t index); /* null past the last one */
const char *host_test_name(const struct ktest *test);
const char *host_test_file(const struct ktest *test);
int host_test_no_memory(const struct ktest *test);
int host_failure_injected(void);
/* Something that goes on while the thread sleeps makes a step; 0: there is nothing. */
_Bool host_disk_idle(void);
