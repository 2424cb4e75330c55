/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The discipline of CLOCK_REALTIME; see core/clock_adjust.h. */
#include <core/clock_adjust.h>
#include <core/lock.h>
#include <core/time.h>
#include <lib/errno.h>

#include <linux/time.h>

#define STEP_NS (10 * (s64)NSEC_PER_MSEC)
#define STEPS_PER_SECOND 100
#define SLEW_MAX_NS (STEP_NS / 2000) /* 500 ppm, adjtime(3) */
#define TICK_US 10000		     /* USER_HZ is 100 */
#define FREQUENCY_MAX 32768000	     /* 500 ppm in units of 2^-16 ppm */
#define OFFSET_MAX_NS (500 * (s64)NSEC_PER_MSEC)
#define ERROR_MAX_US 16000000
#define CONSTANT_MAX 10
#define TAI_MAX 100000
#define PLL_SHIFT 2

static void step(struct timer *timer);

static struct spinlock lock = SPINLOCK_INIT(RANK_TIMER_USER);
static struct timer stepper = { .expire = step };
static struct {
	s64 one_shot_ns; /* left of adjtime(3) */
	s64 offset_ns;	 /* left of ADJ_OFFSET */
	s64 frequency;	 /* 2^-16 ppm */
	s64 tick_us;
	s64 max_error_us, error_us, constant;
	s32 status;
} state __guarded_by(&lock) = {
	.tick_us = TICK_US,
	.max_error_us = ERROR_MAX_US,
	.error_us = ERROR_MAX_US,
	.constant = PLL_SHIFT,
	.status = STA_UNSYNC,
};
/* Seconds; written with the lock held, read without: timers ask with locks of their own held. */
static s32 tai_offset;

static s64 clamp_to(s64 value, s64 limit)
{
	return value > limit ? limit : value < -limit ? -limit : value;
}

/* What the clock gains in one step. */
static s64 step_locked(void) __must_hold(&lock)
{
	s64 gain = clamp_to(state.one_shot_ns, SLEW_MAX_NS);
	s64 pull = state.offset_ns / ((s64)STEPS_PER_SECOND << (PLL_SHIFT + state.constant));

	state.one_shot_ns -= gain;
	state.offset_ns -= pull;
	/* 2^-16 ppm of a step, and the tick's deviation. */
	gain += pull + state.frequency * (STEP_NS / 1000000) / 65536;
	return gain + (state.tick_us - TICK_US) * (STEP_NS / TICK_US);
}

static bool active_locked(void) __must_hold(&lock)
{
	return state.one_shot_ns || state.offset_ns / STEPS_PER_SECOND || state.frequency ||
	       state.tick_us != TICK_US;
}

static void step(struct timer *timer)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	s64 gain = step_locked();
	bool more = active_locked();

	spin_unlock_irqrestore(&lock, flags);
	clock_slew_realtime_ns(gain);
	if (more)
		timer_set(timer, clock_monotonic_ns() + (u64)STEP_NS);
}

s32 clock_tai_offset(void)
{
	return READ_ONCE(tai_offset);
}

/* ADJ_SETOFFSET: a step; the fraction is not negative. */
static int check_step(const struct __kernel_timex *tx, s64 *ns)
{
	s64 unit = tx->modes & ADJ_NANO ? 1 : 1000;

	*ns = 0;
	if (!(tx->modes & ADJ_SETOFFSET))
		return 0;
	if (tx->time.tv_usec < 0 || tx->time.tv_usec >= (s64)NSEC_PER_SEC / unit ||
	    tx->time.tv_sec > INT32_MAX || tx->time.tv_sec < INT32_MIN)
		return -EINVAL;
	*ns = tx->time.tv_sec * (s64)NSEC_PER_SEC + tx->time.tv_usec * unit;
	return 0;
}

