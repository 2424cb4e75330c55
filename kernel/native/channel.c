/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native calls on channels: abi/native/cairn/channel.h. Words are taken from and put into the registers of the frame:
 * register 0 has the handle and, in its upper half, the flags; 1 to 4 the words; 5 the payload, and then the badge.
 */
#include <arch/frame.h>
#include <ipc/channel_label.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <native/native.h>

#include <cairn/channel.h>
#include <syscall_prototypes.h>

_Static_assert(sizeof(struct cairn_payload) == 56);
_Static_assert(CAIRN_PAYLOAD_BYTES_MAX == CHANNEL_BYTES_MAX &&
	       CAIRN_PAYLOAD_HANDLES_MAX == CHANNEL_HANDLES_MAX);
_Static_assert(CAIRN_CHANNEL_NONBLOCK == CHANNEL_NONBLOCK);
_Static_assert(CAIRN_TRANSFER_MOVE == TRANSFER_MOVE &&
	       CAIRN_TRANSFER_DUPLICATE == TRANSFER_DUPLICATE);

/* A call being decoded. */
struct exchange {
	struct trap_frame *frame;
	struct cairn_payload __user *user; /* null: words only */
	struct cairn_payload payload;
	struct channel_message message;
	u32 label;		/* of the channel that is sent to, or that the call came by */
	struct transfer *moves; /* what was copied from the pool, until it is settled */
	struct object **moved;
};

static int exchange_fd(const struct trap_frame *frame)
{
	return (int)frame_argument(frame, 0);
}

static u32 exchange_flags(const struct trap_frame *frame)
{
	return (u32)(frame_argument(frame, 0) >> 32);
}

static void words_get(struct exchange *x)
{
	for (unsigned i = 0; i < CHANNEL_WORDS; i++)
		x->message.words[i] = frame_argument(x->frame, i + 1);
}

static void words_put(const struct exchange *x)
{
	for (unsigned i = 0; i < CHANNEL_WORDS; i++)
		frame_set_argument(x->frame, i + 1, x->message.words[i]);
}

/* --- what is sent --- */

static int copy_transfers(struct exchange *x)
{
	const struct cairn_transfer __user *user =
		__force_user(const struct cairn_transfer __user *, x->payload.send_handles);
	u32 n = x->payload.send_handle_count;
	int error;

	x->moves = kcalloc(n, sizeof(*x->moves) + sizeof(*x->moved), 0);
	if (!x->moves)
		return -ENOMEM;
	x->moved = (struct object **)(uintptr_t)&x->moves[n];
	for (u32 i = 0; i < n; i++) {
		struct cairn_transfer item;

		if (copy_from_user(&item, &user[i], sizeof(item)))
			return -EFAULT;
		if (item.operation > CAIRN_TRANSFER_DUPLICATE ||
		    (item.rights & ~RIGHTS_ALL && item.rights != RIGHTS_SAME))
			return -EINVAL;
		x->moves[i] = (struct transfer){ .fd = item.handle,
						 .operation = item.operation,
						 .rights = item.rights };
	}
	error = handles_copy(current_pool(), x->moves, n, RIGHT_TRANSFER,
			     x->message.payload->handles);
	if (error)
		return error;
	x->message.payload->handle_count = n;
	for (u32 i = 0; i < n && !error; i++) {
		x->moved[i] = x->message.payload->handles[i].object;
		error = channel_may_carry(x->label, x->moved[i]);
	}
	return error;
}

static int payload_send_copy(struct exchange *x)
{
	const struct cairn_payload *p = &x->payload;
	int error;

	if (p->send_size > CHANNEL_BYTES_MAX || p->send_handle_count > CHANNEL_HANDLES_MAX)
		return -E2BIG;
	if (!p->send_size && !p->send_handle_count)
		return 0;
	error = channel_payload_create(p->send_size, p->send_handle_count, &x->message.payload);
	if (error)
		return error;
	if (copy_from_user(x->message.payload->bytes, __force_user(const void __user *, p->send),
			   p->send_size))
		return -EFAULT;
	return p->send_handle_count ? copy_transfers(x) : 0;
}

static void exchange_end(struct exchange *x)
{
	channel_payload_free(x->message.payload);
	x->message.payload = nullptr;
	kfree(x->moves);
}

