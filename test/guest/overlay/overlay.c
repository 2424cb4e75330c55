/* SPDX-License-Identifier: GPL-2.0-or-later */
/* overlayfs over directories of a tmpfs. */
#include "../guest_test.h"

#include <dirent.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

/* lower with a few things, upper, work, and all of it merged in m. */
static void prepare(void)
{
	EXPECT_EQ(mkdir("lower", 0755), 0);
	EXPECT_EQ(mkdir("lower/dir", 0750), 0);
	EXPECT_EQ(mkdir("upper", 0755), 0);
	EXPECT_EQ(mkdir("work", 0755), 0);
	EXPECT_EQ(mkdir("m", 0755), 0);
	make_file("lower/file", "from below");
	make_file("lower/both", "lower");
	make_file("lower/dir/inner", "inner");
	make_file("upper/both", "upper");
}

static void mount_overlay(const char *options)
{
	REQUIRE(mount("overlay", "m", "overlay", 0, options) == 0);
}

static void start(void)
{
	prepare();
	mount_overlay("lowerdir=lower,upperdir=upper,workdir=work");
}

static void expect_text(const char *path, const char *wanted)
{
	char text[256] = "";

	EXPECT(read_file(path, text, sizeof(text)) >= 0);
	EXPECT_STREQ(text, wanted);
}

/* The names of a directory, sorted, with a space behind each. */
static void list(const char *path, char *out, size_t size)
{
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort);

	*out = 0;
	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.') {
			strncat(out, names[i]->d_name, size - strlen(out) - 2);
			strcat(out, " ");
		}
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

static void expect_list(const char *path, const char *wanted)
{
	char names[512];

	list(path, names, sizeof(names));
	EXPECT_STREQ(names, wanted);
}

