/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handles and pools: each operation, then many random ones against a simple model. */
#include <lib/errno.h>
#include <lib/test.h>
#include <mm/slab.h>
#include <obj/handle.h>

static int live, closed, flushed;

struct thing {
	struct object object;
	struct object *child; /* owned; may be null */
};

static void thing_closed(struct object *object)
{
	closed++;
}

static int thing_flush(struct object *object)
{
	flushed++;
	return -EIO;
}

static void thing_free(struct rcu_head *head)
{
	kfree(container_of(head, struct thing, object.rcu));
}

static void thing_destroy(struct object *object)
{
	struct thing *thing = container_of(object, struct thing, object);

	if (thing->child)
		object_put(thing->child);
	live--;
	rcu_call(&object->rcu, thing_free);
}

static const struct object_type thing_type = {
	.name = "thing",
	.closed = thing_closed,
	.destroy = thing_destroy,
};
static const struct object_type flushed_type = {
	.name = "flushed",
	.flush = thing_flush,
	.destroy = thing_destroy,
};

static struct object *make(const struct object_type *type, struct object *child)
{
	struct thing *thing = kmalloc(sizeof(*thing), 0);

	if (!thing)
		return nullptr;
	object_init(&thing->object, type);
	thing->child = child;
	live++;
	return &thing->object;
}

static void start(void)
{
	static bool initialised;

	if (!initialised)
		pool_init();
	initialised = true;
	live = closed = flushed = 0;
}

/* Installs a new thing that only the handle keeps alive. */
static int install_new(struct pool *pool, u32 rights, u32 flags, int min)
{
	struct object *object = make(&thing_type, nullptr);
	int fd = handle_install(pool, object, rights, flags, min, 1u << 20);

	object_put(object);
	return fd;
}

TEST(object_destroy_does_not_recurse)
{
	struct object *chain = nullptr;

	start();
	for (int i = 0; i < 200000; i++)
		chain = make(&thing_type, chain);
	object_put(chain);
	EXPECT_EQ(live, 0);
	EXPECT_EQ(closed, 0);
}

TEST(handle_rights_only_shrink)
{
	struct pool *pool;
	struct object *object;

	start();
	REQUIRE(pool_create(nullptr, &pool) == 0);
	EXPECT_EQ(install_new(pool, RIGHT_READ | RIGHT_DUPLICATE, 0, 0), 0);
	EXPECT_EQ(handle_duplicate(pool, 0, RIGHT_READ, 0, 0, 100), 1);
	EXPECT_EQ(handle_duplicate(pool, 0, RIGHT_READ | RIGHT_WRITE, 0, 0, 100), -EACCES);
	EXPECT_EQ(handle_duplicate(pool, 1, RIGHTS_SAME, 0, 0, 100),
		  -EACCES); /* lost the right to duplicate */
	EXPECT_EQ(handle_duplicate_to(pool, 1, 7, 0, 100), -EACCES);
	REQUIRE(handle_get(pool, 1, &thing_type, RIGHT_READ, &object) == 0);
	object_put(object);
	EXPECT_EQ(handle_get(pool, 1, &thing_type, RIGHT_WRITE, &object), -EACCES);
	EXPECT_EQ(handle_get(pool, 1, &flushed_type, RIGHT_WRITE, &object), -EINVAL);
	EXPECT_EQ(handle_get(pool, 2, &flushed_type, RIGHT_WRITE, &object), -EBADF);
	EXPECT_EQ(handle_get(pool, -1, nullptr, 0, &object), -EBADF);
	EXPECT_EQ(handle_get(pool, 1 << 30, nullptr, 0, &object), -EBADF);
	pool_user_put(pool);
	EXPECT_EQ(closed, 1);
	EXPECT_EQ(live, 0);
}