/* Decodes words and payload; on failure nothing is left. `sends`: the payload's send fields count, to where there is this label. */
static int exchange_begin(struct exchange *x, struct trap_frame *frame, bool sends, u32 label)
{
	int error = 0;

	x->frame = frame;
	x->label = label;
	x->user = __force_user(struct cairn_payload __user *, frame_argument(frame, 5));
	x->moves = nullptr;
	x->message.payload = nullptr;
	x->message.call = nullptr;
	words_get(x);
	if (likely(!x->user))
		return 0;
	if (copy_from_user(&x->payload, x->user, sizeof(x->payload)))
		return -EFAULT;
	if (x->payload.reserved)
		return -EINVAL;
	if (sends)
		error = payload_send_copy(x);
	if (error)
		exchange_end(x);
	return error;
}

/* The message was sent: what was to be moved leaves the pool. */
static void exchange_sent(struct exchange *x)
{
	if (x->moves)
		handles_close_moved(current_pool(), x->moves, x->payload.send_handle_count,
				    x->moved);
}

/* --- what is received --- */

static int handles_out(struct exchange *x, struct channel_payload *payload)
{
	int __user *user = __force_user(int __user *, x->payload.receive_handles);
	int fds[CHANNEL_HANDLES_MAX], error = 0;
	u32 n = 0, flags;

	if (native_handle_flags(x->payload.handle_flags, &flags))
		return -EINVAL;
	for (; n < payload->handle_count; n++) {
		fds[n] = handle_reserve(current_pool(), 0, handle_limit());
		if (fds[n] < 0) {
			error = fds[n];
			break;
		}
	}
	if (!error && copy_to_user(user, fds, n * sizeof(fds[0])))
		error = -EFAULT;
	for (u32 i = 0; i < n; i++) {
		if (error)
			handle_cancel(current_pool(), fds[i]);
		else
			handle_publish_moved(current_pool(), fds[i], &payload->handles[i], flags);
	}
	return error;
}

/* Stores what came and tells its size. On failure the message still has the payload. */
static int payload_out(struct exchange *x)
{
	struct channel_payload *payload = x->message.payload;
	u32 size = payload ? payload->size : 0, handles = payload ? payload->handle_count : 0;
	bool fits;
	int error;

	if (!x->user)
		return payload ? -EMSGSIZE : 0;
	fits = size <= x->payload.receive_size && handles <= x->payload.receive_handle_count;
	if (put_user(size, &x->user->receive_size) ||
	    put_user(handles, &x->user->receive_handle_count))
		return -EFAULT;
	if (!fits)
		return -EMSGSIZE;
	if (size &&
	    copy_to_user(__force_user(void __user *, x->payload.receive), payload->bytes, size))
		return -EFAULT;
	error = handles ? handles_out(x, payload) : 0;
	if (!error) {
		channel_payload_free(payload);
		x->message.payload = nullptr;
	}
	return error;
}

/* --- the calls --- */

long sys_channel_create(int __user *handles, unsigned queue, unsigned flags)
{
	struct object *ends[2];
	int fds[2], error;
	u32 slot_flags;

	if (native_handle_flags(flags, &slot_flags) || !queue || queue > CHANNEL_QUEUE_MAX)
		return -EINVAL;
	fds[0] = handle_reserve(current_pool(), 0, handle_limit());
	if (fds[0] < 0)
		return fds[0];
	fds[1] = handle_reserve(current_pool(), 0, handle_limit());
	error = fds[1] < 0 ? fds[1] : 0;
	if (error)
		goto cancel_first;
	error = copy_to_user(handles, fds, sizeof(fds))
			? -EFAULT
			: channel_create(current_process()->charge.budget, queue, &ends[0],
					 &ends[1]);
	if (error)
		goto cancel_both;
	for (unsigned i = 0; i < 2; i++) {
		handle_publish(current_pool(), fds[i], ends[i], ends[i]->type->default_rights,
			       slot_flags);
		object_put(ends[i]);
	}
	return 0;

cancel_both:
	handle_cancel(current_pool(), fds[1]);
cancel_first:
	handle_cancel(current_pool(), fds[0]);
	return error;
}

/* What an end that was found needs besides its rights; it is given back on failure. */
static __noinline int channel_check(struct object *end, bool owned)
{
	int error = channel_check_label(channel_label_of(end));

	if (error && owned)
		object_put(end);
	return error;
}

static inline int sender_get(const struct trap_frame *frame, struct object **sender, bool *owned,
			     u64 *badge)
{
	if (unlikely(exchange_flags(frame) & ~CHANNEL_NONBLOCK))
		return -EINVAL;
	int error = handle_borrow_badge(current_pool(), exchange_fd(frame), &channel_sender_type,
					RIGHT_WRITE, sender, owned, badge);

	if (unlikely(!error && task_is_confined()))
		error = channel_check(*sender, *owned);
	return error;
}

