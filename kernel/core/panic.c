/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end: what is printed when the kernel finds itself broken, and what happens then. */
#include <arch/irqflags.h>
#include <arch/power.h>
#include <arch/regs.h>
#include <arch/trap.h>
#include <core/command_line.h>
#include <core/irq.h>
#include <core/log.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>

s64 panic_seconds;
static u32 panic_cpu; /* number + 1 of the CPU that panics first */

static int set_panic(const char *value)
{
	return parse_s64(value, 10, &panic_seconds);
}
KERNEL_PARAMETER("panic=", set_panic);

static bool print_frame(vaddr_t pc, void *arg)
{
	u64 offset, size;
	/* A return address may be the first byte after a function that ends with a call. */
	const char *name = ksym_lookup(pc - 1, &offset, &size);

	(void)arg;
	if (name)
		log_error("  %016lx %s+%#llx/%#llx", (unsigned long)pc, name,
			  (unsigned long long)offset + 1, (unsigned long long)size);
	else
		log_error("  %016lx", (unsigned long)pc);
	return true;
}

void backtrace_print_thread(const struct arch_thread *at)
{
	arch_backtrace_thread(at, print_frame, nullptr);
}

void backtrace_print(const struct trap_frame *frame)
{
	log_error("call trace:");
	arch_backtrace(frame, print_frame, nullptr);
}

/* Makes this CPU the one that panics; a second panic there, or on another CPU, gets no further. */
static void begin(void)
{
	u32 self, none = 0;

	arch_irq_disable();
	self = cpu_id() + 1;
	if (!__atomic_compare_exchange_n(&panic_cpu, &none, self, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		if (none == self)
			log_error("panic while panicking");
		arch_halt();
	}
	for_each_cpu (cpu) {
		if (cpu + 1 != self)
			arch_ipi_send(cpu, IPI_STOP);
	}
	current_base()->preempt_count++;
	log_enter_panic();
}

[[noreturn]] static void finish(const char *message)
{
	log_write(LOG_EMERGENCY, "---[ end Kernel panic - not syncing: %s ]---", message);
	if (panic_seconds > 0) {
		log_write(LOG_EMERGENCY, "Rebooting in %lld seconds..", (long long)panic_seconds);
		delay_ns((u64)panic_seconds * NSEC_PER_SEC);
	}
	if (panic_seconds)
		arch_reboot();
	arch_halt();
}

void panic(const char *fmt, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	begin();
	log_write(LOG_EMERGENCY, "Kernel panic - not syncing: %s", message);
	backtrace_print(nullptr);
	finish(message);
}

void assert_failed(const char *expression, const char *file, int line)
{
	panic("%s:%d: assertion failed: %s", file, line, expression);
}

void trap_kernel_exception(struct trap_frame *frame, const char *what, vaddr_t address)
{
	char message[128];

	begin();
	snprintf(message, sizeof(message), "%s in the kernel, address %#lx", what,
		 (unsigned long)address);
	log_write(LOG_EMERGENCY, "Kernel panic - not syncing: %s", message);
	arch_frame_print(frame);
	backtrace_print(frame);
	finish(message);
}
