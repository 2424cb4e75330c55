/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers read from a file, timerfd_create(2).
 *
 * The kernel timer runs once per deadline. A periodic timer that nobody reads is not armed again:
 * the read, or whoever asks for the remaining time, works out how many periods have passed, so that
 * an unread timer costs nothing.
 *
 * Timers on CLOCK_REALTIME with an absolute deadline follow the clock: when it is set, an entry in
 * clock_was_set makes the timer expire at once, and the expiry finds out what the new time means.
 */
#include <core/time.h>
#include <ipc/event.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <mm/iter.h>
#include <mm/slab.h>
#include <obj/credentials.h>
#include <obj/inode.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/time.h>
#include <linux/timerfd.h>

struct timerfd {
	struct spinlock lock; /* RANK_TIMER_USER; taken by the expiry, in interrupt context */
	struct timer timer;
	struct wait_entry clock_entry; /* in clock_was_set while `follows_clock` */
	struct file *file;	       /* the file that owns this */
	int clock;
	bool follows_clock; /* deadline_ns is of CLOCK_REALTIME, not monotonic */
	bool cancel_on_set;
	bool expired; /* the deadline has passed; a periodic timer is not armed again */
	bool armed;
	u32 clock_set_seen; /* clock_set_count that the program knows of */
	u32 settime_flags;
	u64 deadline_ns, interval_ns;
	u64 ticks; /* expirations not yet read */
};

/* A deadline of the timer's own clock, on CLOCK_MONOTONIC. */
static u64 monotonic_deadline(const struct timerfd *t)
{
	s64 offset = t->follows_clock ? clock_realtime_offset_ns() : 0;

	if (offset > 0 && t->deadline_ns < (u64)offset)
		return 0;
	return t->deadline_ns - (u64)offset;
}

static bool canceled_locked(const struct timerfd *t)
{
	return t->cancel_on_set && t->clock_set_seen != READ_ONCE(clock_set_count);
}

static void timerfd_expire(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	irqflags_t flags = spin_lock_irqsave(&t->lock);
	bool tell = canceled_locked(t);

	if (t->armed && !t->expired) {
		if (monotonic_deadline(t) <= clock_monotonic_ns()) {
			t->expired = true;
			t->ticks++;
			tell = true;
		} else {
			timer_set(&t->timer, monotonic_deadline(t));
		}
	}
	spin_unlock_irqrestore(&t->lock, flags);
	if (tell)
		object_notify(&t->file->object, EPOLLIN | EPOLLRDNORM);
}

/* CLOCK_REALTIME was set. Only the timer's own lock may be taken here. */
static bool clock_entry_wake(struct wait_entry *entry, u32 events)
{
	struct timerfd *t = container_of(entry, struct timerfd, clock_entry);

	timer_set(&t->timer, 0);
	return false;
}

/* Counts the periods of an expired timer and arms it for the next. */
static void catch_up_locked(struct timerfd *t)
{
	u64 now, passed;

	if (!t->expired || !t->interval_ns)
		return;
	now = clock_monotonic_ns();
	if (monotonic_deadline(t) > now)
		return;
	passed = (now - monotonic_deadline(t)) / t->interval_ns;
	t->ticks += passed;
	t->deadline_ns += (passed + 1) * t->interval_ns;
	t->expired = false;
	timer_set(&t->timer, monotonic_deadline(t));
}

/* The expirations since the last read; 0 if there are none, UINT64_MAX if the clock was set. */
static u64 take_ticks(struct timerfd *t)
{
	irqflags_t flags = spin_lock_irqsave(&t->lock);
	u64 ticks;

	if (canceled_locked(t)) {
		t->clock_set_seen = READ_ONCE(clock_set_count);
		t->ticks = 0;
		spin_unlock_irqrestore(&t->lock, flags);
		return UINT64_MAX;
	}
	if (t->ticks)
		catch_up_locked(t);
	ticks = t->ticks;
	t->ticks = 0;
	spin_unlock_irqrestore(&t->lock, flags);
	return ticks;
}

static ssize_t timerfd_read(struct file *file, struct iter *it, u64 *offset)
{
	u64 ticks;

	if (it->remaining < sizeof(ticks))
		return -EINVAL;
	ticks = take_ticks(file->private);
	if (ticks == 0)
		return -EAGAIN;
	if (ticks == UINT64_MAX)
		return -ECANCELED;
	return iter_copy_to(it, &ticks, sizeof(ticks)) == sizeof(ticks) ? (ssize_t)sizeof(ticks)
									: -EFAULT;
}

