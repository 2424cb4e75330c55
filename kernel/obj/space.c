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

/* --- pagers --- */

static void replace_pager(struct aspace *as, struct handle *pager)
{
	struct handle *former;

	write_lock(&as->lock);
	former = as->pager;
	as->pager = pager;
	write_unlock(&as->lock);
	if (former)
		handle_drop(former);
	kfree(former);
}

int space_set_pager(struct aspace *as, const struct handle *sender)
{
	struct handle *pager = nullptr;

	if (sender) {
		pager = kmalloc(sizeof(*pager), 0);
		if (!pager)
			return -ENOMEM;
		handle_copy(sender, pager);
	}
	replace_pager(as, pager);
	return 0;
}

bool space_pager_get(struct aspace *as, struct handle *out)
{
	bool found;

	read_lock(&as->lock);
	found = as->pager && !derivation_revoked(as->pager->derivation);
	if (found)
		handle_copy(as->pager, out);
	read_unlock(&as->lock);
	return found;
}

static void drop_pager(struct aspace *as)
{
	replace_pager(as, nullptr);
}

void space_init(void)
{
	mm_hooks.drop_pager = drop_pager;
	space_cache = slab_cache_create("aspace_object", sizeof(struct space), 0);
}
