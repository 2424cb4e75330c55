/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock as a device, rtc(4): its time, an alarm, and interrupts at each second or at a rate, which a program
 * reads as a number: how many since it read last, and of which kind.
 *
 * Of the hardware only the seconds are used. A kernel timer looks when they change: often until it has seen that once,
 * then just before each second, or before the alarm.
 *
 * The device is open once at a time. The alarm outlives its file, the other interrupts do not.
 */
#include <arch/time.h>
#include <core/lock.h>
#include <core/time.h>
#include <dev/rtc/rtc.h>
#include <lib/calendar.h>
#include <lib/errno.h>
#include <mm/iter.h>
#include <mm/ucopy.h>
#include <obj/credentials.h>
#include <vfs/vfs.h>

#include <linux/eventpoll.h>
#include <linux/rtc.h>

#define RTC_MAJOR 250		    /* of those that Linux gives out as they come */
#define LOOK_NS (4 * NSEC_PER_MSEC) /* how exactly the change of a second is seen */
#define USER_FREQUENCY_MAX 64	    /* for those without CAP_SYS_RESOURCE */
#define DAY_SECONDS 86400

static struct spinlock lock = SPINLOCK_INIT(RANK_TIMER_USER); /* taken by timers */
static struct {
	struct file *file; /* who has it open */
	u64 data;	   /* interrupts not read yet: number << 8 | kinds */
	u64 seconds;	   /* when the timer looked last */
	u64 alarm_seconds;
	u64 frequency, next_ns; /* of the periodic interrupt */
	bool update_on, alarm_on, periodic_on;
	struct timer look, periodic;
} rtc __guarded_by(&lock) = { .frequency = 1 };

/* Counts an interrupt; returns the file to notify. */
static struct file *count_locked(u64 count, u32 kind) __must_hold(&lock)
{
	if (!rtc.file)
		return nullptr;
	rtc.data = (rtc.data + (count << 8)) | kind | RTC_IRQF;
	return rtc.file;
}

/* Interrupts are masked: the file is not freed meanwhile. */
static void notify(struct file *file)
{
	if (file)
		object_notify(&file->object, EPOLLIN | EPOLLRDNORM);
}

static void look_again_locked(void) __must_hold(&lock)
{
	u64 wait = LOOK_NS;

	if (!rtc.update_on && !rtc.alarm_on)
		return;
	if (!rtc.update_on && rtc.alarm_seconds > rtc.seconds + 1)
		wait = MIN(rtc.alarm_seconds - rtc.seconds - 1, (u64)DAY_SECONDS) * NSEC_PER_SEC;
	timer_set(&rtc.look, clock_monotonic_ns() + wait);
}

static void look_expired(struct timer *timer)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	u64 seconds = arch_rtc_seconds();
	bool changed = seconds != rtc.seconds;
	struct file *file = nullptr;

	rtc.seconds = seconds;
	if (changed && rtc.update_on)
		file = count_locked(1, RTC_UF);
	if (rtc.alarm_on && seconds >= rtc.alarm_seconds) {
		rtc.alarm_on = false;
		file = count_locked(1, RTC_AF);
	}
	if (changed && rtc.update_on)
		timer_set(&rtc.look, clock_monotonic_ns() + NSEC_PER_SEC - LOOK_NS);
	else
		look_again_locked();
	spin_unlock_irqrestore(&lock, flags);
	notify(file);
}

static void periodic_expired(struct timer *timer)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	struct file *file = nullptr;

	if (rtc.periodic_on) {
		u64 period = NSEC_PER_SEC / rtc.frequency;
		u64 passed = (clock_monotonic_ns() - rtc.next_ns) / period + 1;

		file = count_locked(passed, RTC_PF);
		rtc.next_ns += passed * period;
		timer_set(&rtc.periodic, rtc.next_ns);
	}
	spin_unlock_irqrestore(&lock, flags);
	notify(file);
}

/* --- its calls --- */

static void to_user_time(u64 seconds, struct rtc_time *out)
{
	struct calendar date;

	calendar_of_seconds(seconds, &date);
	*out = (struct rtc_time){
		.tm_sec = (int)date.second,
		.tm_min = (int)date.minute,
		.tm_hour = (int)date.hour,
		.tm_mday = (int)date.day,
		.tm_mon = (int)date.month - 1,
		.tm_year = (int)date.year - 1900,
		.tm_wday = (int)date.week_day,
		.tm_yday = (int)date.year_day,
	};
}

