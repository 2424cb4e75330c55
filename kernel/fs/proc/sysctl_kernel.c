/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/sys/kernel. */
#include <fs/proc/proc_priv.h>
#include <fs/proc/sysctl.h>

#include <arch/cpu.h>
#include <core/log.h>
#include <core/panic.h>
#include <core/random.h>
#include <core/version.h>
#include <dev/tty/pty.h>
#include <fs/proc/system_priv.h>
#include <ipc/sysv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <proc/pid.h>
#include <proc/uts.h>
#include <vfs/core_dump.h>

/* kernel/hostname, domainname: data is one of these. */
static const enum uts_name host_name = UTS_HOST_NAME, domain_name = UTS_DOMAIN_NAME;

static int uts_show(const struct synthetic_node *node, struct text_buffer *out)
{
	char name[__NEW_UTS_LEN + 1];
	uts_name_get(*(const enum uts_name *)node->data, name);
	text_printf(out, "%s\n", name);
	return 0;
}

static int uts_store(const struct synthetic_node *node, char *text, size_t size)
{
	char *end = strchr(text, '\n');
	size = end ? (size_t)(end - text) : strlen(text);
	return uts_name_set(*(const enum uts_name *)node->data, text,
			    MIN(size, (size_t)__NEW_UTS_LEN));
}
static const struct synthetic_type uts_file = { .mode = S_IFREG | 0644,
						.show = uts_show,
						.store = uts_store };

static int core_pattern_show(const struct synthetic_node *node, struct text_buffer *out)
{
	char pattern[CORE_PATTERN_MAX];

	core_pattern_get(pattern);
	text_printf(out, "%s\n", pattern);
	return 0;
}

static int core_pattern_store(const struct synthetic_node *node, char *text, size_t size)
{
	const char *end = strchr(text, '\n');

	core_pattern_set(text, end ? (size_t)(end - text) : strlen(text));
	return 0;
}
static const struct synthetic_type core_pattern_file = { .mode = S_IFREG | 0644,
							 .show = core_pattern_show,
							 .store = core_pattern_store };
static const struct sysctl_number uses_pid = SYSCTL_NUMBER(core_uses_pid, 0, 1);

/* kernel/random */

static void append_uuid(struct text_buffer *out, const u8 b[16])
{
	for (int i = 0; i < 16; i++)
		text_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	text_printf(out, "\n");
}

static void make_uuid(u8 b[16])
{
	random_bytes(b, 16);
	/* RFC 4122, section 4.4: version 4, variant 1. */
	b[6] = (u8)((b[6] & 0x0f) | 0x40);
	b[8] = (u8)((b[8] & 0x3f) | 0x80);
}

static int uuid_show(const struct synthetic_node *node, struct text_buffer *out)
{
	u8 b[16];
	make_uuid(b);
	append_uuid(out, b);
	return 0;
}

/* The same until the next boot: made at the first look. */
static int boot_id_show(const struct synthetic_node *node, struct text_buffer *out)
{
	static struct spinlock lock = SPINLOCK_INIT(RANK_PROCESS);
	static u8 id[16];
	u8 b[16];
	make_uuid(b);
	spin_lock(&lock);
	/* The version bits are never zero in an id that was made. */
	if (!id[6])
		memcpy(id, b, sizeof(id));
	memcpy(b, id, sizeof(b));
	spin_unlock(&lock);
	append_uuid(out, b);
	return 0;
}
static const struct synthetic_type uuid_file = { .mode = S_IFREG | 0444, .show = uuid_show };
static const struct synthetic_type boot_id_file = { .mode = S_IFREG | 0444, .show = boot_id_show };

static s64 entropy_available(void)
{
	return 256;
}
static const struct sysctl_function entropy = { .get = entropy_available };

/* Values. */

static s64 get_pid_max(void)
{
	return PID_MAX;
}
static const struct sysctl_function pid_max = { .get = get_pid_max };

static s64 get_groups_max(void)
{
	return 65536;
}
static const struct sysctl_function groups_max = { .get = get_groups_max };

static s64 get_last_capability(void)
{
	return CAP_LAST_CAP;
}
static const struct sysctl_function last_capability = { .get = get_last_capability };

static int printk_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%u\t4\t1\t7\n", log_console_level);
	return 0;
}

static int printk_store(const struct synthetic_node *node, char *text, size_t size)
{
	char *end = text;
	while (*end && *end != ' ' && *end != '\t' && *end != '\n')
		end++;
	*end = '\0';
	s64 value;
	int err = synthetic_parse_number(text, 0, 15, &value);
	if (!err)
		log_console_level = (unsigned)value;
	return err;
}
static const struct synthetic_type printk_file = { .mode = S_IFREG | 0644,
						   .show = printk_show,
						   .store = printk_store };

