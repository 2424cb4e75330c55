// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading through a FUSE server over /dev/fuse, in another process, each read asked of it: the same server on both kernels. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOUNT "/tmp/fuse"
#define SIZE 4096u

static char request[1 << 17], answer[sizeof(struct fuse_out_header) + (1 << 16)];

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){ .ino = node,
				   .size = node == FUSE_ROOT_ID ? 0 : SIZE,
				   .mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644,
				   .nlink = 1,
				   .blksize = SIZE };
}

/* The body of the answer: its size, or -errno. */
static int answer_to(const struct fuse_in_header *in, void *body)
{
	const struct fuse_init_in *init = (const void *)(in + 1);
	const struct fuse_read_in *read_in = (const void *)(in + 1);

	switch (in->opcode) {
	case FUSE_INIT:
		*(struct fuse_init_out *)body = (struct fuse_init_out){
			.major = FUSE_KERNEL_VERSION, .minor = init->minor, .max_write = 1 << 16
		};
		return sizeof(struct fuse_init_out);
	case FUSE_LOOKUP:
		*(struct fuse_entry_out *)body = (struct fuse_entry_out){
			.nodeid = 2, .entry_valid = 1000, .attr_valid = 1000, .attr = attributes(2)
		};
		return sizeof(struct fuse_entry_out);
	case FUSE_GETATTR:
		*(struct fuse_attr_out *)body =
			(struct fuse_attr_out){ .attr_valid = 1000,
						.attr = attributes(in->nodeid) };
		return sizeof(struct fuse_attr_out);
	case FUSE_OPEN:
		*(struct fuse_open_out *)body =
			(struct fuse_open_out){ .open_flags = FOPEN_DIRECT_IO };
		return sizeof(struct fuse_open_out);
	case FUSE_READ:
		return read_in->size < SIZE ? (int)read_in->size : (int)SIZE;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		return 0;
	default:
		return -ENOSYS;
	}
}

static void serve(int fd)
{
	struct fuse_in_header *in = (void *)request;
	struct fuse_out_header *out = (void *)answer;

	while (read(fd, request, sizeof(request)) > 0) {
		int size;

		if (in->opcode == FUSE_FORGET || in->opcode == FUSE_BATCH_FORGET ||
		    in->opcode == FUSE_INTERRUPT)
			continue;
		size = answer_to(in, out + 1);
		*out = (struct fuse_out_header){ .len = sizeof(*out) +
							(size > 0 ? (unsigned)size : 0),
						 .error = size < 0 ? size : 0,
						 .unique = in->unique };
		if (write(fd, answer, out->len) < 0)
			break;
	}
	_exit(0);
}

static int64_t reads(unsigned n, unsigned size)
{
	static char buffer[SIZE];
	int64_t ns = -1;
	int fd;

	fd = open(MOUNT "/file", O_RDONLY);
	if (fd >= 0 && pread(fd, buffer, size, 0) == size)
		ns = TIMED(n, pread(fd, buffer, size, 0));
	close(fd);
	return ns;
}

static int64_t with_server(unsigned n, unsigned size)
{
	char options[80];
	int fd = open("/dev/fuse", O_RDWR), status;
	int64_t ns = -1;
	pid_t pid;

	mkdir(MOUNT, 0755);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (fd < 0 || mount("bench", MOUNT, "fuse", MS_NOSUID | MS_NODEV, options))
		return -1;
	pid = fork();
	if (pid == 0)
		serve(fd);
	close(fd);
	ns = reads(n, size);
	umount2(MOUNT, MNT_DETACH);
	waitpid(pid, &status, 0);
	return ns;
}

BENCH("fuse", fuse_read_1, 1000)
{
	return with_server(n, 1);
}

BENCH("fuse", fuse_read_4k, 1000)
{
	return with_server(n, SIZE);
}
