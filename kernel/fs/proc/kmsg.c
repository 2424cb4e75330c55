/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/kmsg: the log as syslog(2) reads it, each record once. */
#include <fs/proc/proc_priv.h>
#include <fs/proc/system_priv.h>

#include <core/log.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/eventpoll.h>

static u64 next_record; /* shared by all readers, as in Linux; atomic */

static ssize_t kmsg_read(struct file *file, struct iter *it, u64 *offset)
{
	struct log_record *record = kmalloc(sizeof(*record), 0);
	if (!record)
		return -ENOMEM;
	ssize_t result = log_read(__atomic_load_n(&next_record, __ATOMIC_ACQUIRE), record);
	if (!result) {
		char prefix[48];
		u64 us = record->time_ns / 1000;
		int n = scnprintf(prefix, sizeof(prefix), "<%u>[%5llu.%06llu] ",
				  record->facility * 8u + record->level,
				  (unsigned long long)(us / 1000000),
				  (unsigned long long)(us % 1000000));
		if (it->remaining < (size_t)n + record->size + 1) {
			result = -EINVAL;
		} else {
			size_t done = iter_copy_to(it, prefix, (size_t)n);
			done += iter_copy_to(it, record->text, record->size);
			done += iter_copy_to(it, "\n", 1);
			result = done == (size_t)n + record->size + 1 ? (ssize_t)done : -EFAULT;
			__atomic_store_n(&next_record, record->sequence + 1, __ATOMIC_RELEASE);
		}
	}
	kfree(record);
	return result;
}

static u32 kmsg_ready(struct file *file)
{
	return log_next_sequence() > __atomic_load_n(&next_record, __ATOMIC_ACQUIRE)
		       ? EPOLLIN | EPOLLRDNORM
		       : 0;
}

static const struct file_ops kmsg_ops = {
	FILE_OPS_DEFAULTS,
	.read = kmsg_read,
	.ready = kmsg_ready,
};

static int kmsg_open(const struct synthetic_node *node, struct inode *inode, struct file *file)
{
	file->ops = &kmsg_ops;
	file->mode |= FILE_MODE_STREAM;
	file->object.waiters = &log_readers;
	return 0;
}

const struct synthetic_type proc_kmsg = { .mode = S_IFREG | 0400, .open = kmsg_open };
