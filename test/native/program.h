/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program of the tests, for those that execute it elsewhere: in a silo, from a strate. */
#pragma once

#include <guest_test.h>

#include <fcntl.h>
#include <unistd.h>

/* Makes the file `to` a copy of it. */
static inline void copy_program(const char *to)
{
	static char buffer[1 << 16];
	int in = open("/init", O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	REQUIRE(in >= 0 && out >= 0);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		EXPECT_EQ(write(out, buffer, (size_t)n), n);
	close(in);
	close(out);
}
