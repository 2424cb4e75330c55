/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The "newc" format: for each file a header of 110 characters (a magic and 13 hexadecimal numbers of 8 digits), the name,
 * padding to 4 bytes, the contents, padding to 4 bytes. An entry called TRAILER!!! ends the archive.
 */
#include <lib/cpio.h>
#include <lib/errno.h>
#include <lib/string.h>

enum cpio_state {
	CPIO_START,
	CPIO_HEADER,
	CPIO_NAME,
	CPIO_NAME_PADDING,
	CPIO_DATA,
	CPIO_DATA_PADDING
};

#define TRAILER "TRAILER!!!"

void cpio_init(struct cpio *c, const struct cpio_ops *ops, void *arg)
{
	c->ops = ops;
	c->arg = arg;
	c->state = CPIO_START;
	c->position = 0;
	c->filled = 0;
}

bool cpio_at_end(const struct cpio *c)
{
	return c->state == CPIO_START;
}

static bool parse_hex(const char *text, u32 *out)
{
	u32 value = 0;

	for (unsigned i = 0; i < 8; i++) {
		char c = text[i];
		u32 digit;

		if (c >= '0' && c <= '9')
			digit = (u32)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			digit = (u32)((c | 32) - 'a' + 10);
		else
			return false;
		value = value << 4 | digit;
	}
	*out = value;
	return true;
}

static int parse_header(struct cpio *c)
{
	struct cpio_entry *e = &c->entry;
	u32 name_size, checksum;
	u32 *const fields[13] = { &e->inode,	     &e->mode,		&e->uid,
				  &e->gid,	     &e->links,		&e->mtime,
				  &e->size,	     &e->device_major,	&e->device_minor,
				  &e->rdevice_major, &e->rdevice_minor, &name_size,
				  &checksum };

	if (memcmp(c->header, "070701", 6) != 0 && memcmp(c->header, "070702", 6) != 0)
		return -EINVAL;
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!parse_hex(c->header + 6 + 8 * i, fields[i]))
			return -EINVAL;
	}
	if (!name_size || name_size > sizeof(c->name))
		return -EINVAL;
	c->name_size = name_size;
	c->filled = 0;
	c->state = CPIO_NAME;
	return 0;
}

/* Copies input until `want` bytes are in `to`. Returns what it took. */
static size_t fill(struct cpio *c, char *to, size_t want, const u8 *data, size_t size)
{
	size_t n = MIN(want - c->filled, size);

	memcpy(to + c->filled, data, n);
	c->filled += n;
	return n;
}

static size_t padding(const struct cpio *c, size_t size)
{
	return MIN((size_t)(-c->position & 3), size);
}

static int begin_entry(struct cpio *c)
{
	if (c->name[c->name_size - 1])
		return -EINVAL;
	c->entry.name = c->name;
	c->left = c->entry.size;
	c->state = CPIO_NAME_PADDING;
	return strcmp(c->name, TRAILER) == 0 ? 0 : c->ops->begin(c->arg, &c->entry);
}

static int end_entry(struct cpio *c)
{
	c->state = CPIO_DATA_PADDING;
	return c->ops->end(c->arg);
}

/* One step; *taken gets the input it used. Returns 1 after the trailer, 0, or -errno. */
static int step(struct cpio *c, const u8 *data, size_t size, size_t *taken)
{
	int result = 0;

	*taken = 0;
	switch ((enum cpio_state)c->state) {
	case CPIO_START:
		c->position = 0;
		c->filled = 0;
		c->state = CPIO_HEADER;
		break;
	case CPIO_HEADER:
		*taken = fill(c, c->header, CPIO_HEADER_SIZE, data, size);
		c->position += *taken;
		if (c->filled == CPIO_HEADER_SIZE)
			result = parse_header(c);
		break;
	case CPIO_NAME:
		*taken = fill(c, c->name, c->name_size, data, size);
		c->position += *taken;
		if (c->filled == c->name_size)
			result = begin_entry(c);
		break;
	case CPIO_NAME_PADDING:
		*taken = padding(c, size);
		c->position += *taken;
		if (c->position & 3)
			break;
		if (strcmp(c->name, TRAILER) == 0) {
			c->state = CPIO_START;
			return 1;
		}
		c->state = CPIO_DATA;
		if (!c->left)
			result = end_entry(c);
		break;
	case CPIO_DATA:
		*taken = MIN(c->left, size);
		c->position += *taken;
		c->left -= *taken;
		result = c->ops->data(c->arg, data, *taken);
		if (!result && !c->left)
			result = end_entry(c);
		break;
	case CPIO_DATA_PADDING:
		*taken = padding(c, size);
		c->position += *taken;
		if (!(c->position & 3)) {
			c->filled = 0;
			c->state = CPIO_HEADER;
		}
		break;
	}
	return result;
}

ssize_t cpio_feed(struct cpio *c, const u8 *data, size_t size)
{
	size_t used = 0;

	/* A name that ends at a multiple of 4 is complete without another byte. */
	while (used < size || (c->state == CPIO_NAME_PADDING && !(c->position & 3))) {
		size_t taken;
		int result = step(c, data + used, size - used, &taken);

		used += taken;
		if (result < 0)
			return result;
		if (result)
			break;
	}
	return (ssize_t)used;
}
