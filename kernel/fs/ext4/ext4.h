/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ext4(5), and ext2 and ext3 by the same code. */
#pragma once

/* Boot, after vfs_init: registers "ext4", "ext3" and "ext2". */
void ext4_init(void);
