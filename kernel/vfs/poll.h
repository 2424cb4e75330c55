/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for several objects at once: what poll(2), select(2) and the native wait are made of. */
#pragma once

#include <core/wait.h>
#include <obj/object.h>

struct poll_item {
	struct object *object; /* null: `ready` stays as it is. The caller keeps it alive */
	bool owned;	       /* for the caller: it took a reference */
	u32 events;	       /* EPOLL* bits wanted; EPOLLERR and EPOLLHUP always are */
	u32 ready;	       /* result: those of them that are true */

	struct wait_entry entry; /* private to poll.c */
	struct poll_wait_state *state;
};

/*
 * Waits until an item is ready. Returns how many are, 0 when the deadline passed (one in the past:
 * only looks), -ERESTARTSYS. May sleep.
 */
[[nodiscard]] int poll_wait(struct poll_item *items, unsigned n, u64 deadline_ns);
