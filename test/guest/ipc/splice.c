/* SPDX-License-Identifier: GPL-2.0-or-later */
/* splice(2), tee(2), vmsplice(2), sendfile(2). */
#include "guest_test.h"

#include <sys/sendfile.h>
#include <sys/uio.h>

TEST(sendfile_copies_and_moves_offsets)
{
	char buf[32] = "";
	off_t offset = 2;
	int in, out;

	make_file("in", "0123456789");
	in = open("in", O_RDONLY);
	out = open("out", O_RDWR | O_CREAT, 0600);
	EXPECT_EQ(sendfile(out, in, &offset, 3), 3);
	EXPECT_EQ(offset, 5);
	EXPECT_EQ(lseek(in, 0, SEEK_CUR), 0);
	EXPECT_EQ(sendfile(out, in, NULL, 100), 10);
	EXPECT_EQ(lseek(in, 0, SEEK_CUR), 10);
	EXPECT_EQ(sendfile(out, in, NULL, 100), 0);
	EXPECT_EQ(read_file("out", buf, sizeof(buf)), 13);
	EXPECT_STREQ(buf, "2340123456789");
	EXPECT_ERRNO(sendfile(in, out, NULL, 1), EBADF);
}

TEST(splice_moves_between_pipe_and_file)
{
	char buf[32] = "";
	loff_t offset = 1;
	int fds[2], in, out;

	make_file("in", "0123456789");
	in = open("in", O_RDONLY);
	out = open("out", O_RDWR | O_CREAT, 0600);
	REQUIRE(pipe(fds) == 0);
	EXPECT_EQ(splice(in, &offset, fds[1], NULL, 4, 0), 4);
	EXPECT_EQ(offset, 5);
	EXPECT_EQ(splice(in, NULL, fds[1], NULL, 2, 0), 2);
	EXPECT_EQ(splice(fds[0], NULL, out, NULL, 100, 0), 6);
	EXPECT_EQ(read_file("out", buf, sizeof(buf)), 6);
	EXPECT_STREQ(buf, "123401");
	EXPECT_ERRNO(splice(fds[0], NULL, out, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	EXPECT_ERRNO(splice(in, NULL, out, NULL, 1, 0), EINVAL);
	EXPECT_ERRNO(splice(fds[0], &offset, out, NULL, 1, 0), ESPIPE);
	close(fds[1]);
	EXPECT_EQ(splice(fds[0], NULL, out, NULL, 1, 0), 0);
}

TEST(tee_copies_without_taking)
{
	char buf[16];
	int a[2], b[2];

	REQUIRE(pipe(a) == 0 && pipe(b) == 0);
	EXPECT_EQ(write(a[1], "shared", 6), 6);
	EXPECT_EQ(tee(a[0], b[1], 4, 0), 4);
	EXPECT_EQ(write(a[1], "!", 1), 1); /* must not reach the copy */
	EXPECT_EQ(read(b[0], buf, sizeof(buf)), 4);
	EXPECT_EQ(memcmp(buf, "shar", 4), 0);
	EXPECT_EQ(splice(a[0], NULL, b[1], NULL, 3, 0), 3);
	EXPECT_EQ(read(b[0], buf, sizeof(buf)), 3);
	EXPECT_EQ(read(a[0], buf, sizeof(buf)), 4);
	EXPECT_EQ(memcmp(buf, "red!", 4), 0);
	EXPECT_ERRNO(tee(a[0], a[1], 1, 0), EINVAL);
	EXPECT_ERRNO(tee(a[0], b[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
}

TEST(vmsplice_writes_a_vector)
{
	struct iovec iov[] = { { "ab", 2 }, { "cd", 2 } };
	char buf[8];
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	EXPECT_EQ(vmsplice(fds[1], iov, 2, 0), 4);
	EXPECT_EQ(read(fds[0], buf, sizeof(buf)), 4);
	EXPECT_ERRNO(vmsplice(open("/dev/null", O_WRONLY), iov, 2, 0), EBADF);
}
