/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices in /sys: /sys/devices/virtual/<class>/<name> holds them, /sys/class/<class>/<name> and
 * /sys/dev/char/<major>:<minor> are links to there. All is made from the list of registered
 * devices, but for block devices, which are not of a class there: block.c.
 *
 * A class's directory carries its name in `data`; what stands for a device has it in KEY_DEVICE, where the device's files
 * inherit it.
 */
#include <fs/sys/sys_priv.h>

#include <dev/tty/tty.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/sys_net.h>
#include <vfs/devices.h>

#define KEY_NUMBER 0		/* of the device, so that two of one name differ */
#define KEY_DEVICE 1		/* struct device_node */
#define OWN_CURSOR (1ull << 32) /* behind all classes of device nodes */

static const struct device_node *device_of(const struct synthetic_node *node)
{
	return (const struct device_node *)node->key[KEY_DEVICE];
}

struct search {
	const char *class_name; /* null: any */
	const char *name;	/* null: any */
	u64 number;
	bool by_number;
	u64 skip; /* entries to pass over */
	struct device_node *found;
};

static bool matches(const struct device_node *d, const struct search *s)
{
	if (!d->name || !d->class_name)
		return false;
	if (s->class_name && strcmp(d->class_name, s->class_name) != 0)
		return false;
	if (s->name && strcmp(device_node_base_name(d), s->name) != 0)
		return false;
	return !s->by_number || d->device == s->number;
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
	const struct device_node *d = device_of(node);

	text_printf(out, "%u:%u\n", device_major(d->device), device_minor(d->device));
	return 0;
}

static int uevent_show(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct device_node *d = device_of(node);

	text_printf(out, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", device_major(d->device),
		    device_minor(d->device), d->name);
	if ((d->mode & 0777) != 0600)
		text_printf(out, "DEVMODE=0%o\n", d->mode & 0777);
	return 0;
}

static int subsystem_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	char buf[64];

	(void)snprintf(buf, sizeof(buf), "../../../../class/%s", device_of(node)->class_name);
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

#define DEVICE_FILES                                                                               \
	{ "dev", &dev_file, nullptr }, { "subsystem", &subsystem_link, nullptr },                  \
	{                                                                                          \
		"uevent", &uevent_file, nullptr                                                    \
	}
static const struct synthetic_named device_files[] = { DEVICE_FILES };
static const struct synthetic_named console_files[] = { DEVICE_FILES,
							{ "active", &active_file, nullptr } };
static const struct synthetic_table device_table = SYNTHETIC_TABLE(device_files);
static const struct synthetic_table console_table = SYNTHETIC_TABLE(console_files);

static void device_directory_node(const struct device_node *d, struct synthetic_node *out)
{
	*out = (struct synthetic_node){
		.type = &synthetic_directory,
		.data = strcmp(d->name, "console") == 0 ? &console_table : &device_table,
		.key = { d->device, (uintptr_t)d },
	};
}

/* Links to a device. All stand two directories below the root of /sys. */

static int device_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	const struct device_node *d = device_of(node);
	char buf[128];

	(void)snprintf(buf, sizeof(buf), "../../devices/virtual/%s/%s", d->class_name,
		       device_node_base_name(d));
	*text = kstrdup(buf, 0);
	return *text ? 0 : -ENOMEM;
}

static const struct synthetic_type device_link = { .mode = S_IFLNK | 0777,
						   .read_link = device_read_link };

static void device_link_node(const struct device_node *d, struct synthetic_node *out)
{
	*out = (struct synthetic_node){ .type = &device_link, .key = { d->device, (uintptr_t)d } };
}

/* A directory of devices of the list: which of them, under which names, as what. */
struct listing {
	bool (*lists)(const struct synthetic_node *dir, const struct device_node *d);
	void (*name)(const struct device_node *d, char *name);
	void (*child)(const struct synthetic_node *dir, const struct device_node *d,
		      struct synthetic_node *out);
};

static bool list_next(const struct listing *listing, const struct synthetic_node *dir, u64 *cursor,
		      char *name, struct synthetic_node *out)
{
	for (;;) {
		struct search s = { .skip = *cursor };
		const struct device_node *d = search(&s);

		if (!d)
			return false;
		++*cursor;
		if (!listing->lists(dir, d))
			continue;
		listing->name(d, name);
		listing->child(dir, d, out);
		return true;
	}
}

static void own_name(const struct device_node *d, char *name)
{
	(void)string_copy(name, device_node_base_name(d), NAME_MAX + 1);
}

/* One class: its devices as directories (in devices/virtual) or links (in class). */

static const struct synthetic_type class_of_links, class_of_devices;

static bool is_of_class(const struct synthetic_node *dir, const struct device_node *d)
{
	return strcmp(d->class_name, dir->data) == 0;
}

static void class_child(const struct synthetic_node *dir, const struct device_node *d,
			struct synthetic_node *out)
{
	if (dir->type == &class_of_links)
		device_link_node(d, out);
	else
		device_directory_node(d, out);
}

