/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is charged beside what is taken: many objects of each kind are made from an untyped, and what the allocator and the page tables
 * hand out grows by as many bytes as the untyped's account, then both go back.
 */
#include <guest_test.h>

#include <cairn/untyped.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul
#define OBJECTS 48

static int untyped;

/* Bytes in use by /proc/slabinfo, once they stand still: what RCU has in hand goes in its own time. */
static long slab_bytes_now(void)
{
	static char text[1 << 16], name[64];
	long sum = 0, in_use, total, size;
	FILE *file = fopen("/proc/slabinfo", "r");

	REQUIRE(file != NULL);
	while (fgets(text, sizeof(text), file))
		if (sscanf(text, "%63s %ld %ld %ld", name, &in_use, &total, &size) == 4)
			sum += in_use * size;
	fclose(file);
	return sum;
}

static long slab_bytes(void)
{
	long last = -1, now = slab_bytes_now();

	for (int i = 0, still = 0; i < 200 && still < 5; i++) {
		last = now;
		usleep(20000);
		now = slab_bytes_now();
		still = now == last ? still + 1 : 0;
	}
	return now;
}

static long used(void)
{
	struct cairn_untyped_info info = {};

	EXPECT_EQ(cairn_untyped_inspect(untyped, &info, sizeof(info)), 0);
	return (long)info.used;
}

static int handles[OBJECTS][2];

static void make_all(unsigned type, unsigned long argument)
{
	for (int i = 0; i < OBJECTS; i++) {
		handles[i][1] = -1;
		REQUIRE(cairn_untyped_retype(untyped, type, argument, handles[i], 0) == 0);
	}
}

static void close_all(void)
{
	for (int i = 0; i < OBJECTS; i++) {
		close(handles[i][0]);
		if (handles[i][1] >= 0)
			close(handles[i][1]);
	}
}

static void compare(const char *name, unsigned type, unsigned long argument, long elsewhere)
{
	long slab, account, taken, charged;

	make_all(type, argument); /* what is made once stays: a larger table, slabs */
	close_all();
	slab = slab_bytes();
	account = used();
	make_all(type, argument);
	taken = slab_bytes() - slab;
	charged = used() - account;
	if (taken + elsewhere * OBJECTS != charged)
		test_fail(__FILE__, __LINE__, "%s: %ld bytes taken for each, %ld charged", name,
			  taken / OBJECTS + elsewhere, charged / OBJECTS);
	close_all();
	EXPECT_EQ(used(), account);
	EXPECT_EQ(slab_bytes(), slab);
}

TEST(every_byte)
{
	untyped = cairn_untyped_create(16 << 20, 0);
	REQUIRE(untyped >= 0);
	compare("event", CAIRN_TYPE_EVENT, 0, 0);
	compare("timer", CAIRN_TYPE_TIMER, CLOCK_MONOTONIC, 0);
	compare("channel", CAIRN_TYPE_CHANNEL, 4, 0);
	compare("pool", CAIRN_TYPE_POOL, 0, 0);
	compare("memory", CAIRN_TYPE_MEMORY, PAGE, 0);
	compare("address space", CAIRN_TYPE_ASPACE, 0, PAGE); /* its root table is a frame */
}
