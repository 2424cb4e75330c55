/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a mounted file system and programs that open its device see of each other across mounts. */
#include "ext4_disk.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define BLOCK 4096
#define MOUNT_COUNT (1024 + 52) /* s_mnt_count */

static void write_contents(const char *path, int byte)
{
	char data[BLOCK];
	int fd = open(path, O_RDWR | O_CREAT, 0644);

	memset(data, byte, sizeof(data));
	EXPECT_EQ(write(fd, data, sizeof(data)), sizeof(data));
	EXPECT_EQ(fsync(fd), 0);
	close(fd);
}

static off_t place_of(const char *path)
{
	struct {
		struct fiemap head;
		struct fiemap_extent extent;
	} map = { .head = { .fm_length = BLOCK, .fm_extent_count = 1 } };
	int fd = open(path, O_RDONLY);

	EXPECT_EQ(ioctl(fd, FS_IOC_FIEMAP, &map), 0);
	EXPECT_EQ(map.head.fm_mapped_extents, 1);
	close(fd);
	return (off_t)map.extent.fe_physical;
}

static int byte_of(const char *path, off_t at)
{
	unsigned char byte = 0;
	int fd = open(path, O_RDONLY);

	EXPECT_EQ(pread(fd, &byte, 1, at), 1);
	close(fd);
	return byte;
}

TEST(device_and_mounts_see_each_other)
{
	enter_disk("device");
	write_contents("file", 'a');
	off_t place = place_of("file");

	EXPECT_EQ(chdir("/"), 0);
	EXPECT_EQ(umount("/disk"), 0);
	EXPECT_EQ(byte_of("/dev/vda", place), 'a');
	int mounts = byte_of("/dev/vda", MOUNT_COUNT);

	EXPECT_EQ(mount("/dev/vda", "/disk", "ext4", 0, ""), 0);
	EXPECT_EQ(byte_of("/disk/device/file", 0), 'a');
	write_contents("/disk/device/file", 'b');
	EXPECT_EQ(umount("/disk"), 0);
	EXPECT_EQ(byte_of("/dev/vda", place), 'b');
	EXPECT_EQ(byte_of("/dev/vda", MOUNT_COUNT), mounts + 1);

	int device = open("/dev/vda", O_WRONLY);

	EXPECT_EQ(pwrite(device, "c", 1, place), 1);
	close(device);
	EXPECT_EQ(mount("/dev/vda", "/disk", "ext4", 0, ""), 0);
	EXPECT_EQ(byte_of("/disk/device/file", 0), 'c');
}

TEST(file_without_a_name_keeps_the_disk_writable)
{
	enter_disk("busy");
	int fd = open("file", O_RDWR | O_CREAT, 0644);

	EXPECT_EQ(unlink("file"), 0);
	EXPECT_EQ(chdir("/"), 0);
	EXPECT_ERRNO(mount("", "/disk", "", MS_REMOUNT | MS_RDONLY, ""), EBUSY);
	close(fd);
	EXPECT_EQ(mount("", "/disk", "", MS_REMOUNT | MS_RDONLY, ""), 0);
	EXPECT_ERRNO(mkdir("/disk/busy/directory", 0755), EROFS);
	EXPECT_EQ(mount("", "/disk", "", MS_REMOUNT, ""), 0);
	EXPECT_EQ(mkdir("/disk/busy/directory", 0755), 0);
}
