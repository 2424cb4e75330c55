/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loop devices (loop(4)): disks whose contents are files. */
#pragma once

/* Boot, after block_init: /dev/loop-control and the first devices. */
void loop_init(void);
