/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files on ext4: space, extents, names, attributes, O_DIRECT. */
#include "ext4_disk.h"

#include <dirent.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define BLOCK 4096

static int make(const char *name, size_t size, int byte)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
	char *data = malloc(size + 1);

	memset(data, byte, size);
	EXPECT_EQ(write(fd, data, size), size);
	free(data);
	return fd;
}

static int byte_at(int fd, off_t at)
{
	unsigned char c;

	return pread(fd, &c, 1, at) == 1 ? c : -1;
}

static long blocks_of(int fd)
{
	struct stat st;

	EXPECT_EQ(fsync(fd), 0);
	EXPECT_EQ(fstat(fd, &st), 0);
	return st.st_blocks;
}

TEST(unnamed_file_gets_a_name)
{
	char path[64];
	struct stat st;

	enter_disk("tmpfile");
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	if (!EXPECT(fd >= 0))
		return;
	EXPECT_EQ(write(fd, "text", 4), 4);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_nlink, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQ(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0);
	EXPECT_EQ(stat("named", &st), 0);
	EXPECT_EQ(st.st_nlink, 1);
	EXPECT_EQ(st.st_size, 4);
}

TEST(fallocate_makes_punches_and_zeroes)
{
	enter_disk("fallocate");
	int fd = make("file", 16 * BLOCK, 'x');
	struct stat st;

	EXPECT_EQ(blocks_of(fd), 16 * 8);
	EXPECT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * BLOCK, 4 * BLOCK),
		  0);
	EXPECT_EQ(blocks_of(fd), 12 * 8);
	EXPECT_EQ(byte_at(fd, 3 * BLOCK), 0);
	EXPECT_EQ(byte_at(fd, 6 * BLOCK), 'x');
	EXPECT_EQ(fallocate(fd, FALLOC_FL_ZERO_RANGE, 8 * BLOCK + 100, BLOCK), 0);
	EXPECT_EQ(byte_at(fd, 8 * BLOCK + 99), 'x');
	EXPECT_EQ(byte_at(fd, 8 * BLOCK + 100), 0);
	EXPECT_EQ(byte_at(fd, 9 * BLOCK + 99), 0);
	EXPECT_EQ(byte_at(fd, 9 * BLOCK + 100), 'x');
	EXPECT_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 16 * BLOCK, 8 * BLOCK), 0);
	EXPECT_EQ(blocks_of(fd), 20 * 8);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_size, 16 * BLOCK);
	EXPECT_EQ(fallocate(fd, 0, 0, 30 * BLOCK), 0);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_size, 30 * BLOCK);
	EXPECT_EQ(byte_at(fd, 29 * BLOCK), 0);
	EXPECT_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, BLOCK), EOPNOTSUPP);
}

TEST(fiemap_tells_data_and_unwritten)
{
	struct {
		struct fiemap head;
		struct fiemap_extent extents[8];
	} map = { .head = { .fm_length = FIEMAP_MAX_OFFSET,
			    .fm_flags = FIEMAP_FLAG_SYNC,
			    .fm_extent_count = 8 } };

	enter_disk("fiemap");
	int fd = make("file", 4 * BLOCK, 'x');

	EXPECT_EQ(fallocate(fd, 0, 8 * BLOCK, 4 * BLOCK), 0);
	EXPECT_EQ(ioctl(fd, FS_IOC_FIEMAP, &map), 0);
	EXPECT_EQ(map.head.fm_mapped_extents, 2);
	EXPECT_EQ(map.extents[0].fe_logical, 0);
	EXPECT_EQ(map.extents[0].fe_length, 4 * BLOCK);
	EXPECT_EQ(map.extents[0].fe_flags, 0);
	EXPECT_EQ(map.extents[1].fe_logical, 8 * BLOCK);
	EXPECT_EQ(map.extents[1].fe_length, 4 * BLOCK);
	EXPECT_EQ(map.extents[1].fe_flags, FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_LAST);
}

TEST(attributes_in_the_inode_and_in_a_block)
{
	char large[3000], back[4000];

	enter_disk("xattr");
	close(make("file", 10, 'x'));
	memset(large, 'v', sizeof(large));
	EXPECT_EQ(setxattr("file", "user.small", "1", 1, XATTR_CREATE), 0);
	EXPECT_EQ(setxattr("file", "user.large", large, sizeof(large), 0), 0);
	EXPECT_EQ(getxattr("file", "user.large", back, sizeof(back)), sizeof(large));
	EXPECT_EQ(memcmp(large, back, sizeof(large)), 0);
	EXPECT_EQ(getxattr("file", "user.small", back, sizeof(back)), 1);
	EXPECT_ERRNO(setxattr("file", "user.small", "1", 1, XATTR_CREATE), EEXIST);
	EXPECT_ERRNO(setxattr("file", "user.none", "1", 1, XATTR_REPLACE), ENODATA);
	EXPECT_EQ(listxattr("file", back, sizeof(back)),
		  sizeof("user.small") + sizeof("user.large"));
	EXPECT_EQ(removexattr("file", "user.large"), 0);
	EXPECT_ERRNO(getxattr("file", "user.large", back, sizeof(back)), ENODATA);
}