TEST(handle_numbers_are_the_lowest_and_limited)
{
	struct pool *pool;

	start();
	REQUIRE(pool_create(nullptr, &pool) == 0);
	for (int i = 0; i < 300; i++)
		EXPECT_EQ(install_new(pool, 0, 0, 0), i);
	EXPECT_EQ(handle_close(pool, 70), 0);
	EXPECT_EQ(handle_close(pool, 5), 0);
	EXPECT_EQ(handle_close(pool, 5), -EBADF);
	EXPECT_EQ(install_new(pool, 0, 0, 6), 70);
	EXPECT_EQ(install_new(pool, 0, 0, 0), 5);
	EXPECT_EQ(install_new(pool, 0, 0, 1000), 1000);
	EXPECT_EQ(handle_reserve(pool, 0, 300), -EMFILE);
	EXPECT_EQ(handle_reserve(pool, 400, 400), -EMFILE);
	EXPECT_EQ(handle_reserve(pool, 0, 301), 300);
	EXPECT_EQ(handle_duplicate_to(pool, 0, 300, 0, 1000), -EACCES);
	handle_cancel(pool, 300);
	EXPECT_EQ(pool_next(pool, 299), 299);
	EXPECT_EQ(pool_next(pool, 300), 1000);
	EXPECT_EQ(pool_next(pool, 1001), -1);
	pool_user_put(pool);
	EXPECT_EQ(live, 0);
}

TEST(handle_duplicate_to_replaces_and_flushes)
{
	struct pool *pool;
	struct object *object;

	start();
	REQUIRE(pool_create(nullptr, &pool) == 0);
	object = make(&flushed_type, nullptr);
	EXPECT_EQ(handle_install(pool, object, RIGHTS_ALL, 0, 0, 10), 0);
	object_put(object);
	EXPECT_EQ(install_new(pool, RIGHTS_ALL, 0, 0), 1);
	EXPECT_EQ(handle_duplicate_to(pool, 1, 0, HANDLE_CLOEXEC, 10), 0);
	EXPECT_EQ(flushed, 1);
	EXPECT_EQ(live, 1);
	EXPECT_EQ(handle_flags(pool, 0), HANDLE_CLOEXEC);
	EXPECT_EQ(handle_duplicate_to(pool, 1, 500, 0, 1000), 500);
	EXPECT_EQ(handle_duplicate_to(pool, 1, 1000, 0, 1000), -EBADF);
	EXPECT_EQ(handle_duplicate_to(pool, 2, 3, 0, 1000), -EBADF);
	EXPECT_EQ(handle_reserve(pool, 0, 10), 2);
	EXPECT_EQ(handle_duplicate_to(pool, 1, 2, 0, 10), -EBUSY);
	handle_cancel(pool, 2);
	pool_close_on_exec(pool);
	EXPECT_EQ(handle_flags(pool, 0), -EBADF);
	pool_user_put(pool);
	EXPECT_EQ(closed, 1);
	EXPECT_EQ(live, 0);
}

TEST(handles_are_collected_all_or_nothing)
{
	struct transfer bad[] = { { 0, TRANSFER_MOVE, RIGHTS_SAME },
				  { 1, TRANSFER_MOVE, RIGHTS_SAME } };
	struct transfer twice[] = { { 0, TRANSFER_MOVE, RIGHTS_SAME },
				    { 0, TRANSFER_DUPLICATE, RIGHTS_SAME } };
	struct transfer good[] = { { 0, TRANSFER_MOVE, RIGHT_READ } };
	struct handle out[2];
	struct pool *pool;

	start();
	REQUIRE(pool_create(nullptr, &pool) == 0);
	EXPECT_EQ(install_new(pool, RIGHTS_ALL, 0, 0), 0);
	EXPECT_EQ(install_new(pool, RIGHT_READ, 0, 0), 1);
	EXPECT_EQ(handles_collect(pool, bad, 2, out), -EACCES);
	EXPECT_EQ(handles_collect(pool, twice, 2, out), -EINVAL);
	EXPECT_EQ(handle_flags(pool, 0), 0);
	EXPECT_EQ(handles_collect(pool, good, 1, out), 0);
	EXPECT_EQ(out[0].rights, (u32)RIGHT_READ);
	EXPECT_EQ(handle_flags(pool, 0), -EBADF);
	EXPECT_EQ(closed, 0); /* in flight still counts */
	EXPECT_EQ(handle_install_moved(pool, &out[0], HANDLE_CLOEXEC, 10), 0);
	EXPECT_EQ(handle_flags(pool, 0), HANDLE_CLOEXEC);
	EXPECT_EQ(handles_collect(pool, bad, 1, out), -EACCES); /* lost the right to travel */
	pool_user_put(pool);
	EXPECT_EQ(live, 0);
}

