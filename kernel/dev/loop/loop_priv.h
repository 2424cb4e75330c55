/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the loop driver. */
#pragma once

#include <block/block.h>
#include <core/lock.h>
#include <core/wait.h>
#include <lib/list.h>

#include <linux/loop.h>

struct file;

/* A device, bound to a file or not. Fields without a note are guarded by loop_lock. */
struct loop {
	struct list_head node;
	u32 index;
	struct block_device *disk;
	struct file *file; /* holds a reference; null: not bound */
	bool dying;	   /* removed: never bound again */
	u32 flags;	   /* LO_FLAGS_* */
	u64 offset, size_limit, block_size;
	u32 encrypt_type; /* told back only */
	u8 file_name[LO_NAME_SIZE];
	/* The thread that serves requests while a file is bound. */
	struct spinlock queue_lock;
	struct list_head requests __guarded_by(&queue_lock);
	bool serving __guarded_by(&queue_lock), stop __guarded_by(&queue_lock);
	struct wait_queue work;
	struct completion stopped;
};

extern struct mutex loop_lock;
extern const struct block_driver_ops loop_block_ops;

/* Starts and ends the thread that serves a device's requests; the latter returns when all are finished. May sleep. */
[[nodiscard]] int loop_serve(struct loop *loop) __must_hold(&loop_lock);
void loop_serve_end(struct loop *loop) __must_hold(&loop_lock);
/* Hands a request to the thread: 0, or -EIO if nothing is bound. Any context. */
int loop_start(struct block_device *disk, struct block_request *request);

/* ioctl(2) of /dev/loopN. */
long loop_ioctl(struct block_device *disk, unsigned request, unsigned long argument,
		bool may_write);
/* The last user is gone: autoclear. May sleep. */
void loop_closed(struct block_device *disk);
