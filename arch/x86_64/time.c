/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clock and timer.
 *
 * The clock is the time stamp counter where it ticks evenly: the CPU says so (invariant TSC), or a
 * hypervisor is below, which keeps it even; without another counter it is used anyway. Else the
 * HPET. The timer is the local APIC's, with a TSC deadline if the clock is the TSC and the CPU can
 * do it. Frequencies come from CPUID when it knows them; otherwise both counters are measured at
 * once for CALIBRATE_NS against the ACPI timer or the PIT.
 */
#include <arch/barrier.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/time.h>
#include <core/log.h>
#include <core/time.h>
#include <core/vdso_data.h>

#include "acpi.h"
#include "cpu_features.h"
#include "entry.h"
#include "lapic.h"
#include "mmu.h"
#include "timer.h"
#include "x86.h"

#define CALIBRATE_NS (3 * NSEC_PER_MSEC)
#define PM_TIMER_HZ 3579545u
#define PM_TIMER_MASK 0xffffffu /* 24 bits are always there */
#define PIT_HZ 1193182u
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
#define FEMTOSECONDS 1000000000000000ull

#define HPET_CAPABILITIES 0x00
#define HPET_CONFIG 0x10
#define HPET_COUNTER 0xf0

/* nanoseconds = ticks * multiplier >> 32 */
static u64 clock_base, clock_multiplier;
static u8 *hpet; /* null: the clock is the TSC */
static bool use_deadline;
/* local APIC ticks = nanoseconds * multiplier >> 32; the same for TSC ticks when the deadline is
 * used. */
static u64 timer_multiplier;

static u64 scale(u64 value, u64 multiplier)
{
	return (unsigned __int128)value * multiplier >> 32;
}

/* numerator * 2^32 / denominator, which must fit: 128 by 64 bits is one instruction. */
static u64 ratio(u64 numerator, u64 denominator)
{
	u64 quotient, remainder;
	asm("divq %[denominator]"
	    : "=a"(quotient), "=d"(remainder)
	    : "a"(numerator << 32), "d"(numerator >> 32), [denominator] "r"(denominator));
	return quotient;
}

u64 arch_time_ns(void)
{
	u64 now = likely(!hpet) ? arch_cycles() : mmio_read64(hpet + HPET_COUNTER);
	return scale(now - clock_base, clock_multiplier);
}

void arch_timer_set(u64 deadline_ns)
{
	u64 ticks = 0;

	if (use_deadline) {
		if (deadline_ns != UINT64_MAX)
			ticks = clock_base + scale(deadline_ns, timer_multiplier);
		msr_write(MSR_TSC_DEADLINE, ticks);
		return;
	}
	if (deadline_ns != UINT64_MAX) {
		u64 now = arch_time_ns();
		if (deadline_ns > now)
			ticks = scale(deadline_ns - now, timer_multiplier);
		/* Too early is harmless, the caller looks at the clock. 0 would be never. */
		ticks = ticks ? MIN(ticks, (u64)UINT32_MAX) : 1;
	}
	lapic_write(LAPIC_TIMER_INITIAL, ticks);
}

void x86_timer_enable(void)
{
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_16);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (use_deadline ? LAPIC_TIMER_DEADLINE : 0));
	/* The mode must be set before the first deadline is (SDM 11.5.4.1). */
	arch_mb();
}

struct sample {
	u64 tsc;
	u32 reference, lapic;
};

/* Reads the counters at nearly the same moment: of several tries the one that took the least time.
 */
static struct sample sample_counters(void)
{
	struct sample best = { 0 };
	u64 shortest = UINT64_MAX;

	for (unsigned i = 0; i < 4; i++) {
		u64 before = arch_cycles();
		u32 reference = port_read32(acpi_info.pm_timer_port);
		u32 lapic = lapic_read(LAPIC_TIMER_CURRENT);
		u64 took = arch_cycles() - before;
		if (took < shortest) {
			shortest = took;
			best = (struct sample){ before + took / 2, reference, lapic };
		}
	}
	return best;
}

/* Measures over CALIBRATE_NS: ticks of the TSC and of the local APIC, and the time that really
 * passed. */