static bool is_whiteout(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

TEST(layers_are_merged)
{
	struct statfs fs;

	start();
	expect_text("m/file", "from below");
	expect_text("m/both", "upper");
	expect_text("m/dir/inner", "inner");
	expect_list("m", "both dir file ");
	EXPECT_EQ(statfs("m", &fs), 0);
	EXPECT_EQ(fs.f_type, OVERLAYFS_SUPER_MAGIC);
	umount("m");
}

TEST(writing_copies_up)
{
	struct stat before, after;
	int fd;

	start();
	EXPECT_EQ(chmod("lower/dir/inner", 0640), 0);
	EXPECT_EQ(chown("lower/dir/inner", 12, 34), 0);
	EXPECT_EQ(stat("m/dir/inner", &before), 0);
	fd = open("m/dir/inner", O_WRONLY | O_APPEND);
	EXPECT_EQ(write(fd, " and more", 9), 9);
	EXPECT_EQ(close(fd), 0);
	expect_text("m/dir/inner", "inner and more");
	expect_text("lower/dir/inner", "inner");
	expect_text("upper/dir/inner", "inner and more");
	EXPECT_EQ(stat("m/dir/inner", &after), 0);
	EXPECT_EQ(after.st_mode, before.st_mode);
	EXPECT_EQ(after.st_uid, 12);
	EXPECT_EQ(after.st_gid, 34);
	EXPECT_EQ(after.st_size, 14);
	EXPECT_EQ(after.st_ino, before.st_ino);
	EXPECT_EQ(after.st_dev, before.st_dev);
	EXPECT_EQ(stat("upper/dir", &after), 0);
	EXPECT_EQ(after.st_mode & 07777, 0750);
	umount("m");
}

TEST(an_open_reader_sees_the_copy)
{
	char text[32] = "";
	int reader, writer;

	start();
	reader = open("m/file", O_RDONLY);
	writer = open("m/file", O_WRONLY);
	EXPECT_EQ(pwrite(writer, "FROM", 4, 0), 4);
	EXPECT_EQ(read(reader, text, sizeof(text)), 10);
	EXPECT_STREQ(text, "FROM below");
	close(reader);
	close(writer);
	umount("m");
}

TEST(truncating_copies_up)
{
	struct stat st;

	start();
	EXPECT_EQ(truncate("m/file", 4), 0);
	expect_text("m/file", "from");
	expect_text("lower/file", "from below");
	close(open("m/dir/inner", O_WRONLY | O_TRUNC));
	EXPECT_EQ(stat("m/dir/inner", &st), 0);
	EXPECT_EQ(st.st_size, 0);
	expect_text("lower/dir/inner", "inner");
	umount("m");
}

TEST(removing_leaves_a_whiteout)
{
	start();
	EXPECT_EQ(unlink("m/file"), 0);
	EXPECT_ERRNO(access("m/file", F_OK), ENOENT);
	EXPECT(is_whiteout("upper/file"));
	EXPECT_EQ(unlink("m/both"), 0);
	EXPECT(is_whiteout("upper/both"));
	expect_list("m", "dir ");
	expect_text("lower/file", "from below");
	make_file("m/file", "new");
	expect_text("m/file", "new");
	expect_text("upper/file", "new");
	make_file("m/only", "x");
	EXPECT_EQ(unlink("m/only"), 0);
	EXPECT_ERRNO(access("upper/only", F_OK), ENOENT);
	umount("m");
}

TEST(directories_over_whiteouts_are_opaque)
{
	char value[8] = "";

	start();
	EXPECT_ERRNO(rmdir("m/dir"), ENOTEMPTY);
	EXPECT_EQ(unlink("m/dir/inner"), 0);
	EXPECT_EQ(rmdir("m/dir"), 0);
	EXPECT(is_whiteout("upper/dir"));
	EXPECT_ERRNO(access("m/dir", F_OK), ENOENT);
	EXPECT_EQ(mkdir("m/dir", 0755), 0);
	expect_list("m/dir", "");
	EXPECT_EQ(getxattr("upper/dir", "trusted.overlay.opaque", value, sizeof(value)), 1);
	EXPECT_EQ(value[0], 'y');
	EXPECT_ERRNO(getxattr("m/dir", "trusted.overlay.opaque", value, sizeof(value)), EOPNOTSUPP);
	make_file("m/dir/other", "o");
	expect_list("m/dir", "other ");
	umount("m");
}

TEST(files_are_renamed)
{
	start();
	EXPECT_EQ(rename("m/file", "m/moved"), 0);
	expect_text("m/moved", "from below");
	EXPECT(is_whiteout("upper/file"));
	EXPECT_EQ(rename("m/moved", "m/dir/moved"), 0);
	EXPECT_ERRNO(access("upper/moved", F_OK), ENOENT);
	expect_list("m/dir", "inner moved ");
	EXPECT_EQ(rename("m/dir/moved", "m/file"), 0);
	expect_text("m/file", "from below");
	EXPECT_EQ(rename("m/file", "m/both"), 0);
	expect_text("m/both", "from below");
	expect_list("m", "both dir ");
	umount("m");
}

TEST(directories_are_renamed_if_nothing_is_below)
{
	start();
	EXPECT_ERRNO(rename("m/dir", "m/other"), EXDEV);
	EXPECT_EQ(mkdir("m/new", 0755), 0);
	make_file("m/new/x", "x");
	EXPECT_EQ(rename("m/new", "m/other"), 0);
	expect_text("m/other/x", "x");
	EXPECT_EQ(unlink("m/file"), 0);
	EXPECT_EQ(rename("m/other", "m/file"), 0);
	expect_list("m/file", "x ");
	EXPECT_EQ(unlink("m/dir/inner"), 0);
	EXPECT_EQ(rename("m/file", "m/dir"), 0);
	expect_list("m/dir", "x ");
	expect_list("m", "both dir ");
	umount("m");
}

TEST(names_are_exchanged)
{
	start();
	EXPECT_EQ(renameat2(AT_FDCWD, "m/file", AT_FDCWD, "m/both", RENAME_EXCHANGE), 0);
	expect_text("m/file", "upper");
	expect_text("m/both", "from below");
	EXPECT_ERRNO(renameat2(AT_FDCWD, "m/file", AT_FDCWD, "m/both", RENAME_NOREPLACE), EEXIST);
	EXPECT_ERRNO(renameat2(AT_FDCWD, "m/file", AT_FDCWD, "m/dir", RENAME_EXCHANGE), EXDEV);
	umount("m");
}

TEST(several_lower_layers)
{
	prepare();
	EXPECT_EQ(mkdir("bottom", 0755), 0);
	EXPECT_EQ(mkdir("bottom/dir", 0755), 0);
	make_file("bottom/both", "bottom");
	make_file("bottom/deep", "deep");
	make_file("bottom/dir/deeper", "deeper");
	EXPECT_EQ(mknod("lower/deep", S_IFCHR, 0), 0);
	mount_overlay("lowerdir=lower:bottom,upperdir=upper,workdir=work");
	expect_text("m/both", "upper");
	EXPECT_ERRNO(access("m/deep", F_OK), ENOENT);
	expect_list("m/dir", "deeper inner ");
	EXPECT_EQ(unlink("m/dir/deeper"), 0);
	expect_list("m/dir", "inner ");
	expect_list("m", "both dir file ");
	umount("m");
}

TEST(without_an_upper_layer_it_is_read_only)
{
	prepare();
	mount_overlay("lowerdir=upper:lower");
	expect_text("m/both", "upper");
	expect_text("m/file", "from below");
	EXPECT_ERRNO(open("m/file", O_WRONLY), EROFS);
	EXPECT_ERRNO(mkdir("m/x", 0755), EROFS);
	EXPECT_ERRNO(unlink("m/file"), EROFS);
	umount("m");
}

TEST(hard_links)
{
	struct stat a, b;

	start();
	EXPECT_EQ(link("m/file", "m/second"), 0);
	EXPECT_EQ(stat("m/file", &a), 0);
	EXPECT_EQ(stat("m/second", &b), 0);
	EXPECT_EQ(a.st_ino, b.st_ino);
	EXPECT_EQ(a.st_nlink, 2);
	make_file("m/second", "through the link");
	expect_text("m/file", "through the link");
	expect_text("lower/file", "from below");
	EXPECT_EQ(unlink("m/file"), 0);
	EXPECT_EQ(stat("m/second", &b), 0);
	EXPECT_EQ(b.st_nlink, 1);
	EXPECT_EQ(link("m/second", "m/file"), 0);
	expect_text("m/file", "through the link");
	umount("m");
}

TEST(attributes_are_copied)
{
	char value[32] = "", names[256];
	struct stat st;
	ssize_t n;

	prepare();
	EXPECT_EQ(setxattr("lower/file", "trusted.mark", "kept", 4, 0), 0);
	EXPECT_EQ(symlink("nowhere", "lower/link"), 0);
	EXPECT_EQ(mkfifo("lower/fifo", 0600), 0);
	mount_overlay("lowerdir=lower,upperdir=upper,workdir=work");
	EXPECT_EQ(getxattr("m/file", "trusted.mark", value, sizeof(value)), 4);
	EXPECT_EQ(chmod("m/file", 0604), 0);
	EXPECT_EQ(getxattr("upper/file", "trusted.mark", value, sizeof(value)), 4);
	EXPECT(memcmp(value, "kept", 4) == 0);
	EXPECT_EQ(setxattr("m/file", "trusted.mark", "new", 3, 0), 0);
	EXPECT_EQ(getxattr("lower/file", "trusted.mark", value, sizeof(value)), 4);
	n = listxattr("m/file", names, sizeof(names));
	EXPECT_EQ(n, (long)sizeof("trusted.mark"));
	EXPECT_EQ(removexattr("m/file", "trusted.mark"), 0);
	EXPECT_ERRNO(getxattr("m/file", "trusted.mark", value, sizeof(value)), ENODATA);
	EXPECT_EQ(lchown("m/link", 7, 7), 0);
	EXPECT_EQ(readlink("upper/link", value, sizeof(value)), 7);
	EXPECT_EQ(chmod("m/fifo", 0644), 0);
	EXPECT_EQ(stat("upper/fifo", &st), 0);
	EXPECT(S_ISFIFO(st.st_mode));
	EXPECT_EQ(stat("lower/file", &st), 0);
	EXPECT_EQ(st.st_mode & 07777, 0644);
	umount("m");
}

TEST(listed_numbers_are_those_of_stat)
{
	struct dirent *e;
	struct stat st;
	DIR *dir;
	int seen = 0;

	start();
	close(open("m/file", O_RDWR));
	dir = opendir("m");
	REQUIRE(dir);
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		EXPECT_EQ(fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
		EXPECT_EQ(st.st_ino, e->d_ino);
		EXPECT_EQ(st.st_mode >> 12, e->d_type);
		seen++;
	}
	EXPECT_EQ(seen, 3);
	make_file("m/later", "x");
	rewinddir(dir);
	for (seen = 0; readdir(dir);)
		seen++;
	EXPECT_EQ(seen, 6);
	closedir(dir);
	umount("m");
}

TEST(it_can_be_mounted_again)
{
	start();
	make_file("m/kept", "kept");
	EXPECT_EQ(unlink("m/file"), 0);
	EXPECT_EQ(umount("m"), 0);
	mount_overlay("lowerdir=lower,upperdir=upper,workdir=work");
	expect_text("m/kept", "kept");
	expect_list("m", "both dir kept ");
	EXPECT_EQ(umount("m"), 0);
}

TEST(bad_options_are_refused)
{
	prepare();
	EXPECT_ERRNO(mount("overlay", "m", "overlay", 0, "upperdir=upper,workdir=work"), EINVAL);
	EXPECT_ERRNO(mount("overlay", "m", "overlay", 0, "lowerdir=lower,upperdir=upper"), EINVAL);
	EXPECT_ERRNO(mount("overlay", "m", "overlay", 0, "lowerdir=lower,nonsense=1"), EINVAL);
	EXPECT_ERRNO(mount("overlay", "m", "overlay", 0, "lowerdir=lower"), EINVAL);
	EXPECT_ERRNO(mount("overlay", "m", "overlay", 0, "lowerdir=lower:missing"), ENOENT);
	EXPECT_ERRNO(mount("overlay", "m", "overlay", 0,
			   "lowerdir=lower,upperdir=upper,workdir=upper/w"),
		     ENOENT);
	EXPECT_ERRNO(
		mount("overlay", "m", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=upper"),
		EINVAL);
}
