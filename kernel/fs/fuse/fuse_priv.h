/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the FUSE client.
 *
 *   connection.c  requests and their answers     device.c     /dev/fuse          channel.c  a server behind a channel
 *   super.c       mounting, options, statfs      inode.c      inodes, attributes
 *   directory.c   names                          file.c       contents
 *
 * A request is built by the task that wants something, sent by the connection's transport, and answered once. The task waits
 * for it; a signal makes it give up, and a fatal one at once, so a server that does not answer never keeps a task. When the
 * server goes (its last /dev/fuse file is closed, its channel hangs up), or the file system is aborted, every request fails.
 *
 * (F1) A request has a reference of the task that made it and one of the connection while it is in one of its lists.
 * (F2) Its buffers are its own: the answer is copied into user memory by the task that waits, so one that gave up may go.
 * (F3) nodeid -> inode is one to one while the inode has references; what the server told us of an inode (nlookup) is given
 * back by FORGET when the inode is freed.
 * (F4) Everything a server says is checked: sizes, types, names, offsets.
 * (F5) A server with threads may look at requests in any order: FORGET is sent when nothing on that node is unanswered, a RELEASE say, and
 * what was left unanswered by a task that was killed stays in its list for that.
 */
#pragma once

#include <core/lock.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <mm/memory_object.h>
#include <stdint.h>
#include <vfs/vfs.h>

#include <linux/fuse.h>

struct fuse_request {
	u32 refs;	       /* atomic */
	struct list_head node; /* in a list of the connection; guarded by its lock, as the next */
	struct list_head same_node; /* in by_node: it will be answered, and is about this node */
	u8 *in;			    /* fuse_in_header, arguments */
	u32 in_size;
	u8 *out; /* the answer without its header */
	u32 out_capacity, out_size;
	bool no_answer; /* FORGET, INTERRUPT; RELEASE through a channel */
	bool sent;	/* the server has read it; guarded by the connection's lock */
	bool done;	/* atomic */
	bool exact;	/* an answer of another size than out_capacity is a mistake of the server */
	int error;	/* of the answer */
	struct wait_queue waiters;
	/* FORGETs that go when this one is answered (F5); guarded by the connection's lock. */
	struct fuse_request *after;
};

static inline struct fuse_in_header *fuse_header(struct fuse_request *request)
{
	return (struct fuse_in_header *)(uintptr_t)request->in;
}

struct fuse_options {
	u32 uid, gid; /* of who mounted it */
	u32 root_mode;
	bool allow_other, default_permissions;
	u32 max_read;
};

#define FUSE_BUCKETS 64u

struct fuse_connection {
	u32 refs; /* atomic: the superblock's, the device file's, each inode's and open file's */
	struct fuse_options options;
	struct spinlock lock;			      /* RANK_FUSE */
	struct list_head pending __guarded_by(&lock); /* not yet read by the server */
	/* Read, not yet answered, by unique; and what is pending or here, by nodeid. */
	struct list_head processing[FUSE_BUCKETS] __guarded_by(&lock);
	struct list_head by_node[FUSE_BUCKETS] __guarded_by(&lock);
	bool aborted __guarded_by(&lock);
	u64 last_unique;	    /* atomic; even numbers */
	struct wait_queue readable; /* device files */
	struct object *channel;	    /* the sending end, that of channel_handle; null: /dev/fuse */
	struct handle channel_handle;
	bool mounted; /* atomic */

	bool initialised; /* atomic: INIT was answered */
	bool failed;	  /* INIT was answered with nonsense */
	struct wait_queue init_waiters;
	u32 minor, max_write, max_read;
	u32 flags;	 /* FUSE_* of init; atomic */
	u64 unsupported; /* bit n: opcode n was answered with ENOSYS; atomic */

	struct spinlock inode_lock;			 /* RANK_FUSE */
	struct rb_tree inodes __guarded_by(&inode_lock); /* by nodeid */
};

