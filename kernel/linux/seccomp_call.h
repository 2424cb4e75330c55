/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What prctl(2) shares with seccomp(2). */
#pragma once

/* PR_SET_SECCOMP: `mode` is SECCOMP_MODE_*, `filter` a user address. */
long seccomp_prctl_set(unsigned long mode, unsigned long filter);
