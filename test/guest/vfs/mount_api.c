/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts by handle: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), fsmount(2), fspick(2), mount_setattr(2). */
#include <guest_test.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include <linux/mount.h>

/* <sys/mount.h> does not go with <linux/mount.h> in every glibc. */
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount(const char *);
int umount2(const char *, int);

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

#define open_tree(...) ((int)syscall(SYS_open_tree, __VA_ARGS__))
#define move_mount(...) ((int)syscall(SYS_move_mount, __VA_ARGS__))
#define fsopen(...) ((int)syscall(SYS_fsopen, __VA_ARGS__))
#define fsconfig(...) ((int)syscall(SYS_fsconfig, __VA_ARGS__))
#define fsmount(...) ((int)syscall(SYS_fsmount, __VA_ARGS__))
#define fspick(...) ((int)syscall(SYS_fspick, __VA_ARGS__))
#define mount_setattr(...) ((int)syscall(SYS_mount_setattr, __VA_ARGS__))

static void isolate(void)
{
	EXPECT_EQ(unshare(CLONE_NEWNS), 0);
	EXPECT_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

/* The mount flags of the file system at a path. */
static unsigned long flags_at(const char *path)
{
	struct statvfs st = {};

	EXPECT_EQ(statvfs(path, &st), 0);
	return st.f_flag;
}

/* A tmpfs mounted nowhere yet. */
static int make_tmpfs(unsigned attributes)
{
	int fd = fsopen("tmpfs", FSOPEN_CLOEXEC), mounted;

	EXPECT(fd >= 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_SET_STRING, "source", "made", 0), 0);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_SET_STRING, "size", "1M", 0), 0);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_SET_STRING, "mode", "0711", 0), 0);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
	mounted = fsmount(fd, FSMOUNT_CLOEXEC, attributes);
	EXPECT(mounted >= 0);
	EXPECT_EQ(close(fd), 0);
	return mounted;
}

/* A mount "a" with one on it, "a/in". */
static void make_nested(void)
{
	mkdir("a", 0755);
	EXPECT_EQ(mount("t", "a", "tmpfs", 0, NULL), 0);
	mkdir("a/in", 0755);
	EXPECT_EQ(mount("t", "a/in", "tmpfs", 0, NULL), 0);
}

TEST(mount_api_makes_and_moves)
{
	struct stat st;
	int fd;

	isolate();
	mkdir("d", 0755);
	fd = make_tmpfs(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	int file = openat(fd, "f", O_CREAT | O_WRONLY, 0600);
	EXPECT(file >= 0);
	close(file);
	EXPECT_EQ(move_mount(fd, "", AT_FDCWD, "d", MOVE_MOUNT_F_EMPTY_PATH), 0);
	EXPECT_EQ(access("d/f", F_OK), 0);
	EXPECT_EQ(stat("d", &st), 0);
	EXPECT_EQ(st.st_mode & 07777, 0711);
	EXPECT_EQ(flags_at("d") & (ST_NOSUID | ST_NOEXEC | ST_NODEV), ST_NOSUID | ST_NOEXEC);
	/* It is attached: closing does not end it, and it may move on. */
	EXPECT_EQ(close(fd), 0);
	EXPECT_EQ(access("d/f", F_OK), 0);
	mkdir("e", 0755);
	EXPECT_EQ(move_mount(AT_FDCWD, "d", AT_FDCWD, "e", 0), 0);
	EXPECT_EQ(access("e/f", F_OK), 0);
	EXPECT_ERRNO(access("d/f", F_OK), ENOENT);
	EXPECT_EQ(umount("e"), 0);
}

TEST(mount_api_tree_is_cloned)
{
	int fd;

	isolate();
	make_nested();
	make_file("a/in/f", "x");
	mkdir("b", 0755);
	fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE | AT_RECURSIVE);
	EXPECT(fd >= 0);
	EXPECT_EQ(faccessat(fd, "in/f", F_OK, 0), 0);
	EXPECT_EQ(move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH), 0);
	EXPECT_EQ(access("b/in/f", F_OK), 0);
	close(fd);
	EXPECT_EQ(umount2("b", 2 /* MNT_DETACH */), 0);
	/* Without the mounts on it; a tree that goes nowhere ends with its last descriptor. */
	fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE);
	EXPECT_ERRNO(faccessat(fd, "in/f", F_OK, 0), ENOENT);
	int copy = dup(fd);
	close(fd);
	EXPECT_EQ(faccessat(copy, "in", F_OK, 0), 0);
	close(copy);
	/* Without a clone it is the path itself. */
	fd = open_tree(AT_FDCWD, "a/in", OPEN_TREE_CLOEXEC);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(faccessat(fd, "f", F_OK, 0), 0);
	EXPECT_EQ(move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH), 0);
	EXPECT_EQ(access("b/f", F_OK), 0);
	EXPECT_ERRNO(access("a/in/f", F_OK), ENOENT);
}

