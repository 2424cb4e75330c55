/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/kmsg (Linux's Documentation/ABI/testing/dev-kmsg): each read returns one record
 * "priority,sequence,microseconds,-;text\n"; each write adds one, with an optional "<priority>" in
 * front.
 */
#include <dev/mem/kmsg.h>

#include <core/log.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/file.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

struct kmsg_reader {
	struct mutex lock;
	u64 next;
	struct log_record record;
	char line[sizeof(((struct log_record *)0)->text) * 2 + 64];
};

int kmsg_open(struct file *file)
{
	if (!(file->mode & FILE_MODE_READ))
		return 0;
	struct kmsg_reader *reader = kzalloc(sizeof(*reader), 0);
	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock, RANK_PIPE);
	file->private = reader;
	file->mode |= FILE_MODE_STREAM;
	file->object.waiters = &log_readers;
	return 0;
}

/* Text with control characters escaped, as the interface promises. */
static size_t format_record(struct kmsg_reader *reader)
{
	const struct log_record *r = &reader->record;
	size_t size = sizeof(reader->line);
	size_t n = (size_t)scnprintf(reader->line, size, "%u,%llu,%llu,-;",
				     r->facility * 8u + r->level, (unsigned long long)r->sequence,
				     (unsigned long long)(r->time_ns / 1000));
	for (unsigned i = 0; i < r->size && n + 6 < size; i++) {
		unsigned char c = (unsigned char)r->text[i];
		if (c < ' ' || c >= 127 || c == '\\')
			n += (size_t)scnprintf(reader->line + n, size - n, "\\x%02x", c);
		else
			reader->line[n++] = (char)c;
	}
	reader->line[n++] = '\n';
	return n;
}

static ssize_t kmsg_read(struct file *file, struct iter *it, u64 *offset)
{
	struct kmsg_reader *reader = file->private;
	if (!reader)
		return -EBADF;
	mutex_guard(&reader->lock);
	int err = log_read(reader->next, &reader->record);
	if (err)
		return err;
	if (reader->record.sequence != reader->next && reader->next) {
		/* Records were lost: told once, then reading goes on at the oldest. */
		reader->next = reader->record.sequence;
		return -EPIPE;
	}
	size_t n = format_record(reader);
	if (n > it->remaining)
		return -EINVAL;
	reader->next = reader->record.sequence + 1;
	return iter_copy_to(it, reader->line, n) == n ? (ssize_t)n : -EFAULT;
}

static ssize_t kmsg_write(struct file *file, struct iter *it, u64 *offset)
{
	char text[1024];
	size_t total = it->remaining;
	if (total >= sizeof(text))
		return -EINVAL;
	if (iter_copy_from(it, text, total) != total)
		return -EFAULT;
	text[total] = '\0';
	unsigned priority = LOG_WARNING;
	const char *body = text;
	if (text[0] == '<') {
		char *end = strchr(text, '>');
		u64 value;
		if (end) {
			*end = '\0';
			if (parse_u64(text + 1, 10, &value) == 0 && value < 1024) {
				priority = (unsigned)value;
				body = end + 1;
			} else {
				*end = '>';
			}
		}
	}
	size_t size = strlen(body);
	if (size && body[size - 1] == '\n')
		size--;
	/* User space cannot speak as the kernel. */
	unsigned facility = priority >> 3 ? priority >> 3 : 1;
	log_write_user((enum log_level)(priority & 7), facility, body, size);
	return (ssize_t)total;
}

static s64 kmsg_seek(struct file *file, s64 offset, int whence)
{
	struct kmsg_reader *reader = file->private;
	if (!reader)
		return -EBADF;
	if (offset)
		return -ESPIPE;
	mutex_guard(&reader->lock);
	switch (whence) {
	case SEEK_SET:
		reader->next = 0;
		return 0;
	case SEEK_END:
		while (log_read(reader->next, &reader->record) == 0)
			reader->next = reader->record.sequence + 1;
		return 0;
	default:
		return -EINVAL;
	}
}

static u32 kmsg_ready(struct file *file)
{
	struct kmsg_reader *reader = file->private;
	bool readable = reader && log_next_sequence() > reader->next;
	return (readable ? EPOLLIN | EPOLLRDNORM : 0u) | EPOLLOUT | EPOLLWRNORM;
}

static void kmsg_destroy(struct file *file)
{
	kfree(file->private);
}

const struct file_ops kmsg_ops = {
	FILE_OPS_DEFAULTS, .read = kmsg_read,	.write = kmsg_write,
	.seek = kmsg_seek, .ready = kmsg_ready, .destroy = kmsg_destroy,
};
