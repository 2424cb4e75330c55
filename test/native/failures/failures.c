/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every allocation of Cairn's own calls fails in turn: the call says ENOMEM, or does without, and the books are as before to the byte. Of
 * the sanitizer build, which has /proc/self/fail-nth and would find what was freed too early.
 */
#include <guest_test.h>

#include <cairn/aspace.h>
#include <cairn/channel.h>
#include <cairn/handle.h>
#include <cairn/pool.h>
#include <cairn/silo.h>
#include <cairn/task.h>
#include <cairn/untyped.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096ul
#define MOST 3000 /* allocations of one call: more, and it does not end */

static int untyped, fail_file;
static int made[2];

/* --- the books --- */

static struct cairn_untyped_info books(void)
{
	struct cairn_untyped_info info = {};

	REQUIRE(cairn_untyped_inspect(untyped, &info, sizeof(info)) == 0);
	return info;
}

static void fail_nth(int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	/* What fails may be this. */
	if (pwrite(fail_file, text, (size_t)length, 0) != length)
		REQUIRE(pwrite(fail_file, text, (size_t)length, 0) == length);
}

/* Was it injected? To read the file may take the allocation that was to fail. */
static bool was_injected(void)
{
	char text[16] = "";
	ssize_t n = pread(fail_file, text, sizeof(text) - 1, 0);
	bool injected = n > 0 && atoi(text) == 0;

	fail_nth(0);
	return injected;
}

/* The books are as before: a moment later where a process ends. */
static bool settle(const struct cairn_untyped_info *before)
{
	for (int i = 0; i < 1000; i++) {
		struct cairn_untyped_info now = books();

		if (now.used == before->used && now.objects == before->objects)
			return true;
		sleep_ms(1);
	}
	return false;
}

/* Makes each allocation of `call` fail; `undo` takes back what it made, or what was prepared for it. */
static void fails_cleanly(const char *name, void (*prepare)(void), long (*call)(void),
			  void (*undo)(void))
{
	struct cairn_untyped_info before = books();
	bool injected = true;
	int failed = 0;

	for (int n = 1; injected && n < MOST && !test_has_failed(); n++) {
		long result;
		int error;

		made[0] = made[1] = -1;
		if (prepare)
			prepare();
		fail_nth(n);
		result = call();
		error = errno;
		injected = was_injected();
		failed += result < 0;
		if (result < 0 && (!injected || (error != ENOMEM && error != EAGAIN)))
			test_fail(__FILE__, __LINE__, "%s, allocation %d: errno %d", name, n,
				  error);
		undo();
		if (!settle(&before))
			test_fail(__FILE__, __LINE__, "%s, allocation %d: %llu bytes, then %llu",
				  name, n, before.used, books().used);
	}
	if (injected || !failed)
		test_fail(__FILE__, __LINE__, "%s: %d failures", name, failed);
}

static void start(void)
{
	fail_file = open("/proc/self/fail-nth", O_RDWR);
	REQUIRE(fail_file >= 0);
	untyped = cairn_untyped_create(1 << 20, 0);
	REQUIRE(untyped >= 0);
}

static void close_made(void)
{
	for (int i = 0; i < 2; i++)
		if (made[i] >= 0)
			EXPECT_EQ(close(made[i]), 0);
	made[0] = made[1] = -1;
}

/* A call that fails may have told numbers already. */
static long made_or_not(long result)
{
	if (result < 0)
		made[0] = made[1] = -1;
	return result;
}

static int make(unsigned type, unsigned long argument)
{
	int handles[2] = { -1, -1 };

	REQUIRE(cairn_untyped_retype(untyped, type, argument, handles, 0) == 0);
	return handles[0];
}

/* --- making --- */

static unsigned type_to_make;
static unsigned long argument_to_make;

static long retype(void)
{
	return made_or_not(cairn_untyped_retype(untyped, type_to_make, argument_to_make, made, 0));
}

