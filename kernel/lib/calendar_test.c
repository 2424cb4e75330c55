/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates against ones that are known, and every day there and back. */
#include <lib/calendar.h>
#include <lib/test.h>

TEST(dates_that_are_known)
{
	struct calendar date;

	calendar_of_seconds(0, &date);
	EXPECT(date.year == 1970 && date.month == 1 && date.day == 1 && date.week_day == 4);
	calendar_of_seconds(951782399, &date); /* 2000-02-28 23:59:59, a Monday */
	EXPECT(date.year == 2000 && date.month == 2 && date.day == 28 && date.hour == 23 &&
	       date.minute == 59 && date.second == 59 && date.week_day == 1);
	calendar_of_seconds(4107542400, &date); /* 2100-03-01: no leap day before it */
	EXPECT(date.year == 2100 && date.month == 3 && date.day == 1 && date.year_day == 59);
}

TEST(every_day_there_and_back)
{
	u32 last = 1000;

	for (u64 day = 0; day < 366 * 500; day++) {
		struct calendar date;

		calendar_of_seconds(day * 86400 + day % 86400, &date);
		EXPECT(calendar_valid(&date));
		EXPECT(calendar_seconds(&date) == day * 86400 + day % 86400);
		EXPECT(date.year_day == 0 ? date.month == 1 && date.day == 1
					  : date.year_day == last + 1);
		last = date.year_day;
	}
}

TEST(dates_that_are_none)
{
	struct calendar date = { .year = 2023, .month = 2, .day = 29 };

	EXPECT(!calendar_valid(&date));
	date.year = 2024;
	EXPECT(calendar_valid(&date));
	date.hour = 24;
	EXPECT(!calendar_valid(&date));
	date = (struct calendar){ .year = 1969, .month = 12, .day = 31 };
	EXPECT(!calendar_valid(&date));
	date = (struct calendar){ .year = 2000, .month = 4, .day = 31 };
	EXPECT(!calendar_valid(&date));
}
