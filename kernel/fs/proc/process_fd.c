/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/<pid>/fd and fdinfo: the open files of a process. */
#include <fs/proc/proc_mount.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/inspect.h>

#include <linux/fcntl.h>

static int node_pool(const struct synthetic_node *node, struct pool **out)
{
	struct task *task;
	int err = proc_node_task(node, &task);
	if (err)
		return err;
	*out = task_pool_get(task);
	task_put(task);
	return *out ? 0 : -ENOENT;
}

static int node_handle(const struct synthetic_node *node, struct handle *out)
{
	struct pool *pool;
	int err = node_pool(node, &pool);
	if (err)
		return err;
	err = handle_get_copy(pool, (int)node->key[KEY_EXTRA], out);
	object_put(&pool->object);
	return err ? -ENOENT : 0;
}

static bool fd_valid(const struct synthetic_node *node)
{
	struct handle handle;
	if (node_handle(node, &handle))
		return false;
	handle_copy_put(&handle);
	return true;
}

/* The link's permissions tell how the file was opened. */
static void fd_attributes(const struct synthetic_node *node, struct inode *inode)
{
	struct handle handle;
	proc_node_attributes(node, inode);
	if (node_handle(node, &handle))
		return;
	u32 mode = 0;
	if (handle.rights & RIGHT_READ)
		mode |= 0500;
	if (handle.rights & RIGHT_WRITE)
		mode |= 0300;
	inode->mode = S_IFLNK | mode;
	handle_copy_put(&handle);
}

static int fd_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	struct handle handle;
	int err = proc_node_permission(node, 0);
	if (!err)
		err = node_handle(node, &handle);
	if (err)
		return err;
	if (handle.object->type == &file_type) {
		err = file_path(file_of(handle.object), path);
	} else {
		char name[64];
		(void)snprintf(name, sizeof(name), "object:[%s]", handle.object->type->name);
		*text = kstrdup(name, 0);
		err = *text ? 0 : -ENOMEM;
	}
	handle_copy_put(&handle);
	return err;
}

static const struct synthetic_type fd_link = {
	.mode = S_IFLNK | 0700,
	.read_link = fd_read_link,
	.valid = fd_valid,
	.attributes = fd_attributes,
};

static int fdinfo_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct handle handle;
	int err = node_handle(node, &handle);
	if (err)
		return err;
	if (handle.object->type == &file_type) {
		struct file *file = file_of(handle.object);
		u32 flags = file->flags | (handle.flags & HANDLE_CLOEXEC ? (u32)O_CLOEXEC : 0);
		text_printf(out, "pos:\t%llu\nflags:\t0%o\nmnt_id:\t%d\nino:\t%llu\n",
			    (unsigned long long)file->offset, flags,
			    file->mount ? file->mount->id : 0,
			    (unsigned long long)file->inode->number);
		char *more = text_reserve(out, 1024);
		if (more)
			out->size += (size_t)file->ops->describe(file, proc_mount_of(node)->ns,
								 more, 1024);
	} else {
		text_printf(out, "type:\t%s\nrights:\t%x\nbadge:\t%llu\n",
			    handle.object->type->name, handle.rights,
			    (unsigned long long)handle.badge);
	}
	handle_copy_put(&handle);
	return 0;
}

static const struct synthetic_type fdinfo_file = {
	.mode = S_IFREG | 0444,
	.show = fdinfo_show,
	.valid = fd_valid,
	.attributes = proc_node_attributes,
};

static const struct synthetic_type *child_type(const struct synthetic_node *dir)
{
	return dir->type == &proc_fd_directory ? &fd_link : &fdinfo_file;
}

static int fd_lookup(const struct synthetic_node *dir, const char *name, struct synthetic_node *out)
{
	u64 fd;
	if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1]) ||
	    parse_u64(name, 10, &fd) || fd > INT32_MAX)
		return -ENOENT;
	*out = *dir;
	out->type = child_type(dir);
	out->key[KEY_EXTRA] = fd;
	return fd_valid(out) ? 0 : -ENOENT;
}

static bool fd_next(const struct synthetic_node *dir, u64 *cursor, char *name,
		    struct synthetic_node *out)
{
	struct pool *pool;
	if (node_pool(dir, &pool))
		return false;
	int fd = pool_next(pool, (int)*cursor);
	object_put(&pool->object);
	if (fd < 0)
		return false;
	*cursor = (u64)fd + 1;
	(void)snprintf(name, NAME_MAX + 1, "%d", fd);
	*out = *dir;
	out->type = child_type(dir);
	out->key[KEY_EXTRA] = (u64)fd;
	return true;
}

const struct synthetic_type proc_fd_directory = {
	.mode = S_IFDIR | 0500,
	.lookup = fd_lookup,
	.next = fd_next,
	.valid = proc_node_valid,
	.attributes = proc_node_attributes,
	.permission = proc_node_permission,
};

const struct synthetic_type proc_fdinfo_directory = {
	.mode = S_IFDIR | 0555,
	.lookup = fd_lookup,
	.next = fd_next,
	.valid = proc_node_valid,
	.attributes = proc_node_attributes,
	.permission = proc_node_permission,
};
