/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents of synthetic files. The text is made when a read begins at offset 0 and kept for the
 * reads that follow, so that one pass through the file sees one moment; going back to 0 makes it
 * anew.
 */
#include <fs/synthetic/synthetic_priv.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/fs.h>

struct synthetic_open {
	struct mutex lock;
	struct text_buffer text;
	bool made;
};

int synthetic_text_open(struct file *file)
{
	struct synthetic_open *open = kzalloc(sizeof(*open), 0);
	if (!open)
		return -ENOMEM;
	mutex_init(&open->lock, RANK_SYNTHETIC);
	file->private = open;
	return 0;
}

static int make_text(struct file *file, struct synthetic_open *open)
{
	const struct synthetic_node *node = synthetic_node_of(file->inode);
	if (!node->type->show)
		return -EIO;
	open->made = false;
	open->text.size = 0;
	open->text.failed = false;
	int err = node->type->show(node, &open->text);
	if (!err && open->text.failed)
		err = -ENOMEM;
	open->made = !err;
	return err;
}

static ssize_t text_read(struct file *file, struct iter *it, u64 *offset)
{
	struct synthetic_open *open = file->private;
	mutex_lock(&open->lock);
	ssize_t n = 0;
	if (!open->made || *offset == 0)
		n = make_text(file, open);
	if (!n && *offset < open->text.size) {
		size_t want = MIN(open->text.size - *offset, it->remaining);
		size_t copied = iter_copy_to(it, open->text.data + *offset, want);
		n = copied || !want ? (ssize_t)copied : -EFAULT;
		*offset += copied;
	}
	mutex_unlock(&open->lock);
	return n;
}

static ssize_t text_write(struct file *file, struct iter *it, u64 *offset)
{
	const struct synthetic_node *node = synthetic_node_of(file->inode);
	if (!node->type->store)
		return -EIO;
	size_t size = it->remaining;
	if (size >= PAGE_SIZE)
		return -EINVAL;
	char *text = kmalloc(size + 1, 0);
	if (!text)
		return -ENOMEM;
	int err = iter_copy_from(it, text, size) == size ? 0 : -EFAULT;
	if (!err) {
		text[size] = '\0';
		err = node->type->store(node, text, size);
	}
	kfree(text);
	if (err)
		return err;
	*offset += size;
	return (ssize_t)size;
}

static s64 text_seek(struct file *file, s64 offset, int whence)
{
	s64 base = whence == SEEK_CUR ? (s64)file->offset : 0;
	s64 target;
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	if (add_overflows(base, offset, &target) || target < 0)
		return -EINVAL;
	file->offset = (u64)target;
	return target;
}

static void text_destroy(struct file *file)
{
	struct synthetic_open *open = file->private;
	text_free(&open->text);
	kfree(open);
}

/* As with O_TRUNC, programs that write texts may empty them first; it means nothing. */
static int text_truncate(struct file *file, u64 size)
{
	return 0;
}

const struct file_ops synthetic_text_ops = {
	FILE_OPS_DEFAULTS,	 .read = text_read,	 .write = text_write,
	.seek = text_seek,	 .sync = file_sync_noop, .truncate = text_truncate,
	.destroy = text_destroy,
};

int synthetic_parse_number(char *text, s64 minimum, s64 maximum, s64 *out)
{
	while (*text == ' ' || *text == '\t')
		text++;
	size_t n = strlen(text);
	while (n && (text[n - 1] == '\n' || text[n - 1] == ' ' || text[n - 1] == '\t'))
		text[--n] = '\0';
	s64 value;
	int err = parse_s64(text, 0, &value);
	if (err || value < minimum || value > maximum)
		return -EINVAL;
	*out = value;
	return 0;
}