static int rename_with(const char *from, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

TEST(renames_with_flags)
{
	struct stat st;

	enter_disk("rename");
	close(make("a", 1, 'x'));
	close(make("b", 2, 'x'));
	mkdir("directory", 0755);
	close(make("directory/inside", 3, 'x'));
	EXPECT_ERRNO(rename_with("a", "b", RENAME_NOREPLACE), EEXIST);
	EXPECT_EQ(rename_with("a", "b", RENAME_EXCHANGE), 0);
	EXPECT_EQ(stat("a", &st), 0);
	EXPECT_EQ(st.st_size, 2);
	EXPECT_EQ(rename_with("a", "directory", RENAME_EXCHANGE), 0);
	EXPECT_EQ(stat("a/inside", &st), 0);
	EXPECT_EQ(st.st_size, 3);
	EXPECT_EQ(stat("directory", &st), 0);
	EXPECT(S_ISREG(st.st_mode));
	EXPECT_EQ(rename_with("b", "c", RENAME_WHITEOUT), 0);
	EXPECT_EQ(stat("b", &st), 0);
	EXPECT(S_ISCHR(st.st_mode) && !st.st_rdev);
	EXPECT_ERRNO(rename("a", "a/inside"), EINVAL);
	EXPECT_ERRNO(rename("a", "c"), ENOTDIR);
	EXPECT_ERRNO(rename("c", "a"), EISDIR);
}

TEST(sparse_file_beyond_4_gib)
{
	enter_disk("sparse");
	int fd = open("file", O_RDWR | O_CREAT, 0644);

	EXPECT_EQ(pwrite(fd, "end", 3, 5ll << 30), 3);
	EXPECT_EQ(blocks_of(fd), 8);
	EXPECT_EQ(lseek(fd, 0, SEEK_DATA), 5ll << 30);
	EXPECT_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	EXPECT_EQ(byte_at(fd, 3ll << 30), 0);
	EXPECT_EQ(ftruncate(fd, 0), 0);
	EXPECT_EQ(blocks_of(fd), 0);
}

static long free_inodes(void)
{
	struct statfs s;

	sync();
	EXPECT_EQ(statfs(".", &s), 0);
	return s.f_ffree;
}

TEST(removed_directory_frees_its_inode_at_once)
{
	enter_disk("removed");
	long before = free_inodes();

	EXPECT_EQ(mkdir("one", 0755), 0);
	EXPECT_EQ(mkdir("two", 0755), 0);
	EXPECT_ERRNO(access("one/none", F_OK), ENOENT);
	EXPECT_ERRNO(access("two/none", F_OK), ENOENT);
	EXPECT_EQ(rename("one", "two"), 0);
	EXPECT_ERRNO(access("two/none", F_OK), ENOENT);
	EXPECT_EQ(rmdir("two"), 0);
	EXPECT_EQ(free_inodes(), before);
}

#define MANY 4000

TEST(directory_of_thousands_of_names)
{
	char name[80];
	unsigned seen = 0;

	enter_disk("many");
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "a_name_of_some_length_so_that_leaves_are_split_%u",
			 i * 7919);
		if (!EXPECT_EQ(mknod(name, S_IFREG | 0644, 0), 0))
			return;
	}
	DIR *dir = opendir(".");

	while (readdir(dir))
		seen++;
	closedir(dir);
	EXPECT_EQ(seen, MANY + 2);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "a_name_of_some_length_so_that_leaves_are_split_%u",
			 i * 7919);
		if (!EXPECT_EQ(unlink(name), 0))
			return;
	}
	EXPECT_EQ(chdir(".."), 0);
	EXPECT_EQ(rmdir("many"), 0);
}

static int set_flags(const char *name, int flags)
{
	int fd = open(name, O_RDONLY), result = ioctl(fd, FS_IOC_SETFLAGS, &flags);

	close(fd);
	return result;
}

