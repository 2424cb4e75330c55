/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a function on other CPUs. */
#pragma once

#include <lib/types.h>

/*
 * Calls fn(arg) in interrupt context on each online CPU of `mask` except this one and returns when all have done it. Preemption is
 * disabled. While waiting this CPU serves the calls of others, so two CPUs may call each other; `fn` must not take locks that callers
 * hold.
 */
void cpu_call(u64 mask, void (*fn)(void *arg), void *arg);

/* Serves a call that waits for this CPU, if there is one. For ipi_received. */
void cpu_call_serve(void);
