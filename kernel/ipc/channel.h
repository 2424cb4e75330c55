/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Channels: messages from many senders to one receiver, and calls that wait for a reply.
 *
 * A channel has two ends, objects of their own. Handles of the sending end are derived and handed out, each with its badge;
 * the receiving end does not travel in messages, so no channel can hold itself alive.
 *
 * A message is four words, and perhaps a payload: bytes and handles. A call is a message whose sender waits; the receiving
 * thread holds the call until it replies, or turns it into a handle (a reply object) that anybody may hold. A call is
 * answered once: by a reply, or by the end of the last that could reply.
 *
 * (C1) A message that was accepted is received, or dropped with the last handle of the receiving end.
 * (C2) At most `limit` messages wait; a sender of one more waits.
 * (C3) A call is WAITING, and then for good REPLIED, DROPPED or ABANDONED. Its words and payload belong to the replier while it is
 * WAITING and held, to the caller once REPLIED. Who answers into the caller's registers has it REPLYING meanwhile, with interrupts
 * masked, and then IN_FRAME; the caller stays where it is as long.
 * (C4) A caller that gives up takes its message out of the queue, or abandons the call; then a reply goes nowhere.
 * (C5) A thread pointer in a waiting receiver or a call is used only with interrupts masked since the state was looked at:
 * threads are freed by RCU.
 * (C6) A channel has a label. Who sends to it, receives from it or answers a call of it has at least that level of integrity
 *      (channel_label.h).
 *
 * Direct switch: a call to a waiting receiver, and a reply of a receiver that waits again, switch straight to the other
 * thread (sched/switch.c), with the words on no queue at all; where both have nothing but words, they go from one's registers to the
 * other's (channel_words.c).
 */
#pragma once

#include <core/lock.h>
#include <lib/list.h>
#include <obj/handle.h>

struct thread;
struct trap_frame;

#define CHANNEL_WORDS 4
#define CHANNEL_BYTES_MAX 65536u
#define CHANNEL_HANDLES_MAX 64u
#define CHANNEL_QUEUE_MAX 1024u

/* Bytes and handles of a message, in one block of kvmalloc. */
struct channel_payload {
	u32 size, handle_count;
	struct handle *handles; /* behind the bytes; each is owned until it is moved out */
	u8 bytes[] __counted_by(size);
};

struct channel_message {
	struct list_head node; /* in channel.messages; self-linked when it is not queued */
	u64 words[CHANNEL_WORDS];
	u64 badge;
	struct channel_payload *payload; /* owned; may be null */
	struct channel_call *call;	 /* a reference; null: nobody waits */
};

enum channel_call_state {
	CALL_WAITING,
	CALL_REPLYING, /* the last one that has not ended */
	CALL_REPLIED,
	CALL_IN_FRAME, /* replied, with the words in the caller's registers */
	CALL_DROPPED,
	CALL_ABANDONED
};

struct channel_call {
	u32 refs;  /* atomic: the caller's, that of its message or of who is to reply */
	u32 state; /* atomic, enum channel_call_state */
	struct thread *caller;
	struct trap_frame *frame; /* the caller's, if the answer may be put there; else null */
	u32 label;		  /* of the channel */
	struct channel_message message; /* the question, while it is queued; then the answer */
};

/* A payload of this size. -ENOMEM. */
[[nodiscard]] int channel_payload_create(u32 size, u32 handle_count, struct channel_payload **out);
/* Closes the handles in it and frees it. Null is allowed. May sleep. */
void channel_payload_free(struct channel_payload *payload);

struct channel_end {
	struct object object;
	struct channel *channel;
};

extern const struct object_type channel_receiver_type, channel_sender_type, channel_reply_type;

/* A channel with room for `limit` messages, that are charged to the budget (null: to nobody) while they wait; the ends have one
 * reference each. -ENOMEM. */
[[nodiscard]] int channel_create(struct memory_budget *budget, unsigned limit,
				 struct object **receiver, struct object **sender);
/* What one takes out of the allocator. */
u64 channel_bytes(void);
/* Of one end: the channel is hung up on both sides, messages are dropped, and nothing is charged any more. May sleep. */
void channel_end(struct object *object);

#define CHANNEL_NONBLOCK BIT(0) /* -EAGAIN rather than wait */

/*
 * Sends a message without waiting for an answer. The payload moves in on success. -EPIPE: nobody can receive; -EAGAIN: the
 * queue is full and CHANNEL_NONBLOCK is set; -ERESTARTSYS, -ENOMEM. May sleep.
 */
[[nodiscard]] int channel_send(struct object *sender, const struct channel_message *message,
			       u32 flags);

/*
 * Sends `message` and waits for the answer, which replaces it, with its payload. On failure message->payload is what was
 * not sent: null, or the question's. -EPIPE: nobody can receive, or who received it went without a reply; -ERESTARTSYS: a
 * signal came and nobody has seen the message, -EINTR: somebody has; -EAGAIN, -ENOMEM. May sleep.
 */
[[nodiscard]] int channel_call(struct object *sender, struct channel_message *message, u32 flags);

/*
 * Receives the next message; *out gets it with its payload. A call in it (out->call) is the caller's to hand to
 * channel_hold() or channel_reply_create(). -EPIPE: no message, and nobody can send; -EAGAIN, -ERESTARTSYS. May sleep.
 */
[[nodiscard]] int channel_receive(struct object *receiver, struct channel_message *out, u32 flags);
/* Puts a message that could not be delivered back at the head of the queue; takes it over. */
void channel_unreceive(struct object *receiver, struct channel_message *message);

/* The current thread holds this call (it drops the one it held); it takes the call over, its reply comes back. */
void channel_hold(struct channel_call *call);
struct channel_call *channel_held_take(void);

/* A reply object for a call, which it takes over on success. -ENOMEM. */
[[nodiscard]] int channel_reply_create(struct channel_call *call, struct object **out);
/* The call of a reply object, once; null afterwards. */
struct channel_call *channel_reply_take(struct object *reply);

/* Answers a call, which is taken over with the payload. -ECANCELED: the caller waits no longer. May sleep. */
[[nodiscard]] int channel_reply(struct channel_call *call, const struct channel_message *answer);
/* Answers, then receives, with one switch if nothing is queued. As channel_receive. */
[[nodiscard]] int channel_reply_receive(struct channel_call *call,
					const struct channel_message *answer,
					struct object *receiver, struct channel_message *out,
					u32 flags);

#define CHANNEL_IN_FRAME 1
#define CHANNEL_SLOW 2

/*
 * channel_call with words only, in registers 1 to 4 of the system call's frame. CHANNEL_IN_FRAME: so is the answer; 0: the answer is in
 * *answer, as of channel_call; CHANNEL_SLOW: nothing happened, and channel_call is to be asked; else as that. May sleep.
 */
[[nodiscard]] int channel_call_words(struct object *sender, u64 badge, struct trap_frame *frame,
				     struct channel_message *answer);
/*
 * channel_reply_receive of the current thread's held call, if there is one, with words only. CHANNEL_IN_FRAME: the next message is a call, held now; its
 * words are in registers 1 to 4, the badge in 5; 0: it is in *out; CHANNEL_SLOW and errors as above. May sleep.
 */
[[nodiscard]] int channel_reply_receive_words(struct object *receiver, struct trap_frame *frame,
					      struct channel_message *out);

/* Ends a call without an answer; takes it over. May sleep. */
void channel_call_drop(struct channel_call *call);

/* The current thread exits. */
void channel_thread_exit(void);

/* Boot: pagers are asked from here on (ipc/pager.c). */
void pager_init(void);
