/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pipes and FIFOs (pipe(7), fifo(7)). */
#pragma once

#include <obj/file.h>
#include <obj/inode.h>

/*
 * pipe2(2): out[0] reads, out[1] writes; each with a reference and no handle. flags: O_NONBLOCK and
 * O_DIRECT (packets). -ENOMEM, -ENFILE.
 */
[[nodiscard]] int pipe_create(u32 flags, struct file *out[2]);

/*
 * Opens a FIFO: sets the operations of `file`, which was made for it, and waits for the other end
 * as fifo(7) says. The pipe hangs on inode->pipe while somebody has it open. -ENXIO (O_WRONLY |
 * O_NONBLOCK, no reader), -ERESTARTSYS, -ENOMEM. On failure the file needs nothing but file_put().
 * May sleep; inode->lock not held.
 */
[[nodiscard]] int fifo_open(struct inode *inode, struct file *file);

/* fcntl F_GETPIPE_SZ and F_SETPIPE_SZ: the capacity in bytes, -EBADF (no pipe), -EBUSY, -EPERM,
 * -EINVAL, -ENOMEM. */
[[nodiscard]] long pipe_size(struct file *file);
[[nodiscard]] long pipe_set_size(struct file *file, unsigned size);

bool file_is_pipe(const struct file *file);

/* /proc/sys/fs/pipe-max-size: what F_SETPIPE_SZ allows without CAP_SYS_RESOURCE. */
extern unsigned pipe_size_max;

/* Boot, after slab_init. */
void pipe_cache_init(void);
