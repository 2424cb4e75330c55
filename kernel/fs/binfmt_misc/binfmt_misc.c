/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The binfmt_misc file system (Documentation/admin-guide/binfmt-misc.rst): a window on proc/exec_formats.h. */
#include <fs/binfmt_misc/binfmt_misc.h>
#include <fs/synthetic/synthetic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <proc/exec_formats.h>

#include <linux/magic.h>

/* "0", "1", "-1", with or without a newline. */
static int parse_command(const char *text, size_t size, int *out)
{
	if (size && text[size - 1] == '\n')
		size--;
	if (size == 1 && (*text == '0' || *text == '1'))
		*out = *text - '0';
	else if (size == 2 && memcmp(text, "-1", 2) == 0)
		*out = -1;
	else
		return -EINVAL;
	return 0;
}

static int register_store(const struct synthetic_node *node, char *text, size_t size)
{
	(void)node;
	return exec_format_register(text, size);
}
static const struct synthetic_type register_file = { .mode = S_IFREG | 0200,
						     .store = register_store };

static int status_show(const struct synthetic_node *node, struct text_buffer *out)
{
	(void)node;
	text_printf(out, exec_formats_enabled() ? "enabled\n" : "disabled\n");
	return 0;
}

static int status_store(const struct synthetic_node *node, char *text, size_t size)
{
	int command, err = parse_command(text, size, &command);

	(void)node;
	if (err)
		return err;
	if (command < 0)
		exec_format_remove_all();
	else
		exec_formats_enable(command);
	return 0;
}
static const struct synthetic_type status_file = { .mode = S_IFREG | 0644,
						   .show = status_show,
						   .store = status_store };

/* --- one registration: the key is its id --- */

static struct exec_format *format_of(const struct synthetic_node *node)
{
	struct exec_format *format = exec_format_next(node->key[0]);

	if (format && format->id != node->key[0]) {
		exec_format_put(format);
		format = nullptr;
	}
	return format;
}

static void print_hex(struct text_buffer *out, const char *what, const u8 *bytes, u32 size)
{
	text_printf(out, "%s ", what);
	for (u32 i = 0; i < size; i++)
		text_printf(out, "%02x", bytes[i]);
	text_printf(out, "\n");
}

static int entry_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct exec_format *format = format_of(node);

	if (!format)
		return -ENOENT;
	text_printf(out, "%s\ninterpreter %s\nflags: %s%s%s%s\n",
		    format->disabled ? "disabled" : "enabled", format->interpreter,
		    format->preserve_argv0 ? "P" : "", format->pass_file ? "O" : "",
		    format->own_credentials ? "C" : "", format->interpreter_fixed ? "F" : "");
	if (format->by_extension) {
		text_printf(out, "extension .%s\n", (const char *)format->magic);
	} else {
		text_printf(out, "offset %u\n", format->offset);
		print_hex(out, "magic", format->magic, format->size);
		if (format->has_mask)
			print_hex(out, "mask", format->mask, format->size);
	}
	exec_format_put(format);
	return 0;
}

static int entry_store(const struct synthetic_node *node, char *text, size_t size)
{
	int command, err = parse_command(text, size, &command);
	struct exec_format *format;

	if (err)
		return err;
	format = format_of(node);
	if (!format)
		return -ENOENT;
	if (command < 0)
		exec_format_remove(format);
	else
		exec_format_enable(format, command);
	exec_format_put(format);
	return 0;
}

static bool entry_valid(const struct synthetic_node *node)
{
	struct exec_format *format = format_of(node);

	if (format)
		exec_format_put(format);
	return format;
}

static const struct synthetic_type entry_file = {
	.mode = S_IFREG | 0644, .show = entry_show, .store = entry_store, .valid = entry_valid
};

/* --- the directory --- */

static const struct synthetic_named names[] = {
	{ "register", &register_file, nullptr },
	{ "status", &status_file, nullptr },
};
static const struct synthetic_table table = SYNTHETIC_TABLE(names);

static int root_lookup(const struct synthetic_node *dir, const char *name,
		       struct synthetic_node *out)
{
	struct exec_format *format;

	if (synthetic_table_lookup(dir, name, out) == 0)
		return 0;
	format = exec_format_find(name);
	if (!format)
		return -ENOENT;
	*out = (struct synthetic_node){ .type = &entry_file, .key = { format->id } };
	exec_format_put(format);
	return 0;
}

static bool root_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		      struct synthetic_node *out)
{
	struct exec_format *format;

	if (synthetic_table_next(dir, cursor, name, out))
		return true;
	format = exec_format_next(*cursor - table.count);
	if (!format)
		return false;
	*cursor = table.count + format->id + 1;
	(void)string_copy(name, format->name, NAME_MAX + 1);
	*out = (struct synthetic_node){ .type = &entry_file, .key = { format->id } };
	exec_format_put(format);
	return true;
}

static const struct synthetic_type root = {
	.mode = S_IFDIR | 0755,
	.lookup = root_lookup,
	.next = root_next,
};

static int binfmt_misc_mount(const struct file_system_type *type, const char *source, u32 flags,
			     const char *data, struct superblock **out)
{
	(void)source;
	(void)flags;
	(void)data;
	return synthetic_mount(type, BINFMTFS_MAGIC,
			       &(struct synthetic_node){ .type = &root, .data = &table }, out);
}

static struct file_system_type binfmt_misc_type = {
	.name = "binfmt_misc",
	.user_visible = true,
	.mount = binfmt_misc_mount,
};

void binfmt_misc_init(void)
{
	file_system_register(&binfmt_misc_type);
}
