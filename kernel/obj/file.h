/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files: the object behind every Linux file descriptor (POSIX: open file description). Offset,
 * status flags and operations; shared by dup and fork because handles share the object.
 *
 * Operations never block: they return -EAGAIN, and the functions below wait on the object and try
 * again, with signals and O_NONBLOCK handled in this one place. Every slot of file_ops is filled:
 * FILE_OPS_DEFAULTS gives the errno that Linux gives for what a file cannot do.
 */
#pragma once

#include <core/lock.h>
#include <mm/iter.h>
#include <mm/memory_object.h>
#include <obj/handle.h>
#include <obj/object.h>

struct file;
struct inode;
struct dentry;
struct mount;
struct map_request;
struct kstat;
struct directory_context;
struct pid_namespace;

struct file_ops {
	/*
	 * Reads or writes at *offset, as much as is there without waiting; advances *offset and the
	 * iterator. Bytes, 0 at the end of file, -EAGAIN if it would have to wait. A stream ignores
	 * *offset. May sleep for memory and disk. With O_APPEND a write of a file with a size
	 * starts at inode->size, read under inode->lock.
	 */
	ssize_t (*read)(struct file *file, struct iter *it, u64 *offset);
	ssize_t (*write)(struct file *file, struct iter *it, u64 *offset);
	/* New offset, or -ESPIPE, -EINVAL, -ENXIO. */
	s64 (*seek)(struct file *file, s64 offset, int whence);
	/* As object_type.ready. */
	u32 (*ready)(struct file *file);
	/* `argument` is a user pointer or a number. -ENOTTY if the request is unknown. May sleep
	 * and block. */
	long (*ioctl)(struct file *file, unsigned request, unsigned long argument);
	/* Fills in what backs the mapping: req->object / offset / device, vma_flags. -ENODEV. */
	int (*map)(struct file *file, struct map_request *req);
	/* Calls emit for each entry from file->offset on. -ENOTDIR. */
	int (*read_directory)(struct file *file, struct directory_context *ctx);
	int (*sync)(struct file *file, bool data_only, u64 start, u64 end);
	int (*truncate)(struct file *file, u64 size);
	int (*allocate)(struct file *file, int mode, u64 offset, u64 length);
	/* O_* status flags are about to change (fcntl F_SETFL); may refuse. */
	int (*set_flags)(struct file *file, u32 flags);
	/* The last handle was closed (object closed event). */
	void (*closed)(struct file *file);
	/* Called at each close(2) of a descriptor, for what POSIX locks and NFS-like flush need;
	 * returns close's result. */
	int (*flush)(struct file *file);
	/* Releases what `private` holds; the memory of struct file is freed by the caller. */
	void (*destroy)(struct file *file);
	/*
	 * How long a read (EPOLLIN) or write (EPOLLOUT) may wait for the file, in ns; NO_DEADLINE: for ever. A
	 * limit also keeps the call from being restarted after a signal. Sockets have it.
	 */
	u64 (*wait_limit)(struct file *file, u32 events);
	/* Text for /proc/pid/fdinfo, with the process numbers of `ns`; appends with scnprintf; returns the length. May be 0. */
	int (*describe)(struct file *file, const struct pid_namespace *ns, char *buf, size_t size);
};

/* Default operations, one for each slot, named for what they answer. */
ssize_t file_read_einval(struct file *file, struct iter *it, u64 *offset);
ssize_t file_write_einval(struct file *file, struct iter *it, u64 *offset);
ssize_t file_read_eisdir(struct file *file, struct iter *it, u64 *offset);
s64 file_seek_espipe(struct file *file, s64 offset, int whence);
s64 file_seek_generic(struct file *file, s64 offset,
		      int whence); /* by inode size, SEEK_DATA/HOLE of a dense file */
s64 file_seek_noop(struct file *file, s64 offset, int whence); /* accepts, stays 0: /dev/null */
u32 file_ready_always(struct file *file);
long file_ioctl_enotty(struct file *file, unsigned request, unsigned long argument);
int file_map_enodev(struct file *file, struct map_request *req);
int file_read_directory_enotdir(struct file *file, struct directory_context *ctx);
int file_sync_einval(struct file *file, bool data_only, u64 start, u64 end);
int file_sync_noop(struct file *file, bool data_only, u64 start, u64 end); /* memory file systems */
int file_truncate_einval(struct file *file, u64 size);
int file_allocate_eopnotsupp(struct file *file, int mode, u64 offset, u64 length);
int file_set_flags_ok(struct file *file, u32 flags);
void file_closed_nothing(struct file *file);
int file_flush_ok(struct file *file);
void file_destroy_nothing(struct file *file);
int file_describe_nothing(struct file *file, const struct pid_namespace *ns, char *buf,
			  size_t size);
u64 file_wait_limit_none(struct file *file, u32 events);

#define FILE_OPS_DEFAULTS                                                                          \
	.read = file_read_einval, .write = file_write_einval, .seek = file_seek_espipe,            \
	.ready = file_ready_always, .ioctl = file_ioctl_enotty, .map = file_map_enodev,            \
	.read_directory = file_read_directory_enotdir, .sync = file_sync_einval,                   \
	.truncate = file_truncate_einval, .allocate = file_allocate_eopnotsupp,                    \
	.set_flags = file_set_flags_ok, .closed = file_closed_nothing, .flush = file_flush_ok,     \
	.destroy = file_destroy_nothing, .describe = file_describe_nothing,                        \
	.wait_limit = file_wait_limit_none
/* Use: const struct file_ops x = { FILE_OPS_DEFAULTS, .read = x_read }; (-Winitializer-overrides is
 * off for it.) */

struct file_owner;

