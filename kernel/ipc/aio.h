/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts of Linux's asynchronous I/O, io_setup(2): queues of results. A context is a mapping of its file in the address space that made
 * it; its address is its name. So it ends with the mapping, at munmap, exec and exit, and does not go through fork.
 */
#pragma once

#include <obj/file.h>

#include <linux/aio_abi.h>

struct aspace;

/* A context that holds `capacity` results, at least 1, mapped in the current address space. -EAGAIN: more than fs.aio-max-nr; -ENOMEM. */
[[nodiscard]] int aio_create(u32 capacity, vaddr_t *out);

/* The context at the address, with a reference on its file. -EINVAL. May sleep. */
[[nodiscard]] int aio_find(vaddr_t address, struct file **out);

/* Unmaps it; a thread that waits there is told by -EINVAL. -EINVAL: there is none. */
[[nodiscard]] int aio_destroy(vaddr_t address);

/* Room for one more result, which aio_complete or aio_abandon must follow. -EAGAIN. */
[[nodiscard]] int aio_reserve(struct file *context);
void aio_abandon(struct file *context);
void aio_complete(struct file *context, const struct io_event *event);

/*
 * Stores up to `count` results, waiting until there were `minimum` or the deadline (NO_DEADLINE: none) has passed. How many, or, if none,
 * -EINTR, -EFAULT, -EINVAL: the context was destroyed.
 */
[[nodiscard]] long aio_take(struct file *context, long minimum, long count,
			    struct io_event __user *events, u64 deadline_ns);

/* fs.aio-nr and fs.aio-max-nr: how many results there is room for, and may be. */
extern u32 aio_count, aio_count_max;
