/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/sys/vm and /proc/sys/fs. */
#include <fs/proc/proc_priv.h>
#include <fs/proc/sysctl.h>

#include <fs/mqueue/mqueue_fs.h>
#include <ipc/aio.h>
#include <ipc/pipe.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/reclaim.h>
#include <mm/slab.h>
#include <mm/write_back.h>
#include <proc/oom.h>
#include <vfs/dcache.h>
#include <vfs/inotify.h>
#include <vfs/lease.h>
#include <vfs/permission.h>

static s64 get_overcommit(void)
{
	return 0;
}
static const struct sysctl_function overcommit = { .get = get_overcommit };

static const struct sysctl_number panic_on_oom = SYSCTL_NUMBER(oom_panics, 0, 2);

static s64 get_min_address(void)
{
	return MMAP_MIN_ADDRESS;
}
static const struct sysctl_function min_address = { .get = get_min_address };

/* What is left to those who may not wait. */
static s64 get_min_free(void)
{
	return (s64)(frame_reserve_kernel * (PAGE_SIZE / 1024));
}
static const struct sysctl_function min_free = { .get = get_min_free };

/* drop_caches: 1 pages of files, 2 names and inodes, 3 both (proc(5)). */
static int drop_caches_store(const struct synthetic_node *node, char *text, size_t size)
{
	s64 what;
	int err = synthetic_parse_number(text, 1, 4, &what);

	if (err)
		return err;
	if (what & 2) {
		while (dcache_shrink(UINT64_MAX))
			;
		slab_shrink();
	}
	if (what & 1)
		reclaim_drop_page_cache();
	return 0;
}
static const struct synthetic_type drop_caches = { .mode = S_IFREG | 0200,
						   .store = drop_caches_store };

static const struct sysctl_number background_bytes =
	SYSCTL_NUMBER(write_back_settings.background_bytes, 0, INT64_MAX);
static const struct sysctl_number background_ratio =
	SYSCTL_NUMBER(write_back_settings.background_ratio, 0, 100);
static const struct sysctl_number dirty_bytes =
	SYSCTL_NUMBER(write_back_settings.bytes, 0, INT64_MAX);
static const struct sysctl_number dirty_ratio = SYSCTL_NUMBER(write_back_settings.ratio, 0, 100);
static const struct sysctl_number dirty_expire =
	SYSCTL_NUMBER(write_back_settings.expire_centiseconds, 0, INT32_MAX);
static const struct sysctl_number dirty_period =
	SYSCTL_NUMBER(write_back_settings.writeback_centiseconds, 0, INT32_MAX);

static const struct synthetic_named vm_names[] = {
	{ "dirty_background_bytes", &sysctl_number_file, &background_bytes },
	{ "dirty_background_ratio", &sysctl_number_file, &background_ratio },
	{ "dirty_bytes", &sysctl_number_file, &dirty_bytes },
	{ "dirty_expire_centisecs", &sysctl_number_file, &dirty_expire },
	{ "dirty_ratio", &sysctl_number_file, &dirty_ratio },
	{ "dirty_writeback_centisecs", &sysctl_number_file, &dirty_period },
	{ "drop_caches", &drop_caches, nullptr },
	{ "min_free_kbytes", &sysctl_function_file_ro, &min_free },
	{ "mmap_min_addr", &sysctl_function_file_ro, &min_address },
	{ "overcommit_memory", &sysctl_function_file_ro, &overcommit },
	{ "panic_on_oom", &sysctl_number_file, &panic_on_oom },
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

static const struct sysctl_number aio_nr = SYSCTL_NUMBER(aio_count, 0, UINT32_MAX);
static const struct sysctl_number aio_max = SYSCTL_NUMBER(aio_count_max, 0, UINT32_MAX);
static const struct sysctl_number mounts_max = SYSCTL_NUMBER(mount_count_max, 1, UINT32_MAX);
static const struct sysctl_number file_max = SYSCTL_NUMBER(file_count_max, 0, INT64_MAX);

static int file_nr_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%llu\t0\t%llu\n", (unsigned long long)file_count(),
		    (unsigned long long)file_count_max);
	return 0;
}
static const struct synthetic_type file_nr = { .mode = S_IFREG | 0444, .show = file_nr_show };

static const struct sysctl_number hardlinks = SYSCTL_NUMBER(protected_hardlinks, 0, 1);
static const struct sysctl_number symlinks = SYSCTL_NUMBER(protected_symlinks, 0, 1);
static const struct sysctl_number pipe_max = SYSCTL_NUMBER(pipe_size_max, PAGE_SIZE, 1u << 30);

static const struct sysctl_number break_time = SYSCTL_NUMBER(lease_break_seconds, 0, INT32_MAX);

static s64 get_handles_max(void)
{
	return POOL_SIZE_MAX;
}
static const struct sysctl_function handles_max = { .get = get_handles_max };

static s64 get_overflow_id(void)
{
	return 65534;
}
static const struct sysctl_function overflow_id = { .get = get_overflow_id };

/* Names and inodes in memory: every inode of a file system has a name there. */
static int dentry_state_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%llu\t%llu\t45\t0\t%llu\t0\n", (unsigned long long)dcache_count(),
		    (unsigned long long)dcache_unused_count(), 0ull);
	return 0;
}
static const struct synthetic_type dentry_state = { .mode = S_IFREG | 0444,
						    .show = dentry_state_show };

static int inode_nr_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%llu\t0\n", (unsigned long long)dcache_count());
	return 0;
}
static const struct synthetic_type inode_nr = { .mode = S_IFREG | 0444, .show = inode_nr_show };

static int inode_state_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%llu\t0\t0\t0\t0\t0\t0\n", (unsigned long long)dcache_count());
	return 0;
}
static const struct synthetic_type inode_state = { .mode = S_IFREG | 0444,
						   .show = inode_state_show };

/* Where the binfmt_misc file system is mounted. */
static const struct synthetic_table mount_point = {};

static const struct synthetic_named fs_names[] = {
	{ "aio-max-nr", &sysctl_number_file, &aio_max },
	{ "aio-nr", &sysctl_number_file_ro, &aio_nr },
	{ "binfmt_misc", &synthetic_directory, &mount_point },
	{ "dentry-state", &dentry_state, nullptr },
	{ "file-max", &sysctl_number_file, &file_max },
	{ "file-nr", &file_nr, nullptr },
	{ "inode-nr", &inode_nr, nullptr },
	{ "inode-state", &inode_state, nullptr },
	{ "inotify", &synthetic_directory, &inotify_table },
	{ "lease-break-time", &sysctl_number_file, &break_time },
	{ "mount-max", &sysctl_number_file, &mounts_max },
	{ "mqueue", &synthetic_directory, &mqueue_table },
	{ "nr_open", &sysctl_function_file_ro, &handles_max },
	{ "overflowgid", &sysctl_function_file_ro, &overflow_id },
	{ "overflowuid", &sysctl_function_file_ro, &overflow_id },
	{ "pipe-max-size", &sysctl_number_file, &pipe_max },
	{ "protected_hardlinks", &sysctl_number_file, &hardlinks },
	{ "protected_symlinks", &sysctl_number_file, &symlinks },
};
const struct synthetic_table sysctl_fs_table = SYNTHETIC_TABLE(fs_names);
