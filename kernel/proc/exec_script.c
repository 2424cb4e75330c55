/* SPDX-License-Identifier: GPL-2.0-or-later */
/* #! scripts (execve(2), "Interpreter scripts"). */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/file.h>
#include <proc/exec_priv.h>

#include <linux/fcntl.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Splits "#! interpreter argument" in place. The line may be cut off by the end of the header only within the
 * argument. *argument is null if there is none.
 */
static int parse_line(char *line, size_t size, char **interpreter, char **argument)
{
	char *limit = line + size, *end = memchr(line, '\n', size), *p;

	*argument = nullptr;
	if (!end) {
		/* Shorter files end with zeros. */
		end = memchr(line, 0, size);
		if (!end)
			end = limit;
	}
	for (p = line; p < end && is_blank(*p); p++)
		;
	*interpreter = p;
	while (p < end && !is_blank(*p))
		p++;
	if (p == *interpreter || p == limit)
		return -ENOEXEC;
	while (end > p && is_blank(end[-1]))
		end--;
	if (end < limit)
		*end = 0;
	else
		limit[-1] = 0;
	if (p == end)
		return 0;
	*p++ = 0;
	while (p < end && is_blank(*p))
		p++;
	if (*p)
		*argument = p;
	return 0;
}

int exec_prefix_add(struct exec_image *image, const char *text)
{
	char *copy;

	if (image->prefix_count == EXEC_PREFIX_MAX)
		return -ELOOP;
	copy = kstrdup(text, 0);
	if (!copy)
		return -ENOMEM;
	image->prefix[image->prefix_count++] = copy;
	return 0;
}

/* What was to be argv[0] of the file that turned out to be a script gives way to the file's path. */
int exec_prefix_begin(struct exec_image *image, bool keep_first)
{
	if (image->prefix_count)
		return 0;
	image->replace_first = !keep_first;
	image->keep_first = keep_first;
	return exec_prefix_add(image, image->request->path);
}

const char *exec_prefix_path(const struct exec_image *image)
{
	return image->prefix_count ? image->prefix[image->prefix_count - 1] : image->request->path;
}

int exec_script(struct exec_image *image)
{
	char *interpreter, *argument;
	struct file *file;
	int err;

	if (image->header[0] != '#' || image->header[1] != '!')
		return 0;
	err = parse_line(image->header + 2, sizeof(image->header) - 2, &interpreter, &argument);
	if (err)
		return err;
	err = exec_prefix_begin(image, false);
	if (!err && argument)
		err = exec_prefix_add(image, argument);
	if (!err)
		err = exec_prefix_add(image, interpreter);
	if (!err)
		err = proc_hooks.open(interpreter, O_RDONLY, true, &file);
	if (err)
		return err;
	file_put(image->file);
	image->file = file;
	return 1;
}
