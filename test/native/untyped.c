/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Untyped memory: what is charged, what is given back, what ends; pools and paths. */
#include <guest_test.h>

#include <cairn/channel.h>
#include <cairn/handle.h>
#include <cairn/pool.h>
#include <cairn/untyped.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul

static int untyped;

static struct cairn_untyped_info info_of(int fd)
{
	struct cairn_untyped_info info = {};

	EXPECT_EQ(cairn_untyped_inspect(fd, &info, sizeof(info)), 0);
	return info;
}

static void make_untyped(unsigned long size)
{
	untyped = cairn_untyped_create(size, 0);
	REQUIRE(untyped >= 0);
}

static int make(int from, unsigned type, unsigned long argument)
{
	int handles[2] = { -1, -1 };

	REQUIRE(cairn_untyped_retype(from, type, argument, handles, 0) == 0);
	return handles[0];
}

TEST(arguments)
{
	struct cairn_untyped_info info;
	int handles[2], narrow;

	EXPECT_ERRNO(cairn_untyped_create(0, 0), EINVAL);
	EXPECT_ERRNO(cairn_untyped_create(PAGE + 1, 0), EINVAL);
	EXPECT_ERRNO(cairn_untyped_create(PAGE, 4), EINVAL);
	EXPECT_ERRNO(cairn_untyped_create(1ul << 46, 0), ENOMEM);
	make_untyped(16 * PAGE);
	EXPECT_ERRNO(cairn_untyped_retype(untyped, 99, 0, handles, 0), EINVAL);
	EXPECT_ERRNO(cairn_untyped_retype(untyped, CAIRN_TYPE_CHANNEL, 0, handles, 0), EINVAL);
	EXPECT_ERRNO(cairn_untyped_retype(untyped, CAIRN_TYPE_MEMORY, 1, handles, 0), EINVAL);
	EXPECT_ERRNO(cairn_untyped_retype(untyped, CAIRN_TYPE_POOL, 1, handles, 0), EINVAL);
	EXPECT_ERRNO(cairn_untyped_retype(untyped, CAIRN_TYPE_TIMER, 77, handles, 0), EINVAL);
	EXPECT_ERRNO(cairn_untyped_retype(untyped, CAIRN_TYPE_EVENT, 0, NULL, 0), EFAULT);
	EXPECT_ERRNO(cairn_untyped_retype(0, CAIRN_TYPE_EVENT, 0, handles, 0), EINVAL);
	EXPECT_ERRNO(cairn_untyped_inspect(untyped, &info, 39), EINVAL);
	narrow = cairn_handle_duplicate(untyped, CAIRN_RIGHT_INSPECT, 0);
	EXPECT_ERRNO(cairn_untyped_retype(narrow, CAIRN_TYPE_EVENT, 0, handles, 0), EACCES);
	EXPECT_ERRNO(cairn_untyped_end(narrow), EACCES);
	EXPECT_EQ(info_of(narrow).objects, 0);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(65534), 0);
		EXPECT_ERRNO(cairn_untyped_create(PAGE, 0), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(each_kind_is_charged_and_given_back)
{
	static const struct {
		unsigned type;
		unsigned long argument;
	} kinds[] = {
		{ CAIRN_TYPE_UNTYPED, 4 * PAGE },
		{ CAIRN_TYPE_POOL, 0 },
		{ CAIRN_TYPE_CHANNEL, 8 },
		{ CAIRN_TYPE_EVENT, 1 },
		{ CAIRN_TYPE_TIMER, CLOCK_MONOTONIC },
		{ CAIRN_TYPE_MEMORY, 8 * PAGE },
		{ CAIRN_TYPE_ASPACE, 0 },
		{ CAIRN_TYPE_SILO, 8 * PAGE },
	};
	unsigned long before;

	make_untyped(64 * PAGE);
	before = info_of(untyped).used;
	EXPECT(before > 0);
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int handles[2] = { -1, -1 };

		EXPECT_EQ(
			cairn_untyped_retype(untyped, kinds[i].type, kinds[i].argument, handles, 0),
			0);
		EXPECT(info_of(untyped).used > before);
		EXPECT_EQ(info_of(untyped).objects, kinds[i].type == CAIRN_TYPE_CHANNEL ? 2 : 1);
		EXPECT_EQ(close(handles[0]), 0);
		if (handles[1] >= 0)
			EXPECT_EQ(close(handles[1]), 0);
		EXPECT_EQ(info_of(untyped).used, before);
		EXPECT_EQ(info_of(untyped).objects, 0);
	}
}

