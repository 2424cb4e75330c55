/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates and seconds. Years begin in March here, so that February, and with it the leap day, ends them. */
#include <lib/calendar.h>

#define DAY 86400u
#define DAYS_TO_1970 719468u /* from March 1st of the year 0 */
#define DAYS_OF_400_YEARS 146097u

/* Days from March 1st to the first of a month, March being 0. */
static u32 days_before_month(u32 month)
{
	return (153 * month + 2) / 5;
}

static u64 days_since_1970(u32 year, u32 month, u32 day)
{
	if (month <= 2) {
		year--;
		month += 12;
	}
	return 365ull * year + year / 4 - year / 100 + year / 400 + days_before_month(month - 3) +
	       day - 1 - DAYS_TO_1970;
}

u64 calendar_seconds(const struct calendar *date)
{
	return days_since_1970(date->year, date->month, date->day) * DAY + date->hour * 3600ull +
	       date->minute * 60ull + date->second;
}

void calendar_of_seconds(u64 seconds, struct calendar *out)
{
	u64 days = seconds / DAY + DAYS_TO_1970;
	u32 of_day = (u32)(seconds % DAY), of_era = (u32)(days % DAYS_OF_400_YEARS);
	u32 year_of_era =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_OF_400_YEARS - 1)) / 365;
	u32 of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	u32 month = (5 * of_year + 2) / 153;

	out->day = of_year - days_before_month(month) + 1;
	out->month = month < 10 ? month + 3 : month - 9;
	out->year = (u32)(days / DAYS_OF_400_YEARS) * 400 + year_of_era + (out->month <= 2);
	out->hour = of_day / 3600;
	out->minute = of_day / 60 % 60;
	out->second = of_day % 60;
	out->week_day = (u32)((seconds / DAY + 4) % 7);
	out->year_day = (u32)(seconds / DAY - days_since_1970(out->year, 1, 1));
}

bool calendar_valid(const struct calendar *date)
{
	struct calendar same;

	if (date->year < 1970 || date->year > 9999 || date->month < 1 || date->month > 12 ||
	    date->day < 1 || date->day > 31 || date->hour > 23 || date->minute > 59 ||
	    date->second > 59)
		return false;
	calendar_of_seconds(calendar_seconds(date), &same);
	return same.day == date->day;
}