static int from_user_time(const struct rtc_time *time, u64 *seconds)
{
	struct calendar date = {
		.year = (u32)time->tm_year + 1900,
		.month = (u32)time->tm_mon + 1,
		.day = (u32)time->tm_mday,
		.hour = (u32)time->tm_hour,
		.minute = (u32)time->tm_min,
		.second = (u32)time->tm_sec,
	};

	if (!calendar_valid(&date))
		return -EINVAL;
	*seconds = calendar_seconds(&date);
	return 0;
}

static u64 read_seconds(void)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	u64 seconds = arch_rtc_seconds();

	spin_unlock_irqrestore(&lock, flags);
	return seconds;
}

static int set_time(const struct rtc_time __user *user)
{
	struct rtc_time time;
	irqflags_t flags;
	u64 seconds;
	int err;

	if (!capable(CAP_SYS_TIME))
		return -EACCES;
	if (copy_from_user(&time, user, sizeof(time)))
		return -EFAULT;
	err = from_user_time(&time, &seconds);
	if (err)
		return err;
	flags = spin_lock_irqsave(&lock);
	err = arch_rtc_set_seconds(seconds) ? 0 : -EINVAL;
	rtc.seconds = arch_rtc_seconds();
	look_again_locked();
	spin_unlock_irqrestore(&lock, flags);
	return err;
}

static int read_time(struct rtc_time __user *user)
{
	struct rtc_time time;

	to_user_time(read_seconds(), &time);
	return copy_to_user(user, &time, sizeof(time));
}

static void set_alarm(u64 seconds, bool on)
{
	irqflags_t flags = spin_lock_irqsave(&lock);

	rtc.alarm_seconds = seconds;
	rtc.alarm_on = on;
	rtc.seconds = arch_rtc_seconds();
	look_again_locked();
	spin_unlock_irqrestore(&lock, flags);
}

/* RTC_ALM_SET: the next such time of the day. It is not switched on yet. */
static int set_alarm_of_day(const struct rtc_time __user *user)
{
	u64 now = read_seconds(), seconds;
	struct rtc_time time, today;

	if (copy_from_user(&time, user, sizeof(time)))
		return -EFAULT;
	to_user_time(now, &today);
	today.tm_hour = time.tm_hour;
	today.tm_min = time.tm_min;
	today.tm_sec = time.tm_sec;
	if (from_user_time(&today, &seconds))
		return -EINVAL;
	set_alarm(seconds > now ? seconds : seconds + DAY_SECONDS, false);
	return 0;
}

static int set_wake_alarm(const struct rtc_wkalrm __user *user)
{
	struct rtc_wkalrm alarm;
	u64 seconds;

	if (copy_from_user(&alarm, user, sizeof(alarm)))
		return -EFAULT;
	if (from_user_time(&alarm.time, &seconds))
		return -EINVAL;
	set_alarm(seconds, alarm.enabled);
	return 0;
}

static void get_alarm(struct rtc_wkalrm *out)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	u64 seconds = rtc.alarm_seconds;

	*out = (struct rtc_wkalrm){ .enabled = rtc.alarm_on };
	spin_unlock_irqrestore(&lock, flags);
	to_user_time(seconds, &out->time);
}

