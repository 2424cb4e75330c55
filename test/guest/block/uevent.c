/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What udev is told of disks: NETLINK_KOBJECT_UEVENT. */
#include "block_test.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

static int listen_for_events(void)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int s = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	REQUIRE(s >= 0 && bind(s, (struct sockaddr *)&name, sizeof(name)) == 0);
	return s;
}

/* Waits for an event whose first line is this; its lines separated by newlines are in `text`. */
static bool wait_for(int s, const char *wanted, char *text, size_t size)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	while (poll(&p, 1, 5000) == 1) {
		ssize_t n = recv(s, text, size - 1, 0);

		if (n <= 0)
			return false;
		text[n] = 0;
		if (strcmp(text, wanted) != 0)
			continue;
		for (ssize_t i = 0; i < n; i++)
			if (!text[i])
				text[i] = '\n';
		return true;
	}
	return false;
}

TEST(partitions_come_and_go_with_events)
{
	struct blkpg_partition p = { .start = 65536, .length = 65536, .pno = 3 };
	struct blkpg_ioctl_arg arg = { .op = BLKPG_ADD_PARTITION,
				       .datalen = sizeof(p),
				       .data = &p };
	char text[4096], wanted[120];
	int fd, s = listen_for_events(), number = loop_make("disk", MIB, LO_FLAGS_PARTSCAN, &fd);

	EXPECT_EQ(ioctl(fd, BLKPG, &arg), 0);
	snprintf(wanted, sizeof(wanted), "add@/devices/virtual/block/loop%d/loop%dp3", number,
		 number);
	if (EXPECT(wait_for(s, wanted, text, sizeof(text)))) {
		EXPECT(strstr(text, "\nACTION=add\n") && strstr(text, "\nSUBSYSTEM=block\n"));
		EXPECT(strstr(text, "\nDEVTYPE=partition\n") && strstr(text, "\nPARTN=3\n"));
		EXPECT(strstr(text, "\nMAJOR=259\n"));
	}
	arg.op = BLKPG_DEL_PARTITION;
	EXPECT_EQ(ioctl(fd, BLKPG, &arg), 0);
	memcpy(wanted, "remove", 7);
	snprintf(wanted, sizeof(wanted), "remove@/devices/virtual/block/loop%d/loop%dp3", number,
		 number);
	EXPECT(wait_for(s, wanted, text, sizeof(text)));
	loop_end(fd);
}

TEST(writing_uevent_makes_an_event)
{
	char text[4096], path[120], wanted[120];
	int fd, file, s, number = loop_make("disk", MIB, 0, &fd);

	s = listen_for_events();
	snprintf(path, sizeof(path), "/sys/block/loop%d/uevent", number);
	file = open(path, O_WRONLY);
	EXPECT_EQ(write(file, "change\n", 7), 7);
	snprintf(wanted, sizeof(wanted), "change@/devices/virtual/block/loop%d", number);
	if (EXPECT(wait_for(s, wanted, text, sizeof(text))))
		EXPECT(strstr(text, "\nDEVTYPE=disk\n") && strstr(text, "\nSYNTH_UUID=0\n"));
	EXPECT_ERRNO(write(file, "nonsense", 8), EINVAL);
	close(file);
	loop_end(fd);
}
