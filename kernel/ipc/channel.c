/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels: making and ending them, payloads, reply objects, readiness. The theory is in channel.h. */
#include <ipc/channel_label.h>
#include <ipc/channel_priv.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/silo.h>

#include <linux/eventpoll.h>

/* --- payloads --- */

/* Bytes in front of the handles. */
static size_t payload_head(u32 size)
{
	return ALIGN_UP(sizeof(struct channel_payload) + size, alignof(struct handle));
}

static size_t payload_size(u32 size, u32 handle_count)
{
	return payload_head(size) + handle_count * sizeof(struct handle);
}

u64 channel_message_bytes(const struct channel_message *message)
{
	const struct channel_payload *payload = message->payload;

	return (message->call ? 0 : kmalloc_size(sizeof(*message))) +
	       (payload ? kvmalloc_size(payload_size(payload->size, payload->handle_count)) : 0);
}

int channel_payload_create(u32 size, u32 handle_count, struct channel_payload **out)
{
	struct channel_payload *payload = kvmalloc(payload_size(size, handle_count), 0);

	if (!payload)
		return -ENOMEM;
	payload->size = size;
	payload->handle_count = 0;
	payload->handles = (struct handle *)(uintptr_t)((char *)payload + payload_head(size));
	*out = payload;
	return 0;
}

void channel_payload_free(struct channel_payload *payload)
{
	if (!payload)
		return;
	for (u32 i = 0; i < payload->handle_count; i++)
		if (payload->handles[i].object)
			handle_drop(&payload->handles[i]);
	kvfree(payload);
}

/* --- ends --- */

static void drop_message(struct channel_message *message)
{
	struct channel_call *call = message->call;

	if (call) {
		/* The message is part of the call. */
		message->call = nullptr;
		channel_payload_free(message->payload);
		message->payload = nullptr;
		channel_call_drop(call);
		return;
	}
	channel_payload_free(message->payload);
	kfree(message);
}

/* Ends the waits of receivers: there will be no message. */
static void dismiss_receivers(struct channel *channel)
{
	irqflags_t flags = arch_irq_save();

	spin_lock(&channel->lock);
	while (!list_empty(&channel->receivers)) {
		struct channel_receiver *waiting =
			list_first(&channel->receivers, struct channel_receiver, node);
		struct thread *thread = waiting->thread;

		list_remove(&waiting->node);
		waiting->status = -EPIPE;
		__atomic_store_n(&waiting->done, true, __ATOMIC_RELEASE);
		thread_wake(thread);
	}
	spin_unlock(&channel->lock);
	arch_irq_restore(flags);
}

static void receiver_closed(struct object *object)
{
	struct channel *channel = channel_of(object);
	struct list_head dead = LIST_INIT(dead);

	spin_lock(&channel->lock);
	channel->receiver_gone = true;
	list_splice_tail(&dead, &channel->messages);
	channel->queued = 0;
	spin_unlock(&channel->lock);
	while (!list_empty(&dead)) {
		struct channel_message *message = list_first(&dead, struct channel_message, node);

		list_remove(&message->node);
		memory_charge_less(&channel->charge, channel_message_bytes(message));
		drop_message(message);
	}
	dismiss_receivers(channel);
	object_notify(&channel->sender.object, EPOLLERR | EPOLLHUP);
}

static void sender_closed(struct object *object)
{
	struct channel *channel = channel_of(object);

	spin_lock(&channel->lock);
	channel->sender_gone = true;
	spin_unlock(&channel->lock);
	dismiss_receivers(channel);
	object_notify(&channel->receiver.object, EPOLLHUP | EPOLLIN);
}

static u32 receiver_ready(struct object *object)
{
	struct channel *channel = channel_of(object);
	u32 events;

	spin_lock(&channel->lock);
	events = channel->queued ? EPOLLIN | EPOLLRDNORM : 0;
	if (channel->sender_gone)
		events |= EPOLLHUP;
	spin_unlock(&channel->lock);
	return events;
}

static u32 sender_ready(struct object *object)
{
	struct channel *channel = channel_of(object);
	u32 events;

	spin_lock(&channel->lock);
	events = channel->queued < channel->limit ? EPOLLOUT | EPOLLWRNORM : 0;
	if (channel->receiver_gone)
		events |= EPOLLERR | EPOLLHUP;
	spin_unlock(&channel->lock);
	return events;
}

