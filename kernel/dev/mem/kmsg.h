/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/kmsg: the kernel log as records. */
#pragma once

struct file;
struct file_ops;

extern const struct file_ops kmsg_ops;

/* Prepares an open file: reading starts at the oldest record. -ENOMEM. */
[[nodiscard]] int kmsg_open(struct file *file);
