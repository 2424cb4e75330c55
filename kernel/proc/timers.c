/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interval timers and the watch over CPU time.
 *
 * Real time is a kernel timer. CPU time has no interrupt of its own: a kernel timer is set to the earliest moment at which
 * the process could have used up what is left (it runs on at most so many CPUs), looks at the CPU time then, and is set
 * again. A process that sleeps is so looked at ever more rarely.
 *
 * timers->lock is never held while a signal is sent or CPU time is read: both take process->lock, which ranks below.
 */
#include <core/percpu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/timers_priv.h>

#include <linux/time.h>

#define WATCH_MIN (1 * NSEC_PER_MSEC)
#define REAL_INTERVAL_MIN (20 * NSEC_PER_USEC) /* as often as this a timer may interrupt */

static void real_expired(struct timer *timer)
{
	struct process_timers *timers = container_of(timer, struct process_timers, real);
	irqflags_t flags = spin_lock_irqsave(&timers->lock);
	bool due = timers->real_deadline && timers->real_deadline <= clock_monotonic_ns();
	u64 now = clock_monotonic_ns();
	siginfo_t info;
	int ignored;

	if (due && timers->real_interval) {
		u64 missed = (now - timers->real_deadline) / timers->real_interval;

		timers->real_deadline += (missed + 1) * timers->real_interval;
		timer_set(&timers->real, MAX(timers->real_deadline, now + REAL_INTERVAL_MIN));
	} else if (due) {
		timers->real_deadline = 0;
	}
	spin_unlock_irqrestore(&timers->lock, flags);
	if (!due)
		return;
	siginfo_kernel(&info, SIGALRM);
	ignored = signal_send_process(timers->process, &info);
	(void)ignored;
}

/* True if the timer is due; it is moved on then. */
static bool cpu_itimer_due(struct cpu_itimer *t, u64 used)
{
	if (!t->deadline || used < t->deadline)
		return false;
	t->deadline = t->interval
			      ? t->deadline + ((used - t->deadline) / t->interval + 1) * t->interval
			      : 0;
	return true;
}

static void consider(u64 *left, u64 deadline, u64 used)
{
	if (deadline)
		*left = MIN(*left, deadline > used ? deadline - used : 0);
}

/* CPU time until the next deadline; UINT64_MAX: there is none. */
static u64 cpu_time_left_locked(struct process_timers *timers, u64 user, u64 total)
	__must_hold(&timers->lock)
{
	struct posix_timer *timer;
	u64 left = UINT64_MAX;

	consider(&left, timers->virtual.deadline, user);
	consider(&left, timers->prof.deadline, total);
	consider(&left, timers->next_xcpu_ns, total);
	list_for_each (timer, &timers->posix, node)
		if (posix_timer_counts_cpu(timer) && timer->deadline &&
		    list_empty(&timer->queued.node))
			consider(&left, timer->deadline,
				 timer->measured ? posix_timer_cpu_time(timer) : total);
	return left;
}

static void watch_again(struct process_timers *timers, u64 user, u64 total)
{
	irqflags_t flags = spin_lock_irqsave(&timers->lock);
	u64 left = cpu_time_left_locked(timers, user, total);

	if (left != UINT64_MAX)
		timer_set(&timers->cpu_watch,
			  clock_monotonic_ns() + MAX(left / cpu_online_count(), WATCH_MIN));
	spin_unlock_irqrestore(&timers->lock, flags);
}

void cpu_watch_start(struct process_timers *timers)
{
	u64 user, system;

	process_times(timers->process, &user, &system);
	watch_again(timers, user, user + system);
}

static void send_kernel_signal(struct process *process, int signo)
{
	siginfo_t info;
	int ignored;

	siginfo_kernel(&info, signo);
	ignored = signal_send_process(process, &info);
	(void)ignored;
}

/* RLIMIT_CPU: a SIGXCPU each second beyond the soft limit, SIGKILL at the hard one. */
static int cpu_limit_signal(struct process_timers *timers, u64 total)
{
	const struct rlimit64 *limit = &timers->process->limits[RLIMIT_CPU];

	if (limit->rlim_max != RLIM64_INFINITY && total / NSEC_PER_SEC >= limit->rlim_max)
		return SIGKILL;
	if (!timers->next_xcpu_ns || total < timers->next_xcpu_ns)
		return 0;
	timers->next_xcpu_ns += NSEC_PER_SEC;
	return SIGXCPU;
}

/* A POSIX timer on CPU time that is due, with a reference. */
static struct posix_timer *due_posix_locked(struct process_timers *timers, u64 total)
	__must_hold(&timers->lock)
{
	struct posix_timer *timer;

	list_for_each (timer, &timers->posix, node) {
		u64 used = timer->measured ? posix_timer_cpu_time(timer) : total;

		if (posix_timer_counts_cpu(timer) && timer->deadline && used >= timer->deadline &&
		    list_empty(&timer->queued.node)) {
			posix_timer_get(timer);
			return timer;
		}
	}
	return nullptr;
}

