/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files: making and ending them, and reading and writing with everything that is the same for
 * all kinds: rights, the offset and its lock, waiting, signals, O_NONBLOCK.
 *
 * A file is born with one reference, gets handles, loses them (closed), loses its references
 * (destroy). While a read waits it needs nothing but a reference, so a close by another thread does
 * not disturb it, as on Linux.
 *
 * The offset is guarded by offset_lock. When the file has a single reference there is nobody to
 * share it with: the one reference is either the caller's own or that of the only slot, borrowed by
 * the only task of the pool.
 */
#include <core/time.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/slab.h>
#include <obj/credentials.h>
#include <obj/file.h>
#include <obj/inode.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/inotify.h>

static struct slab_cache *file_cache;
static u64 files;
u64 file_count_max = 1u << 20;

void (*file_path_put_hook)(struct file *file);
void (*file_locks_closed_hook)(struct file *file);
void (*file_locks_flush_hook)(struct file *file);
void (*file_owner_hook)(struct file *file);

u32 file_watch_count;
void (*file_event_hook)(struct file *file, u32 event);

u64 file_count(void)
{
	return __atomic_load_n(&files, __ATOMIC_RELAXED);
}

u64 file_anonymous_bytes(void)
{
	return slab_object_size(file_cache) + inode_bytes();
}

static void file_object_closed(struct object *object)
{
	struct file *file = file_of(object);

	if (file->inode->locks && file_locks_closed_hook)
		file_locks_closed_hook(file);
	file->ops->closed(file);
}

static int file_object_flush(struct object *object)
{
	struct file *file = file_of(object);

	if (file->inode->locks && file_locks_flush_hook)
		file_locks_flush_hook(file);
	return file->ops->flush(file);
}

static u32 file_object_ready(struct object *object)
{
	struct file *file = file_of(object);

	return file->ops->ready(file);
}

static void file_free(struct rcu_head *head)
{
	slab_free(file_cache, container_of(head, struct file, object.rcu));
}

/* O_ASYNC waits for as long as the file is there. */
static void file_object_detach(struct object *object)
{
	struct file *file = file_of(object);

	if (file->owner)
		file_owner_hook(file);
}

static void file_object_destroy(struct object *object)
{
	struct file *file = file_of(object);

	file->ops->destroy(file);
	if (file->dentry)
		file_path_put_hook(file);
	inode_put(file->inode);
	__atomic_fetch_sub(&files, 1, __ATOMIC_RELAXED);
	rcu_call(&object->rcu, file_free);
}

const struct object_type file_type = {
	.name = "file",
	.default_rights = RIGHTS_ALL,
	.closed = file_object_closed,
	.flush = file_object_flush,
	.detach = file_object_detach,
	.destroy = file_object_destroy,
	.ready = file_object_ready,
};

/* Flags that are about the call of open(2), not about the open file. */
#define OPEN_ONLY_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

static u32 access_mode(u32 flags)
{
	if (flags & O_PATH)
		return FILE_MODE_PATH;
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return FILE_MODE_READ;
	case O_WRONLY:
		return FILE_MODE_WRITE;
	case O_RDWR:
		return FILE_MODE_READ | FILE_MODE_WRITE;
	default: /* 3: ioctl only, open(2) "NOTES" */
		return 0;
	}
}

int file_create(const struct file_ops *ops, u32 flags, u32 mode, struct inode *inode, void *private,
		struct file **out)
{
	struct file *file;

	if (__atomic_fetch_add(&files, 1, __ATOMIC_RELAXED) >= file_count_max &&
	    !capable(CAP_SYS_ADMIN)) {
		__atomic_fetch_sub(&files, 1, __ATOMIC_RELAXED);
		return -ENFILE;
	}
	file = slab_alloc(file_cache, ALLOC_ZERO);
	if (!file) {
		__atomic_fetch_sub(&files, 1, __ATOMIC_RELAXED);
		return -ENOMEM;
	}
	object_init(&file->object, &file_type);
	mutex_init(&file->offset_lock, RANK_FILE_POSITION);
	file->ops = ops;
	file->flags = flags & ~OPEN_ONLY_FLAGS;
	file->mode = mode | access_mode(flags);
	inode_get(inode);
	file->inode = inode;
	file->private = private;
	*out = file;
	return 0;
}

u32 file_rights(u32 flags)
{
	u32 rights = RIGHT_DUPLICATE | RIGHT_TRANSFER | RIGHT_INSPECT | RIGHT_EXECUTE |
		     RIGHT_DERIVE | RIGHT_REVOKE;
	u32 mode = access_mode(flags);

	if (mode & FILE_MODE_PATH)
		return rights;
	rights |= RIGHT_WAIT | RIGHT_CONTROL | RIGHT_MAP;
	if (mode & FILE_MODE_READ)
		rights |= RIGHT_READ;
	if (mode & FILE_MODE_WRITE)
		rights |= RIGHT_WRITE;
	return rights;
}

/* O_PATH files answer to nothing but duplication, fstat and being a directory to start from. */
static bool path_only(const struct object *object, u32 rights)
{
	const struct file *file = (const struct file *)object;

	return unlikely(file->mode & FILE_MODE_PATH) && rights != 0;
}

/* What Linux programs are told: only a revoked handle is no bad descriptor. */
static int file_error(int error)
{
	return error == -EKEYREVOKED || error == -ENOMEM ? error : -EBADF;
}

