/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real-time clock in CMOS (MC146818), which is taken to run in UTC. */
#include <arch/irqflags.h>
#include <arch/time.h>
#include <lib/calendar.h>
#include <lib/string.h>

#include "x86.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define RTC_STATUS_A 10
#define RTC_STATUS_B 11
#define RTC_CENTURY 0x32
#define STATUS_A_UPDATING 0x80
#define STATUS_B_SET 0x80 /* the clock stands still while it is set */
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
	struct calendar date = { .year = year,
				 .month = decode(t.month, status_b),
				 .day = decode(t.day, status_b),
				 .hour = hour,
				 .minute = decode(t.minute, status_b),
				 .second = decode(t.second, status_b) };
	return calendar_valid(&date) ? calendar_seconds(&date) : 0;
}

static void cmos_write(u8 index, u8 value)
{
	port_write8(CMOS_INDEX, index);
	port_write8(CMOS_DATA, value);
}

static void write_number(u8 index, u32 value, u8 status_b)
{
	cmos_write(index, (u8)(status_b & STATUS_B_BINARY ? value : value / 10 << 4 | value % 10));
}

static void write_hour(u32 hour, u8 status_b)
{
	bool pm = !(status_b & STATUS_B_24_HOURS) && hour >= 12;

	if (!(status_b & STATUS_B_24_HOURS))
		hour = hour % 12 ?: 12;
	write_number(4, hour, status_b);
	if (pm)
		cmos_write(4, cmos_read(4) | HOUR_PM);
}

bool arch_rtc_set_seconds(u64 seconds)
{
	u8 status_b = cmos_read(RTC_STATUS_B);
	struct calendar date;

	calendar_of_seconds(seconds, &date);
	if (status_b == 0xff || date.year >= 2200)
		return false;
	cmos_write(RTC_STATUS_B, status_b | STATUS_B_SET);
	write_number(0, date.second, status_b);
	write_number(2, date.minute, status_b);
	write_hour(date.hour, status_b);
	write_number(6, date.week_day + 1, status_b);
	write_number(7, date.day, status_b);
	write_number(8, date.month, status_b);
	write_number(9, date.year % 100, status_b);
	write_number(RTC_CENTURY, date.year / 100, status_b);
	cmos_write(RTC_STATUS_B, status_b);
	return true;
}
