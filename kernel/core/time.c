/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clocks. CLOCK_REALTIME is CLOCK_MONOTONIC plus an offset that settimeofday(2) and the like
 * move. */
#include <arch/cpu.h>
#include <arch/time.h>
#include <core/log.h>
#include <core/time.h>
#include <core/vdso_data.h>
#include <core/wait.h>

#include <linux/time.h>

u64 clock_base_ns;
u32 clock_set_count;
struct wait_queue clock_was_set = WAIT_QUEUE_INIT(clock_was_set);

/* One word, so readers need no lock. */
static s64 realtime_offset_ns;

union vdso_data_page vdso_data_page __aligned(VDSO_DATA_SIZE);

s64 clock_realtime_offset_ns(void)
{
	return __atomic_load_n(&realtime_offset_ns, __ATOMIC_RELAXED);
}

u64 clock_realtime_ns(void)
{
	return clock_monotonic_ns() + (u64)clock_realtime_offset_ns();
}

static void set_realtime_offset(s64 offset)
{
	s64 *offsets = vdso_data_page.data.offset_ns;

	__atomic_store_n(&realtime_offset_ns, offset, __ATOMIC_RELAXED);
	offset -= (s64)clock_base_ns;
	__atomic_store_n(&offsets[CLOCK_REALTIME], offset, __ATOMIC_RELAXED);
	__atomic_store_n(&offsets[CLOCK_REALTIME_COARSE], offset, __ATOMIC_RELAXED);
}

void clock_slew_realtime_ns(s64 gain)
{
	set_realtime_offset(clock_realtime_offset_ns() + gain);
}

void clock_set_realtime_ns(u64 now_ns)
{
	set_realtime_offset((s64)(now_ns - clock_monotonic_ns()));
	__atomic_add_fetch(&clock_set_count, 1, __ATOMIC_RELEASE);
	wake_up(&clock_was_set, 0);
}

/* The architecture has said how to read its counter, if user space can. */
static void vdso_init(void)
{
	static const u8 clocks[] = { CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE,
				     CLOCK_BOOTTIME };
	struct vdso_data *data = &vdso_data_page.data;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		data->offset_ns[clocks[i]] = -(s64)clock_base_ns;
		data->clocks |= BIT(clocks[i]);
	}
	data->clocks |= BIT(CLOCK_REALTIME) | BIT(CLOCK_REALTIME_COARSE);
	if (!data->multiplier)
		data->clocks = 0;
}

void time_init(void)
{
	arch_time_init();
	clock_base_ns = arch_time_ns();
	vdso_init();
	clock_set_realtime_ns(arch_rtc_seconds() * NSEC_PER_SEC);
}

void delay_ns(u64 ns)
{
	u64 end = arch_time_ns() + ns;

	while (arch_time_ns() < end)
		arch_pause();
}
