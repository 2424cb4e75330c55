/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks for tests: files behind loop devices. */
#pragma once

#include "../guest_test.h"

#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define MIB (1 << 20)

/* A free loop device bound to a new file of `size` bytes in the current directory; its number. `fd` gets it, open. */
int loop_make(const char *file, off_t size, unsigned flags, int *fd);
/* Unbinds and closes. */
void loop_end(int fd);
/* Opens /dev/loopN, or with `partition` /dev/loopNpP. */
int loop_open(int number, int partition, int flags);
