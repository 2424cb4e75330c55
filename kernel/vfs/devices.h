/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of devices, for those who show it. */
#pragma once

#include <vfs/vfs.h>

/* Told of every device; called without a lock, may sleep. */
struct device_listener {
	void (*added)(struct device_node *node);
	void (*removed)(struct device_node *node);
};
/* Boot: the one listener (devtmpfs); `added` is called for the devices that are there already. */
void device_listen(const struct device_listener *listener);

/* Calls visit for every device in the order of registration until it returns false. */
void device_for_each(bool (*visit)(struct device_node *node, void *arg), void *arg);

/* Boot. */
void devices_init(void);
