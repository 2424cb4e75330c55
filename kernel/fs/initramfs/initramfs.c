/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unpacks the initrd: any sequence of cpio archives, plain or compressed each, with zeros between them (Linux:
 * Documentation/driver-api/early-userspace/buffer-format.rst is the format's description).
 *
 * Data flows in one pass: from the initrd, or from the decompressor's window, straight into the pages of the file. Names
 * go through the ordinary path look-up, as the kernel, so a hostile archive can do no more than root could.
 */
#include <arch/boot.h>
#include <arch/layout.h>
#include <core/log.h>
#include <core/time.h>
#include <fs/initramfs/initramfs.h>
#include <lib/cpio.h>
#include <lib/errno.h>
#include <lib/inflate.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <vfs/vfs.h>

#include <linux/fcntl.h>

/* A file with several names, found again by the numbers that it had where it came from. */
struct hard_link {
	struct hard_link *next;
	u32 major, minor, inode, type;
	char name[];
};

/* Directories get their times last: making files in them changes them. */
struct directory_time {
	struct directory_time *next;
	u32 mtime;
	char name[];
};

#define LINK_BUCKETS 32

struct unpacking {
	struct cpio cpio;
	struct file *file; /* being written, or null */
	u64 offset;
	char *target; /* of the symbolic link that is being read, or null */
	size_t target_size;
	u32 mode, uid, gid, mtime;
	struct hard_link *links[LINK_BUCKETS];
	struct directory_time *directories;
	unsigned files;
	u64 bytes;
};

static int set_attributes(const char *name, const struct unpacking *u, u32 valid)
{
	struct inode_attributes attr = { .valid = valid | ATTR_ATIME | ATTR_MTIME,
					 .mode = u->mode,
					 .uid = u->uid,
					 .gid = u->gid };
	struct path path;
	int result = path_lookup(AT_FDCWD, name, 0, &path);

	if (result)
		return result;
	attr.accessed.seconds = attr.modified.seconds = u->mtime;
	result = vfs_set_attributes(&path, &attr);
	path_put(&path);
	return result;
}

/* Makes room for something of another kind than what has the name now, as Linux does. */
static void clean_path(const char *name, u32 mode)
{
	struct path path;
	u32 old;

	if (path_lookup(AT_FDCWD, name, 0, &path))
		return;
	old = path.dentry->inode->mode;
	path_put(&path);
	if ((old & S_IFMT) == (mode & S_IFMT))
		return;
	if (S_ISDIR(old))
		(void)!vfs_rmdir(AT_FDCWD, name);
	else
		(void)!vfs_unlink(AT_FDCWD, name);
}

/* Links the entry to an earlier one of the same file. 1: done so; 0: it is the first; -errno. */
static int link_to_earlier(struct unpacking *u, const struct cpio_entry *e)
{
	u32 hash = (e->inode ^ e->device_minor ^ e->device_major << 5) % LINK_BUCKETS;
	struct hard_link *link;
	size_t size = strlen(e->name) + 1;
	int result;

	if (e->links < 2)
		return 0;
	for (link = u->links[hash]; link; link = link->next) {
		if (link->inode == e->inode && link->minor == e->device_minor &&
		    link->major == e->device_major && link->type == (e->mode & S_IFMT)) {
			clean_path(e->name, 0);
			result = vfs_link(AT_FDCWD, link->name, AT_FDCWD, e->name, 0);
			return result ? result : 1;
		}
	}
	link = kmalloc(sizeof(*link) + size, 0);
	if (!link)
		return -ENOMEM;
	*link = (struct hard_link){ u->links[hash], e->device_major, e->device_minor, e->inode,
				    e->mode & S_IFMT };
	memcpy(link->name, e->name, size);
	u->links[hash] = link;
	return 0;
}

static int begin_file(struct unpacking *u, const struct cpio_entry *e)
{
	int linked = link_to_earlier(u, e);
	/* The contents come with one of the names only; an empty one must not cut what came before. */
	u32 flags = O_WRONLY | O_CREAT | O_LARGEFILE | (linked == 1 ? 0 : O_TRUNC);
	struct open_request request = { .flags = flags, .mode = e->mode & 07777 };

	if (linked < 0)
		return linked;
	if (linked && !e->size)
		return 0;
	u->offset = 0;
	return vfs_open(AT_FDCWD, e->name, &request, &u->file);
}

static int begin_directory(struct unpacking *u, const struct cpio_entry *e)
{
	size_t size = strlen(e->name) + 1;
	struct directory_time *d;
	int result = vfs_mkdir(AT_FDCWD, e->name, e->mode & 07777);

	if (result && result != -EEXIST)
		return result;
	result = set_attributes(e->name, u, ATTR_MODE | ATTR_UID | ATTR_GID);
	d = kmalloc(sizeof(*d) + size, 0);
	if (!d)
		return -ENOMEM;
	*d = (struct directory_time){ u->directories, e->mtime };
	memcpy(d->name, e->name, size);
	u->directories = d;
	return result;
}

static int begin_link(struct unpacking *u, const struct cpio_entry *e)
{
	if (e->size >= PATH_MAX)
		return -ENAMETOOLONG;
	u->target = kzalloc(e->size + 1, 0);
	u->target_size = 0;
	return u->target ? 0 : -ENOMEM;
}

static int begin_node(struct unpacking *u, const struct cpio_entry *e)
{
	u64 device = device_make(e->rdevice_major, e->rdevice_minor);
	int result = link_to_earlier(u, e);

	if (result)
		return result < 0 ? result : 0;
	result = vfs_mknod(AT_FDCWD, e->name, e->mode, device);
	if (result && result != -EEXIST)
		return result;
	return set_attributes(e->name, u, ATTR_MODE | ATTR_UID | ATTR_GID);
}

static int begin(void *arg, const struct cpio_entry *e)
{
	struct unpacking *u = arg;
	int result;

	u->mode = e->mode & 07777;
	u->uid = e->uid;
	u->gid = e->gid;
	u->mtime = e->mtime;
	u->files++;
	u->bytes += e->size;
	clean_path(e->name, e->mode);
	switch (e->mode & S_IFMT) {
	case S_IFREG:
		result = begin_file(u, e);
		break;
	case S_IFDIR:
		result = begin_directory(u, e);
		break;
	case S_IFLNK:
		result = begin_link(u, e);
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		result = begin_node(u, e);
		break;
	default:
		result = -EINVAL;
		break;
	}
	if (result == -ENOMEM || result == -ENOSPC)
		return result;
	if (result)
		log_warning("initramfs: %s: error %d", e->name, -result);
	return 0;
}

static int data(void *arg, const u8 *bytes, size_t size)
{
	struct unpacking *u = arg;
	ssize_t n;

	if (u->target) {
		memcpy(u->target + u->target_size, bytes, size);
		u->target_size += size;
	} else if (u->file) {
		n = file_write_kernel(u->file, bytes, size, u->offset);
		if (n != (ssize_t)size)
			return n < 0 ? (int)n : -ENOSPC;
		u->offset += size;
	}
	return 0;
}

static int end(void *arg)
{
	struct unpacking *u = arg;
	const char *name = u->cpio.name;
	int result = 0;

	if (u->file) {
		struct inode_attributes attr = { .valid = ATTR_MODE | ATTR_UID | ATTR_GID |
							  ATTR_ATIME | ATTR_MTIME,
						 .mode = u->mode,
						 .uid = u->uid,
						 .gid = u->gid };

		attr.accessed.seconds = attr.modified.seconds = u->mtime;
		result = vfs_set_inode_attributes(nullptr, u->file->inode, &attr);
		file_put(u->file);
		u->file = nullptr;
	} else if (u->target) {
		result = vfs_symlink(u->target, AT_FDCWD, name);
		if (result == -EEXIST && !vfs_unlink(AT_FDCWD, name))
			result = vfs_symlink(u->target, AT_FDCWD, name);
		if (!result)
			result = set_attributes(name, u, ATTR_UID | ATTR_GID);
		kfree(u->target);
		u->target = nullptr;
	}
	if (result == -ENOMEM || result == -ENOSPC)
		return result;
	if (result)
		log_warning("initramfs: %s: error %d", name, -result);
	return 0;
}

static const struct cpio_ops operations = { begin, data, end };

/* Decompressed data: archives and zeros in any order. */
static int feed(void *arg, const u8 *bytes, size_t size)
{
	struct unpacking *u = arg;

	while (size) {
		ssize_t n;

		if (cpio_at_end(&u->cpio) && !*bytes) {
			bytes++;
			size--;
			continue;
		}
		n = cpio_feed(&u->cpio, bytes, size);
		if (n < 0)
			return (int)n;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

/* One archive, or what there is at `p`. Returns the bytes that it took, or -errno. */
static ssize_t unpack_next(struct unpacking *u, struct inflate *state, const u8 *p, size_t size)
{
	size_t used;
	int result;

	if (!cpio_at_end(&u->cpio) || *p == '0')
		return cpio_feed(&u->cpio, p, size);
	if (*p == 0)
		return 1;
	result = gunzip(state, p, size, &used, feed, u);
	return result ? result : (ssize_t)used;
}

static void release_links_and_times(struct unpacking *u)
{
	for (unsigned i = 0; i < LINK_BUCKETS; i++) {
		while (u->links[i]) {
			struct hard_link *link = u->links[i];

			u->links[i] = link->next;
			kfree(link);
		}
	}
	while (u->directories) {
		struct directory_time *d = u->directories;

		u->directories = d->next;
		u->mtime = d->mtime;
		(void)!set_attributes(d->name, u, 0);
		kfree(d);
	}
}

static void unpack(struct unpacking *u, struct inflate *state, const u8 *start, size_t size)
{
	size_t at = 0;
	u64 began = clock_monotonic_ns();

	cpio_init(&u->cpio, &operations, u);
	while (at < size) {
		ssize_t n = unpack_next(u, state, start + at, size - at);

		if (n < 0) {
			log_error("initramfs: %s at byte %lu of %lu (error %d); %u files before it "
				  "were unpacked",
				  n == -EINVAL ? "neither a cpio archive nor gzip, or damaged,"
					       : "cannot unpack",
				  (unsigned long)at, (unsigned long)size, (int)-n, u->files);
			break;
		}
		at += (size_t)n;
	}
	if (at >= size && !cpio_at_end(&u->cpio))
		log_error("initramfs: the archive ends in the middle of %s; %u files were unpacked",
			  u->file || u->target ? u->cpio.name : "a header", u->files);
	if (u->file)
		file_put(u->file);
	kfree(u->target);
	release_links_and_times(u);
	log_info("initramfs: %u files, %lu KiB, from %lu KiB in %lu ms", u->files,
		 (unsigned long)(u->bytes / 1024), (unsigned long)(size / 1024),
		 (unsigned long)((clock_monotonic_ns() - began) / NSEC_PER_MSEC));
}

static void make_default_tree(void)
{
	if (vfs_mkdir(AT_FDCWD, "/dev", 0755) ||
	    vfs_mknod(AT_FDCWD, "/dev/console", S_IFCHR | 0600, device_make(5, 1)) ||
	    vfs_mkdir(AT_FDCWD, "/root", 0700))
		log_error("initramfs: cannot make /dev/console");
}

void initramfs_unpack(void)
{
	paddr_t start = boot_info.initrd_start, end = boot_info.initrd_end;
	struct unpacking *u;
	struct inflate *state;

	make_default_tree();
	if (start >= end) {
		log_info("initramfs: there is none");
		return;
	}
	u = kvmalloc(sizeof(*u), ALLOC_ZERO);
	state = kvmalloc(inflate_state_size(), 0);
	if (u && state)
		unpack(u, state, phys_to_virt(start), end - start);
	else
		log_error("initramfs: no memory to unpack it");
	kvfree(state);
	kvfree(u);
	/* Pages at the edges may hold something of others, too. */
	frame_release_range(ALIGN_UP(start, PAGE_SIZE), ALIGN_DOWN(end, PAGE_SIZE));
	boot_info.initrd_start = boot_info.initrd_end = 0;
}
