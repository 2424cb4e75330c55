/* SPDX-License-Identifier: MIT */
/*
 * A RAM file system as a strate: the smallest useful one, to be read.
 *
 *   ramfs DIRECTORY            serves over /dev/fuse
 *   ramfs --channel DIRECTORY  serves over a channel: each request is a call, each answer its reply
 *
 * A strate speaks the protocol of <linux/fuse.h>: a request is a fuse_in_header and arguments, an answer a fuse_out_header
 * and results. What it does not know it answers with ENOSYS; without OPEN and OPENDIR the kernel keeps no handles here.
 */
#define _GNU_SOURCE
#include <cairn/channel.h>
#include <cairn/handle.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct node {
	struct fuse_attr attr;
	unsigned long parent; /* index; 0: free */
	char name[256];
	char *data; /* of a file, or the target of a symbolic link */
};

#define NODES 1024
static struct node nodes[NODES]; /* the index is the node id; FUSE_ROOT_ID is 1 */
static char request[FUSE_MIN_READ_BUFFER + 256 * 1024], answer[256 * 1024];

#define HEADER ((struct fuse_in_header *)request)
#define ARGUMENTS ((void *)(HEADER + 1))
#define RESULTS ((void *)(answer + sizeof(struct fuse_out_header)))

static unsigned long find(unsigned long parent, const char *name)
{
	for (unsigned long i = 2; i < NODES; i++)
		if (nodes[i].parent == parent && strcmp(nodes[i].name, name) == 0)
			return i;
	return 0;
}

static int entry(unsigned long id)
{
	struct fuse_entry_out *out = RESULTS;

	*out = (struct fuse_entry_out){
		.nodeid = id, .entry_valid = 1, .attr_valid = 1, .attr = nodes[id].attr
	};
	return sizeof(*out);
}

/* Adds a node; the size of the answer or -errno. */
static int make(const char *name, unsigned mode, const char *target)
{
	unsigned long id = 2;

	if (find(HEADER->nodeid, name))
		return -EEXIST;
	while (id < NODES && nodes[id].parent)
		id++;
	if (id == NODES || strlen(name) > 255)
		return -ENOSPC;
	nodes[id] =
		(struct node){ .parent = HEADER->nodeid, .data = target ? strdup(target) : NULL };
	strcpy(nodes[id].name, name);
	nodes[id].attr = (struct fuse_attr){ .ino = id,
					     .mode = mode,
					     .nlink = S_ISDIR(mode) ? 2 : 1,
					     .size = target ? strlen(target) : 0,
					     .uid = HEADER->uid,
					     .gid = HEADER->gid,
					     .mtime = time(NULL),
					     .ctime = time(NULL) };
	return entry(id);
}

static int resize(struct node *node, unsigned long size)
{
	char *data = realloc(node->data, size ? size : 1);

	if (!data)
		return -ENOSPC;
	if (size > node->attr.size)
		memset(data + node->attr.size, 0, size - node->attr.size);
	node->data = data;
	node->attr.size = size;
	node->attr.blocks = (size + 511) / 512;
	return 0;
}

static int erase(const char *name, int directory)
{
	unsigned long id = find(HEADER->nodeid, name);

	if (!id)
		return -ENOENT;
	for (unsigned long i = 2; directory && i < NODES; i++)
		if (nodes[i].parent == id)
			return -ENOTEMPTY;
	nodes[id].parent = 0;
	free(nodes[id].data);
	nodes[id].data = NULL;
	return 0;
}

static int rename_node(unsigned long to, const char *from_name)
{
	const char *to_name = from_name + strlen(from_name) + 1;
	unsigned long id = find(HEADER->nodeid, from_name), old = find(to, to_name);

	if (!id)
		return -ENOENT;
	nodes[old].parent = 0; /* of node 0: harmless */
	nodes[id].parent = to;
	strcpy(nodes[id].name, to_name);
	return 0;
}

static int set_attributes(struct node *node, const struct fuse_setattr_in *in)
{
	struct fuse_attr_out *out = RESULTS;

	if ((in->valid & FATTR_SIZE) && resize(node, in->size))
		return -ENOSPC;
	if (in->valid & FATTR_MODE)
		node->attr.mode = in->mode;
	if (in->valid & FATTR_UID)
		node->attr.uid = in->uid;
	if (in->valid & FATTR_GID)
		node->attr.gid = in->gid;
	*out = (struct fuse_attr_out){ .attr_valid = 1, .attr = node->attr };
	return sizeof(*out);
}

static int list(const struct fuse_read_in *in)
{
	int size = 0;

	for (unsigned long i = in->offset < 2 ? 2 : in->offset; i < NODES; i++) {
		struct fuse_dirent *out = (void *)((char *)RESULTS + size);

		if (nodes[i].parent != HEADER->nodeid)
			continue;
		out->namelen = strlen(nodes[i].name);
		if (size + FUSE_DIRENT_SIZE(out) > in->size)
			break;
		out->ino = i;
		out->off = i + 1;
		out->type = nodes[i].attr.mode >> 12;
		memcpy(out->name, nodes[i].name, out->namelen);
		size += (int)FUSE_DIRENT_SIZE(out);
	}
	return size;
}