long sys_channel_send(struct trap_frame *frame)
{
	__uninitialized struct exchange x;
	struct object *sender;
	bool owned;
	long result = sender_get(frame, &sender, &owned, &x.message.badge);

	if (result)
		return result;
	result = exchange_begin(&x, frame, true, channel_label_of(sender));
	if (!result) {
		result = channel_send(sender, &x.message, exchange_flags(frame));
		if (!result) {
			x.message.payload = nullptr;
			exchange_sent(&x);
		}
		exchange_end(&x);
	}
	if (owned)
		object_put(sender);
	return result;
}

/* The answer of a call: words to registers, and the payload to where the program wants it. */
static long answered(struct exchange *x)
{
	words_put(x);
	return unlikely(x->user || x->message.payload) ? payload_out(x) : 0;
}

/* Any call. */
static __noinline long call_message(struct object *sender, u64 badge, struct trap_frame *frame)
{
	__uninitialized struct exchange x;
	struct channel_payload *sent;
	long result = exchange_begin(&x, frame, true, channel_label_of(sender));

	if (result)
		return result;
	x.message.badge = badge;
	sent = x.message.payload;
	result = channel_call(sender, &x.message, exchange_flags(frame));
	if (sent && x.message.payload != sent)
		exchange_sent(&x);
	if (!result)
		result = answered(&x);
	exchange_end(&x);
	return result;
}

/* One whose words went on the short way, but whose answer did not. */
static __noinline long call_answered(struct trap_frame *frame, const struct channel_message *answer)
{
	struct exchange x = { .frame = frame, .message = *answer };
	long result = answered(&x);

	exchange_end(&x);
	return result;
}

long sys_channel_call(struct trap_frame *frame)
{
	__uninitialized struct channel_message answer;
	struct object *sender;
	bool owned;
	u64 badge;
	long result = sender_get(frame, &sender, &owned, &badge);

	if (unlikely(result))
		return result;
	result = CHANNEL_SLOW;
	if (likely(!frame_argument(frame, 5)))
		result = channel_call_words(sender, badge, frame, &answer);
	if (likely(result == CHANNEL_IN_FRAME))
		result = 0;
	else if (result == CHANNEL_SLOW)
		result = call_message(sender, badge, frame);
	else if (!result)
		result = call_answered(frame, &answer);
	if (unlikely(owned))
		object_put(sender);
	return result;
}

/* Hands a received message to the program, or puts it back. */
static long received(struct exchange *x, struct object *receiver)
{
	struct channel_call *call = x->message.call;

	if (unlikely(x->user || x->message.payload)) {
		int error = payload_out(x);

		if (error) {
			channel_unreceive(receiver, &x->message);
			x->message.payload = nullptr;
			return error;
		}
	}
	words_put(x);
	frame_set_argument(x->frame, 5, x->message.badge);
	if (!call)
		return CAIRN_RECEIVED_MESSAGE;
	channel_hold(call);
	return CAIRN_RECEIVED_CALL;
}

static inline int receiver_get(const struct trap_frame *frame, struct object **receiver,
			       bool *owned)
{
	if (unlikely(exchange_flags(frame) & ~CHANNEL_NONBLOCK))
		return -EINVAL;
	int error = handle_borrow(current_pool(), exchange_fd(frame), &channel_receiver_type,
				  RIGHT_READ, receiver, owned);

	if (unlikely(!error && task_is_confined()))
		error = channel_check(*receiver, *owned);
	return error;
}

/* May the current task answer the call that it holds? */
static __noinline int held_check(void)
{
	const struct channel_call *call = current_thread()->channel_held;

	return call ? channel_check_label(call->label) : 0;
}

long sys_channel_receive(struct trap_frame *frame)
{
	__uninitialized struct exchange x;
	struct object *receiver;
	bool owned;
	long result = receiver_get(frame, &receiver, &owned);

	if (result)
		return result;
	result = exchange_begin(&x, frame, false, 0);
	if (!result) {
		channel_hold(nullptr);
		result = channel_receive(receiver, &x.message, exchange_flags(frame));
		if (!result)
			result = received(&x, receiver);
	}
	if (owned)
		object_put(receiver);
	return result;
}

