/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TIOCGPTPEER (ioctl_tty(2)) has the slave's name; a directory of /proc stands for its process in pidfd_send_signal(2). */
#include "guest_test.h"

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

TEST(pty_peer_has_a_name)
{
	int master, peer, unlock = 0, number = -1;
	char link[64], target[64], wanted[64];
	struct stat by_fd, by_name;
	ssize_t n;

	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=666");
	master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	REQUIRE(master >= 0);
	EXPECT_ERRNO(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO);
	EXPECT_EQ(ioctl(master, TIOCSPTLCK, &unlock), 0);
	EXPECT_EQ(ioctl(master, TIOCGPTN, &number), 0);
	peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	REQUIRE(peer >= 0);
	EXPECT_EQ(isatty(peer), 1);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", peer);
	n = readlink(link, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = 0;
	snprintf(wanted, sizeof(wanted), "/dev/pts/%d", number);
	EXPECT_STREQ(target, wanted);
	EXPECT_EQ(fstat(peer, &by_fd), 0);
	EXPECT_EQ(stat(wanted, &by_name), 0);
	EXPECT_EQ(by_fd.st_ino, by_name.st_ino);
	EXPECT_EQ(by_fd.st_dev, by_name.st_dev);
	close(peer);
	close(master);
}

TEST(proc_directory_is_a_pidfd_for_signals)
{
	char path[32];
	int fd;
	IN_CHILD(pid)
	{
		pause();
		_exit(0);
	}

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
	EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
	EXPECT_EQ(wait_status(pid), 128 + SIGTERM);
	EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
	close(fd);
	fd = open("/proc", O_RDONLY | O_DIRECTORY);
	EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), EBADF);
	close(fd);
}