int file_from_handle(struct pool *pool, int fd, u32 rights, struct file **out)
{
	struct object *object;

	int error = handle_get(pool, fd, &file_type, rights, &object);

	if (error)
		return file_error(error);
	if (path_only(object, rights & ~RIGHT_INSPECT)) {
		object_put(object);
		return -EBADF;
	}
	*out = file_of(object);
	return 0;
}

int file_borrow(struct pool *pool, int fd, u32 rights, struct file_borrow *out)
{
	struct object *object;

	int error = handle_borrow(pool, fd, &file_type, rights, &object, &out->owned);

	if (unlikely(error))
		return file_error(error);
	out->file = file_of(object);
	if (path_only(object, rights & ~RIGHT_INSPECT)) {
		file_release(out);
		return -EBADF;
	}
	return 0;
}

/* Waits for the file unless it is non-blocking. */
static int file_wait(struct file *file, u32 events)
{
	u64 limit, deadline;
	int error;

	if (file->flags & O_NONBLOCK)
		return -EAGAIN;
	limit = file->ops->wait_limit(file, events);
	if (likely(limit == NO_DEADLINE))
		return object_wait(&file->object, events, NO_DEADLINE);
	if (add_overflows(clock_monotonic_ns(), limit, &deadline))
		deadline = NO_DEADLINE;
	error = object_wait(&file->object, events, deadline);
	return error == -ETIMEDOUT ? -EAGAIN : error == -ERESTARTSYS ? -EINTR : error;
}

static ssize_t read_at(struct file *file, struct iter *it, u64 *offset)
{
	for (;;) {
		ssize_t n = file->ops->read(file, it, offset);
		int error;

		if (likely(n != -EAGAIN))
			return n;
		error = file_wait(file, EPOLLIN);
		if (error)
			return error;
	}
}

static ssize_t write_at(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t total = 0;

	for (;;) {
		ssize_t n = file->ops->write(file, it, offset);

		if (n >= 0) {
			total += n;
			if (likely(it->remaining == 0 || n == 0 ||
				   !(file->mode & FILE_MODE_WRITE_ALL)))
				return total;
			continue;
		}
		if (n == -EAGAIN)
			n = file_wait(file, EPOLLOUT);
		if (n == -EAGAIN)
			total += (ssize_t)it->taken;
		if (n)
			return total ? total : n;
	}
}

/* True if the offset must be locked: somebody else may hold the file too. */
static bool
lock_offset(struct file *file) __no_lock_analysis /* released by unlock_offset of the same call */
{
	if (__atomic_load_n(&file->object.refs, __ATOMIC_RELAXED) == 1)
		return false;
	mutex_lock(&file->offset_lock);
	return true;
}

static void unlock_offset(struct file *file, bool locked) __no_lock_analysis
{
	if (locked)
		mutex_unlock(&file->offset_lock);
}

/* Offsets and what they lead to stay below 2^63, or the call is refused before it begins. */
static bool beyond_offsets(u64 offset, const struct iter *it)
{
	return (s64)(offset + it->remaining) < 0;
}

static ssize_t read_any(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t n;
	bool locked;

	if (unlikely(!(file->mode & FILE_MODE_READ)))
		return -EBADF;
	if (file->mode & FILE_MODE_STREAM)
		return read_at(file, it, offset ? offset : &file->offset);
	if (unlikely(beyond_offsets(offset ? *offset : file->offset, it)))
		return -EINVAL;
	if (offset)
		return read_at(file, it, offset);
	locked = lock_offset(file);
	n = read_at(file, it, &file->offset);
	unlock_offset(file, locked);
	return n;
}

ssize_t file_read(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t n = read_any(file, it, offset);

	if (unlikely(READ_ONCE(file_watch_count)) && n > 0)
		file_event_hook(file, IN_ACCESS);
	return n;
}

static ssize_t write_any(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t n;
	bool locked;

	if (unlikely(!(file->mode & FILE_MODE_WRITE)))
		return -EBADF;
	if (file->mode & FILE_MODE_STREAM)
		return write_at(file, it, offset ? offset : &file->offset);
	if (unlikely(beyond_offsets(offset ? *offset : file->offset, it)))
		return -EINVAL;
	if (offset)
		return write_at(file, it, offset);
	locked = lock_offset(file);
	n = write_at(file, it, &file->offset);
	unlock_offset(file, locked);
	return n;
}

ssize_t file_write(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t n = write_any(file, it, offset);

	if (unlikely(READ_ONCE(file_watch_count)) && n > 0)
		file_event_hook(file, IN_MODIFY);
	return n;
}

ssize_t file_read_kernel(struct file *file, void *buf, size_t size, u64 offset)
{
	struct iter it;

	iter_init_kernel(&it, buf, size);
	return file_read(file, &it, &offset);
}

ssize_t file_write_kernel(struct file *file, const void *buf, size_t size, u64 offset)
{
	struct iter it;

	iter_init_kernel(&it, (void *)(uintptr_t)buf, size);
	return file_write(file, &it, &offset);
}

void file_init(void)
{
	file_cache = slab_cache_create("file", sizeof(struct file), 0);
	mm_hooks.file_get = file_get;
	mm_hooks.file_put = file_put;
}
