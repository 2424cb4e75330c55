/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open(2), read(2), write(2), lseek(2), descriptors. */
#include "guest_test.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

TEST(open_creates_and_reads_back)
{
	char buf[64];

	make_file("a", "hello");
	EXPECT_EQ(read_file("a", buf, sizeof(buf)), 5);
	EXPECT_STREQ(buf, "hello");
}

TEST(open_reports_errors)
{
	char longname[300];

	EXPECT_ERRNO(open("absent", O_RDONLY), ENOENT);
	EXPECT_ERRNO(open("", O_RDONLY), ENOENT);
	EXPECT_ERRNO(open("absent/x", O_CREAT | O_WRONLY, 0600), ENOENT);
	make_file("f", "x");
	EXPECT_ERRNO(open("f/x", O_RDONLY), ENOTDIR);
	EXPECT_ERRNO(open("f/", O_RDONLY), ENOTDIR);
	EXPECT_ERRNO(open("f", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	EXPECT_ERRNO(open("f", O_DIRECTORY), ENOTDIR);
	EXPECT_ERRNO(open(".", O_WRONLY), EISDIR);
	EXPECT_ERRNO(open((char *)1, O_RDONLY), EFAULT);
	memset(longname, 'a', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = 0;
	EXPECT_ERRNO(open(longname, O_RDONLY), ENAMETOOLONG);
	EXPECT_EQ(symlink("loop", "loop"), 0);
	EXPECT_ERRNO(open("loop", O_RDONLY), ELOOP);
	EXPECT_ERRNO(open("loop", O_RDONLY | O_NOFOLLOW), ELOOP);
}

TEST(open_gives_the_lowest_descriptor)
{
	int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY);

	EXPECT_EQ(b, a + 1);
	close(a);
	EXPECT_EQ(open("/dev/null", O_RDONLY), a);
	EXPECT_EQ(dup(b), b + 1);
	EXPECT_EQ(fcntl(b, F_DUPFD, 100), 100);
	EXPECT_EQ(fcntl(b, F_DUPFD_CLOEXEC, 100), 101);
	EXPECT_EQ(fcntl(101, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(100, F_GETFD), 0);
}

TEST(open_honours_the_mode_and_umask)
{
	struct stat st;

	umask(027);
	EXPECT_GE(open("m", O_CREAT | O_WRONLY, 0777), 0);
	EXPECT_EQ(stat("m", &st), 0);
	EXPECT_EQ(st.st_mode, S_IFREG | 0750);
	EXPECT_EQ(umask(022), 027);
}

TEST(open_truncates_and_appends)
{
	char buf[64];
	int fd;

	make_file("f", "0123456789");
	fd = open("f", O_WRONLY | O_APPEND);
	EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_EQ(write(fd, "ab", 2), 2);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 12);
	close(fd);
	read_file("f", buf, sizeof(buf));
	EXPECT_STREQ(buf, "0123456789ab");
	close(open("f", O_WRONLY | O_TRUNC));
	EXPECT_EQ(read_file("f", buf, sizeof(buf)), 0);
}

TEST(access_mode_limits_the_descriptor)
{
	char c;
	int fd;

	make_file("f", "x");
	fd = open("f", O_RDONLY);
	EXPECT_ERRNO(write(fd, "x", 1), EBADF);
	EXPECT_ERRNO(ftruncate(fd, 0), EINVAL);
	close(fd);
	fd = open("f", O_WRONLY);
	EXPECT_ERRNO(read(fd, &c, 1), EBADF);
	close(fd);
	EXPECT_ERRNO(read(fd, &c, 1), EBADF);
	EXPECT_ERRNO(close(fd), EBADF);
	fd = open("f", O_PATH);
	EXPECT_ERRNO(read(fd, &c, 1), EBADF);
	EXPECT_ERRNO(read(-1, &c, 1), EBADF);
	EXPECT_ERRNO(read(1 << 20, &c, 1), EBADF);
}

TEST(lseek_moves)
{
	char buf[8] = "";
	int fd = open("f", O_RDWR | O_CREAT, 0600), p[2];

	EXPECT_EQ(write(fd, "abcdef", 6), 6);
	EXPECT_EQ(lseek(fd, 2, SEEK_SET), 2);
	EXPECT_EQ(read(fd, buf, 2), 2);
	EXPECT_STREQ(buf, "cd");
	EXPECT_EQ(lseek(fd, -1, SEEK_END), 5);
	EXPECT_EQ(lseek(fd, 1, SEEK_CUR), 6);
	EXPECT_EQ(read(fd, buf, 1), 0);
	EXPECT_ERRNO(lseek(fd, -10, SEEK_CUR), EINVAL);
	EXPECT_ERRNO(lseek(fd, 0, 99), EINVAL);
	EXPECT_EQ(lseek(fd, 0, SEEK_DATA), 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_HOLE), 6);
	EXPECT_ERRNO(lseek(fd, 100, SEEK_DATA), ENXIO);
	EXPECT_EQ(pipe(p), 0);
	EXPECT_ERRNO(lseek(p[0], 0, SEEK_SET), ESPIPE);
}

TEST(files_have_holes_of_zeros)
{
	char buf[16];
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT_EQ(pwrite(fd, "end", 3, 1 << 20), 3);
	EXPECT_EQ(pread(fd, buf, 16, 5000), 16);
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(buf[i], 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), (1 << 20) + 3);
	EXPECT_EQ(ftruncate(fd, 10), 0);
	EXPECT_EQ(ftruncate(fd, 1 << 21), 0);
	EXPECT_EQ(pread(fd, buf, 3, 1 << 20), 3);
	EXPECT_EQ(buf[0], 0);
	EXPECT_ERRNO(ftruncate(fd, -1), EINVAL);
	EXPECT_ERRNO(pread(fd, buf, 1, -1), EINVAL);
}

