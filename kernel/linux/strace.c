/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The strace in the kernel. `strace=busybox,sh` or `strace=all` on the command line logs each system call of the
 * programs with these names once it has returned: name, arguments, result. `strace_entry` logs it when it begins,
 * too, which shows where a program hangs.
 *
 * The formats come from abi/syscalls.tbl. User memory is read again here, after the call: a program that changes it
 * meanwhile fools the log, and nobody else.
 */
#include <arch/frame.h>
#include <core/command_line.h>
#include <core/log.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <linux/strace.h>
#include <mm/ucopy.h>
#include <proc/trace.h>
#include <sched/thread.h>

#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/time_types.h>

enum trace_kind {
	TRACE_FD,
	TRACE_DIRFD,
	TRACE_INT,
	TRACE_UNSIGNED,
	TRACE_OCTAL,
	TRACE_HEX32,
	TRACE_LONG,
	TRACE_ULONG,
	TRACE_HEX,
	TRACE_SIGNAL,
	TRACE_STRING,
	TRACE_ARGV,
	TRACE_POINTER,
	TRACE_IN_BYTES,
	TRACE_OUT_BYTES,
	TRACE_OUT_INT,
	TRACE_OUT_INT2,
	TRACE_IN_TIMESPEC,
};

struct trace_format {
	const char *name;
	u8 count;
	u8 kind[6];   /* enum trace_kind */
	u8 length[6]; /* for bytes: the argument that holds their number */
};

#include <syscall_trace.h>

#define TRACE_TEXT 32 /* bytes of user text that are shown */
#define TRACE_ARGV_SHOWN 8

struct trace_line {
	size_t used;
	char text[512];
};

bool strace_enabled;
static bool trace_entry;
static const char *trace_programs;

static int set_programs(const char *value)
{
	trace_programs = value;
	strace_enabled = trace_all_syscalls = *value != 0;
	return 0;
}
KERNEL_PARAMETER("strace=", set_programs);

static int set_entry(const char *value)
{
	trace_entry = true;
	return 0;
}
KERNEL_PARAMETER("strace_entry", set_entry);

/* True if the current program's name is in the list of the command line. */
static bool chosen(void)
{
	const char *name = current_thread()->name;
	size_t length = strnlen(name, THREAD_NAME_MAX);
	const char *entry = trace_programs;

	if (strcmp(entry, "all") == 0)
		return true;
	while (entry) {
		if (strncmp(entry, name, length) == 0 && (entry[length] == ',' || !entry[length]))
			return true;
		entry = strchr(entry, ',');
		if (entry)
			entry++;
	}
	return false;
}

static __printf(2, 3) void add(struct trace_line *line, const char *fmt, ...)
{
	va_list ap;
	size_t room = sizeof(line->text) - line->used;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(line->text + line->used, room, fmt, ap);
	va_end(ap);
	line->used += MIN((size_t)length, room - 1);
}

static void add_quoted(struct trace_line *line, const char *text, size_t size, bool cut)
{
	add(line, "\"");
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n')
			add(line, "\\n");
		else if (c == '"' || c == '\\')
			add(line, "\\%c", c);
		else if (c >= ' ' && c < 127)
			add(line, "%c", c);
		else
			add(line, "\\x%02x", c);
	}
	add(line, cut ? "\"..." : "\"");
}

static void add_bytes(struct trace_line *line, u64 address, u64 size)
{
	char text[TRACE_TEXT];
	size_t shown = MIN(size, (u64)TRACE_TEXT);

	if (!address)
		add(line, "NULL");
	else if (copy_from_user(text, (const void __user *)address, shown))
		add(line, "%#lx", (unsigned long)address);
	else
		add_quoted(line, text, shown, size > shown);
}

static void add_string(struct trace_line *line, u64 address)
{
	char text[TRACE_TEXT * 2];
	ssize_t length = copy_string_from_user(text, (const char __user *)address, sizeof(text));

	if (!address)
		add(line, "NULL");
	else if (length >= 0)
		add_quoted(line, text, (size_t)length, false);
	else if (length == -ENAMETOOLONG)
		add_bytes(line, address, sizeof(text));
	else
		add(line, "%#lx", (unsigned long)address);
}

static void add_vector(struct trace_line *line, u64 address)
{
	u64 item;

	if (!address) {
		add(line, "NULL");
		return;
	}
	add(line, "[");
	for (unsigned i = 0; i < TRACE_ARGV_SHOWN; i++) {
		if (get_user(item, (const u64 __user *)address + i) || !item)
			break;
		if (i)
			add(line, ", ");
		add_string(line, item);
	}
	add(line, "]");
}

