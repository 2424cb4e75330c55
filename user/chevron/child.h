/* SPDX-License-Identifier: MIT */
/*
 * A program for a task by hand: machine code that is copied to any address and uses nothing outside of itself. Its handles: slot 0
 * receives from a channel, slot 1 is where it prints. It prints every message that it receives, and answers calls with the same words.
 */
#pragma once

extern const char child_code[] __asm__("__start_child_code");
extern const char child_code_end[] __asm__("__stop_child_code");
