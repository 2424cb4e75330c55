/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devtmpfs: one tree with a node for every device that a driver has registered, whoever mounts it. */
#pragma once

/* Boot, after tmpfs_init: registers the type and makes the nodes of the devices there are. */
void devtmpfs_init(void);
