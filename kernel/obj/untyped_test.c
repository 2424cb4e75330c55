/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Untyped memory: random operations against a model that adds up, from scratch, what everybody must have. */
#include <lib/errno.h>
#include <lib/string.h>
#include <lib/test.h>
#include <mm/slab.h>
#include <obj/derivation.h>
#include <obj/handle.h>
#include <obj/untyped.h>

/* A thing has a size of its own choice, and may grow. */
struct thing {
	struct object object;
	struct memory_charge charge;
};

static int live;

static void thing_free(struct rcu_head *head)
{
	kfree(container_of(head, struct thing, object.rcu));
}

static void thing_destroy(struct object *object)
{
	struct thing *thing = container_of(object, struct thing, object);

	live--;
	memory_charge_destroy(&thing->charge);
	rcu_call(&object->rcu, thing_free);
}

static const struct object_type thing_type = { .name = "thing", .destroy = thing_destroy };

static u64 thing_bytes(u64 argument)
{
	return argument;
}

static int thing_create(struct memory_budget *budget, u64 argument, struct object *objects[2])
{
	struct thing *thing = kzalloc(sizeof(*thing), 0);

	if (!thing)
		return -ENOMEM;
	if (!memory_charge_begin(&thing->charge, budget, 0)) {
		kfree(thing);
		return -ENOMEM;
	}
	object_init(&thing->object, &thing_type);
	live++;
	objects[0] = &thing->object;
	return 0;
}

static void thing_end(struct object *object)
{
	memory_charge_end(&container_of(object, struct thing, object)->charge);
}

static const struct untyped_kind thing_kind = { 1, thing_bytes, thing_create, thing_end };

/* --- the model --- */

#define NODES 48
#define TOP_SIZE 40000u

struct node {
	struct object *object; /* null: the place is free */
	int parent;	       /* -1: the top */
	bool part;	       /* an untyped */
	bool ended;
	u64 size; /* of a part; bytes of a thing, with what it has grown */
};

static struct node nodes[NODES];
static u64 seed = 1;

static unsigned random_below(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % n;
}

static u64 cost(const struct node *node)
{
	if (node->ended)
		return 0;
	return sizeof(struct untyped_origin) + derivation_bytes() + node->size +
	       (node->part ? sizeof(struct untyped) : 0);
}

static u64 expected_use(int index)
{
	u64 sum = sizeof(struct memory_budget) + (index ? 0 : sizeof(struct untyped));

	if (nodes[index].ended)
		return nodes[index].size;
	for (int i = 1; i < NODES; i++)
		if (nodes[i].object && nodes[i].parent == index)
			sum += cost(&nodes[i]);
	return sum;
}

static void check_all(void)
{
	for (int i = 0; i < NODES; i++)
		if (nodes[i].object && nodes[i].part)
			EXPECT_EQ(untyped_of(nodes[i].object)->budget->used, expected_use(i));
}

static void mark_ended(int index)
{
	nodes[index].ended = true;
	for (int i = 1; i < NODES; i++)
		if (nodes[i].object && nodes[i].parent == index && !nodes[i].ended)
			mark_ended(i);
}

static int free_place(void)
{
	for (int i = 1; i < NODES; i++)
		if (!nodes[i].object)
			return i;
	return -1;
}

static int any(bool part)
{
	for (int tries = 0; tries < 20; tries++) {
		int i = (int)random_below(NODES);

		if (nodes[i].object && nodes[i].part == part)
			return i;
	}
	return part ? 0 : -1;
}

static void make_one(void)
{
	int parent = any(true), place = free_place(), result;
	struct node made = { .parent = parent, .part = random_below(2) };
	struct untyped *untyped = untyped_of(nodes[parent].object);
	struct object *objects[2];
	bool fits;

	if (place < 0)
		return;
	made.size = made.part ? random_below(8000) : random_below(1000);
	fits = !nodes[parent].ended && (!made.part || made.size >= sizeof(struct memory_budget)) &&
	       expected_use(parent) + cost(&made) <= nodes[parent].size;
	result = untyped_retype(untyped, made.part ? &untyped_kind_untyped : &thing_kind, made.size,
				objects);
	EXPECT_EQ(result, fits ? 0 : -ENOMEM);
	if (result)
		return;
	object_handle_opened(objects[0]);
	object_put(objects[0]);
	made.object = objects[0];
	nodes[place] = made;
}

static void grow_one(void)
{
	int i = any(false);
	unsigned bytes = random_below(500);
	bool fits;

	if (i < 0)
		return;
	fits = !nodes[i].ended &&
	       expected_use(nodes[i].parent) + bytes <= nodes[nodes[i].parent].size;
	EXPECT_EQ(memory_charge_more(&container_of(nodes[i].object, struct thing, object)->charge,
				     bytes),
		  fits);
	if (fits)
		nodes[i].size += bytes;
}

/* Closes the last handle; children of a part that had one stay as shells, which keep the model's parent. */
static void close_one(int i)
{
	bool has_children = false;

	for (int j = 1; j < NODES; j++)
		has_children |= nodes[j].object && nodes[j].parent == i;
	if (has_children)
		return;
	object_handle_closed(nodes[i].object);
	nodes[i].object = nullptr;
}

static void run(unsigned operations)
{
	struct untyped *top;

	memset(nodes, 0, sizeof(nodes));
	if (untyped_create(nullptr, TOP_SIZE, &top))
		return;
	object_handle_opened(&top->object);
	object_put(&top->object);
	nodes[0] = (struct node){ &top->object, -1, true, false, TOP_SIZE };
	for (unsigned n = 0; n < operations; n++) {
		unsigned what = random_below(100);
		int i = (int)random_below(NODES - 1) + 1;

		if (what < 55) {
			make_one();
		} else if (what < 75) {
			grow_one();
		} else if (what < 97) {
			if (nodes[i].object)
				close_one(i);
		} else if (nodes[i].object && nodes[i].part) {
			untyped_end(untyped_of(nodes[i].object));
			mark_ended(i);
		}
		check_all();
	}
	untyped_end(top);
	mark_ended(0);
	check_all();
	for (int i = NODES - 1; i >= 0; i--)
		if (nodes[i].object)
			object_handle_closed(nodes[i].object);
	EXPECT_EQ(live, 0);
}

static void start(void)
{
	static bool initialised;

	if (!initialised) {
		pool_init();
		untyped_init();
	}
	initialised = true;
}

TEST(untyped_agrees_with_a_model)
{
	start();
	for (unsigned round = 0; round < 200 * (unsigned)host_scale() && !test_has_failed();
	     round++)
		run(1000);
}

TEST_NO_MEMORY(untyped_without_memory)
{
	struct object *part[2], *thing[2];
	struct untyped *top;

	start();
	if (untyped_create(nullptr, TOP_SIZE, &top))
		return;
	if (!untyped_retype(top, &untyped_kind_untyped, 9000, part)) {
		if (!untyped_retype(untyped_of(part[0]), &thing_kind, 10, thing))
			object_put(thing[0]);
		EXPECT(untyped_of(part[0])->budget->used ==
		       sizeof(struct memory_budget) /* the thing is gone or was never there */);
		object_put(part[0]);
	}
	EXPECT_EQ(top->budget->used, sizeof(struct memory_budget) + sizeof(struct untyped));
	object_put(&top->object);
	EXPECT_EQ(live, 0);
}
