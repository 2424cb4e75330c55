/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories, links, renames, attributes, permissions. */
#include "guest_test.h"

#include <dirent.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

TEST(stat_tells_the_truth)
{
	struct stat st, other;
	struct statx x;

	make_file("f", "12345");
	EXPECT_EQ(stat("f", &st), 0);
	EXPECT_EQ(st.st_size, 5);
	EXPECT_EQ(st.st_nlink, 1);
	EXPECT_EQ(st.st_mode, S_IFREG | 0644);
	EXPECT_EQ(st.st_uid, 0);
	EXPECT_EQ(st.st_blksize, 4096);
	EXPECT_EQ(link("f", "g"), 0);
	EXPECT_EQ(lstat("g", &other), 0);
	EXPECT_EQ(other.st_ino, st.st_ino);
	EXPECT_EQ(other.st_nlink, 2);
	EXPECT_EQ(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x), 0);
	EXPECT_EQ(x.stx_ino, st.st_ino);
	EXPECT_EQ(x.stx_size, 5);
	EXPECT_EQ(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH), 0);
	EXPECT(S_ISDIR(st.st_mode));
	EXPECT_ERRNO(fstatat(AT_FDCWD, "", &st, 0), ENOENT);
	EXPECT_EQ(stat("/dev/null", &st), 0);
	EXPECT_EQ(st.st_rdev, makedev(1, 3));
}

TEST(directories_are_made_and_removed)
{
	struct stat st;

	EXPECT_EQ(mkdir("d", 0755), 0);
	EXPECT_ERRNO(mkdir("d", 0755), EEXIST);
	EXPECT_EQ(mkdir("d/e/", 0755), 0);
	EXPECT_EQ(stat("d", &st), 0);
	EXPECT_EQ(st.st_nlink, 3);
	EXPECT_ERRNO(rmdir("d"), ENOTEMPTY);
	EXPECT_ERRNO(unlink("d"), EISDIR);
	EXPECT_EQ(rmdir("d/e"), 0);
	EXPECT_ERRNO(rmdir("d/."), EINVAL);
	EXPECT_EQ(rmdir("d"), 0);
	EXPECT_ERRNO(rmdir("d"), ENOENT);
	make_file("f", "");
	EXPECT_ERRNO(rmdir("f"), ENOTDIR);
	EXPECT_ERRNO(rmdir("/"), EBUSY);
}

TEST(getdents_lists_everything_once)
{
	char name[32];
	bool seen[500] = {};
	int count = 0;
	struct dirent *entry;
	DIR *dir;

	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		make_file(name, "");
	}
	dir = opendir(".");
	while ((entry = readdir(dir))) {
		int i;

		if (sscanf(entry->d_name, "file%d", &i) != 1)
			continue;
		EXPECT(!seen[i]);
		EXPECT_EQ(entry->d_type, DT_REG);
		seen[i] = true;
		count++;
	}
	EXPECT_EQ(count, 500);
	rewinddir(dir);
	EXPECT(readdir(dir) != NULL);
	closedir(dir);
}

TEST(removing_while_listing_misses_nothing)
{
	char name[32];
	struct dirent *entry;
	int removed = 0;
	DIR *dir;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		make_file(name, "");
	}
	dir = opendir(".");
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, "file", 4) == 0 && unlink(entry->d_name) == 0)
			removed++;
	EXPECT_EQ(removed, 300);
	closedir(dir);
}

TEST(getdents_checks_its_buffer)
{
	char buf[64];
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	EXPECT_ERRNO(syscall(SYS_getdents64, fd, buf, 4), EINVAL);
	EXPECT_ERRNO(syscall(SYS_getdents64, fd, (void *)8, 4096), EFAULT);
	EXPECT_ERRNO(read(fd, buf, 1), EISDIR);
}

TEST(rename_moves_and_replaces)
{
	char buf[16];

	make_file("a", "A");
	make_file("b", "B");
	EXPECT_EQ(rename("a", "b"), 0);
	EXPECT_ERRNO(access("a", F_OK), ENOENT);
	read_file("b", buf, sizeof(buf));
	EXPECT_STREQ(buf, "A");
	EXPECT_EQ(mkdir("d", 0755), 0);
	EXPECT_EQ(mkdir("e", 0755), 0);
	make_file("e/x", "");
	EXPECT_ERRNO(rename("b", "d"), EISDIR);
	EXPECT_ERRNO(rename("d", "b"), ENOTDIR);
	EXPECT_ERRNO(rename("d", "e"), ENOTEMPTY);
	EXPECT_ERRNO(rename("d", "d/sub"), EINVAL);
	EXPECT_EQ(rename("e", "d"), 0);
	EXPECT_EQ(access("d/x", F_OK), 0);
	EXPECT_ERRNO(rename("nothing", "x"), ENOENT);
	EXPECT_ERRNO(rename("b", "/proc/x"), EXDEV);
}

