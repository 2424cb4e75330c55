/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pseudo terminals (pty(7)): a master file and a slave terminal. Opening /dev/ptmx makes a pair;
 * the slave appears as a number in devpts.
 */
#pragma once

#include <lib/types.h>

struct file;
struct inode;
struct tty;

#define PTY_MAX 4096

/* Opens a new master as `file`. -ENOSPC (no number free), -ENOMEM. May sleep. */
[[nodiscard]] int pty_open_master(struct inode *inode, struct file *file);

/* Opens the slave whose number is the minor of the inode's device. -EIO (no such pair, or locked).
 */
[[nodiscard]] int pty_open_slave(struct inode *inode, struct file *file);

/* The next existing pair with index >= `index`, or -1. */
int pty_next(int index);

/* Owner and permissions of a slave; false if there is no such pair. For devpts. */
bool pty_attributes(int index, u32 *uid, u32 *gid, u32 *mode);
void pty_set_attributes(int index, u32 uid, u32 gid, u32 mode);

/* Boot, after vfs_init. */
void pty_init(void);
