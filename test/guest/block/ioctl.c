/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioctl(2) of block devices, and partitions: on loop devices. */
#include "block_test.h"

/* An MBR with up to three partitions of these first sectors and sizes. */
static void write_table(int fd, const unsigned (*parts)[2], int count)
{
	unsigned char sector[512] = {};

	for (int i = 0; i < count; i++) {
		unsigned char *entry = sector + 446 + i * 16;

		entry[4] = 0x83;
		memcpy(entry + 8, &parts[i][0], 4);
		memcpy(entry + 12, &parts[i][1], 4);
	}
	sector[510] = 0x55;
	sector[511] = 0xaa;
	EXPECT_EQ(pwrite(fd, sector, 512, 0), 512);
	EXPECT_EQ(fsync(fd), 0);
}

static int change(int fd, int op, int number, long long start, long long length)
{
	struct blkpg_partition p = { .start = start, .length = length, .pno = number };
	struct blkpg_ioctl_arg arg = { .op = op, .datalen = sizeof(p), .data = &p };

	return ioctl(fd, BLKPG, &arg);
}

static unsigned long long size_of(int fd)
{
	unsigned long long size = 0;

	EXPECT_EQ(ioctl(fd, BLKGETSIZE64, &size), 0);
	return size;
}

TEST(sizes_are_told)
{
	unsigned long sectors = 0;
	unsigned int physical = 0;
	int fd, logical = 0;
	unsigned short most = 0;

	loop_make("disk", 3 * MIB, 0, &fd);
	EXPECT_EQ(size_of(fd), 3 * MIB);
	EXPECT_EQ(ioctl(fd, BLKGETSIZE, &sectors), 0);
	EXPECT_EQ(sectors, 3 * MIB / 512);
	EXPECT_EQ(ioctl(fd, BLKSSZGET, &logical), 0);
	EXPECT_EQ(logical, 512);
	EXPECT_EQ(ioctl(fd, BLKPBSZGET, &physical), 0);
	EXPECT_EQ(physical, 512);
	EXPECT_EQ(ioctl(fd, BLKSECTGET, &most), 0);
	EXPECT(most >= 8);
	EXPECT_ERRNO(ioctl(fd, 0x1299), EINVAL); /* what loop devices say */
	loop_end(fd);
}

TEST(settings_are_kept)
{
	int fd, value = 1024;
	long ahead = 0;

	loop_make("disk", MIB, 0, &fd);
	EXPECT_EQ(ioctl(fd, BLKBSZSET, &value), 0);
	value = 0;
	EXPECT_EQ(ioctl(fd, BLKBSZGET, &value), 0);
	EXPECT_EQ(value, 1024);
	value = 1000;
	EXPECT_ERRNO(ioctl(fd, BLKBSZSET, &value), EINVAL);
	EXPECT_EQ(ioctl(fd, BLKRASET, 64l), 0);
	EXPECT_EQ(ioctl(fd, BLKRAGET, &ahead), 0);
	EXPECT_EQ(ahead, 64);
	loop_end(fd);
}

TEST(read_only_is_set_and_told)
{
	int fd, value = 1;

	loop_make("disk", MIB, 0, &fd);
	EXPECT_EQ(ioctl(fd, BLKROSET, &value), 0);
	value = 0;
	EXPECT_EQ(ioctl(fd, BLKROGET, &value), 0);
	EXPECT_EQ(value, 1);
	EXPECT_ERRNO(write(fd, "x", 1), EPERM);
	value = 0;
	EXPECT_EQ(ioctl(fd, BLKROSET, &value), 0);
	EXPECT_EQ(write(fd, "x", 1), 1);
	loop_end(fd);
}

TEST(zeroout_and_discard)
{
	unsigned long long range[2] = { 8192, 4096 };
	char buf[16384];
	int fd, reader, number = loop_make("disk", MIB, 0, &fd);

	memset(buf, 'x', sizeof(buf));
	EXPECT_EQ(pwrite(fd, buf, sizeof(buf), 0), (long)sizeof(buf));
	EXPECT_EQ(fsync(fd), 0);
	EXPECT_EQ(ioctl(fd, BLKZEROOUT, range), 0);
	EXPECT_EQ(pread(fd, buf, sizeof(buf), 0), (long)sizeof(buf));
	EXPECT(buf[8191] == 'x' && buf[8192] == 0 && buf[12287] == 0 && buf[12288] == 'x');
	range[0] = 12288;
	EXPECT_EQ(ioctl(fd, BLKDISCARD, range), 0);
	EXPECT_EQ(pread(fd, buf, sizeof(buf), 0), (long)sizeof(buf));
	EXPECT(buf[8191] == 'x' && buf[12288] == 0 && buf[16383] == 0);
	range[0] = 100;
	EXPECT_ERRNO(ioctl(fd, BLKZEROOUT, range), EINVAL);
	EXPECT_ERRNO(ioctl(fd, BLKDISCARD, range), EINVAL);
	range[0] = MIB;
	EXPECT_ERRNO(ioctl(fd, BLKZEROOUT, range), EINVAL);
	range[0] = 0;
	reader = loop_open(number, 0, O_RDONLY);
	EXPECT_ERRNO(ioctl(reader, BLKZEROOUT, range), EBADF);
	EXPECT_ERRNO(ioctl(reader, BLKDISCARD, range), EBADF);
	close(reader);
	loop_end(fd);
}