TEST(vectors_scatter_and_gather)
{
	char a[4] = "", b[8] = "";
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	struct iovec out[] = { { "one", 3 }, { NULL, 0 }, { "twothree", 8 } };
	struct iovec in[] = { { a, 3 }, { b, 7 } };

	EXPECT_EQ(writev(fd, out, 3), 11);
	EXPECT_EQ(preadv(fd, in, 2, 0), 10);
	EXPECT_STREQ(a, "one");
	EXPECT(memcmp(b, "twothre", 7) == 0);
	EXPECT_ERRNO(writev(fd, out, -1), EINVAL);
	EXPECT_ERRNO(readv(fd, in, 1025), EINVAL);
	EXPECT_EQ(writev(fd, out, 0), 0);
	in[0].iov_len = (size_t)-1;
	EXPECT_ERRNO(preadv(fd, in, 2, 0), EINVAL);
}

TEST(bad_buffers_fault)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT_ERRNO(write(fd, (void *)8, 10), EFAULT);
	EXPECT_EQ(write(fd, "0123456789", 10), 10);
	EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_ERRNO(read(fd, (void *)8, 10), EFAULT);
	EXPECT_ERRNO(read(fd, (void *)-4096, 10), EFAULT);
	EXPECT_ERRNO(read(fd, (void *)0xffff800000000000, 10), EFAULT);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
	EXPECT_EQ(read(fd, (void *)8, 0), 0);
}

TEST(dup2_and_dup3)
{
	int fd = open("/dev/null", O_RDONLY);

	EXPECT_EQ(dup2(fd, 50), 50);
	EXPECT_EQ(dup2(fd, fd), fd);
	EXPECT_ERRNO(dup3(fd, fd, 0), EINVAL);
	EXPECT_ERRNO(dup3(fd, 60, 1), EINVAL);
	EXPECT_EQ(dup3(fd, 60, O_CLOEXEC), 60);
	EXPECT_EQ(fcntl(60, F_GETFD), FD_CLOEXEC);
	EXPECT_ERRNO(dup2(fd, -1), EBADF);
	EXPECT_ERRNO(dup2(999, 3), EBADF);
	EXPECT_ERRNO(dup2(fd, 1 << 24), EBADF);
}