struct fuse_inode {
	struct inode inode;
	struct memory_object object;	    /* regular files */
	struct fuse_connection *connection; /* holds a reference */
	u64 nodeid, generation;
	struct rb_node node;
	bool listed;	      /* in connection->inodes; guarded by inode_lock */
	u64 nlookup;	      /* atomic */
	u64 attributes_until; /* clock_monotonic_ns() */
	/* Of a directory, atomic: the latest time until which a name in it is true; names until then are asked about again. */
	u64 names_until, names_doubted;
	bool names_wanted; /* of a directory: names were looked up since it was listed; atomic */
	struct spinlock files_lock; /* RANK_FUSE */
	struct list_head
		files __guarded_by(&files_lock); /* open files, for what has none of its own */
	bool created_open; /* CREATE has opened it; the next open takes the handle; inode.lock */
	u64 created_handle;
	u32 created_flags;
};

/* Numbers of requests are even. */
static inline unsigned fuse_unique_bucket(u64 unique)
{
	return (unique >> 1) % FUSE_BUCKETS;
}

static inline struct fuse_inode *fuse_inode_of(struct inode *inode)
{
	return container_of(inode, struct fuse_inode, inode);
}
static inline struct fuse_connection *fuse_connection_of(const struct inode *inode)
{
	return container_of(inode, struct fuse_inode, inode)->connection;
}

/* --- connection.c --- */

[[nodiscard]] int fuse_connection_create(struct fuse_connection **out);
void fuse_connection_get(struct fuse_connection *c);
void fuse_connection_put(struct fuse_connection *c);
/* Every request fails from now on, those that wait too. May sleep. */
void fuse_abort(struct fuse_connection *c);
bool fuse_aborted(struct fuse_connection *c);

/* A request with room for `in` bytes behind the header and for an answer of `out` bytes. -ENOMEM. */
[[nodiscard]] int fuse_request_create(struct fuse_connection *c, u32 opcode, u64 nodeid, u32 in,
				      u32 out, struct fuse_request **request);
static inline void *fuse_arguments(struct fuse_request *request)
{
	return request->in + sizeof(struct fuse_in_header);
}
void fuse_request_put(struct fuse_request *request);

/*
 * Sends and waits for the answer. 0 with request->out_size bytes in request->out, -errno of the server, -EINTR,
 * -ENOTCONN: the connection was gone before, -ECONNABORTED: it went meanwhile. May sleep.
 */
[[nodiscard]] int fuse_send(struct fuse_connection *c, struct fuse_request *request);
/* Sends INIT; fuse_init_answered() comes later. Takes the reference over. May sleep. */
void fuse_send_init(struct fuse_connection *c, struct fuse_request *request);
/* Sends what has an answer that nobody waits for; takes the reference over. */
void fuse_send_later(struct fuse_connection *c, struct fuse_request *request);
/* Sends what has no answer; takes the reference over. */
void fuse_send_no_answer(struct fuse_connection *c, struct fuse_request *request);

/*
 * The common case: fixed arguments, perhaps text behind them, and an answer of exactly `out_size` bytes, copied out.
 * An opcode that was answered with ENOSYS once fails with it at once.
 */
struct fuse_call {
	u32 opcode;
	u64 nodeid;
	const void *in;
	u32 in_size;
	const void *text, *text2; /* each with its terminator */
	u32 text_size, text2_size;
	void *out;
	u32 out_size;
};
[[nodiscard]] int fuse_call(struct fuse_connection *c, const struct fuse_call *call);

/* The answer to a request that the server has; the buffer was copied. -EINVAL, -ENOENT. */
void fuse_request_finish(struct fuse_connection *c, struct fuse_request *request, int error);
/* Takes it out of the lists of the connection. */
void fuse_request_unlist_locked(struct fuse_connection *c, struct fuse_request *request)
	__must_hold(&c->lock);

