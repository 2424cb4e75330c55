/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of a file system on a disk: the guest tests' macros, and a directory on ext4. */
#pragma once

#include <guest_test.h>

/* Mounts /dev/vda as ext4, if nobody has yet, and makes a new directory of this name there the current one. */
void enter_disk(const char *name);
