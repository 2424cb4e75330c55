/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other CPUs: found in the device tree, started through PSCI. */
#include <arch/barrier.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/smp.h>
#include <lib/errno.h>
#include <lib/string.h>

#include "arm_priv.h"

#define MPIDR_AFFINITY 0xff00fffffful

static u64 mpidrs[CPU_MAX];
static unsigned cpu_count;

struct secondary_start secondary_start;

void smp_init(void)
{
	const struct device_tree *dt = &firmware_tree;
	dt_node cpus = device_tree_find_path(dt, "/cpus");
	u64 self = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;

	mpidrs[0] = self;
	cpu_count = 1;
	for (dt_node node = device_tree_first_child(dt, cpus);
	     node != DT_NONE && cpu_count < CPU_MAX; node = device_tree_next_sibling(dt, node)) {
		const char *type = device_tree_string(dt, node, "device_type");
		u64 mpidr;

		if (!type || strcmp(type, "cpu") != 0 || !device_tree_enabled(dt, node) ||
		    !device_tree_number(dt, node, "reg", &mpidr) || mpidr == self)
			continue;
		mpidrs[cpu_count++] = mpidr;
	}
}

unsigned arch_cpu_count(void)
{
	return cpu_count;
}

u64 cpu_mpidr(unsigned cpu)
{
	return mpidrs[cpu];
}

int arch_cpu_start(unsigned cpu, void *kstack_top, unsigned long percpu, struct thread *idle,
		   void (*entry)(unsigned cpu))
{
	int error;

	if (cpu >= cpu_count)
		return -EINVAL;
	secondary_start = (struct secondary_start){
		.kstack_top = kstack_top, .percpu = percpu, .idle = idle, .entry = entry, .cpu = cpu
	};
	arch_mb();
	error = psci_cpu_on(mpidrs[cpu], image_to_phys(secondary_entry), 0);
	while (!error && !__atomic_load_n(&secondary_start.taken, __ATOMIC_ACQUIRE))
		arch_pause();
	return error;
}

void secondary_main(void)
{
	struct secondary_start start = secondary_start;

	__atomic_store_n(&secondary_start.taken, true, __ATOMIC_RELEASE);
	cpu_features_init_secondary();
	gic_init_cpu();
	timer_init_cpu();
	start.entry(start.cpu);
	arch_halt();
}
