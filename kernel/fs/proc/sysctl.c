/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/sys (proc(5), sysctl(8)): the machinery and the top. Each name is one value that the kernel really uses, or a
 * constant of it that is read-only.
 */
#include <fs/proc/proc_priv.h>
#include <fs/proc/sysctl.h>

#include <lib/errno.h>
#include <net/proc_net.h>

static s64 number_get(const struct sysctl_number *n)
{
	return n->size == sizeof(u32) ? (s64) * (const s32 *)n->value : *(const s64 *)n->value;
}

static int number_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%lld\n", (long long)number_get(node->data));
	return 0;
}

static int number_store(const struct synthetic_node *node, char *text, size_t size)
{
	const struct sysctl_number *n = node->data;
	s64 value;
	int err = synthetic_parse_number(text, n->minimum, n->maximum, &value);

	if (err)
		return err;
	if (n->size == sizeof(u32))
		WRITE_ONCE(*(s32 *)n->value, (s32)value);
	else
		WRITE_ONCE(*(s64 *)n->value, value);
	return 0;
}

const struct synthetic_type sysctl_number_file = { .mode = S_IFREG | 0644,
						   .show = number_show,
						   .store = number_store };
const struct synthetic_type sysctl_number_file_ro = { .mode = S_IFREG | 0444, .show = number_show };

static int function_show(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct sysctl_function *f = node->data;

	text_printf(out, "%lld\n", (long long)f->get());
	return 0;
}

static int function_store(const struct synthetic_node *node, char *text, size_t size)
{
	const struct sysctl_function *f = node->data;
	s64 value;
	int err = synthetic_parse_number(text, f->minimum, f->maximum, &value);

	return err ? err : f->set(value);
}

const struct synthetic_type sysctl_function_file = { .mode = S_IFREG | 0644,
						     .show = function_show,
						     .store = function_store };
const struct synthetic_type sysctl_function_file_ro = { .mode = S_IFREG | 0444,
							.show = function_show };

static int text_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%s\n", (const char *)node->data);
	return 0;
}
const struct synthetic_type sysctl_text_ro = { .mode = S_IFREG | 0444, .show = text_show };

static const struct synthetic_named sys_names[] = {
	{ "fs", &synthetic_directory, &sysctl_fs_table },
	{ "kernel", &synthetic_directory, &sysctl_kernel_table },
	{ "net", &synthetic_directory, &sysctl_net_table },
	{ "vm", &synthetic_directory, &sysctl_vm_table },
};
const struct synthetic_table proc_sys_table = SYNTHETIC_TABLE(sys_names);
