/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The example strate as part of the test program: test/native/fuse.c starts it. */
int ramfs_main(int argc, char **argv);
#define main ramfs_main
#include "../../user/strates/ramfs.c"
