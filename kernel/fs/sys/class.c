/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices in /sys: /sys/devices/virtual/<class>/<name> holds them, /sys/class/<class>/<name> and
 * /sys/dev/char/<major>:<minor> are links to there. All is made from the list of registered
 * devices.
 *
 * Nodes below a class carry the class's name in `data`; nodes of one device the struct device_node.
 */
#include <fs/sys/sys_priv.h>

#include <dev/tty/tty.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/devices.h>

struct search {
	const char *class_name; /* null: any */
	const char *name;	/* null: any */
	u64 number;
	bool by_number, block;
	u64 skip; /* entries to pass over */
	struct device_node *found;
};

static bool matches(const struct device_node *d, const struct search *s)
{
	if (!d->name || !d->class_name)
		return false;
	if (s->class_name && strcmp(d->class_name, s->class_name) != 0)
		return false;
	if (s->name && strcmp(d->name, s->name) != 0)
		return false;
	return !s->by_number || (d->device == s->number && (S_ISBLK(d->mode) != 0) == s->block);
}

static bool visit(struct device_node *d, void *arg)
{
	struct search *s = arg;

	if (!matches(d, s))
		return true;
	if (s->skip) {
		s->skip--;
		return true;
	}
	s->found = d;
	return false;
}

static struct device_node *search(struct search *s)
{
	s->found = nullptr;
	device_for_each(visit, s);
	return s->found;
}

/* The files of one device. */

static int dev_show(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct device_node *d = node->data;

	text_printf(out, "%u:%u\n", device_major(d->device), device_minor(d->device));
	return 0;
}

static int uevent_show(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct device_node *d = node->data;

	text_printf(out, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", device_major(d->device),
		    device_minor(d->device), d->name);
	if ((d->mode & 0777) != 0600)
		text_printf(out, "DEVMODE=0%o\n", d->mode & 0777);
	return 0;
}

static int subsystem_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	const struct device_node *d = node->data;
	char buf[64];

	(void)snprintf(buf, sizeof(buf), "../../../../class/%s", d->class_name);
	*text = kstrdup(buf, 0);
	return *text ? 0 : -ENOMEM;
}

static int active_show(const struct synthetic_node *node, struct text_buffer *out)
{
	char names[128];

	(void)console_active_names(names, sizeof(names));
	text_printf(out, "%s\n", names);
	return 0;
}

static const struct synthetic_type dev_file = { .mode = S_IFREG | 0444, .show = dev_show };
static const struct synthetic_type uevent_file = { .mode = S_IFREG | 0644, .show = uevent_show };
static const struct synthetic_type subsystem_link = { .mode = S_IFLNK | 0777,
						      .read_link = subsystem_read_link };
static const struct synthetic_type active_file = { .mode = S_IFREG | 0444, .show = active_show };

static const struct {
	const char *name;
	const struct synthetic_type *type;
} device_files[] = {
	{ "dev", &dev_file },
	{ "subsystem", &subsystem_link },
	{ "uevent", &uevent_file },
	{ "active",
	  &active_file }, /* of the console only: last, so that the others can leave it out */
};

static size_t device_file_count(const struct device_node *d)
{
	return ARRAY_SIZE(device_files) - (strcmp(d->name, "console") != 0);
}

static int device_lookup(const struct synthetic_node *dir, const char *name,
			 struct synthetic_node *out)
{
	for (size_t i = 0; i < device_file_count(dir->data); i++) {
		if (strcmp(device_files[i].name, name) != 0)
			continue;
		*out = *dir;
		out->type = device_files[i].type;
		return 0;
	}
	return -ENOENT;
}

static bool device_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			struct synthetic_node *out)
{
	if (*cursor >= device_file_count(dir->data))
		return false;
	(void)string_copy(name, device_files[*cursor].name, NAME_MAX + 1);
	*out = *dir;
	out->type = device_files[(*cursor)++].type;
	return true;
}

static const struct synthetic_type device_directory = {
	.mode = S_IFDIR | 0755,
	.lookup = device_lookup,
	.next = device_next,
};

/* Links to a device. All stand two directories below the root of /sys. */

static int device_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	const struct device_node *d = node->data;
	char buf[128];

	(void)snprintf(buf, sizeof(buf), "../../devices/virtual/%s/%s", d->class_name, d->name);
	*text = kstrdup(buf, 0);
	return *text ? 0 : -ENOMEM;
}

static const struct synthetic_type device_link = { .mode = S_IFLNK | 0777,
						   .read_link = device_read_link };

/* One class: its devices as directories (in devices/virtual) or links (in class). */