/* Nothing else notices that it is full. */
TEST(a_full_untyped_fails_alone)
{
	int handles[2], last = -1, other, n = 0;
	struct cairn_untyped_info info;

	make_untyped(4 * PAGE);
	other = cairn_untyped_create(4 * PAGE, 0);
	while (cairn_untyped_retype(untyped, CAIRN_TYPE_EVENT, 0, handles, 0) == 0) {
		last = handles[0];
		REQUIRE(++n < 500);
	}
	EXPECT_EQ(errno, ENOMEM);
	info = info_of(untyped);
	EXPECT(n > 5);
	EXPECT_EQ(info.objects, n);
	EXPECT(info.used <= info.size && info.refused >= 1);
	EXPECT_EQ(cairn_untyped_retype(other, CAIRN_TYPE_EVENT, 0, handles, 0), 0);
	EXPECT_EQ(close(last), 0);
	EXPECT_EQ(cairn_untyped_retype(untyped, CAIRN_TYPE_EVENT, 0, handles, 0), 0);
	EXPECT_EQ(info_of(untyped).used, info.used);
}

TEST(pages_are_charged_when_they_are_touched)
{
	int memory, part;
	unsigned long empty;
	char *p;

	make_untyped(64 * PAGE);
	part = make(untyped, CAIRN_TYPE_UNTYPED, 6 * PAGE);
	memory = make(part, CAIRN_TYPE_MEMORY, 64 * PAGE);
	empty = info_of(part).used;
	p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	REQUIRE(p != MAP_FAILED);
	EXPECT_EQ(info_of(part).used, empty);
	p[0] = 'a';
	p[PAGE] = 'b';
	EXPECT_EQ(info_of(part).used, empty + 2 * PAGE);
	EXPECT_EQ(pwrite(memory, "cd", 2, 2 * PAGE), 2);
	EXPECT_EQ(p[2 * PAGE + 1], 'd');
	EXPECT_EQ(info_of(part).used, empty + 3 * PAGE);
	/* The rest does not fit. */
	for (int i = 3; i < 8; i++)
		if (pwrite(memory, "x", 1, (off_t)(i * PAGE)) != 1)
			break;
	EXPECT_ERRNO(pwrite(memory, "x", 1, 9 * PAGE), ENOMEM);
	EXPECT_EQ(cairn_untyped_end(part), 0);
	IN_CHILD(pid)
	{
		*(volatile char *)p = 1;
		_exit(0);
	}
	EXPECT_EQ(WTERMSIG(wait_status(pid)), SIGSEGV);
	EXPECT_ERRNO(pread(memory, p, 1, 0), EKEYREVOKED);
}

TEST(ending_gives_back_exactly_what_was_taken)
{
	struct cairn_message message = {};
	char bytes[5000] = {};
	struct cairn_payload payload = { .send = (unsigned long)bytes, .send_size = sizeof(bytes) };
	unsigned long before;
	int part, inner, pool, ends[2], event;

	make_untyped(256 * PAGE);
	before = info_of(untyped).used;
	part = make(untyped, CAIRN_TYPE_UNTYPED, 128 * PAGE);
	inner = make(part, CAIRN_TYPE_UNTYPED, 64 * PAGE);
	for (int i = 0; i < 20; i++)
		inner = make(inner, CAIRN_TYPE_UNTYPED, (unsigned long)(62 - i) * PAGE);
	pool = make(inner, CAIRN_TYPE_POOL, 0);
	event = make(inner, CAIRN_TYPE_EVENT, 3);
	REQUIRE(cairn_untyped_retype(inner, CAIRN_TYPE_CHANNEL, 8, ends, 0) == 0);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, &payload), 0);
	EXPECT(info_of(inner).used > 3 * sizeof(bytes));
	EXPECT_EQ(cairn_untyped_end(part), 0);
	EXPECT_ERRNO(write(event, &before, 8), EKEYREVOKED);
	EXPECT_ERRNO(cairn_channel_send(ends[1], 0, &message, NULL), EKEYREVOKED);
	EXPECT_ERRNO(dup(pool), EKEYREVOKED);
	EXPECT_ERRNO(cairn_untyped_inspect(inner, NULL, 99), EKEYREVOKED);
	EXPECT_ERRNO(cairn_untyped_retype(part, CAIRN_TYPE_POOL, 0, ends, 0), ENOMEM);
	EXPECT_EQ(info_of(untyped).used, before);
}

TEST(the_last_handle_ends_it)
{
	int event, part;
	unsigned long before;

	make_untyped(64 * PAGE);
	before = info_of(untyped).used;
	part = make(untyped, CAIRN_TYPE_UNTYPED, 32 * PAGE);
	event = make(part, CAIRN_TYPE_EVENT, 3);
	EXPECT_EQ(close(part), 0);
	EXPECT_ERRNO(read(event, &before, 8), EKEYREVOKED);
	EXPECT_EQ(info_of(untyped).used, before);
}

