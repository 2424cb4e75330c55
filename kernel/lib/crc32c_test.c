/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check values of the catalogues of CRCs. */
#include <lib/crc32c.h>
#include <lib/string.h>
#include <lib/test.h>

TEST(crc32c_check_value)
{
	EXPECT_EQ(~crc32c(~0u, "123456789", 9), 0xe3069283u);
	EXPECT_EQ(crc32c(crc32c(~0u, "1234", 4), "56789", 5), crc32c(~0u, "123456789", 9));
}

TEST(crc16_check_value)
{
	EXPECT_EQ(crc16(0, "123456789", 9), 0xbb3d);
}
