/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mqueue file system: one flat directory of queues for each IPC name space, which the name space holds as a mount of its
 * own, so that mq_open works whether or not /dev/mqueue is mounted. Mounting it shows the same directory.
 *
 * Names are a list, newest first, guarded by the directory's lock; queues are few (queues_max).
 */
#include <core/panic.h>
#include <fs/mqueue/mqueue_fs.h>
#include <ipc/sysv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/dcache.h>
#include <vfs/notify.h>
#include <vfs/permission.h>
#include <vfs/walk.h>

#include <linux/fcntl.h>
#include <linux/limits.h>

#define MQUEUE_MAGIC 0x19800202 /* statfs(2) */
#define FILE_SIZE 80		/* what stat(2) tells, as on Linux */
#define ENTRY_SIZE 20

u32 mqueue_queues_max = 256;

struct entry {
	struct list_head node;
	u64 cookie; /* for readdir, descending */
	struct inode *inode;
	u32 length;
	char name[] __counted_by(length);
};

struct queue_inode {
	struct inode inode;
	struct mqueue queue;
};

/* Of a superblock. */
struct directory {
	struct list_head entries; /* guarded by the root inode's lock */
	u64 next_cookie, next_number;
	u32 count;
};

static struct file_system_type mqueue_type;

static struct queue_inode *queue_inode_of(struct inode *inode)
{
	return container_of(inode, struct queue_inode, inode);
}

static struct directory *directory_of(const struct inode *dir)
{
	return dir->superblock->private;
}

static void free_memory(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct inode, rcu));
}

static void free_queue_memory(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct queue_inode, inode.rcu));
}

static void free_root(struct inode *inode)
{
	rcu_call(&inode->rcu, free_memory);
}

static void free_queue(struct inode *inode)
{
	mqueue_destroy(&queue_inode_of(inode)->queue);
	rcu_call(&inode->rcu, free_queue_memory);
}

struct mqueue *mqueue_of_file(struct file *file)
{
	return file->inode->free == free_queue ? &queue_inode_of(file->inode)->queue : nullptr;
}

/* Open files. */

static ssize_t read_status(struct file *file, struct iter *it, u64 *offset)
{
	char text[FILE_SIZE];
	size_t length = mqueue_status(mqueue_of_file(file), text, sizeof(text)), n;

	if (*offset >= length)
		return 0;
	n = iter_copy_to(it, text + *offset, MIN(length - (size_t)*offset, it->remaining));
	if (!n && it->remaining)
		return -EFAULT;
	*offset += n;
	return (ssize_t)n;
}

static u32 file_ready(struct file *file)
{
	return mqueue_ready(mqueue_of_file(file));
}

static int file_flush(struct file *file)
{
	mqueue_flush(mqueue_of_file(file));
	return 0;
}

static const struct file_ops queue_file_ops = {
	FILE_OPS_DEFAULTS,   .read = read_status, .seek = file_seek_generic,
	.ready = file_ready, .flush = file_flush,
};

static int open_queue(struct inode *inode, struct file *file)
{
	file->object.waiters = &queue_inode_of(inode)->queue.waiters;
	return 0;
}

static const struct inode_ops queue_inode_ops = { .open = open_queue };

/* The directory. */

static struct entry *find(struct inode *dir, const struct dentry *d)
{
	struct entry *e;

	list_for_each (e, &directory_of(dir)->entries, node) {
		if (e->length == d->name_length && memcmp(e->name, d->name, e->length) == 0)
			return e;
	}
	return nullptr;
}

static int lookup(struct inode *dir, struct dentry *dentry, struct inode **out)
{
	struct entry *e = find(dir, dentry);

	*out = e ? e->inode : nullptr;
	if (e)
		inode_get(e->inode);
	return 0;
}

static int queue_inode_create(struct inode *dir, u32 mode, const struct mq_attr *attributes,
			      struct inode **out)
{
	struct queue_inode *q = kzalloc(sizeof(*q), 0);
	int result;

	if (!q)
		return -ENOMEM;
	result = mqueue_create(&q->queue, attributes);
	if (result) {
		kfree(q);
		return result;
	}
	inode_init(&q->inode, mode);
	inode_init_owner(&q->inode, dir, mode);
	q->inode.number = ++directory_of(dir)->next_number;
	q->inode.size = FILE_SIZE;
	q->inode.superblock = dir->superblock;
	q->inode.ops = &queue_inode_ops;
	q->inode.file_ops = &queue_file_ops;
	q->inode.free = free_queue;
	*out = &q->inode;
	return 0;
}

