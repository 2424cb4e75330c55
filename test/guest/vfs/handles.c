/* SPDX-License-Identifier: GPL-2.0-or-later */
/* name_to_handle_at(2), open_by_handle_at(2). The ext4 layer runs these on a disk as well. */
#include "guest_test.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#define HANDLE_BYTES 128

struct handle {
	unsigned bytes;
	int type;
	unsigned char data[HANDLE_BYTES];
};

static int encode(int dirfd, const char *path, struct handle *h, int *mount, int flags)
{
	h->bytes = HANDLE_BYTES;
	return (int)syscall(SYS_name_to_handle_at, dirfd, path, h, mount, flags);
}

static int decode(int mount_fd, const struct handle *h, int flags)
{
	return (int)syscall(SYS_open_by_handle_at, mount_fd, h, flags);
}

TEST(handle_outlives_names)
{
	struct handle h, again;
	char text[16] = "";
	int mount, fd;

	make_file("a", "contents");
	REQUIRE(encode(AT_FDCWD, "a", &h, &mount, 0) == 0);
	EXPECT(h.bytes >= 8 && h.bytes <= HANDLE_BYTES);
	EXPECT_EQ(encode(AT_FDCWD, "a", &again, &mount, 0), 0);
	EXPECT(h.bytes == again.bytes && h.type == again.type &&
	       !memcmp(h.data, again.data, h.bytes));
	EXPECT_EQ(rename("a", "b"), 0);
	fd = decode(AT_FDCWD, &h, O_RDWR | O_CLOEXEC);
	EXPECT(fd >= 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(read(fd, text, sizeof(text)), 8);
	EXPECT_STREQ(text, "contents");
	EXPECT_EQ(pwrite(fd, "C", 1, 0), 1);
	close(fd);
	EXPECT_EQ(read_file("b", text, sizeof(text)), 8);
	EXPECT_EQ(text[0], 'C');
	/* A new file by that name is another one. */
	make_file("a", "other");
	EXPECT_EQ(encode(AT_FDCWD, "a", &again, &mount, 0), 0);
	EXPECT(memcmp(h.data, again.data, h.bytes) != 0);
	EXPECT_EQ(unlink("b"), 0);
	EXPECT_ERRNO(decode(AT_FDCWD, &h, O_RDONLY), ESTALE);
}

TEST(handle_of_a_directory_is_in_the_tree)
{
	struct handle h, below;
	struct stat st, root;
	int mount, fd, top = open(".", O_RDONLY | O_DIRECTORY);
	char byte;

	mkdir("d", 0755);
	mkdir("d/e", 0755);
	make_file("d/e/f", "x");
	REQUIRE(encode(AT_FDCWD, "d/e", &h, &mount, 0) == 0);
	EXPECT_EQ(encode(top, "", &below, &mount, AT_EMPTY_PATH), 0);
	/* Out of the cache, where that is allowed. */
	make_file("/proc/sys/vm/drop_caches", "2");
	fd = decode(top, &h, O_RDONLY | O_DIRECTORY);
	EXPECT(fd >= 0);
	int file = openat(fd, "f", O_RDONLY);
	EXPECT_EQ(read(file, &byte, 1), 1);
	close(file);
	EXPECT_EQ(fstatat(fd, "../..", &st, 0), 0);
	EXPECT_EQ(fstat(top, &root), 0);
	EXPECT_EQ(st.st_ino, root.st_ino);
	EXPECT_EQ(fchdir(fd), 0);
	char cwd[256];
	EXPECT(getcwd(cwd, sizeof(cwd)) && strstr(cwd, "/d/e"));
	EXPECT_EQ(fchdir(top), 0);
	close(fd);
	EXPECT_ERRNO(decode(top, &h, O_RDWR), EISDIR);
	fd = decode(top, &below, O_PATH);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_ino, root.st_ino);
	close(fd);
	close(top);
}

TEST(handle_of_a_link_and_of_what_it_names)
{
	struct handle link, target;
	struct stat st;
	int mount, fd;

	make_file("t", "");
	EXPECT_EQ(symlink("t", "l"), 0);
	EXPECT_EQ(encode(AT_FDCWD, "l", &link, &mount, 0), 0);
	EXPECT_EQ(encode(AT_FDCWD, "l", &target, &mount, AT_SYMLINK_FOLLOW), 0);
	fd = decode(AT_FDCWD, &link, O_PATH);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT(S_ISLNK(st.st_mode));
	close(fd);
	EXPECT_ERRNO(decode(AT_FDCWD, &link, O_RDONLY), ELOOP);
	fd = decode(AT_FDCWD, &target, O_RDONLY);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT(S_ISREG(st.st_mode));
	close(fd);
}

TEST(handle_calls_refuse)
{
	struct handle h, bad;
	struct statx stx;
	int mount;

	make_file("a", "");
	h.bytes = 0;
	EXPECT_ERRNO(syscall(SYS_name_to_handle_at, AT_FDCWD, "a", &h, &mount, 0), EOVERFLOW);
	unsigned needed = h.bytes;
	EXPECT(needed >= 8 && needed % 4 == 0);
	h.bytes = HANDLE_BYTES + 1;
	EXPECT_ERRNO(syscall(SYS_name_to_handle_at, AT_FDCWD, "a", &h, &mount, 0), EINVAL);
	EXPECT_ERRNO(encode(AT_FDCWD, "a", &h, &mount, 0x800), EINVAL);
	EXPECT_ERRNO(encode(AT_FDCWD, "none", &h, &mount, 0), ENOENT);
	EXPECT_ERRNO(encode(AT_FDCWD, "", &h, &mount, 0), ENOENT);
	EXPECT_ERRNO(encode(AT_FDCWD, "/proc/self/status", &h, &mount, 0), EOPNOTSUPP);
	EXPECT_EQ(encode(AT_FDCWD, "a", &h, &mount, 0), 0);
	EXPECT_EQ(h.bytes, needed);
	EXPECT_EQ(syscall(SYS_statx, AT_FDCWD, "a", 0, STATX_BASIC_STATS, &stx), 0);
	EXPECT_EQ((int)stx.stx_mnt_id, mount);
	bad = h;
	bad.bytes = 0;
	EXPECT_ERRNO(decode(AT_FDCWD, &bad, O_RDONLY), EINVAL);
	bad.bytes = HANDLE_BYTES + 1;
	EXPECT_ERRNO(decode(AT_FDCWD, &bad, O_RDONLY), EINVAL);
	bad = h;
	bad.bytes = 4;
	EXPECT_ERRNO(decode(AT_FDCWD, &bad, O_RDONLY), ESTALE);
	for (unsigned i = 0; i < h.bytes; i++) {
		bad = h;
		bad.data[i] ^= 0x40;
		EXPECT_ERRNO(decode(AT_FDCWD, &bad, O_RDONLY), ESTALE);
	}
	EXPECT_ERRNO(decode(4711, &h, O_RDONLY), EBADF);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(4711), 0);
		EXPECT_EQ(encode(AT_FDCWD, "a", &h, &mount, 0), 0);
		EXPECT_ERRNO(decode(AT_FDCWD, &h, O_RDONLY), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}
