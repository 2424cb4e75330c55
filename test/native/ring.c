/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings: a stream between two processes, and a peer that lies. */
#include <guest_test.h>

#include <cairn/handle.h>
#include <cairn/ring.h>
#include <cairn/untyped.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define TOTAL 300000ul

static int memory, data, space;
static struct cairn_ring ring;

static int make(int untyped, unsigned type, unsigned long argument)
{
	int handles[2] = { -1, -1 };

	REQUIRE(cairn_untyped_retype(untyped, type, argument, handles, CAIRN_HANDLE_KEEP_ON_FORK) ==
		0);
	return handles[0];
}

static void open_ring(void)
{
	int untyped = cairn_untyped_create(1 << 20, CAIRN_HANDLE_KEEP_ON_FORK);

	REQUIRE(untyped >= 0);
	memory = make(untyped, CAIRN_TYPE_MEMORY, 3 * PAGE);
	data = make(untyped, CAIRN_TYPE_EVENT, 0);
	space = make(untyped, CAIRN_TYPE_EVENT, 0);
	REQUIRE(cairn_ring_open(&ring, memory, 3 * PAGE, data, space) == 0);
}

static unsigned char byte_at(unsigned long i)
{
	return (unsigned char)(i * 7 + i / 251);
}

static void produce(void)
{
	unsigned long done = 0;

	while (done < TOTAL) {
		unsigned char *at;
		ptrdiff_t n = cairn_ring_reserve(&ring, &at);

		REQUIRE(n > 0);
		if ((unsigned long)n > TOTAL - done)
			n = (ptrdiff_t)(TOTAL - done);
		if (n > 1000)
			n = 1000;
		for (ptrdiff_t i = 0; i < n; i++)
			at[i] = byte_at(done + (unsigned long)i);
		done += (unsigned long)n;
		EXPECT_EQ(cairn_ring_produce(&ring, (size_t)n), 0);
	}
}

TEST(a_stream_between_two_processes)
{
	unsigned long done = 0, wrong = 0;

	open_ring();
	IN_CHILD(pid)
	{
		produce();
		_exit(test_has_failed());
	}
	while (done < TOTAL) {
		unsigned char *at;
		ptrdiff_t n = cairn_ring_peek(&ring, &at);

		REQUIRE(n > 0);
		for (ptrdiff_t i = 0; i < n; i++)
			wrong += at[i] != byte_at(done + (unsigned long)i);
		done += (unsigned long)n;
		EXPECT_EQ(cairn_ring_consume(&ring, (size_t)n), 0);
	}
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(done, TOTAL);
	EXPECT_EQ(wait_status(pid), 0);
	cairn_ring_close(&ring);
}

TEST(a_lying_peer_is_noticed)
{
	unsigned char *at;

	open_ring();
	EXPECT_ERRNO(cairn_ring_open(&ring, memory, PAGE, data, space), EINVAL);
	EXPECT_ERRNO(cairn_ring_open(&ring, memory, 4 * PAGE, data, space), EINVAL);
	*(unsigned long *)(void *)ring.shared = 1ul << 40; /* the producer's count */
	EXPECT_ERRNO(cairn_ring_peek(&ring, &at), EPROTO);
}
