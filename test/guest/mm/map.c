/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmap(2), munmap(2), brk(2): placement, protection, errors. */
#include "guest_test.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PAGE 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

/* The signal that reading `p` ends in; 0: none. */
static int touch_signal(volatile char *p, bool write)
{
	IN_CHILD(pid)
	{
		if (write)
			*p = 1;
		else
			(void)*p;
		_exit(0);
	}
	int status = wait_status(pid);

	return status >= 128 ? status - 128 : 0;
}

TEST(anonymous_memory_is_zero_and_writable)
{
	char *p = map(64);

	for (size_t i = 0; i < 64 * PAGE; i += 509)
		EXPECT_EQ(p[i], 0);
	for (size_t i = 0; i < 64; i++)
		p[i * PAGE] = (char)i;
	for (size_t i = 0; i < 64; i++)
		EXPECT_EQ(p[i * PAGE], (char)i);
	EXPECT_EQ(munmap(p, 64 * PAGE), 0);
	EXPECT_EQ(touch_signal(p, false), SIGSEGV);
}

TEST(mmap_refuses_nonsense)
{
	int fd = open(".", O_RDONLY);

	EXPECT_ERRNO(mmap(NULL, 0, PROT_READ, ANON, -1, 0), EINVAL);
	EXPECT_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
	EXPECT_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	EXPECT_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	EXPECT_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 17), EINVAL);
	EXPECT_ERRNO(mmap(NULL, ~0ul, PROT_READ, ANON, -1, 0), ENOMEM);
	EXPECT_ERRNO(mmap(NULL, 1ul << 50, PROT_READ, ANON, -1, 0), ENOMEM);
	EXPECT_ERRNO(mmap((void *)17, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0), EINVAL);
	EXPECT_ERRNO(mmap((void *)~0xffful, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0), ENOMEM);
	EXPECT_ERRNO(munmap((void *)17, PAGE), EINVAL);
	EXPECT_ERRNO(munmap((void *)PAGE, 0), EINVAL);
	EXPECT_ERRNO(munmap((void *)PAGE, ~0ul), EINVAL);
	EXPECT_EQ(munmap((void *)(1ul << 30), PAGE), 0);
}

TEST(a_hole_in_the_middle_is_used_again)
{
	char *p = map(9);

	for (int i = 0; i < 9; i++)
		p[i * PAGE] = (char)('a' + i);
	EXPECT_EQ(munmap(p + 3 * PAGE, 2 * PAGE), 0);
	EXPECT_EQ(touch_signal(p + 3 * PAGE, false), SIGSEGV);
	EXPECT_EQ(touch_signal(p + 5 * PAGE, false), 0);
	EXPECT_EQ(p[2 * PAGE], 'c');
	EXPECT_EQ(p[5 * PAGE], 'f');
	/* The hint is taken where there is room. */
	EXPECT_EQ(mmap(p + 3 * PAGE, PAGE, PROT_READ, ANON, -1, 0), p + 3 * PAGE);
	EXPECT_EQ(p[3 * PAGE], 0);
	EXPECT_ERRNO(mmap(p + 2 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0),
		     EEXIST);
	EXPECT_EQ(mmap(p + 4 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0),
		  p + 4 * PAGE);
	/* MAP_FIXED replaces. */
	EXPECT_EQ(mmap(p, 9 * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0), p);
	for (int i = 0; i < 9; i++)
		EXPECT_EQ(p[i * PAGE], 0);
	EXPECT_EQ(munmap(p, 9 * PAGE), 0);
}

TEST(neighbours_merge_into_one_line_of_maps)
{
	char line[256], want[64];
	char *p = map(6);
	int found = 0;

	EXPECT_EQ(munmap(p + 2 * PAGE, 2 * PAGE), 0);
	EXPECT_EQ(mmap(p + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0),
		  p + 2 * PAGE);
	EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	FILE *f = fopen("/proc/self/maps", "r");
	REQUIRE(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx %63s", &start, &end, want) == 3 &&
		    start <= (unsigned long)p && end >= (unsigned long)p + 6 * PAGE)
			found++;
	}
	fclose(f);
	EXPECT_EQ(found, 1);
	munmap(p, 6 * PAGE);
}

TEST(ten_thousand_mappings_come_and_go)
{
	for (int i = 0; i < 10000; i++) {
		char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, ANON, -1, 0);
		REQUIRE(p != MAP_FAILED);
		p[PAGE] = 1;
		REQUIRE(munmap(p, 3 * PAGE) == 0);
	}
}

