/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory budgets: a limit in pages, and exactly what was taken from it. An address space with a budget charges every private
 * page and every page table to it before it has them, and gives back what it frees.
 */
#pragma once

#include <lib/types.h>

struct memory_budget {
	u32 refs;	/* atomic: the owner's, each address space's */
	u64 limit;	/* pages; may be changed at any time */
	u64 used, peak; /* atomic */
	u64 refused;	/* atomic: how often there was no room */
	void (*exhausted)(struct memory_budget
				  *budget); /* told of each refusal; must not sleep; may be null */
	void *owner;			    /* of exhausted; valid while it is not null */
};

/* A budget with one reference. -ENOMEM. */
[[nodiscard]] int memory_budget_create(u64 limit, struct memory_budget **out);
void memory_budget_get(struct memory_budget *budget);
void memory_budget_put(struct memory_budget *budget); /* null does nothing */

/* Takes pages; false: they do not fit, and nothing was taken. Null: no limit. */
bool memory_budget_charge_slow(struct memory_budget *budget, u64 pages);
[[nodiscard]] static inline bool memory_budget_charge(struct memory_budget *budget, u64 pages)
{
	return likely(!budget) || memory_budget_charge_slow(budget, pages);
}
/* Takes pages that exist already; false: the limit is exceeded now. */
[[nodiscard]] bool memory_budget_charge_existing(struct memory_budget *budget, u64 pages);
void memory_budget_release_slow(struct memory_budget *budget, u64 pages);
static inline void memory_budget_release(struct memory_budget *budget, u64 pages)
{
	if (unlikely(budget))
		memory_budget_release_slow(budget, pages);
}