static void *wait_for_event(void *argument)
{
	unsigned long value;

	EXPECT_ERRNO(read(*(int *)argument, &value, 8), EKEYREVOKED);
	return NULL;
}

TEST(ending_wakes_who_waits)
{
	pthread_t thread;
	int event;

	make_untyped(64 * PAGE);
	event = make(untyped, CAIRN_TYPE_EVENT, 0);
	REQUIRE(pthread_create(&thread, NULL, wait_for_event, &event) == 0);
	sleep_ms(30);
	EXPECT_EQ(cairn_untyped_end(untyped), 0);
	EXPECT_EQ(pthread_join(thread, NULL), 0);
}

/* Each holds the last handle of the next: neither pools nor untypeds may nest on the kernel's stack. */
TEST(long_chains_end)
{
	struct cairn_slot from = { .pool = -1, .depth = 1 }, to = { .depth = 1 };
	int last, next, pool = -1;

	make_untyped(1024 * PAGE);
	last = make(untyped, CAIRN_TYPE_POOL, 0);
	for (int i = 0; i < 300; i++) {
		next = make(untyped, CAIRN_TYPE_POOL, 0);
		from.path[0] = (unsigned)next;
		to.pool = last;
		EXPECT_EQ(cairn_pool_put(&from, &to, CAIRN_POOL_COPY, CAIRN_RIGHTS_SAME, 0), 0);
		if (i)
			EXPECT_EQ(close(last), 0);
		else
			pool = last;
		last = next;
	}
	EXPECT_EQ(close(last), 0);
	EXPECT_EQ(info_of(untyped).objects, 301);
	EXPECT_EQ(close(pool), 0);
	EXPECT_EQ(info_of(untyped).objects, 0);
	EXPECT_EQ(close(untyped), 0);
	last = -1;
	for (int i = 0; i < 200; i++) {
		make_untyped(4 * PAGE);
		pool = make(untyped, CAIRN_TYPE_POOL, 0);
		if (last >= 0) {
			from.path[0] = (unsigned)last;
			to.pool = pool;
			EXPECT_EQ(cairn_pool_put(&from, &to, CAIRN_POOL_MOVE, CAIRN_RIGHTS_SAME, 0),
				  0);
		}
		last = untyped;
	}
	EXPECT_EQ(close(last), 0);
}

/* --- pools --- */

static struct cairn_slot at(int pool, unsigned depth, unsigned a, unsigned b, unsigned c)
{
	return (struct cairn_slot){ pool, depth, { a, b, c } };
}

static int put(struct cairn_slot from, struct cairn_slot to, unsigned operation, unsigned rights)
{
	return cairn_pool_put(&from, &to, operation, rights, 0);
}

TEST(pools_in_pools)
{
	struct cairn_handle_info info;
	struct cairn_slot slot;
	int outer, inner, event, back;
	unsigned long value = 5;

	make_untyped(64 * PAGE);
	outer = make(untyped, CAIRN_TYPE_POOL, 0);
	inner = make(untyped, CAIRN_TYPE_POOL, 0);
	event = make(untyped, CAIRN_TYPE_EVENT, 0);
	EXPECT_EQ(put(at(-1, 1, inner, 0, 0), at(outer, 1, 7, 0, 0), CAIRN_POOL_COPY,
		      CAIRN_RIGHTS_SAME),
		  7);
	EXPECT_EQ(put(at(-1, 1, event, 0, 0), at(outer, 2, 7, 3, 0), CAIRN_POOL_COPY,
		      CAIRN_RIGHT_READ | CAIRN_RIGHT_WRITE | CAIRN_RIGHT_DUPLICATE),
		  3);
	/* The same slot by another path. */
	slot = at(inner, 1, 0, 0, 0);
	EXPECT_EQ(cairn_pool_next(&slot, &info, sizeof(info)), 3);
	EXPECT_STREQ(info.type, "file");
	EXPECT_EQ(info.rights, CAIRN_RIGHT_READ | CAIRN_RIGHT_WRITE | CAIRN_RIGHT_DUPLICATE);
	back = put(at(outer, 2, 7, 3, 0), at(-1, 1, CAIRN_SLOT_ANY, 0, 0), CAIRN_POOL_COPY,
		   CAIRN_RIGHT_WRITE);
	REQUIRE(back >= 0);
	EXPECT_EQ(write(back, &value, 8), 8);
	EXPECT_EQ(read(event, &value, 8), 8);
	EXPECT_ERRNO(put(at(outer, 2, 7, 3, 0), at(-1, 1, CAIRN_SLOT_ANY, 0, 0), CAIRN_POOL_COPY,
			 CAIRN_RIGHTS_ALL),
		     EACCES);
	EXPECT_EQ(put(at(inner, 1, 3, 0, 0), at(outer, 1, 0, 0, 0), CAIRN_POOL_MOVE,
		      CAIRN_RIGHTS_SAME),
		  0);
	EXPECT_ERRNO(cairn_pool_next(&slot, &info, sizeof(info)), EBADF);
	slot = at(outer, 1, 0, 0, 0);
	EXPECT_EQ(cairn_pool_close(&slot), 0);
	EXPECT_ERRNO(cairn_pool_close(&slot), EBADF);
	EXPECT_EQ(cairn_pool_next(&slot, &info, sizeof(info)), 7);
	EXPECT_STREQ(info.type, "pool");
	/* Closed with the last handle of the pool: the event has two handles left. */
	EXPECT_EQ(close(inner), 0);
	EXPECT_EQ(close(outer), 0);
	EXPECT_EQ(cairn_handle_inspect(event, &info, sizeof(info)), 0);
	EXPECT_EQ(info.handles, 2);
}

