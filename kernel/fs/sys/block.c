/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices in /sys, as udev, lsblk and sfdisk read them: /sys/devices/virtual/block/<disk>/<partition> hold the files,
 * /sys/block (disks), /sys/class/block and /sys/dev/block (all) are links to there. What queue/ tells is in block_queue.c.
 *
 * A node is a device number in KEY_NUMBER, which is looked up again at each use: a device may be gone.
 */
#include <fs/sys/block.h>
#include <fs/sys/sys_priv.h>

#include <block/block_file.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>

#define KEY_NUMBER 0

static int device_of(const struct synthetic_node *node, struct block_device **out)
{
	return block_device_find(node->key[KEY_NUMBER], out) ? -ENODEV : 0;
}

static bool is_there(const struct synthetic_node *node)
{
	struct block_device *device;

	if (device_of(node, &device))
		return false;
	block_device_put(device);
	return true;
}

/* --- files --- */

static int attribute_show(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct sys_block_attribute *a = node->data;
	struct block_device *device;
	int error = device_of(node, &device);

	if (error)
		return error;
	if (a->number)
		text_printf(out, "%llu\n", (unsigned long long)a->number(device));
	else if (a->show)
		a->show(device, out);
	else
		text_printf(out, "%s\n", a->text);
	block_device_put(device);
	return 0;
}

const struct synthetic_type sys_block_file = { .mode = S_IFREG | 0444,
					       .show = attribute_show,
					       .valid = is_there };

static u64 size_of(struct block_device *d)
{
	return block_device_sectors(d);
}
static u64 read_only_of(struct block_device *d)
{
	return block_device_read_only(d);
}
static u64 partition_of(struct block_device *d)
{
	return block_device_partition(d);
}
static u64 sequence_of(struct block_device *d)
{
	return block_device_sequence(d);
}
static u64 minors_of(struct block_device *d)
{
	return block_device_minors(d);
}

static void dev_text(struct block_device *d, struct text_buffer *out)
{
	u64 number = block_device_number(d);

	text_printf(out, "%u:%u\n", device_major(number), device_minor(number));
}

static void inflight_text(struct block_device *d, struct text_buffer *out)
{
	struct block_stats s;

	block_device_stats(d, &s);
	text_printf(out, "%8llu %8llu\n", (unsigned long long)(s.in_flight - s.writes_in_flight),
		    (unsigned long long)s.writes_in_flight);
}

static void stat_text(struct block_device *d, struct text_buffer *out)
{
	u64 columns[BLOCK_STATS_COLUMNS];

	block_device_stats_columns(d, columns);
	for (unsigned i = 0; i < BLOCK_STATS_COLUMNS; i++)
		text_printf(out, i ? " %8llu" : "%8llu", (unsigned long long)columns[i]);
	text_printf(out, "\n");
}

static void uevent_text(struct block_device *d, struct text_buffer *out)
{
	u64 number = block_device_number(d);
	unsigned index = block_device_partition(d);

	text_printf(out, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=%s\n", device_major(number),
		    device_minor(number), block_device_name(d), index ? "partition" : "disk");
	text_printf(out, "DISKSEQ=%llu\n", (unsigned long long)block_device_sequence(d));
	if (index)
		text_printf(out, "PARTN=%u\n", index);
	if (*block_device_label(d))
		text_printf(out, "PARTNAME=%s\n", block_device_label(d));
}

static u64 start_of(struct block_device *d)
{
	return block_device_start(d);
}

/* "change", or an action and a UUID that goes back to who asked: udevadm trigger. */
static int uevent_store(const struct synthetic_node *node, char *text, size_t size)
{
	static const char *const actions[] = { "add",	 "remove",  "change", "move",
					       "online", "offline", "bind",   "unbind" };
	struct block_device *device;
	char *end = strchr(text, '\n');
	int error = device_of(node, &device);

	if (error)
		return error;
	if (end)
		*end = 0;
	char *uuid = strchr(text, ' ');
	if (uuid)
		*uuid++ = 0;
	error = -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(actions) && error; i++) {
		if (strcmp(text, actions[i]) != 0)
			continue;
		block_device_event(device, actions[i], "SYNTH_UUID", uuid ? uuid : "0");
		error = 0;
	}
	block_device_put(device);
	return error;
}

