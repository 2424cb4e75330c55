/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX timers (timer_create(2)). A timer owns the queue entry of its signal. A periodic one is set again when its signal is
 * taken, not before, and tells then how many periods passed meanwhile: so it never queues up.
 */
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/timers_priv.h>

#include <linux/time.h>

#define DROPPED_INTERVAL_MIN (1 * NSEC_PER_MSEC) /* while nobody takes the signal */

void posix_timer_get(struct posix_timer *timer)
{
	__atomic_fetch_add(&timer->refs, 1, __ATOMIC_RELAXED);
}

void posix_timer_put(struct posix_timer *timer)
{
	if (__atomic_sub_fetch(&timer->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (timer->target)
		task_put(timer->target);
	if (timer->measured)
		task_put(timer->measured);
	kfree(timer);
}

bool posix_timer_counts_cpu(const struct posix_timer *timer)
{
	return timer->clock < 0 || timer->clock == CLOCK_PROCESS_CPUTIME_ID ||
	       timer->clock == CLOCK_THREAD_CPUTIME_ID;
}

u64 posix_timer_cpu_time(const struct posix_timer *timer)
{
	u64 user, system;

	if (timer->measured)
		thread_times(&timer->measured->thread, &user, &system);
	else
		process_times(timer->process, &user, &system);
	return user + system;
}

/* Now, on the timer's clock. timers->lock is not held. */
static u64 timer_now(const struct posix_timer *timer)
{
	u64 now = 0;

	if (posix_timer_counts_cpu(timer))
		return posix_timer_cpu_time(timer);
	if (clock_read(timer->clock, &now))
		return 0;
	return now;
}

/* Sets the kernel timer to the deadline. */
static void arm_locked(struct posix_timer *timer, u64 not_before)
{
	s64 offset = 0;
	u64 at;

	if (posix_timer_counts_cpu(timer) || !timer->deadline)
		return;
	if (clock_offset_to_monotonic(timer->clock, &offset))
		return;
	at = offset < 0 && timer->deadline < (u64)-offset ? 1 : timer->deadline + (u64)offset;
	timer_set(&timer->timer, MAX(at, not_before));
}

/* Moves the deadline past `now`; how many periods were skipped. */
static s64 forward_locked(struct posix_timer *timer, u64 now)
{
	u64 missed = 0;

	if (!timer->interval) {
		timer->deadline = 0;
		return 0;
	}
	if (now > timer->deadline)
		missed = (now - timer->deadline) / timer->interval;
	timer->deadline += (missed + 1) * timer->interval;
	return (s64)MIN(missed, (u64)INT32_MAX);
}

void posix_timer_expired(struct posix_timer *timer)
{
	struct process_timers *timers = timer->process->timers;
	u64 now = timer_now(timer);
	irqflags_t flags = spin_lock_irqsave(&timers->lock);
	bool due = !timer->deleted && timer->deadline && timer->deadline <= now;

	/* The clock was set back. */
	if (!due && !timer->deleted && timer->deadline)
		arm_locked(timer, 0);
	if (due && timer->notify == SIGEV_NONE) {
		timer->overrun += forward_locked(timer, now);
		arm_locked(timer, clock_monotonic_ns() + DROPPED_INTERVAL_MIN);
		due = false;
	}
	spin_unlock_irqrestore(&timers->lock, flags);
	if (!due || signal_send_timer(timer->process, timer->target, &timer->queued))
		return;
	/* Ignored, or still pending from an earlier setting: go on without a signal. */
	flags = spin_lock_irqsave(&timers->lock);
	timer->overrun += forward_locked(timer, now) + 1;
	arm_locked(timer, clock_monotonic_ns() + DROPPED_INTERVAL_MIN);
	spin_unlock_irqrestore(&timers->lock, flags);
}

static void kernel_timer_expired(struct timer *timer)
{
	posix_timer_expired(container_of(timer, struct posix_timer, timer));
}

void posix_timer_taken(struct posix_timer *timer, siginfo_t *info)
{
	struct process_timers *timers = timer->process->timers;
	u64 now = timer_now(timer);
	bool watch = false;
	irqflags_t flags;

	flags = spin_lock_irqsave(&timers->lock);
	if (!timer->deleted && timer->deadline && timer->deadline <= now) {
		timer->overrun += forward_locked(timer, now);
		arm_locked(timer, 0);
		watch = posix_timer_counts_cpu(timer) && timer->deadline;
	}
	timer->last_overrun = MIN(timer->overrun, (s64)INT32_MAX);
	timer->overrun = 0;
	info->si_overrun = (int)timer->last_overrun;
	spin_unlock_irqrestore(&timers->lock, flags);
	if (watch)
		cpu_watch_start(timers);
	posix_timer_put(timer);
}

/* The task that SIGEV_THREAD_ID names: one of this process. */
static int find_target(int tid, struct task **out)
{
	int err = task_find(tid, out);

	if (err)
		return -EINVAL;
	if ((*out)->process == current_process())
		return 0;
	task_put(*out);
	*out = nullptr;
	return -EINVAL;
}

static int check_event(const struct sigevent *event)
{
	int notify = event->sigev_notify;

	if (notify == SIGEV_NONE)
		return 0;
	if (notify != SIGEV_SIGNAL && notify != SIGEV_THREAD &&
	    notify != (SIGEV_SIGNAL | SIGEV_THREAD_ID))
		return -EINVAL;
	return event->sigev_signo < 1 || event->sigev_signo > SIGNAL_COUNT ? -EINVAL : 0;
}

static int check_clock(int clock)
{
	u64 now;

	if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM)
		return -EOPNOTSUPP;
	if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
	    clock == CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	return clock_read(clock, &now);
}

static int timer_fill(struct posix_timer *timer, int clock, const struct sigevent *event)
{
	timer->refs = 1;
	timer->clock = clock;
	timer->notify = event->sigev_notify;
	timer->process = current_process();
	timer->queued.timer = timer;
	timer->queued.info = (siginfo_t){ .si_signo = event->sigev_signo, .si_code = SI_TIMER };
	timer->queued.info.si_value = event->sigev_value;
	list_init(&timer->queued.node);
	timer_init(&timer->timer, kernel_timer_expired);
	if (clock == CLOCK_THREAD_CPUTIME_ID) {
		timer->measured = current_task();
		object_get(&timer->measured->object);
	}
	if (event->sigev_notify & SIGEV_THREAD_ID)
		return find_target(event->sigev_notify_thread_id, &timer->target);
	return 0;
}

int posix_timer_create(int clock, const struct sigevent *event, int *id)
{
	static const struct sigevent usual = { .sigev_signo = SIGALRM,
					       .sigev_notify = SIGEV_SIGNAL };
	bool chosen = event;
	struct process_timers *timers;
	struct posix_timer *timer;
	irqflags_t flags;
	int err = check_clock(clock);

	if (!chosen)
		event = &usual;
	if (!err)
		err = check_event(event);
	if (!err)
		err = process_timers_get(&timers);
	if (err)
		return err;
	if (READ_ONCE(timers->posix_count) >= current_limit(RLIMIT_SIGPENDING))
		return -EAGAIN;
	timer = kzalloc(sizeof(*timer), 0);
	if (!timer)
		return -EAGAIN;
	err = timer_fill(timer, clock, event);
	if (err) {
		posix_timer_put(timer);
		return err;
	}
	flags = spin_lock_irqsave(&timers->lock);
	timer->id = timers->next_id++ & INT32_MAX;
	timer->queued.info.si_tid = timer->id;
	if (!chosen)
		timer->queued.info.si_int = timer->id;
	list_add_tail(&timers->posix, &timer->node);
	timers->posix_count++;
	*id = timer->id;
	spin_unlock_irqrestore(&timers->lock, flags);
	return 0;
}

/* With a reference. */
static int timer_find(int id, struct posix_timer **out)
{
	struct process_timers *timers = current_process()->timers;
	struct posix_timer *timer;
	irqflags_t flags;

	*out = nullptr;
	if (!timers)
		return -EINVAL;
	flags = spin_lock_irqsave(&timers->lock);
	list_for_each (timer, &timers->posix, node) {
		if (timer->id == id) {
			posix_timer_get(timer);
			*out = timer;
			break;
		}
	}
	spin_unlock_irqrestore(&timers->lock, flags);
	return *out ? 0 : -EINVAL;
}

static void read_setting(const struct posix_timer *timer, u64 now, struct timer_setting *out)
{
	u64 deadline = timer->deadline;

	*out = (struct timer_setting){ .interval = timer->interval };
	if (!deadline)
		return;
	if (deadline <= now && timer->interval)
		deadline += ((now - deadline) / timer->interval + 1) * timer->interval;
	if (deadline > now)
		out->value = deadline - now;
	else if (timer->notify != SIGEV_NONE)
		out->value = 1;
}

int posix_timer_exchange(int id, bool absolute, const struct timer_setting *new,
			 struct timer_setting *old)
{
	struct process_timers *timers = current_process()->timers;
	struct posix_timer *timer;
	irqflags_t flags;
	u64 now;
	int err = timer_find(id, &timer);

	if (err)
		return err;
	now = timer_now(timer);
	if (new)
		timer_cancel_wait(&timer->timer);
	flags = spin_lock_irqsave(&timers->lock);
	read_setting(timer, now, old);
	if (new) {
		timer->overrun = 0;
		timer->interval = new->interval;
		timer->deadline = !new->value ? 0 : absolute ? new->value : now + new->value;
		arm_locked(timer, 0);
	}
	spin_unlock_irqrestore(&timers->lock, flags);
	if (new && new->value && posix_timer_counts_cpu(timer))
		cpu_watch_start(timers);
	posix_timer_put(timer);
	return 0;
}

int posix_timer_overrun(int id)
{
	struct posix_timer *timer;
	int err = timer_find(id, &timer);

	if (err)
		return err;
	err = (int)timer->last_overrun;
	posix_timer_put(timer);
	return err;
}

/* Consumes the reference. */
static void timer_delete(struct process_timers *timers, struct posix_timer *timer)
{
	irqflags_t flags = spin_lock_irqsave(&timers->lock);
	bool mine = !timer->deleted;

	timer->deleted = true;
	timer->deadline = 0;
	if (mine) {
		list_remove(&timer->node);
		timers->posix_count--;
	}
	spin_unlock_irqrestore(&timers->lock, flags);
	timer_cancel_wait(&timer->timer);
	if (mine) {
		signal_withdraw(timer->process, &timer->queued);
		posix_timer_put(timer);
	}
	posix_timer_put(timer);
}

int posix_timer_delete(int id)
{
	struct posix_timer *timer;
	int err = timer_find(id, &timer);

	if (err)
		return err;
	timer_delete(current_process()->timers, timer);
	return 0;
}

void posix_timers_delete_all(struct process_timers *timers)
{
	while (!list_empty(&timers->posix)) {
		struct posix_timer *timer = list_first(&timers->posix, struct posix_timer, node);

		posix_timer_get(timer);
		timer_delete(timers, timer);
	}
}

bool posix_timer_next(struct process *process, int id, struct posix_timer_summary *out)
{
	struct process_timers *timers;
	struct posix_timer *timer, *best = nullptr;
	irqflags_t flags;

	rcu_read_lock();
	timers = rcu_dereference(process->timers);
	if (!timers) {
		rcu_read_unlock();
		return false;
	}
	flags = spin_lock_irqsave(&timers->lock);
	list_for_each (timer, &timers->posix, node) {
		if (timer->id >= id && (!best || timer->id < best->id))
			best = timer;
	}
	if (best)
		*out = (struct posix_timer_summary){
			.id = best->id,
			.clock = best->clock,
			.notify = best->notify,
			.signal = best->queued.info.si_signo,
			.target = best->target ? best->target->tid : process->pid,
			.value = (unsigned long)best->queued.info.si_ptr,
		};
	spin_unlock_irqrestore(&timers->lock, flags);
	rcu_read_unlock();
	return best;
}
