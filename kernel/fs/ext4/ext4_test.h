/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file system under test, and calls on its inodes as the VFS makes them. */
#pragma once

#include "../../../arch/host/disk.h"
#include "../../../arch/host/host.h"
#include "../../../arch/host/vfs.h"

#include <fs/ext4/ext4.h>
#include <fs/ext4/ext4_priv.h>
#include <lib/format.h>
#include <lib/string.h>
#include <lib/test.h>
#include <mm/slab.h>

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>

struct test_fs {
	struct host_disk *disk;
	struct superblock *sb;
	char image[64];	  /* file of the host */
	const char *name; /* of the disk */
};

/* A disk of `size` bytes with a file system that mke2fs made. */
bool test_fs_make(struct test_fs *t, const char *options, u64 size);
/* Another disk for the same, with these contents. */
bool test_disk_again(struct test_fs *t, const u8 *contents, u64 size);
int test_fs_mount(struct test_fs *t, u32 flags);
void test_fs_unmount(struct test_fs *t);
/* e2fsck -fn finds nothing. */
bool test_fs_check(struct test_fs *t);
void test_fs_free(struct test_fs *t);

int test_lookup(struct inode *dir, const char *name, struct inode **out);
int test_create(struct inode *dir, const char *name, u32 mode, struct inode **out);
int test_remove(struct inode *dir, const char *name);
int test_link(struct inode *dir, const char *name, struct inode *target);
int test_symlink(struct inode *dir, const char *name, const char *target);
int test_rename(struct inode *from, const char *name, struct inode *to, const char *new_name,
		u32 flags);
ssize_t test_write(struct inode *file, u64 offset, const void *data, size_t size);
ssize_t test_read(struct inode *file, u64 offset, void *data, size_t size);
int test_truncate(struct inode *file, u64 size);
int test_allocate(struct inode *file, int mode, u64 offset, u64 length);
int test_sync(struct inode *file);
/* Calls visit for each entry; the number of entries, or -errno. */
int test_list(struct inode *dir, void (*visit)(const char *name, u64 number, void *arg), void *arg);

static inline u32 test_random(u64 *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(*seed >> 33);
}
