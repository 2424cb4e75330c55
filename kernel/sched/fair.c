/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fair class, after "Earliest Eligible Virtual Deadline First" (Stoica and Abdel-Wahab, 1995).
 *
 * Virtual time passes for a thread while it runs, the slower the heavier it is. V, the weighted
 * average of all threads' virtual time, is where each would stand had they run side by side. A
 * thread at or behind V is eligible; of those the one with the earliest deadline runs, its deadline
 * being one slice of virtual time after the slice began. So long-run shares follow weights, and who
 * has been passed over is served within a slice.
 *
 * Lag is what a thread is owed, V - vruntime. It is kept across a sleep, bounded by two slices, so
 * that short sleeps neither earn nor lose time. Who slept for longer than a slice is owed half of one: a
 * key that is typed, a signal that kills, are answered before the thread that sent them goes on, unless that one has just
 * slept as long. The tree is ordered by deadline and knows the smallest vruntime of each subtree, which finds the earliest
 * eligible deadline in one descent.
 *
 * Sums are 128 bits wide: vruntime * weight of many threads never overflows, so there is no moving
 * base to keep.
 */
#include <sched/run_queue.h>

#include <linux/sched.h>

#define WEIGHT_0 1024u
#define WEIGHT_IDLE 3u
#define LAG_MAX ((s64)(2 * SLICE_NS))
#define WAKER_LAG ((s64)(SLICE_NS / 2))

#define thread_of(n) rb_entry(n, struct thread, run_node)