TEST(handle_borrow_takes_a_reference_only_when_the_pool_is_shared)
{
	struct pool *pool;
	struct object *object;
	bool owned;

	start();
	REQUIRE(pool_create(nullptr, &pool) == 0);
	EXPECT_EQ(install_new(pool, RIGHT_READ, 0, 0), 0);
	REQUIRE(handle_borrow(pool, 0, nullptr, RIGHT_READ, &object, &owned) == 0);
	EXPECT(!owned);
	EXPECT_EQ(object->refs, 1u);
	EXPECT_EQ(handle_borrow(pool, 0, nullptr, RIGHT_WRITE, &object, &owned), -EACCES);
	EXPECT_EQ(handle_borrow(pool, 1, nullptr, 0, &object, &owned), -EBADF);
	pool_user_get(pool);
	REQUIRE(handle_borrow(pool, 0, nullptr, RIGHT_READ, &object, &owned) == 0);
	EXPECT(owned);
	object_put(object);
	pool_user_put(pool);
	pool_user_put(pool);
	EXPECT_EQ(live, 0);
}

TEST_NO_MEMORY(pool_operations_without_memory)
{
	struct object *object;
	struct pool *pool, *copy;
	int error;

	start();
	error = pool_create(nullptr, &pool);
	if (error) {
		EXPECT(error == -ENOMEM && test_allocation_failed());
		return;
	}
	object = make(&thing_type, nullptr);
	if (object) {
		error = handle_install(pool, object, RIGHTS_ALL, 0, 200, 1000);
		EXPECT(error == 200 || (error == -ENOMEM && test_allocation_failed()));
		error = handle_install(pool, object, RIGHTS_ALL, 0, 0, 1000);
		EXPECT_EQ(error, 0);
		error = handle_duplicate_to(pool, 0, 900, 0, 1000);
		EXPECT(error == 900 || (error == -ENOMEM && test_allocation_failed()));
		object_put(object);
	}
	error = pool_copy(pool, &copy);
	if (!error)
		pool_user_put(copy);
	EXPECT(!error || (error == -ENOMEM && test_allocation_failed()));
	pool_user_put(pool);
	EXPECT_EQ(live, 0);
}

/* The model: what each slot holds. */
#define MODEL_SLOTS 200
#define MODEL_OBJECTS 8

struct model {
	struct object *slot[MODEL_SLOTS];
	u32 rights[MODEL_SLOTS], flags[MODEL_SLOTS];
};

static u32 random_state;

static u32 random_below(u32 n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (u32)((u64)random_state * n >> 32);
}

static int model_free(const struct model *m, int min)
{
	while (min < MODEL_SLOTS && m->slot[min])
		min++;
	return min < MODEL_SLOTS ? min : -EMFILE;
}

static void model_set(struct model *m, int fd, struct object *object, u32 rights, u32 flags)
{
	m->slot[fd] = object;
	m->rights[fd] = rights;
	m->flags[fd] = flags;
}

