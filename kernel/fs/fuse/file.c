/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents. Reads go through the page cache, which asks the server for runs of pages, unless the server wants every read
 * (FOPEN_DIRECT_IO). Writes go to the server at once, and what the cache knew of the range is forgotten. Shared mappings
 * that are written are written back through any open file of the inode.
 */
#include <fs/fuse/fuse_priv.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/iter.h>
#include <mm/slab.h>
#include <proc/signal.h>

#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>

/* --- open files --- */

static void fuse_file_put(struct fuse_file *ff)
{
	struct fuse_request *r;
	struct fuse_connection *c = ff->connection;

	if (__atomic_fetch_sub(&ff->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	/* Nobody waits for the answer: a close does not hang. */
	if (!fuse_aborted(c) &&
	    !fuse_request_create(c, ff->directory ? FUSE_RELEASEDIR : FUSE_RELEASE, ff->nodeid,
				 sizeof(struct fuse_release_in), 0, &r)) {
		*(struct fuse_release_in *)fuse_arguments(r) = (struct fuse_release_in){
			.fh = ff->handle,
			.flags = ff->readable && ff->writable ? O_RDWR
				 : ff->writable		      ? O_WRONLY
							      : O_RDONLY,
		};
		fuse_send_later(c, r);
	}
	fuse_connection_put(c);
	kfree(ff);
}

static struct fuse_file *fuse_file_create(struct fuse_inode *fi, u64 handle, u32 open_flags)
{
	struct fuse_file *ff = kzalloc(sizeof(*ff), 0);

	if (!ff)
		return nullptr;
	ff->refs = 1;
	ff->handle = handle;
	ff->open_flags = open_flags;
	ff->nodeid = fi->nodeid;
	ff->directory = S_ISDIR(fi->inode.mode);
	fuse_connection_get(fi->connection);
	ff->connection = fi->connection;
	list_init(&ff->node);
	return ff;
}

void fuse_release_created(struct fuse_inode *fi)
{
	struct fuse_file *ff =
		fi->created_open ? fuse_file_create(fi, fi->created_handle, 0) : nullptr;

	fi->created_open = false;
	if (ff)
		fuse_file_put(ff);
}

/* The handle that CREATE opened, if no open took it yet. */
static bool take_created(struct fuse_inode *fi, struct fuse_open_out *out)
{
	bool taken;

	if (!READ_ONCE(fi->created_open))
		return false;
	write_lock(&fi->inode.lock);
	taken = fi->created_open;
	if (taken)
		*out = (struct fuse_open_out){ .fh = fi->created_handle,
					       .open_flags = fi->created_flags };
	fi->created_open = false;
	write_unlock(&fi->inode.lock);
	return taken;
}

static int send_open(struct fuse_inode *fi, struct file *file, struct fuse_open_out *out)
{
	bool directory = S_ISDIR(fi->inode.mode);
	const struct fuse_open_in in = { .flags = file->flags &
						  ~(u32)(O_CREAT | O_EXCL | O_NOCTTY) };
	const struct fuse_call call = { .opcode = directory ? FUSE_OPENDIR : FUSE_OPEN,
					.nodeid = fi->nodeid,
					.in = &in,
					.in_size = sizeof(in),
					.out = out,
					.out_size = sizeof(*out) };
	int error;

	if (!directory && take_created(fi, out))
		return 0;
	error = fuse_call(fi->connection, &call);
	/* A server without the call needs no handles. */
	if (error == -ENOSYS) {
		*out = (struct fuse_open_out){ .open_flags = FOPEN_KEEP_CACHE };
		error = 0;
	}
	return error;
}

int fuse_open(struct inode *inode, struct file *file)
{
	struct fuse_inode *fi = fuse_inode_of(inode);
	struct fuse_open_out answer = {};
	struct fuse_file *ff;
	int error;

	if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
		return -ENXIO;
	file->private = nullptr;
	error = send_open(fi, file, &answer);
	if (error)
		return error;
	ff = fuse_file_create(fi, answer.fh, answer.open_flags);
	if (!ff)
		return -ENOMEM;
	ff->readable = file->mode & FILE_MODE_READ;
	ff->writable = file->mode & FILE_MODE_WRITE;
	file->private = ff;
	if (!S_ISREG(inode->mode))
		return 0;
	file->mode |= FILE_MODE_DIRECT;
	spin_lock(&fi->files_lock);
	list_add(&fi->files, &ff->node);
	spin_unlock(&fi->files_lock);
	if (!(answer.open_flags & FOPEN_KEEP_CACHE))
		(void)memory_object_drop_clean(&fi->object, 0, UINT64_MAX);
	return 0;
}

static void destroy(struct file *file)
{
	struct fuse_file *ff = file->private;
	struct fuse_inode *fi = fuse_inode_of(file->inode);

	if (!ff)
		return;
	spin_lock(&fi->files_lock);
	list_remove(&ff->node);
	spin_unlock(&fi->files_lock);
	fuse_file_put(ff);
}

/* Some open file of the inode that may do this, with a reference, or null. */
static struct fuse_file *any_file(struct fuse_inode *fi, bool write)
{
	struct fuse_file *ff, *found = nullptr;

	spin_lock(&fi->files_lock);
	list_for_each (ff, &fi->files, node) {
		if (write ? ff->writable : ff->readable) {
			__atomic_fetch_add(&ff->refs, 1, __ATOMIC_RELAXED);
			found = ff;
			break;
		}
	}
	spin_unlock(&fi->files_lock);
	return found;
}

/* --- requests --- */

/* READ of up to `size` bytes: the request with the answer, for the caller to put. */
static int send_read(struct fuse_file *ff, u64 offset, u32 size, u32 flags,
		     struct fuse_request **out)
{
	struct fuse_read_in *in;
	int error =
		fuse_request_create(ff->connection, FUSE_READ, ff->nodeid, sizeof(*in), size, out);

	if (error)
		return error;
	in = fuse_arguments(*out);
	*in = (struct fuse_read_in){
		.fh = ff->handle, .offset = offset, .size = size, .flags = flags
	};
	error = fuse_send(ff->connection, *out);
	if (error)
		fuse_request_put(*out);
	return error;
}

/* A WRITE whose data the caller has put behind the arguments. Bytes written, or -errno; puts the request. */
static ssize_t send_write(struct fuse_file *ff, struct fuse_request *r, u64 offset, u32 size,
			  u32 flags)
{
	struct fuse_write_in *in = fuse_arguments(r);
	const struct fuse_write_out *out = (const void *)r->out;
	ssize_t result;

	*in = (struct fuse_write_in){
		.fh = ff->handle, .offset = offset, .size = size, .flags = flags
	};
	r->exact = true;
	result = fuse_send(ff->connection, r);
	if (!result)
		result = out->size > size ? -EIO : (ssize_t)out->size;
	fuse_request_put(r);
	return result;
}

static int create_write(struct fuse_connection *c, u64 nodeid, u32 size, struct fuse_request **out,
			void **data)
{
	int error =
		fuse_request_create(c, FUSE_WRITE, nodeid, (u32)sizeof(struct fuse_write_in) + size,
				    sizeof(struct fuse_write_out), out);

	if (!error)
		*data = (char *)fuse_arguments(*out) + sizeof(struct fuse_write_in);
	return error;
}

/* --- the page cache --- */

static struct fuse_inode *inode_of_object(struct memory_object *object)
{
	return container_of(object, struct fuse_inode, object);
}

/* Runs of at most max_read bytes each; what the server leaves out is zeros. */
static unsigned fill_run(struct fuse_file *ff, struct page **pages, unsigned count)
{
	unsigned n = MIN(count, ff->connection->max_read / (unsigned)PAGE_SIZE);
	struct fuse_request *r;
	int error = send_read(ff, pages[0]->index * PAGE_SIZE, n * (u32)PAGE_SIZE, 0, &r);

	for (unsigned i = 0; i < n; i++) {
		u32 at = i * (u32)PAGE_SIZE;
		u32 size = error || r->out_size <= at ? 0 : MIN(r->out_size - at, (u32)PAGE_SIZE);

		if (size)
			memcpy(page_address(pages[i]), r->out + at, size);
		memset((char *)page_address(pages[i]) + size, 0, PAGE_SIZE - size);
		memory_object_filled(pages[i], error ? -EIO : 0);
	}
	if (!error)
		fuse_request_put(r);
	return n;
}

static void fill_pages(struct memory_object *object, struct page **pages, unsigned count)
{
	struct fuse_file *ff = any_file(inode_of_object(object), false);

	for (unsigned done = 0; done < count;) {
		if (ff) {
			done += fill_run(ff, pages + done, count - done);
		} else {
			memory_object_filled(pages[done], -EIO);
			done++;
		}
	}
	if (ff)
		fuse_file_put(ff);
}

static int write_back(struct memory_object *object, struct page *page)
{
	struct fuse_inode *fi = inode_of_object(object);
	u64 offset = page->index * PAGE_SIZE;
	u64 end = READ_ONCE(object->size);
	u32 size = offset >= end ? 0 : (u32)MIN(end - offset, (u64)PAGE_SIZE);
	struct fuse_file *ff = size ? any_file(fi, true) : nullptr;
	struct fuse_request *r;
	ssize_t n;
	void *data;

	if (!size)
		return 0;
	if (!ff)
		return -EIO;
	n = create_write(fi->connection, fi->nodeid, size, &r, &data);
	if (!n) {
		memcpy(data, page_address(page), size);
		n = send_write(ff, r, offset, size, FUSE_WRITE_CACHE);
		n = n < 0 ? n : (u32)n < size ? -EIO : 0;
	}
	fuse_file_put(ff);
	return (int)n;
}

static void destroy_object(struct memory_object *object)
{
	fuse_inode_object_gone(inode_of_object(object));
}

const struct memory_object_ops fuse_object_ops = {
	.fill_pages = fill_pages,
	.write_back = write_back,
	.destroy = destroy_object,
};

/* --- reading and writing --- */

static ssize_t read_direct(struct fuse_file *ff, struct file *file, struct iter *it, u64 *offset)
{
	ssize_t total = 0;

	while (it->remaining) {
		u32 size = (u32)MIN(it->remaining, (size_t)ff->connection->max_read);
		struct fuse_request *r;
		size_t copied;
		u32 got;
		int error = send_read(ff, *offset, size, file->flags, &r);

		if (error)
			return total ? total : error;
		got = r->out_size;
		copied = iter_copy_to(it, r->out, got);
		fuse_request_put(r);
		total += (ssize_t)copied;
		*offset += copied;
		if (copied < got)
			return total ? total : -EFAULT;
		if (got < size)
			break;
	}
	return total;
}

static ssize_t read_file(struct file *file, struct iter *it, u64 *offset)
{
	struct fuse_file *ff = file->private;
	ssize_t n;
	int error;

	if (ff->open_flags & FOPEN_DIRECT_IO || file->flags & O_DIRECT) {
		/* INIT must have been answered for max_read to be known. */
		return __atomic_load_n(&ff->connection->initialised, __ATOMIC_ACQUIRE)
			       ? read_direct(ff, file, it, offset)
			       : -EIO;
	}
	error = fuse_attributes_refresh(file->inode);
	if (error)
		return error;
	n = memory_object_read_ahead(file->inode->object, *offset, it, &ff->read_ahead);
	if (n > 0)
		*offset += (u64)n;
	return n;
}

static ssize_t write_chunk(struct fuse_file *ff, struct file *file, struct iter *it, u64 offset)
{
	u32 size = (u32)MIN(it->remaining, (size_t)ff->connection->max_write);
	struct iter start = *it;
	struct fuse_request *r;
	void *data;
	ssize_t n = create_write(ff->connection, ff->nodeid, size, &r, &data);

	if (n)
		return n;
	if (iter_copy_from(it, data, size) != size) {
		fuse_request_put(r);
		*it = start;
		return -EFAULT;
	}
	n = send_write(ff, r, offset, size, 0);
	*it = start;
	if (n > 0)
		iter_advance(it, (size_t)n);
	return n;
}

/* What was in the cache of this range is not true any more. */
static void forget_range(struct inode *inode, u64 start, u64 end)
{
	u64 first = start & PAGE_MASK, last = (end + PAGE_SIZE - 1) & PAGE_MASK;

	memory_object_punch(inode->object, first, last);
}

void fuse_forget_range(struct inode *inode, u64 start, u64 end)
{
	(void)memory_object_sync(inode->object, start, end);
	forget_range(inode, start, end);
}

static ssize_t write_file(struct file *file, struct iter *it, u64 *offset)
{
	struct inode *inode = file->inode;
	size_t all = it->remaining;
	u64 start;
	ssize_t n = 0, limit;

	write_guard(&inode->lock);
	limit = file_write_checks(file, it, offset);
	if (limit <= 0)
		return limit;
	it->remaining = (size_t)limit;
	start = *offset;
	(void)memory_object_sync(inode->object, start, start + (u64)limit);
	while (it->remaining) {
		n = write_chunk(file->private, file, it, *offset);
		if (n <= 0)
			break;
		*offset += (u64)n;
	}
	it->remaining = all - (size_t)(*offset - start);
	if (*offset == start)
		return n;
	forget_range(inode, start, *offset);
	if (*offset > inode->size) {
		memory_object_truncate(inode->object, *offset);
		WRITE_ONCE(inode->size, *offset);
	}
	fuse_attributes_expire(inode);
	return (ssize_t)(*offset - start);
}

static int map_file(struct file *file, struct map_request *req)
{
	struct fuse_file *ff = file->private;

	if (ff->open_flags & FOPEN_DIRECT_IO && (req->flags & MAP_TYPE) != MAP_PRIVATE)
		return -ENODEV;
	req->object = file->inode->object;
	return 0;
}

static int sync_file(struct file *file, bool data_only, u64 start, u64 end)
{
	struct fuse_file *ff = file->private;
	const struct fuse_fsync_in in = { .fh = ff->handle, .fsync_flags = data_only };
	const struct fuse_call call = {
		.opcode = FUSE_FSYNC, .nodeid = ff->nodeid, .in = &in, .in_size = sizeof(in)
	};
	int error = memory_object_sync(file->inode->object, start, end);

	if (!error)
		error = fuse_call(ff->connection, &call);
	return error == -ENOSYS ? 0 : error;
}

/* close(2): errors that the server kept are its result. */
static int flush(struct file *file)
{
	struct fuse_file *ff = file->private;
	struct fuse_flush_in in = {};
	const struct fuse_call call = { .opcode = FUSE_FLUSH,
					.in = &in,
					.in_size = sizeof(in),
					.nodeid = ff ? ff->nodeid : 0 };
	int error;

	if (!ff || signal_fatal_pending())
		return 0;
	in.fh = ff->handle;
	if (ff->writable)
		(void)memory_object_sync(file->inode->object, 0, UINT64_MAX);
	error = fuse_call(ff->connection, &call);
	return error == -ENOSYS ? 0 : error;
}

static int truncate(struct file *file, u64 size)
{
	return inode_truncate(file->inode, size);
}

static int allocate(struct file *file, int mode, u64 offset, u64 length)
{
	struct fuse_file *ff = file->private;
	const struct fuse_fallocate_in in = {
		.fh = ff->handle, .offset = offset, .length = length, .mode = (u32)mode
	};
	const struct fuse_call call = {
		.opcode = FUSE_FALLOCATE, .nodeid = ff->nodeid, .in = &in, .in_size = sizeof(in)
	};
	int error;

	write_guard(&file->inode->lock);
	error = fuse_call(ff->connection, &call);
	if (error)
		return error == -ENOSYS ? -EOPNOTSUPP : error;
	forget_range(file->inode, offset, offset + length);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && offset + length > file->inode->size) {
		memory_object_truncate(file->inode->object, offset + length);
		WRITE_ONCE(file->inode->size, offset + length);
	}
	fuse_attributes_expire(file->inode);
	return 0;
}

/* Where data or a hole begins only the server knows; to one that does not, all is data. */
static s64 seek_data(struct file *file, s64 offset, int whence)
{
	struct fuse_file *ff = file->private;
	const struct fuse_lseek_in in = { .fh = ff->handle,
					  .offset = (u64)offset,
					  .whence = (u32)whence };
	struct fuse_lseek_out out;
	const struct fuse_call call = { .opcode = FUSE_LSEEK,
					.nodeid = ff->nodeid,
					.in = &in,
					.in_size = sizeof(in),
					.out = &out,
					.out_size = sizeof(out) };
	int error = memory_object_sync(file->inode->object, 0, UINT64_MAX);

	if (!error)
		error = fuse_call(ff->connection, &call);
	if (error)
		return error == -ENOSYS ? file_seek_generic(file, offset, whence) : error;
	return out.offset > INT64_MAX ? -EIO : file_seek_generic(file, (s64)out.offset, SEEK_SET);
}

static s64 seek_file(struct file *file, s64 offset, int whence)
{
	int error = 0;

	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		return seek_data(file, offset, whence);
	if (whence == SEEK_END)
		error = fuse_attributes_refresh(file->inode);
	return error ?: file_seek_generic(file, offset, whence);
}

const struct file_ops fuse_file_ops = {
	FILE_OPS_DEFAULTS,    .read = read_file,  .write = write_file, .seek = seek_file,
	.map = map_file,      .sync = sync_file,  .flush = flush,      .truncate = truncate,
	.allocate = allocate, .destroy = destroy,
};
