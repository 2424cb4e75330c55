/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools, derivation and untyped memory used by several threads at random, under ThreadSanitizer.
 *
 * Every object knows what its handles may show: its badge and the most rights. Who finds one checks that what it found belongs together
 * (a slot that changes under a reader without a lock), and is counted as a user until its call ends; when a revocation of all that an
 * object has returns, nobody may be counted there (D2). In the end nothing is left, and nothing is charged.
 */
#include <host/threads.h>
#include <lib/errno.h>
#include <lib/test.h>
#include <mm/slab.h>
#include <obj/derivation.h>
#include <obj/handle.h>
#include <obj/untyped.h>
#include <sched/thread.h>

#define THREADS 4u
#define POOLS 3u
#define SLOTS 40
#define STEPS 12000u
#define BADGE_FACTOR 3 /* a thing's badge, from its number */
#define USES 8u

struct thing {
	struct object object;
	struct memory_charge charge;
	u64 number;
	u32 rights; /* that no handle exceeds */
	bool made;  /* from an untyped: all its handles are derived */
	u32 users;  /* atomic: calls in progress that found it by a derived handle */
};

static u64 next_number, live; /* atomic */
static struct pool *pools[POOLS];
static struct untyped *top;

/* Of each thread. */
static struct state {
	u64 seed;
	struct thing *uses[USES]; /* what its present call found */
	unsigned use_count;
} states[THREADS];

static unsigned random_below(struct state *state, unsigned n)
{
	state->seed = state->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(state->seed >> 33) % n;
}

/* --- things --- */

static void thing_free(struct rcu_head *head)
{
	kfree(container_of(head, struct thing, object.rcu));
}

static void thing_destroy(struct object *object)
{
	struct thing *thing = container_of(object, struct thing, object);

	EXPECT_EQ(__atomic_load_n(&thing->users, __ATOMIC_ACQUIRE), 0u);
	memory_charge_destroy(&thing->charge);
	__atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
	rcu_call(&object->rcu, thing_free);
}

static const struct object_type thing_type = { .name = "thing", .destroy = thing_destroy };

static struct thing *thing_create(u32 rights, bool made)
{
	struct thing *thing = kzalloc(sizeof(*thing), 0);

	object_init(&thing->object, &thing_type);
	thing->number = __atomic_add_fetch(&next_number, 1, __ATOMIC_RELAXED);
	thing->rights = rights;
	thing->made = made;
	__atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
	return thing;
}

static u64 thing_bytes(u64 argument)
{
	return sizeof(struct thing) + argument;
}

static int thing_make(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	struct thing *thing = thing_create(RIGHTS_ALL, true);

	if (!memory_charge_begin(&thing->charge, budget, 0)) {
		object_put(&thing->object);
		return -ENOMEM;
	}
	objects[0] = &thing->object;
	return 0;
}

static void thing_end(struct object *object)
{
	memory_charge_end(&container_of(object, struct thing, object)->charge);
}

static const struct untyped_kind thing_kind = { 1, thing_bytes, thing_make, thing_end };

/* --- calls --- */

static void call_end(struct state *state)
{
	while (state->use_count) {
		struct thing *thing = state->uses[--state->use_count];

		__atomic_fetch_sub(&thing->users, 1, __ATOMIC_RELEASE);
		object_put(&thing->object);
	}
	(void)host_call_end();
}

/* The handle that was found says what its object does. */
static void check(const struct thing *thing, u32 rights, u64 badge)
{
	EXPECT_EQ(rights & ~thing->rights, 0u);
	EXPECT(!badge || badge == thing->number * BADGE_FACTOR);
}

static void look_up(struct state *state, struct pool *pool, int fd)
{
	struct object *object;
	u64 badge = 0;
	int error = handle_get_badge(pool, fd, &thing_type, 0, &object, &badge);

	if (error)
		return;
	struct thing *thing = container_of(object, struct thing, object);

	check(thing, 0, badge);
	if (!thing->made || state->use_count == USES) {
		object_put(object);
		return;
	}
	__atomic_fetch_add(&thing->users, 1, __ATOMIC_RELAXED);
	state->uses[state->use_count++] = thing;
	if (memory_charge_more(&thing->charge, 16))
		memory_charge_less(&thing->charge, 16);
}

