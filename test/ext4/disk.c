/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disk of the ext4 tests. */
#include "ext4_disk.h"

#include "disk_driver.h"

#include <sys/mount.h>
#include <sys/stat.h>

void enter_disk(const char *name)
{
	char path[100];

	if (access("/dev/vda", F_OK))
		load_disk_driver();
	mkdir("/disk", 0755);
	if (mount("/dev/vda", "/disk", "ext4", 0, "") && errno != EBUSY)
		test_fail(__FILE__, __LINE__, "mount: errno %d", errno);
	snprintf(path, sizeof(path), "/disk/%s", name);
	EXPECT_EQ(mkdir(path, 0755), 0);
	EXPECT_EQ(chdir(path), 0);
}
