/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests with several threads (foo_race.c), for code that sees only kernel headers. */
#pragma once

#include <lib/types.h>

/* Runs body(0) to body(count - 1) at the same time, each as a thread of the kernel, and waits for their ends. */
void host_race(unsigned count, void (*body)(unsigned number));

/* What a thread does at the end of a system call: it uses no handle any more; true if one of them was revoked meanwhile. */
bool host_call_end(void);
