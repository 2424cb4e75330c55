/* SPDX-License-Identifier: GPL-2.0-or-later */
/* overlayfs: directories laid over others. */
#pragma once

/* Boot, after vfs_init. */
void overlay_init(void);
