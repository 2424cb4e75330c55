/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The architected timer (Arm ARM, D11): the virtual counter as the clock, the virtual timer of each
 * CPU for deadlines. The virtual one works in a guest and on bare metal alike; head.S makes its
 * offset zero.
 */
#include <arch/barrier.h>
#include <arch/cpu.h>
#include <arch/irqchip.h>
#include <arch/time.h>
#include <core/panic.h>
#include <core/vdso_data.h>

#include "arm_priv.h"

#define NSEC 1000000000ull
#define TIMER_ENABLE 1
#define PPI_BASE 16
#define VIRTUAL_TIMER_INDEX 2 /* in the interrupts property of the device tree's binding */
#define VIRTUAL_TIMER_DEFAULT 27
#define RTC_LOAD 0x08 /* RTCLR of the PL031 */

u32 timer_irq;

/* 32.32 fixed point factors between counter ticks and nanoseconds. */
static u64 ns_per_tick = BIT(32), ticks_per_ns = BIT(32);
static volatile void *rtc;

static u64 scale(u64 value, u64 factor)
{
	return (u64)((unsigned __int128)value * factor >> 32);
}

void arch_time_init(void)
{
	static const char *const names[] = { "arm,armv8-timer", "arm,armv7-timer" };
	const struct device_tree *dt = &firmware_tree;
	u64 frequency = read_sysreg(cntfrq_el0) & UINT32_MAX;
	dt_node node = DT_NONE, rtc_node;
	u32 given, ppi;

	for (unsigned i = 0; i < ARRAY_SIZE(names) && node == DT_NONE; i++)
		node = device_tree_find_compatible(dt, DT_NONE, names[i]);
	if (device_tree_cell(dt, node, "clock-frequency", 0, &given) && given)
		frequency = given;
	if (!frequency)
		panic("the architected timer has no frequency");
	ns_per_tick = (NSEC << 32) / frequency;
	vdso_data_page.data.multiplier = ns_per_tick;
	ticks_per_ns = (frequency << 32) / NSEC;

	timer_irq = VIRTUAL_TIMER_DEFAULT;
	if (device_tree_cell(dt, node, "interrupts", 3 * VIRTUAL_TIMER_INDEX + 1, &ppi) && ppi < 16)
		timer_irq = PPI_BASE + ppi;
	timer_init_cpu();

	rtc_node = device_tree_find_compatible(dt, DT_NONE, "arm,pl031");
	if (rtc_node != DT_NONE)
		rtc = early_map_registers(rtc_node, 0);
}

void timer_init_cpu(void)
{
	write_sysreg(cntv_ctl_el0, 0);
	arch_irq_unmask(timer_irq, true);
}

u64 arch_time_ns(void)
{
	isb(); /* or the counter could be read before what precedes */
	return scale(read_sysreg(cntvct_el0), ns_per_tick);
}

void arch_timer_set(u64 deadline_ns)
{
	u64 ticks, delta;

	if (deadline_ns == UINT64_MAX) {
		write_sysreg(cntv_ctl_el0, 0);
		return;
	}
	/* Relative to now, so that the error of the factor does not grow with the up time; never
	 * early. */
	ticks = read_sysreg(cntvct_el0);
	delta = deadline_ns - scale(ticks, ns_per_tick);
	if ((s64)delta > 0)
		ticks += MIN(scale(delta, ticks_per_ns) + 1, BIT(62));
	write_sysreg(cntv_cval_el0, ticks);
	write_sysreg(cntv_ctl_el0, TIMER_ENABLE);
	isb();
}

void timer_acknowledge(void)
{
	write_sysreg(cntv_ctl_el0, 0);
	isb();
}

u64 arch_rtc_seconds(void)
{
	return rtc ? mmio_read32(rtc) : 0;
}

bool arch_rtc_set_seconds(u64 seconds)
{
	if (!rtc || seconds > UINT32_MAX)
		return false;
	mmio_write32(rtc + RTC_LOAD, (u32)seconds);
	return true;
}
