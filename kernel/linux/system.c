/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system as a whole: uname(2), sysinfo(2), host names, syslog(2), getrandom(2), reboot(2). */
#include <arch/cpu.h>
#include <arch/layout.h>
#include <arch/power.h>
#include <core/log.h>
#include <core/random.h>
#include <core/time.h>
#include <core/version.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/reclaim.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <proc/uts.h>
#include <vfs/vfs.h>

#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/personality.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/sysinfo.h>
#include <syscall_prototypes.h>

long sys_uname(struct new_utsname __user *out)
{
	struct new_utsname name = { .sysname = "Linux" };

	uts_name_get(UTS_HOST_NAME, name.nodename);
	uts_name_get(UTS_DOMAIN_NAME, name.domainname);
	(void)string_copy(name.release, kernel_release, sizeof(name.release));
	(void)string_copy(name.version, kernel_version, sizeof(name.version));
	(void)string_copy(name.machine, arch_machine_name, sizeof(name.machine));
	return copy_to_user(out, &name, sizeof(name));
}

static long set_name(enum uts_name which, const void __user *user, int length)
{
	char name[__NEW_UTS_LEN];

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (length < 0 || length > __NEW_UTS_LEN)
		return -EINVAL;
	if (copy_from_user(name, user, (size_t)length))
		return -EFAULT;
	return uts_name_set(which, name, (size_t)length);
}

long sys_sethostname(const void __user *name, int length)
{
	return set_name(UTS_HOST_NAME, name, length);
}

long sys_setdomainname(const void __user *name, int length)
{
	return set_name(UTS_DOMAIN_NAME, name, length);
}

long sys_sysinfo(struct sysinfo __user *out)
{
	struct frame_stats frames;
	struct memory_counts counts;
	u32 load[3];

	frame_stats(&frames);
	memory_counts(&counts);
	sched_load_average(load);
	struct sysinfo info = {
		.uptime = (long)(clock_monotonic_ns() / NSEC_PER_SEC),
		.loads = { load[0], load[1], load[2] },
		.totalram = (frames.total - frames.reserved) * PAGE_SIZE,
		.freeram = frames.free * PAGE_SIZE,
		.sharedram = counts.shmem * PAGE_SIZE,
		.procs = (unsigned short)task_count(),
		.mem_unit = 1,
	};
	return copy_to_user(out, &info, sizeof(info));
}

long sys_getrandom(void __user *buf, size_t count, unsigned flags)
{
	u8 block[256];
	size_t done = 0;

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	count = MIN(count, (size_t)INT32_MAX & PAGE_MASK);
	while (done < count) {
		size_t step = MIN(count - done, sizeof(block));

		random_bytes(block, step);
		if (copy_to_user((char __user *)buf + done, block, step))
			return done ? (long)done : -EFAULT;
		done += step;
		if (done >= sizeof(block) && signal_pending())
			break;
	}
	return (long)done;
}

/* syslog(2) */

#define SYSLOG_READ 2
#define SYSLOG_READ_ALL 3
#define SYSLOG_READ_CLEAR 4
#define SYSLOG_CLEAR 5
#define SYSLOG_CONSOLE_OFF 6
#define SYSLOG_CONSOLE_ON 7
#define SYSLOG_CONSOLE_LEVEL 8
#define SYSLOG_SIZE_UNREAD 9
#define SYSLOG_SIZE_BUFFER 10

#define LOG_LINE_MAX (sizeof(((struct log_record *)0)->text) + 48)

static u64 syslog_next;	 /* first record that SYSLOG_READ has not returned; atomic */
static u64 syslog_clear; /* SYSLOG_READ_ALL begins here; atomic */

static size_t format_line(const struct log_record *record, char line[LOG_LINE_MAX])
{
	u64 us = record->time_ns / 1000;

	return (size_t)scnprintf(line, LOG_LINE_MAX, "<%u>[%5llu.%06llu] %.*s\n",
				 record->facility * 8u + record->level,
				 (unsigned long long)(us / 1000000),
				 (unsigned long long)(us % 1000000), record->size, record->text);
}

struct log_cursor {
	struct log_record record;
	char line[LOG_LINE_MAX];
};

/* Copies whole lines from *sequence on while they fit; returns the bytes. */
static long copy_log(struct log_cursor *cursor, u64 *sequence, char __user *to, size_t size)
{
	size_t done = 0;

	while (log_read(*sequence, &cursor->record) == 0) {
		size_t n = format_line(&cursor->record, cursor->line);

		if (n > size - done)
			break;
		if (copy_to_user(to + done, cursor->line, n))
			return done ? (long)done : -EFAULT;
		done += n;
		*sequence = cursor->record.sequence + 1;
	}
	return (long)done;
}

/* The sequence from which all lines up to the end fit into `size` bytes. */
static u64 last_lines(struct log_cursor *cursor, u64 first, size_t size)
{
	size_t total = 0;
	u64 sequence;

	for (sequence = first; log_read(sequence, &cursor->record) == 0;
	     sequence = cursor->record.sequence + 1)
		total += format_line(&cursor->record, cursor->line);
	for (sequence = first; total > size && log_read(sequence, &cursor->record) == 0;
	     sequence = cursor->record.sequence + 1)
		total -= format_line(&cursor->record, cursor->line);
	return sequence;
}

