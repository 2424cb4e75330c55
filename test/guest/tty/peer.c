/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TIOCGPTPEER of a master that was opened through a ptmx mounted alone elsewhere. */
#include "guest_test.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

TEST(peer_of_a_bound_ptmx)
{
	int master, slave, one = 0;
	char c = 0;

	EXPECT_EQ(unshare(CLONE_NEWNS), 0);
	EXPECT_EQ(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	EXPECT_EQ(mkdir("pts", 0755), 0);
	EXPECT_EQ(mount("devpts", "pts", "devpts", 0, "newinstance,ptmxmode=0666"), 0);
	close(open("ptmx", O_CREAT | O_RDWR, 0600));
	EXPECT_EQ(mount("pts/ptmx", "ptmx", NULL, MS_BIND, NULL), 0);
	master = open("ptmx", O_RDWR | O_NOCTTY);
	if (!EXPECT(master >= 0))
		return;
	EXPECT_EQ(ioctl(master, TIOCSPTLCK, &one), 0);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	EXPECT(slave >= 0);
	EXPECT_EQ(write(slave, "x", 1), 1);
	EXPECT_EQ(read(master, &c, 1), 1);
	EXPECT_EQ(c, 'x');
}
