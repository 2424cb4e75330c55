/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of this folder. */
#pragma once

#include <fs/synthetic/synthetic.h>

extern const struct inode_ops synthetic_inode_ops;
extern const struct file_ops synthetic_directory_ops;
extern const struct file_ops synthetic_text_ops;

/* Gives an open file its text buffer. -ENOMEM. */
[[nodiscard]] int synthetic_text_open(struct file *file);
