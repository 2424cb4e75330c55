/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPU runs what. A thread that wakes up goes to its former CPU if that idles (its cache is
 * warm), else to an idle one, else it stays; but a real-time thread goes where it displaces the least
 * urgent one. A CPU that runs out of work takes a waiting thread from the busiest one.
 */
#include <sched/run_queue.h>

u64 idle_cpus = 1;

static bool less_urgent(const struct thread *a, const struct thread *b)
{
	if (a->effective.rt_priority != b->effective.rt_priority)
		return a->effective.rt_priority < b->effective.rt_priority;
	return policy_is_deadline(a) && a->vdeadline > b->vdeadline;
}

/* Of `allowed` the CPU whose running thread is the least urgent; `best` if there is no other. Interrupts are masked, which
 * keeps threads from being freed. */
static unsigned least_urgent_cpu(u64 allowed, unsigned best)
{
	for_each_cpu (cpu)
		if (allowed >> cpu & 1 && less_urgent(READ_ONCE(per_cpu(run_queue, cpu).current),
						      READ_ONCE(per_cpu(run_queue, best).current)))
			best = cpu;
	return best;
}

unsigned select_cpu(struct thread *t)
{
	u64 allowed, idle;
	unsigned cpu;

	if (cpu_online_mask == 1)
		return 0;
	allowed = t->affinity & __atomic_load_n(&cpu_online_mask, __ATOMIC_RELAXED);
	idle = allowed & __atomic_load_n(&idle_cpus, __ATOMIC_RELAXED);
	if (idle >> t->cpu & 1)
		return t->cpu;
	if (idle)
		return (unsigned)__builtin_ctzll(idle);
	cpu = allowed >> t->cpu & 1 ? t->cpu : (unsigned)__builtin_ctzll(allowed);
	return unlikely(policy_is_rt(t)) ? least_urgent_cpu(allowed, cpu) : cpu;
}

static struct run_queue *find_busiest(unsigned self)
{
	struct run_queue *busiest = nullptr;
	unsigned most = 1;

	for_each_cpu (cpu) {
		struct run_queue *rq = &per_cpu(run_queue, cpu);
		unsigned n = __atomic_load_n(&rq->runnable, __ATOMIC_RELAXED);

		if (cpu != self && n > most) {
			busiest = rq;
			most = n;
		}
	}
	return busiest;
}

/* The waiting fair thread that would run last and may run on `cpu`. */
static struct thread *find_victim(struct run_queue *rq, unsigned cpu) __must_hold(&rq->lock)
{
	for (struct rb_node *n = rb_last(&rq->fair); n; n = rb_prev(n)) {
		struct thread *t = rb_entry(n, struct thread, run_node);

		if (t->affinity >> cpu & 1)
			return t;
	}
	return nullptr;
}

/* Two queues at once: the second is only tried, so that two CPUs cannot wait for each other. */
bool steal_locked(struct run_queue *rq) __no_lock_analysis
{
	struct run_queue *from = cpu_online_mask == 1 ? nullptr : find_busiest(rq->cpu);
	struct thread *t;

	if (!from || __atomic_exchange_n(&from->lock.word, 1, __ATOMIC_ACQUIRE))
		return false;
	t = find_victim(from, rq->cpu);
	if (t) {
		dequeue_locked(from, t);
		__atomic_store_n(&t->cpu, rq->cpu, __ATOMIC_RELAXED);
		enqueue_locked(rq, t);
	}
	spin_unlock_raw(&from->lock);
	return t;
}
