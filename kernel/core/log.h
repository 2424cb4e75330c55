/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel log: a ring of records with a level and a time stamp, read by dmesg(1) through
 * syslog(2) and /dev/kmsg, and printed on the console up to the console level (loglevel=, quiet).
 */
#pragma once

#include <lib/types.h>

/* Bytes of text that the ring keeps; a power of two. */
#define LOG_BUFFER_SIZE (64 * 1024u)

/* Levels of syslog(2). */
enum log_level {
	LOG_EMERGENCY,
	LOG_ALERT,
	LOG_CRITICAL,
	LOG_ERROR,
	LOG_WARNING,
	LOG_NOTICE,
	LOG_INFO,
	LOG_DEBUG,
};

/* Adds a record; `fmt` as lib/format.h, no newline at the end. Any context, never sleeps, never fails. */
void log_write(enum log_level level, const char *fmt, ...) __printf(2, 3);
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Records with a higher level than this are not printed on the console. Default 7 as Debian, quiet 4. */
extern unsigned log_console_level;

/*
 * A console device prints log records. `write` is called with interrupts masked and must not sleep or take
 * locks ranked below RANK_CONSOLE; in a panic it polls. Registering replays the ring to it.
 */
struct log_console {
	const char *name; /* "ttyS0" */
	void (*write)(struct log_console *console, const char *text, size_t size);
	struct log_console *next; /* this and the next owned by core/log.c */
	u64 sequence;		  /* next record to print */
};
void log_console_register(struct log_console *console);

/* Reading. Sequence numbers count records from 0 since boot and never repeat. */
struct log_record {
	u64 sequence;
	u64 time_ns;
	u8 level;
	u8 facility; /* 0 kernel, 1 user (written to /dev/kmsg) */
	u16 size;
	char text[1024 - 24];
};

/*
 * Copies the first record whose sequence is >= `sequence`. Returns 0, or -EAGAIN if there is none yet. A
 * gap between `sequence` and the record's means that records were overwritten.
 */
[[nodiscard]] int log_read(u64 sequence, struct log_record *out);
/* The number that the next record will get. Any context. */
u64 log_next_sequence(void);
/* Adds a record for user space (/dev/kmsg). */
void log_write_user(enum log_level level, unsigned facility, const char *text, size_t size);
extern struct wait_queue log_readers; /* woken after new records */

/* Wakes readers if there were records since the last time. Where log_write could not: interrupt exit, idle loop. */
void log_wake_readers(void);

/* A panic: from now on records go to the consoles even if the log's locks are held by somebody who is stopped. */
void log_enter_panic(void);

/* kernel.dmesg_restrict: the log is for those with CAP_SYSLOG only; 1 as on Debian. */
extern u32 log_restricted;
