/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of nothing but words, between a thread that calls and one that waits for it: the words go from the registers of one to those of
 * the other, and each way is one switch. What does not fit this (nobody waits, a payload, a queue that is not empty) is left to
 * channel_call.c before anything has happened.
 */
#include <arch/frame.h>
#include <ipc/channel_priv.h>
#include <lib/errno.h>

static inline void words_copy(struct trap_frame *to, const struct trap_frame *from)
{
	for (unsigned i = 1; i <= CHANNEL_WORDS; i++)
		frame_set_argument(to, i, frame_argument(from, i));
}

/* Gives the call to the receiver that came last: its thread, or null if none waits for words. */
static inline struct thread *deliver_locked(struct channel *channel, struct channel_call *call,
					    u64 badge) __must_hold(&channel->lock)
{
	struct channel_receiver *waiting;
	struct thread *thread;

	if (unlikely(list_empty(&channel->receivers)))
		return nullptr;
	waiting = list_first(&channel->receivers, struct channel_receiver, node);
	if (unlikely(!waiting->frame))
		return nullptr;
	list_remove(&waiting->node);
	words_copy(waiting->frame, call->frame);
	frame_set_argument(waiting->frame, CHANNEL_WORDS + 1, badge);
	thread = waiting->thread;
	thread->channel_held = call;
	waiting->status = CHANNEL_IN_FRAME;
	__atomic_store_n(&waiting->done, true, __ATOMIC_RELEASE);
	return thread;
}

/* Something else was answered than words. */
static __noinline int take_answer(struct channel_call *call, int result,
				  struct channel_message *answer)
{
	if (!result) {
		*answer = call->message;
		call->message.payload = nullptr;
	}
	return result;
}

int channel_call_words(struct object *sender, u64 badge, struct trap_frame *frame,
		       struct channel_message *answer) __no_lock_analysis
{
	struct channel *channel = channel_of(sender);
	struct channel_call *call = current_thread()->channel_call;
	struct thread *receiver;
	irqflags_t irq;

	if (unlikely(!call || __atomic_load_n(&call->refs, __ATOMIC_ACQUIRE) != 1)) {
		call = channel_own_call();
		if (!call)
			return -ENOMEM;
	}
	irq = arch_irq_save();
	call->frame = frame;
	call->label = channel->label;
	call->state = CALL_WAITING;
	call->refs = 2;
	wait_prepare(SLEEP_INTERRUPTIBLE);
	spin_lock_raw(&channel->lock); /* as by spin_lock: interrupts are masked */
	receiver = deliver_locked(channel, call, badge);
	spin_unlock_raw(&channel->lock);
	if (unlikely(!receiver)) {
		call->refs = 1;
		wait_cancel();
		arch_irq_restore(irq);
		return CHANNEL_SLOW;
	}
	channel_switch_to(receiver, irq);
	if (likely(__atomic_load_n(&call->state, __ATOMIC_ACQUIRE) == CALL_IN_FRAME))
		return CHANNEL_IN_FRAME;
	return take_answer(call, channel_await_answer(channel, call), answer);
}

/* Answers a call that came as a message. */
static __noinline struct thread *answer_message(struct channel_call *call,
						const struct trap_frame *frame)
{
	for (unsigned i = 0; i < CHANNEL_WORDS; i++)
		call->message.words[i] = frame_argument(frame, i + 1);
	call->message.payload = nullptr;
	return channel_call_finish(call, CALL_REPLIED);
}

/* Answers into the caller's registers: the thread to wake, or null if it waits no longer. With interrupts masked (C3, C5). */
static inline struct thread *answer_words(struct channel_call *call, const struct trap_frame *frame)
{
	struct thread *caller = call->caller;
	u32 expected = CALL_WAITING;

	if (unlikely(!call->frame))
		return answer_message(call, frame);
	if (unlikely(!__atomic_compare_exchange_n(&call->state, &expected, CALL_REPLYING, false,
						  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))) {
		channel_call_put(call);
		return nullptr;
	}
	words_copy(call->frame, frame);
	call->refs = 1; /* the caller touches nothing while it is REPLYING */
	__atomic_store_n(&call->state, CALL_IN_FRAME, __ATOMIC_RELEASE);
	return caller;
}

int channel_reply_receive_words(struct object *receiver, struct trap_frame *frame,
				struct channel_message *out) __no_lock_analysis
{
	struct channel *channel = channel_of(receiver);
	struct thread *self = current_thread(), *caller = nullptr;
	struct channel_call *call = self->channel_held;
	__uninitialized struct channel_receiver waiting;
	irqflags_t irq;

	irq = arch_irq_save();
	spin_lock_raw(&channel->lock); /* as by spin_lock: interrupts are masked */
	if (unlikely(!list_empty(&channel->messages) || channel->sender_gone ||
		     channel->receiver_gone)) {
		spin_unlock_raw(&channel->lock);
		arch_irq_restore(irq);
		return CHANNEL_SLOW;
	}
	if (likely(call))
		caller = answer_words(call, frame);
	self->channel_held = nullptr; /* before another call can be delivered */
	waiting.thread = self;
	waiting.out = out;
	waiting.frame = frame;
	waiting.done = false;
	waiting.status = 0;
	wait_prepare(SLEEP_INTERRUPTIBLE);
	list_add(&channel->receivers, &waiting.node);
	spin_unlock_raw(&channel->lock);
	if (likely(caller))
		channel_switch_to(caller, irq);
	else
		arch_irq_restore(irq);
	if (likely(__atomic_load_n(&waiting.done, __ATOMIC_ACQUIRE)))
		return waiting.status;
	return channel_await_message(channel, &waiting);
}