static void compare(struct model *m, struct pool *pool, struct object *const *objects)
{
	unsigned used = 0, expected[MODEL_OBJECTS] = {};

	for (int fd = 0; fd < MODEL_SLOTS; fd++) {
		struct handle copy;
		int error = handle_get_copy(pool, fd, &copy);

		EXPECT_EQ(error, m->slot[fd] ? 0 : -EBADF);
		if (error)
			continue;
		EXPECT(copy.object == m->slot[fd] && copy.rights == m->rights[fd] &&
		       copy.flags == m->flags[fd]);
		handle_copy_put(&copy);
		used++;
		for (unsigned i = 0; i < MODEL_OBJECTS; i++)
			expected[i] += objects[i] == m->slot[fd];
	}
	EXPECT_EQ(pool->count, used);
	for (unsigned i = 0; i < MODEL_OBJECTS; i++) {
		EXPECT_EQ(objects[i]->handles, expected[i]);
		EXPECT_EQ(objects[i]->refs, expected[i] + 1);
	}
}

static void step(struct model *m, struct pool *pool, struct object *const *objects)
{
	int fd = (int)random_below(MODEL_SLOTS), to = (int)random_below(MODEL_SLOTS), expected;
	struct object *object = objects[random_below(MODEL_OBJECTS)];
	u32 flags = random_below(2) ? HANDLE_CLOEXEC : 0;
	u32 rights = random_below(2) ? RIGHTS_ALL : RIGHT_READ;

	switch (random_below(6)) {
	case 0:
	case 1:
		expected = model_free(m, to / 4);
		EXPECT_EQ(handle_install(pool, object, rights, flags, to / 4, MODEL_SLOTS),
			  expected);
		if (expected >= 0)
			model_set(m, expected, object, rights, flags);
		break;
	case 2:
		EXPECT_EQ(handle_close(pool, fd), m->slot[fd] ? 0 : -EBADF);
		m->slot[fd] = nullptr;
		break;
	case 3:
		expected = !m->slot[fd] ? -EBADF : m->rights[fd] & RIGHT_DUPLICATE ? to : -EACCES;
		EXPECT_EQ(handle_duplicate_to(pool, fd, to, flags, MODEL_SLOTS), expected);
		if (expected >= 0)
			model_set(m, to, m->slot[fd], m->rights[fd], flags);
		break;
	case 4:
		expected = !m->slot[fd]			     ? -EBADF
			   : m->rights[fd] & RIGHT_DUPLICATE ? model_free(m, to)
							     : -EACCES;
		EXPECT_EQ(handle_duplicate(pool, fd, RIGHTS_SAME, flags, to, MODEL_SLOTS),
			  expected);
		if (expected >= 0)
			model_set(m, expected, m->slot[fd], m->rights[fd], flags);
		break;
	default:
		to = fd + (int)random_below(8);
		EXPECT_EQ(handle_close_range(pool, (unsigned)fd, (unsigned)to, flags), 0);
		for (; fd <= to && fd < MODEL_SLOTS; fd++) {
			if (!flags)
				m->slot[fd] = nullptr;
			m->flags[fd] |= HANDLE_CLOEXEC;
		}
	}
}

TEST(pool_agrees_with_a_model)
{
	static struct model model;
	struct object *objects[MODEL_OBJECTS];
	struct pool *pool, *copy;

	start();
	random_state = 1;
	REQUIRE(pool_create(nullptr, &pool) == 0);
	for (unsigned i = 0; i < MODEL_OBJECTS; i++)
		objects[i] = make(&thing_type, nullptr);
	for (int i = 0; i < 100000 * host_scale() && !test_has_failed(); i++) {
		step(&model, pool, objects);
		if (i % 16 == 0)
			compare(&model, pool, objects);
		if (i % 1000 == 999) {
			/* Go on in a copy, as a child does after fork. */
			REQUIRE(pool_copy(pool, &copy) == 0);
			pool_user_put(pool);
			pool = copy;
			compare(&model, pool, objects);
		}
	}
	pool_user_put(pool);
	for (unsigned i = 0; i < MODEL_OBJECTS; i++) {
		EXPECT_EQ(objects[i]->handles, 0u);
		object_put(objects[i]);
	}
	EXPECT_EQ(live, 0);
}
