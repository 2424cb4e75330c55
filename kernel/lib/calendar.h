/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates of the Gregorian calendar, in UTC, from 1970 on. */
#pragma once

#include <lib/types.h>

struct calendar {
	u32 year, month, day; /* 1970.., 1..12, 1..31 */
	u32 hour, minute, second;
	u32 week_day, year_day; /* 0: Sunday; 0: January 1st; not looked at by calendar_seconds */
};

/* Seconds since 1970 and back. */
u64 calendar_seconds(const struct calendar *date);
void calendar_of_seconds(u64 seconds, struct calendar *out);

/* Is there such a date? */
bool calendar_valid(const struct calendar *date);
