/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/rtc0. */
#pragma once

/* Boot: registers the real-time clock, if the machine has one. */
void rtc_init(void);
