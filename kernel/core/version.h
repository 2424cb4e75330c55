/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What uname(2) and /proc/version say of the kernel. */
#pragma once

extern const char kernel_release[]; /* "6.1.0-cairn": the version of Linux whose ABI this is */
extern const char kernel_version[]; /* "#1 SMP PREEMPT ..." */
