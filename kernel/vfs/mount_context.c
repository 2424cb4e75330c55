/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mount in preparation: fsopen(2), fsconfig(2), fsmount(2), fspick(2). The parameters are gathered into the text that mount(2) would have
 * been given, so file systems know one form only; a file system that can tells at once what is wrong with a parameter. What it says is read
 * from the context.
 */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/inode.h>
#include <vfs/mount_handle.h>
#include <vfs/mount_priv.h>

#include <linux/fcntl.h>
#include <linux/mount.h>

#define MESSAGE_SIZE 128

enum context_phase {
	PHASE_CREATE,	   /* parameters, then make */
	PHASE_MOUNT,	   /* made, to be mounted */
	PHASE_RECONFIGURE, /* parameters, then reconfigure */
	PHASE_FAILED,
};

struct mount_context {
	struct mutex lock;
	enum context_phase phase;
	struct file_system_type *type;
	struct superblock *superblock; /* holds a reference; null until it is made */
	char *source;		       /* allocated, or null */
	u32 flags, flags_known;	       /* MS_* of the superblock, and which were given */
	size_t length;
	char message[MESSAGE_SIZE]; /* the last one that was not read; empty: none */
	char data[PAGE_SIZE];	    /* "key=value,flag", terminated */
};

static ssize_t context_read(struct file *file, struct iter *it, u64 *offset)
{
	struct mount_context *context = file->private;

	mutex_guard(&context->lock);
	size_t length = strlen(context->message);

	if (!length)
		return -ENODATA;
	if (length > it->remaining)
		return -EMSGSIZE;
	if (iter_copy_to(it, context->message, length) != length)
		return -EFAULT;
	context->message[0] = '\0';
	return (ssize_t)length;
}

static void context_destroy(struct file *file)
{
	struct mount_context *context = file->private;

	if (context->superblock)
		superblock_put(context->superblock);
	kfree(context->source);
	kfree(context);
}

static const struct file_ops context_ops = {
	FILE_OPS_DEFAULTS,
	.read = context_read,
	.destroy = context_destroy,
};

bool mount_context_is(const struct file *file)
{
	return file->ops == &context_ops;
}

static int open_context(struct mount_context *context, struct file **out)
{
	struct inode *inode;
	int err = inode_create_anonymous("anon_inode:[fscontext]", 0600, &inode);

	if (err)
		return err;
	err = file_create(&context_ops, O_RDWR, FILE_MODE_STREAM, inode, context, out);
	inode_put(inode);
	return err;
}

static struct mount_context *create(struct file_system_type *type, enum context_phase phase)
{
	struct mount_context *context = kzalloc(sizeof(*context), 0);

	if (!context)
		return nullptr;
	mutex_init(&context->lock, RANK_MOUNT_CONTEXT);
	context->type = type;
	context->phase = phase;
	return context;
}

int mount_context_create(const char *name, struct file **out)
{
	struct file_system_type *type = file_system_find(name);
	struct mount_context *context;
	int err;

	if (!type)
		return -ENODEV;
	context = create(type, PHASE_CREATE);
	if (!context)
		return -ENOMEM;
	err = open_context(context, out);
	if (err)
		kfree(context);
	return err;
}

int mount_context_pick(const struct path *path, struct file **out)
{
	struct mount_context *context;
	int err;

	if (path->dentry != path->mount->root || path->mount->internal)
		return -EINVAL;
	context = create(nullptr, PHASE_RECONFIGURE);
	if (!context)
		return -ENOMEM;
	superblock_get(path->mount->superblock);
	context->superblock = path->mount->superblock;
	err = open_context(context, out);
	if (err) {
		superblock_put(context->superblock);
		kfree(context);
	}
	return err;
}