static const struct synthetic_type uevent_file = {
	.mode = S_IFREG | 0644, .show = attribute_show, .store = uevent_store, .valid = is_there
};

static int subsystem_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	struct block_device *device;
	int error = device_of(node, &device);

	if (error)
		return error;
	*text = kstrdup(block_device_partition(device) ? "../../../../../class/block"
						       : "../../../../class/block",
			0);
	block_device_put(device);
	return *text ? 0 : -ENOMEM;
}

static const struct synthetic_type subsystem_link = { .mode = S_IFLNK | 0777,
						      .read_link = subsystem_read_link };

static const struct synthetic_table empty_table = { 0 };

SYS_BLOCK_TEXT(zero, "0");
SYS_BLOCK_TEXT(empty, "");
SYS_BLOCK_TEXT(minus_one, "-1");
SYS_BLOCK_NUMBER(size, size_of);
SYS_BLOCK_NUMBER(read_only, read_only_of);
SYS_BLOCK_NUMBER(partition, partition_of);
SYS_BLOCK_NUMBER(start, start_of);
SYS_BLOCK_NUMBER(sequence, sequence_of);
SYS_BLOCK_NUMBER(range, minors_of);
SYS_BLOCK_TEXT(extended_range, "256");
SYS_BLOCK_SHOW(dev, dev_text);
SYS_BLOCK_SHOW(inflight, inflight_text);
SYS_BLOCK_SHOW(stat, stat_text);
SYS_BLOCK_SHOW(uevent, uevent_text);

static const struct synthetic_named disk_names[] = {
	{ "alignment_offset", &sys_block_file, &zero },
	{ "capability", &sys_block_file, &zero },
	{ "dev", &sys_block_file, &dev },
	{ "discard_alignment", &sys_block_file, &zero },
	{ "diskseq", &sys_block_file, &sequence },
	{ "events", &sys_block_file, &empty },
	{ "events_async", &sys_block_file, &empty },
	{ "events_poll_msecs", &sys_block_file, &minus_one },
	{ "ext_range", &sys_block_file, &extended_range },
	{ "hidden", &sys_block_file, &zero },
	{ "holders", &synthetic_directory, &empty_table },
	{ "inflight", &sys_block_file, &inflight },
	{ "queue", &synthetic_directory, &sys_block_queue_table },
	{ "range", &sys_block_file, &range },
	{ "removable", &sys_block_file, &zero },
	{ "ro", &sys_block_file, &read_only },
	{ "size", &sys_block_file, &size },
	{ "slaves", &synthetic_directory, &empty_table },
	{ "stat", &sys_block_file, &stat },
	{ "subsystem", &subsystem_link, nullptr },
	{ "uevent", &uevent_file, &uevent },
};
static const struct synthetic_named partition_names[] = {
	{ "alignment_offset", &sys_block_file, &zero },
	{ "dev", &sys_block_file, &dev },
	{ "discard_alignment", &sys_block_file, &zero },
	{ "holders", &synthetic_directory, &empty_table },
	{ "inflight", &sys_block_file, &inflight },
	{ "partition", &sys_block_file, &partition },
	{ "ro", &sys_block_file, &read_only },
	{ "size", &sys_block_file, &size },
	{ "start", &sys_block_file, &start },
	{ "stat", &sys_block_file, &stat },
	{ "subsystem", &subsystem_link, nullptr },
	{ "uevent", &uevent_file, &uevent },
};
static const struct synthetic_table disk_table = SYNTHETIC_TABLE(disk_names);
static const struct synthetic_table partition_table = SYNTHETIC_TABLE(partition_names);

/* --- directories --- */

/* Finds a device by its place in the list, or by name, among those that a directory shows. */
struct search {
	bool disks, partitions;
	const struct block_device *of; /* partitions of this disk only; null: of any */
	const char *name;	       /* null: any */
	u64 skip;
	char *found_name; /* NAME_MAX + 1 bytes, or null */
	u64 number;
	bool found, is_partition;
};