static void cpu_watch_expired(struct timer *timer)
{
	struct process_timers *timers = container_of(timer, struct process_timers, cpu_watch);
	struct process *process = timers->process;
	struct posix_timer *posix;
	bool virtual, prof;
	u64 user, system;
	irqflags_t flags;
	int limit;

	process_times(process, &user, &system);
	flags = spin_lock_irqsave(&timers->lock);
	virtual = cpu_itimer_due(&timers->virtual, user);
	prof = cpu_itimer_due(&timers->prof, user + system);
	limit = cpu_limit_signal(timers, user + system);
	posix = due_posix_locked(timers, user + system);
	spin_unlock_irqrestore(&timers->lock, flags);
	if (virtual)
		send_kernel_signal(process, SIGVTALRM);
	if (prof)
		send_kernel_signal(process, SIGPROF);
	if (limit)
		send_kernel_signal(process, limit);
	if (posix) {
		posix_timer_expired(posix);
		posix_timer_put(posix);
	}
	watch_again(timers, user, user + system);
}

static struct process_timers *timers_create(struct process *process)
{
	struct process_timers *timers = kzalloc(sizeof(*timers), 0), *expected = nullptr;

	if (!timers)
		return nullptr;
	timers->process = process;
	spin_init(&timers->lock, RANK_TIMER_USER);
	timer_init(&timers->real, real_expired);
	timer_init(&timers->cpu_watch, cpu_watch_expired);
	list_init(&timers->posix);
	if (__atomic_compare_exchange_n(&process->timers, &expected, timers, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return timers;
	kfree(timers);
	return expected;
}

int process_timers_get(struct process_timers **out)
{
	struct process *process = current_process();

	*out = __atomic_load_n(&process->timers, __ATOMIC_ACQUIRE);
	if (!*out)
		*out = timers_create(process);
	return *out ? 0 : -ENOMEM;
}

void process_timers_watch_cpu(struct process *process)
{
	struct process_timers *timers = process->timers ? process->timers : timers_create(process);
	u64 limit = process->limits[RLIMIT_CPU].rlim_cur;
	irqflags_t flags;

	if (!timers)
		return;
	flags = spin_lock_irqsave(&timers->lock);
	timers->next_xcpu_ns =
		limit > UINT64_MAX / NSEC_PER_SEC ? 0 : MAX(limit, 1ull) * NSEC_PER_SEC;
	spin_unlock_irqrestore(&timers->lock, flags);
	cpu_watch_start(timers);
}

static void free_timers(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct process_timers, rcu));
}

void process_timers_destroy(struct process *process)
{
	struct process_timers *timers = process->timers;

	if (!timers)
		return;
	posix_timers_delete_all(timers);
	timer_cancel_wait(&timers->real);
	timer_cancel_wait(&timers->cpu_watch);
	rcu_assign(process->timers, nullptr);
	rcu_call(&timers->rcu, free_timers); /* /proc may be looking */
}

void process_timers_exec(struct process *process)
{
	if (process->timers)
		posix_timers_delete_all(process->timers);
}

static u64 remaining(u64 deadline, u64 now)
{
	if (!deadline)
		return 0;
	return deadline > now ? deadline - now : 1;
}

static void exchange_real(struct process_timers *timers, const struct timer_setting *new,
			  struct timer_setting *old)
{
	irqflags_t flags = spin_lock_irqsave(&timers->lock);
	u64 now = clock_monotonic_ns();

	*old = (struct timer_setting){ remaining(timers->real_deadline, now),
				       timers->real_interval };
	if (new) {
		timers->real_deadline = new->value ? now + new->value : 0;
		timers->real_interval = new->interval;
		if (new->value)
			timer_set(&timers->real, timers->real_deadline);
		else
			timer_cancel(&timers->real);
	}
	spin_unlock_irqrestore(&timers->lock, flags);
}

static void exchange_cpu(struct process_timers *timers, bool user_only,
			 const struct timer_setting *new, struct timer_setting *old)
{
	struct cpu_itimer *t = user_only ? &timers->virtual : &timers->prof;
	u64 user, system, used;
	irqflags_t flags;

	process_times(timers->process, &user, &system);
	used = user_only ? user : user + system;
	flags = spin_lock_irqsave(&timers->lock);
	*old = (struct timer_setting){ remaining(t->deadline, used), t->interval };
	if (new)
		*t = (struct cpu_itimer){ new->value ? used + new->value : 0, new->interval };
	spin_unlock_irqrestore(&timers->lock, flags);
	if (new && new->value)
		cpu_watch_start(timers);
}

int itimer_exchange(int which, const struct timer_setting *new, struct timer_setting *old)
{
	struct process_timers *timers;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	*old = (struct timer_setting){};
	if (!current_process()->timers && (!new || !new->value))
		return 0;
	if (process_timers_get(&timers))
		return -ENOMEM;
	if (which == ITIMER_REAL)
		exchange_real(timers, new, old);
	else
		exchange_cpu(timers, which == ITIMER_VIRTUAL, new, old);
	return 0;
}