TEST(retype)
{
	static const struct {
		const char *name;
		unsigned type;
		unsigned long argument;
	} kinds[] = {
		{ "untyped", CAIRN_TYPE_UNTYPED, 4 * PAGE },
		{ "pool", CAIRN_TYPE_POOL, 0 },
		{ "channel", CAIRN_TYPE_CHANNEL, 8 },
		{ "event", CAIRN_TYPE_EVENT, 1 },
		{ "timer", CAIRN_TYPE_TIMER, CLOCK_MONOTONIC },
		{ "memory", CAIRN_TYPE_MEMORY, 8 * PAGE },
		{ "aspace", CAIRN_TYPE_ASPACE, 0 },
		{ "task", CAIRN_TYPE_TASK, 0 },
		{ "silo", CAIRN_TYPE_SILO, 16 * PAGE },
	};

	start();
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		type_to_make = kinds[i].type;
		argument_to_make = kinds[i].argument;
		fails_cleanly(kinds[i].name, NULL, retype, close_made);
	}
}

static long create_untyped(void)
{
	return made[0] = cairn_untyped_create(4 * PAGE, 0);
}

TEST(untyped_create)
{
	start();
	fails_cleanly("untyped_create", NULL, create_untyped, close_made);
}

/* --- pools and handles --- */

static int thing, channel[2];

static void make_pool(void)
{
	made[0] = make(CAIRN_TYPE_POOL, 0);
}

/* Its table has to grow. */
static long put_far_away(void)
{
	struct cairn_slot from = { -1, 1, { (unsigned)thing } }, to = { made[0], 1, { 900 } };

	return cairn_pool_put(&from, &to, CAIRN_POOL_COPY, CAIRN_RIGHTS_SAME, 0);
}

static long derive(void)
{
	return made[0] = cairn_handle_derive(thing, CAIRN_RIGHTS_SAME, 0, 0);
}

TEST(pools_and_handles)
{
	start();
	thing = make(CAIRN_TYPE_EVENT, 0);
	fails_cleanly("pool_put", make_pool, put_far_away, close_made);
	fails_cleanly("handle_derive", NULL, derive, close_made);
}

/* --- channels --- */

static void make_channel(void)
{
	REQUIRE(cairn_untyped_retype(untyped, CAIRN_TYPE_CHANNEL, 8, channel, 0) == 0);
}

static void close_channel(void)
{
	EXPECT_EQ(close(channel[0]), 0);
	EXPECT_EQ(close(channel[1]), 0);
	close_made();
}

/* Bytes and a handle, which stays where it was if the message is not sent. */
static long send(void)
{
	static char bytes[3000];
	struct cairn_transfer transfer = { thing, CAIRN_TRANSFER_DUPLICATE, CAIRN_RIGHTS_SAME };
	struct cairn_payload payload = { .send = (uintptr_t)bytes,
					 .send_size = sizeof(bytes),
					 .send_handles = (uintptr_t)&transfer,
					 .send_handle_count = 1 };
	struct cairn_message message = { .words = { 1, 2 } };

	return cairn_channel_send(channel[1], CAIRN_CHANNEL_NONBLOCK, &message, &payload);
}

static void make_message(void)
{
	make_channel();
	REQUIRE(send() == 0);
}

/* What could not be received stays in the queue. */
static long receive(void)
{
	static char bytes[3000];
	struct cairn_payload payload = { .receive = (uintptr_t)bytes,
					 .receive_size = sizeof(bytes),
					 .receive_handles = (uintptr_t)made,
					 .receive_handle_count = 1 };
	struct cairn_message message = {};

	return cairn_channel_receive(channel[0], CAIRN_CHANNEL_NONBLOCK, &message, &payload);
}

static long create_channel(void)
{
	return made_or_not(cairn_channel_create(made, 8, 0));
}

TEST(channels)
{
	start();
	thing = make(CAIRN_TYPE_EVENT, 0);
	fails_cleanly("channel_create", NULL, create_channel, close_made);
	fails_cleanly("channel_send", make_channel, send, close_channel);
	make_message();
	EXPECT_EQ(receive(), CAIRN_RECEIVED_MESSAGE);
	close_channel();
}

/* --- memory and address spaces --- */

static int space, memory;

static void make_space(void)
{
	made[0] = space = make(CAIRN_TYPE_ASPACE, 0);
	made[1] = memory = make(CAIRN_TYPE_MEMORY, 16 * PAGE);
}

static long map_both(void)
{
	struct cairn_mapping shared = { .length = 16 * PAGE,
					.memory = memory,
					.flags = CAIRN_MAP_READ | CAIRN_MAP_WRITE };
	struct cairn_mapping own = { .length = 4 * PAGE, .memory = -1, .flags = CAIRN_MAP_READ };

	return cairn_aspace_map(space, &shared) ?: cairn_aspace_map(space, &own);
}

