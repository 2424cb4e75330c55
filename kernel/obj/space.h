/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces as objects: a handle of one maps and unmaps in it, and gives it to a process that is made by hand.
 */
#pragma once

#include <mm/aspace.h>
#include <obj/handle.h>
#include <obj/object.h>

struct space {
	struct object object;
	struct aspace *aspace; /* a user and a reference */
};

extern const struct object_type space_type;

static inline struct space *space_of(struct object *object)
{
	return container_of(object, struct space, object);
}

/* An empty address space charged to the budget, with one reference. -ENOMEM. */
[[nodiscard]] int space_create(struct memory_budget *budget, struct space **out);
/* What making one takes out of the allocator, besides what the address space charges by itself. */
u64 space_bytes(void);

/* Unmaps everything, and gives back what was charged. Processes that run in it find nothing any more. May sleep. */
void space_end(struct space *space);

/*
 * The pager of an address space: a handle of a channel's sending end, which is copied; null for none. -ENOMEM. May sleep.
 * space_pager_get: a copy of it, to be dropped with handle_drop; false: there is none, or it was revoked.
 */
[[nodiscard]] int space_set_pager(struct aspace *as, const struct handle *sender);
[[nodiscard]] bool space_pager_get(struct aspace *as, struct handle *out);

/* Boot. */
void space_init(void);