/* A copy, looked at, and perhaps moved on to another pool as by a message. */
static void pass_on(struct pool *from, struct pool *to, int fd, enum transfer_operation operation)
{
	struct transfer transfer = { fd, operation, RIGHTS_SAME };
	struct handle handle;

	if (handles_collect(from, &transfer, 1, &handle))
		return;
	if (handle.object->type == &thing_type)
		check(container_of(handle.object, struct thing, object), handle.rights,
		      handle.badge);
	if (handle_install_moved(to, &handle, 0, SLOTS) < 0)
		handle_drop(&handle);
}

static void derive(struct state *state, struct pool *pool, int fd)
{
	u32 rights =
		random_below(state, 3) ? RIGHTS_SAME : RIGHTS_ALL & ~BIT(random_below(state, 11));
	struct handle copy;

	if (handle_get_copy(pool, fd, &copy))
		return;
	if (copy.object->type == &thing_type)
		check(container_of(copy.object, struct thing, object), copy.rights, copy.badge);
	handle_copy_put(&copy);
	(void)handle_derive(pool, fd, rights, 0, 0, SLOTS);
}

static void install(struct state *state, struct pool *pool)
{
	u32 rights = random_below(state, 2) ? RIGHTS_ALL : RIGHTS_ALL & ~RIGHT_WRITE;
	struct thing *thing = thing_create(rights, false);
	struct handle handle = { .object = &thing->object,
				 .rights = rights,
				 .badge = thing->number * BADGE_FACTOR };

	object_handle_opened(&thing->object);
	object_put(&thing->object);
	if (handle_install_moved(pool, &handle, 0, SLOTS) < 0)
		handle_drop(&handle);
}

/* --- untyped memory --- */

static struct untyped *some_untyped(struct state *state)
{
	struct object *object;

	if (!random_below(state, 3) &&
	    !handle_get(pools[random_below(state, POOLS)], (int)random_below(state, SLOTS),
			&untyped_type, 0, &object))
		return untyped_of(object);
	object_get(&top->object);
	return top;
}

static void retype(struct state *state, struct pool *pool)
{
	struct untyped *untyped = some_untyped(state);
	bool part = !random_below(state, 5);
	struct object *objects[2];
	struct handle handle;

	if (!untyped_retype(untyped, part ? &untyped_kind_untyped : &thing_kind,
			    part ? 6000 : random_below(state, 300), objects)) {
		if (!handle_make_derived(objects[0], RIGHTS_ALL, &handle)) {
			if (!part)
				handle.badge =
					container_of(objects[0], struct thing, object)->number *
					BADGE_FACTOR;
			if (handle_install_moved(pool, &handle, 0, SLOTS) < 0)
				handle_drop(&handle);
		}
		object_put(objects[0]);
	}
	object_put(&untyped->object);
}

static void end_part(struct state *state)
{
	struct untyped *untyped = some_untyped(state);

	if (untyped != top)
		untyped_end(untyped);
	object_put(&untyped->object);
}

/* Revokes all handles of a thing that has none but derived ones: then nobody is at it, but perhaps this call itself. */
static void revoke_all(struct state *state, struct pool *pool, int fd)
{
	struct object *object;
	unsigned own = 0;
	long result;

	if (handle_get(pool, fd, &thing_type, 0, &object))
		return;
	struct thing *thing = container_of(object, struct thing, object);

	if (thing->made) {
		for (unsigned i = 0; i < state->use_count; i++)
			own += state->uses[i] == thing;
		result = derivation_revoke(object, nullptr);
		if (result >= 0)
			EXPECT_EQ(__atomic_load_n(&thing->users, __ATOMIC_ACQUIRE), own);
	}
	object_put(object);
}

/* --- the race --- */

