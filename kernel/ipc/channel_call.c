/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sending, receiving, calling, replying. The theory is in channel.h. */
#include <ipc/channel_priv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/eventpoll.h>

static void copy_contents(struct channel_message *to, const struct channel_message *from)
{
	for (unsigned i = 0; i < CHANNEL_WORDS; i++)
		to->words[i] = from->words[i];
	to->payload = from->payload;
}

/* --- calls --- */

void channel_call_free(struct channel_call *call)
{
	channel_payload_free(call->message.payload);
	kfree(call);
}

struct channel_call *channel_own_call(void)
{
	struct thread *self = current_thread();
	struct channel_call *call = self->channel_call;

	if (unlikely(!call || __atomic_load_n(&call->refs, __ATOMIC_ACQUIRE) != 1)) {
		if (call)
			channel_call_put(call);
		self->channel_call = call = kzalloc(sizeof(*call), 0);
		if (!call)
			return nullptr;
		call->refs = 1;
		call->caller = self;
		list_init(&call->message.node);
	}
	call->state = CALL_WAITING;
	call->frame = nullptr;
	return call;
}

struct thread *channel_call_finish(struct channel_call *call, enum channel_call_state state)
{
	struct thread *caller = call->caller;
	u32 expected = CALL_WAITING;
	bool waits = __atomic_compare_exchange_n(&call->state, &expected, state, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);

	channel_call_put(call);
	return waits ? caller : nullptr;
}

void channel_call_drop(struct channel_call *call)
{
	irqflags_t flags = arch_irq_save();
	struct thread *caller = channel_call_finish(call, CALL_DROPPED);

	if (caller)
		thread_wake(caller);
	arch_irq_restore(flags);
}

void channel_hold(struct channel_call *call)
{
	struct thread *self = current_thread();
	struct channel_call *former = self->channel_held;

	self->channel_held = call;
	if (former)
		channel_call_drop(former);
}

struct channel_call *channel_held_take(void)
{
	struct thread *self = current_thread();
	struct channel_call *call = self->channel_held;

	self->channel_held = nullptr;
	return call;
}

void channel_thread_exit(void)
{
	struct thread *self = current_thread();

	channel_hold(nullptr);
	if (self->channel_call)
		channel_call_put(self->channel_call);
	self->channel_call = nullptr;
}

/* --- delivering --- */

/* Gives a message to a waiting receiver: the thread to wake, or null if none waits. */
static struct thread *deliver_locked(struct channel *channel, struct channel_message *message)
	__must_hold(&channel->lock)
{
	struct channel_receiver *waiting;
	struct thread *thread;

	if (list_empty(&channel->receivers))
		return nullptr;
	waiting = list_first(&channel->receivers, struct channel_receiver, node);
	list_remove(&waiting->node);
	thread = waiting->thread;
	copy_contents(waiting->out, message);
	waiting->out->badge = message->badge;
	waiting->out->call = message->call;
	message->payload = nullptr; /* it is the receiver's now */
	__atomic_store_n(&waiting->done, true, __ATOMIC_RELEASE);
	return thread;
}

static void queue_locked(struct channel *channel, struct channel_message *message)
	__must_hold(&channel->lock)
{
	list_add_tail(&channel->messages, &message->node);
	channel->queued++;
}

/* Delivers or queues: 1 when delivered (*wake), 0 when queued, -EPIPE, -EAGAIN. */
static int put_locked(struct channel *channel, struct channel_message *message,
		      struct thread **wake) __must_hold(&channel->lock)
{
	if (unlikely(channel->receiver_gone))
		return -EPIPE;
	*wake = deliver_locked(channel, message);
	if (*wake)
		return 1;
	if (channel->queued >= channel->limit)
		return -EAGAIN;
	queue_locked(channel, message);
	return 0;
}

int channel_send(struct object *sender, const struct channel_message *from, u32 flags)
{
	struct channel *channel = channel_of(sender);
	struct channel_message *message = kmalloc(sizeof(*message), 0);
	struct thread *wake;
	u64 bytes;
	int result;

	if (!message)
		return -ENOMEM;
	*message = *from;
	if (!memory_charge_more(&channel->charge, channel_message_bytes(message))) {
		kfree(message);
		return -ENOMEM;
	}
	bytes = channel_message_bytes(message);
	list_init(&message->node);
	for (;;) {
		irqflags_t irq = arch_irq_save();

		spin_lock(&channel->lock);
		result = put_locked(channel, message, &wake);
		spin_unlock(&channel->lock);
		if (result == 1)
			thread_wake(wake);
		arch_irq_restore(irq);
		if (result != -EAGAIN || flags & CHANNEL_NONBLOCK)
			break;
		result = object_wait(sender, EPOLLOUT, NO_DEADLINE);
		if (result)
			break;
	}
	if (result) {
		memory_charge_less(&channel->charge, bytes);
		kfree(message); /* delivered by value, or not at all: then the payload stays the caller's */
	} else {
		object_notify(&channel->receiver.object, EPOLLIN | EPOLLRDNORM);
	}
	return MIN(result, 0);
}

