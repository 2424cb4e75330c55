/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What x86_64 keeps of a thread that does not run. */
#pragma once

struct arch_thread {
	u64 sp;	     /* kernel stack pointer; entry.S knows this offset */
	void *fpu;   /* FPU area at the top of the kernel stack */
	u64 fs_base; /* user values; stale while the thread runs if user code can change them */
	u64 gs_base;
	bool user;	   /* has user state (false for kernel threads) */
	bool fpu_detached; /* the state is in memory and being changed there: neither save nor load
			    */
	u32 fpu_cpu;	   /* whose registers may still hold that state */
	u64 trap_number;   /* of the last exception in user mode, for struct sigcontext */
	u64 error_code;
	u64 fault_address;
	bool step_forced;     /* the trap flag in the frame is a debugger's, not the program's */
	u32 debug_control;    /* DR7 in user mode: 0, no breakpoints */
	u64 debug_address[4]; /* DR0 to DR3 */
	u64 debug_status;     /* DR6 as a debugger sees it */
};