/* 1024 * 1.25^-nice: one step of nice is worth a tenth of the CPU between two threads. */
static const u32 nice_weights[40] = {
	88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921,
	9537,  7629,  6104,  4883,  3906,  3125,  2500,	 2000,	1600,  1280,
	1024,  819,   655,   524,   419,   336,	  268,	 215,	172,   137,
	110,   88,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

u32 fair_weight_of(const struct sched_params *params)
{
	return params->policy == SCHED_IDLE ? WEIGHT_IDLE : nice_weights[params->nice + 20];
}

static inline u64 to_virtual(const struct thread *t, u64 ns)
{
	return t->weight == WEIGHT_0 ? ns : ns * WEIGHT_0 / t->weight;
}

/* The share in a group changes with how many of it run; only outside of the tree, whose sums have it, may the weight. */
static void refresh_weight(struct thread *t)
{
	if (unlikely(t->group))
		t->weight = sched_group_share(t->group, fair_weight_of(&t->effective));
}

static void update_node(struct rb_node *n)
{
	struct thread *t = thread_of(n);
	u64 min = t->vruntime;

	if (n->left)
		min = MIN(min, thread_of(n->left)->vruntime_min);
	if (n->right)
		min = MIN(min, thread_of(n->right)->vruntime_min);
	t->vruntime_min = min;
}

static void tree_insert(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock)
{
	struct rb_node **link = &rq->fair.root, *parent = nullptr;

	while (*link) {
		parent = *link;
		link = t->vdeadline < thread_of(parent)->vdeadline ? &parent->left : &parent->right;
	}
	rb_insert(&rq->fair, &t->run_node, parent, link, update_node);
	rq->fair_sum += (u128)t->vruntime * t->weight;
	rq->fair_weight += t->weight;
}

static void tree_erase(struct run_queue *rq, struct thread *t) __must_hold(&rq->lock)
{
	rb_erase(&rq->fair, &t->run_node, update_node);
	rq->fair_sum -= (u128)t->vruntime * t->weight;
	rq->fair_weight -= t->weight;
}

/* The sums of the tree and, if it is a fair thread, of the running one. */
struct fair_load {
	u128 sum;
	u64 weight;
};

static struct fair_load fair_load(struct run_queue *rq, const struct thread *running)
	__must_hold(&rq->lock)
{
	struct fair_load load = { rq->fair_sum, rq->fair_weight };

	if (running && running->on_queue && running != rq->idle && !policy_is_rt(running)) {
		load.sum += (u128)running->vruntime * running->weight;
		load.weight += running->weight;
	}
	return load;
}

static inline bool eligible(const struct fair_load *load, u64 vruntime)
{
	return (u128)vruntime * load->weight <= load->sum;
}

/* V. Computed as distance from a vruntime near it, so that 64 bits suffice for the division. */
static u64 average(struct run_queue *rq, const struct fair_load *load, const struct thread *running)
	__must_hold(&rq->lock)
{
	u64 near;
	s128 distance;

	if (!load->weight)
		return rq->fair_time;
	near = rq->fair.root ? thread_of(rq->fair.root)->vruntime : running->vruntime;
	distance = (s128)(load->sum - (u128)near * load->weight);
	if (distance != (s64)distance)
		distance = distance < 0 ? INT64_MIN : INT64_MAX;
	return near + (u64)((s64)distance / (s64)load->weight);
}

void fair_enter(struct run_queue *rq, struct thread *t)
{
	struct fair_load load = fair_load(rq, rq->current);
	u64 now = average(rq, &load, rq->current);

	/* Enough for an earlier deadline than that of a thread which has run a while. */
	t->rested = t->exec_start_ns && clock_monotonic_ns() - t->exec_start_ns > SLICE_NS;
	if (t->rested)
		t->lag = MAX(t->lag, WAKER_LAG);
	refresh_weight(t);
	t->vruntime = now - (u64)t->lag;
	t->vdeadline = t->vruntime + to_virtual(t, SLICE_NS);
	if (t != rq->current)
		tree_insert(rq, t);
}

void fair_leave(struct run_queue *rq, struct thread *t)
{
	struct fair_load load = fair_load(rq, rq->current);
	u64 now = average(rq, &load, rq->current);
	s64 lag = (s64)(now - t->vruntime);

	t->lag = MIN(MAX(lag, -LAG_MAX), LAG_MAX);
	rq->fair_time = now;
	if (t != rq->current)
		tree_erase(rq, t);
}

void fair_put(struct run_queue *rq, struct thread *t)
{
	refresh_weight(t);
	tree_insert(rq, t);
}

/* The eligible thread of the tree with the earliest deadline, or null. */
static struct thread *find_best(struct run_queue *rq, const struct fair_load *load)
	__must_hold(&rq->lock)
{
	struct rb_node *n = rq->fair.root;

	while (n) {
		if (n->left && eligible(load, thread_of(n->left)->vruntime_min)) {
			n = n->left;
			continue;
		}
		if (eligible(load, thread_of(n)->vruntime))
			return thread_of(n);
		n = n->right;
	}
	return nullptr;
}

struct thread *fair_take_best(struct run_queue *rq, struct thread *running, bool yield)
{
	struct fair_load load;
	struct thread *best;

	if (!rq->fair.root)
		return nullptr;
	load = fair_load(rq, running);
	best = find_best(rq, &load);
	if (running && !yield) {
		/* The running thread takes part; without an eligible one in the tree it must be. */
		if (!best ||
		    (eligible(&load, running->vruntime) && running->vdeadline <= best->vdeadline))
			return nullptr;
	}
	if (!best)
		best = thread_of(rb_first(&rq->fair));
	tree_erase(rq, best);
	return best;
}

bool fair_run(struct thread *t, u64 delta_ns)
{
	t->vruntime += to_virtual(t, delta_ns);
	if (t->vruntime < t->vdeadline)
		return false;
	t->vdeadline = t->vruntime + to_virtual(t, SLICE_NS);
	t->rested = false;
	return true;
}

bool fair_preempts(struct run_queue *rq, struct thread *t, struct thread *running)
{
	struct fair_load load;

	if (running->effective.policy == SCHED_IDLE && t->effective.policy != SCHED_IDLE)
		return true;
	if (t->effective.policy == SCHED_BATCH || t->effective.policy == SCHED_IDLE ||
	    t->vdeadline >= running->vdeadline)
		return false;
	/* Both slept: who wakes many goes on, instead of stopping for each of them. */
	if (t->rested && running->rested)
		return false;
	load = fair_load(rq, running);
	return eligible(&load, t->vruntime);
}
