/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The value by which functions that hold arrays notice that their frame was overrun (-fstack-protector-strong). */
#pragma once

/*
 * Draws the value; it is fixed before, for the time before random numbers. Functions that are running notice a difference
 * when they return: those that are active now must be ones that never do. Once, at boot, on one CPU.
 */
void stack_guard_init(void);
