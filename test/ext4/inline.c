/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A second disk, whose small files lie in their inodes; what mount options tell of errors. */
#include "ext4_disk.h"

#include "disk_driver.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define SECOND "/second"
#define STEP 50
#define LARGEST 6000

static int mount_second(const char *options)
{
	if (access("/dev/vdb", F_OK))
		load_disk_driver();
	mkdir(SECOND, 0755);
	return mount("/dev/vdb", SECOND, "ext4", 0, options);
}

static long blocks_of(const char *path)
{
	struct stat st = {};

	EXPECT_EQ(stat(path, &st), 0);
	return st.st_blocks;
}

static void expect_pattern(const char *path, int size)
{
	unsigned char data[LARGEST + 1];
	int fd = open(path, O_RDONLY);

	EXPECT_EQ(read(fd, data, sizeof(data)), size);
	close(fd);
	for (int i = 0; i < size; i++)
		if (data[i] != (unsigned char)(i / STEP + 1)) {
			EXPECT_EQ(data[i], i / STEP + 1);
			return;
		}
}

static void mount_again(void)
{
	EXPECT_EQ(umount(SECOND), 0);
	EXPECT_EQ(mount_second(""), 0);
}

TEST(file_grows_out_of_its_inode)
{
	char data[STEP];

	REQUIRE(mount_second("") == 0);
	int fd = open(SECOND "/f", O_RDWR | O_CREAT | O_APPEND, 0644);

	for (int size = 0; size < LARGEST; size += STEP) {
		memset(data, size / STEP + 1, STEP);
		EXPECT_EQ(write(fd, data, STEP), STEP);
		if (size == 0 || size == 3 * STEP) {
			EXPECT_EQ(fsync(fd), 0);
			expect_pattern(SECOND "/f", size + STEP);
		}
		/* A file with data is no hole, wherever the data lies. */
		EXPECT(blocks_of(SECOND "/f") > 0);
	}
	close(fd);
	mount_again();
	expect_pattern(SECOND "/f", LARGEST);
	EXPECT_EQ(truncate(SECOND "/f", 30), 0);
	mount_again();
	expect_pattern(SECOND "/f", 30);
	EXPECT_EQ(umount(SECOND), 0);
}

TEST(inline_file_is_overwritten_cut_and_mapped_out)
{
	char back[100] = {};

	REQUIRE(mount_second("") == 0);
	int fd = open(SECOND "/g", O_RDWR | O_CREAT, 0644);

	EXPECT_EQ(pwrite(fd, "0123456789", 10, 0), 10);
	EXPECT_EQ(pwrite(fd, "ab", 2, 4), 2);
	EXPECT_EQ(ftruncate(fd, 7), 0);
	EXPECT_EQ(pwrite(fd, "end", 3, 20), 3);
	close(fd);
	mount_again();
	fd = open(SECOND "/g", O_RDWR);
	EXPECT_EQ(read(fd, back, sizeof(back)), 23);
	EXPECT(memcmp(back, "0123ab6\0\0\0\0\0\0\0\0\0\0\0\0\0end", 23) == 0);
	close(fd);
	EXPECT_EQ(umount(SECOND), 0);
}

TEST(inline_directory_grows_into_blocks)
{
	char name[64];
	struct dirent *e;
	int count = 0;

	REQUIRE(mount_second("") == 0);
	EXPECT_EQ(mkdir(SECOND "/d", 0755), 0);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), SECOND "/d/name-%d", i);
		close(open(name, O_WRONLY | O_CREAT, 0644));
		if (i == 2)
			mount_again();
	}
	mount_again();
	for (int i = 0; i < 300; i += 2) {
		snprintf(name, sizeof(name), SECOND "/d/name-%d", i);
		EXPECT_EQ(unlink(name), 0);
	}
	DIR *d = opendir(SECOND "/d");

	REQUIRE(d);
	while ((e = readdir(d)))
		count += e->d_name[0] != '.';
	closedir(d);
	EXPECT_EQ(count, 150);
	EXPECT_EQ(umount(SECOND), 0);
}

/* True if the line of the second disk in /proc/mounts has this text. */
static bool mounts_tell(const char *text)
{
	char line[512];
	bool found = false;
	FILE *mounts = fopen("/proc/mounts", "r");

	while (fgets(line, sizeof(line), mounts))
		if (strstr(line, " " SECOND " "))
			found = strstr(line, text);
	fclose(mounts);
	return found;
}

TEST(what_happens_at_errors_is_an_option)
{
	REQUIRE(mount_second("errors=remount-ro") == 0);
	EXPECT(mounts_tell("errors=remount-ro"));
	EXPECT_EQ(mount("", SECOND, "", MS_REMOUNT, "errors=panic"), 0);
	EXPECT(mounts_tell("errors=panic"));
	EXPECT_EQ(mount("", SECOND, "", MS_REMOUNT, "errors=continue"), 0);
	EXPECT(!mounts_tell("errors="));
	EXPECT_ERRNO(mount("", SECOND, "", MS_REMOUNT, "errors=nothing"), EINVAL);
	EXPECT_EQ(umount(SECOND), 0);
	EXPECT_ERRNO(mount_second("errors="), EINVAL);
}
