/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real-time clock in CMOS (MC146818), which is taken to run in UTC. */
#include <arch/irqflags.h>
#include <arch/time.h>
#include <lib/string.h>

#include "x86.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define RTC_STATUS_A 10
#define RTC_STATUS_B 11
#define RTC_CENTURY 0x32
#define STATUS_A_UPDATING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY 0x04
#define HOUR_PM 0x80

struct rtc_time {
	u8 second, minute, hour, day, month, year, century;
};

static u8 cmos_read(u8 index)
{
	port_write8(CMOS_INDEX, index);
	return port_read8(CMOS_DATA);
}

static struct rtc_time rtc_read(void)
{
	return (struct rtc_time){
		.second = cmos_read(0),
		.minute = cmos_read(2),
		.hour = cmos_read(4),
		.day = cmos_read(7),
		.month = cmos_read(8),
		.year = cmos_read(9),
		.century = cmos_read(RTC_CENTURY),
	};
}

/* Reads until two readings are the same, so that none is torn by an update. */
static bool rtc_read_stable(struct rtc_time *out)
{
	for (unsigned tries = 0; tries < 1000; tries++) {
		if (cmos_read(RTC_STATUS_A) & STATUS_A_UPDATING)
			continue;
		struct rtc_time first = rtc_read();
		*out = rtc_read();
		if (!memcmp(&first, out, sizeof(first)))
			return true;
	}
	return false;
}

static u8 decode(u8 value, u8 status_b)
{
	return status_b & STATUS_B_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March, so that February
 * ends them. */
static u64 days_since_1970(unsigned year, unsigned month, unsigned day)
{
	if (month <= 2) {
		year--;
		month += 12;
	}
	return 365ull * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 +
	       day - 1 - 719468;
}

u64 arch_rtc_seconds(void)
{
	struct rtc_time t;
	u8 status_b = cmos_read(RTC_STATUS_B);

	if (status_b == 0xff || !rtc_read_stable(&t))
		return 0;
	bool pm = !(status_b & STATUS_B_24_HOURS) && (t.hour & HOUR_PM);
	unsigned hour = decode(status_b & STATUS_B_24_HOURS ? t.hour : t.hour & ~HOUR_PM, status_b);
	if (!(status_b & STATUS_B_24_HOURS))
		hour = hour % 12 + (pm ? 12 : 0);
	unsigned century = decode(t.century, status_b);
	unsigned year = decode(t.year, status_b);
	/* Not every machine has the century there. */
	year += century >= 19 && century <= 21 ? century * 100 : year < 70 ? 2000 : 1900;
	unsigned month = decode(t.month, status_b), day = decode(t.day, status_b);
	if (month < 1 || month > 12 || day < 1 || day > 31)
		return 0;
	u64 seconds = days_since_1970(year, month, day) * 86400;
	return seconds + hour * 3600 + decode(t.minute, status_b) * 60 + decode(t.second, status_b);
}
