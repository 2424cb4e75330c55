/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devpts: the slaves of pseudo terminals by number (mount(8) "devpts"). One set of terminals is
 * shown by every mount. */
#pragma once

/* Boot, after vfs_init. */
void devpts_init(void);
