/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory budgets. The theory is in budget.h. */
#include <core/panic.h>
#include <lib/errno.h>
#include <mm/budget.h>
#include <mm/slab.h>

/* What a parent gives for a child. */
static u64 reservation(u64 limit)
{
	u64 bytes;

	return add_overflows(limit, kmalloc_size(sizeof(struct memory_budget)), &bytes) ? UINT64_MAX
											: bytes;
}

int memory_budget_create(struct memory_budget *parent, bool reserved, u64 limit,
			 struct memory_budget **out)
{
	u64 own = reserved ? reservation(limit) : reservation(0);
	struct memory_budget *budget;

	if (!memory_budget_charge(parent, own))
		return -ENOMEM;
	budget = kzalloc(sizeof(*budget), 0);
	if (!budget) {
		memory_budget_release(parent, own);
		return -ENOMEM;
	}
	budget->refs = 1;
	budget->limit = limit;
	budget->reserved = reserved;
	budget->parent = parent;
	if (parent)
		memory_budget_get(parent);
	*out = budget;
	return 0;
}

void memory_budget_get(struct memory_budget *budget)
{
	__atomic_fetch_add(&budget->refs, 1, __ATOMIC_RELAXED);
}

/* Chains are as long as user space likes. */
void memory_budget_put(struct memory_budget *budget)
{
	while (budget && !__atomic_sub_fetch(&budget->refs, 1, __ATOMIC_ACQ_REL)) {
		struct memory_budget *parent = budget->parent;

		ASSERT(!budget->used); /* (B2) */
		memory_budget_release(parent, reservation(budget->reserved ? budget->limit : 0));
		kfree(budget);
		budget = parent;
	}
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

/* Who gives the memory of a charge, after the budget itself. */
static struct memory_budget *payer_above(const struct memory_budget *budget)
{
	return budget->reserved ? nullptr : budget->parent;
}

/* Never above the limit, not even for a moment: another charge that fits would be refused. */
static bool take(struct memory_budget *budget, u64 bytes)
{
	u64 used = __atomic_load_n(&budget->used, __ATOMIC_RELAXED), sum;

	do {
		if (add_overflows(used, bytes, &sum) || sum > READ_ONCE(budget->limit))
			return false;
	} while (!__atomic_compare_exchange_n(&budget->used, &used, sum, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	note_peak(budget, sum);
	return true;
}

/* Gives back, up to but not including `end`. */
static void release_until(struct memory_budget *budget, const struct memory_budget *end, u64 bytes)
{
	for (; budget && budget != end; budget = payer_above(budget)) {
		u64 former = __atomic_fetch_sub(&budget->used, bytes, __ATOMIC_RELAXED);

		DASSERT(former >= bytes);
	}
}

bool memory_budget_charge_slow(struct memory_budget *budget, u64 bytes)
{
	for (struct memory_budget *b = budget; b; b = payer_above(b))
		if (unlikely(!take(b, bytes))) {
			release_until(budget, b, bytes);
			refuse(b);
			return false;
		}
	return true;
}

bool memory_budget_charge_existing(struct memory_budget *budget, u64 bytes)
{
	bool fits = true;

	for (; budget && bytes; budget = payer_above(budget)) {
		u64 used = __atomic_add_fetch(&budget->used, bytes, __ATOMIC_RELAXED);

		note_peak(budget, used);
		if (used <= READ_ONCE(budget->limit))
			continue;
		refuse(budget);
		fits = false;
	}
	return fits;
}

void memory_budget_release_slow(struct memory_budget *budget, u64 bytes)
{
	release_until(budget, nullptr, bytes);
}

int memory_budget_set_limit(struct memory_budget *budget, u64 limit)
{
	if (budget->reserved)
		return -EBUSY;
	WRITE_ONCE(budget->limit, limit);
	return 0;
}

/* --- charges --- */

bool memory_charge_begin(struct memory_charge *charge, struct memory_budget *budget, u64 bytes)
{
	*charge = (struct memory_charge){};
	if (likely(!budget))
		return true;
	if (!memory_budget_charge_slow(budget, bytes))
		return false;
	memory_budget_get(budget);
	*charge = (struct memory_charge){ budget, bytes };
	return true;
}

void memory_charge_end(struct memory_charge *charge)
{
	u64 bytes;

	if (likely(!charge->budget))
		return;
	bytes = __atomic_exchange_n(&charge->bytes, 0, __ATOMIC_RELAXED);
	memory_budget_release_slow(charge->budget, bytes);
	memory_budget_put(charge->budget);
	charge->budget = nullptr;
}
