/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/sys/vm and /proc/sys/fs. */
#include <fs/proc/proc_priv.h>
#include <fs/proc/sysctl.h>

#include <fs/mqueue/mqueue_fs.h>
#include <vfs/inotify.h>

static s64 get_overcommit(void)
{
	return 0;
}
static const struct sysctl_function overcommit = { .get = get_overcommit };

static const struct synthetic_named vm_names[] = {
	{ "overcommit_memory", &sysctl_function_file_ro, &overcommit },
};
const struct synthetic_table sysctl_vm_table = SYNTHETIC_TABLE(vm_names);

static const struct sysctl_number inotify_events = SYSCTL_NUMBER(inotify_events_max, 0, INT32_MAX);
static const struct sysctl_number inotify_instances =
	SYSCTL_NUMBER(inotify_instances_max, 0, INT32_MAX);
static const struct sysctl_number inotify_watches =
	SYSCTL_NUMBER(inotify_watches_max, 0, INT32_MAX);

static const struct synthetic_named inotify_names[] = {
	{ "max_queued_events", &sysctl_number_file, &inotify_events },
	{ "max_user_instances", &sysctl_number_file, &inotify_instances },
	{ "max_user_watches", &sysctl_number_file, &inotify_watches },
};
static const struct synthetic_table inotify_table = SYNTHETIC_TABLE(inotify_names);

static const struct sysctl_number queues_max = SYSCTL_NUMBER(mqueue_queues_max, 0, INT32_MAX);
static const struct sysctl_number msg_max = SYSCTL_NUMBER(mqueue_messages_max, 1, 65536);
static const struct sysctl_number msgsize_max =
	SYSCTL_NUMBER(mqueue_message_size_max, 128, 16 << 20);
static const struct sysctl_number msg_default = SYSCTL_NUMBER(mqueue_messages_default, 1, 65536);
static const struct sysctl_number msgsize_default =
	SYSCTL_NUMBER(mqueue_message_size_default, 128, 16 << 20);

static const struct synthetic_named mqueue_names[] = {
	{ "msg_default", &sysctl_number_file, &msg_default },
	{ "msg_max", &sysctl_number_file, &msg_max },
	{ "msgsize_default", &sysctl_number_file, &msgsize_default },
	{ "msgsize_max", &sysctl_number_file, &msgsize_max },
	{ "queues_max", &sysctl_number_file, &queues_max },
};
static const struct synthetic_table mqueue_table = SYNTHETIC_TABLE(mqueue_names);

static const struct sysctl_number file_max = SYSCTL_NUMBER(file_count_max, 0, INT64_MAX);

static int file_nr_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%llu\t0\t%llu\n", (unsigned long long)file_count(),
		    (unsigned long long)file_count_max);
	return 0;
}
static const struct synthetic_type file_nr = { .mode = S_IFREG | 0444, .show = file_nr_show };

static const struct synthetic_named fs_names[] = {
	{ "file-max", &sysctl_number_file, &file_max },
	{ "file-nr", &file_nr, nullptr },
	{ "inotify", &synthetic_directory, &inotify_table },
	{ "mqueue", &synthetic_directory, &mqueue_table },
};
const struct synthetic_table sysctl_fs_table = SYNTHETIC_TABLE(fs_names);