TEST(flsbuf_reads_the_disk_again)
{
	char buf[8] = "";
	int fd, backing;

	loop_make("disk", MIB, 0, &fd);
	EXPECT_EQ(pread(fd, buf, 4, 0), 4);
	backing = open("disk", O_RDWR);
	EXPECT_EQ(pwrite(backing, "new!", 4, 0), 4);
	EXPECT_EQ(ioctl(fd, BLKFLSBUF), 0);
	EXPECT_EQ(pread(fd, buf, 4, 0), 4);
	EXPECT(memcmp(buf, "new!", 4) == 0);
	loop_end(fd);
}

TEST(partitions_are_read_again)
{
	static const unsigned first[][2] = { { 64, 256 }, { 512, 1024 } };
	static const unsigned second[][2] = { { 128, 512 } };
	int fd, part, number = loop_make("disk", 2 * MIB, LO_FLAGS_PARTSCAN, &fd);
	char name[40];

	write_table(fd, first, 2);
	EXPECT_EQ(ioctl(fd, BLKRRPART), 0);
	part = loop_open(number, 2, O_RDWR);
	REQUIRE(part >= 0);
	EXPECT_EQ(size_of(part), 1024 * 512);
	EXPECT_ERRNO(ioctl(fd, BLKRRPART), EBUSY);
	EXPECT_ERRNO(ioctl(part, BLKRRPART), EINVAL);
	EXPECT_EQ(write(part, "second", 6), 6);
	EXPECT_EQ(fsync(part), 0);
	close(part);
	EXPECT_EQ(ioctl(fd, BLKFLSBUF), 0);
	EXPECT_EQ(pread(fd, name, 6, 512 * 512), 6);
	EXPECT(memcmp(name, "second", 6) == 0);
	write_table(fd, second, 1);
	EXPECT_EQ(ioctl(fd, BLKRRPART), 0);
	part = loop_open(number, 1, O_RDWR);
	EXPECT_EQ(size_of(part), 512 * 512);
	close(part);
	snprintf(name, sizeof(name), "/dev/loop%dp2", number);
	EXPECT_ERRNO(access(name, F_OK), ENOENT);
	loop_end(fd);
}

TEST(partitions_one_by_one)
{
	int fd, part, number = loop_make("disk", 2 * MIB, LO_FLAGS_PARTSCAN, &fd);

	EXPECT_EQ(change(fd, BLKPG_ADD_PARTITION, 5, 65536, 131072), 0);
	EXPECT_ERRNO(change(fd, BLKPG_ADD_PARTITION, 5, MIB, 65536), EBUSY);
	EXPECT_ERRNO(change(fd, BLKPG_ADD_PARTITION, 6, 131072, 65536), EBUSY);
	EXPECT_ERRNO(change(fd, BLKPG_ADD_PARTITION, 0, MIB, 65536), EINVAL);
	EXPECT_ERRNO(change(fd, BLKPG_ADD_PARTITION, 6, MIB, 0), EINVAL);
	EXPECT_ERRNO(change(fd, BLKPG_ADD_PARTITION, 6, MIB + 100, 65536), EINVAL);
	part = loop_open(number, 5, O_RDWR);
	REQUIRE(part >= 0);
	EXPECT_EQ(size_of(part), 131072);
	EXPECT_ERRNO(change(fd, BLKPG_DEL_PARTITION, 5, 0, 0), EBUSY);
	EXPECT_EQ(change(fd, BLKPG_RESIZE_PARTITION, 5, 65536, 262144), 0);
	EXPECT_EQ(size_of(part), 262144);
	EXPECT_ERRNO(change(fd, BLKPG_RESIZE_PARTITION, 5, 0, 262144), EINVAL);
	EXPECT_ERRNO(change(part, BLKPG_ADD_PARTITION, 1, 0, 4096), EINVAL);
	close(part);
	EXPECT_EQ(change(fd, BLKPG_DEL_PARTITION, 5, 0, 0), 0);
	EXPECT_ERRNO(change(fd, BLKPG_DEL_PARTITION, 5, 0, 0), ENXIO);
	EXPECT_ERRNO(change(fd, 99, 5, 0, 0), EINVAL);
	loop_end(fd);
}

TEST(partitions_are_told_in_sys)
{
	static const unsigned parts[][2] = { { 64, 256 } };
	char path[120], text[256], link[256];
	int fd, number = loop_make("disk", MIB, LO_FLAGS_PARTSCAN, &fd);
	ssize_t n;

	write_table(fd, parts, 1);
	EXPECT_EQ(ioctl(fd, BLKRRPART), 0);
	close(loop_open(number, 1, O_RDONLY));
	snprintf(path, sizeof(path), "/sys/block/loop%d/loop%dp1/start", number, number);
	EXPECT(read_file(path, text, sizeof(text)) > 0);
	EXPECT_STREQ(text, "64\n");
	snprintf(path, sizeof(path), "/sys/class/block/loop%dp1/size", number);
	EXPECT(read_file(path, text, sizeof(text)) > 0);
	EXPECT_STREQ(text, "256\n");
	snprintf(path, sizeof(path), "/sys/class/block/loop%dp1", number);
	n = readlink(path, link, sizeof(link) - 1);
	REQUIRE(n > 0);
	link[n] = 0;
	snprintf(text, sizeof(text), "../../devices/virtual/block/loop%d/loop%dp1", number, number);
	EXPECT_STREQ(link, text);
	snprintf(path, sizeof(path), "/sys/class/block/loop%dp1/uevent", number);
	EXPECT(read_file(path, text, sizeof(text)) > 0);
	EXPECT(strstr(text, "DEVTYPE=partition\n") && strstr(text, "PARTN=1\n"));
	loop_end(fd);
	EXPECT_ERRNO(access(path, F_OK), ENOENT);
}
