/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory budgets: a limit in bytes, and exactly what was taken from it. Silos and untyped objects have one each; address
 * spaces, pools, tasks, processes and objects made from an untyped are charged for what the kernel spends on them (private
 * pages, page tables, mappings, kernel stacks, structures) before they have it, and give back what they free.
 *
 * (B1) A budget of a parent is either reserved, and then its limit is charged to the parent as a whole when it is made, so that no
 * sibling can take it away; or it is not, and then what is charged to it is charged to its parent too.
 * (B2) used is the sum of the charges in force; it is 0 when the last reference goes. A reserved budget pays for its own structure, another
 * one's parent does.
 * (B3) A charge that does not fit changes nothing, in this budget or above it.
 */
#pragma once

#include <lib/list.h>
#include <lib/types.h>

struct memory_budget {
	u32 refs;      /* atomic: the owner's, each charge's, each address space's, each child's */
	bool reserved; /* (B1) */
	struct memory_budget *parent; /* holds a reference; may be null */
	u64 limit;		      /* bytes; UINT64_MAX: none */
	u64 used, peak;		      /* atomic */
	u64 closed;		      /* atomic; of `used`: given back by memory_budget_close */
	bool closing;		      /* atomic: it was called */
	u64 refused;		      /* atomic: how often there was no room */
	void (*exhausted)(struct memory_budget
				  *budget); /* told of each refusal; must not sleep; may be null */
	void *owner;			    /* of exhausted; valid while it is not null */
	/* Of mm/cache_share.c: the page cache that it pays for. */
	struct list_head shares, payer_node;
	u32 barren; /* atomic: so many charges need not look there, nothing is to be had */
};

/* A budget with one reference, below `parent` (null: none), which gives its memory. -ENOMEM. */
[[nodiscard]] int memory_budget_create(struct memory_budget *parent, bool reserved, u64 limit,
				       struct memory_budget **out);
void memory_budget_get(struct memory_budget *budget);
void memory_budget_put(struct memory_budget *budget); /* null does nothing */

/* Changes the limit, also to less than is used; page cache gives way at once. -EBUSY: it is reserved, for good. May sleep. */
[[nodiscard]] int memory_budget_set_limit(struct memory_budget *budget, u64 limit);

/* Ends a reserved budget: nothing can be charged any more, and what is not used is given back to the parent at once, what still is
 * with the last reference. May be called again. */
void memory_budget_close(struct memory_budget *budget);

/* Takes bytes; false: they do not fit, even without the page cache that the budget pays for, and nothing was taken. Null: no limit. */
bool memory_budget_charge_slow(struct memory_budget *budget, u64 bytes);
[[nodiscard]] static inline bool memory_budget_charge(struct memory_budget *budget, u64 bytes)
{
	return likely(!budget) || memory_budget_charge_slow(budget, bytes);
}
/* Takes bytes that can be done without: takes room from clean page cache only, and a refusal is no event. */
[[nodiscard]] bool memory_budget_charge_quietly(struct memory_budget *budget, u64 bytes);
/* Takes bytes that are spent already; false: a limit is exceeded now. */
[[nodiscard]] bool memory_budget_charge_existing(struct memory_budget *budget, u64 bytes);
void memory_budget_release_slow(struct memory_budget *budget, u64 bytes);
static inline void memory_budget_release(struct memory_budget *budget, u64 bytes)
{
	if (unlikely(budget))
		memory_budget_release_slow(budget, bytes);
}

/* What one object was charged for; all zero: nothing, and to nobody. */
struct memory_charge {
	struct memory_budget *budget; /* holds a reference; may be null */
	u64 bytes;		      /* atomic; with CHARGE_ENDED once they were given back */
};
#define CHARGE_ENDED BIT(63)

/* Begins a charge (null: to nobody); false: it does not fit. */
[[nodiscard]] bool memory_charge_begin(struct memory_charge *charge, struct memory_budget *budget,
				       u64 bytes);
/* The object grows (false: it does not fit, or the charge has ended), or shrinks. */
[[nodiscard]] bool memory_charge_more_slow(struct memory_charge *charge, u64 bytes);
[[nodiscard]] static inline bool memory_charge_more(struct memory_charge *charge, u64 bytes)
{
	return likely(!charge->budget) || memory_charge_more_slow(charge, bytes);
}
/* It took something back that it had a moment ago: the limit may be exceeded. */
void memory_charge_force(struct memory_charge *charge, u64 bytes);
void memory_charge_less(struct memory_charge *charge, u64 bytes);
/* Gives everything back, at any time while the object exists; what the object takes later is refused. */
void memory_charge_end(struct memory_charge *charge);
/* The object goes. */
void memory_charge_destroy(struct memory_charge *charge);
