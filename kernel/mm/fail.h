/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failing allocations, of debug builds: /proc/pid/fail-nth makes the Nth allocation of a thread fail, of whatever kind (the file is as in
 * Linux's fault injection).
 */
#pragma once

#include <core/thread_base.h>
#include <mm/frame.h>

/* Shall the allocation that the current thread begins fail? Not those of interrupts in between. */
static inline bool allocation_fails(u32 flags)
{
#ifdef CONFIG_DEBUG
	struct thread_base *thread = current_base();

	if (unlikely(thread->fail_nth) && !(flags & ALLOC_BOOT) &&
	    thread->preempt_count < PREEMPT_INTERRUPT)
		return --thread->fail_nth == 0;
#endif
	return false;
}
