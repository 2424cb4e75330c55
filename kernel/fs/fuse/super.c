/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounting a server's file system. Options, as mount.fuse(8): fd=N (an open /dev/fuse, or the sending handle of a channel),
 * rootmode=, user_id=, group_id=, allow_other, default_permissions, max_read=, blksize= (of fuseblk).
 */
#include <fs/fuse/fuse.h>
#include <fs/fuse/fuse_priv.h>
#include <ipc/channel.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/task.h>

#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/mount.h>

#define MAX_WRITE_DEVICE (32u * PAGE_SIZE) /* as Linux without FUSE_MAX_PAGES */
#define MAX_WRITE_CHANNEL (8u * PAGE_SIZE) /* a request is one message */
#define WANTED_FLAGS                                                                               \
	(FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_PARALLEL_DIROPS | FUSE_DO_READDIRPLUS |          \
	 FUSE_READDIRPLUS_AUTO)

/* --- INIT --- */

void fuse_init_answered(struct fuse_connection *c, struct fuse_request *r)
{
	const struct fuse_init_out *out = (const void *)r->out;
	u32 limit = c->channel ? MAX_WRITE_CHANNEL : MAX_WRITE_DEVICE;

	/* Older servers answer with less; 7.12, of 2009, is the oldest whose structures are these. */
	c->failed = r->error || r->out_size < FUSE_COMPAT_22_INIT_OUT_SIZE ||
		    out->major != FUSE_KERNEL_VERSION || out->minor < 12;
	if (!c->failed) {
		c->minor = out->minor;
		c->flags = out->flags & WANTED_FLAGS;
		c->max_write = MIN(MAX(out->max_write, (u32)PAGE_SIZE), limit);
		c->max_read =
			MIN(c->options.max_read ? MAX(c->options.max_read, (u32)PAGE_SIZE) : limit,
			    limit);
	}
	__atomic_store_n(&c->initialised, true, __ATOMIC_RELEASE);
	wake_up(&c->init_waiters, 0);
}

static int send_init(struct fuse_connection *c)
{
	struct fuse_init_in *in;
	struct fuse_request *r;
	int error =
		fuse_request_create(c, FUSE_INIT, 0, sizeof(*in), sizeof(struct fuse_init_out), &r);

	if (error)
		return error;
	in = fuse_arguments(r);
	*in = (struct fuse_init_in){ .major = FUSE_KERNEL_VERSION,
				     .minor = FUSE_KERNEL_MINOR_VERSION,
				     .max_readahead = READ_AHEAD_PAGES * PAGE_SIZE,
				     .flags = WANTED_FLAGS };
	fuse_send_init(c, r);
	return 0;
}

/* --- options --- */

struct mount_options {
	struct fuse_options fuse;
	int fd;
	bool has_fd, has_mode, has_user, has_group;
};

static int parse_option(struct mount_options *o, const char *name, const char *value)
{
	u64 n = 0;
	bool octal = strcmp(name, "rootmode") == 0;

	if (strcmp(name, "allow_other") == 0 || strcmp(name, "default_permissions") == 0) {
		*(name[0] == 'a' ? &o->fuse.allow_other : &o->fuse.default_permissions) = true;
		return value ? -EINVAL : 0;
	}
	if (strcmp(name, "subtype") == 0)
		return 0;
	if (!value || parse_u64(value, octal ? 8 : 10, &n) || n > INT32_MAX)
		return -EINVAL;
	if (strcmp(name, "fd") == 0) {
		o->fd = (int)n;
		o->has_fd = true;
	} else if (octal) {
		o->fuse.root_mode = (u32)n;
		o->has_mode = S_ISDIR(n);
	} else if (strcmp(name, "user_id") == 0) {
		o->fuse.uid = (u32)n;
		o->has_user = true;
	} else if (strcmp(name, "group_id") == 0) {
		o->fuse.gid = (u32)n;
		o->has_group = true;
	} else if (strcmp(name, "max_read") == 0) {
		o->fuse.max_read = (u32)n;
	} else if (strcmp(name, "blksize") != 0) {
		return -EINVAL;
	}
	return 0;
}

static int parse_options(struct mount_options *o, const char *data)
{
	char *copy = data ? kstrdup(data, 0) : nullptr;
	int result = 0;

	if (!data)
		return -EINVAL;
	if (!copy)
		return -ENOMEM;
	for (char *p = copy; p && !result;) {
		char *next = strchr(p, ','), *value;

		if (next)
			*next++ = 0;
		value = strchr(p, '=');
		if (value)
			*value++ = 0;
		if (*p)
			result = parse_option(o, p, value);
		p = next;
	}
	kfree(copy);
	if (!result && !(o->has_fd && o->has_mode && o->has_user && o->has_group))
		result = -EINVAL;
	return result;
}