TEST(mount_api_refuses)
{
	int fd, tree;

	isolate();
	mkdir("d", 0755);
	make_file("f", "");
	EXPECT_ERRNO(fsopen("nonesuch", 0), ENODEV);
	EXPECT_ERRNO(fsopen("tmpfs", 2), EINVAL);
	EXPECT_ERRNO(open_tree(AT_FDCWD, "d", AT_RECURSIVE), EINVAL);
	EXPECT_ERRNO(open_tree(AT_FDCWD, "d", 0x2), EINVAL);
	EXPECT_ERRNO(open_tree(AT_FDCWD, "none", OPEN_TREE_CLONE), ENOENT);
	EXPECT_ERRNO(fspick(AT_FDCWD, "d", 0x10), EINVAL);
	EXPECT_ERRNO(move_mount(AT_FDCWD, "d", AT_FDCWD, "d", 0x80), EINVAL);
	EXPECT_ERRNO(move_mount(AT_FDCWD, "d", AT_FDCWD, "d", 0), EINVAL);
	fd = fsopen("tmpfs", 0);
	EXPECT_ERRNO(fsconfig(fd, FSCONFIG_SET_STRING, "source", NULL, 0), EINVAL);
	EXPECT_ERRNO(fsconfig(fd, FSCONFIG_SET_FLAG, "ro", "x", 0), EINVAL);
	EXPECT_ERRNO(fsconfig(fd, 99, NULL, NULL, 0), EOPNOTSUPP);
	EXPECT_ERRNO(fsconfig(-1, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EINVAL);
	EXPECT_ERRNO(fsconfig(99, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EBADF);
	EXPECT_ERRNO(fsconfig(0, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EINVAL);
	EXPECT_ERRNO(fsmount(fd, 0, 0), EINVAL);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_SET_STRING, "source", "a", 0), 0);
	EXPECT_ERRNO(fsconfig(fd, FSCONFIG_SET_STRING, "source", "b", 0), EINVAL);
	EXPECT_ERRNO(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0), EBUSY);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
	EXPECT_ERRNO(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EBUSY);
	EXPECT_ERRNO(fsmount(fd, 0, MOUNT_ATTR__ATIME), EINVAL);
	tree = fsmount(fd, 0, 0);
	EXPECT(tree >= 0);
	EXPECT_ERRNO(fsmount(fd, 0, 0), EBUSY);
	EXPECT_ERRNO(move_mount(tree, "", AT_FDCWD, "f", MOVE_MOUNT_F_EMPTY_PATH), EINVAL);
	EXPECT_ERRNO(move_mount(tree, "", AT_FDCWD, "d", 0), ENOENT);
	close(tree);
	close(fd);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(fsopen("tmpfs", 0), EPERM);
		EXPECT_ERRNO(open_tree(AT_FDCWD, "d", OPEN_TREE_CLONE), EPERM);
		EXPECT(open_tree(AT_FDCWD, "d", 0) >= 0);
		EXPECT_ERRNO(move_mount(AT_FDCWD, "d", AT_FDCWD, "d", 0), EPERM);
		EXPECT_ERRNO(fspick(AT_FDCWD, "d", 0), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(mount_api_reconfigures)
{
	int fd;

	isolate();
	mkdir("d", 0755);
	EXPECT_EQ(mount("t", "d", "tmpfs", 0, NULL), 0);
	fd = fspick(AT_FDCWD, "d", FSPICK_CLOEXEC);
	EXPECT(fd >= 0);
	EXPECT_ERRNO(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EBUSY);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_SET_FLAG, "ro", NULL, 0), 0);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0), 0);
	EXPECT_ERRNO(open("d/f", O_CREAT | O_WRONLY, 0600), EROFS);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_SET_FLAG, "rw", NULL, 0), 0);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0), 0);
	EXPECT(open("d/f", O_CREAT | O_WRONLY, 0600) >= 0);
	mkdir("d/sub", 0755);
	EXPECT_ERRNO(fspick(AT_FDCWD, "d/sub", 0), EINVAL);
}