static void add_ints(struct trace_line *line, u64 address, unsigned count)
{
	int value[2];

	if (!address)
		add(line, "NULL");
	else if (copy_from_user(value, (const void __user *)address, count * sizeof(int)))
		add(line, "%#lx", (unsigned long)address);
	else if (count == 1)
		add(line, "[%d]", value[0]);
	else
		add(line, "[%d, %d]", value[0], value[1]);
}

static void add_timespec(struct trace_line *line, u64 address)
{
	struct __kernel_timespec ts;

	if (!address)
		add(line, "NULL");
	else if (get_user(ts, (const struct __kernel_timespec __user *)address))
		add(line, "%#lx", (unsigned long)address);
	else
		add(line, "{%lld, %lld}", (long long)ts.tv_sec, (long long)ts.tv_nsec);
}

static void add_number(struct trace_line *line, enum trace_kind kind, u64 value)
{
	switch (kind) {
	case TRACE_DIRFD:
		if ((int)value == AT_FDCWD) {
			add(line, "AT_FDCWD");
			break;
		}
		[[fallthrough]];
	case TRACE_FD:
	case TRACE_INT:
	case TRACE_SIGNAL:
		add(line, "%d", (int)value);
		break;
	case TRACE_UNSIGNED:
		add(line, "%u", (unsigned)value);
		break;
	case TRACE_OCTAL:
		add(line, "%#o", (unsigned)value);
		break;
	case TRACE_HEX32:
		add(line, "%#x", (unsigned)value);
		break;
	case TRACE_LONG:
		add(line, "%ld", (long)value);
		break;
	case TRACE_ULONG:
		add(line, "%lu", (unsigned long)value);
		break;
	default:
		add(line, "%#lx", (unsigned long)value);
		break;
	}
}

static void add_argument(struct trace_line *line, const struct trap_frame *frame,
			 const struct trace_format *format, unsigned i, const long *result)
{
	u64 value = frame_argument(frame, i);

	switch ((enum trace_kind)format->kind[i]) {
	case TRACE_STRING:
		add_string(line, value);
		break;
	case TRACE_ARGV:
		add_vector(line, value);
		break;
	case TRACE_IN_BYTES:
		add_bytes(line, value, frame_argument(frame, format->length[i]));
		break;
	case TRACE_OUT_BYTES:
		if (result && *result > 0)
			add_bytes(line, value, (u64)*result);
		else
			add(line, "%#lx", (unsigned long)value);
		break;
	case TRACE_OUT_INT:
	case TRACE_OUT_INT2:
		if (result && *result >= 0)
			add_ints(line, value, format->kind[i] == TRACE_OUT_INT ? 1 : 2);
		else
			add(line, "%#lx", (unsigned long)value);
		break;
	case TRACE_IN_TIMESPEC:
		add_timespec(line, value);
		break;
	default:
		add_number(line, format->kind[i], value);
		break;
	}
}

static const struct trace_format *format_in(const struct trace_format *table, size_t size,
					    u64 index)
{
	return index < size && table[index].name ? &table[index] : nullptr;
}

static void add_call(struct trace_line *line, const struct trap_frame *frame, const long *result)
{
	u64 number = frame_syscall_number(frame);
	const struct trace_format *format;

	format = number < CAIRN_NR_BASE
			 ? format_in(trace_formats, ARRAY_SIZE(trace_formats), number)
			 : format_in(native_trace_formats, ARRAY_SIZE(native_trace_formats),
				     number - CAIRN_NR_BASE);
	if (!format) {
		add(line, "syscall_%lu(", (unsigned long)number);
		return;
	}
	add(line, "%s(", format->name);
	for (unsigned i = 0; i < format->count; i++) {
		if (i)
			add(line, ", ");
		add_argument(line, frame, format, i, result);
	}
}

void strace_enter(const struct trap_frame *frame)
{
	struct trace_line line;
	u64 number = frame_syscall_number(frame);
	bool may_not_return = number == __NR_exit || number == __NR_exit_group ||
			      number == __NR_execve || number == __NR_execveat;

	if (!(may_not_return || trace_entry) || !chosen())
		return;
	line.used = 0;
	add_call(&line, frame, nullptr);
	log_info("%s: %s) ...", current_thread()->name, line.text);
}

void strace_leave(const struct trap_frame *frame, long result)
{
	struct trace_line line;

	if (!chosen())
		return;
	line.used = 0;
	add_call(&line, frame, &result);
	if (result < 0 && result >= -MAX_ERRNO)
		log_info("%s: %s) = error %ld", current_thread()->name, line.text, -result);
	else
		log_info("%s: %s) = %#lx", current_thread()->name, line.text,
			 (unsigned long)result);
}