/* Any reply. */
static __noinline long reply_message(struct object *receiver, struct trap_frame *frame)
{
	__uninitialized struct exchange x;
	struct channel_message answer;
	struct channel_call *call = current_thread()->channel_held;
	long result = exchange_begin(&x, frame, true, call ? call->label : 0);

	if (result)
		return result;
	answer = x.message;
	x.message.payload = nullptr;
	call = channel_held_take();
	if (call) {
		exchange_sent(&x);
		result = channel_reply_receive(call, &answer, receiver, &x.message,
					       exchange_flags(frame));
	} else {
		channel_payload_free(answer.payload);
		result = channel_receive(receiver, &x.message, exchange_flags(frame));
	}
	if (!result)
		result = received(&x, receiver);
	kfree(x.moves);
	return result;
}

/* One whose words went on the short way, but what came next did not. */
static __noinline long reply_received(struct object *receiver, struct trap_frame *frame,
				      const struct channel_message *message)
{
	struct exchange x = { .frame = frame, .message = *message };

	return received(&x, receiver);
}

long sys_channel_reply_receive(struct trap_frame *frame)
{
	__uninitialized struct channel_message message;
	struct object *receiver;
	bool owned;
	long result = receiver_get(frame, &receiver, &owned);

	if (unlikely(result))
		return result;
	if (unlikely(task_is_confined()))
		result = held_check();
	if (likely(!result))
		result = CHANNEL_SLOW;
	if (likely(result == CHANNEL_SLOW && !frame_argument(frame, 5) && !exchange_flags(frame)))
		result = channel_reply_receive_words(receiver, frame, &message);
	if (likely(result == CHANNEL_IN_FRAME))
		result = CAIRN_RECEIVED_CALL;
	else if (result == CHANNEL_SLOW)
		result = reply_message(receiver, frame);
	else if (!result)
		result = reply_received(receiver, frame, &message);
	if (unlikely(owned))
		object_put(receiver);
	return result;
}

/* What a reply is given by: the held call (*reply is null then), or a reply object, with a reference. */
static int answerable(int fd, struct object **reply, u32 *label)
{
	const struct channel_call *held = current_thread()->channel_held;
	int error = held ? 0 : -ENOENT;

	*reply = nullptr;
	if (fd != -1)
		error = handle_get(current_pool(), fd, &channel_reply_type, RIGHT_WRITE, reply);
	if (!error)
		*label = *reply ? channel_label_of(*reply) : held->label;
	return error;
}

static long reply_with(struct object *reply, struct trap_frame *frame, u32 label)
{
	__uninitialized struct exchange x;
	struct channel_call *call;
	long result = channel_check_label(label);

	if (!result)
		result = exchange_begin(&x, frame, true, label);
	if (result)
		return result;
	call = reply ? channel_reply_take(reply) : channel_held_take();
	if (call) {
		exchange_sent(&x);
		result = channel_reply(call, &x.message);
		x.message.payload = nullptr;
	} else {
		result = -ENOENT;
	}
	exchange_end(&x);
	return result;
}

long sys_channel_reply(struct trap_frame *frame)
{
	struct object *reply;
	u32 label;
	long result;

	if (exchange_flags(frame) &&
	    exchange_flags(frame) != UINT32_MAX) /* -1 may come sign-extended */
		return -EINVAL;
	result = answerable(exchange_fd(frame), &reply, &label);
	if (result)
		return result;
	result = reply_with(reply, frame, label);
	if (reply)
		object_put(reply);
	return result;
}

long sys_channel_label(int fd, unsigned label)
{
	struct object *receiver;
	int error =
		handle_get(current_pool(), fd, &channel_receiver_type, RIGHT_CONTROL, &receiver);

	if (error)
		return error;
	error = channel_set_label(receiver, label);
	object_put(receiver);
	return error;
}

long sys_channel_reply_save(unsigned flags)
{
	struct channel_call *call;
	struct object *reply;
	u32 slot_flags;
	int fd, error;

	if (native_handle_flags(flags, &slot_flags))
		return -EINVAL;
	fd = handle_reserve(current_pool(), 0, handle_limit());
	if (fd < 0)
		return fd;
	call = channel_held_take();
	error = call ? channel_reply_create(call, &reply) : -ENOENT;
	if (error) {
		if (call)
			channel_hold(call);
		handle_cancel(current_pool(), fd);
		return error;
	}
	handle_publish(current_pool(), fd, reply, reply->type->default_rights, slot_flags);
	object_put(reply);
	return fd;
}