TEST(duplicates_share_the_offset)
{
	int fd, other;
	char c;

	make_file("f", "abc");
	fd = open("f", O_RDONLY);
	other = dup(fd);
	EXPECT_EQ(read(fd, &c, 1), 1);
	EXPECT_EQ(read(other, &c, 1), 1);
	EXPECT_EQ(c, 'b');
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 2);
}

TEST(descriptor_limit_holds)
{
	struct rlimit old, limit = { 20, 20 };
	int fd, last = -1;

	EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit.rlim_max = old.rlim_max;
	EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	EXPECT_EQ(errno, EMFILE);
	EXPECT_EQ(last, 19);
	EXPECT_ERRNO(fcntl(1, F_DUPFD, 20), EINVAL);
	EXPECT_ERRNO(dup2(1, 20), EBADF);
}

TEST(close_range_closes)
{
	for (int i = 100; i < 110; i++)
		dup2(1, i);
	EXPECT_EQ(syscall(SYS_close_range, 100u, 104u, 0u), 0);
	EXPECT_ERRNO(fcntl(104, F_GETFD), EBADF);
	EXPECT_EQ(fcntl(105, F_GETFD), 0);
	EXPECT_EQ(syscall(SYS_close_range, 105u, ~0u, 4u), 0); /* CLOSE_RANGE_CLOEXEC */
	EXPECT_EQ(fcntl(109, F_GETFD), FD_CLOEXEC);
	EXPECT_ERRNO(syscall(SYS_close_range, 10u, 5u, 0u), EINVAL);
}

TEST(status_flags_change)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR);
	EXPECT_EQ(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK), 0);
	EXPECT_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK),
		  O_RDWR | O_APPEND | O_NONBLOCK);
	EXPECT_ERRNO(fcntl(fd, 9999), EINVAL);
}

TEST(devices_behave)
{
	char buf[16] = "zzzzzzzzzzzzzzz";
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR),
	    full = open("/dev/full", O_RDWR);

	EXPECT_EQ(read(null, buf, 5), 0);
	EXPECT_EQ(write(null, buf, 5), 5);
	EXPECT_EQ(read(zero, buf, 5), 5);
	EXPECT_EQ(buf[0] | buf[4], 0);
	EXPECT_ERRNO(write(full, buf, 1), ENOSPC);
	EXPECT_EQ(read(full, buf, 3), 3);
}

TEST(sendfile_and_copy_file_range_copy)
{
	char buf[16];
	int in, out = open("out", O_RDWR | O_CREAT, 0600);
	off_t at = 2;

	make_file("in", "0123456789");
	in = open("in", O_RDONLY);
	EXPECT_EQ(syscall(SYS_sendfile, out, in, &at, 4), 4);
	EXPECT_EQ(at, 6);
	EXPECT_EQ(syscall(SYS_copy_file_range, in, NULL, out, NULL, 3, 0), 3);
	EXPECT_EQ(read_file("out", buf, sizeof(buf)), 7);
	EXPECT_STREQ(buf, "2345012");
}

TEST(fallocate_extends_and_punches)
{
	struct stat st;
	char c;
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT_EQ(fallocate(fd, 0, 0, 10000), 0);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_size, 10000);
	EXPECT_EQ(pwrite(fd, "x", 1, 4096), 1);
	EXPECT_EQ(fallocate(fd, 3, 4096, 4096), 0); /* keep size, punch hole */
	EXPECT_EQ(pread(fd, &c, 1, 4096), 1);
	EXPECT_EQ(c, 0);
	EXPECT_ERRNO(fallocate(fd, 0, -1, 10), EINVAL);
}

TEST(memfd_is_a_file)
{
	char c = 0;
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	REQUIRE(fd >= 0);
	EXPECT_EQ(write(fd, "abc", 3), 3);
	EXPECT_EQ(pread(fd, &c, 1, 1), 1);
	EXPECT_EQ(c, 'b');
	EXPECT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), 0);
	EXPECT_ERRNO(write(fd, "x", 1), EPERM);
	EXPECT_ERRNO(ftruncate(fd, 0), EPERM);
	EXPECT_ERRNO(memfd_create("x", 0x8000u), EINVAL);
}
