/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deferred work: functions run later by a kernel thread, where they may sleep. */
#pragma once

#include <lib/list.h>
#include <lib/types.h>

struct work {
	struct list_head node;
	void (*fn)(struct work *work);
	bool queued;
};

void work_init(struct work *work, void (*fn)(struct work *work));

/* Queues the work; returns false if it was queued already. It may queue itself again. Any context. */
bool work_queue(struct work *work);

/* Waits until all work queued before has run. May sleep. */
void work_flush(void);

/* Main function of the kernel thread that runs work; started at boot. */
void work_thread(void *unused);
