/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Promises of tasks, as the entry of system calls asks for them; cairn_pledge, abi/native/cairn/confine.h. */
#pragma once

struct trap_frame;

/* May the current task, which pledged, make this call? 0; -EPERM, recorded in its silo; -ENOSYS: clone3 without processes. */
[[nodiscard]] int pledge_check(const struct trap_frame *frame);
