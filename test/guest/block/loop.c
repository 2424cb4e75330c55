/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loop devices: loop(4). */
#include "block_test.h"

#include <limits.h>

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

static int control(unsigned long request, long argument)
{
	int fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC), result;

	REQUIRE(fd >= 0);
	result = ioctl(fd, request, argument);
	close(fd);
	return result;
}

int loop_open(int number, int partition, int flags)
{
	char name[40];
	struct stat st;

	snprintf(name, sizeof(name), partition ? "/dev/loop%dp%d" : "/dev/loop%d", number,
		 partition);
	/* Nobody but the kernel makes names here. */
	for (int i = 0; i < 200 && stat(name, &st); i++)
		sleep_ms(5);
	return open(name, flags | O_CLOEXEC);
}

int loop_make(const char *file, off_t size, unsigned flags, int *fd)
{
	struct loop_config config = { .info.lo_flags = flags };
	int number = control(LOOP_CTL_GET_FREE, 0);
	int backing = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	REQUIRE(number >= 0 && backing >= 0);
	REQUIRE(ftruncate(backing, size) == 0);
	*fd = loop_open(number, 0, O_RDWR);
	REQUIRE(*fd >= 0);
	config.fd = (unsigned)backing;
	snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "%s", file);
	REQUIRE(ioctl(*fd, LOOP_CONFIGURE, &config) == 0);
	close(backing);
	return number;
}

void loop_end(int fd)
{
	EXPECT_EQ(ioctl(fd, LOOP_CLR_FD), 0);
	EXPECT_EQ(close(fd), 0);
}

TEST(loop_shows_the_file)
{
	char buf[4096];
	int fd, backing;

	loop_make("disk", 4 * MIB, 0, &fd);
	backing = open("disk", O_RDWR);
	EXPECT_EQ(pwrite(backing, "from the file", 13, 8192), 13);
	EXPECT_EQ(pread(fd, buf, sizeof(buf), 8192), (long)sizeof(buf));
	EXPECT(memcmp(buf, "from the file", 13) == 0);
	memset(buf, 'd', sizeof(buf));
	EXPECT_EQ(pwrite(fd, buf, sizeof(buf), MIB), (long)sizeof(buf));
	EXPECT_EQ(fsync(fd), 0);
	memset(buf, 0, sizeof(buf));
	EXPECT_EQ(pread(backing, buf, sizeof(buf), MIB), (long)sizeof(buf));
	EXPECT(buf[0] == 'd' && buf[4095] == 'd');
	EXPECT_EQ(lseek(fd, 0, SEEK_END), 4 * MIB);
	EXPECT_EQ(pread(fd, buf, 10, 4 * MIB), 0);
	EXPECT_ERRNO(pwrite(fd, buf, 10, 4 * MIB), ENOSPC);
	loop_end(fd);
}

TEST(loop_status_is_told_back)
{
	struct loop_info64 info;
	struct stat st;
	int fd, number = loop_make("disk", MIB, LO_FLAGS_AUTOCLEAR, &fd);

	EXPECT_EQ(ioctl(fd, LOOP_GET_STATUS64, &info), 0);
	EXPECT_EQ(stat("disk", &st), 0);
	EXPECT_EQ(info.lo_inode, st.st_ino);
	EXPECT_EQ(info.lo_device, st.st_dev);
	EXPECT_EQ(info.lo_number, number);
	EXPECT_EQ(info.lo_flags, LO_FLAGS_AUTOCLEAR);
	EXPECT_STREQ((char *)info.lo_file_name, "disk");
	EXPECT_ERRNO(ioctl(fd, LOOP_SET_FD, fd), EBUSY);
	loop_end(fd);
}