static u32 timerfd_ready(struct file *file)
{
	struct timerfd *t = file->private;

	return READ_ONCE(t->ticks) || canceled_locked(t) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void current_setting_locked(struct timerfd *t, struct timerfd_setting *out)
{
	u64 now = clock_monotonic_ns(), deadline;

	catch_up_locked(t);
	*out = (struct timerfd_setting){ .interval_ns = t->interval_ns };
	if (!t->armed || t->expired)
		return;
	deadline = monotonic_deadline(t);
	/* Armed but due at this moment: not 0, which would mean disarmed. */
	out->value_ns = deadline > now ? deadline - now : 1;
}

/* Stops the timer; afterwards nothing of the old setting happens any more. */
static void disarm(struct timerfd *t)
{
	wait_queue_remove(&clock_was_set, &t->clock_entry);
	(void)timer_cancel_wait(&t->timer);
}

static void arm(struct timerfd *t, u32 flags, const struct timerfd_setting *setting,
		struct timerfd_setting *old)
{
	bool realtime = t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM;
	bool absolute = flags & TFD_TIMER_ABSTIME;
	irqflags_t irq = spin_lock_irqsave(&t->lock);

	if (old)
		current_setting_locked(t, old);
	t->armed = setting->value_ns != 0;
	t->expired = false;
	t->ticks = 0;
	t->interval_ns = setting->interval_ns;
	t->settime_flags = flags;
	t->follows_clock = realtime && absolute;
	t->cancel_on_set = t->follows_clock && (flags & TFD_TIMER_CANCEL_ON_SET);
	t->deadline_ns = setting->value_ns;
	if (!absolute && add_overflows(t->deadline_ns, clock_monotonic_ns(), &t->deadline_ns))
		t->deadline_ns = NO_DEADLINE;
	if (t->armed)
		timer_set(&t->timer, monotonic_deadline(t));
	spin_unlock_irqrestore(&t->lock, irq);
	if (t->follows_clock && t->armed)
		wait_queue_add(&clock_was_set, &t->clock_entry);
}

static void timerfd_destroy(struct file *file)
{
	struct timerfd *t = file->private;

	disarm(t);
	kfree(t);
}

static int timerfd_describe(struct file *file, const struct pid_namespace *ns, char *buf,
			    size_t size)
{
	struct timerfd *t = file->private;
	struct timerfd_setting now;

	if (timerfd_get(file, &now))
		return 0;
	return scnprintf(buf, size,
			 "clockid: %d\nticks: %llu\nsettime flags: 0%o\nit_value: (%llu, "
			 "%llu)\nit_interval: (%llu, %llu)\n",
			 t->clock, (unsigned long long)READ_ONCE(t->ticks), t->settime_flags,
			 now.value_ns / NSEC_PER_SEC, now.value_ns % NSEC_PER_SEC,
			 now.interval_ns / NSEC_PER_SEC, now.interval_ns % NSEC_PER_SEC);
}

static const struct file_ops timerfd_ops = {
	FILE_OPS_DEFAULTS,	    .read = timerfd_read,	  .ready = timerfd_ready,
	.destroy = timerfd_destroy, .describe = timerfd_describe,
};

int timerfd_set(struct file *file, u32 flags, const struct timerfd_setting *setting,
		struct timerfd_setting *old)
{
	struct timerfd *t = file->private;
	bool canceled;

	if (file->ops != &timerfd_ops)
		return -EINVAL;
	mutex_lock(&file->offset_lock); /* a stream has no offset: it keeps two settings apart */
	disarm(t);
	canceled = canceled_locked(t);
	t->clock_set_seen = READ_ONCE(clock_set_count);
	arm(t, flags, setting, old);
	mutex_unlock(&file->offset_lock);
	return canceled ? -ECANCELED : 0;
}

int timerfd_get(struct file *file, struct timerfd_setting *out)
{
	struct timerfd *t = file->private;
	irqflags_t flags;

	if (file->ops != &timerfd_ops)
		return -EINVAL;
	flags = spin_lock_irqsave(&t->lock);
	current_setting_locked(t, out);
	spin_unlock_irqrestore(&t->lock, flags);
	return 0;
}

static int check_clock(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		return 0;
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return capable(CAP_WAKE_ALARM) ? 0 : -EPERM;
	default:
		return -EINVAL;
	}
}

u64 timerfd_bytes(void)
{
	return kmalloc_size(sizeof(struct timerfd)) + file_anonymous_bytes();
}

int timerfd_create(int clock, u32 flags, struct file **out)
{
	int error = check_clock(clock);
	struct inode *inode;
	struct timerfd *t;

	if (error)
		return error;
	t = kzalloc(sizeof(*t), 0);
	if (!t)
		return -ENOMEM;
	spin_init(&t->lock, RANK_TIMER_USER);
	timer_init(&t->timer, timerfd_expire);
	wait_entry_init(&t->clock_entry);
	t->clock_entry.wake = clock_entry_wake;
	t->clock = clock;
	error = inode_create_anonymous("anon_inode:[timerfd]", 0600, &inode);
	if (error)
		goto out_free;
	error = file_create(&timerfd_ops, O_RDWR | (flags & O_NONBLOCK), FILE_MODE_STREAM, inode, t,
			    &t->file);
	inode_put(inode);
	if (!error) {
		*out = t->file;
		return 0;
	}
out_free:
	kfree(t);
	return error;
}