static size_t show_options(struct superblock *sb, char *buf, size_t size)
{
	const struct fuse_options *o = &((struct fuse_connection *)sb->private)->options;
	size_t n = (size_t)scnprintf(buf, size, ",user_id=%u,group_id=%u", o->uid, o->gid);

	if (o->default_permissions)
		n += (size_t)scnprintf(buf + n, size - n, ",default_permissions");
	if (o->allow_other)
		n += (size_t)scnprintf(buf + n, size - n, ",allow_other");
	if (o->max_read)
		n += (size_t)scnprintf(buf + n, size - n, ",max_read=%u", o->max_read);
	return n;
}

/* --- the superblock --- */

static int statfs(struct superblock *sb, struct statfs_info *out)
{
	struct fuse_statfs_out answer;
	const struct fuse_call call = { .opcode = FUSE_STATFS,
					.nodeid = FUSE_ROOT_ID,
					.out = &answer,
					.out_size = sizeof(answer) };
	int error = fuse_call(sb->private, &call);

	if (error)
		return error;
	*out = (struct statfs_info){
		.type = sb->magic,
		.block_size = answer.st.bsize,
		.blocks = answer.st.blocks,
		.blocks_free = answer.st.bfree,
		.blocks_available = answer.st.bavail,
		.files = answer.st.files,
		.files_free = answer.st.ffree,
		.name_max = answer.st.namelen,
	};
	return 0;
}

/* The server finds its device or channel hung up. */
static void destroy(struct superblock *sb)
{
	struct fuse_connection *c = sb->private;

	fuse_abort(c);
	fuse_connection_put(c);
}

static const struct superblock_ops superblock_ops = {
	.statfs = statfs,
	.show_options = show_options,
	.destroy = destroy,
};

/* fd=: an open /dev/fuse or the sending end of a channel. The connection with a reference. */
static int connection_of_handle(int fd, struct fuse_connection **out)
{
	struct task *task = current_task();
	struct handle copy;
	struct file *file;
	int error;

	if (!task || handle_get_copy(task->pool, fd, &copy))
		return -EINVAL;
	if (copy.object->type == &channel_sender_type && copy.rights & RIGHT_WRITE) {
		error = fuse_connection_create(out);
		if (!error) {
			/* The copy's reference becomes that of the connection's handle. */
			__atomic_fetch_add(&copy.object->handles, 1, __ATOMIC_RELAXED);
			(*out)->channel_handle = copy;
			(*out)->channel = copy.object;
			return 0;
		}
	} else {
		error = copy.object->type == &file_type ? 0 : -EINVAL;
		file = file_of(copy.object);
		if (!error)
			error = fuse_device_connection(file, out);
	}
	handle_copy_put(&copy);
	return error;
}

static int make_root(struct superblock *sb, const struct fuse_options *options)
{
	struct fuse_entry_out entry = {
		.nodeid = FUSE_ROOT_ID,
		.attr = { .ino = FUSE_ROOT_ID, .mode = options->root_mode, .nlink = 1 }
	};
	struct inode *root;
	int error = fuse_inode_get(sb, &entry, &root);

	if (error)
		return error;
	error = superblock_set_root(sb, root);
	if (error)
		inode_put(root);
	return error;
}

static int mount_fuse(const struct file_system_type *type, const char *source, u32 flags,
		      const char *data, struct superblock **out)
{
	struct mount_options o = {};
	struct fuse_connection *c;
	struct superblock *sb;
	int error = parse_options(&o, data);

	if (!error)
		error = connection_of_handle(o.fd, &c);
	if (error)
		return error;
	if (__atomic_exchange_n(&c->mounted, true, __ATOMIC_ACQ_REL)) {
		fuse_connection_put(c);
		return -EINVAL;
	}
	c->options = o.fuse;
	error = superblock_create(type, &superblock_ops, FUSE_SUPER_MAGIC, &sb);
	if (error) {
		fuse_connection_put(c);
		return error;
	}
	sb->private = c; /* the reference moves in */
	sb->keeps_doubtful_names = true;
	error = make_root(sb, &o.fuse);
	if (!error)
		error = send_init(c);
	if (error) {
		superblock_put(sb);
		return error;
	}
	*out = sb;
	return 0;
}

static struct file_system_type fuse_type = {
	.name = "fuse", .user_visible = true, .has_subtypes = true, .mount = mount_fuse
};
static struct file_system_type fuseblk_type = { .name = "fuseblk",
						.user_visible = true,
						.has_subtypes = true,
						.needs_device = true,
						.mount = mount_fuse };

void fuse_init(void)
{
	file_system_register(&fuse_type);
	file_system_register(&fuseblk_type);
	fuse_device_init();
}
