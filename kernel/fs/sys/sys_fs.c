/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed part of /sys. */
#include <fs/sys/sys.h>
#include <fs/sys/sys_priv.h>
#include <net/netlink/uevent.h>

#include <linux/magic.h>

static const struct synthetic_table empty_table = { 0 };

static const struct synthetic_named dev_names[] = {
	{ "block", &sys_block_numbers_directory, nullptr },
	{ "char", &sys_numbers_directory, nullptr },
};
static const struct synthetic_table dev_table = SYNTHETIC_TABLE(dev_names);

static const struct synthetic_named system_names[] = {
	{ "cpu", &sys_cpu_directory, nullptr },
	{ "node", &synthetic_directory, &sys_node_table },
};
static const struct synthetic_table system_table = SYNTHETIC_TABLE(system_names);

static const struct synthetic_named devices_names[] = {
	{ "system", &synthetic_directory, &system_table },
	{ "virtual", &sys_virtual_directory, nullptr },
};
static const struct synthetic_table devices_table = SYNTHETIC_TABLE(devices_names);

/* Where other file systems are mounted by convention. */
static const struct synthetic_named fs_names[] = {
	{ "cgroup", &synthetic_directory, &empty_table },
};
static const struct synthetic_table fs_table = SYNTHETIC_TABLE(fs_names);

static int zero_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "0\n");
	return 0;
}
static int one_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "1\n");
	return 0;
}
static const struct synthetic_type zero_file = { .mode = S_IFREG | 0444, .show = zero_show };
static const struct synthetic_type one_file = { .mode = S_IFREG | 0444, .show = one_show };

static int uevent_seqnum_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%llu\n", (unsigned long long)uevent_number());
	return 0;
}
static const struct synthetic_type uevent_seqnum_file = { .mode = S_IFREG | 0444,
							  .show = uevent_seqnum_show };

/* File capabilities count at exec; no other kernel is loaded. */
static const struct synthetic_named kernel_names[] = {
	{ "fscaps", &one_file, nullptr },
	{ "kexec_crash_loaded", &zero_file, nullptr },
	{ "kexec_loaded", &zero_file, nullptr },
	{ "uevent_seqnum", &uevent_seqnum_file, nullptr },
	{ "debug", &synthetic_directory, &empty_table },
	{ "security", &synthetic_directory, &empty_table },
	{ "tracing", &synthetic_directory, &empty_table },
};
static const struct synthetic_table kernel_table = SYNTHETIC_TABLE(kernel_names);

static const struct synthetic_named root_names[] = {
	{ "block", &sys_block_directory, nullptr },
	{ "bus", &synthetic_directory, &empty_table },
	{ "class", &sys_class_directory, nullptr },
	{ "dev", &synthetic_directory, &dev_table },
	{ "devices", &synthetic_directory, &devices_table },
	{ "firmware", &synthetic_directory, &empty_table },
	{ "fs", &synthetic_directory, &fs_table },
	{ "kernel", &synthetic_directory, &kernel_table },
	{ "module", &synthetic_directory, &empty_table },
	{ "power", &synthetic_directory, &empty_table },
};
static const struct synthetic_table root_table = SYNTHETIC_TABLE(root_names);

static int sys_mount(const struct file_system_type *type, const char *source, u32 flags,
		     const char *data, struct superblock **out)
{
	struct synthetic_node root = { .type = &synthetic_directory, .data = &root_table };

	return synthetic_mount(type, SYSFS_MAGIC, &root, out);
}

static struct file_system_type sysfs_type = {
	.name = "sysfs",
	.user_visible = true,
	.mount = sys_mount,
};

void sys_fs_init(void)
{
	file_system_register(&sysfs_type);
}
