/* SPDX-License-Identifier: MIT */
/*
 * A RAM file system as a strate: the smallest useful one, to be read. "ramfs [--channel] DIRECTORY" serves over /dev/fuse or a channel.
 * <cairn/strate.h> brings the requests of <linux/fuse.h>; here is what the files are.
 */
#include <cairn/strate.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct node {
	struct fuse_attr attr;
	unsigned long parent; /* index; 0: free */
	char name[256];
	char *data; /* of a file, or the target of a symbolic link */
};

#define NODES 1024
static struct node nodes[NODES]; /* the index is the node id; FUSE_ROOT_ID is 1 */

static unsigned long find(unsigned long parent, const char *name)
{
	for (unsigned long i = 2; i < NODES; i++)
		if (nodes[i].parent == parent && strcmp(nodes[i].name, name) == 0)
			return i;
	return 0;
}

/* Adds a node. */
static long make(const struct fuse_in_header *in, const char *name, unsigned mode,
		 const char *target, void *results)
{
	unsigned long id = 2;

	if (find(in->nodeid, name))
		return -EEXIST;
	while (id < NODES && nodes[id].parent)
		id++;
	if (id == NODES || strlen(name) > 255)
		return -ENOSPC;
	nodes[id] = (struct node){ .parent = in->nodeid, .data = target ? strdup(target) : NULL };
	strcpy(nodes[id].name, name);
	nodes[id].attr = (struct fuse_attr){ .ino = id,
					     .mode = mode,
					     .nlink = S_ISDIR(mode) ? 2 : 1,
					     .size = target ? strlen(target) : 0,
					     .uid = in->uid,
					     .gid = in->gid,
					     .mtime = time(NULL),
					     .ctime = time(NULL) };
	return cairn_strate_entry(results, id, &nodes[id].attr);
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

static long erase(unsigned long parent, const char *name, int directory)
{
	unsigned long id = find(parent, name);

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

static long rename_node(unsigned long from, const char *from_name, unsigned long to)
{
	const char *to_name = from_name + strlen(from_name) + 1;
	unsigned long id = find(from, from_name), old = find(to, to_name);

	if (!id)
		return -ENOENT;
	nodes[old].parent = 0; /* of node 0: harmless */
	nodes[id].parent = to;
	strcpy(nodes[id].name, to_name);
	return 0;
}

static long set_attributes(struct node *node, const struct fuse_setattr_in *in, void *results)
{
	if ((in->valid & FATTR_SIZE) && resize(node, in->size))
		return -ENOSPC;
	if (in->valid & FATTR_MODE)
		node->attr.mode = in->mode;
	if (in->valid & FATTR_UID)
		node->attr.uid = in->uid;
	if (in->valid & FATTR_GID)
		node->attr.gid = in->gid;
	return cairn_strate_attr(results, &node->attr);
}

static long list(unsigned long parent, const struct fuse_read_in *in, void *results)
{
	size_t size = 0, more;

	for (unsigned long i = in->offset < 2 ? 2 : in->offset; i < NODES; i++) {
		if (nodes[i].parent != parent)
			continue;
		more = cairn_strate_list(results, size, in->size, nodes[i].name, i,
					 nodes[i].attr.mode, i + 1);
		if (!more)
			break;
		size = more;
	}
	return (long)size;
}

static long read_data(const struct node *node, unsigned long offset, unsigned long size,
		      void *results)
{
	if (offset >= node->attr.size)
		return 0;
	if (size > node->attr.size - offset)
		size = node->attr.size - offset;
	memcpy(results, node->data + offset, size);
	return (long)size;
}

static long write_data(struct node *node, const struct fuse_write_in *in,
		       struct fuse_write_out *out)
{
	if (in->offset + in->size > node->attr.size && resize(node, in->offset + in->size))
		return -ENOSPC;
	memcpy(node->data + in->offset, in + 1, in->size);
	*out = (struct fuse_write_out){ .size = in->size };
	return sizeof(*out);
}

/* The arguments of a request are a structure, names, or a structure and names. */
static long serve(const struct fuse_in_header *in, const void *arguments, void *results)
{
	struct node *node = &nodes[in->nodeid % NODES];
	const struct fuse_mknod_in *mknod = arguments;
	const struct fuse_mkdir_in *mkdir = arguments;
	const struct fuse_rename_in *rename = arguments;
	const struct fuse_read_in *read = arguments;
	const char *name = arguments;
	unsigned long id;

	switch (in->opcode) {
	case FUSE_LOOKUP:
		id = find(in->nodeid, name);
		return id ? cairn_strate_entry(results, id, &nodes[id].attr) : -ENOENT;
	case FUSE_GETATTR:
		return set_attributes(node, &(struct fuse_setattr_in){ .valid = 0 }, results);
	case FUSE_SETATTR:
		return set_attributes(node, arguments, results);
	case FUSE_MKNOD:
		return make(in, (const char *)(mknod + 1), mknod->mode, NULL, results);
	case FUSE_MKDIR:
		return make(in, (const char *)(mkdir + 1), S_IFDIR | mkdir->mode, NULL, results);
	case FUSE_SYMLINK:
		return make(in, name, S_IFLNK | 0777, name + strlen(name) + 1, results);
	case FUSE_UNLINK:
	case FUSE_RMDIR:
		return erase(in->nodeid, name, in->opcode == FUSE_RMDIR);
	case FUSE_RENAME:
		return rename_node(in->nodeid, (const char *)(rename + 1), rename->newdir);
	case FUSE_READLINK:
		return read_data(node, 0, node->attr.size, results);
	case FUSE_READ:
		return read_data(node, read->offset, read->size, results);
	case FUSE_WRITE:
		return write_data(node, arguments, results);
	case FUSE_READDIR:
		return list(in->nodeid, read, results);
	default:
		return -ENOSYS;
	}
}

int main(int argc, char **argv)
{
	nodes[FUSE_ROOT_ID].attr =
		(struct fuse_attr){ .ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2 };
	return cairn_strate_main(argc, argv, "ramfs", serve);
}
