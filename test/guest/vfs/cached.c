/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RESOLVE_CACHED of openat2(2): only what a look-up finds in memory. */
#include "guest_test.h"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int open_cached(const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags, .resolve = RESOLVE_CACHED };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

TEST(resolve_cached_finds_what_is_in_use)
{
	int fd, again;

	EXPECT_EQ(mkdir("dir", 0755), 0);
	EXPECT_EQ(symlink("dir/file", "link"), 0);
	fd = open("dir/file", O_CREAT | O_RDWR, 0644);
	REQUIRE(fd >= 0);
	again = open_cached("dir/file", O_RDONLY);
	EXPECT(again >= 0);
	close(again);
	/* Linux says EAGAIN where following the link sets its access time: not if it was read since it
	 * was made, by the clock that ticks every 4 or 10 ms. */
	usleep(50000);
	close(open("link", O_RDONLY));
	again = open_cached("link", O_RDONLY);
	EXPECT(again >= 0);
	close(again);
	again = open_cached("dir/../dir/./file", O_RDONLY);
	EXPECT(again >= 0);
	close(again);
	close(fd);
}

TEST(resolve_cached_says_again_for_the_rest)
{
	EXPECT_ERRNO(open_cached("never", O_RDONLY), EAGAIN);
	EXPECT_ERRNO(open_cached("never/below", O_RDONLY), EAGAIN);
	EXPECT_ERRNO(open_cached("file", O_CREAT | O_RDWR), EAGAIN);
	EXPECT_ERRNO(open_cached("file", O_TRUNC | O_RDWR), EAGAIN);
	EXPECT_ERRNO(open_cached(".", O_TMPFILE | O_RDWR), EAGAIN);
	EXPECT_ERRNO(open("file", O_RDONLY), ENOENT);
}
