/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Process file descriptors (pidfd_open(2)): files over a process. */
#pragma once

struct file;
struct process;
struct pool;

/* A pidfd with one reference and no handle. `flags`: O_NONBLOCK or 0. -ENOMEM, -ENFILE. */
[[nodiscard]] int pidfd_create(struct process *process, unsigned flags, struct file **out);

/* The process behind a pidfd of the pool, with a reference. -EBADF. */
[[nodiscard]] int pidfd_process(struct pool *pool, int fd, struct process **out, unsigned *flags);
