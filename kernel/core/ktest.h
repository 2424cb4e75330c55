/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests in the kernel (lib/test.h); their runner is there in a KTEST=1 build only. */
#pragma once

/* Runs the tests that ktest= asks for and ends the emulator; returns if there is no ktest=. In a thread. */
[[gnu::weak]] void ktest_run(void);