/*
 * What a server tells without having been asked (notify.c): code FUSE_NOTIFY_*, and the rest of the message. -EINVAL: no such code, or
 * sizes that cannot be; -EFAULT; -ENOENT: the node is not known here. May sleep.
 */
[[nodiscard]] int fuse_notify(struct fuse_connection *c, int code, struct iter *it);
/* The inode of a node, with a reference; null: none is in use. */
struct inode *fuse_inode_find(struct fuse_connection *c, u64 nodeid);
/* Drops what the cache has of a file, from `start` to `end`; pages that mappings wrote go to the server first. May sleep. */
void fuse_forget_range(struct inode *inode, u64 start, u64 end);

/* --- channel.c --- */

/* Sends through the connection's channel, in the calling task, and finishes the request. */
void fuse_channel_send(struct fuse_connection *c, struct fuse_request *request);

/* --- device.c --- */

extern const struct file_ops fuse_device_ops;
/* The connection of an open device file, with a reference. -EINVAL: it is none. */
[[nodiscard]] int fuse_device_connection(struct file *file, struct fuse_connection **out);
void fuse_device_init(void);

/* --- super.c --- */

/* The answer to INIT, or an error. */
void fuse_init_answered(struct fuse_connection *c, struct fuse_request *request);

/* --- inode.c --- */

extern const struct inode_ops fuse_directory_inode_ops, fuse_inode_ops;
extern const struct memory_object_ops fuse_object_ops;

/* The inode for an answer to LOOKUP and its like, with a reference. -EIO: nonsense. */
[[nodiscard]] int fuse_inode_get(struct superblock *sb, const struct fuse_entry_out *entry,
				 struct inode **out);
void fuse_attributes_set(struct inode *inode, const struct fuse_attr *attr, u64 seconds,
			 u32 nanoseconds);
u64 fuse_deadline(u64 seconds, u32 nanoseconds);
/* Brings attributes up to date if they are too old. */
[[nodiscard]] int fuse_attributes_refresh(struct inode *inode);
void fuse_attributes_expire(struct inode *inode);
/* The pages of a regular file are gone, and nothing needs the memory any more. */
void fuse_inode_object_gone(struct fuse_inode *fi);
/* Sends FORGET. */
void fuse_forget(struct fuse_connection *c, u64 nodeid, u64 count);

[[nodiscard]] int fuse_get_attributes(struct inode *inode, struct kstat *out);
[[nodiscard]] int fuse_set_attributes(struct inode *inode, const struct inode_attributes *attr);
[[nodiscard]] int fuse_permission(struct inode *inode, u32 mask);
ssize_t fuse_get_xattr(struct inode *inode, const char *name, void *value, size_t size);
int fuse_set_xattr(struct inode *inode, const char *name, const void *value, size_t size,
		   int flags);
ssize_t fuse_list_xattr(struct inode *inode, char *list, size_t size);
int fuse_remove_xattr(struct inode *inode, const char *name);
#define FUSE_ATTRIBUTE_OPS                                                                         \
	.set_attributes = fuse_set_attributes, .get_attributes = fuse_get_attributes,              \
	.permission = fuse_permission, .get_xattr = fuse_get_xattr, .set_xattr = fuse_set_xattr,   \
	.list_xattr = fuse_list_xattr, .remove_xattr = fuse_remove_xattr

/* --- file.c --- */

extern const struct file_ops fuse_file_ops, fuse_directory_ops;

struct fuse_file {
	u64 handle;
	u32 open_flags; /* FOPEN_* */
	bool readable, writable, directory;
	u32 refs;			    /* atomic */
	struct fuse_connection *connection; /* holds a reference */
	u64 nodeid;
	struct list_head node; /* in fuse_inode.files */
	struct read_ahead read_ahead;
	struct file *file; /* null: of CREATE */
};

/* Opens: sets file->private. */
[[nodiscard]] int fuse_open(struct inode *inode, struct file *file);
void fuse_release_created(struct fuse_inode *fi);
