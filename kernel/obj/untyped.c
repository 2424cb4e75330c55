/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Untyped memory. The theory is in untyped.h. */
#include <lib/errno.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <obj/derivation.h>
#include <obj/handle.h>
#include <obj/untyped.h>
#include <sched/thread.h>

/* Of untypeds whose maker has no budget: what the system leaves for them. */
static struct memory_budget system_budget = { .refs = 1,
					      .shares = LIST_INIT(system_budget.shares) };

static struct slab_cache *untyped_cache, *origin_cache;

static void untyped_free(struct rcu_head *head)
{
	slab_free(untyped_cache, container_of(head, struct untyped, object.rcu));
}

static void untyped_destroy(struct object *object)
{
	struct untyped *untyped = untyped_of(object);

	/* Nothing is left that was made from it: each origin has a reference. */
	memory_charge_destroy(&untyped->charge);
	memory_budget_put(untyped->budget);
	rcu_call(&object->rcu, untyped_free);
}

static void untyped_closed(struct object *object)
{
	untyped_end(untyped_of(object));
}

const struct object_type untyped_type = {
	.name = "untyped",
	.default_rights = RIGHTS_ALL & ~(RIGHT_READ | RIGHT_MAP | RIGHT_EXECUTE),
	.closed = untyped_closed,
	.destroy = untyped_destroy,
};

static int create_below(struct memory_budget *parent, u64 size,
			struct untyped **out) __no_lock_analysis /* nobody else knows it yet */
{
	struct untyped *untyped = slab_alloc(untyped_cache, ALLOC_ZERO);
	int error;

	if (!untyped)
		return -ENOMEM;
	error = memory_budget_create(parent, true, size, &untyped->budget);
	if (error) {
		slab_free(untyped_cache, untyped);
		return error;
	}
	object_init(&untyped->object, &untyped_type);
	spin_init(&untyped->lock, RANK_UNTYPED);
	list_init(&untyped->origins);
	list_init(&untyped->waiting);
	*out = untyped;
	return 0;
}

/* It pays for its own structure. */
int untyped_create(struct memory_budget *parent, u64 size, struct untyped **out)
{
	int error = create_below(parent ?: &system_budget, size, out);

	if (error ||
	    memory_charge_begin(&(*out)->charge, (*out)->budget, slab_object_size(untyped_cache)))
		return error;
	object_put(&(*out)->object);
	return -ENOMEM;
}

/* --- making --- */

static int create_part(struct memory_budget *budget, u64 size, struct object *objects[2])
{
	struct untyped *part;
	int error = create_below(budget, size, &part);

	if (error)
		return error;
	objects[0] = &part->object;
	return 0;
}

static u64 part_bytes(u64 size)
{
	return slab_object_size(untyped_cache);
}

const struct untyped_kind untyped_kind_untyped = { 1, part_bytes, create_part, nullptr };

/* A place in the books for an object to be made; charged with it. */
static struct untyped_origin *origin_create(struct untyped *untyped,
					    const struct untyped_kind *kind, u64 bytes)
{
	struct untyped_origin *origin = slab_alloc(origin_cache, ALLOC_ZERO);

	if (!origin)
		return nullptr;
	if (!memory_charge_begin(&origin->charge, untyped->budget,
				 slab_object_size(origin_cache) + derivation_bytes() + bytes)) {
		slab_free(origin_cache, origin);
		return nullptr;
	}
	object_get(&untyped->object);
	origin->untyped = untyped;
	origin->kind = kind;
	return origin;
}

static void origin_free(struct untyped_origin *origin)
{
	memory_charge_destroy(&origin->charge);
	object_put(&origin->untyped->object);
	slab_free(origin_cache, origin);
}

/* Enters the objects in the books; false: the untyped has ended. */
static bool enter(struct untyped *untyped, struct untyped_origin *const *origins,
		  struct object *const *objects, int n)
{
	bool ended;

	for (int i = 0; i < n; i++)
		origins[i]->object = objects[i];
	spin_lock(&untyped->lock);
	ended = untyped->ended;
	for (int i = 0; i < n && !ended; i++) {
		objects[i]->origin = origins[i];
		list_add_tail(&untyped->origins, &origins[i]->node);
		untyped->count++;
	}
	spin_unlock(&untyped->lock);
	return !ended;
}

static int make(struct untyped *untyped, const struct untyped_kind *kind, u64 argument,
		struct untyped_origin *const *origins, struct object *objects[2])
{
	int error = kind->create(untyped->budget, argument, objects);