static void take_over_locked(const struct __kernel_timex *tx) __must_hold(&lock)
{
	if (tx->modes & ADJ_STATUS)
		state.status = (state.status & STA_RONLY) | (tx->status & ~STA_RONLY);
	if (tx->modes & ADJ_NANO)
		state.status |= STA_NANO;
	if (tx->modes & ADJ_MICRO)
		state.status &= ~STA_NANO;
	if (tx->modes & ADJ_FREQUENCY)
		state.frequency = clamp_to(tx->freq, FREQUENCY_MAX);
	if (tx->modes & ADJ_MAXERROR)
		state.max_error_us = tx->maxerror;
	if (tx->modes & ADJ_ESTERROR)
		state.error_us = tx->esterror;
	if (tx->modes & ADJ_TIMECONST) {
		s64 constant = tx->constant + (state.status & STA_NANO ? 0 : 4);

		state.constant = constant < 0 ? 0 : MIN(constant, (s64)CONSTANT_MAX);
	}
	if (tx->modes & ADJ_TAI && tx->constant >= 0 && tx->constant <= TAI_MAX)
		WRITE_ONCE(tai_offset, (s32)tx->constant);
	if (tx->modes & ADJ_OFFSET && state.status & STA_PLL)
		state.offset_ns = clamp_to(clamp_to(tx->offset, OFFSET_MAX_NS) *
						   (state.status & STA_NANO ? 1 : 1000),
					   OFFSET_MAX_NS);
	if (tx->modes & ADJ_TICK)
		state.tick_us = tx->tick;
}

static int tell_locked(struct __kernel_timex *tx) __must_hold(&lock)
{
	s64 unit = state.status & STA_NANO ? 1 : 1000;
	u64 now = clock_realtime_ns();

	tx->offset = state.offset_ns / unit;
	tx->freq = state.frequency;
	tx->maxerror = state.max_error_us;
	tx->esterror = state.error_us;
	tx->status = state.status;
	tx->constant = state.constant;
	tx->precision = 1;
	tx->tolerance = FREQUENCY_MAX;
	tx->tick = state.tick_us;
	tx->tai = tai_offset;
	tx->time.tv_sec = (s64)(now / NSEC_PER_SEC);
	tx->time.tv_usec = (s64)(now % NSEC_PER_SEC) / unit;
	return state.status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : TIME_OK;
}

/* adjtime(3): what was left, and what is to be done instead. */
static int one_shot(struct __kernel_timex *tx)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	s64 left = state.one_shot_ns / 1000;

	if (tx->modes == ADJ_OFFSET_SINGLESHOT)
		state.one_shot_ns = clamp_to(tx->offset, INT32_MAX) * 1000;
	bool active = active_locked();
	int result = tell_locked(tx);

	spin_unlock_irqrestore(&lock, flags);
	tx->offset = left;
	if (active)
		timer_set(&stepper, clock_monotonic_ns() + (u64)STEP_NS);
	return result;
}

int clock_adjust(struct __kernel_timex *tx)
{
	s64 jump;

	if (tx->modes == ADJ_OFFSET_SINGLESHOT || tx->modes == ADJ_OFFSET_SS_READ)
		return one_shot(tx);
	if (tx->modes & 0x8000 || check_step(tx, &jump))
		return -EINVAL;
	if (tx->modes & ADJ_TICK && (tx->tick < TICK_US * 9 / 10 || tx->tick > TICK_US * 11 / 10))
		return -EINVAL;
	if (tx->modes & ADJ_FREQUENCY &&
	    (tx->freq > INT64_MAX / FREQUENCY_MAX || tx->freq < INT64_MIN / FREQUENCY_MAX))
		return -EINVAL;
	if (jump)
		clock_set_realtime_ns(clock_realtime_ns() + (u64)jump);
	irqflags_t flags = spin_lock_irqsave(&lock);

	take_over_locked(tx);
	bool active = active_locked();
	int result = tell_locked(tx);

	spin_unlock_irqrestore(&lock, flags);
	if (active && !timer_armed(&stepper))
		timer_set(&stepper, clock_monotonic_ns() + (u64)STEP_NS);
	return result;
}
