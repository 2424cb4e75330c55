/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root file system on a disk: root=, rootfstype=, rootflags=, ro, rw, rootwait, rootdelay=.
 *
 * The first process mounts devtmpfs in the empty first file system to have names of disks, the disk beside it, moves that on
 * top of everything, as switch_root(8) does, and mounts devtmpfs there again.
 */
#include <fs/root/root.h>

#include <block/block.h>
#include <core/command_line.h>
#include <core/log.h>
#include <core/panic.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <proc/task.h>
#include <sched/thread.h>
#include <vfs/vfs.h>

#include <linux/fcntl.h>
#include <linux/mount.h>

#define POLL_NS (50 * NSEC_PER_MSEC)
#define NEW_ROOT "/root"

static const char *root_device, *root_types, *root_flags;
static bool root_writable, root_wait;
static u64 root_delay_seconds;

static int set_device(const char *value)
{
	root_device = value;
	return 0;
}
static int set_types(const char *value)
{
	root_types = value;
	return 0;
}
static int set_flags(const char *value)
{
	root_flags = value;
	return 0;
}
static int set_read_only(const char *value)
{
	root_writable = false;
	return 0;
}
static int set_writable(const char *value)
{
	root_writable = true;
	return 0;
}
static int set_wait(const char *value)
{
	root_wait = true;
	return 0;
}
static int set_delay(const char *value)
{
	return parse_u64(value, 10, &root_delay_seconds) ? -EINVAL : 0;
}
KERNEL_PARAMETER("root=", set_device);
KERNEL_PARAMETER("rootfstype=", set_types);
KERNEL_PARAMETER("rootflags=", set_flags);
KERNEL_PARAMETER("ro", set_read_only);
KERNEL_PARAMETER("rw", set_writable);
KERNEL_PARAMETER("rootwait", set_wait);
KERNEL_PARAMETER("rootdelay=", set_delay);

/* The path in /dev of what root= names; waits for it with rootwait. -ENODEV. */
static int find_device(char *path, size_t size)
{
	struct block_device *device;
	int error;

	thread_sleep_ns(root_delay_seconds * NSEC_PER_SEC);
	while ((error = block_device_find_name(root_device, &device)) && root_wait)
		thread_sleep_ns(POLL_NS);
	if (error)
		return error;
	(void)snprintf(path, size, "/dev/%s", block_device_name(device));
	block_device_put(device);
	return 0;
}

/* Tries the types of a list separated by commas, or every type that needs a device. The last error, or 0. */
static int mount_device(const char *path)
{
	u64 flags = root_writable ? 0 : MS_RDONLY;
	const char *list = root_types;
	char type[32];
	int error = -ENODEV;

	while (list && *list) {
		size_t length = 0;

		while (list[length] && list[length] != ',')
			length++;
		if (length && length < sizeof(type)) {
			memcpy(type, list, length);
			type[length] = 0;
			error = vfs_mount(path, NEW_ROOT, type, flags, root_flags);
			if (!error)
				return 0;
		}
		list += length + (list[length] == ',');
	}
	if (root_types)
		return error;
	for (struct file_system_type *t = file_system_first(); t && error; t = t->next) {
		if (!t->needs_device)
			continue;
		int tried = vfs_mount(path, NEW_ROOT, t->name, flags, root_flags);
		/* The most telling refusal is that of a type that knew what it saw. */
		if (!tried || error == -ENODEV || error == -EINVAL)
			error = tried;
	}
	return error;
}

/* Makes what is mounted on NEW_ROOT the root of everything. */
static int switch_to_new_root(void)
{
	struct path root;
	int error = path_lookup(AT_FDCWD, NEW_ROOT, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &root);

	if (error)
		return error;
	error = vfs_mount(NEW_ROOT, "/", nullptr, MS_MOVE, nullptr);
	if (!error) {
		fs_context_set_root(current_fs(), &root);
		fs_context_set_working_directory(current_fs(), &root);
	}
	path_put(&root);
	return error;
}

[[noreturn]] static void give_up(int error)
{
	struct block_device *device;

	if (!root_device || !*root_device)
		panic("VFS: Unable to mount root fs \"\": no init in the initramfs, and no root=");
	if (block_device_find_name(root_device, &device))
		panic("VFS: Unable to mount root fs \"%s\": there is no such disk", root_device);
	panic("VFS: Unable to mount root fs \"%s\": error %d", root_device, error);
}

static void mount_root(void)
{
	char path[40];
	int error = -ENODEV;

	if (!root_device || !*root_device)
		give_up(error);
	(void)vfs_mkdir(AT_FDCWD, "/dev", 0755);
	(void)vfs_mkdir(AT_FDCWD, NEW_ROOT, 0700);
	error = vfs_mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
	if (!error)
		error = find_device(path, sizeof(path));
	if (!error)
		error = mount_device(path);
	if (!error)
		error = switch_to_new_root();
	if (error)
		give_up(error);
	log_info("VFS: Mounted root (%s) %s.", root_device,
		 root_writable ? "for writing" : "readonly");
	error = vfs_mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
	if (error)
		log_warning("devtmpfs: cannot mount on /dev of the root file system: error %d",
			    -error);
}

void root_init(void)
{
	proc_hooks.mount_root = mount_root;
}
