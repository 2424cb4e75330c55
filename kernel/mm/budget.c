/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory budgets. The theory is in budget.h. */
#include <core/panic.h>
#include <lib/errno.h>
#include <mm/budget.h>
#include <mm/cache_share.h>
#include <mm/slab.h>

/* What a parent gives for a child that has nothing yet. */
static u64 initial_charge(bool reserved, u64 limit)
{
	return reserved ? limit : kmalloc_size(sizeof(struct memory_budget));
}

int memory_budget_create(struct memory_budget *parent, bool reserved, u64 limit,
			 struct memory_budget **out)
{
	u64 own = kmalloc_size(sizeof(struct memory_budget));
	u64 initial = initial_charge(reserved, limit);
	struct memory_budget *budget;

	if ((reserved && limit < own) || !memory_budget_charge(parent, initial))
		return -ENOMEM;
	budget = kzalloc(sizeof(*budget), 0);
	if (!budget) {
		memory_budget_release(parent, initial);
		return -ENOMEM;
	}
	budget->refs = 1;
	budget->limit = limit;
	budget->reserved = reserved;
	budget->used = reserved ? own : 0;
	budget->parent = parent;
	list_init(&budget->shares);
	list_init(&budget->payer_node);
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
		u64 initial = initial_charge(budget->reserved, budget->limit);
		u64 own = budget->reserved && !budget->closing ? kmalloc_size(sizeof(*budget)) : 0;

		cache_share_forget(budget);
		ASSERT(budget->used == budget->closed + own); /* (B2) */
		memory_budget_release(parent, initial - budget->closed);
		kfree(budget);
		budget = parent;
	}
}

void memory_budget_close(struct memory_budget *budget)
{
	u64 used, own = 0;

	cache_share_forget(budget);
	used = __atomic_load_n(&budget->used, __ATOMIC_RELAXED);
	if (!__atomic_exchange_n(&budget->closing, true, __ATOMIC_RELAXED))
		own = kmalloc_size(sizeof(*budget));
	while (!__atomic_compare_exchange_n(&budget->used, &used, budget->limit, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	/* Its structure may live on for a while, charged to nobody. */
	used = budget->limit - used + own;
	__atomic_fetch_add(&budget->closed, used, __ATOMIC_RELAXED);
	memory_budget_release(budget->parent, used);
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

/* Takes from the budget and from all above it that pay; the one that has no room, and then nothing was taken, or null. */
static struct memory_budget *take_all(struct memory_budget *budget, u64 bytes)
{
	for (struct memory_budget *b = budget; b; b = payer_above(b))
		if (unlikely(!take(b, bytes))) {
			release_until(budget, b, bytes);
			return b;
		}
	return nullptr;
}

/* The same, with room made where that is possible. */
static struct memory_budget *take_with_room(struct memory_budget *budget, u64 bytes, bool anyhow)
{
	struct memory_budget *full;

	while (unlikely(full = take_all(budget, bytes)))
		if (bytes > READ_ONCE(full->limit) || !cache_share_make_room(full, bytes, anyhow))
			break;
	return full;
}

bool memory_budget_charge_slow(struct memory_budget *budget, u64 bytes)
{
	struct memory_budget *full = take_with_room(budget, bytes, true);

	if (unlikely(full))
		refuse(full);
	return !full;
}

bool memory_budget_charge_quietly(struct memory_budget *budget, u64 bytes)
{
	return !take_with_room(budget, bytes, false);
}

/* What is above the limit gives way; false: not all does. */
static bool shrink(struct memory_budget *budget)
{
	u64 used, limit;

	while ((used = READ_ONCE(budget->used)) > (limit = READ_ONCE(budget->limit)))
		if (!cache_share_make_room(budget, used - limit, true))
			return false;
	return true;
}

bool memory_budget_charge_existing(struct memory_budget *budget, u64 bytes)
{
	bool fits = true;

	if (likely(!take_with_room(budget, bytes, true)))
		return true;
	for (; budget; budget = payer_above(budget)) {
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
	(void)shrink(budget);
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

/* Enters bytes that the budget was charged with. */
static bool enter(struct memory_charge *charge, u64 bytes)
{
	if (likely(!(__atomic_fetch_add(&charge->bytes, bytes, __ATOMIC_ACQ_REL) & CHARGE_ENDED)))
		return true;
	memory_budget_release_slow(charge->budget, bytes);
	return false;
}

bool memory_charge_more_slow(struct memory_charge *charge, u64 bytes)
{
	return memory_budget_charge_slow(charge->budget, bytes) && enter(charge, bytes);
}

void memory_charge_force(struct memory_charge *charge, u64 bytes)
{
	if (likely(!charge->budget))
		return;
	(void)!memory_budget_charge_existing(charge->budget, bytes);
	(void)enter(charge, bytes);
}

void memory_charge_less(struct memory_charge *charge, u64 bytes)
{
	if (likely(!charge->budget))
		return;
	if (!(__atomic_fetch_sub(&charge->bytes, bytes, __ATOMIC_ACQ_REL) & CHARGE_ENDED))
		memory_budget_release_slow(charge->budget, bytes);
}

/* Who adds or subtracts before this is counted in it; who comes later sees CHARGE_ENDED. */
void memory_charge_end(struct memory_charge *charge)
{
	u64 bytes;

	if (likely(!charge->budget))
		return;
	bytes = __atomic_fetch_or(&charge->bytes, CHARGE_ENDED, __ATOMIC_ACQ_REL);
	if (!(bytes & CHARGE_ENDED))
		memory_budget_release_slow(charge->budget, bytes);
}

void memory_charge_destroy(struct memory_charge *charge)
{
	memory_charge_end(charge);
	memory_budget_put(charge->budget);
	charge->budget = nullptr;
}
