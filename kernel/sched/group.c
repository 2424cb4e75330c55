/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups of threads: counting, shares, quotas. The theory is in group.h. */
#include <core/time.h>
#include <sched/group.h>
#include <sched/run_queue.h>

#define PERIOD_NS (100 * NSEC_PER_MSEC)
#define WEIGHT_LEAST 2u

void sched_group_init(struct sched_group *group, struct sched_group *parent)
{
	*group = (struct sched_group){ .parent = parent,
				       .weight = SCHED_GROUP_WEIGHT,
				       .period_ns = PERIOD_NS };
}

void sched_group_set_quota(struct sched_group *group, u64 quota_ns, u64 period_ns)
{
	__atomic_store_n(&group->quota_ns, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&group->period_ns, period_ns ?: PERIOD_NS, __ATOMIC_RELAXED);
	__atomic_store_n(&group->quota_ns, quota_ns, __ATOMIC_RELAXED);
}

void sched_group_count(struct sched_group *group, int change)
{
	for (; group; group = group->parent)
		__atomic_fetch_add(&group->runnable, (u32)change, __ATOMIC_RELAXED);
}

u32 sched_group_share(const struct sched_group *group, u32 weight)
{
	u32 least = weight;

	for (; group; group = group->parent) {
		u32 running = MAX(READ_ONCE(group->runnable), 1u);
		u64 share = (u64)weight * READ_ONCE(group->weight) / SCHED_GROUP_WEIGHT / running;

		least = (u32)MIN((u64)least, share);
	}
	return MAX(least, WEIGHT_LEAST);
}

/* Begins a new period where the last one is over; what was used too much counts against the new one. */
static void roll(struct sched_group *group, u64 now)
{
	u64 period = READ_ONCE(group->period_ns), start = READ_ONCE(group->period_start);
	u64 used, left, passed;

	if (now < start || now - start < period)
		return;
	passed = (now - start) / period;
	if (!__atomic_compare_exchange_n(&group->period_start, &start, start + passed * period,
					 false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	used = READ_ONCE(group->used_ns);
	do {
		u128 granted = (u128)READ_ONCE(group->quota_ns) * passed;

		left = used > granted ? used - (u64)granted : 0;
	} while (!__atomic_compare_exchange_n(&group->used_ns, &used, left, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
}

bool sched_group_charge(struct sched_group *group, u64 delta_ns, u64 now)
{
	bool used_up = false;

	for (; group; group = group->parent) {
		u64 quota = READ_ONCE(group->quota_ns);

		__atomic_fetch_add(&group->total_ns, delta_ns, __ATOMIC_RELAXED);
		if (likely(!quota))
			continue;
		roll(group, now);
		if (__atomic_add_fetch(&group->used_ns, delta_ns, __ATOMIC_RELAXED) >= quota)
			used_up = true;
	}
	return used_up;
}

/* When the group has time again; 0: now. */
static u64 next_time(struct sched_group *group)
{
	u64 quota = READ_ONCE(group->quota_ns);

	if (!quota)
		return 0;
	roll(group, clock_monotonic_ns());
	return READ_ONCE(group->used_ns) < quota
		       ? 0
		       : READ_ONCE(group->period_start) + READ_ONCE(group->period_ns);
}

void sched_group_wait(void)
{
	struct sched_group *group = current_thread()->group;

	for (; group; group = group->parent) {
		u64 until;

		while ((until = next_time(group)) && !READ_ONCE(current_thread()->killed)) {
			__atomic_fetch_add(&group->throttled, 1, __ATOMIC_RELAXED);
			wait_prepare(SLEEP_KILLABLE);
			(void)!wait_sleep(until);
		}
	}
}

void thread_set_group(struct thread *t, struct sched_group *group)
{
	irqflags_t flags;
	struct run_queue *rq = lock_thread_queue(t, &flags);

	if (t->on_queue) {
		sched_group_count(t->group, -1);
		sched_group_count(group, 1);
	}
	t->group = group;
	unlock_queue(rq, flags);
}