static int add_queue(struct inode *dir, struct dentry *dentry, u32 mode,
		     const struct mq_attr *attributes, struct inode **out)
{
	struct directory *directory = directory_of(dir);
	struct entry *e;
	int result;

	if (directory->count >= READ_ONCE(mqueue_queues_max) && !capable(CAP_SYS_RESOURCE))
		return -ENOSPC;
	e = kmalloc(sizeof(*e) + dentry->name_length, 0);
	if (!e)
		return -ENOMEM;
	result = queue_inode_create(dir, mode, attributes, out);
	if (result) {
		kfree(e);
		return result;
	}
	inode_get(*out);
	e->inode = *out;
	e->length = dentry->name_length;
	memcpy(e->name, dentry->name, e->length);
	e->cookie = directory->next_cookie--;
	list_add(&directory->entries, &e->node);
	directory->count++;
	dir->size += ENTRY_SIZE;
	dir->modified = dir->changed = inode_time_now();
	return 0;
}

static int create(struct inode *dir, struct dentry *dentry, u32 mode, u64 device,
		  struct inode **out)
{
	if (!S_ISREG(mode))
		return -EPERM;
	return add_queue(dir, dentry, mode, nullptr, out);
}

static int unlink(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	struct entry *e = find(dir, dentry);

	list_remove(&e->node);
	kfree(e);
	directory_of(dir)->count--;
	dir->size -= ENTRY_SIZE;
	dir->modified = dir->changed = target->changed = inode_time_now();
	target->links = 0;
	inode_put(target);
	return 0;
}

static int read_directory(struct file *file, struct directory_context *ctx)
{
	struct entry *e;

	if (!directory_emit_dots(file, ctx))
		return 0;
	list_for_each (e, &directory_of(file->inode)->entries, node) {
		if (e->cookie < file->offset)
			continue;
		if (!ctx->emit(ctx, e->name, e->length, e->inode->number, S_IFREG >> 12,
			       e->cookie + 1))
			return 0;
		file->offset = e->cookie + 1;
	}
	return 0;
}

static const struct inode_ops directory_inode_ops = { .lookup = lookup,
						      .create = create,
						      .unlink = unlink };

static const struct file_ops directory_file_ops = {
	FILE_OPS_DEFAULTS,	     .read = file_read_eisdir,
	.seek = file_seek_directory, .read_directory = read_directory,
	.sync = file_sync_noop,
};

/* Superblocks. */

static void shut_down(struct superblock *sb)
{
	struct directory *directory = sb->private;
	struct entry *e, *next;

	list_for_each_safe (e, next, &directory->entries, node) {
		inode_put(e->inode);
		kfree(e);
	}
}

static void destroy(struct superblock *sb)
{
	kfree(sb->private);
}

static const struct superblock_ops superblock_ops = { .statfs = superblock_statfs_simple,
						      .shut_down = shut_down,
						      .destroy = destroy };

static int root_create(struct superblock *sb)
{
	struct inode *root = kzalloc(sizeof(*root), 0);
	int result;

	if (!root)
		return -ENOMEM;
	inode_init(root, S_IFDIR | S_ISVTX | 0777);
	root->number = 1;
	root->links = 2;
	root->size = 2 * ENTRY_SIZE;
	root->superblock = sb;
	root->ops = &directory_inode_ops;
	root->file_ops = &directory_file_ops;
	root->free = free_root;
	result = superblock_set_root(sb, root);
	if (result)
		inode_put(root);
	return result;
}

static int superblock_make(struct superblock **out)
{
	struct directory *directory = kzalloc(sizeof(*directory), 0);
	int result;

	if (!directory)
		return -ENOMEM;
	list_init(&directory->entries);
	directory->next_cookie = INT64_MAX - 1;
	directory->next_number = 1;
	result = superblock_create(&mqueue_type, &superblock_ops, MQUEUE_MAGIC, out);
	if (result) {
		kfree(directory);
		return result;
	}
	(*out)->private = directory;
	result = root_create(*out);
	if (result)
		superblock_put(*out);
	return result;
}

