/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contract: ending it. Each tries every way the machine offers, then halts. */
#pragma once

#include <lib/types.h>

/* Turns the machine off: ACPI S5, PSCI SYSTEM_OFF. QEMU exits with status 0. */
[[noreturn]] void arch_power_off(void);

/* Resets the machine: ACPI reset register, keyboard controller, PSCI SYSTEM_RESET. */
[[noreturn]] void arch_reboot(void);

/*
 * Ends QEMU with an exit status for test runs: isa-debug-exit on x86_64 (status (code << 1) | 1), semihosting
 * on aarch64. Powers off where neither is there.
 */
[[noreturn]] void arch_exit_emulator(unsigned code);
