// SPDX-License-Identifier: GPL-2.0-or-later
/* An init that says when it began to run, and powers off. */
#include <stdio.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	printf("\ninit began at %lld.%06ld\n", (long long)ts.tv_sec, ts.tv_nsec / 1000);
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