TEST(renameat2_exchanges_and_refuses)
{
	char buf[16];

	make_file("a", "A");
	make_file("b", "B");
	EXPECT_EQ(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 2), 0);
	read_file("a", buf, sizeof(buf));
	EXPECT_STREQ(buf, "B");
	EXPECT_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 1), EEXIST);
	EXPECT_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 3), EINVAL);
}

TEST(links_and_unlink)
{
	struct stat st;
	char c;
	int fd;

	make_file("f", "x");
	EXPECT_EQ(link("f", "g"), 0);
	EXPECT_ERRNO(link("f", "g"), EEXIST);
	EXPECT_ERRNO(link(".", "h"), EPERM);
	fd = open("f", O_RDONLY);
	EXPECT_EQ(unlink("f"), 0);
	EXPECT_EQ(unlink("g"), 0);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_nlink, 0);
	EXPECT_EQ(read(fd, &c, 1), 1);
	EXPECT_ERRNO(unlink("f"), ENOENT);
}

TEST(symlinks_are_followed)
{
	char buf[64] = "";
	struct stat st;

	EXPECT_EQ(mkdir("d", 0755), 0);
	make_file("d/f", "x");
	EXPECT_EQ(symlink("d", "s"), 0);
	EXPECT_EQ(symlink("../d/f", "d/t"), 0);
	EXPECT_EQ(access("s/t", F_OK), 0);
	EXPECT_EQ(readlink("d/t", buf, sizeof(buf)), 6);
	EXPECT_STREQ(buf, "../d/f");
	EXPECT_EQ(readlink("d/t", buf, 2), 2);
	EXPECT_ERRNO(readlink("d/f", buf, sizeof(buf)), EINVAL);
	EXPECT_EQ(lstat("s", &st), 0);
	EXPECT(S_ISLNK(st.st_mode));
	EXPECT_EQ(st.st_size, 1);
	EXPECT_EQ(lstat("s/", &st), 0);
	EXPECT(S_ISDIR(st.st_mode));
	EXPECT_EQ(symlink("nowhere", "dangling"), 0);
	EXPECT_ERRNO(stat("dangling", &st), ENOENT);
	EXPECT_EQ(close(open("dangling", O_CREAT | O_WRONLY, 0600)), 0);
	EXPECT_EQ(access("nowhere", F_OK), 0);
}

TEST(long_symlink_chains_end)
{
	char from[16], to[16];

	make_file("l0", "x");
	for (int i = 1; i <= 41; i++) {
		snprintf(from, sizeof(from), "l%d", i);
		snprintf(to, sizeof(to), "l%d", i - 1);
		EXPECT_EQ(symlink(to, from), 0);
	}
	EXPECT_EQ(access("l40", F_OK), 0);
	EXPECT_ERRNO(access("l41", F_OK), ELOOP);
}

TEST(working_directory_follows_renames)
{
	char buf[PATH_MAX];

	EXPECT_EQ(mkdir("a", 0755), 0);
	EXPECT_EQ(chdir("a"), 0);
	EXPECT_EQ(rename("../a", "../b"), 0);
	EXPECT_STREQ(getcwd(buf, sizeof(buf)), "/work/b");
	EXPECT_ERRNO(syscall(SYS_getcwd, buf, 3), ERANGE);
	EXPECT_EQ(rmdir("../b"), 0);
	EXPECT_ERRNO(open("x", O_CREAT | O_WRONLY, 0600), ENOENT);
	EXPECT_EQ(chdir(".."), 0);
	EXPECT_ERRNO(chdir("/init"), ENOTDIR);
}

TEST(at_calls_start_at_their_directory)
{
	int d;
	struct stat st;

	EXPECT_EQ(mkdir("d", 0755), 0);
	d = open("d", O_PATH | O_DIRECTORY);
	EXPECT_GE(openat(d, "f", O_CREAT | O_RDWR, 0600), 0);
	EXPECT_EQ(mkdirat(d, "sub", 0700), 0);
	EXPECT_EQ(access("d/f", F_OK), 0);
	EXPECT_EQ(fstatat(d, "../d/sub", &st, 0), 0);
	EXPECT_EQ(unlinkat(d, "sub", AT_REMOVEDIR), 0);
	EXPECT_ERRNO(unlinkat(d, "f", 0x1000), EINVAL);
	EXPECT_EQ(fchdir(d), 0);
	EXPECT_EQ(access("f", F_OK), 0);
	EXPECT_ERRNO(openat(999, "f", O_RDONLY), EBADF);
	EXPECT_GE(openat(999, "/dev/null", O_RDONLY), 0);
	EXPECT_ERRNO(openat(open("f", O_RDONLY), "x", O_RDONLY), ENOTDIR);
}