static int class_lookup(const struct synthetic_node *dir, const char *name,
			struct synthetic_node *out)
{
	struct search s = { .class_name = dir->data, .name = name };
	const struct device_node *d = search(&s);

	if (!d)
		return -ENOENT;
	class_child(dir, d, out);
	return 0;
}

static bool class_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		       struct synthetic_node *out)
{
	static const struct listing listing = { is_of_class, own_name, class_child };

	return list_next(&listing, dir, cursor, name, out);
}

#define CLASS_TYPE { .mode = S_IFDIR | 0755, .lookup = class_lookup, .next = class_next }
static const struct synthetic_type class_of_links = CLASS_TYPE, class_of_devices = CLASS_TYPE;

/* The classes. A class exists while it has a device; it is listed where its first device stands in
 * the list. */

static void classes_child(const struct synthetic_node *dir, const struct device_node *d,
			  struct synthetic_node *out)
{
	*out = (struct synthetic_node){
		.type = dir->type == &sys_class_directory ? &class_of_links : &class_of_devices,
		.data = d->class_name,
	};
}

/* Network devices are no device nodes, block devices come and go: their classes have files of their own. */
static const struct own_class {
	const char *name;
	const struct synthetic_type *links, *devices;
} own_classes[] = {
	{ "block", &sys_block_class_directory, &sys_block_devices_directory },
	{ "net", &sys_net_class, &sys_net_devices },
};

static void own_class_child(const struct synthetic_node *dir, const struct own_class *class,
			    struct synthetic_node *out)
{
	*out = (struct synthetic_node){
		.type = dir->type == &sys_class_directory ? class->links : class->devices,
	};
}

static int classes_lookup(const struct synthetic_node *dir, const char *name,
			  struct synthetic_node *out)
{
	struct search s = { .class_name = name };
	const struct device_node *d;

	for (size_t i = 0; i < ARRAY_SIZE(own_classes); i++) {
		if (strcmp(name, own_classes[i].name) == 0) {
			own_class_child(dir, &own_classes[i], out);
			return 0;
		}
	}
	d = search(&s);
	if (!d)
		return -ENOENT;
	classes_child(dir, d, out);
	return 0;
}

static bool is_first_of_class(const struct synthetic_node *dir, const struct device_node *d)
{
	struct search s = { .class_name = d->class_name };

	return search(&s) == d;
}

static void class_name(const struct device_node *d, char *name)
{
	(void)string_copy(name, d->class_name, NAME_MAX + 1);
}

static bool classes_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			 struct synthetic_node *out)
{
	static const struct listing listing = { is_first_of_class, class_name, classes_child };

	if (*cursor < OWN_CURSOR && list_next(&listing, dir, cursor, name, out))
		return true;
	if (*cursor < OWN_CURSOR)
		*cursor = OWN_CURSOR;
	u64 i = *cursor - OWN_CURSOR;
	if (i >= ARRAY_SIZE(own_classes))
		return false;
	++*cursor;
	(void)string_copy(name, own_classes[i].name, NAME_MAX + 1);
	own_class_child(dir, &own_classes[i], out);
	return true;
}

#define CLASSES_TYPE { .mode = S_IFDIR | 0755, .lookup = classes_lookup, .next = classes_next }
const struct synthetic_type sys_class_directory = CLASSES_TYPE;
const struct synthetic_type sys_virtual_directory = CLASSES_TYPE;

/* /sys/dev/char. */

static bool is_of_kind(const struct synthetic_node *dir, const struct device_node *d)
{
	return true;
}

static void number_name(const struct device_node *d, char *name)
{
	(void)snprintf(name, NAME_MAX + 1, "%u:%u", device_major(d->device),
		       device_minor(d->device));
}

static void number_child(const struct synthetic_node *dir, const struct device_node *d,
			 struct synthetic_node *out)
{
	device_link_node(d, out);
}

int sys_parse_device_number(const char *text, u64 *number)
{
	char buf[32];
	u64 major, minor;

	if (string_copy(buf, text, sizeof(buf)) < 0)
		return -EINVAL;
	char *colon = strchr(buf, ':');

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	if (parse_u64(buf, 10, &major) || parse_u64(colon + 1, 10, &minor) || major > UINT32_MAX ||
	    minor > UINT32_MAX)
		return -EINVAL;
	*number = device_make((u32)major, (u32)minor);
	return 0;
}

static int numbers_lookup(const struct synthetic_node *dir, const char *name,
			  struct synthetic_node *out)
{
	struct search s = { .by_number = true };

	if (sys_parse_device_number(name, &s.number))
		return -ENOENT;
	struct device_node *d = search(&s);

	if (!d)
		return -ENOENT;
	device_link_node(d, out);
	return 0;
}

static bool numbers_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			 struct synthetic_node *out)
{
	static const struct listing listing = { is_of_kind, number_name, number_child };

	return list_next(&listing, dir, cursor, name, out);
}

const struct synthetic_type sys_numbers_directory = {
	.mode = S_IFDIR | 0755,
	.lookup = numbers_lookup,
	.next = numbers_next,
};