static int switch_update(bool on)
{
	irqflags_t flags = spin_lock_irqsave(&lock);

	rtc.update_on = on;
	rtc.seconds = arch_rtc_seconds();
	look_again_locked();
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static int switch_alarm(bool on)
{
	irqflags_t flags = spin_lock_irqsave(&lock);

	rtc.alarm_on = on;
	look_again_locked();
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static int set_periodic(bool on, u64 frequency)
{
	irqflags_t flags;

	if (frequency > USER_FREQUENCY_MAX && !capable(CAP_SYS_RESOURCE))
		return -EACCES;
	if (!frequency || frequency > RTC_MAX_FREQ)
		return -EINVAL;
	flags = spin_lock_irqsave(&lock);
	rtc.frequency = frequency;
	rtc.periodic_on = on;
	rtc.next_ns = clock_monotonic_ns() + NSEC_PER_SEC / frequency;
	if (on)
		timer_set(&rtc.periodic, rtc.next_ns);
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static u64 current_frequency(bool *on)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	u64 frequency = rtc.frequency;

	*on = rtc.periodic_on;
	spin_unlock_irqrestore(&lock, flags);
	return frequency;
}

static long ioctl_alarm(unsigned request, unsigned long argument)
{
	struct rtc_time __user *time = __force_user(struct rtc_time __user *, argument);
	struct rtc_wkalrm __user *user = __force_user(struct rtc_wkalrm __user *, argument);
	struct rtc_wkalrm alarm;

	switch (request) {
	case RTC_ALM_SET:
		return set_alarm_of_day(time);
	case RTC_WKALM_SET:
		return set_wake_alarm(user);
	case RTC_ALM_READ:
		get_alarm(&alarm);
		return copy_to_user(time, &alarm.time, sizeof(alarm.time));
	case RTC_WKALM_RD:
		get_alarm(&alarm);
		return copy_to_user(user, &alarm, sizeof(alarm));
	default:
		return -ENOTTY;
	}
}

static long rtc_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	bool on;
	u64 frequency = current_frequency(&on);

	switch (request) {
	case RTC_RD_TIME:
		return read_time(__force_user(struct rtc_time __user *, argument));
	case RTC_SET_TIME:
		return set_time(__force_user(struct rtc_time __user *, argument));
	case RTC_UIE_ON:
	case RTC_UIE_OFF:
		return switch_update(request == RTC_UIE_ON);
	case RTC_AIE_ON:
	case RTC_AIE_OFF:
		return switch_alarm(request == RTC_AIE_ON);
	case RTC_PIE_ON:
		return set_periodic(true, frequency);
	case RTC_PIE_OFF:
		return set_periodic(false, MIN(frequency, (u64)USER_FREQUENCY_MAX));
	case RTC_IRQP_SET:
		return set_periodic(on, argument);
	case RTC_IRQP_READ:
		return put_user((unsigned long)frequency,
				__force_user(unsigned long __user *, argument));
	default:
		return ioctl_alarm(request, argument);
	}
}

static u64 take_data(void)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	u64 data = rtc.data;

	rtc.data = 0;
	spin_unlock_irqrestore(&lock, flags);
	return data;
}

static ssize_t rtc_read(struct file *file, struct iter *it, u64 *offset)
{
	u64 data;
	size_t size = it->remaining >= sizeof(data) ? sizeof(data) : sizeof(u32);

	if (it->remaining != sizeof(u32) && it->remaining < sizeof(data))
		return -EINVAL;
	data = take_data();
	if (!data)
		return -EAGAIN;
	return iter_copy_to(it, &data, size) == size ? (ssize_t)size : -EFAULT;
}

static u32 rtc_ready(struct file *file) __no_lock_analysis
{
	return READ_ONCE(rtc.data) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void rtc_destroy(struct file *file) __no_lock_analysis
{
	irqflags_t flags = spin_lock_irqsave(&lock);

	rtc.file = nullptr;
	rtc.update_on = rtc.periodic_on = false;
	spin_unlock_irqrestore(&lock, flags);
	(void)timer_cancel_wait(&rtc.periodic);
}

static const struct file_ops rtc_ops = {
	FILE_OPS_DEFAULTS,  .read = rtc_read,	    .ready = rtc_ready,
	.ioctl = rtc_ioctl, .destroy = rtc_destroy,
};

static int rtc_open(struct inode *inode, struct file *file)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	bool busy = rtc.file;

	if (!busy) {
		rtc.file = file;
		rtc.data = 0;
	}
	spin_unlock_irqrestore(&lock, flags);
	if (busy)
		return -EBUSY;
	file->ops = &rtc_ops;
	file->mode |= FILE_MODE_STREAM;
	return 0;
}

void rtc_init(void) __no_lock_analysis
{
	static struct device_node node = {
		.name = "rtc0", .mode = S_IFCHR | 0600, .open = rtc_open, .class_name = "rtc"
	};

	if (!arch_rtc_seconds())
		return;
	timer_init(&rtc.look, look_expired);
	timer_init(&rtc.periodic, periodic_expired);
	node.device = device_make(RTC_MAJOR, 0);
	device_register(&node);
}
