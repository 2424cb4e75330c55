/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations at random on one file, each compared with a model in memory (in the manner of fsx). */
#include "ext4_disk.h"

#include <sys/mman.h>

#define OPERATIONS 20000
#define LIMIT (256u << 10)
#define LONGEST (40u << 10)
#define BLOCK 4096u

struct state {
	int fd, direct;
	size_t size;
	unsigned long long seed;
	unsigned char *model, *buffer;
};

static unsigned pick(struct state *s, unsigned below)
{
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 7;
	s->seed ^= s->seed << 17;
	return (unsigned)(s->seed >> 20) % below;
}

static void grow(struct state *s, size_t size)
{
	if (size > s->size)
		s->size = size;
}

static void do_write(struct state *s, size_t at, size_t length, int fd)
{
	memset(s->buffer, (int)pick(s, 255) + 1, length);
	if (EXPECT_EQ(pwrite(fd, s->buffer, length, (off_t)at), length)) {
		memcpy(s->model + at, s->buffer, length);
		grow(s, at + length);
	}
}

static void do_read(struct state *s, size_t at, size_t length, int fd)
{
	size_t expected = at >= s->size ? 0 : length < s->size - at ? length : s->size - at;

	EXPECT_EQ(pread(fd, s->buffer, length, (off_t)at), expected);
	EXPECT_EQ(memcmp(s->buffer, s->model + at, expected), 0);
}

static void do_map(struct state *s, size_t at, size_t length)
{
	size_t start = at & ~(size_t)(BLOCK - 1);
	unsigned char *map;

	if (at + length > s->size)
		return;
	map = mmap(NULL, at + length - start, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd,
		   (off_t)start);
	EXPECT_EQ(memcmp(map + (at - start), s->model + at, length), 0);
	memset(map + (at - start), (int)(at & 0xff), length);
	memset(s->model + at, (int)(at & 0xff), length);
	munmap(map, at + length - start);
}

static void do_truncate(struct state *s, size_t size)
{
	if (!EXPECT_EQ(ftruncate(s->fd, (off_t)size), 0))
		return;
	if (size < s->size)
		memset(s->model + size, 0, s->size - size);
	s->size = size;
}

static void do_allocate(struct state *s, int mode, size_t at, size_t length)
{
	if (!EXPECT_EQ(fallocate(s->fd, mode, (off_t)at, (off_t)length), 0))
		return;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		memset(s->model + at, 0, length);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		grow(s, at + length);
}

static void step(struct state *s)
{
	size_t at = pick(s, LIMIT - 1),
	       length = 1 + pick(s, LIMIT - at < LONGEST ? LIMIT - (unsigned)at : LONGEST);
	size_t block = at & ~(size_t)(BLOCK - 1),
	       blocks = (length + BLOCK - 1) & ~(size_t)(BLOCK - 1);

	if (block + blocks > LIMIT)
		blocks = LIMIT - block;
	switch (pick(s, 12)) {
	case 0:
	case 1:
		return do_write(s, at, length, s->fd);
	case 2:
	case 3:
		return do_read(s, at, length, s->fd);
	case 4:
		return do_map(s, at, length);
	case 5:
		return do_truncate(s, at);
	case 6:
		return do_allocate(s, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, length);
	case 7:
		return do_allocate(s, FALLOC_FL_ZERO_RANGE | (pick(s, 2) ? FALLOC_FL_KEEP_SIZE : 0),
				   at, length);
	case 8:
		return do_allocate(s, pick(s, 2) ? FALLOC_FL_KEEP_SIZE : 0, at, length);
	case 9:
		return do_write(s, block, blocks, s->direct);
	case 10:
		return do_read(s, block, blocks, s->direct);
	default:
		if (!pick(s, 10)) {
			EXPECT_EQ(fsync(s->fd), 0);
			EXPECT_EQ(posix_fadvise(s->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
		}
	}
}

TEST(random_operations_equal_a_model)
{
	struct state s = { .seed = 88172645463325252ull };

	enter_disk("random");
	s.fd = open("file", O_RDWR | O_CREAT, 0644);
	s.direct = open("file", O_RDWR | O_DIRECT);
	s.model = calloc(1, LIMIT + BLOCK);
	s.buffer = aligned_alloc(BLOCK, LIMIT + BLOCK);
	for (unsigned i = 0; i < OPERATIONS; i++) {
		step(&s);
		if (test_has_failed()) {
			test_fail(__FILE__, __LINE__, "in operation %u", i);
			return;
		}
	}
	do_read(&s, 0, LIMIT, s.fd);
}