/* The request: the size of the results, or -errno. */
static int serve(void)
{
	struct node *node = &nodes[HEADER->nodeid % NODES];
	struct fuse_read_in *io = ARGUMENTS;
	unsigned long id;

	switch (HEADER->opcode) {
	case FUSE_INIT:
		*(struct fuse_init_out *)RESULTS = (struct fuse_init_out){
			.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 128 * 1024
		};
		return sizeof(struct fuse_init_out);
	case FUSE_LOOKUP:
		id = find(HEADER->nodeid, ARGUMENTS);
		return id ? entry(id) : -ENOENT;
	case FUSE_GETATTR:
		return set_attributes(node, &(struct fuse_setattr_in){ .valid = 0 });
	case FUSE_SETATTR:
		return set_attributes(node, ARGUMENTS);
	case FUSE_MKNOD:
		return make((char *)((struct fuse_mknod_in *)ARGUMENTS + 1),
			    ((struct fuse_mknod_in *)ARGUMENTS)->mode, NULL);
	case FUSE_MKDIR:
		return make((char *)((struct fuse_mkdir_in *)ARGUMENTS + 1),
			    S_IFDIR | ((struct fuse_mkdir_in *)ARGUMENTS)->mode, NULL);
	case FUSE_SYMLINK:
		return make(ARGUMENTS, S_IFLNK | 0777, (char *)ARGUMENTS + strlen(ARGUMENTS) + 1);
	case FUSE_UNLINK:
	case FUSE_RMDIR:
		return erase(ARGUMENTS, HEADER->opcode == FUSE_RMDIR);
	case FUSE_RENAME:
		return rename_node(((struct fuse_rename_in *)ARGUMENTS)->newdir,
				   (char *)((struct fuse_rename_in *)ARGUMENTS + 1));
	case FUSE_READLINK:
		io = &(struct fuse_read_in){ .size = 4095 };
		/* fall through */
	case FUSE_READ:
		if (io->offset >= node->attr.size)
			return 0;
		id = node->attr.size - io->offset < io->size ? node->attr.size - io->offset
							     : io->size;
		memcpy(RESULTS, node->data + io->offset, id);
		return (int)id;
	case FUSE_WRITE:
		if (io->offset + io->size > node->attr.size && resize(node, io->offset + io->size))
			return -ENOSPC;
		memcpy(node->data + io->offset, (struct fuse_write_in *)ARGUMENTS + 1, io->size);
		*(struct fuse_write_out *)RESULTS = (struct fuse_write_out){ .size = io->size };
		return sizeof(struct fuse_write_out);
	case FUSE_READDIR:
		return list(io);
	case FUSE_STATFS:
		*(struct fuse_statfs_out *)RESULTS =
			(struct fuse_statfs_out){ .st = { .bsize = 4096, .namelen = 255 } };
		return sizeof(struct fuse_statfs_out);
	default:
		return -ENOSYS;
	}
}

/* Answers the request: the size of what is in `answer`. */
static unsigned respond(void)
{
	struct fuse_out_header *out = (void *)answer;
	int result = serve();

	*out = (struct fuse_out_header){ .len = sizeof(*out) + (result > 0 ? result : 0),
					 .error = result < 0 ? result : 0,
					 .unique = HEADER->unique };
	return out->len;
}

static void serve_device(int device)
{
	while (read(device, request, sizeof(request)) > 0)
		if (HEADER->opcode != FUSE_FORGET && HEADER->opcode != FUSE_BATCH_FORGET &&
		    HEADER->opcode != FUSE_INTERRUPT)
			(void)!write(device, answer, respond());
}

static void serve_channel(int receiver)
{
	struct cairn_payload payload = { .send = (unsigned long)answer,
					 .receive = (unsigned long)request };
	struct cairn_message message = { .words = { 0 } };

	for (;;) {
		payload.receive_size = sizeof(request);
		int kind = cairn_channel_reply_receive(receiver, 0, &message, &payload);

		if (kind < 0)
			return;
		payload.send_size = kind == CAIRN_RECEIVED_CALL ? respond() : 0;
	}
}

int main(int argc, char **argv)
{
	int channel = argc == 3 && strcmp(argv[1], "--channel") == 0, ends[2];
	char options[100];

	if (argc != 2 + channel)
		return fprintf(stderr, "usage: ramfs [--channel] DIRECTORY\n"), 2;
	nodes[FUSE_ROOT_ID].attr =
		(struct fuse_attr){ .ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2 };
	if (channel ? cairn_channel_create(ends, 64, CAIRN_HANDLE_KEEP_ON_FORK)
		    : (ends[0] = ends[1] = open("/dev/fuse", O_RDWR)) < 0)
		return perror("ramfs"), 1;
	if (channel && fork() == 0) {
		close(ends[1]);
		serve_channel(ends[0]);
		return 0;
	}
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=%u,group_id=%u", ends[1],
		 getuid(), getgid());
	if (mount("ramfs", argv[1 + channel], "fuse.ramfs", MS_NOSUID | MS_NODEV, options))
		return perror("ramfs: mount"), 1;
	/* A mount over a channel waits for the server; a device cannot be read before it is mounted. */
	if (!channel && fork() == 0)
		serve_device(ends[0]);
	return 0;
}