/* --- calling --- */

/* A signal came: takes the question back, or leaves whoever has it alone with it (C4). */
static int give_up(struct channel *channel, struct channel_call *call)
{
	u32 expected = CALL_WAITING;
	bool unseen;

	spin_lock(&channel->lock);
	unseen = !list_empty(&call->message.node);
	if (unseen) {
		list_remove(&call->message.node);
		channel->queued--;
	}
	spin_unlock(&channel->lock);
	if (unseen) {
		memory_charge_less(&channel->charge, channel_message_bytes(&call->message));
		channel_call_put(call);
		object_notify(&channel->sender.object, EPOLLOUT | EPOLLWRNORM);
		return -ERESTARTSYS;
	}
	if (!__atomic_compare_exchange_n(&call->state, &expected, CALL_ABANDONED, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		while (!channel_call_ended(call)) /* it is being written, with interrupts masked */
			arch_pause();
		return 0;
	}
	current_thread()->channel_call = nullptr;
	channel_call_put(call);
	return -EINTR;
}

int channel_await_answer(struct channel *channel, struct channel_call *call)
{
	while (!channel_call_ended(call)) {
		wait_prepare(SLEEP_INTERRUPTIBLE);
		if (channel_call_ended(call))
			break;
		if (wait_sleep(NO_DEADLINE)) {
			int error = give_up(channel, call);

			if (error)
				return error;
		}
	}
	wait_cancel();
	if (call->state == CALL_DROPPED)
		return -EPIPE;
	return call->state == CALL_IN_FRAME ? CHANNEL_IN_FRAME : 0;
}

/*
 * Puts the question: 0 and the thread that got it, or null. On success interrupts are masked, and the thread is prepared to sleep: since
 * before anybody could answer, so that a hand-over finds out.
 */
static int ask(struct channel *channel, struct channel_call *call, struct thread **wake, u32 flags,
	       irqflags_t *irq)
{
	u64 bytes = channel_message_bytes(&call->message);
	int result;

	if (!memory_charge_more(&channel->charge, bytes))
		return -ENOMEM;
	for (;;) {
		*irq = arch_irq_save();
		wait_prepare(SLEEP_INTERRUPTIBLE);
		spin_lock(&channel->lock);
		result = put_locked(channel, &call->message, wake);
		spin_unlock(&channel->lock);
		if (likely(result >= 0))
			break;
		wait_cancel();
		arch_irq_restore(*irq);
		if (result != -EAGAIN || flags & CHANNEL_NONBLOCK)
			break;
		result = object_wait(&channel->sender.object, EPOLLOUT, NO_DEADLINE);
		if (result)
			break;
	}
	if (result) /* it is in no queue */
		memory_charge_less(&channel->charge, bytes);
	return MIN(result, 0);
}

int channel_call(struct object *sender, struct channel_message *message, u32 flags)
{
	struct channel *channel = channel_of(sender);
	struct channel_call *call = channel_own_call();
	struct thread *wake;
	irqflags_t irq;
	int error;

	if (!call)
		return -ENOMEM;
	copy_contents(&call->message, message);
	call->message.badge = message->badge;
	call->message.call = call;
	call->label = READ_ONCE(channel->label);
	call->refs = 2;
	error = ask(channel, call, &wake, flags, &irq);
	if (unlikely(error)) {
		call->refs = 1;
		call->message.payload = nullptr;
		return error;
	}
	if (wake) {
		channel_switch_to(wake, irq);
	} else {
		arch_irq_restore(irq);
		object_notify(&channel->receiver.object, EPOLLIN | EPOLLRDNORM);
	}
	error = channel_await_answer(channel, call);
	if (error == -EINTR) {
		message->payload = nullptr; /* with whoever has the call */
		return error;
	}
	copy_contents(message, &call->message);
	call->message.payload = nullptr;
	return error;
}

/* --- receiving --- */

/* Takes the oldest message; a call's is part of the call and stays, another one is freed by the caller. */
static struct channel_message *take_locked(struct channel *channel) __must_hold(&channel->lock)
{
	struct channel_message *message;

	if (list_empty(&channel->messages))
		return nullptr;
	message = list_first(&channel->messages, struct channel_message, node);
	list_remove(&message->node);
	channel->queued--;
	return message;
}

/* Moves a queued message to the receiver. */
static void unpack(struct channel *channel, struct channel_message *message,
		   struct channel_message *out)
{
	memory_charge_less(&channel->charge, channel_message_bytes(message));
	*out = *message;
	list_init(&out->node);
	if (message->call)
		message->payload = nullptr;
	else
		kfree(message);
	object_notify(&channel->sender.object, EPOLLOUT | EPOLLWRNORM);
}

/* A signal came: 0 if a message was delivered all the same. */
static int stop_waiting(struct channel *channel, struct channel_receiver *self)
{
	bool done;

	spin_lock(&channel->lock);
	done = self->done;
	list_remove(&self->node);
	spin_unlock(&channel->lock);
	return done ? self->status : -ERESTARTSYS;
}

int channel_await_message(struct channel *channel, struct channel_receiver *self)
{
	while (!__atomic_load_n(&self->done, __ATOMIC_ACQUIRE)) {
		wait_prepare(SLEEP_INTERRUPTIBLE);
		if (__atomic_load_n(&self->done, __ATOMIC_ACQUIRE))
			break;
		if (wait_sleep(NO_DEADLINE))
			return stop_waiting(channel, self);
	}
	wait_cancel();
	return self->status;
}

static int receive(struct channel *channel, struct channel_call *answered,
		   struct channel_message *out, u32 flags)
{
	struct channel_receiver self = { .thread = current_thread(), .out = out };
	irqflags_t irq = arch_irq_save();
	struct channel_message *message;
	struct thread *wake = answered ? channel_call_finish(answered, CALL_REPLIED) : nullptr;
	int result = 0;

	wait_prepare(SLEEP_INTERRUPTIBLE); /* before a message can come */
	spin_lock(&channel->lock);
	message = take_locked(channel);
	if (!message && (channel->sender_gone || channel->receiver_gone))
		result = -EPIPE;
	else if (!message && flags & CHANNEL_NONBLOCK)
		result = -EAGAIN;
	else if (!message)
		list_add(&channel->receivers, &self.node);
	spin_unlock(&channel->lock);
	if (likely(!message && !result)) {
		if (wake)
			channel_switch_to(wake, irq);
		else
			arch_irq_restore(irq);
		return channel_await_message(channel, &self);
	}
	wait_cancel();
	if (wake)
		thread_wake(wake);
	arch_irq_restore(irq);
	if (message)
		unpack(channel, message, out);
	return result;
}

int channel_receive(struct object *receiver, struct channel_message *out, u32 flags)
{
	return receive(channel_of(receiver), nullptr, out, flags);
}

void channel_unreceive(struct object *receiver, struct channel_message *message)
{
	struct channel *channel = channel_of(receiver);
	struct channel_message *queued;

	if (message->call) {
		queued = &message->call->message;
		copy_contents(queued, message);
		queued->call = message->call;
	} else {
		queued = kmalloc(sizeof(*queued), 0);
		if (!queued) {
			channel_payload_free(message->payload);
			return;
		}
		*queued = *message;
	}
	memory_charge_force(&channel->charge, channel_message_bytes(queued));
	spin_lock(&channel->lock);
	list_add(&channel->messages, &queued->node);
	channel->queued++;
	spin_unlock(&channel->lock);
}

/* --- replying --- */

/* True if the caller still waits, so that the answer is its own; else the answer is dropped. */
static bool put_answer(struct channel_call *call, const struct channel_message *answer)
{
	if (unlikely(__atomic_load_n(&call->state, __ATOMIC_ACQUIRE) != CALL_WAITING)) {
		channel_payload_free(answer->payload);
		return false;
	}
	copy_contents(&call->message, answer);
	return true;
}

int channel_reply(struct channel_call *call, const struct channel_message *answer)
{
	bool wanted = put_answer(call, answer);
	irqflags_t irq = arch_irq_save();
	struct thread *caller = channel_call_finish(call, CALL_REPLIED);

	if (caller)
		thread_wake(caller);
	arch_irq_restore(irq);
	return wanted && caller ? 0 : -ECANCELED;
}

int channel_reply_receive(struct channel_call *call, const struct channel_message *answer,
			  struct object *receiver, struct channel_message *out, u32 flags)
{
	(void)put_answer(call, answer);
	return receive(channel_of(receiver), call, out, flags);
}
