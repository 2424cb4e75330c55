/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disciplining the clock: adjtimex(2), adjtime(3). */
#include "guest_test.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>

TEST(adjtime_tells_what_is_left)
{
	struct timeval delta = { .tv_usec = 400000 }, old, none = { 0 };

	EXPECT_EQ(adjtime(&delta, &old), 0);
	EXPECT_EQ(adjtime(&none, &old), 0);
	EXPECT(old.tv_sec == 0 && old.tv_usec > 300000 && old.tv_usec <= 400000);
	EXPECT_EQ(adjtime(NULL, &old), 0);
	EXPECT_EQ(old.tv_usec, 0);
}

TEST(adjtimex_checks_and_keeps)
{
	struct timex tx = { .modes = ADJ_FREQUENCY, .freq = 100 << 16 };

	EXPECT(adjtimex(&tx) >= 0);
	tx = (struct timex){ 0 };
	EXPECT(adjtimex(&tx) >= 0);
	EXPECT_EQ(tx.freq, 100 << 16);
	tx = (struct timex){ .modes = ADJ_FREQUENCY };
	EXPECT(adjtimex(&tx) >= 0);
	tx = (struct timex){ .modes = ADJ_TICK, .tick = 1 };
	EXPECT_ERRNO(adjtimex(&tx), EINVAL);
	tx = (struct timex){ .modes = ADJ_SETOFFSET, .time = { 0, 2000000 } };
	EXPECT_ERRNO(adjtimex(&tx), EINVAL);
}

TEST(tai_is_ahead_by_its_offset)
{
	struct timex tx = { .modes = ADJ_TAI, .constant = 37 };
	struct timespec real, tai;

	EXPECT(adjtimex(&tx) >= 0);
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_TAI, &tai);
	EXPECT(tai.tv_sec - real.tv_sec >= 37 && tai.tv_sec - real.tv_sec <= 38);
	tx = (struct timex){ .modes = ADJ_TAI };
	EXPECT(adjtimex(&tx) >= 0);
}

TEST(time_zone_is_kept)
{
	struct timezone utc = { 0, 0 }, zone = { -60, 1 }, wrong = { 15 * 60 + 1, 0 }, got;
	struct timeval tv;

	/* The first call could move the clock: not with this zone. */
	EXPECT_EQ(settimeofday(NULL, &utc), 0);
	EXPECT_EQ(settimeofday(NULL, &zone), 0);
	EXPECT_EQ(syscall(SYS_gettimeofday, &tv, &got), 0);
	EXPECT(got.tz_minuteswest == -60 && got.tz_dsttime == 1);
	EXPECT_ERRNO(settimeofday(NULL, &wrong), EINVAL);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(4711), 0);
		EXPECT_ERRNO(settimeofday(NULL, &utc), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(settimeofday(NULL, &utc), 0);
	EXPECT_EQ(syscall(SYS_gettimeofday, NULL, &got), 0);
	EXPECT(got.tz_minuteswest == 0 && got.tz_dsttime == 0);
}
