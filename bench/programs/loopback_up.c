// SPDX-License-Identifier: GPL-2.0-or-later
/* Brings the loopback interface up, as an init of a distribution does. */
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &request) == 0)
		return 0;
	perror("lo");
	return 1;
}
