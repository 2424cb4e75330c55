/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mappings of files: sharing, private copies, the end of the file, msync(2). */
#include "guest_test.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096ul

static int file_of(size_t size)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);

	REQUIRE(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	return fd;
}

static int read_signal(volatile char *p)
{
	IN_CHILD(pid)
	{
		(void)*p;
		_exit(0);
	}
	int status = wait_status(pid);

	return status >= 128 ? status - 128 : 0;
}

TEST(shared_mapping_and_file_are_one)
{
	int fd = file_of(4 * PAGE);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, (off_t)PAGE);
	char buf[6] = "";

	REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
	strcpy(p + PAGE, "hello");
	EXPECT_STREQ(q, "hello");
	EXPECT_EQ(pread(fd, buf, 6, (off_t)PAGE), 6);
	EXPECT_STREQ(buf, "hello");
	EXPECT_EQ(pwrite(fd, "world", 6, (off_t)PAGE), 6);
	EXPECT_STREQ(p + PAGE, "world");
	EXPECT_EQ(msync(p, 4 * PAGE, MS_SYNC), 0);
	EXPECT_EQ(msync(p, 4 * PAGE, MS_ASYNC), 0);
	EXPECT_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	EXPECT_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	IN_CHILD(pid)
	{
		p[0] = 'c';
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(p[0], 'c');
	munmap(p, 4 * PAGE);
	EXPECT_ERRNO(msync(p, PAGE, MS_SYNC), ENOMEM);
}

TEST(private_mapping_copies_on_write)
{
	int fd = file_of(2 * PAGE);
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char c = 0;

	REQUIRE(p != MAP_FAILED);
	EXPECT_EQ(p[0], 0);
	EXPECT_EQ(pwrite(fd, "x", 1, 0), 1);
	p[1] = 'y';
	EXPECT_EQ(pread(fd, &c, 1, 1), 1);
	EXPECT_EQ(c, 0);
	EXPECT_EQ(pwrite(fd, "z", 1, 0), 1);
	EXPECT_EQ(p[0], 'x');
	IN_CHILD(pid)
	{
		_exit(p[0] == 'x' && p[1] == 'y' ? 0 : 1);
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(beyond_the_end_is_a_bus_error)
{
	int fd = file_of(PAGE + 10);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	REQUIRE(p != MAP_FAILED);
	EXPECT_EQ(p[PAGE + 10], 0);
	EXPECT_EQ(p[2 * PAGE - 1], 0);
	EXPECT_EQ(read_signal(p + 2 * PAGE), SIGBUS);
	EXPECT_EQ(ftruncate(fd, (off_t)(4 * PAGE)), 0);
	EXPECT_EQ(p[3 * PAGE], 0);
	p[3 * PAGE] = 'a';
	EXPECT_EQ(ftruncate(fd, 100), 0);
	EXPECT_EQ(read_signal(p + 3 * PAGE), SIGBUS);
	EXPECT_EQ(read_signal(p + PAGE), SIGBUS);
	EXPECT_EQ(ftruncate(fd, (off_t)(4 * PAGE)), 0);
	EXPECT_EQ(p[3 * PAGE], 0);
}

TEST(truncation_zeroes_the_tail)
{
	int fd = file_of(PAGE);
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	REQUIRE(p != MAP_FAILED);
	memset(p, 'a', PAGE);
	EXPECT_EQ(ftruncate(fd, 100), 0);
	EXPECT_EQ(ftruncate(fd, (off_t)PAGE), 0);
	EXPECT_EQ(p[99], 'a');
	EXPECT_EQ(p[100], 0);
	EXPECT_EQ(p[PAGE - 1], 0);
}

TEST(open_mode_limits_what_may_be_mapped)
{
	file_of(PAGE);
	int reading = open("file", O_RDONLY), writing = open("file", O_WRONLY);

	EXPECT_ERRNO(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reading, 0), EACCES);
	EXPECT_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, writing, 0), EACCES);
	EXPECT_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writing, 0), EACCES);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reading, 0);
	REQUIRE(p != MAP_FAILED);
	EXPECT_ERRNO(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES);
	char *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reading, 0);
	REQUIRE(q != MAP_FAILED);
	q[0] = 1;
	EXPECT_EQ(p[0], 0);
}

TEST(a_mapping_outlives_its_descriptor_and_name)
{
	int fd = file_of(PAGE);

	EXPECT_EQ(write(fd, "kept", 5), 5);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	unlink("file");
	EXPECT_STREQ(p, "kept");
	EXPECT_EQ(munmap(p, PAGE), 0);
}

TEST(shared_anonymous_memory_crosses_fork)
{
	int *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	p[0] = 1;
	IN_CHILD(pid)
	{
		p[0]++;
		p[2000] = 7;
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(p[0], 2);
	EXPECT_EQ(p[2000], 7);
}

TEST(copying_from_a_mapping_beyond_the_end_is_efault)
{
	int fd = file_of(10);
	char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	int out = open("/dev/null", O_WRONLY), pair[2];

	REQUIRE(p != MAP_FAILED && pipe(pair) == 0);
	EXPECT_EQ(write(out, p, 5), 5);
	EXPECT_ERRNO(write(pair[1], p + PAGE, 5), EFAULT);
	EXPECT_EQ(write(pair[1], "abc", 3), 3);
	EXPECT_ERRNO(read(pair[0], p, 3), EFAULT);
}