TEST(attributes_change)
{
	struct stat st;
	struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };

	make_file("f", "x");
	EXPECT_EQ(chmod("f", 04711), 0);
	EXPECT_EQ(stat("f", &st), 0);
	EXPECT_EQ(st.st_mode, S_IFREG | 04711);
	EXPECT_EQ(chown("f", 5, 6), 0);
	EXPECT_EQ(stat("f", &st), 0);
	EXPECT_EQ(st.st_uid, 5);
	EXPECT_EQ(st.st_gid, 6);
	EXPECT_EQ(st.st_mode, S_IFREG | 0711);
	EXPECT_EQ(utimensat(AT_FDCWD, "f", times, 0), 0);
	EXPECT_EQ(stat("f", &st), 0);
	EXPECT_EQ(st.st_mtim.tv_sec, 2000);
	EXPECT_EQ(st.st_mtim.tv_nsec, 7);
	EXPECT_EQ(st.st_atim.tv_sec, 1000);
	times[0].tv_nsec = 2000000000;
	EXPECT_ERRNO(utimensat(AT_FDCWD, "f", times, 0), EINVAL);
}

TEST(writing_changes_the_times)
{
	struct stat before, after;
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT_EQ(fstat(fd, &before), 0);
	sleep_ms(30);
	EXPECT_EQ(write(fd, "x", 1), 1);
	EXPECT_EQ(fstat(fd, &after), 0);
	EXPECT(after.st_mtim.tv_sec > before.st_mtim.tv_sec ||
	       after.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
	EXPECT_EQ(after.st_mtim.tv_nsec, after.st_ctim.tv_nsec);
}

TEST(permissions_bind_other_users)
{
	make_file("secret", "x");
	EXPECT_EQ(chmod("secret", 0600), 0);
	EXPECT_EQ(mkdir("closed", 0700), 0);
	make_file("closed/f", "x");
	make_file("readable", "x");
	EXPECT_EQ(chmod("/work", 0755), 0);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setgid(1000), 0);
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(open("secret", O_RDONLY), EACCES);
		EXPECT_ERRNO(open("closed/f", O_RDONLY), EACCES);
		EXPECT_GE(open("readable", O_RDONLY), 0);
		EXPECT_ERRNO(open("readable", O_WRONLY), EACCES);
		EXPECT_ERRNO(open("new", O_CREAT | O_WRONLY, 0600), EACCES);
		EXPECT_ERRNO(unlink("readable"), EACCES);
		EXPECT_ERRNO(chmod("readable", 0777), EPERM);
		EXPECT_ERRNO(chown("readable", 1000, 1000), EPERM);
		EXPECT_ERRNO(access("secret", R_OK), EACCES);
		EXPECT_ERRNO(setuid(0), EPERM);
		EXPECT_ERRNO(mount("none", "/work", "tmpfs", 0, NULL), EPERM);
		exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(sticky_directories_protect)
{
	EXPECT_EQ(mkdir("t", 0777), 0);
	EXPECT_EQ(chmod("t", 01777), 0);
	make_file("t/of_root", "x");
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(unlink("t/of_root"), EPERM);
		make_file("t/mine", "x");
		EXPECT_EQ(unlink("t/mine"), 0);
		exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(special_files_are_made)
{
	struct stat st;

	EXPECT_EQ(mknod("n", S_IFCHR | 0600, makedev(1, 3)), 0);
	EXPECT_EQ(stat("n", &st), 0);
	EXPECT(S_ISCHR(st.st_mode));
	EXPECT_EQ(st.st_rdev, makedev(1, 3));
	EXPECT_EQ(write(open("n", O_WRONLY), "x", 1), 1);
	EXPECT_EQ(mkfifo("p", 0600), 0);
	EXPECT_EQ(stat("p", &st), 0);
	EXPECT(S_ISFIFO(st.st_mode));
	EXPECT_EQ(mknod("r", S_IFREG | 0600, 0), 0);
	EXPECT_EQ(mknod("c", S_IFCHR | 0600, makedev(250, 77)), 0);
	EXPECT_ERRNO(open("c", O_RDONLY), ENXIO);
}

TEST(mounts_cover_and_uncover)
{
	struct statfs fs;
	char buf[8192];

	EXPECT_EQ(mkdir("m", 0755), 0);
	make_file("m/under", "");
	EXPECT_EQ(mount("none", "m", "tmpfs", 0, "size=1m,mode=700"), 0);
	EXPECT_ERRNO(access("m/under", F_OK), ENOENT);
	EXPECT_EQ(statfs("m", &fs), 0);
	EXPECT_EQ(fs.f_type, 0x01021994);
	EXPECT_EQ(fs.f_blocks * (unsigned long)fs.f_bsize, 1 << 20);
	make_file("m/f", "x");
	EXPECT_ERRNO(rmdir("m"), EBUSY);
	EXPECT_GE(read_file("/proc/mounts", buf, sizeof(buf)), 1);
	EXPECT(strstr(buf, " /work/m tmpfs ") != NULL);
	IN_CHILD(pid)
	{
		open("m/f", O_RDONLY);
		pause();
	}
	sleep_ms(100);
	EXPECT_ERRNO(umount("m"), EBUSY);
	kill(pid, SIGKILL);
	wait_status(pid);
	EXPECT_EQ(umount("m"), 0);
	EXPECT_EQ(access("m/under", F_OK), 0);
	EXPECT_ERRNO(umount("m"), EINVAL);
	EXPECT_ERRNO(mount("none", "m", "nosuchfs", 0, NULL), ENODEV);
	EXPECT_ERRNO(mount("none", "absent", "tmpfs", 0, NULL), ENOENT);
}

TEST(bind_and_read_only_mounts)
{
	EXPECT_EQ(mkdir("a", 0755), 0);
	EXPECT_EQ(mkdir("b", 0755), 0);
	make_file("a/f", "x");
	EXPECT_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
	EXPECT_EQ(access("b/f", F_OK), 0);
	EXPECT_EQ(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	EXPECT_ERRNO(open("b/new", O_CREAT | O_WRONLY, 0600), EROFS);
	EXPECT_ERRNO(open("b/f", O_WRONLY), EROFS);
	EXPECT_EQ(close(open("a/f", O_WRONLY)), 0);
	EXPECT_EQ(umount("b"), 0);
}

TEST(chroot_confines)
{
	EXPECT_EQ(mkdir("jail", 0755), 0);
	make_file("jail/f", "x");
	IN_CHILD(pid)
	{
		EXPECT_EQ(chroot("jail"), 0);
		EXPECT_EQ(chdir("/"), 0);
		EXPECT_EQ(access("/f", F_OK), 0);
		EXPECT_EQ(access("/../../f", F_OK), 0);
		EXPECT_ERRNO(access("/proc", F_OK), ENOENT);
		exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(record_locks_exclude_processes)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10 };
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT_EQ(fcntl(fd, F_SETLK, &lock), 0);
	IN_CHILD(pid)
	{
		struct flock other = {
			.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1
		};

		EXPECT_ERRNO(fcntl(fd, F_SETLK, &other), EAGAIN);
		EXPECT_EQ(fcntl(fd, F_GETLK, &other), 0);
		EXPECT_EQ(other.l_type, F_WRLCK);
		EXPECT_EQ(other.l_pid, getppid());
		other.l_type = F_WRLCK;
		other.l_start = 10;
		EXPECT_EQ(fcntl(fd, F_SETLK, &other), 0);
		exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	lock.l_type = F_UNLCK;
	EXPECT_EQ(fcntl(fd, F_SETLK, &lock), 0);
}

TEST(flock_belongs_to_the_open_file)
{
	int a = open("f", O_RDWR | O_CREAT, 0600), b = open("f", O_RDWR);

	EXPECT_EQ(flock(a, LOCK_EX), 0);
	EXPECT_ERRNO(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	EXPECT_EQ(flock(dup(a), LOCK_SH | LOCK_NB), 0);
	EXPECT_EQ(flock(b, LOCK_SH | LOCK_NB), 0);
	EXPECT_EQ(close(b), 0);
	EXPECT_EQ(flock(a, LOCK_EX | LOCK_NB), 0);
}

TEST(access_uses_the_real_user)
{
	make_file("f", "x");
	EXPECT_EQ(chmod("f", 0600), 0);
	EXPECT_EQ(access("f", X_OK), -1);
	EXPECT_EQ(errno, EACCES);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setresuid(1000, 0, 0), 0);
		EXPECT_ERRNO(access("f", R_OK), EACCES);
		EXPECT_EQ(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS), 0);
		exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}
