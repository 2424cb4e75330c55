/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power: the Power State Coordination Interface (Arm DEN 0022), by hvc or smc as the device tree
 * says. */
#include <arch/cpu.h>
#include <arch/power.h>
#include <lib/errno.h>
#include <lib/string.h>

#include "arm_priv.h"

#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_SYSTEM_RESET 0x84000009
#define PSCI_CPU_ON 0xc4000003

#define PSCI_ALREADY_ON -4

static enum { CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC } conduit;
static u32 cpu_on_function = PSCI_CPU_ON;

static s32 psci_call(u64 function, u64 a, u64 b, u64 c)
{
	register u64 x0 asm("x0") = function;
	register u64 x1 asm("x1") = a;
	register u64 x2 asm("x2") = b;
	register u64 x3 asm("x3") = c;

	if (conduit == CONDUIT_HVC)
		asm volatile("hvc #0"
			     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			     :
			     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
			       "x14", "x15", "x16", "x17", "memory");
	else
		asm volatile("smc #0"
			     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			     :
			     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
			       "x14", "x15", "x16", "x17", "memory");
	return (s32)x0;
}

void psci_init(void)
{
	static const char *const names[] = { "arm,psci-1.0", "arm,psci-0.2", "arm,psci" };
	const struct device_tree *dt = &firmware_tree;
	dt_node node = DT_NONE;
	const char *method;

	for (unsigned i = 0; i < ARRAY_SIZE(names) && node == DT_NONE; i++)
		node = device_tree_find_compatible(dt, DT_NONE, names[i]);
	method = device_tree_string(dt, node, "method");
	if (!method)
		return;
	if (strcmp(method, "hvc") == 0)
		conduit = CONDUIT_HVC;
	else if (strcmp(method, "smc") == 0)
		conduit = CONDUIT_SMC;
	(void)device_tree_cell(dt, node, "cpu_on", 0, &cpu_on_function);
}

int psci_cpu_on(u64 mpidr, paddr_t entry, u64 context)
{
	s32 result;

	if (conduit == CONDUIT_NONE)
		return -ENOSYS;
	result = psci_call(cpu_on_function, mpidr, entry, context);
	if (result == PSCI_ALREADY_ON)
		return -EALREADY;
	return result ? -EIO : 0;
}

void arch_power_off(void)
{
	if (conduit != CONDUIT_NONE)
		(void)psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
	arch_halt();
}

void arch_reboot(void)
{
	if (conduit != CONDUIT_NONE)
		(void)psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
	arch_halt();
}

/* QEMU only has an exit status through semihosting, which a machine need not have, so there is just
 * the switch. */
void arch_exit_emulator(unsigned code)
{
	(void)code;
	arch_power_off();
}
