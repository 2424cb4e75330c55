/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that drivers registered: found by number at open, shown in /dev and /sys. */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <vfs/devices.h>

static struct mutex devices_lock;
static struct list_head devices = LIST_INIT(devices);
static const struct device_listener *listener;

void devices_init(void)
{
	mutex_init(&devices_lock, RANK_DEVICE_LIST);
}

/* The listener takes locks of inodes, under which others look into the list: it is called without ours. */
const char *device_node_base_name(const struct device_node *node)
{
	const char *slash = strrchr(node->name, '/');

	return slash ? slash + 1 : node->name;
}

void device_register(struct device_node *node)
{
	mutex_lock(&devices_lock);
	list_add_tail(&devices, &node->node);
	mutex_unlock(&devices_lock);
	if (listener)
		listener->added(node);
}

void device_unregister(struct device_node *node)
{
	mutex_lock(&devices_lock);
	list_remove(&node->node);
	mutex_unlock(&devices_lock);
	if (listener)
		listener->removed(node);
}

typedef int (*open_function)(struct inode *inode, struct file *file);

static open_function find_open(u32 mode, u64 device)
{
	struct device_node *d;

	mutex_guard(&devices_lock);
	list_for_each (d, &devices, node) {
		u32 first = device_minor(d->device), count = d->minors ? d->minors : 1;

		if (device_major(device) == device_major(d->device) &&
		    device_minor(device) >= first && device_minor(device) - first < count &&
		    S_ISBLK(d->mode) == S_ISBLK(mode))
			return d->open;
	}
	return nullptr;
}

/* The node may go once the lock is released; what it calls looks for itself. */
int device_node_open(struct inode *inode, struct file *file)
{
	open_function open = find_open(inode->mode, inode->device_number);

	return open ? open(inode, file) : -ENXIO;
}

void device_for_each(bool (*visit)(struct device_node *node, void *arg), void *arg)
{
	struct device_node *d;

	mutex_guard(&devices_lock);
	list_for_each (d, &devices, node) {
		if (!visit(d, arg))
			break;
	}
}

void device_listen(const struct device_listener *new_listener)
{
	struct device_node *d;

	ASSERT(!listener);
	listener = new_listener;
	/* Without the lock: at boot nobody else is there. */
	list_for_each (d, &devices, node)
		listener->added(d);
}