/* In the middle: three mappings of one. */
static long protect(void)
{
	struct cairn_mapping mapping = {};

	if (cairn_aspace_query(space, 0, &mapping))
		return -1;
	return cairn_aspace_protect(space, mapping.address + PAGE, PAGE, CAIRN_MAP_READ);
}

static void make_mapping(void)
{
	make_space();
	REQUIRE(map_both() == 0);
}

static long write_memory(void)
{
	static char bytes[5 * PAGE];

	return pwrite(memory, bytes, sizeof(bytes), 0) == sizeof(bytes) ? 0 : -1;
}

static void make_pager(void)
{
	make_channel();
	make_space();
}

static long set_pager(void)
{
	return cairn_aspace_set_pager(space, channel[1]);
}

TEST(memory_and_address_spaces)
{
	start();
	fails_cleanly("aspace_map", make_space, map_both, close_made);
	fails_cleanly("aspace_protect", make_mapping, protect, close_made);
	fails_cleanly("write", make_space, write_memory, close_made);
	fails_cleanly("aspace_set_pager", make_pager, set_pager, close_channel);
}

/* --- tasks --- */

static int task;

static void make_task(void)
{
	made[0] = task = make(CAIRN_TYPE_TASK, 0);
	made[1] = space = make(CAIRN_TYPE_ASPACE, 0);
}

static long put_together(void)
{
	struct cairn_task_info info;
	static char registers[1024];

	if (cairn_task_set(task, CAIRN_TASK_ASPACE, (__u64)space) ||
	    cairn_task_set(task, CAIRN_TASK_CPU_QUOTA, CAIRN_TASK_CPU_TIME(10000, 100000)) ||
	    cairn_task_inspect(task, &info, sizeof(info)) ||
	    cairn_task_registers_get(task, registers, sizeof(registers)) < 0)
		return -1;
	return cairn_task_control(task, CAIRN_TASK_KILL);
}

TEST(tasks)
{
	start();
	fails_cleanly("task", make_task, put_together, close_made);
}

/* --- silos --- */

static int silo, root;

static void make_silo(void)
{
	REQUIRE(cairn_untyped_retype(untyped, CAIRN_TYPE_SILO, 64 * PAGE, made,
				     CAIRN_HANDLE_KEEP_ON_FORK) == 0);
	silo = made[0];
	mkdir("root", 0755);
	mkdir("root/data", 0755);
	root = open("root", O_RDONLY | O_DIRECTORY);
	REQUIRE(root >= 0);
}

static void close_silo(void)
{
	close(root);
	close_made();
}

static long configure(void)
{
	if (cairn_silo_configure(silo, CAIRN_SILO_ROOT, (__u64)root))
		return -1;
	return cairn_silo_mount(silo, "/data", root, CAIRN_RIGHT_READ);
}

static void make_configured(void)
{
	make_silo();
	REQUIRE(configure() == 0);
}

#define ENOUGH 20 /* times that a child enters: no allocation that was to fail came */

/* A child enters with its nth allocation failing: 0, ENOMEM. Once inside it cannot ask whether that came. */
static int enter_in_child(int n)
{
	const int keep[] = { 0, 1, 2 };

	IN_CHILD(pid)
	{
		int error;

		fail_file = open("/proc/self/fail-nth", O_RDWR);
		fail_nth(n);
		error = cairn_silo_enter(silo, keep, 3) ? errno : 0;
		_exit(error == EAGAIN ? ENOMEM : error);
	}
	return wait_status(pid);
}

TEST(silos)
{
	struct cairn_untyped_info before;
	int entered = 0, failed = 0;

	start();
	fails_cleanly("silo_configure", make_silo, configure, close_silo);
	before = books();
	for (int n = 1; entered < ENOUGH && n < MOST && !test_has_failed(); n++) {
		int status;

		make_configured();
		status = enter_in_child(n);
		EXPECT(status == 0 || status == ENOMEM);
		entered = status ? 0 : entered + 1;
		failed += status == ENOMEM;
		close_silo();
		if (!settle(&before))
			test_fail(__FILE__, __LINE__,
				  "silo_enter, allocation %d: %llu bytes, then %llu", n,
				  before.used, books().used);
	}
	EXPECT_EQ(entered, ENOUGH);
	EXPECT(failed > 0);
}