static const struct synthetic_type class_of_links, class_of_devices;

static void class_child(const struct synthetic_node *dir, struct device_node *d,
			struct synthetic_node *out)
{
	*out = (struct synthetic_node){
		.type = dir->type == &class_of_links ? &device_link : &device_directory,
		.data = d,
		.key = { d->device },
	};
}

static int class_lookup(const struct synthetic_node *dir, const char *name,
			struct synthetic_node *out)
{
	struct search s = { .class_name = dir->data, .name = name };
	struct device_node *d = search(&s);

	if (!d)
		return -ENOENT;
	class_child(dir, d, out);
	return 0;
}

static bool class_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		       struct synthetic_node *out)
{
	struct search s = { .class_name = dir->data, .skip = *cursor };
	struct device_node *d = search(&s);

	if (!d)
		return false;
	++*cursor;
	(void)string_copy(name, d->name, NAME_MAX + 1);
	class_child(dir, d, out);
	return true;
}

static const struct synthetic_type class_of_links = { .mode = S_IFDIR | 0755,
						      .lookup = class_lookup,
						      .next = class_next };
static const struct synthetic_type class_of_devices = { .mode = S_IFDIR | 0755,
							.lookup = class_lookup,
							.next = class_next };

/* The classes. A class exists while it has a device; it is listed where its first device stands in
 * the list. */

static const struct synthetic_type *class_type(const struct synthetic_node *dir)
{
	return dir->type == &sys_class_directory ? &class_of_links : &class_of_devices;
}

static int classes_lookup(const struct synthetic_node *dir, const char *name,
			  struct synthetic_node *out)
{
	struct search s = { .class_name = name };
	struct device_node *d = search(&s);

	if (!d)
		return -ENOENT;
	*out = (struct synthetic_node){ .type = class_type(dir), .data = d->class_name };
	return 0;
}

static bool is_first_of_class(const struct device_node *d)
{
	struct search s = { .class_name = d->class_name };

	return search(&s) == d;
}

static bool classes_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			 struct synthetic_node *out)
{
	for (;;) {
		struct search s = { .skip = *cursor };
		struct device_node *d = search(&s);

		if (!d)
			return false;
		++*cursor;
		if (!is_first_of_class(d))
			continue;
		(void)string_copy(name, d->class_name, NAME_MAX + 1);
		*out = (struct synthetic_node){ .type = class_type(dir), .data = d->class_name };
		return true;
	}
}

const struct synthetic_type sys_class_directory = {
	.mode = S_IFDIR | 0755,
	.lookup = classes_lookup,
	.next = classes_next,
};
const struct synthetic_type sys_virtual_directory = {
	.mode = S_IFDIR | 0755,
	.lookup = classes_lookup,
	.next = classes_next,
};

/* /sys/dev/char and block: data is the directory's own name. */

static bool wants_block(const struct synthetic_node *dir)
{
	return strcmp(dir->data, "block") == 0;
}

static int numbers_lookup(const struct synthetic_node *dir, const char *name,
			  struct synthetic_node *out)
{
	char buf[32];
	u64 major, minor;

	if (string_copy(buf, name, sizeof(buf)) < 0)
		return -ENOENT;
	char *colon = strchr(buf, ':');

	if (!colon)
		return -ENOENT;
	*colon = '\0';
	if (parse_u64(buf, 10, &major) || parse_u64(colon + 1, 10, &minor) || major > UINT32_MAX ||
	    minor > UINT32_MAX)
		return -ENOENT;
	struct search s = { .by_number = true,
			    .number = device_make((u32)major, (u32)minor),
			    .block = wants_block(dir) };
	struct device_node *d = search(&s);

	if (!d)
		return -ENOENT;
	*out = (struct synthetic_node){ .type = &device_link, .data = d, .key = { d->device } };
	return 0;
}

static bool numbers_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			 struct synthetic_node *out)
{
	for (;;) {
		struct search s = { .skip = *cursor };
		struct device_node *d = search(&s);

		if (!d)
			return false;
		++*cursor;
		if ((S_ISBLK(d->mode) != 0) != wants_block(dir))
			continue;
		(void)snprintf(name, NAME_MAX + 1, "%u:%u", device_major(d->device),
			       device_minor(d->device));
		*out = (struct synthetic_node){ .type = &device_link,
						.data = d,
						.key = { d->device } };
		return true;
	}
}

const struct synthetic_type sys_numbers_directory = {
	.mode = S_IFDIR | 0755,
	.lookup = numbers_lookup,
	.next = numbers_next,
};
