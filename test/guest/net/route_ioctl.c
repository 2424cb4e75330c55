/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes as route(8) makes them: SIOCADDRT and SIOCDELRT (rtnetlink is the newer way). */
#include "net_test.h"

#include <net/route.h>
#include <sched.h>

static int change_route(unsigned long request, const char *to, const char *mask, int family)
{
	struct rtentry route = { .rt_flags = RTF_UP, .rt_dev = (char[]){ "lo" } };
	struct sockaddr_in *destination = (void *)&route.rt_dst, *bits = (void *)&route.rt_genmask;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), result, error;

	REQUIRE(fd >= 0);
	destination->sin_family = (sa_family_t)family;
	bits->sin_family = AF_INET;
	REQUIRE(inet_pton(AF_INET, to, &destination->sin_addr) == 1);
	REQUIRE(inet_pton(AF_INET, mask, &bits->sin_addr) == 1);
	result = ioctl(fd, request, &route);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

/* Is there a route to what /proc/net/route writes as `destination`? */
static bool listed(const char *destination)
{
	char line[256];
	bool found = false;
	FILE *file = fopen("/proc/thread-self/net/route", "r");

	REQUIRE(file);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, destination) != NULL;
	fclose(file);
	return found;
}

TEST(route_of_an_ioctl_comes_and_goes)
{
	REQUIRE(unshare(CLONE_NEWNET) == 0);
	loopback_up();
	EXPECT(!listed("\t00004D0A\t"));
	EXPECT_EQ(change_route(SIOCADDRT, "10.77.0.0", "255.255.0.0", AF_INET), 0);
	EXPECT(listed("\t00004D0A\t"));
	EXPECT_ERRNO(change_route(SIOCADDRT, "10.77.0.0", "255.255.0.0", AF_INET), EEXIST);
	EXPECT_EQ(change_route(SIOCDELRT, "10.77.0.0", "255.255.0.0", AF_INET), 0);
	EXPECT(!listed("\t00004D0A\t"));
	EXPECT_ERRNO(change_route(SIOCDELRT, "10.77.0.0", "255.255.0.0", AF_INET), ESRCH);
}

TEST(route_of_an_ioctl_has_a_mask)
{
	REQUIRE(unshare(CLONE_NEWNET) == 0);
	loopback_up();
	EXPECT_ERRNO(change_route(SIOCADDRT, "10.77.0.0", "255.0.255.0", AF_INET), EINVAL);
	EXPECT_ERRNO(change_route(SIOCADDRT, "10.77.1.0", "255.255.0.0", AF_INET), EINVAL);
	EXPECT_ERRNO(change_route(SIOCADDRT, "10.77.0.0", "255.255.0.0", AF_UNIX), EAFNOSUPPORT);
	EXPECT(!listed("\t00004D0A\t"));
}