static bool visit(struct block_device *d, void *arg)
{
	struct search *s = arg;
	bool is_partition = block_device_partition(d);

	if (is_partition ? !s->partitions : !s->disks)
		return true;
	if ((s->of && block_device_whole(d) != s->of) ||
	    (s->name && strcmp(s->name, block_device_name(d)) != 0))
		return true;
	if (s->skip) {
		s->skip--;
		return true;
	}
	s->found = true;
	s->is_partition = is_partition;
	s->number = block_device_number(d);
	if (s->found_name)
		(void)string_copy(s->found_name, block_device_name(d), NAME_MAX + 1);
	return false;
}

static const struct synthetic_type disk_directory;

static void directory_node(const struct search *s, struct synthetic_node *out)
{
	*out = (struct synthetic_node){ .type = &disk_directory,
					.data = s->is_partition ? &partition_table : &disk_table,
					.key = { [KEY_NUMBER] = s->number } };
}

/* What a driver tells of its disk, in a directory named for it. */
static const struct block_driver_ops *driver_of(struct block_device *device)
{
	const struct block_driver_ops *ops = block_disk_ops(device);

	return ops->attributes && !block_device_partition(device) && ops->has_attributes(device)
		       ? ops
		       : nullptr;
}

static int driver_show(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct block_attribute *a = node->data;
	struct block_device *device;
	char *text = text_reserve(out, PATH_MAX);
	int error = text ? device_of(node, &device) : -ENOMEM;

	if (error)
		return error;
	error = a->text(device, text, PATH_MAX);
	block_device_put(device);
	if (error >= 0)
		out->size += (size_t)error;
	return MIN(error, 0);
}

static const struct synthetic_type driver_file = { .mode = S_IFREG | 0444,
						   .show = driver_show,
						   .valid = is_there };

static bool driver_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			struct synthetic_node *out)
{
	const struct block_attribute *a = (const struct block_attribute *)dir->data + *cursor;

	if (!a->name)
		return false;
	++*cursor;
	(void)string_copy(name, a->name, NAME_MAX + 1);
	*out = (struct synthetic_node){ .type = &driver_file,
					.data = a,
					.key = { [KEY_NUMBER] = dir->key[KEY_NUMBER] } };
	return true;
}

static int driver_lookup(const struct synthetic_node *dir, const char *name,
			 struct synthetic_node *out)
{
	for (const struct block_attribute *a = dir->data; a->name; a++) {
		if (strcmp(a->name, name) != 0)
			continue;
		*out = (struct synthetic_node){ .type = &driver_file,
						.data = a,
						.key = { [KEY_NUMBER] = dir->key[KEY_NUMBER] } };
		return 0;
	}
	return -ENOENT;
}

static bool has_driver_directory(const struct synthetic_node *node)
{
	struct block_device *device;
	bool has;

	if (device_of(node, &device))
		return false;
	has = driver_of(device);
	block_device_put(device);
	return has;
}

static const struct synthetic_type driver_directory = { .mode = S_IFDIR | 0755,
							.lookup = driver_lookup,
							.next = driver_next,
							.valid = has_driver_directory };

static bool driver_node(struct block_device *device, struct synthetic_node *out)
{
	const struct block_driver_ops *ops = driver_of(device);

	if (!ops)
		return false;
	*out = (struct synthetic_node){ .type = &driver_directory,
					.data = ops->attributes,
					.key = { [KEY_NUMBER] = block_device_number(device) } };
	return true;
}

/* What is fixed, then the partitions, of which a partition has none. */
static int disk_lookup(const struct synthetic_node *dir, const char *name,
		       struct synthetic_node *out)
{
	struct search s = { .partitions = true, .name = name };
	struct block_device *device;
	int result = synthetic_table_lookup(dir, name, out);

	if (!result || device_of(dir, &device))
		return result;
	s.of = device;
	if (!block_device_partition(device))
		block_for_each(visit, &s);
	bool driver = !s.found && strcmp(block_disk_ops(device)->name, name) == 0 &&
		      driver_node(device, out);
	block_device_put(device);
	if (driver)
		return 0;
	if (!s.found)
		return -ENOENT;
	directory_node(&s, out);
	return 0;
}