TEST(what_pools_refuse)
{
	struct cairn_slot slot;
	int outer, inner, narrow, sockets[2];
	char c = 'x';

	make_untyped(64 * PAGE);
	outer = make(untyped, CAIRN_TYPE_POOL, 0);
	inner = make(untyped, CAIRN_TYPE_POOL, 0);
	EXPECT_ERRNO(put(at(-1, 1, outer, 0, 0), at(inner, 1, 0, 0, 0), CAIRN_POOL_COPY,
			 CAIRN_RIGHTS_SAME),
		     ELOOP);
	EXPECT_ERRNO(put(at(-1, 1, outer, 0, 0), at(outer, 1, 0, 0, 0), CAIRN_POOL_COPY,
			 CAIRN_RIGHTS_SAME),
		     ELOOP);
	EXPECT_EQ(
		put(at(-1, 1, 0, 0, 0), at(outer, 1, 1, 0, 0), CAIRN_POOL_COPY, CAIRN_RIGHTS_SAME),
		1);
	EXPECT_ERRNO(
		put(at(-1, 1, 0, 0, 0), at(outer, 1, 1, 0, 0), CAIRN_POOL_COPY, CAIRN_RIGHTS_SAME),
		EBUSY);
	EXPECT_ERRNO(put(at(-1, 1, 0, 0, 0), at(outer, 1, 1u << 20, 0, 0), CAIRN_POOL_COPY,
			 CAIRN_RIGHTS_SAME),
		     EMFILE);
	/* Its table does not fit any more: the pool stays as it is. */
	EXPECT_ERRNO(put(at(-1, 1, 0, 0, 0), at(outer, 1, 60000, 0, 0), CAIRN_POOL_COPY,
			 CAIRN_RIGHTS_SAME),
		     ENOMEM);
	EXPECT_ERRNO(put(at(outer, 2, 1, 0, 0), at(outer, 1, 9, 0, 0), CAIRN_POOL_COPY,
			 CAIRN_RIGHTS_SAME),
		     EINVAL);
	slot = at(outer, 0, 0, 0, 0);
	EXPECT_ERRNO(cairn_pool_close(&slot), EINVAL);
	EXPECT_ERRNO(cairn_pool_close(NULL), EFAULT);
	slot = at(0, 1, 0, 0, 0);
	EXPECT_ERRNO(cairn_pool_close(&slot), EINVAL);
	narrow = cairn_handle_duplicate(outer, CAIRN_RIGHT_READ, 0);
	slot = at(narrow, 1, 1, 0, 0);
	EXPECT_ERRNO(cairn_pool_close(&slot), EACCES);
	EXPECT_ERRNO(put(slot, at(-1, 1, CAIRN_SLOT_ANY, 0, 0), CAIRN_POOL_MOVE, CAIRN_RIGHTS_SAME),
		     EACCES);
	EXPECT(put(slot, at(-1, 1, CAIRN_SLOT_ANY, 0, 0), CAIRN_POOL_COPY, CAIRN_RIGHTS_SAME) > 0);
	/* Pools do not travel. */
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	EXPECT_EQ(send(sockets[0], &c, 1, 0), 1);
	{
		struct cairn_transfer transfer = { outer, CAIRN_TRANSFER_DUPLICATE,
						   CAIRN_RIGHTS_SAME };
		struct cairn_payload payload = { .send_handles = (unsigned long)&transfer,
						 .send_handle_count = 1 };
		struct cairn_message message = {};
		int ends[2];

		REQUIRE(cairn_channel_create(ends, 1, 0) == 0);
		EXPECT_ERRNO(cairn_channel_send(ends[1], 0, &message, &payload), EACCES);
	}
}
