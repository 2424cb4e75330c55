/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disk of the ext4 tests. */
#include "ext4_disk.h"

#include "disk_driver.h"

#include <sys/mount.h>
#include <sys/stat.h>

static void mount_disk(void)
{
	if (access("/dev/vda", F_OK))
		load_disk_driver();
	mkdir("/disk", 0755);
	if (mount("/dev/vda", "/disk", "ext4", 0, "") && errno != EBUSY)
		test_fail(__FILE__, __LINE__, "mount: errno %d", errno);
}

/* Tests of other areas, which know nothing of a disk, work in a directory on it. */
void mount_work(const char *area)
{
	static int number;
	char path[100];

	if (strcmp(area, "ext4") == 0)
		return;
	mount_disk();
	snprintf(path, sizeof(path), "/disk/work%d", number++);
	mkdir(path, 0755);
	if (mount(path, "/work", NULL, MS_BIND, NULL))
		dprintf(1, "# bind: errno %d\n", errno);
}

void enter_disk(const char *name)
{
	char path[100];

	mount_disk();
	snprintf(path, sizeof(path), "/disk/%s", name);
	EXPECT_EQ(mkdir(path, 0755), 0);
	EXPECT_EQ(chdir(path), 0);
}