static const struct synthetic_named random_names[] = {
	{ "boot_id", &boot_id_file, nullptr },
	{ "entropy_avail", &sysctl_function_file_ro, &entropy },
	{ "poolsize", &sysctl_function_file_ro, &entropy },
	{ "uuid", &uuid_file, nullptr },
};
static const struct synthetic_table random_table = SYNTHETIC_TABLE(random_names);

/* Values that are variables of the kernel. */
static const struct sysctl_number panic_timeout =
	SYSCTL_NUMBER(panic_seconds, INT32_MIN, INT32_MAX);
static const struct sysctl_number threads_max = SYSCTL_NUMBER(tasks_limit, 20, PID_MAX - 1);
static const struct sysctl_number dmesg_restrict = SYSCTL_NUMBER(log_restricted, 0, 1);
static const struct sysctl_number kptr_restrict = SYSCTL_NUMBER(proc_kptr_restrict, 0, 2);
static const struct sysctl_number msgmax = SYSCTL_NUMBER(msg_size_max, 0, INT32_MAX);
static const struct sysctl_number msgmnb = SYSCTL_NUMBER(msg_bytes_max, 0, INT32_MAX);

static s64 get_randomize(void)
{
	return aspace_randomize_level();
}

static int set_randomize(s64 level)
{
	aspace_set_randomize_level((u32)level);
	return 0;
}
static const struct sysctl_function randomize = { get_randomize, set_randomize, 0, 2 };

static s64 get_overflow_id(void)
{
	return 65534;
}
static const struct sysctl_function overflow_id = { .get = get_overflow_id };

/* Nothing foreign is ever loaded into this kernel, and an exception of its own ends it. */
static s64 get_zero(void)
{
	return 0;
}
static s64 get_one(void)
{
	return 1;
}
/* bpf(2) is for those with CAP_BPF, as on Debian; that could be undone, and is not here. */
static s64 get_two(void)
{
	return 2;
}
static const struct sysctl_function zero = { .get = get_zero }, one = { .get = get_one },
				    two = { .get = get_two };

static s64 get_rr_slice(void)
{
	return (s64)(SCHED_RR_SLICE_NS / NSEC_PER_MSEC);
}
static const struct sysctl_function rr_slice = { .get = get_rr_slice };

static int shm_value(s64 (*pick)(const struct shminfo64 *), struct text_buffer *out)
{
	struct shminfo64 limits;

	(void)shm_limits(&limits);
	text_printf(out, "%llu\n", (unsigned long long)pick(&limits));
	return 0;
}

static s64 pick_max(const struct shminfo64 *l)
{
	return (s64)l->shmmax;
}
static s64 pick_all(const struct shminfo64 *l)
{
	return (s64)l->shmall;
}
static s64 pick_count(const struct shminfo64 *l)
{
	return (s64)l->shmmni;
}
static int shmmax_show(const struct synthetic_node *node, struct text_buffer *out)
{
	return shm_value(pick_max, out);
}
static int shmall_show(const struct synthetic_node *node, struct text_buffer *out)
{
	return shm_value(pick_all, out);
}
static int shmmni_show(const struct synthetic_node *node, struct text_buffer *out)
{
	return shm_value(pick_count, out);
}
static int msgmni_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct msginfo limits;

	(void)msg_limits(IPC_INFO, &limits);
	text_printf(out, "%d\n", limits.msgmni);
	return 0;
}
static int sem_limits_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct seminfo limits;

	(void)sem_limits(IPC_INFO, &limits);
	text_printf(out, "%d\t%d\t%d\t%d\n", limits.semmsl, limits.semmns, limits.semopm,
		    limits.semmni);
	return 0;
}

#define SHOWN(symbol, function)                                                                    \
	static const struct synthetic_type symbol = { .mode = S_IFREG | 0444, .show = function }
SHOWN(shmmax, shmmax_show);
SHOWN(shmall, shmall_show);
SHOWN(shmmni, shmmni_show);
SHOWN(msgmni, msgmni_show);
SHOWN(sem_limits_file, sem_limits_show);

#define NEXT_ID(name, kind)                                                                        \
	static s64 get_next_##name(void)                                                           \
	{                                                                                          \
		return sysv_next_id(kind);                                                         \
	}                                                                                          \
	static int set_next_##name(s64 id)                                                         \
	{                                                                                          \
		sysv_next_id_set(kind, (int)id);                                                   \
		return 0;                                                                          \
	}                                                                                          \
	static const struct sysctl_function next_##name = { .get = get_next_##name,                \
							    .set = set_next_##name,                \
							    .minimum = -1,                         \
							    .maximum = INT32_MAX - 1 }
