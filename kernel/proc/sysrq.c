/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The magic SysRq key: asks a machine that hangs what it does. Runs in the interrupt of the console, so it takes spinlocks
 * only that interrupts may take, and what needs more is left to the work thread.
 */
#include <arch/power.h>
#include <core/irq.h>
#include <core/log.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/work.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <proc/proc_priv.h>
#include <proc/sysrq.h>

static struct work work;
static u32 work_letter; /* atomic; 0: nothing to do */

static void print_memory(void)
{
	struct frame_stats f;

	frame_stats(&f);
	log_info("memory: %llu pages, %llu free, %llu reserved", (unsigned long long)f.total,
		 (unsigned long long)f.free, (unsigned long long)f.reserved);
	log_info("anon %llu cache %llu slab %llu kernel %llu tables %llu stacks %llu",
		 (unsigned long long)f.anon, (unsigned long long)f.cache,
		 (unsigned long long)f.slab, (unsigned long long)f.kernel,
		 (unsigned long long)f.page_tables, (unsigned long long)f.kernel_stacks);
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		log_info("order %u: %llu free", order, (unsigned long long)f.free_blocks[order]);
}

/* All processes but init; kernel threads are none. */
static void signal_all(int signo)
{
	siginfo_t info = { .si_signo = signo, .si_code = SI_KERNEL };
	struct process *process;

	for (int next = 2; (process = process_next(next));
	     next = process->pid + 1, process_put(process))
		(void)!signal_send_process(process, &info);
}

static void do_work(struct work *unused)
{
	(void)unused;
	switch (__atomic_exchange_n(&work_letter, 0, __ATOMIC_ACQ_REL)) {
	case 'e':
		signal_all(SIGTERM);
		break;
	case 'f':
		if (!mm_hooks.out_of_memory || !mm_hooks.out_of_memory())
			log_info("sysrq: nobody to end");
		break;
	case 'i':
		signal_all(SIGKILL);
		break;
	}
}

static void defer(char letter)
{
	u32 none = 0;

	if (!__atomic_compare_exchange_n(&work_letter, &none, (u32)letter, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	work_init(&work, do_work);
	work_queue(&work);
}

static void run_command(char letter)
{
	switch (letter) {
	case 'b':
		arch_reboot();
	case 'c':
		panic("sysrq triggered crash");
	case 'o':
		arch_power_off();
	case 'e':
	case 'f':
	case 'i':
		defer(letter);
		break;
	case 'l':
		cpu_dump_all();
		break;
	case 'm':
		print_memory();
		break;
	case 'p':
		cpu_dump();
		break;
	case 'q':
		timer_dump_all();
		break;
	case 't':
		thread_dump_all(false);
		break;
	case 'w':
		thread_dump_all(true);
		break;
	case '0' ... '9':
		break;
	default:
		log_info("sysrq: b reboot, c crash, e terminate all, f end one process for memory, "
			 "i kill all, l all CPUs, "
			 "m memory, o power off, p this CPU, q timers, t threads, "
			 "w blocked threads, 0-9 console level");
	}
}

void sysrq_command(char letter)
{
	unsigned level = log_console_level;

	/* Whoever asks wants to see the answer. */
	log_console_level = LOG_INFO + 1;
	log_info("sysrq: %c", letter);
	run_command(letter);
	log_console_level = letter >= '0' && letter <= '9' ? (unsigned)(letter - '0') : level;
}
