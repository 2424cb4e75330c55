/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving data between files without a user's buffer: splice(2) and tee(2). Each moves at
 * most `size` bytes and returns how many, 0 at the end of the input, -EAGAIN, -ERESTARTSYS, and the
 * errors of the files. A null offset is the file's own. May block.
 */
#pragma once

#include <obj/file.h>

/* The three forms of splice(2); `nonblocking`: SPLICE_F_NONBLOCK, for the pipes only. */
[[nodiscard]] ssize_t splice_to_pipe(struct file *in, u64 *offset, struct file *pipe, size_t size,
				     bool nonblocking);
[[nodiscard]] ssize_t splice_from_pipe(struct file *pipe, struct file *out, u64 *offset,
				       size_t size, bool nonblocking);
[[nodiscard]] ssize_t splice_pipes(struct file *in, struct file *out, size_t size,
				   bool nonblocking);

/* Copies without taking from `in`, tee(2). */
[[nodiscard]] ssize_t splice_tee(struct file *in, struct file *out, size_t size, bool nonblocking);
