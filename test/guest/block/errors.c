/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors of writing are told once to everybody who has the device open: fsync(2). A loop device whose file cannot grow fails. */
#include "block_test.h"

#include <sys/mount.h>

/* Fills the current file system, so that the holes of files there stay. */
static void fill_up(void)
{
	static const char block[4096];
	int fd = open("filler", O_RDWR | O_CREAT, 0600);

	while (write(fd, block, sizeof(block)) > 0)
		continue;
	close(fd);
}

/* What fsync says: 0 or errno. */
static int sync_error(int fd)
{
	return fsync(fd) ? errno : 0;
}

TEST(failed_write_is_told_once_to_everybody)
{
	char block[4096];
	int first, second, third, number, error;

	REQUIRE(mkdir("small", 0700) == 0);
	REQUIRE(mount("none", "small", "tmpfs", 0, "size=256k") == 0);
	REQUIRE(chdir("small") == 0);
	number = loop_make("disk", MIB, 0, &first);
	fill_up();
	second = loop_open(number, 0, O_RDWR);
	third = loop_open(number, 0, O_RDONLY);
	REQUIRE(second >= 0 && third >= 0);
	EXPECT_EQ(sync_error(first), 0);
	memset(block, 'e', sizeof(block));
	EXPECT_EQ(pwrite(first, block, sizeof(block), MIB / 2), (long)sizeof(block));
	error = sync_error(second);
	EXPECT(error == EIO || error == ENOSPC);
	EXPECT_EQ(sync_error(second), 0);
	EXPECT_EQ(sync_error(first), error);
	EXPECT_EQ(sync_error(first), 0);
	EXPECT_EQ(sync_error(third), error);
	close(third);
	/* Everybody has been told: it is nothing to who comes now. */
	third = loop_open(number, 0, O_RDWR);
	EXPECT_EQ(sync_error(third), 0);
	EXPECT_EQ(pwrite(third, block, sizeof(block), MIB / 2 + 65536), (long)sizeof(block));
	EXPECT_EQ(sync_error(first), error);
	EXPECT_EQ(sync_error(third), error);
	EXPECT_EQ(sync_error(second), error);
	close(second);
	close(third);
	EXPECT_EQ(unlink("filler"), 0);
	loop_end(first);
	EXPECT_EQ(chdir(".."), 0);
	EXPECT_EQ(umount("small"), 0);
}