struct file {
	struct object object; /* type file_type */
	const struct file_ops *ops;
	u32 flags;  /* O_* status and access mode */
	u32 mode;   /* FILE_MODE_* */
	u64 offset; /* guarded by offset_lock unless FILE_MODE_STREAM */
	struct mutex offset_lock;
	struct inode *inode;   /* holds a reference; never null */
	struct dentry *dentry; /* holds a reference; null for anonymous files */
	struct mount *mount;   /* holds a reference; null for anonymous files */
	void *private;	       /* of ops */
	/* Who gets its signals, see vfs/file_owner.h; null: nobody ever asked. */
	struct file_owner *owner;
	u64 directory_cookie;
	struct read_ahead read_ahead; /* of regular files and block devices */
	u32 write_error_seen;	      /* write_error_sample of the object, at open */
	u32 group_error_seen;	      /* the same of the file system */
};

#define FILE_MODE_READ BIT(0)
#define FILE_MODE_WRITE BIT(1)
#define FILE_MODE_STREAM BIT(2) /* no offset: pipes, sockets, terminals: reads take no lock */
#define FILE_MODE_PATH BIT(3)	/* O_PATH */
#define FILE_MODE_PREAD BIT(4)	/* pread and pwrite are allowed */
#define FILE_MODE_NOSIGPIPE BIT(5)
#define FILE_MODE_WRITE_ALL                                                                        \
	BIT(6) /* a blocking write goes on until all is written: pipes, terminals, stream sockets  \
		*/

#define FILE_MODE_DIRECT BIT(8) /* O_DIRECT is possible, of regular files */
#define FILE_MODE_DETACHED                                                                         \
	BIT(10) /* of a tree of mounts that is attached nowhere, see vfs/mount_handle.h */
#define FILE_MODE_OPENED BIT(9)	    /* open(2) succeeded: watchers are told when it ends */
#define FILE_MODE_DENY_WRITE BIT(7) /* it is being executed: nobody opens it for writing */

extern const struct object_type file_type;

/*
 * A file with one reference and no handle. `flags`: O_*; what is not kept (O_CREAT, O_CLOEXEC...)
 * is dropped. `mode`: more FILE_MODE_*; READ and WRITE follow from flags. It takes its own
 * reference on the inode; `private` moves in on success only. dentry and mount are left null for
 * the caller to set. -ENOMEM, -ENFILE.
 */
[[nodiscard]] int file_create(const struct file_ops *ops, u32 flags, u32 mode, struct inode *inode,
			      void *private, struct file **out);

/* What a file with an anonymous inode takes out of the allocator. */
u64 file_anonymous_bytes(void);

/*
 * Set by vfs at boot: called when a file with a dentry is destroyed, before its inode is released;
 * drops what open took (dentry, mount, the inode's write_count).
 */
extern void (*file_path_put_hook)(struct file *file);
/* Set by vfs: the last handle of a file with an inode of a file system was closed: flock and OFD
 * locks go. */
extern void (*file_locks_closed_hook)(struct file *file);
/* Set by vfs: a descriptor was closed: the process's POSIX locks on the file go. */
extern void (*file_locks_flush_hook)(struct file *file);

/* Set by vfs: a file with an owner is about to be destroyed. */
extern void (*file_owner_hook)(struct file *file);

/* How many watches on files there are, and whom reads and writes tell then; vfs/notify.c sets both. */
extern u32 file_watch_count;
extern void (*file_event_hook)(struct file *file, u32 event);

static inline struct file *file_of(struct object *object)
{
	return (struct file *)object;
}
static inline void file_put(struct file *file)
{
	object_put(&file->object);
}
static inline void file_get(struct file *file)
{
	object_get(&file->object);
}

/* The rights of a handle to a file opened with these O_* flags. */
u32 file_rights(u32 flags);

/*
 * The file behind a descriptor of the pool, with a reference and all of `rights`: -EBADF in every
 * case of failure, as Linux answers (also for O_PATH files unless rights is 0), but for -EKEYREVOKED.
 */
[[nodiscard]] int file_from_handle(struct pool *pool, int fd, u32 rights, struct file **out);

/*
 * The same for the length of one system call of the current task on its own pool, without a
 * reference where that is safe (handle_borrow). On success file_release(&borrow) must follow.
 */
struct file_borrow {
	struct file *file;
	bool owned;
};
[[nodiscard]] int file_borrow(struct pool *pool, int fd, u32 rights, struct file_borrow *out);
static inline void file_release(struct file_borrow *borrow)
{
	if (unlikely(borrow->owned))
		file_put(borrow->file);
}

/* Open files in the system and how many there may be: /proc/sys/fs/file-nr. */
u64 file_count(void);
extern u64 file_count_max;

/*
 * Read and write with blocking, signals and offsets: what read(2), write(2), pread(2)... do. offset
 * null: the file's own (with O_APPEND and locking); else *offset is used and advanced. Returns
 * bytes or -errno (-ERESTARTSYS for a signal). May block.
 */
[[nodiscard]] ssize_t file_read(struct file *file, struct iter *it, u64 *offset);
[[nodiscard]] ssize_t file_write(struct file *file, struct iter *it, u64 *offset);

/* The same from kernel memory, e.g. exec reading a header. Partial results are possible as with
 * read(2). */
[[nodiscard]] ssize_t file_read_kernel(struct file *file, void *buf, size_t size, u64 offset);
[[nodiscard]] ssize_t file_write_kernel(struct file *file, const void *buf, size_t size,
					u64 offset);

/* For getdents: emit returns false when the buffer is full (the entry is delivered again next
 * time). */
struct directory_context {
	bool (*emit)(struct directory_context *ctx, const char *name, size_t length, u64 ino,
		     unsigned type, u64 next_offset);
};

/* Boot, after slab_init. */
void file_init(void);