/* Parameters that every file system has. True: it was one. */
static bool set_flag(struct mount_context *context, const char *key)
{
	static const struct {
		const char *key;
		u32 flag;
		bool set;
	} names[] = {
		{ "ro", MS_RDONLY, true },
		{ "rw", MS_RDONLY, false },
		{ "sync", MS_SYNCHRONOUS, true },
		{ "async", MS_SYNCHRONOUS, false },
		{ "dirsync", MS_DIRSYNC, true },
		{ "lazytime", MS_LAZYTIME, true },
		{ "nolazytime", MS_LAZYTIME, false },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i].key, key) != 0)
			continue;
		context->flags &= ~names[i].flag;
		context->flags |= names[i].set ? names[i].flag : 0;
		context->flags_known |= names[i].flag;
		return true;
	}
	return false;
}

static int set_source(struct mount_context *context, const char *text)
{
	if (!text || context->source)
		return -EINVAL;
	context->source = kstrdup(text, 0);
	return context->source ? 0 : -ENOMEM;
}

static int append(struct mount_context *context, const char *key, const char *text)
{
	size_t space = sizeof(context->data) - context->length;
	int length = snprintf(context->data + context->length, space, "%s%s%s%s",
			      context->length ? "," : "", key, text ? "=" : "", text ? text : "");

	if (strchr(key, ',') || (text && strchr(text, ',')) || (size_t)length >= space) {
		context->data[context->length] = '\0';
		return -EINVAL;
	}
	context->length += (size_t)length;
	return 0;
}

/* What the file system says of a parameter at once. */
static int check(struct mount_context *context, const char *key, const char *text)
{
	const struct file_system_type *type =
		context->superblock ? context->superblock->type : context->type;
	int err = type->check_option ? type->check_option(key, text) : 0;

	if (!err)
		return 0;
	(void)snprintf(context->message, sizeof(context->message),
		       err == -ENOENT ? "e %s: Unknown parameter '%s'" : "e %s: Bad value for '%s'",
		       type->name, key);
	return -EINVAL;
}

int mount_context_set(struct file *file, const char *key, const char *text)
{
	struct mount_context *context = file->private;
	int err;

	mutex_guard(&context->lock);
	if (context->phase != PHASE_CREATE && context->phase != PHASE_RECONFIGURE)
		return -EBUSY;
	if (set_flag(context, key))
		return 0;
	if (strcmp(key, "source") == 0)
		return set_source(context, text);
	err = check(context, key, text);
	return err ? err : append(context, key, text);
}

static void forget_parameters(struct mount_context *context)
{
	context->length = 0;
	context->data[0] = '\0';
	context->flags = context->flags_known = 0;
}

int mount_context_make(struct file *file)
{
	struct mount_context *context = file->private;
	int err;

	mutex_guard(&context->lock);
	if (context->phase != PHASE_CREATE)
		return -EBUSY;
	err = file_system_make(context->type, context->source, context->flags,
			       context->length ? context->data : nullptr, &context->superblock);
	context->phase = err ? PHASE_FAILED : PHASE_MOUNT;
	forget_parameters(context);
	return err;
}

int mount_context_reconfigure(struct file *file)
{
	struct mount_context *context = file->private;
	u32 flags;
	int err;

	mutex_guard(&context->lock);
	if (context->phase != PHASE_RECONFIGURE)
		return -EBUSY;
	flags = (context->superblock->flags & ~context->flags_known) | context->flags;
	write_lock(&mount_tree_lock);
	err = superblock_reconfigure_locked(context->superblock, flags,
					    context->length ? context->data : nullptr);
	write_unlock(&mount_tree_lock);
	if (err)
		context->phase = PHASE_FAILED;
	forget_parameters(context);
	return err;
}

int mount_context_mount(struct file *file, u32 mount_flags, struct file **out)
{
	struct mount_context *context = file->private;
	struct mount *mount;
	int err;

	mutex_guard(&context->lock);
	if (!context->superblock)
		return -EINVAL;
	if (context->phase != PHASE_MOUNT)
		return -EBUSY;
	err = mount_create(context->superblock, context->superblock->root, mount_flags,
			   context->source, &mount);
	if (err)
		return err;
	err = mount_open_detached(mount, out);
	if (err)
		mount_put(mount);
	else
		context->phase = PHASE_RECONFIGURE;
	return err;
}
