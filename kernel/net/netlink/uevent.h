/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling udev of devices. */
#pragma once

#include <lib/types.h>

/*
 * Announces a device: `action` "add", "remove", "change"; `path` as below /sys ("/devices/..."); `variables` are pairs of name and
 * value with a null at the end (MAJOR, MINOR, DEVNAME, DEVTYPE, INTERFACE...), or null. May sleep for memory.
 */
void uevent_emit(const char *action, const char *path, const char *subsystem,
		 const char *const *variables);
/* /sys/kernel/uevent_seqnum. */
u64 uevent_number(void);