	if (error || enter(untyped, origins, objects, kind->objects))
		return error;
	for (int i = 0; i < kind->objects; i++)
		object_put(objects[i]);
	return -ENOMEM;
}

int untyped_retype(struct untyped *untyped, const struct untyped_kind *kind, u64 argument,
		   struct object *objects[2])
{
	struct untyped_origin *origins[2] = {};
	int error = 0;

	for (int i = 0; i < kind->objects && !error; i++) {
		origins[i] = origin_create(untyped, kind, i ? 0 : kind->bytes(argument));
		error = origins[i] ? 0 : -ENOMEM;
	}
	if (!error)
		error = make(untyped, kind, argument, origins, objects);
	for (int i = 0; i < 2 && error; i++)
		if (origins[i])
			origin_free(origins[i]);
	return error;
}

u32 untyped_count(struct untyped *untyped)
{
	u32 count;

	spin_lock(&untyped->lock);
	count = untyped->count;
	spin_unlock(&untyped->lock);
	return count;
}

void untyped_object_gone(struct object *object)
{
	struct untyped_origin *origin = object->origin;
	struct untyped *untyped = origin->untyped;

	object->origin = nullptr;
	spin_lock(&untyped->lock);
	list_remove(&origin->node);
	untyped->count--;
	spin_unlock(&untyped->lock);
	origin_free(origin);
}

/* --- ending --- */

/* Moves what was made from it to the list, each with a reference; what is just being destroyed leaves by itself. */
static void collect(struct untyped *untyped, struct list_head *doomed)
{
	struct untyped_origin *origin, *next;

	spin_lock(&untyped->lock);
	untyped->ended = true;
	list_for_each_safe (origin, next, &untyped->origins, node) {
		if (!object_get_unless_zero(origin->object))
			continue;
		list_remove(&origin->node);
		list_add_tail(doomed, &origin->node);
	}
	spin_unlock(&untyped->lock);
}

/* Revokes all handles and takes back what the object has. */
static void end_one(struct untyped_origin *origin)
{
	struct object *object = origin->object;
	long ignored =
		derivation_revoke(object, nullptr); /* -EINTR: a call in progress ends later */

	(void)ignored;
	if (origin->kind->end)
		origin->kind->end(object);
	memory_charge_end(&origin->charge);
	if (object->type == &untyped_type)
		memory_budget_close(untyped_of(object)->budget);
}

/* Untypeds may be parts of parts to any depth: breadth first, then the last first. */
static void end_tree(struct untyped *untyped)
{
	struct list_head doomed = LIST_INIT(doomed);
	struct untyped_origin *origin;

	collect(untyped, &doomed);
	list_for_each (origin, &doomed, node)
		if (origin->object->type == &untyped_type)
			collect(untyped_of(origin->object), &doomed);
	while (!list_empty(&doomed)) {
		struct object *object;

		origin = list_last(&doomed, struct untyped_origin, node);
		object = origin->object;
		list_remove(&origin->node);
		end_one(origin);
		object_put(object); /* and the origin with the last reference */
	}
	memory_charge_end(&untyped->charge);
	memory_budget_close(untyped->budget);
	if (untyped->object.origin) /* it is a shell from now on, as what was made from it */
		memory_charge_end(&untyped->object.origin->charge);
}

/* What ends may hold the last handle of another untyped: that waits for the outermost call of this thread. */
void untyped_end(struct untyped *untyped)
{
	struct list_head waiting = LIST_INIT(waiting);
	struct thread *self = current_thread();

	if (self->ending_untypeds) {
		if (!__atomic_exchange_n(&untyped->waits, true, __ATOMIC_ACQ_REL)) {
			object_get(&untyped->object);
			list_add_tail(self->ending_untypeds, &untyped->waiting);
		}
		return;
	}
	self->ending_untypeds = &waiting;
	end_tree(untyped);
	while (!list_empty(&waiting)) {
		untyped = list_first(&waiting, struct untyped, waiting);
		list_remove(&untyped->waiting);
		__atomic_store_n(&untyped->waits, false, __ATOMIC_RELEASE);
		end_tree(untyped);
		object_put(&untyped->object);
	}
	self->ending_untypeds = nullptr;
}

void untyped_init(void)
{
	struct frame_stats frames;

	untyped_cache = slab_cache_create("untyped", sizeof(struct untyped), 0);
	origin_cache = slab_cache_create("untyped_origin", sizeof(struct untyped_origin), 0);
	frame_stats(&frames);
	/* A quarter is left to those who have none. */
	system_budget.limit = frames.total * PAGE_SIZE / 4 * 3;
}
