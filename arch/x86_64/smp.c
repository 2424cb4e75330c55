/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several CPUs: who is there, starting them one at a time (Intel SDM volume 3, 9.4), interrupts
 * between them. */
#include <arch/layout.h>
#include <arch/mmu.h>
#include <arch/smp.h>
#include <core/percpu.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/frame.h>

#include "acpi.h"
#include "boot.h"
#include "cpu_features.h"
#include "descriptor.h"
#include "entry.h"
#include "fpu.h"
#include "lapic.h"
#include "smp.h"
#include "timer.h"

#define INIT_DELAY_NS (10 * NSEC_PER_MSEC) /* for hardware; emulated CPUs need none */
#define STARTUP_DELAY_NS (200 * NSEC_PER_USEC)
#define START_TIMEOUT_NS NSEC_PER_SEC
#define IST_ORDER 2

extern const char x86_trampoline[], x86_trampoline_end[];

/* What the CPU that is starting needs, and its answer. */
struct x86_cpu_boot {
	u64 root;
	void *stack;
	unsigned long percpu;
	void *kstack_top, *ist_stacks;
	void (*entry)(unsigned cpu);
	unsigned cpu;
	bool started; /* atomic */
};
struct x86_cpu_boot x86_cpu_boot;
static_assert(offsetof(struct x86_cpu_boot, root) == CPU_BOOT_ROOT);
static_assert(offsetof(struct x86_cpu_boot, stack) == CPU_BOOT_STACK);
static_assert(offsetof(struct x86_cpu_boot, percpu) == CPU_BOOT_PERCPU);
static_assert(IST_COUNT * IST_STACK_SIZE == PAGE_SIZE << IST_ORDER);

[[noreturn]] void x86_cpu_main(void);

void x86_smp_init(void)
{
	u32 boot = lapic_id(), first = acpi_info.cpu_apic_id[0];

	for (unsigned i = 0; i < acpi_info.cpu_count; i++) {
		if (acpi_info.cpu_apic_id[i] == boot)
			acpi_info.cpu_apic_id[i] = first;
	}
	acpi_info.cpu_apic_id[0] = boot;
	if (!acpi_info.cpu_count)
		acpi_info.cpu_count = 1;
}

unsigned arch_cpu_count(void)
{
	return acpi_info.cpu_count;
}

/* The new CPU's first C function; its per-CPU data and its stack are in place. */
void x86_cpu_main(void)
{
	const struct x86_cpu_boot *boot = &x86_cpu_boot;
	void (*entry)(unsigned cpu) = boot->entry;
	unsigned cpu = boot->cpu;

	x86_descriptors_load(boot->kstack_top, boot->ist_stacks);
	x86_features_enable();
	x86_cpu_number_set(cpu);
	lapic_enable();
	x86_timer_enable();
	__atomic_store_n(&x86_cpu_boot.started, true, __ATOMIC_RELEASE);
	entry(cpu);
	__builtin_unreachable();
}

static void trampoline_prepare(void)
{
	pte_t *root = (pte_t *)(DIRECT_MAP_BASE + TRAMPOLINE_ROOT);
	pte_t *table2 = (pte_t *)(DIRECT_MAP_BASE + TRAMPOLINE_TABLE2);
	pte_t *table1 = (pte_t *)(DIRECT_MAP_BASE + TRAMPOLINE_TABLE1);

	memcpy((void *)(DIRECT_MAP_BASE + TRAMPOLINE), x86_trampoline,
	       x86_trampoline_end - x86_trampoline);
	memcpy(root, kernel_root, PAGE_SIZE);
	memset(table2, 0, PAGE_SIZE);
	memset(table1, 0, PAGE_SIZE);
	root[0] = pte_table(TRAMPOLINE_TABLE2);
	table2[0] = pte_table(TRAMPOLINE_TABLE1);
	table1[0] = pte_leaf(0, MMU_READ | MMU_EXEC, 1);
}

static bool wait_started(u64 timeout_ns)
{
	u64 end = clock_monotonic_ns() + timeout_ns;
	do {
		if (__atomic_load_n(&x86_cpu_boot.started, __ATOMIC_ACQUIRE))
			return true;
		arch_pause();
	} while (clock_monotonic_ns() < end);
	return false;
}

static bool send_start(u32 apic_id)
{
	u32 startup = LAPIC_ICR_STARTUP | LAPIC_ICR_ASSERT | TRAMPOLINE >> PAGE_SHIFT;

	lapic_send(apic_id, LAPIC_ICR_INIT | LAPIC_ICR_ASSERT);
	if (!x86_features.hypervisor)
		delay_ns(INIT_DELAY_NS);
	lapic_send(apic_id, startup);
	if (wait_started(STARTUP_DELAY_NS))
		return true;
	lapic_send(apic_id, startup);
	return wait_started(START_TIMEOUT_NS);
}

int arch_cpu_start(unsigned cpu, void *kstack_top, unsigned long percpu, struct thread *idle,
		   void (*entry)(unsigned cpu))
{
	if (cpu == 0 || cpu >= acpi_info.cpu_count)
		return -EINVAL;
	char *ist_stacks = page_alloc_address(IST_ORDER, 0);
	if (!ist_stacks)
		return -ENOMEM;
	*(struct thread **)((uintptr_t)&x86_current + percpu) = idle;
	*(unsigned long *)((uintptr_t)&x86_percpu_offset + percpu) = percpu;
	x86_cpu_boot = (struct x86_cpu_boot){
		.root = arch_mmu_kernel_root(),
		.stack = (char *)kstack_top - X86_FPU_AREA_SIZE,
		.percpu = percpu,
		.kstack_top = kstack_top,
		.ist_stacks = ist_stacks,
		.entry = entry,
		.cpu = cpu,
	};
	trampoline_prepare();
	if (send_start(acpi_info.cpu_apic_id[cpu]))
		return 0;
	/* It may still come, so its stacks stay. */
	return -ETIMEDOUT;
}

void arch_ipi_send(unsigned cpu, enum ipi kind)
{
	if (cpu < acpi_info.cpu_count)
		lapic_send(acpi_info.cpu_apic_id[cpu],
			   LAPIC_ICR_FIXED | LAPIC_ICR_ASSERT | (VECTOR_IPI + kind));
}
