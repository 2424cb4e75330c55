/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What native calls share: the current pool and how handles are put into it. */
#pragma once

#include <lib/errno.h>
#include <obj/handle.h>
#include <proc/task.h>

#include <linux/resource.h>

static inline struct pool *current_pool(void)
{
	return current_task()->pool;
}

/* No handle gets a number from here on. */
static inline unsigned handle_limit(void)
{
	return (unsigned)MIN(current_limit(RLIMIT_NOFILE), (u64)INT32_MAX);
}

/* What cairn_handle_inspect tells of a slot. -EBADF, -EINVAL (size), -EFAULT. */
struct cairn_handle_info;
[[nodiscard]] int native_handle_info(struct pool *pool, int fd,
				     struct cairn_handle_info __user *out, size_t size);

/* CAIRN_HANDLE_KEEP_* of a request as HANDLE_*. -EINVAL: unknown bits. */
[[nodiscard]] int native_handle_flags(u32 flags, u32 *out);

/* CAIRN_TASK_CPU_TIME() and its twin for silos as a quota. -EINVAL: less than can be kept. */
[[nodiscard]] int native_cpu_time(u64 value, u64 *time_ns, u64 *period_ns);

struct superblock;

/* An empty file system in memory, with mount options of tmpfs(5). -ENOMEM. */
[[nodiscard]] int native_create_memory(const char *options, struct superblock **out);