TEST(loop_unbound_answers_enxio)
{
	struct loop_info64 info;
	int number = control(LOOP_CTL_GET_FREE, 0);
	int fd = loop_open(number, 0, O_RDWR);
	unsigned long long size = 1;
	char byte;

	REQUIRE(fd >= 0);
	EXPECT_ERRNO(ioctl(fd, LOOP_GET_STATUS64, &info), ENXIO);
	EXPECT_ERRNO(ioctl(fd, LOOP_CLR_FD), ENXIO);
	EXPECT_ERRNO(ioctl(fd, LOOP_SET_CAPACITY), ENXIO);
	EXPECT_EQ(ioctl(fd, BLKGETSIZE64, &size), 0);
	EXPECT_EQ(size, 0);
	EXPECT_EQ(read(fd, &byte, 1), 0);
	EXPECT_ERRNO(ioctl(fd, LOOP_SET_FD, 99), EBADF);
	close(fd);
}

TEST(loop_offset_and_limit)
{
	struct loop_info64 info;
	unsigned long long size;
	char buf[512];
	int fd, backing;

	loop_make("disk", MIB, 0, &fd);
	backing = open("disk", O_RDWR);
	pwrite(backing, "at the offset", 13, 65536);
	EXPECT_EQ(ioctl(fd, LOOP_GET_STATUS64, &info), 0);
	info.lo_offset = 65536;
	info.lo_sizelimit = 8192;
	EXPECT_EQ(ioctl(fd, LOOP_SET_STATUS64, &info), 0);
	EXPECT_EQ(ioctl(fd, BLKGETSIZE64, &size), 0);
	EXPECT_EQ(size, 8192);
	EXPECT_EQ(pread(fd, buf, 512, 0), 512);
	EXPECT(memcmp(buf, "at the offset", 13) == 0);
	info.lo_sizelimit = 0;
	EXPECT_EQ(ioctl(fd, LOOP_SET_STATUS64, &info), 0);
	EXPECT_EQ(ioctl(fd, BLKGETSIZE64, &size), 0);
	EXPECT_EQ(size, MIB - 65536);
	EXPECT_EQ(ftruncate(backing, 2 * MIB), 0);
	EXPECT_EQ(ioctl(fd, LOOP_SET_CAPACITY), 0);
	EXPECT_EQ(ioctl(fd, BLKGETSIZE64, &size), 0);
	EXPECT_EQ(size, 2 * MIB - 65536);
	loop_end(fd);
}

TEST(loop_of_a_read_only_file_is_read_only)
{
	struct loop_config config = {};
	int number = control(LOOP_CTL_GET_FREE, 0), fd = loop_open(number, 0, O_RDWR), read_only;

	make_file("disk", "x");
	EXPECT_EQ(truncate("disk", MIB), 0);
	config.fd = (unsigned)open("disk", O_RDONLY);
	EXPECT_EQ(ioctl(fd, LOOP_CONFIGURE, &config), 0);
	EXPECT_EQ(ioctl(fd, BLKROGET, &read_only), 0);
	EXPECT_EQ(read_only, 1);
	EXPECT_ERRNO(write(fd, "y", 1), EPERM);
	close(config.fd);
	loop_end(fd);
}

TEST(loop_configure_checks_its_arguments)
{
	struct loop_config config = { .block_size = 1000 };
	int number = control(LOOP_CTL_GET_FREE, 0), fd = loop_open(number, 0, O_RDWR);
	int block_size;

	make_file("disk", "x");
	EXPECT_EQ(truncate("disk", MIB), 0);
	config.fd = (unsigned)open("disk", O_RDWR);
	EXPECT_ERRNO(ioctl(fd, LOOP_CONFIGURE, &config), EINVAL);
	config.block_size = 0;
	config.info.lo_flags = 0x8000;
	EXPECT_ERRNO(ioctl(fd, LOOP_CONFIGURE, &config), EINVAL);
	config.info.lo_flags = 0;
	config.block_size = 4096;
	EXPECT_EQ(ioctl(fd, LOOP_CONFIGURE, &config), 0);
	EXPECT_EQ(ioctl(fd, BLKSSZGET, &block_size), 0);
	EXPECT_EQ(block_size, 4096);
	EXPECT_ERRNO(ioctl(fd, LOOP_SET_BLOCK_SIZE, 777), EINVAL);
	EXPECT_EQ(ioctl(fd, LOOP_SET_BLOCK_SIZE, 512), 0);
	EXPECT_EQ(ioctl(fd, BLKSSZGET, &block_size), 0);
	EXPECT_EQ(block_size, 512);
	loop_end(fd);
}

