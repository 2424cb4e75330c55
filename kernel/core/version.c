/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's name and version. No build date: the same sources make the same image. */
#include <core/version.h>

const char kernel_release[] = "6.1.0-cairn";
const char kernel_version[] = "#1 SMP PREEMPT Cairn";
