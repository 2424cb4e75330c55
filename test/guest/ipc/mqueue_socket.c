/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mq_notify(2) with SIGEV_THREAD sends to a netlink socket: <linux/mqueue.h>, which does not go with <mqueue.h>. */
#include <guest_test.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/mqueue.h>
#include <linux/netlink.h>

TEST(mqueue_tells_a_netlink_socket)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 8 };
	char cookie[NOTIFY_COOKIE_LEN] = "a cookie", got[64];
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_value.sival_ptr = cookie };
	int told = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	long q = syscall(SYS_mq_open, "by_socket", O_CREAT | O_RDWR, 0600, &attr);

	REQUIRE(q >= 0 && told >= 0);
	EXPECT_EQ(syscall(SYS_mq_unlink, "by_socket"), 0);
	event.sigev_signo = 999;
	EXPECT_ERRNO(syscall(SYS_mq_notify, q, &event), EBADF);
	event.sigev_signo = told;
	EXPECT_EQ(syscall(SYS_mq_notify, q, &event), 0);
	EXPECT_ERRNO(syscall(SYS_mq_notify, q, &event), EBUSY);
	EXPECT_EQ(syscall(SYS_mq_timedsend, q, "a", 1, 0, NULL), 0);
	EXPECT_EQ(recv(told, got, sizeof(got), MSG_DONTWAIT), NOTIFY_COOKIE_LEN);
	EXPECT_STREQ(got, "a cookie");
	EXPECT_EQ(got[NOTIFY_COOKIE_LEN - 1], NOTIFY_WOKENUP);
	EXPECT_EQ(syscall(SYS_mq_timedreceive, q, got, 8, NULL, NULL), 1);
	EXPECT_EQ(syscall(SYS_mq_notify, q, &event), 0);
	EXPECT_EQ(syscall(SYS_mq_notify, q, NULL), 0);
	EXPECT_EQ(recv(told, got, sizeof(got), MSG_DONTWAIT), NOTIFY_COOKIE_LEN);
	EXPECT_EQ(got[NOTIFY_COOKIE_LEN - 1], NOTIFY_REMOVED);
	EXPECT_ERRNO(recv(told, got, sizeof(got), MSG_DONTWAIT), EAGAIN);
	close((int)q);
}