static bool disk_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		      struct synthetic_node *out)
{
	const struct synthetic_table *table = dir->data;
	struct search s = { .partitions = true, .found_name = name };
	struct block_device *device;

	if (*cursor < table->count)
		return synthetic_table_next(dir, cursor, name, out);
	if (device_of(dir, &device))
		return false;
	s.of = device;
	if (*cursor == table->count) {
		++*cursor;
		if (driver_node(device, out)) {
			(void)string_copy(name, block_disk_ops(device)->name, NAME_MAX + 1);
			block_device_put(device);
			return true;
		}
	}
	s.skip = *cursor - table->count - 1;
	if (!block_device_partition(device))
		block_for_each(visit, &s);
	block_device_put(device);
	if (!s.found)
		return false;
	++*cursor;
	directory_node(&s, out);
	return true;
}

static const struct synthetic_type disk_directory = {
	.mode = S_IFDIR | 0755, .lookup = disk_lookup, .next = disk_next, .valid = is_there
};

/* A link's node has in `data` the way from its directory to the root of /sys. */
static int device_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	char way[BLOCK_SYS_PATH_MAX], buf[BLOCK_SYS_PATH_MAX + 8];
	struct block_device *device;
	int error = device_of(node, &device);

	if (error)
		return error;
	(void)block_device_sys_path(device, way);
	block_device_put(device);
	(void)snprintf(buf, sizeof(buf), "%s%s", (const char *)node->data, way);
	*text = kstrdup(buf, 0);
	return *text ? 0 : -ENOMEM;
}

static const struct synthetic_type device_link = { .mode = S_IFLNK | 0777,
						   .read_link = device_read_link,
						   .valid = is_there };

static void child_node(const struct synthetic_node *dir, const struct search *s,
		       struct synthetic_node *out)
{
	if (dir->type == &sys_block_devices_directory)
		directory_node(s, out);
	else
		*out = (struct synthetic_node){ .type = &device_link,
						.data = dir->type == &sys_block_directory ? ".."
											  : "../..",
						.key = { [KEY_NUMBER] = s->number } };
}

static int list_lookup(const struct synthetic_node *dir, const char *name,
		       struct synthetic_node *out)
{
	struct search s = { .disks = true,
			    .partitions = dir->type == &sys_block_class_directory,
			    .name = name };

	block_for_each(visit, &s);
	if (!s.found)
		return -ENOENT;
	child_node(dir, &s, out);
	return 0;
}

static bool list_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		      struct synthetic_node *out)
{
	struct search s = { .disks = true,
			    .partitions = dir->type != &sys_block_directory &&
					  dir->type != &sys_block_devices_directory,
			    .skip = *cursor,
			    .found_name = name };

	block_for_each(visit, &s);
	if (!s.found)
		return false;
	++*cursor;
	child_node(dir, &s, out);
	if (dir->type == &sys_block_numbers_directory)
		(void)snprintf(name, NAME_MAX + 1, "%u:%u", device_major(s.number),
			       device_minor(s.number));
	return true;
}

static int numbers_lookup(const struct synthetic_node *dir, const char *name,
			  struct synthetic_node *out)
{
	struct search s = {};
	struct block_device *device;

	if (sys_parse_device_number(name, &s.number) || block_device_find(s.number, &device))
		return -ENOENT;
	block_device_put(device);
	child_node(dir, &s, out);
	return 0;
}

#define LIST_TYPE { .mode = S_IFDIR | 0755, .lookup = list_lookup, .next = list_next }
const struct synthetic_type sys_block_directory = LIST_TYPE;
const struct synthetic_type sys_block_class_directory = LIST_TYPE;
const struct synthetic_type sys_block_devices_directory = LIST_TYPE;
const struct synthetic_type sys_block_numbers_directory = { .mode = S_IFDIR | 0755,
							    .lookup = numbers_lookup,
							    .next = list_next };
