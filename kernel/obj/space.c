/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces as objects: see space.h. */
#include <lib/errno.h>
#include <mm/slab.h>
#include <obj/handle.h>
#include <obj/space.h>

static struct slab_cache *space_cache;

static void space_free(struct rcu_head *head)
{
	slab_free(space_cache, container_of(head, struct space, object.rcu));
}

static void space_destroy(struct object *object)
{
	struct space *space = space_of(object);

	aspace_user_put(space->aspace);
	aspace_put(space->aspace);
	rcu_call(&object->rcu, space_free);
}

const struct object_type space_type = {
	.name = "aspace",
	.default_rights = RIGHTS_ALL & ~(RIGHT_READ | RIGHT_EXECUTE | RIGHT_WAIT),
	.destroy = space_destroy,
};

int space_create(struct memory_budget *budget, struct space **out)
{
	struct space *space = slab_alloc(space_cache, ALLOC_ZERO);
	int error;

	if (!space)
		return -ENOMEM;
	error = aspace_create(&space->aspace);
	if (!error) {
		error = aspace_set_budget(space->aspace, budget);
		if (error) {
			aspace_user_put(space->aspace);
			aspace_put(space->aspace);
		}
	}
	if (error) {
		slab_free(space_cache, space);
		return error;
	}
	object_init(&space->object, &space_type);
	*out = space;
	return 0;
}

u64 space_bytes(void)
{
	return slab_object_size(space_cache);
}

void space_end(struct space *space)
{
	aspace_end(space->aspace);
}

void space_init(void)
{
	space_cache = slab_cache_create("aspace_object", sizeof(struct space), 0);
}