static u64 measure_by_pm_timer(u64 *tsc, u64 *lapic)
{
	const u32 ticks = CALIBRATE_NS * PM_TIMER_HZ / NSEC_PER_SEC;
	struct sample start = sample_counters(), end;

	do {
		arch_pause();
	} while (((port_read32(acpi_info.pm_timer_port) - start.reference) & PM_TIMER_MASK) <
		 ticks);
	end = sample_counters();
	*tsc = end.tsc - start.tsc;
	*lapic = start.lapic - end.lapic;
	return ((end.reference - start.reference) & PM_TIMER_MASK) * NSEC_PER_SEC / PM_TIMER_HZ;
}

static u64 measure_by_pit(u64 *tsc, u64 *lapic)
{
	const u32 ticks = CALIBRATE_NS * PIT_HZ / NSEC_PER_SEC;

	port_write8(PIT_GATE, (port_read8(PIT_GATE) & ~2) | 1);
	port_write8(PIT_COMMAND, 0xb0); /* channel 2, both bytes, mode 0: output rises at the end */
	port_write8(PIT_CHANNEL2, ticks & 0xff);
	port_write8(PIT_CHANNEL2, ticks >> 8);
	u64 tsc_start = arch_cycles();
	u32 lapic_start = lapic_read(LAPIC_TIMER_CURRENT);
	while (!(port_read8(PIT_GATE) & 0x20))
		arch_pause();
	*tsc = arch_cycles() - tsc_start;
	*lapic = lapic_start - lapic_read(LAPIC_TIMER_CURRENT);
	return CALIBRATE_NS;
}

/* TSC and local APIC timer frequency from CPUID: hypervisor's timing leaf, or the CPU's. 0:
 * unknown. */
static void known_frequencies(u64 *tsc_hz, u64 *lapic_hz)
{
	if (x86_features.hypervisor && cpuid(0x40000000, 0).eax >= 0x40000010) {
		struct cpuid leaf = cpuid(0x40000010, 0);
		*tsc_hz = leaf.eax * 1000ull;
		*lapic_hz = leaf.ebx * 1000ull / 16;
	} else if (x86_features.max_leaf >= 0x15) {
		struct cpuid leaf = cpuid(0x15, 0);
		if (leaf.eax && leaf.ebx && leaf.ecx) {
			*tsc_hz = (u64)leaf.ecx * leaf.ebx / leaf.eax;
			*lapic_hz = leaf.ecx / 16;
		}
	}
}

static void measure(u64 *tsc_hz, u64 *lapic_hz)
{
	u64 tsc, lapic, ns;

	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_16);
	lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
	if (acpi_info.pm_timer_port)
		ns = measure_by_pm_timer(&tsc, &lapic);
	else
		ns = measure_by_pit(&tsc, &lapic);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	*tsc_hz = tsc * NSEC_PER_SEC / ns;
	*lapic_hz = lapic * NSEC_PER_SEC / ns;
}

static void hpet_start(void)
{
	hpet = x86_map_device(acpi_info.hpet, 1024);
	u64 period = mmio_read64(hpet + HPET_CAPABILITIES) >> 32; /* femtoseconds */
	mmio_write64(hpet + HPET_CONFIG, mmio_read64(hpet + HPET_CONFIG) | 1);
	clock_base = mmio_read64(hpet + HPET_COUNTER);
	clock_multiplier = ratio(period * NSEC_PER_SEC, FEMTOSECONDS);
}

void arch_time_init(void)
{
	u64 tsc_hz = 0, lapic_hz = 0;

	known_frequencies(&tsc_hz, &lapic_hz);
	if (!tsc_hz || !lapic_hz)
		measure(&tsc_hz, &lapic_hz);
	if (!x86_features.invariant_tsc && !x86_features.hypervisor && acpi_info.hpet) {
		hpet_start();
	} else {
		clock_base = arch_cycles();
		clock_multiplier = ratio(NSEC_PER_SEC, tsc_hz);
		use_deadline = x86_features.tsc_deadline;
		vdso_data_page.data.counter_base = clock_base;
		vdso_data_page.data.multiplier = clock_multiplier;
	}
	timer_multiplier = ratio(use_deadline ? tsc_hz : lapic_hz, NSEC_PER_SEC);
	x86_timer_enable();
	log_info("clock: %s, TSC %llu kHz, local APIC timer %llu kHz%s", hpet ? "HPET" : "TSC",
		 (unsigned long long)tsc_hz / 1000, (unsigned long long)lapic_hz / 1000,
		 use_deadline ? " (deadline)" : "");
}

u64 x86_tsc_khz(void)
{
	return hpet ? 0 : ratio(NSEC_PER_SEC, clock_multiplier) / 1000;
}
