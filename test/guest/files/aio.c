/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux's asynchronous I/O: io_setup(2), io_submit(2), io_getevents(2), io_destroy(2). */
#include <guest_test.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <linux/aio_abi.h>

#define io_setup(...) syscall(SYS_io_setup, __VA_ARGS__)
#define io_submit(...) syscall(SYS_io_submit, __VA_ARGS__)
#define io_getevents(...) syscall(SYS_io_getevents, __VA_ARGS__)
#define io_destroy(...) syscall(SYS_io_destroy, __VA_ARGS__)
#define io_cancel(...) syscall(SYS_io_cancel, __VA_ARGS__)

static struct iocb request(int fd, int operation, void *buffer, size_t size, long offset)
{
	return (struct iocb){ .aio_fildes = (uint32_t)fd,
			      .aio_lio_opcode = (uint16_t)operation,
			      .aio_buf = (uintptr_t)buffer,
			      .aio_nbytes = size,
			      .aio_offset = offset,
			      .aio_data = 77 };
}

TEST(aio_writes_and_reads)
{
	aio_context_t context = 0;
	struct io_event events[4];
	char text[8] = "abcdefg", back[8] = {};
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	struct iocb write_it = request(fd, IOCB_CMD_PWRITE, text, 7, 3);
	struct iocb read_it = request(fd, IOCB_CMD_PREAD, back, 8, 5);
	struct iovec parts[2] = { { text, 2 }, { text + 4, 2 } };
	struct iocb vector = request(fd, IOCB_CMD_PWRITEV, parts, 2, 0);
	struct iocb sync = request(fd, IOCB_CMD_FSYNC, NULL, 0, 0);
	struct iocb *list[] = { &write_it, &read_it };

	EXPECT_EQ(io_setup(8, &context), 0);
	EXPECT_NE(context, 0);
	EXPECT_EQ(io_submit(context, 1, list), 1);
	EXPECT_EQ(io_getevents(context, 1, 4, events, NULL), 1);
	EXPECT_EQ(events[0].res, 7);
	EXPECT_EQ(events[0].data, 77);
	EXPECT_EQ(events[0].obj, (uintptr_t)&write_it);
	EXPECT_EQ(io_submit(context, 1, list + 1), 1);
	EXPECT_EQ(io_getevents(context, 1, 4, events, NULL), 1);
	EXPECT_EQ(events[0].res, 5);
	EXPECT_STREQ(back, "cdefg");
	list[0] = &vector;
	EXPECT_EQ(io_submit(context, 1, list), 1);
	EXPECT_EQ(io_getevents(context, 1, 4, events, NULL), 1);
	EXPECT_EQ(events[0].res, 4);
	EXPECT_EQ(pread(fd, back, 4, 0), 4);
	EXPECT_EQ(memcmp(back, "abef", 4), 0);
	list[0] = &sync;
	EXPECT_EQ(io_submit(context, 1, list), 1);
	EXPECT_EQ(io_getevents(context, 1, 4, events, NULL), 1);
	EXPECT_EQ(events[0].res, 0);
	EXPECT_EQ(io_destroy(context), 0);
	EXPECT_ERRNO(io_destroy(context), EINVAL);
}

TEST(aio_results_wait_and_tell)
{
	aio_context_t context = 0;
	struct io_event events[8];
	struct timespec none = {}, soon = { .tv_nsec = 20000000 };
	char text[4] = "abc";
	int fd = open("f", O_CREAT | O_RDWR, 0600), event = eventfd(0, 0);
	struct iocb requests[4], *list[4];
	uint64_t count;

	EXPECT_EQ(io_setup(4, &context), 0);
	EXPECT_EQ(io_getevents(context, 0, 8, events, &none), 0);
	long long start = now_ms();
	EXPECT_EQ(io_getevents(context, 1, 8, events, &soon), 0);
	EXPECT_GE(now_ms() - start, 19);
	for (int i = 0; i < 4; i++) {
		requests[i] = request(fd, IOCB_CMD_PWRITE, text, 3, 3 * i);
		requests[i].aio_flags = IOCB_FLAG_RESFD;
		requests[i].aio_resfd = (uint32_t)event;
		list[i] = &requests[i];
	}
	EXPECT_EQ(io_submit(context, 4, list), 4);
	EXPECT_EQ(io_getevents(context, 4, 8, events, NULL), 4);
	EXPECT_EQ(read(event, &count, sizeof(count)), sizeof(count));
	EXPECT_EQ(count, 4);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), 12);
	EXPECT_EQ(io_destroy(context), 0);
}

TEST(aio_refuses)
{
	aio_context_t context = 0, zero = 0;
	struct io_event events[4];
	char text[4] = "abc";
	int fd = open("f", O_CREAT | O_WRONLY, 0600);
	struct iocb bad = request(99, IOCB_CMD_PWRITE, text, 3, 0), *list[] = { &bad, &bad };

	EXPECT_ERRNO(io_setup(0, &context), EINVAL);
	EXPECT_ERRNO(io_setup(1, NULL), EFAULT);
	EXPECT_ERRNO(io_setup(1u << 31, &context), EAGAIN);
	EXPECT_EQ(io_setup(4, &context), 0);
	EXPECT_ERRNO(io_setup(4, &context), EINVAL);
	EXPECT_ERRNO(io_submit(context, -1L, list), EINVAL);
	EXPECT_EQ(io_submit(context, 0, list), 0);
	EXPECT_ERRNO(io_submit(zero, 1, list), EINVAL);
	EXPECT_ERRNO(io_submit(context, 1, NULL), EFAULT);
	EXPECT_ERRNO(io_submit(context, 1, list), EBADF);
	bad.aio_fildes = (uint32_t)fd;
	bad.aio_lio_opcode = IOCB_CMD_PREAD;
	EXPECT_ERRNO(io_submit(context, 1, list), EBADF);
	bad.aio_lio_opcode = 99;
	EXPECT_ERRNO(io_submit(context, 1, list), EINVAL);
	bad = request(fd, IOCB_CMD_PWRITE, text, 3, 0);
	bad.aio_reserved2 = 1;
	EXPECT_ERRNO(io_submit(context, 1, list), EINVAL);
	bad.aio_reserved2 = 0;
	bad.aio_flags = IOCB_FLAG_RESFD;
	bad.aio_resfd = (uint32_t)fd;
	EXPECT_ERRNO(io_submit(context, 1, list), EINVAL);
	/* What goes wrong with the data is the result. */
	bad = request(fd, IOCB_CMD_PWRITE, (void *)8, 3, 0);
	EXPECT_EQ(io_submit(context, 1, list), 1);
	EXPECT_EQ(io_getevents(context, 1, 4, events, NULL), 1);
	EXPECT_EQ(events[0].res, -EFAULT);
	EXPECT_ERRNO(io_cancel(context, &bad, events), EINVAL);
	EXPECT_ERRNO(io_getevents(context, 2, 1, events, NULL), EINVAL);
	EXPECT_ERRNO(io_getevents(context, -1L, 1, events, NULL), EINVAL);
	EXPECT_ERRNO(io_getevents(zero, 0, 1, events, NULL), EINVAL);
	/* A child has none. */
	IN_CHILD(pid)
	{
		EXPECT_ERRNO(io_submit(context, 0, list), EINVAL);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(io_destroy(context), 0);
	EXPECT_ERRNO(io_submit(context, 0, list), EINVAL);
}
