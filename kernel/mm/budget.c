/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory budgets. */
#include <core/panic.h>
#include <lib/errno.h>
#include <mm/budget.h>
#include <mm/slab.h>

int memory_budget_create(u64 limit, struct memory_budget **out)
{
	struct memory_budget *budget = kzalloc(sizeof(*budget), 0);

	if (!budget)
		return -ENOMEM;
	budget->refs = 1;
	budget->limit = limit;
	*out = budget;
	return 0;
}

void memory_budget_get(struct memory_budget *budget)
{
	__atomic_fetch_add(&budget->refs, 1, __ATOMIC_RELAXED);
}

void memory_budget_put(struct memory_budget *budget)
{
	if (!budget || __atomic_sub_fetch(&budget->refs, 1, __ATOMIC_ACQ_REL))
		return;
	ASSERT(!budget->used); /* no charge is lost */
	kfree(budget);
}

static void note_peak(struct memory_budget *budget, u64 used)
{
	u64 peak = READ_ONCE(budget->peak);

	while (used > peak && !__atomic_compare_exchange_n(&budget->peak, &peak, used, true,
							   __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void refuse(struct memory_budget *budget)
{
	__atomic_fetch_add(&budget->refused, 1, __ATOMIC_RELAXED);
	if (budget->exhausted)
		budget->exhausted(budget);
}

bool memory_budget_charge_slow(struct memory_budget *budget, u64 pages)
{
	u64 used = __atomic_add_fetch(&budget->used, pages, __ATOMIC_RELAXED);

	if (unlikely(used > READ_ONCE(budget->limit))) {
		__atomic_fetch_sub(&budget->used, pages, __ATOMIC_RELAXED);
		refuse(budget);
		return false;
	}
	note_peak(budget, used);
	return true;
}

bool memory_budget_charge_existing(struct memory_budget *budget, u64 pages)
{
	u64 used;

	if (!budget || !pages)
		return true;
	used = __atomic_add_fetch(&budget->used, pages, __ATOMIC_RELAXED);
	note_peak(budget, used);
	if (used <= READ_ONCE(budget->limit))
		return true;
	refuse(budget);
	return false;
}

void memory_budget_release_slow(struct memory_budget *budget, u64 pages)
{
	__atomic_fetch_sub(&budget->used, pages, __ATOMIC_RELAXED);
}