TEST(mappings_in_random_order_stay_apart)
{
	enum { N = 200 };
	char *at[N] = { 0 };
	size_t size[N] = { 0 };
	unsigned seed = 12345;

	for (int round = 0; round < 4000; round++) {
		seed = seed * 1103515245 + 12345;
		int i = (seed >> 8) % N;
		if (at[i]) {
			EXPECT_EQ(at[i][0], (char)i);
			EXPECT_EQ(at[i][size[i] - 1], (char)i);
			REQUIRE(munmap(at[i], size[i]) == 0);
			at[i] = NULL;
			continue;
		}
		size[i] = ((seed >> 16) % 16 + 1) * PAGE;
		at[i] = mmap(NULL, size[i], PROT_READ | PROT_WRITE, ANON, -1, 0);
		REQUIRE(at[i] != MAP_FAILED);
		EXPECT_EQ(at[i][0], 0);
		at[i][0] = at[i][size[i] - 1] = (char)i;
	}
}

TEST(brk_grows_and_shrinks)
{
	char *start = sbrk(0);

	REQUIRE(sbrk(10 * PAGE) == start);
	for (size_t i = 0; i < 10 * PAGE; i += PAGE)
		start[i] = 1;
	EXPECT_EQ(brk(start), 0);
	EXPECT_EQ(sbrk(0), start);
	EXPECT_EQ(touch_signal((char *)(((uintptr_t)start + 2 * PAGE) & ~(PAGE - 1)), false),
		  SIGSEGV);
	REQUIRE(sbrk(10 * PAGE) == start);
	EXPECT_EQ(start[5 * PAGE], 0);
	EXPECT_ERRNO(sbrk(1l << 46), ENOMEM);
	EXPECT_EQ(brk(start), 0);
}

TEST(address_space_limit_holds)
{
	struct rlimit limit = { 256 << 20, 256 << 20 };

	EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
	char *p = mmap(NULL, 64 << 20, PROT_READ, ANON, -1, 0);
	EXPECT(p != MAP_FAILED);
	EXPECT_ERRNO(mmap(NULL, 250 << 20, PROT_READ, ANON, -1, 0), ENOMEM);
	EXPECT_EQ(munmap(p, 64 << 20), 0);
}

TEST(more_than_all_memory_is_refused)
{
	EXPECT_ERRNO(mmap(NULL, 1ul << 44, PROT_READ | PROT_WRITE, ANON, -1, 0), ENOMEM);
	void *p = mmap(NULL, 1ul << 40, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	EXPECT(p != MAP_FAILED);
	EXPECT_EQ(munmap(p, 1ul << 40), 0);
}

TEST(grow_down_mapping_grows_and_keeps_its_guard)
{
	char *base = mmap(NULL, 4096 * PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	REQUIRE(base != MAP_FAILED);
	EXPECT_EQ(munmap(base, 4096 * PAGE), 0);
	char *top = base + 4096 * PAGE;
	char *p = mmap(top - PAGE, PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED | MAP_GROWSDOWN,
		       -1, 0);
	REQUIRE(p == top - PAGE);
	EXPECT_EQ(touch_signal(p - 100 * PAGE, true), 0);
	p[-(long)PAGE] = 1;
	EXPECT_EQ(p[-(long)PAGE], 1);
	/* A neighbour within the guard gap stops it. */
	char *low = mmap(top - 200 * PAGE, PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0);
	REQUIRE(low == top - 200 * PAGE);
	EXPECT_EQ(touch_signal(p - 100 * PAGE, true), SIGSEGV);
	munmap(base, 4096 * PAGE);
}

static void recurse(int depth)
{
	volatile char frame[8192];

	frame[0] = (char)depth;
	if (depth)
		recurse(depth - 1);
	frame[1] = frame[0];
}

TEST(the_stack_grows_to_its_limit_and_no_further)
{
	IN_CHILD(fits)
	{
		recurse(500); /* 4 MB of 8 */
		_exit(0);
	}
	EXPECT_EQ(wait_status(fits), 0);
	IN_CHILD(too_much)
	{
		recurse(1100);
		_exit(0);
	}
	EXPECT_EQ(wait_status(too_much), 128 + SIGSEGV);
}
