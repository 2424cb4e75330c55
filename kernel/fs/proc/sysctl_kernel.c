/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/sys/kernel. */
#include <fs/proc/proc_priv.h>
#include <fs/proc/sysctl.h>

#include <core/log.h>
#include <core/random.h>
#include <core/version.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <proc/pid.h>
#include <proc/uts.h>

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

static const struct synthetic_named kernel_names[] = {
	{ "cap_last_cap", &sysctl_function_file_ro, &last_capability },
	{ "domainname", &uts_file, &domain_name },
	{ "hostname", &uts_file, &host_name },
	{ "ngroups_max", &sysctl_function_file_ro, &groups_max },
	{ "osrelease", &sysctl_text_ro, kernel_release },
	{ "ostype", &sysctl_text_ro, "Linux" },
	{ "pid_max", &sysctl_function_file_ro, &pid_max },
	{ "printk", &printk_file, nullptr },
	{ "random", &synthetic_directory, &random_table },
	{ "version", &sysctl_text_ro, kernel_version },
};
const struct synthetic_table sysctl_kernel_table = SYNTHETIC_TABLE(kernel_names);
