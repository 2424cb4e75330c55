/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network thread: what interrupts and timers want done to packets and connections, where
 * spinlocks may be taken that interrupts do not mask. Tasks run with preemption on.
 */
#pragma once

#include <core/time.h>
#include <lib/list.h>

struct net_task {
	struct list_head node;
	void (*run)(struct net_task *task);
	bool queued;
};
void net_task_init(struct net_task *task, void (*run)(struct net_task *task));
/* Has the task run soon; again if it is running. False if it was queued already. Any context. */
bool net_task_queue(struct net_task *task);

/* A timer whose function runs in the network thread. */
struct net_timer {
	struct timer timer;
	struct net_task task;
};
void net_timer_init(struct net_timer *timer, void (*run)(struct net_task *task));

/* Boot. */
void net_thread_init(void);