TEST(loop_clears_itself_after_the_last_close)
{
	struct loop_info64 info;
	int fd, number = loop_make("disk", MIB, LO_FLAGS_AUTOCLEAR, &fd), other;

	other = loop_open(number, 0, O_RDONLY);
	close(fd);
	EXPECT_EQ(ioctl(other, LOOP_GET_STATUS64, &info), 0);
	close(other);
	other = loop_open(number, 0, O_RDONLY);
	EXPECT_ERRNO(ioctl(other, LOOP_GET_STATUS64, &info), ENXIO);
	close(other);
}

TEST(loop_control_adds_and_removes)
{
	struct stat st;

	EXPECT_EQ(control(LOOP_CTL_ADD, 77), 77);
	EXPECT_ERRNO(control(LOOP_CTL_ADD, 77), EEXIST);
	EXPECT_EQ(stat("/dev/loop77", &st), 0);
	EXPECT_EQ(major(st.st_rdev), 7);
	EXPECT_EQ(minor(st.st_rdev), 77);
	EXPECT_EQ(control(LOOP_CTL_REMOVE, 77), 0);
	EXPECT_ERRNO(control(LOOP_CTL_REMOVE, 77), ENODEV);
}

TEST(loop_that_is_bound_is_not_removed)
{
	int fd, number = loop_make("disk", MIB, 0, &fd);

	EXPECT_ERRNO(control(LOOP_CTL_REMOVE, number), EBUSY);
	EXPECT_NE(control(LOOP_CTL_GET_FREE, 0), number);
	loop_end(fd);
}

TEST(loop_over_a_loop)
{
	struct loop_config config = {};
	int fd, upper, number;
	char buf[512];

	loop_make("disk", MIB, 0, &fd);
	number = control(LOOP_CTL_GET_FREE, 0);
	upper = loop_open(number, 0, O_RDWR);
	config.fd = (unsigned)fd;
	config.info.lo_offset = 4096;
	EXPECT_EQ(ioctl(upper, LOOP_CONFIGURE, &config), 0);
	memset(buf, 'u', sizeof(buf));
	EXPECT_EQ(pwrite(upper, buf, 512, 512), 512);
	EXPECT_EQ(fsync(upper), 0);
	EXPECT_EQ(pread(fd, buf, 1, 4096 + 512), 1);
	EXPECT_EQ(buf[0], 'u');
	loop_end(upper);
	loop_end(fd);
}

TEST(loop_is_told_in_sys)
{
	char path[80], text[PATH_MAX];
	int fd, number = loop_make("disk", MIB, 0, &fd);

	snprintf(path, sizeof(path), "/sys/block/loop%d/loop/backing_file", number);
	EXPECT(read_file(path, text, sizeof(text)) > 0);
	EXPECT_STREQ(text, "/work/disk\n");
	snprintf(path, sizeof(path), "/sys/block/loop%d/size", number);
	EXPECT(read_file(path, text, sizeof(text)) > 0);
	EXPECT_STREQ(text, "2048\n");
	snprintf(path, sizeof(path), "/sys/block/loop%d/loop", number);
	loop_end(fd);
	EXPECT_ERRNO(access(path, F_OK), ENOENT);
}

TEST(loop_pages_are_mapped_and_written)
{
	char *map, byte;
	int fd, backing;

	loop_make("disk", MIB, 0, &fd);
	map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(map != MAP_FAILED);
	map[12345] = 'm';
	EXPECT_EQ(msync(map, MIB, MS_SYNC), 0);
	backing = open("disk", O_RDONLY);
	EXPECT_EQ(pread(backing, &byte, 1, 12345), 1);
	EXPECT_EQ(byte, 'm');
	munmap(map, MIB);
	loop_end(fd);
}
