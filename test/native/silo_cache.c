/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page cache that a silo's programs bring in is charged to it, and gives way under its limit. */
#include "silo_test.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MIB (1ul << 20)
#define PAGE 4096ul

/* A disk of zeros, which costs no memory until it is read or written. */
static int make_disk(unsigned number, unsigned long size)
{
	char name[32];
	int file, disk;

	snprintf(name, sizeof(name), "disk%u", number);
	file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	REQUIRE(file >= 0 && ftruncate(file, (off_t)size) == 0);
	snprintf(name, sizeof(name), "/dev/loop%u", number);
	disk = open(name, O_RDWR);
	REQUIRE(disk >= 0 && ioctl(disk, LOOP_SET_FD, file) == 0);
	close(file);
	return disk;
}

static void end_disk(int disk)
{
	EXPECT_EQ(ioctl(disk, LOOP_CLR_FD, 0), 0);
	close(disk);
}

static unsigned long read_all(int fd)
{
	static char buffer[1 << 16];
	unsigned long total = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		total += (unsigned long)n;
	EXPECT_EQ(n, 0);
	return total;
}

/* Pages of the disk's first `size` bytes that are in memory. */
static unsigned long resident(int disk, unsigned long size)
{
	static unsigned char there[16 * MIB / PAGE];
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, disk, 0);
	unsigned long count = 0;

	REQUIRE(at != MAP_FAILED && mincore(at, size, there) == 0);
	for (unsigned long i = 0; i < size / PAGE; i++)
		count += there[i] & 1;
	EXPECT_EQ(munmap(at, size), 0);
	return count;
}

static void make_limited(unsigned long limit)
{
	make_silo();
	copy_program("root/program");
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_MEMORY, limit), 0);
}

/* A helper in the silo, with `disk` as 3: how it ended. */
static int run_inside(char *helper, int disk)
{
	char *argv[] = { "program", "helper", helper, NULL };
	const int keep[] = { 0, 1, 2, 3 };

	IN_CHILD(pid)
	{
		REQUIRE(dup2(disk, 3) == 3 || disk == 3);
		ENTER(keep, 4);
		execv("/program", argv);
		_exit(99);
	}
	return wait_status(pid);
}

static void end_silo(void)
{
	EXPECT_EQ(cairn_silo_control(silo, CAIRN_SILO_KILL), 0);
	sleep_ms(50);
	EXPECT_EQ(info().memory_used, 0);
	EXPECT_EQ(close(silo), 0);
}

static int fill(unsigned long size)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return 1;
	memset(at, 1, size);
	return munmap(at, size);
}

HELPER(cache_read)
{
	return read_all(3) == 100 * MIB ? 0 : 1;
}

HELPER(cache_read_and_fill)
{
	return read_all(3) == 100 * MIB ? fill(24 * MIB) : 2;
}

/* Every page of a mapping that is larger than the limit, and then memory of one's own. */
HELPER(cache_map_and_fill)
{
	volatile char *at = mmap(NULL, 100 * MIB, PROT_READ, MAP_SHARED, 3, 0);
	int sum = 0;

	if (at == MAP_FAILED)
		return 2;
	for (unsigned long i = 0; i < 100 * MIB; i += PAGE)
		sum += at[i];
	return sum ? 3 : fill(24 * MIB);
}

HELPER(cache_write_and_fill)
{
	static char buffer[1 << 16];

	memset(buffer, 5, sizeof(buffer));
	for (unsigned i = 0; i < 48 * MIB / sizeof(buffer); i++)
		if (write(3, buffer, sizeof(buffer)) != sizeof(buffer))
			return 2;
	return fill(24 * MIB);
}

static int read_beside_another(char *helper)
{
	int ours = make_disk(0, 100 * MIB), theirs = make_disk(1, 16 * MIB), status;
	struct cairn_silo_event event;
	char byte;

	EXPECT_EQ(read_all(theirs), 16 * MIB);
	EXPECT_EQ(resident(theirs, 16 * MIB), 16 * MIB / PAGE);
	make_limited(32 * MIB);
	status = run_inside(helper, ours);
	EXPECT_LE(info().memory_peak, 32 * MIB);
	EXPECT_LE(24 * MIB, info().memory_peak);
	EXPECT(!event_of(CAIRN_SILO_EVENT_OUT_OF_MEMORY, &event));
	EXPECT_EQ(resident(theirs, 16 * MIB), 16 * MIB / PAGE);
	end_silo();
	/* What it brought in is still there, and nobody's. */
	EXPECT_EQ(pread(ours, &byte, 1, 100 * MIB - 1), 1);
	end_disk(ours);
	end_disk(theirs);
	return status;
}

TEST(a_file_larger_than_the_limit_is_read)
{
	EXPECT_EQ(read_beside_another("cache_read"), 0);
}

TEST(memory_takes_the_room_of_cache)
{
	EXPECT_EQ(read_beside_another("cache_read_and_fill"), 0);
}

TEST(memory_takes_the_room_of_mapped_cache)
{
	EXPECT_EQ(read_beside_another("cache_map_and_fill"), 0);
}

TEST(memory_takes_the_room_of_dirty_cache)
{
	EXPECT_EQ(read_beside_another("cache_write_and_fill"), 0);
}

TEST(cache_stays_charged_until_the_silo_ends)
{
	int disk = make_disk(0, 100 * MIB);

	make_limited(32 * MIB);
	EXPECT_EQ(run_inside("cache_read", disk), 0);
	sleep_ms(50);
	EXPECT_LE(24 * MIB, info().memory_used);
	/* A lower limit is kept at once. */
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_MEMORY, 8 * MIB), 0);
	EXPECT_LE(info().memory_used, 8 * MIB);
	/* What leaves the cache is charged no more. */
	EXPECT_EQ(ioctl(disk, BLKFLSBUF, 0), 0);
	EXPECT_EQ(info().memory_used, 0);
	end_silo();
	end_disk(disk);
}

HELPER(tmpfs_write)
{
	static char buffer[1 << 16];
	int file = open("/large", O_RDWR | O_CREAT, 0600);

	while (write(file, buffer, sizeof(buffer)) > 0)
		;
	return errno == ENOMEM ? 0 : 1;
}

/* There is nowhere else that it could be read from again: it counts like memory, of which the program has none left then. */
TEST(contents_of_tmpfs_are_charged)
{
	struct stat file;
	int status;

	make_limited(16 * MIB);
	status = run_inside("tmpfs_write", 0);
	EXPECT(status == 0 || status == 128 + SIGKILL);
	REQUIRE(stat("root/large", &file) == 0);
	EXPECT(file.st_size > (off_t)(10 * MIB) && file.st_size < (off_t)(16 * MIB));
	sleep_ms(50);
	EXPECT_LE((unsigned long)file.st_size, info().memory_used);
	EXPECT_LE(info().memory_peak, 16 * MIB);
	EXPECT_EQ(unlink("root/large"), 0);
	sleep_ms(50);
	EXPECT_EQ(info().memory_used, 0);
	end_silo();
}