NEXT_ID(shm, SYSV_SEGMENTS);
NEXT_ID(sem, SYSV_SETS);
NEXT_ID(msg, SYSV_QUEUES);

static s64 get_pty_count(void)
{
	s64 count = 0;

	for (int i = pty_next(0); i >= 0; i = pty_next(i + 1))
		count++;
	return count;
}
static s64 get_pty_max(void)
{
	return PTY_MAX;
}
static const struct sysctl_function ptys = { .get = get_pty_count },
				    ptys_max = { .get = get_pty_max };

static const struct synthetic_named pty_names[] = {
	{ "max", &sysctl_function_file_ro, &ptys_max },
	{ "nr", &sysctl_function_file_ro, &ptys },
};
static const struct synthetic_table pty_table = SYNTHETIC_TABLE(pty_names);

static s64 get_rt_period(void)
{
	return sched_rt_period_us;
}
static int set_rt_period(s64 value)
{
	return sched_set_rt_limits(value, sched_rt_runtime_us);
}
static s64 get_rt_runtime(void)
{
	return sched_rt_runtime_us;
}
static int set_rt_runtime(s64 value)
{
	return sched_set_rt_limits(sched_rt_period_us, value);
}
static const struct sysctl_function rt_period = { .get = get_rt_period,
						  .set = set_rt_period,
						  .minimum = 1,
						  .maximum = INT32_MAX },
				    rt_runtime = { .get = get_rt_runtime,
						   .set = set_rt_runtime,
						   .minimum = -1,
						   .maximum = INT32_MAX };
static const struct sysctl_number deadline_max = SYSCTL_NUMBER(sched_deadline_period_max_us, 0,
							       UINT32_MAX),
				  deadline_min = SYSCTL_NUMBER(sched_deadline_period_min_us, 0,
							       UINT32_MAX);

static const struct synthetic_named kernel_names[] = {
	{ "arch", &sysctl_text_ro, arch_machine_name },
	{ "cap_last_cap", &sysctl_function_file_ro, &last_capability },
	{ "core_pattern", &core_pattern_file, nullptr },
	{ "core_uses_pid", &sysctl_number_file, &uses_pid },
	{ "dmesg_restrict", &sysctl_number_file, &dmesg_restrict },
	{ "domainname", &uts_file, &domain_name },
	{ "hostname", &uts_file, &host_name },
	{ "kptr_restrict", &sysctl_number_file, &kptr_restrict },
	{ "modules_disabled", &sysctl_function_file_ro, &one },
	{ "msg_next_id", &sysctl_function_file, &next_msg },
	{ "msgmax", &sysctl_number_file, &msgmax },
	{ "msgmnb", &sysctl_number_file, &msgmnb },
	{ "msgmni", &msgmni, nullptr },
	{ "ngroups_max", &sysctl_function_file_ro, &groups_max },
	{ "osrelease", &sysctl_text_ro, kernel_release },
	{ "ostype", &sysctl_text_ro, "Linux" },
	{ "overflowgid", &sysctl_function_file_ro, &overflow_id },
	{ "overflowuid", &sysctl_function_file_ro, &overflow_id },
	{ "panic", &sysctl_number_file, &panic_timeout },
	{ "panic_on_oops", &sysctl_function_file_ro, &one },
	{ "pid_max", &sysctl_function_file_ro, &pid_max },
	{ "printk", &printk_file, nullptr },
	{ "pty", &synthetic_directory, &pty_table },
	{ "random", &synthetic_directory, &random_table },
	{ "randomize_va_space", &sysctl_function_file, &randomize },
	{ "sched_deadline_period_max_us", &sysctl_number_file, &deadline_max },
	{ "sched_deadline_period_min_us", &sysctl_number_file, &deadline_min },
	{ "sched_rr_timeslice_ms", &sysctl_function_file_ro, &rr_slice },
	{ "sched_rt_period_us", &sysctl_function_file, &rt_period },
	{ "sched_rt_runtime_us", &sysctl_function_file, &rt_runtime },
	{ "sem", &sem_limits_file, nullptr },
	{ "sem_next_id", &sysctl_function_file, &next_sem },
	{ "shm_next_id", &sysctl_function_file, &next_shm },
	{ "shmall", &shmall, nullptr },
	{ "shmmax", &shmmax, nullptr },
	{ "shmmni", &shmmni, nullptr },
	{ "tainted", &sysctl_function_file_ro, &zero },
	{ "threads-max", &sysctl_number_file, &threads_max },
	{ "unprivileged_bpf_disabled", &sysctl_function_file_ro, &two },
	{ "version", &sysctl_text_ro, kernel_version },
};
const struct synthetic_table sysctl_kernel_table = SYNTHETIC_TABLE(kernel_names);
