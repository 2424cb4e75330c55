/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failed writes below a file system: fsync(2) and syncfs(2) tell them once to everybody. The disk is a copy of the second one in a
 * file that has a hole where a file's blocks are, and no room to fill it. */
#include "ext4_disk.h"

#include "disk_driver.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define SIZE (8 << 20)
#define DATA 65536
#define IMAGE "/failing/image"
#define MOUNTED "/failing/disk"

static void copy_second_disk(void)
{
	static char piece[65536];
	int from = open("/dev/vdb", O_RDONLY), to = open(IMAGE, O_RDWR | O_CREAT, 0600);

	REQUIRE(from >= 0 && to >= 0);
	for (int at = 0; at < SIZE; at += (int)sizeof(piece)) {
		EXPECT_EQ(read(from, piece, sizeof(piece)), (long)sizeof(piece));
		EXPECT_EQ(write(to, piece, sizeof(piece)), (long)sizeof(piece));
	}
	close(from);
	close(to);
}

/* The image as a disk; its number. */
static int attach(int *loop)
{
	char name[40];
	int control = open("/dev/loop-control", O_RDWR), file = open(IMAGE, O_RDWR);
	int number = ioctl(control, LOOP_CTL_GET_FREE, 0);

	REQUIRE(number >= 0 && file >= 0);
	snprintf(name, sizeof(name), "/dev/loop%d", number);
	for (int i = 0; i < 200 && access(name, F_OK); i++)
		usleep(5000);
	*loop = open(name, O_RDWR);
	EXPECT_EQ(ioctl(*loop, LOOP_SET_FD, file), 0);
	close(file);
	close(control);
	EXPECT_EQ(mount(name, MOUNTED, "ext4", 0, ""), 0);
	return number;
}

static void detach(int loop)
{
	EXPECT_EQ(umount(MOUNTED), 0);
	EXPECT_EQ(ioctl(loop, LOOP_CLR_FD), 0);
	close(loop);
}

static void write_data(int fd)
{
	static char data[DATA];

	memset(data, 'd', sizeof(data));
	EXPECT_EQ(pwrite(fd, data, sizeof(data), 0), DATA);
}

/* Makes the file and takes the place of its blocks out of the image, whose file system is full afterwards. */
static void make_hole(void)
{
	struct {
		struct fiemap head;
		struct fiemap_extent extent;
	} map = { .head = { .fm_length = DATA, .fm_extent_count = 1 } };
	static const char block[4096];
	int loop, fd;

	attach(&loop);
	fd = open(MOUNTED "/file", O_RDWR | O_CREAT, 0600);
	write_data(fd);
	EXPECT_EQ(fsync(fd), 0);
	EXPECT_EQ(ioctl(fd, FS_IOC_FIEMAP, &map), 0);
	EXPECT_EQ(map.head.fm_mapped_extents, 1);
	EXPECT(map.extent.fe_length >= DATA);
	close(fd);
	detach(loop);
	fd = open(IMAGE, O_RDWR);
	EXPECT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    (off_t)map.extent.fe_physical, DATA),
		  0);
	close(fd);
	fd = open("/failing/filler", O_RDWR | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	close(fd);
}

static void expect_once(int result, int error)
{
	EXPECT(result == -1 && (error == EIO || error == ENOSPC));
}

TEST(failed_write_back_is_told_to_every_descriptor)
{
	int loop, first, second, directory;

	if (access("/dev/vdb", F_OK))
		load_disk_driver();
	mkdir("/failing", 0700);
	REQUIRE(mount("none", "/failing", "tmpfs", 0, "size=9m") == 0);
	mkdir(MOUNTED, 0700);
	copy_second_disk();
	make_hole();
	attach(&loop);
	first = open(MOUNTED "/file", O_RDWR);
	second = open(MOUNTED "/file", O_RDONLY);
	directory = open(MOUNTED, O_RDONLY);
	REQUIRE(first >= 0 && second >= 0 && directory >= 0);
	write_data(first);
	expect_once(syncfs(directory), errno);
	EXPECT_EQ(syncfs(directory), 0);
	expect_once(syncfs(first), errno);
	EXPECT_EQ(syncfs(first), 0);
	expect_once(fsync(second), errno);
	EXPECT_EQ(fsync(second), 0);
	expect_once(fsync(first), errno);
	EXPECT_EQ(fsync(first), 0);
	close(second);
	second = open(MOUNTED "/file", O_RDONLY);
	EXPECT_EQ(fsync(second), 0);
	close(first);
	close(second);
	close(directory);
	detach(loop);
	EXPECT_EQ(umount("/failing"), 0);
}

/* Spare room of the second disk, behind its file system. */
TEST(range_of_a_virtio_disk_is_zeroed_and_discarded)
{
	unsigned long long range[2] = { SIZE + 4096, 4096 };
	static unsigned char data[65536];
	int fd;

	if (access("/dev/vdb", F_OK))
		load_disk_driver();
	fd = open("/dev/vdb", O_RDWR);
	memset(data, 'x', sizeof(data));
	EXPECT_EQ(pwrite(fd, data, sizeof(data), SIZE), (long)sizeof(data));
	EXPECT_EQ(fsync(fd), 0);
	EXPECT_EQ(ioctl(fd, BLKZEROOUT, range), 0);
	EXPECT_EQ(fallocate(fd, FALLOC_FL_ZERO_RANGE, SIZE + 16384, 4096), 0);
	EXPECT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, SIZE + 32768, 4096), 0);
	range[0] = SIZE + 49152;
	EXPECT_EQ(ioctl(fd, BLKDISCARD, range), 0);
	EXPECT_ERRNO(fallocate(fd, 0, SIZE, 4096), EOPNOTSUPP);
	EXPECT_ERRNO(fallocate(fd, FALLOC_FL_ZERO_RANGE, SIZE + 100, 4096), EINVAL);
	EXPECT_ERRNO(fallocate(fd, FALLOC_FL_ZERO_RANGE, 1ll << 40, 4096), EINVAL);
	for (int again = 0; again < 2; again++) {
		EXPECT_EQ(pread(fd, data, sizeof(data), SIZE), (long)sizeof(data));
		for (int page = 0; page < 16; page++) {
			int byte = page == 1 || page == 4 || page == 8 ? 0 : 'x';

			if (page == 12)
				continue; /* discarded: anything */
			EXPECT_EQ(data[page * 4096], byte);
			EXPECT_EQ(data[page * 4096 + 4095], byte);
		}
		EXPECT_EQ(ioctl(fd, BLKFLSBUF), 0);
	}
	close(fd);
}