TEST(mount_setattr_changes_a_tree)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
	char big[64] = {};
	int fd;

	isolate();
	make_nested();
	EXPECT_EQ(mount_setattr(AT_FDCWD, "a", 0, &attr, sizeof(attr)), 0);
	EXPECT_EQ(flags_at("a") & (ST_RDONLY | ST_NODEV), ST_RDONLY | ST_NODEV);
	EXPECT_EQ(flags_at("a/in") & ST_RDONLY, 0);
	fd = open("a/in/f", O_CREAT | O_WRONLY, 0600);
	EXPECT_ERRNO(mount_setattr(AT_FDCWD, "a", AT_RECURSIVE, &attr, sizeof(attr)), EBUSY);
	close(fd);
	EXPECT_EQ(mount_setattr(AT_FDCWD, "a", AT_RECURSIVE, &attr, sizeof(attr)), 0);
	EXPECT_ERRNO(open("a/in/g", O_CREAT | O_WRONLY, 0600), EROFS);
	attr = (struct mount_attr){ .attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME,
				    .attr_set = MOUNT_ATTR_NOATIME };
	EXPECT_EQ(mount_setattr(AT_FDCWD, "a", AT_RECURSIVE, &attr, sizeof(attr)), 0);
	EXPECT_EQ(flags_at("a/in") & (ST_RDONLY | ST_NOATIME | ST_RELATIME | ST_NODEV),
		  ST_NOATIME | ST_NODEV);
	attr = (struct mount_attr){ .propagation = MS_SHARED };
	EXPECT_EQ(mount_setattr(AT_FDCWD, "a", 0, &attr, sizeof(attr)), 0);
	attr.propagation = MS_SHARED | MS_PRIVATE;
	EXPECT_ERRNO(mount_setattr(AT_FDCWD, "a", 0, &attr, sizeof(attr)), EINVAL);
	attr = (struct mount_attr){ .attr_set = MOUNT_ATTR_NOATIME };
	EXPECT_ERRNO(mount_setattr(AT_FDCWD, "a", 0, &attr, sizeof(attr)), EINVAL);
	attr = (struct mount_attr){ .attr_set = 1ull << 40 };
	EXPECT_ERRNO(mount_setattr(AT_FDCWD, "a", 0, &attr, sizeof(attr)), EINVAL);
	EXPECT_ERRNO(mount_setattr(AT_FDCWD, "a", 0, &attr, 16), EINVAL);
	EXPECT_ERRNO(mount_setattr(AT_FDCWD, "a", 0, &attr, 1 << 20), E2BIG);
	EXPECT_EQ(mount_setattr(AT_FDCWD, "none", 0, big, sizeof(big)), 0);
	big[63] = 1;
	EXPECT_ERRNO(mount_setattr(AT_FDCWD, "a", 0, big, sizeof(big)), E2BIG);
	attr = (struct mount_attr){ .attr_set = MOUNT_ATTR_NOEXEC };
	EXPECT_ERRNO(mount_setattr(AT_FDCWD, "a/nothing", 0, &attr, sizeof(attr)), ENOENT);
	mkdir("a/d", 0755);
	EXPECT_ERRNO(mount_setattr(AT_FDCWD, "a/d", 0, &attr, sizeof(attr)), EINVAL);
}

TEST(mount_api_sets_a_group)
{
	isolate();
	mkdir("a", 0755);
	mkdir("b", 0755);
	EXPECT_EQ(mount("t", "a", "tmpfs", 0, NULL), 0);
	mkdir("a/d", 0755);
	EXPECT_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
	EXPECT_ERRNO(move_mount(AT_FDCWD, "a", AT_FDCWD, "b", MOVE_MOUNT_SET_GROUP), EINVAL);
	EXPECT_EQ(mount(NULL, "a", NULL, MS_SHARED, NULL), 0);
	EXPECT_EQ(move_mount(AT_FDCWD, "a", AT_FDCWD, "b", MOVE_MOUNT_SET_GROUP), 0);
	EXPECT_EQ(mount("t", "a/d", "tmpfs", 0, NULL), 0);
	make_file("a/d/f", "x");
	EXPECT_EQ(access("b/d/f", F_OK), 0);
	EXPECT_ERRNO(move_mount(AT_FDCWD, "a", AT_FDCWD, "b", MOVE_MOUNT_SET_GROUP), EINVAL);
}

/* What fsconfig says at once about a parameter, and the message that it leaves. */
static void expect_message(const char *type, const char *key, const char *value,
			   const char *message)
{
	int fd = fsopen(type, FSOPEN_CLOEXEC);
	char text[128] = "";

	EXPECT(fd >= 0);
	EXPECT_ERRNO(read(fd, text, sizeof(text)), ENODATA);
	EXPECT_ERRNO(fsconfig(fd, FSCONFIG_SET_STRING, key, value, 0), EINVAL);
	EXPECT_ERRNO(read(fd, text, 3), EMSGSIZE);
	ssize_t length = read(fd, text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = 0;
	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = 0;
	EXPECT_STREQ(text, message);
	close(fd);
}

TEST(mount_api_checks_parameters_at_once)
{
	int number = 2, fd = fsopen("proc", 0);

	expect_message("tmpfs", "colour", "red", "e tmpfs: Unknown parameter 'colour'");
	expect_message("tmpfs", "size", "big", "e tmpfs: Bad value for 'size'");
	expect_message("proc", "colour", "red", "e proc: Unknown parameter 'colour'");
	EXPECT_ERRNO(fsconfig(fd, FSCONFIG_SET_BINARY, "hidepid", &number, sizeof(number)), EINVAL);
	EXPECT_ERRNO(fsconfig(fd, FSCONFIG_SET_STRING, "hidepid", "17", 0), EINVAL);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_SET_STRING, "hidepid", "2", 0), 0);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_SET_STRING, "hidepid", "invisible", 0), 0);
	EXPECT_EQ(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
	close(fd);
}
