/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of processes when memory runs out. */
#pragma once

#include <lib/types.h>

struct process;

/* How much would be gained by ending the process, in pages, shifted by oom_score_adj; 0: it must not be chosen. */
u64 oom_badness(struct process *process);

/* vm.panic_on_oom: do not kill, but panic. */
extern u32 oom_panics;
