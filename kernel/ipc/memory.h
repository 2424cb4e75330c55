/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory as a file: pages of a fixed size that can be read, written and mapped by whoever has the handle, charged to a budget page by
 * page as they are first touched.
 */
#pragma once

#include <lib/types.h>

struct file;
struct memory_budget;
struct memory_object;

/* A file of `size` bytes (a multiple of pages) with one reference. -ENOMEM. */
[[nodiscard]] int memory_file_create(struct memory_budget *budget, u64 size, struct file **out);
/* What making one takes out of the allocator. */
u64 memory_file_bytes(void);

/* The pages of such a file, borrowed; null: it is another kind of file. */
struct memory_object *memory_file_object(struct file *file);

/* Frees all pages and unmaps them everywhere; accesses are SIGBUS from now on. */
void memory_file_end(struct file *file);