TEST(immutable_and_append_only)
{
	enter_disk("chattr");
	close(make("file", 10, 'x'));
	EXPECT_EQ(set_flags("file", FS_IMMUTABLE_FL | FS_EXTENT_FL), 0);
	EXPECT_ERRNO(open("file", O_WRONLY), EPERM);
	EXPECT_ERRNO(unlink("file"), EPERM);
	EXPECT_ERRNO(link("file", "other"), EPERM);
	EXPECT_ERRNO(chmod("file", 0600), EPERM);
	EXPECT_EQ(set_flags("file", FS_APPEND_FL | FS_EXTENT_FL), 0);
	EXPECT_ERRNO(open("file", O_WRONLY), EPERM);
	int fd = open("file", O_WRONLY | O_APPEND);

	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, "y", 1), 1);
	EXPECT_ERRNO(ftruncate(fd, 0), EPERM);
	EXPECT_EQ(set_flags("file", FS_EXTENT_FL), 0);
	EXPECT_EQ(unlink("file"), 0);
}

TEST(direct_transfers)
{
	char *buffer = aligned_alloc(BLOCK, 8 * BLOCK);

	enter_disk("direct");
	int fd = make("file", 4 * BLOCK, 'a');
	int direct = open("file", O_RDWR | O_DIRECT);

	if (!EXPECT(direct >= 0))
		return;
	EXPECT_EQ(pread(direct, buffer, 2 * BLOCK, 0), 2 * BLOCK);
	EXPECT_EQ(buffer[BLOCK], 'a');
	memset(buffer, 'b', 8 * BLOCK);
	EXPECT_EQ(pwrite(direct, buffer, BLOCK, BLOCK), BLOCK);
	EXPECT_EQ(byte_at(fd, BLOCK - 1), 'a');
	EXPECT_EQ(byte_at(fd, BLOCK), 'b');
	EXPECT_EQ(byte_at(fd, 2 * BLOCK), 'a');
	EXPECT_EQ(pwrite(direct, buffer, 4 * BLOCK, 6 * BLOCK),
		  4 * BLOCK); /* behind a hole, and longer */
	EXPECT_EQ(byte_at(fd, 5 * BLOCK), 0);
	EXPECT_EQ(byte_at(fd, 10 * BLOCK - 1), 'b');
	EXPECT_EQ(byte_at(fd, 10 * BLOCK), -1);
	EXPECT_EQ(pwrite(direct, buffer, 512, 512), 512);
	EXPECT_EQ(byte_at(fd, 511), 'a');
	EXPECT_EQ(byte_at(fd, 512), 'b');
	EXPECT_EQ(byte_at(fd, 1024), 'a');
	EXPECT_ERRNO(pread(direct, buffer, 100, 0), EINVAL);
	EXPECT_ERRNO(pread(direct, buffer, BLOCK, 100), EINVAL);
	EXPECT_ERRNO(pread(direct, buffer + 1, BLOCK, 0), EINVAL);
	EXPECT_ERRNO(pwrite(direct, buffer, 100, 0), EINVAL);
	EXPECT_EQ(ftruncate(fd, 9 * BLOCK + 700), 0);
	EXPECT_EQ(pread(direct, buffer, 4 * BLOCK, 8 * BLOCK), BLOCK + 700);
	EXPECT_EQ(pread(direct, buffer, BLOCK, 10 * BLOCK), 0);
	free(buffer);
}

TEST(mapping_and_truncation)
{
	enter_disk("mapping");
	int fd = make("file", 2 * BLOCK + 100, 'a');
	char *map = mmap(NULL, 4 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	EXPECT_EQ(map[2 * BLOCK + 100], 0);
	map[2 * BLOCK + 200] = 'z'; /* behind the end: never part of the file */
	map[BLOCK] = 'b';
	EXPECT_EQ(byte_at(fd, BLOCK), 'b');
	EXPECT_EQ(msync(map, 3 * BLOCK, MS_SYNC), 0);
	EXPECT_EQ(ftruncate(fd, 100), 0);
	EXPECT_EQ(ftruncate(fd, 4 * BLOCK), 0);
	EXPECT_EQ(map[BLOCK], 0);
	EXPECT_EQ(map[200], 0);
	map[3 * BLOCK] = 'c';
	EXPECT_EQ(byte_at(fd, 3 * BLOCK), 'c');
	EXPECT_EQ(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER), 0);
	EXPECT_EQ(syncfs(fd), 0);
}

TEST(unused_blocks_are_trimmed)
{
	struct fstrim_range range = { .len = UINT64_MAX };

	enter_disk("trim");
	int fd = open(".", O_RDONLY);

	EXPECT_EQ(ioctl(fd, FITRIM, &range), 0);
	EXPECT(range.len > 0);
}
