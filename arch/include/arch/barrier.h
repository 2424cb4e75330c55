/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contract: ordering against devices. Ordering between CPUs uses the __atomic builtins.
 * <arch/impl/barrier.h> defines arch_mb(), arch_rmb(), arch_wmb() (all memory, including devices)
 * and barrier() (compiler only), and MMIO access: mmio_read8/16/32/64(const volatile void *),
 * mmio_write8/16/32/64(volatile void *, value).
 */
#pragma once

#include <lib/types.h>

#include <arch/impl/barrier.h>
