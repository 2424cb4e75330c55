/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What udev is told of block devices: uevents with the variables that its rules read. */
#include <block/block_file.h>
#include <block/block_priv.h>
#include <lib/format.h>
#include <net/netlink/uevent.h>
#include <obj/inode.h>

int block_device_sys_path(struct block_device *device, char path[BLOCK_SYS_PATH_MAX])
{
	const char *disk = device->disk->whole->name;
	bool part = device->partition;

	return scnprintf(path, BLOCK_SYS_PATH_MAX, "/devices/virtual/block/%s%s%s", disk,
			 part ? "/" : "", part ? device->name : "");
}

struct variables {
	const char *pairs[18];
	unsigned count;
};

static void variable(struct variables *v, const char *name, const char *value)
{
	v->pairs[v->count++] = name;
	v->pairs[v->count++] = value;
}

void block_device_event(struct block_device *device, const char *action, const char *name,
			const char *value)
{
	char path[BLOCK_SYS_PATH_MAX], major[12], minor[12], sequence[24], partition[12];
	struct variables v = {};

	(void)block_device_sys_path(device, path);
	(void)snprintf(major, sizeof(major), "%u", device_major(device->number));
	(void)snprintf(minor, sizeof(minor), "%u", device_minor(device->number));
	(void)snprintf(sequence, sizeof(sequence), "%llu",
		       (unsigned long long)block_device_sequence(device));
	(void)snprintf(partition, sizeof(partition), "%u", device->partition);
	if (name)
		variable(&v, name, value);
	variable(&v, "MAJOR", major);
	variable(&v, "MINOR", minor);
	variable(&v, "DEVNAME", device->name);
	variable(&v, "DEVTYPE", device->partition ? "partition" : "disk");
	variable(&v, "DISKSEQ", sequence);
	if (device->partition)
		variable(&v, "PARTN", partition);
	if (device->label[0])
		variable(&v, "PARTNAME", device->label);
	uevent_emit(action, path, "block", v.pairs);
}
