/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pseudo terminals: when the master sees the end. */
#include "guest_test.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>

static short master_events(int master)
{
	struct pollfd p = { .fd = master, .events = POLLIN };

	poll(&p, 1, 0);
	return p.revents;
}

TEST(pty_master_ends_with_the_last_slave_file_not_with_the_session)
{
	int master, slave, status;
	char text[16];
	pid_t child;

	REQUIRE(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	child = fork();
	if (child == 0) {
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		_exit(write(slave, "hello", 5) != 5);
	}
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(read(master, text, sizeof(text)), 5);
	/* The session is gone, but we still have its terminal open, and it works. */
	EXPECT_EQ(master_events(master), 0);
	EXPECT_EQ(write(slave, "x", 1), 1);
	EXPECT_EQ(read(master, text, sizeof(text)), 1);
	close(slave);
	EXPECT_EQ(master_events(master), POLLHUP);
	EXPECT_ERRNO(read(master, text, 1), EIO);
}
