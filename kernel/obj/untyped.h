/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Untyped memory: a budget that objects are made from, and that ends them.
 *
 * An untyped is made below a budget (that of the maker's silo or untyped, or the system's), where its whole size is reserved, or
 * below another untyped, of which it is a part. An object made from it carries an origin: its place in the untyped's list and its
 * charge. Objects that grow (pools, address spaces, processes, memory) charge the same budget as they do.
 *
 * (U1) What is made from an untyped is charged to its budget before it exists.
 * (U2) Handles of an object with an origin all descend from its root in the tree of derivations, so that ending it revokes them.
 * (U3) When untyped_end returns nothing made from it, or from an untyped made from it, is in use: its handles are revoked, its contents
 * are given back, its processes have left; and its size is free again where it was reserved. The structure of an object stays, charged
 * to nobody, until the last revoked handle is closed.
 * (U4) An untyped ends with its last handle.
 *
 * Locks: untyped->lock (RANK_UNTYPED), a leaf among those of objects. An origin is in the list of its untyped, or in that of the thread
 * that ends it and holds a reference of the object.
 */
#pragma once

#include <core/lock.h>
#include <lib/list.h>
#include <mm/budget.h>
#include <obj/object.h>

struct untyped {
	struct object object;
	struct memory_budget *budget; /* reserved; holds a reference */
	/* Of the structure, to its own budget; of a part the origin has it. */
	struct memory_charge charge;
	struct spinlock lock;
	struct list_head origins __guarded_by(&lock); /* of what was made from it */
	u32 count __guarded_by(&lock);
	bool ended __guarded_by(&lock);
	bool waits;		  /* atomic: it is in the list of a thread that will end it */
	struct list_head waiting; /* of thread->ending_untypeds */
};

/* How objects of one kind are made and ended. */
struct untyped_kind {
	int objects; /* how many it makes: 1 or 2 */
	/* What making one takes out of the allocator, besides what create charges to the budget itself. */
	u64 (*bytes)(u64 argument);
	/* Makes them, with one reference each. 0, -errno. */
	int (*create)(struct memory_budget *budget, u64 argument, struct object *objects[2]);
	/* Nobody reaches it any more: gives back all but the structure. May be null. May sleep. */
	void (*end)(struct object *object);
};

struct untyped_origin {
	struct list_head node;	 /* in untyped->origins */
	struct untyped *untyped; /* holds a reference */
	struct object *object;	 /* it belongs to this one */
	const struct untyped_kind *kind;
	struct memory_charge charge;
};

extern const struct object_type untyped_type;
extern const struct untyped_kind untyped_kind_untyped; /* argument: its size in bytes */

static inline struct untyped *untyped_of(struct object *object)
{
	return container_of(object, struct untyped, object);
}

/* An untyped of `size` bytes, its own structures included, reserved below `parent` (null: below the system's). -ENOMEM. */
[[nodiscard]] int untyped_create(struct memory_budget *parent, u64 size, struct untyped **out);

/*
 * Makes what `kind` says: kind->objects objects with one reference each. -ENOMEM: the untyped is full, or ended, and nothing
 * happened; other errors are of the kind. May sleep.
 */
[[nodiscard]] int untyped_retype(struct untyped *untyped, const struct untyped_kind *kind,
				 u64 argument, struct object *objects[2]);

/* Ends everything that was made from it, and it (U3). A second call does nothing. May sleep. */
void untyped_end(struct untyped *untyped);

/* Objects made from it that exist. */
u32 untyped_count(struct untyped *untyped);

/* An object with an origin is destroyed: of obj/object.c. */
void untyped_object_gone(struct object *object);

/* Boot. */
void untyped_init(void);