static long syslog_read(char __user *buf, size_t size)
{
	struct log_cursor *cursor;
	u64 sequence = __atomic_load_n(&syslog_next, __ATOMIC_ACQUIRE);
	int err = wait_event_interruptible(&log_readers, log_next_sequence() > sequence);

	if (err)
		return err;
	cursor = kmalloc(sizeof(*cursor), 0);
	if (!cursor)
		return -ENOMEM;
	long n = copy_log(cursor, &sequence, buf, size);

	__atomic_store_n(&syslog_next, sequence, __ATOMIC_RELEASE);
	kfree(cursor);
	return n;
}

static long syslog_read_all(char __user *buf, size_t size, bool clear)
{
	struct log_cursor *cursor = kmalloc(sizeof(*cursor), 0);

	if (!cursor)
		return -ENOMEM;
	u64 sequence = last_lines(cursor, __atomic_load_n(&syslog_clear, __ATOMIC_ACQUIRE), size);
	long n = copy_log(cursor, &sequence, buf, size);

	if (clear && n >= 0)
		__atomic_store_n(&syslog_clear, sequence, __ATOMIC_RELEASE);
	kfree(cursor);
	return n;
}

static long syslog_unread(void)
{
	struct log_cursor *cursor = kmalloc(sizeof(*cursor), 0);
	long total = 0;

	if (!cursor)
		return -ENOMEM;
	for (u64 s = __atomic_load_n(&syslog_next, __ATOMIC_ACQUIRE);
	     log_read(s, &cursor->record) == 0; s = cursor->record.sequence + 1)
		total += (long)format_line(&cursor->record, cursor->line);
	kfree(cursor);
	return total;
}

static long syslog_console(int type, int level)
{
	static unsigned saved_level = LOG_DEBUG;

	switch (type) {
	case SYSLOG_CONSOLE_OFF:
		saved_level = log_console_level;
		log_console_level = LOG_EMERGENCY;
		return 0;
	case SYSLOG_CONSOLE_ON:
		log_console_level = saved_level;
		return 0;
	default:
		if (level < 1 || level > 8)
			return -EINVAL;
		log_console_level = (unsigned)level - 1;
		return 0;
	}
}

long sys_syslog(int type, void __user *buf, int length)
{
	bool reads = type == SYSLOG_READ || type == SYSLOG_READ_ALL || type == SYSLOG_READ_CLEAR;

	bool open = type == SYSLOG_READ_ALL || type == SYSLOG_SIZE_BUFFER;

	/* With kernel.dmesg_restrict=0 reading the whole log and its size is for everybody. */
	if ((!open || READ_ONCE(log_restricted)) && !capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (reads && (!buf || length < 0))
		return -EINVAL;
	if (reads && !length)
		return 0;
	if (reads && !user_range_ok(buf, (size_t)length))
		return -EFAULT;
	switch (type) {
	case 0: /* open and close: nothing to do */
	case 1:
		return 0;
	case SYSLOG_READ:
		return syslog_read(buf, (size_t)length);
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return syslog_read_all(buf, (size_t)length, type == SYSLOG_READ_CLEAR);
	case SYSLOG_CLEAR:
		__atomic_store_n(&syslog_clear, log_next_sequence(), __ATOMIC_RELEASE);
		return 0;
	case SYSLOG_CONSOLE_OFF:
	case SYSLOG_CONSOLE_ON:
	case SYSLOG_CONSOLE_LEVEL:
		return syslog_console(type, length);
	case SYSLOG_SIZE_UNREAD:
		return syslog_unread();
	case SYSLOG_SIZE_BUFFER:
		return LOG_BUFFER_SIZE;
	default:
		return -EINVAL;
	}
}

/* reboot(2) */

static bool reboot_magic_ok(unsigned magic1, unsigned magic2)
{
	return magic1 == LINUX_REBOOT_MAGIC1 &&
	       (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
		magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

/* What ends the machine ends the name space of process numbers instead. */
static int reboot_namespace(unsigned command)
{
	switch (command) {
	case LINUX_REBOOT_CMD_RESTART2:
	case LINUX_REBOOT_CMD_RESTART:
		return pid_namespace_reboot(SIGHUP);
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		return pid_namespace_reboot(SIGINT);
	default:
		return -EINVAL;
	}
}

long sys_reboot(unsigned magic1, unsigned magic2, unsigned command, void __user *argument)
{
	char text[256] = "";

	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (!reboot_magic_ok(magic1, magic2))
		return -EINVAL;
	if (current_pid_namespace()->level)
		return reboot_namespace(command);
	switch (command) {
	case LINUX_REBOOT_CMD_RESTART2:
		if (copy_string_from_user(text, argument, sizeof(text)) == -EFAULT)
			return -EFAULT;
		text[sizeof(text) - 1] = '\0';
		[[fallthrough]];
	case LINUX_REBOOT_CMD_RESTART:
		log_notice("reboot: Restarting system%s%s", *text ? " with command " : "", text);
		arch_reboot();
	case LINUX_REBOOT_CMD_HALT:
		log_notice("reboot: System halted");
		arch_halt();
	case LINUX_REBOOT_CMD_POWER_OFF:
		log_notice("reboot: Power down");
		arch_power_off();
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		/* There is no keyboard whose Ctrl-Alt-Del could be meant. */
		return 0;
	default:
		return -EINVAL;
	}
}
