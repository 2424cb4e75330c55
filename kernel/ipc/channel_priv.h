/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside channels: the queue, and receivers that wait. */
#pragma once

#include <core/wait.h>
#include <ipc/channel.h>
#include <sched/thread.h>

/* A thread in channel_receive, on its stack. */
struct channel_receiver {
	struct list_head node; /* in channel.receivers until somebody delivers */
	struct thread *thread;
	struct channel_message *out;
	struct trap_frame *frame; /* where words alone may be put instead; else null */
	bool done;  /* atomic: `out` or `status` is set, and nobody else looks at this any more */
	int status; /* 0, -EPIPE or CHANNEL_IN_FRAME */
};

struct channel {
	u32 refs; /* atomic: one per end */
	unsigned limit;
	u32 label;		     /* atomic; only sinks */
	struct memory_charge charge; /* of messages in the queue */
	struct spinlock lock;	     /* RANK_CHANNEL */
	struct list_head messages __guarded_by(&lock);
	unsigned queued __guarded_by(&lock);
	struct list_head receivers __guarded_by(&lock); /* the last to come first: it is warm */
	bool receiver_gone __guarded_by(&lock), sender_gone __guarded_by(&lock);
	struct channel_end receiver, sender;
};

static inline struct channel *channel_of(struct object *object)
{
	return container_of(object, struct channel_end, object)->channel;
}

/* What a message in the queue takes; one of a call is part of that. */
u64 channel_message_bytes(const struct channel_message *message);

/* The current thread's call, ready for use; null: no memory. */
struct channel_call *channel_own_call(void);
/* The end of a call that nobody waits for any more, with interrupts masked (C5); takes it over. The thread to wake, or null. */
[[nodiscard]] struct thread *channel_call_finish(struct channel_call *call,
						 enum channel_call_state state);

/* Waits for the end of a call, of which the current thread may have been told: 0, CHANNEL_IN_FRAME, -errno as channel_call. */
[[nodiscard]] int channel_await_answer(struct channel *channel, struct channel_call *call);
/* Waits until something was delivered: `status` of it, or -ERESTARTSYS. */
[[nodiscard]] int channel_await_message(struct channel *channel, struct channel_receiver *self);

static inline bool channel_call_ended(const struct channel_call *call)
{
	return __atomic_load_n(&call->state, __ATOMIC_ACQUIRE) > CALL_REPLYING;
}

/* Lets `wake` run on the time of the current thread, which is prepared to sleep and afterwards is not; interrupts are masked, then as
 * `irq`. */
static inline void channel_switch_to(struct thread *wake, irqflags_t irq)
{
	if (likely(thread_hand_over(wake, irq)))
		return;
	wait_cancel();
	thread_wake(wake);
	arch_irq_restore(irq);
}

void channel_call_free(struct channel_call *call);
static inline void channel_call_put(struct channel_call *call)
{
	if (__atomic_fetch_sub(&call->refs, 1, __ATOMIC_ACQ_REL) == 1)
		channel_call_free(call);
}
