/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a registration with binfmt_misc, ":name:type:offset:magic:mask:interpreter:flags"; ":" is what it begins with. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/exec_formats.h>
#include <proc/exec_priv.h>

#define MAGIC_END EXEC_HEADER_SIZE /* the magic lies before this in the file */
#define INTERPRETER_MAX 127u
#define TEXT_LEAST 11u

/* The field at *text, terminated in place; *text goes behind its delimiter. Null: there is none. */
static char *field(char **text, char delimiter)
{
	char *start = *text, *end = strchr(start, delimiter);

	if (!end)
		return nullptr;
	*end = 0;
	*text = end + 1;
	return start;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \xHH in place; the length, or 0 where an escape is cut off. */
static u32 unescape(char *text)
{
	char *from = text, *to = text;

	while (*from) {
		int high, low;

		if (from[0] != '\\' || from[1] != 'x') {
			*to++ = *from++;
			continue;
		}
		high = hex_digit(from[2]);
		low = high < 0 ? -1 : hex_digit(from[3]);
		if (low < 0)
			return 0;
		*to++ = (char)(high << 4 | low);
		from += 4;
	}
	return (u32)(to - text);
}

static int parse_offset(const char *text, u32 *out)
{
	u64 value = 0;

	if (*text && (parse_u64(text, 10, &value) || value >= MAGIC_END))
		return -EINVAL;
	*out = (u32)value;
	return 0;
}

static int parse_magic(struct exec_format *format, const char *offset, char *magic, char *mask)
{
	if (parse_offset(offset, &format->offset))
		return -EINVAL;
	format->size = unescape(magic);
	if (!format->size || format->offset + format->size > MAGIC_END)
		return -EINVAL;
	format->has_mask = *mask;
	return format->has_mask && unescape(mask) != format->size ? -EINVAL : 0;
}

static int parse_flags(struct exec_format *format, const char *flags)
{
	for (; *flags && *flags != '\n'; flags++) {
		switch (*flags) {
		case 'P':
			format->preserve_argv0 = true;
			break;
		case 'C':
			format->own_credentials = true;
			[[fallthrough]];
		case 'O':
			format->pass_file = true;
			break;
		case 'F':
			format->interpreter_fixed = true;
			break;
		default:
			return -EINVAL;
		}
	}
	return *flags && flags[1] ? -EINVAL : 0;
}

static bool name_is_good(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}

static int parse(struct exec_format *format)
{
	char *at = format->text, delimiter = *at++;
	char *name = field(&at, delimiter), *type = name ? field(&at, delimiter) : nullptr;
	char *offset = type ? field(&at, delimiter) : nullptr;
	char *magic = offset ? field(&at, delimiter) : nullptr;
	char *mask = magic ? field(&at, delimiter) : nullptr;
	char *interpreter = mask ? field(&at, delimiter) : nullptr;

	if (!interpreter || !name_is_good(name) || strlen(type) != 1)
		return -EINVAL;
	if (!*interpreter || strlen(interpreter) > INTERPRETER_MAX)
		return -EINVAL;
	format->by_extension = *type == 'E';
	if (format->by_extension) {
		if (!*magic || strchr(magic, '/'))
			return -EINVAL;
	} else if (*type != 'M' || parse_magic(format, offset, magic, mask)) {
		return -EINVAL;
	}
	format->name = name;
	format->interpreter = interpreter;
	format->magic = (u8 *)magic;
	format->mask = (u8 *)mask;
	return parse_flags(format, at);
}

int exec_format_parse(const char *text, size_t size, struct exec_format **out)
{
	struct exec_format *format;
	int err;

	if (size < TEXT_LEAST || size > EXEC_FORMAT_TEXT_MAX)
		return -EINVAL;
	format = kzalloc(sizeof(*format) + size + 1, 0);
	if (!format)
		return -ENOMEM;
	memcpy(format->text, text, size);
	format->refs = 1;
	err = parse(format);
	if (err)
		kfree(format);
	else
		*out = format;
	return err;
}
