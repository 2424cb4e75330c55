/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interrupt controller inside each CPU: local APIC, by memory or (x2APIC) by MSR. */
#pragma once

#include <lib/types.h>

#define LAPIC_ID 0x20
#define LAPIC_TPR 0x80
#define LAPIC_EOI 0xb0
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_ICR_LOW 0x300
#define LAPIC_ICR_HIGH 0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0

#define LAPIC_LVT_MASKED BIT(16)
#define LAPIC_TIMER_DEADLINE (2u << 17)
#define LAPIC_DIVIDE_BY_16 3u

#define LAPIC_ICR_FIXED 0x000u
#define LAPIC_ICR_INIT 0x500u
#define LAPIC_ICR_STARTUP 0x600u
#define LAPIC_ICR_ASSERT 0x4000u

u32 lapic_read(u32 reg);
void lapic_write(u32 reg, u32 value);
u32 lapic_id(void);

/* Sends an interprocessor interrupt; `command` is the lower half of the command register. */
void lapic_send(u32 apic_id, u32 command);

/* Boot CPU: finds the registers. Then on every CPU: enables the local APIC with everything masked.
 */
void lapic_init(void);
void lapic_enable(void);