/* The mount of the current task's name space, made at its first use; borrowed. */
static int own_mount(struct mount **out)
{
	struct ipc_namespace *ns = current_ipc();
	struct mount *made, *none = nullptr;
	struct superblock *sb;
	int result;

	*out = __atomic_load_n(&ns->mqueue, __ATOMIC_ACQUIRE);
	if (*out)
		return 0;
	result = superblock_make(&sb);
	if (result)
		return result;
	result = mount_create_internal(sb, &made);
	if (result) {
		superblock_put(sb);
		return result;
	}
	*out = made;
	if (!__atomic_compare_exchange_n(&ns->mqueue, &none, made, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		*out = none; /* another task was first */
		mount_put(made);
	}
	return 0;
}

static int mount_mqueue(const struct file_system_type *type, const char *source, u32 flags,
			const char *data, struct superblock **out)
{
	struct mount *mount;
	int result = own_mount(&mount);

	if (result)
		return result;
	superblock_get(mount->superblock);
	*out = mount->superblock;
	return 0;
}

static struct file_system_type mqueue_type = { .name = "mqueue",
					       .user_visible = true,
					       .mount = mount_mqueue };

/* Names. */

static int check_name(const char *name, struct name *out)
{
	size_t length = strlen(name);

	if (!length)
		return -ENOENT;
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/'))
		return -EACCES;
	*out = (struct name){ name, (u32)length, name_hash(name, length) };
	return 0;
}

/* The dentry of a name, made if `create`: with a reference. */
static int find_or_create(struct inode *dir, struct dentry *root, const struct name *name,
			  u32 flags, u32 mode, const struct mq_attr *attributes,
			  struct dentry **out)
{
	struct inode *inode;
	int result;

	write_guard(&dir->lock);
	result = dentry_lookup_locked(root, name, out);
	if (result)
		return result;
	if ((*out)->inode) {
		if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
			result = -EEXIST;
	} else if (!(flags & O_CREAT)) {
		result = -ENOENT;
	} else {
		result = directory_may_create(dir);
		if (!result)
			result =
				add_queue(dir, *out, S_IFREG | (mode & 0777 & ~current_fs()->umask),
					  attributes, &inode);
		if (!result) {
			dentry_instantiate(*out, inode);
			notify_entry(dir, IN_CREATE, name->text, name->length, inode);
			return 1;
		}
	}
	if (result)
		dentry_put(*out);
	return result;
}

int mqueue_open(const char *text, u32 flags, u32 mode, const struct mq_attr *attributes,
		struct file **out)
{
	struct path path = {};
	struct name name;
	int result = check_name(text, &name);

	if (!result)
		result = own_mount(&path.mount);
	if (result)
		return result;
	result = find_or_create(path.mount->root->inode, path.mount->root, &name, flags, mode,
				attributes, &path.dentry);
	if (result < 0)
		return result;
	flags &= O_ACCMODE | O_NONBLOCK;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		result = -EINVAL;
	else
		result = result ? vfs_open_unchecked(&path, flags, out)
				: vfs_open_path(&path, flags, out);
	dentry_put(path.dentry);
	return result;
}

int mqueue_unlink(const char *text)
{
	struct mount *mount;
	struct dentry *dentry;
	struct inode *dir;
	struct name name;
	int result = check_name(text, &name);

	if (!result)
		result = own_mount(&mount);
	if (result)
		return result;
	dir = mount->root->inode;
	write_lock(&dir->lock);
	result = dentry_lookup_locked(mount->root, &name, &dentry);
	if (!result) {
		result = dentry->inode ? directory_may_delete(dir, dentry->inode) : -ENOENT;
		if (!result)
			result = unlink(dir, dentry, dentry->inode);
		if (!result)
			dentry_drop(dentry);
		dentry_put(dentry);
	}
	write_unlock(&dir->lock);
	if (!result)
		notify_entry(dir, IN_DELETE, name.text, name.length, nullptr);
	return result;
}

void mqueue_fs_init(void)
{
	struct mount *mount;

	file_system_register(&mqueue_type);
	ipc_mqueue_end_hook = mount_put;
	if (own_mount(&mount))
		panic("no memory for the file system of message queues");
}