static void free_channel(struct channel *channel)
{
	memory_charge_destroy(&channel->charge);
	kfree(channel);
}

static void channel_free(struct rcu_head *head)
{
	struct channel_end *end = container_of(head, struct channel_end, object.rcu);
	struct channel *channel = end->channel;

	if (__atomic_fetch_sub(&channel->refs, 1, __ATOMIC_ACQ_REL) == 1)
		free_channel(channel);
}

/* An end that never had a handle was not closed either, but its channel has no messages then. */
static void end_destroy(struct object *object)
{
	rcu_call(&object->rcu, channel_free);
}

const struct object_type channel_receiver_type = {
	.name = "channel",
	.default_rights = RIGHTS_ALL & ~(RIGHT_TRANSFER | RIGHT_WRITE | RIGHT_MAP | RIGHT_EXECUTE),
	.closed = receiver_closed,
	.destroy = end_destroy,
	.ready = receiver_ready,
};

const struct object_type channel_sender_type = {
	.name = "channel-sender",
	.default_rights = RIGHTS_ALL & ~(RIGHT_READ | RIGHT_MAP | RIGHT_EXECUTE),
	.closed = sender_closed,
	.destroy = end_destroy,
	.ready = sender_ready,
};

u64 channel_bytes(void)
{
	return kmalloc_size(sizeof(struct channel));
}

void channel_end(struct object *object)
{
	struct channel *channel = channel_of(object);

	receiver_closed(&channel->receiver.object);
	sender_closed(&channel->sender.object);
	memory_charge_end(&channel->charge);
}

int channel_create(struct memory_budget *budget, unsigned limit, struct object **receiver,
		   struct object **sender) __no_lock_analysis /* nobody else knows it yet */
{
	struct channel *channel = kzalloc(sizeof(*channel), 0);

	if (!channel)
		return -ENOMEM;
	*channel = (struct channel){ .refs = 2,
				     .limit = limit,
				     .label = silo_integrity(current_silo()) };
	if (!memory_charge_begin(&channel->charge, budget, 0)) {
		kfree(channel);
		return -ENOMEM;
	}
	spin_init(&channel->lock, RANK_CHANNEL);
	list_init(&channel->messages);
	list_init(&channel->receivers);
	object_init(&channel->receiver.object, &channel_receiver_type);
	object_init(&channel->sender.object, &channel_sender_type);
	channel->receiver.channel = channel->sender.channel = channel;
	*receiver = &channel->receiver.object;
	*sender = &channel->sender.object;
	return 0;
}

/* --- reply objects --- */

struct channel_reply {
	struct object object;
	struct channel_call *call; /* atomic; null once it was used */
	u32 label;
};

static void reply_closed(struct object *object)
{
	struct channel_call *call = channel_reply_take(object);

	if (call)
		channel_call_drop(call);
}

static void reply_free(struct rcu_head *head)
{
	kfree(container_of(head, struct channel_reply, object.rcu));
}

static void reply_destroy(struct object *object)
{
	reply_closed(object); /* it may never have had a handle */
	rcu_call(&object->rcu, reply_free);
}

const struct object_type channel_reply_type = {
	.name = "reply",
	.default_rights = RIGHT_WRITE | RIGHT_TRANSFER | RIGHT_INSPECT,
	.closed = reply_closed,
	.destroy = reply_destroy,
};

int channel_reply_create(struct channel_call *call, struct object **out)
{
	struct channel_reply *reply = kzalloc(sizeof(*reply), 0);

	if (!reply)
		return -ENOMEM;
	object_init(&reply->object, &channel_reply_type);
	reply->call = call;
	reply->label = call->label;
	*out = &reply->object;
	return 0;
}

struct channel_call *channel_reply_take(struct object *object)
{
	struct channel_reply *reply = container_of(object, struct channel_reply, object);

	return __atomic_exchange_n(&reply->call, nullptr, __ATOMIC_ACQ_REL);
}

u32 channel_label_of(const struct object *object)
{
	if (object->type == &channel_reply_type)
		return container_of(object, struct channel_reply, object)->label;
	if (object->type != &channel_sender_type && object->type != &channel_receiver_type)
		return 0;
	return READ_ONCE(container_of(object, struct channel_end, object)->channel->label);
}
