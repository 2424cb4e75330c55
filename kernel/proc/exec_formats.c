/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registered formats of programs: the table, and how an exec uses it. The text of a registration is in exec_format_parse.c. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/file.h>
#include <proc/exec_formats.h>
#include <proc/exec_priv.h>

#include <linux/fcntl.h>

static struct spinlock table_lock = SPINLOCK_INIT(RANK_DENTRY);
static struct exec_format *newest __guarded_by(&table_lock);
static bool all_disabled;
static u32 count; /* atomic: looked at without the lock */

void exec_format_put(struct exec_format *format)
{
	if (__atomic_sub_fetch(&format->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (format->interpreter_file)
		file_put(format->interpreter_file);
	kfree(format);
}

static struct exec_format *find_locked(const char *name) __must_hold(&table_lock)
{
	struct exec_format *format = newest;

	while (format && strcmp(format->name, name) != 0)
		format = format->next;
	return format;
}

/* Consumes the reference on success. */
static int add(struct exec_format *format)
{
	static u64 last_id;

	spin_guard(&table_lock);
	if (find_locked(format->name))
		return -EEXIST;
	format->id = ++last_id;
	format->next = newest;
	newest = format;
	__atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
	return 0;
}

int exec_format_register(const char *text, size_t size)
{
	struct exec_format *format;
	int err = exec_format_parse(text, size, &format);

	if (err)
		return err;
	if (format->interpreter_fixed)
		err = proc_hooks.open(format->interpreter, O_RDONLY, true,
				      &format->interpreter_file);
	if (!err)
		err = add(format);
	if (err)
		exec_format_put(format);
	return err;
}

static struct exec_format *get(struct exec_format *format)
{
	if (format)
		__atomic_fetch_add(&format->refs, 1, __ATOMIC_RELAXED);
	return format;
}

struct exec_format *exec_format_find(const char *name)
{
	spin_guard(&table_lock);
	return get(find_locked(name));
}

struct exec_format *exec_format_next(u64 id)
{
	struct exec_format *best = nullptr;

	spin_guard(&table_lock);
	for (struct exec_format *format = newest; format && format->id >= id; format = format->next)
		best = format;
	return get(best);
}

void exec_format_enable(struct exec_format *format, bool enable)
{
	WRITE_ONCE(format->disabled, !enable);
}

void exec_format_remove(struct exec_format *format)
{
	struct exec_format **link;
	bool found;

	spin_lock(&table_lock);
	for (link = &newest; *link && *link != format; link = &(*link)->next)
		;
	found = *link;
	if (found) {
		*link = format->next;
		__atomic_fetch_sub(&count, 1, __ATOMIC_RELAXED);
	}
	spin_unlock(&table_lock);
	if (found)
		exec_format_put(format);
}

void exec_format_remove_all(void)
{
	struct exec_format *format;

	while ((format = exec_format_next(0))) {
		exec_format_remove(format);
		exec_format_put(format);
	}
}

bool exec_formats_enabled(void)
{
	return !READ_ONCE(all_disabled);
}

void exec_formats_enable(bool enable)
{
	WRITE_ONCE(all_disabled, !enable);
}

/* --- exec --- */

static bool magic_matches(const struct exec_format *format, const struct exec_image *image)
{
	for (u32 i = 0; i < format->size; i++) {
		u8 difference = (u8)image->header[format->offset + i] ^ format->magic[i];

		if (format->has_mask ? difference & format->mask[i] : difference)
			return false;
	}
	return true;
}

static struct exec_format *match(const struct exec_image *image, const char *path)
{
	const char *dot = strrchr(path, '.');

	spin_guard(&table_lock);
	for (struct exec_format *format = newest; format; format = format->next) {
		if (READ_ONCE(format->disabled))
			continue;
		if (format->by_extension ? dot && strcmp(dot + 1, (const char *)format->magic) == 0
					 : magic_matches(format, image))
			return get(format);
	}
	return nullptr;
}

static int interpreter_open(const struct exec_format *format, struct file **out)
{
	if (!format->interpreter_file)
		return proc_hooks.open(format->interpreter, O_RDONLY, true, out);
	file_get(format->interpreter_file);
	*out = format->interpreter_file;
	return 0;
}

static int use(struct exec_image *image, const struct exec_format *format)
{
	struct file *file;
	int err = exec_prefix_begin(image, format->preserve_argv0);

	if (!err)
		err = exec_prefix_add(image, format->interpreter);
	if (!err)
		err = interpreter_open(format, &file);
	if (err)
		return err;
	if (format->pass_file && !image->passed_file) {
		image->passed_file = image->file;
		image->passed_credentials = format->own_credentials;
	} else {
		file_put(image->file);
	}
	image->file = file;
	return 1;
}

int exec_registered(struct exec_image *image)
{
	struct exec_format *format;
	int result;

	if (likely(!READ_ONCE(count)) || !exec_formats_enabled())
		return 0;
	format = match(image, exec_prefix_path(image));
	if (!format)
		return 0;
	result = use(image, format);
	exec_format_put(format);
	return result;
}
