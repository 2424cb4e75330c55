/* SPDX-License-Identifier: MIT */
/* The part of a strate that is the same for all: mounting, the loop over a device or a channel, headers. */
#define _GNU_SOURCE
#include <cairn/channel.h>
#include <cairn/handle.h>
#include <cairn/strate.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* One byte more than a request has: zero, so that names end. */
static char request[FUSE_MIN_READ_BUFFER + CAIRN_STRATE_DATA + 1];
static char answer[sizeof(struct fuse_out_header) + CAIRN_STRATE_DATA];

static long initialise(void *results)
{
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION,
				     .minor = 31,
				     .max_readahead = CAIRN_STRATE_DATA,
				     .max_write = CAIRN_STRATE_DATA };

	memcpy(results, &out, sizeof(out));
	return sizeof(out);
}

static long count_blocks(void *results)
{
	struct fuse_statfs_out out = { .st = { .bsize = 4096, .namelen = 255 } };

	memcpy(results, &out, sizeof(out));
	return sizeof(out);
}

/* Answers the request of that size: the size of what is in `answer`, 0: it wants no answer. */
static unsigned respond(cairn_strate_serve serve, size_t size)
{
	const struct fuse_in_header *in = (const void *)request;
	struct fuse_out_header out = { .unique = in->unique };
	void *results = answer + sizeof(out);
	long result;

	request[size] = 0;
	switch (in->opcode) {
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return 0;
	case FUSE_INIT:
		result = initialise(results);
		break;
	default:
		result = serve(in, in + 1, results);
		if (result == -ENOSYS && in->opcode == FUSE_STATFS)
			result = count_blocks(results);
	}
	out.error = result < 0 ? (int)result : 0;
	out.len = (unsigned)(sizeof(out) + (result > 0 ? (size_t)result : 0));
	memcpy(answer, &out, sizeof(out));
	return out.len;
}

static void serve_device(int device, cairn_strate_serve serve)
{
	ssize_t size;

	while ((size = read(device, request, sizeof(request) - 1)) > 0) {
		unsigned length = respond(serve, (size_t)size);

		if (length)
			(void)!write(device, answer, length);
	}
}

static void serve_channel(int receiver, cairn_strate_serve serve)
{
	struct cairn_payload payload = { .send = (unsigned long)answer,
					 .receive = (unsigned long)request };
	struct cairn_message message = { .words = { 0 } };

	for (;;) {
		payload.receive_size = sizeof(request) - 1;
		int kind = cairn_channel_reply_receive(receiver, 0, &message, &payload);

		if (kind < 0)
			return;
		payload.send_size =
			kind == CAIRN_RECEIVED_CALL ? respond(serve, payload.receive_size) : 0;
	}
}

/* ends[0] is served, ends[1] mounted. */
static int mount_end(const char *name, const char *directory, int end)
{
	char options[100], type[64];

	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=%u,group_id=%u", end,
		 getuid(), getgid());
	snprintf(type, sizeof(type), "fuse.%s", name);
	return mount(name, directory, type, MS_NOSUID | MS_NODEV, options);
}

/* A mount over a channel waits for the server. */
static int start_channel(const char *name, const char *directory, cairn_strate_serve serve)
{
	int ends[2], error;
	pid_t pid;

	if (cairn_channel_create(ends, 64, CAIRN_HANDLE_KEEP_ON_FORK))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		serve_channel(ends[0], serve);
		_exit(0);
	}
	close(ends[0]);
	error = pid < 0 ? -1 : mount_end(name, directory, ends[1]);
	close(ends[1]);
	return error ? -1 : pid;
}

/* A device cannot be read before it is mounted. */
static int start_device(const char *name, const char *directory, cairn_strate_serve serve)
{
	int device = open("/dev/fuse", O_RDWR);
	pid_t pid;

	if (device < 0)
		return -1;
	pid = mount_end(name, directory, device) ? -1 : fork();
	if (pid == 0) {
		serve_device(device, serve);
		_exit(0);
	}
	close(device);
	return pid;
}

int cairn_strate_start(const char *name, const char *directory, unsigned flags,
		       cairn_strate_serve serve)
{
	if (flags & ~CAIRN_STRATE_CHANNEL) {
		errno = EINVAL;
		return -1;
	}
	return flags & CAIRN_STRATE_CHANNEL ? start_channel(name, directory, serve)
					    : start_device(name, directory, serve);
}

int cairn_strate_main(int argc, char **argv, const char *name, cairn_strate_serve serve)
{
	int channel = argc == 3 && strcmp(argv[1], "--channel") == 0;

	if (argc != 2 + channel) {
		fprintf(stderr, "usage: %s [--channel] DIRECTORY\n", name);
		return 2;
	}
	if (cairn_strate_start(name, argv[1 + channel], channel ? CAIRN_STRATE_CHANNEL : 0, serve) <
	    0) {
		perror(name);
		return 1;
	}
	return 0;
}

long cairn_strate_entry(void *results, unsigned long node, const struct fuse_attr *attributes)
{
	struct fuse_entry_out out = {
		.nodeid = node, .entry_valid = 1, .attr_valid = 1, .attr = *attributes
	};

	memcpy(results, &out, sizeof(out));
	return sizeof(out);
}

long cairn_strate_attr(void *results, const struct fuse_attr *attributes)
{
	struct fuse_attr_out out = { .attr_valid = 1, .attr = *attributes };

	memcpy(results, &out, sizeof(out));
	return sizeof(out);
}

size_t cairn_strate_list(void *results, size_t used, size_t room, const char *name,
			 unsigned long node, unsigned mode, unsigned long next)
{
	struct fuse_dirent *entry = (void *)((char *)results + used);
	size_t length = strlen(name);

	if (used + FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + length) > room)
		return 0;
	*entry = (struct fuse_dirent){
		.ino = node, .off = next, .namelen = (unsigned)length, .type = mode >> 12
	};
	memcpy(entry->name, name, length);
	return used + FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + length);
}