static void change(struct state *state, struct pool *pool, int fd)
{
	struct pool *other = pools[random_below(state, POOLS)], *copy;
	int to = (int)random_below(state, SLOTS);

	switch (random_below(state, 16)) {
	case 0:
	case 1:
		install(state, pool);
		break;
	case 2:
	case 3:
		retype(state, pool);
		break;
	case 4:
	case 5:
		derive(state, pool, fd);
		break;
	case 6:
		(void)handle_revoke(pool, fd);
		break;
	case 7:
		revoke_all(state, pool, fd);
		break;
	case 8:
		(void)handle_duplicate_to(pool, fd, to, HANDLE_CLOEXEC, SLOTS);
		break;
	case 9:
		(void)handle_duplicate(pool, fd, RIGHTS_SAME, 0, 0, SLOTS);
		break;
	case 10:
		(void)handle_set_flags(pool, fd, HANDLE_CLOEXEC);
		(void)handle_close_range(pool, (unsigned)fd, (unsigned)fd + 2, to & 1);
		break;
	case 11:
		pass_on(pool, other, fd, to & 1 ? TRANSFER_MOVE : TRANSFER_DUPLICATE);
		break;
	case 12:
		if (!random_below(state, 8) && !pool_copy(pool, &copy))
			pool_user_put(copy);
		break;
	case 13:
		if (!random_below(state, 20))
			end_part(state);
		break;
	default:
		(void)handle_close(pool, fd);
	}
}

static void body(unsigned number)
{
	struct state *state = &states[number];

	for (unsigned i = 0; i < STEPS * (unsigned)host_scale() && !test_has_failed(); i++) {
		struct pool *pool = pools[random_below(state, POOLS)];
		unsigned looks = random_below(state, 4);

		while (looks--)
			look_up(state, pool, (int)random_below(state, SLOTS));
		change(state, pool, (int)random_below(state, SLOTS));
		call_end(state);
	}
}

TEST(capabilities_race)
{
	u64 used;

	pool_init();
	untyped_init();
	REQUIRE(untyped_create(nullptr, 60000, &top) == 0);
	used = top->budget->used;
	for (unsigned i = 0; i < POOLS; i++)
		REQUIRE(pool_create(nullptr, &pools[i]) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		states[i] = (struct state){ .seed = i + 1 };
	host_race(THREADS, body);
	for (unsigned i = 0; i < POOLS; i++)
		pool_user_put(pools[i]);
	EXPECT_EQ(live, 0u);
	EXPECT_EQ(top->budget->used, used);
	object_put(&top->object);
}

/* --- a table of one task, at which others look --- */

static struct pool *own;
static u32 finished; /* atomic */

static void owner(struct state *state)
{
	for (unsigned i = 0; i < STEPS * (unsigned)host_scale() && !test_has_failed(); i++) {
		int fd = (int)random_below(state, SLOTS);
		struct object *object;
		bool owned;

		if (!handle_borrow(own, fd, &thing_type, 0, &object, &owned)) {
			EXPECT(!owned);
			EXPECT(container_of(object, struct thing, object)->number > 0);
		}
		if (random_below(state, 2))
			install(state, own);
		else if (random_below(state, 2))
			(void)handle_close(own, fd);
		else
			(void)handle_derive(own, fd, RIGHTS_SAME, 0, 0, SLOTS);
		call_end(state);
	}
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
}

static void onlooker(struct state *state)
{
	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		int fd = (int)random_below(state, SLOTS);

		look_up(state, own, fd);
		pass_on(own, pools[0], fd, TRANSFER_DUPLICATE);
		(void)pool_next(own, fd);
		(void)handle_close(pools[0], fd);
		call_end(state);
	}
}

static void table_body(unsigned number)
{
	if (number)
		onlooker(&states[number]);
	else
		owner(&states[number]);
}

TEST(a_table_of_one_task_race)
{
	pool_init();
	REQUIRE(pool_create(nullptr, &own) == 0);
	REQUIRE(pool_create(nullptr, &pools[0]) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		states[i] = (struct state){ .seed = i + 100 };
	host_race(3, table_body);
	pool_user_put(own);
	pool_user_put(pools[0]);
	EXPECT_EQ(live, 0u);
}
