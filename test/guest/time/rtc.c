/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/rtc0, rtc(4): time, alarm, interrupts each second and at a rate. */
#include "guest_test.h"

#include <linux/rtc.h>
#include <poll.h>
#include <sys/ioctl.h>

#define NOBODY 65534

static int open_clock(void)
{
	int fd = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

static time_t seconds_of(const struct rtc_time *t)
{
	struct tm tm = { .tm_sec = t->tm_sec,
			 .tm_min = t->tm_min,
			 .tm_hour = t->tm_hour,
			 .tm_mday = t->tm_mday,
			 .tm_mon = t->tm_mon,
			 .tm_year = t->tm_year };

	return timegm(&tm);
}

static struct rtc_time time_of(time_t seconds)
{
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return (struct rtc_time){ .tm_sec = tm.tm_sec,
				  .tm_min = tm.tm_min,
				  .tm_hour = tm.tm_hour,
				  .tm_mday = tm.tm_mday,
				  .tm_mon = tm.tm_mon,
				  .tm_year = tm.tm_year };
}

static time_t read_clock(int fd)
{
	struct rtc_time t;

	EXPECT_EQ(ioctl(fd, RTC_RD_TIME, &t), 0);
	return seconds_of(&t);
}

/* Waits for an interrupt, and returns what is read. */
static unsigned long wait_interrupt(int fd, int milliseconds)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned long data = 0;

	EXPECT_EQ(poll(&p, 1, milliseconds), 1);
	if (p.revents & POLLIN)
		EXPECT_EQ(read(fd, &data, sizeof(data)), sizeof(data));
	return data;
}

TEST(rtc_time_is_set_and_runs_on)
{
	/* Noon before a leap day, the end of a century, and now once more. */
	static const time_t times[] = { 951782399, 1709164800, 4102444799 };
	int fd = open_clock();
	time_t before = read_clock(fd);
	struct rtc_time t;

	EXPECT(before > 1600000000);
	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		time_t now;

		t = time_of(times[i]);
		EXPECT_EQ(ioctl(fd, RTC_SET_TIME, &t), 0);
		now = read_clock(fd);
		EXPECT(now >= times[i] && now <= times[i] + 60);
	}
	t = time_of(before);
	EXPECT_EQ(ioctl(fd, RTC_SET_TIME, &t), 0);
	t.tm_mon = 12;
	EXPECT_ERRNO(ioctl(fd, RTC_SET_TIME, &t), EINVAL);
	t = time_of(before);
	t.tm_mday = 32;
	EXPECT_ERRNO(ioctl(fd, RTC_SET_TIME, &t), EINVAL);
	EXPECT_ERRNO(ioctl(fd, RTC_SET_TIME, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(fd, RTC_RD_TIME, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(fd, RTC_PLL_GET, &t), ENOTTY);
	close(fd);
}

TEST(rtc_is_open_once)
{
	int fd = open_clock();

	EXPECT_ERRNO(open("/dev/rtc0", O_RDONLY), EBUSY);
	close(fd);
	fd = open("/dev/rtc0", O_RDONLY | O_NONBLOCK);
	EXPECT(fd >= 0);
	close(fd);
}

TEST(rtc_reads_wait_for_an_interrupt)
{
	unsigned long data;
	char byte;
	int fd = open("/dev/rtc0", O_RDONLY | O_NONBLOCK);

	REQUIRE(fd >= 0);
	EXPECT_ERRNO(read(fd, &data, sizeof(data)), EAGAIN);
	EXPECT_ERRNO(read(fd, &byte, 1), EINVAL);
	close(fd);
}

TEST(rtc_interrupts_at_each_second)
{
	int fd = open_clock();
	unsigned long count = 0;
	time_t first;

	EXPECT_EQ(ioctl(fd, RTC_UIE_ON, 0), 0);
	(void)wait_interrupt(fd, 30000);
	first = read_clock(fd);
	for (int i = 0; i < 2; i++) {
		unsigned long data = wait_interrupt(fd, 30000);

		EXPECT_EQ(data & 0xff, RTC_UF | RTC_IRQF);
		count += data >> 8;
	}
	EXPECT(count >= 2);
	EXPECT(read_clock(fd) > first);
	EXPECT_EQ(ioctl(fd, RTC_UIE_OFF, 0), 0);
	close(fd);
}

TEST(rtc_interrupts_at_a_rate)
{
	int fd = open_clock();
	unsigned long rate = 0, count = 0;
	struct timespec start, end;

	EXPECT_EQ(ioctl(fd, RTC_IRQP_SET, 64), 0);
	EXPECT_EQ(ioctl(fd, RTC_IRQP_READ, &rate), 0);
	EXPECT_EQ(rate, 64);
	EXPECT_ERRNO(ioctl(fd, RTC_IRQP_SET, 0), EINVAL);
	EXPECT_ERRNO(ioctl(fd, RTC_IRQP_SET, RTC_MAX_FREQ + 1), EINVAL);
	clock_gettime(CLOCK_MONOTONIC, &start);
	EXPECT_EQ(ioctl(fd, RTC_PIE_ON, 0), 0);
	while (count < 16) {
		unsigned long data = wait_interrupt(fd, 30000);

		EXPECT_EQ(data & 0xff, RTC_PF | RTC_IRQF);
		count += data >> 8;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	EXPECT_EQ(ioctl(fd, RTC_PIE_OFF, 0), 0);
	EXPECT((end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000 >= 230);
	close(fd);
}

TEST(rtc_alarm_rings)
{
	int fd = open_clock();
	struct rtc_wkalrm alarm = { .enabled = 1, .time = time_of(read_clock(fd) + 2) }, got;
	unsigned long data;

	EXPECT_EQ(ioctl(fd, RTC_WKALM_SET, &alarm), 0);
	memset(&got, 0xff, sizeof(got));
	EXPECT_EQ(ioctl(fd, RTC_WKALM_RD, &got), 0);
	EXPECT_EQ(seconds_of(&got.time), seconds_of(&alarm.time));
	data = wait_interrupt(fd, 30000);
	EXPECT_EQ(data & 0xff, RTC_AF | RTC_IRQF);
	EXPECT(read_clock(fd) >= seconds_of(&alarm.time));
	close(fd);
}

TEST(rtc_alarm_of_a_time_of_day)
{
	int fd = open_clock();
	time_t wanted = read_clock(fd) + 3600;
	struct rtc_time t = time_of(wanted), got;

	EXPECT_EQ(ioctl(fd, RTC_ALM_SET, &t), 0);
	EXPECT_EQ(ioctl(fd, RTC_ALM_READ, &got), 0);
	EXPECT_EQ(got.tm_hour, t.tm_hour);
	EXPECT_EQ(got.tm_min, t.tm_min);
	EXPECT_EQ(got.tm_sec, t.tm_sec);
	EXPECT_EQ(ioctl(fd, RTC_AIE_ON, 0), 0);
	EXPECT_EQ(ioctl(fd, RTC_AIE_OFF, 0), 0);
	close(fd);
}

TEST(rtc_asks_for_rights)
{
	int fd = open_clock();
	struct rtc_time t = time_of(read_clock(fd));

	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(NOBODY), 0);
		EXPECT_ERRNO(ioctl(fd, RTC_SET_TIME, &t), EACCES);
		EXPECT_ERRNO(ioctl(fd, RTC_IRQP_SET, 128), EACCES);
		EXPECT_EQ(ioctl(fd, RTC_IRQP_SET, 64), 0);
		EXPECT_EQ(ioctl(fd, RTC_RD_TIME, &t), 0);
		_exit(test_has_failed());
	}
	int status = -1;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	close(fd);
}
