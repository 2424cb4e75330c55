/* SPDX-License-Identifier: MIT */
/*
 * Channels: messages from many senders to one receiver, and calls that wait for a reply.
 *
 * A channel has a receiving and a sending handle. The sending handle is derived (cairn_handle_derive) for each client, with a
 * badge that the receiver sees with every message; revoking it ends the client's access. The receiving handle cannot be
 * transferred. poll(2): the receiver is readable when a message waits, and hung up when nobody can send any more; the sender
 * is writable while the queue has room, and has an error when nobody can receive.
 *
 * A message is four words, which travel in registers, and a payload of bytes and handles if one is given. A call is a
 * message whose sender waits for the answer. The thread that receives it holds the call until it replies; a call whose
 * holder exits, receives again without a reply, or closes the reply handle, fails with EPIPE. Calling a thread that waits in
 * cairn_channel_receive switches to it directly, on the caller's CPU time.
 *
 * Errors of all calls besides those of <cairn/handle.h>:
 *   EFAULT    a bad address
 *   E2BIG     more than CAIRN_PAYLOAD_BYTES_MAX bytes or CAIRN_PAYLOAD_HANDLES_MAX handles
 *   EMSGSIZE  the payload received does not fit; receive_size and receive_handle_count tell what it needs. A message
 *             stays in the queue, an answer is lost
 *   EMFILE    no room for the handles received; likewise
 *   EPERM     the channel's label is above the integrity of the caller's silo, or a handle sent is one of a channel whose label is above
 *             (cairn_channel_label)
 */
#pragma once

#include <linux/types.h>

#define CAIRN_PAYLOAD_BYTES_MAX 65536
#define CAIRN_PAYLOAD_HANDLES_MAX 64

#define CAIRN_TRANSFER_MOVE 0u
#define CAIRN_TRANSFER_DUPLICATE 1u

/* A handle to send. Needs TRANSFER, and DUPLICATE to be duplicated. */
struct cairn_transfer {
	__s32 handle;
	__u32 operation; /* CAIRN_TRANSFER_* */
	__u32 rights;	 /* what arrives: CAIRN_RIGHTS_SAME, or fewer */
};

struct cairn_payload {
	__u64 send;	    /* address of the bytes to send */
	__u64 send_handles; /* address of struct cairn_transfer[send_handle_count] */
	__u32 send_size, send_handle_count;
	__u64 receive;				  /* address for what is received */
	__u64 receive_handles;			  /* address of int[receive_handle_count] */
	__u32 receive_size, receive_handle_count; /* in: room; out: what came */
	__u32 handle_flags;			  /* CAIRN_HANDLE_KEEP_* of the handles received */
	__u32 reserved;				  /* 0 */
};

#define CAIRN_CHANNEL_NONBLOCK                                                                     \
	1u /* fail with EAGAIN rather than wait for a message, or for room in the queue */

/* What cairn_channel_receive returns. */
#define CAIRN_RECEIVED_MESSAGE 0
#define CAIRN_RECEIVED_CALL 1 /* and a reply is waited for */

#ifndef __KERNEL__
/* The words of a message, in registers during the call, and the badge of the sender in what is received. */
struct cairn_message {
	unsigned long words[4];
	unsigned long badge;
};

/*
 * Makes a channel that holds up to `queue` messages (1 to 1024): handles[0] receives, handles[1] sends. flags: CAIRN_HANDLE_KEEP_*.
 * 0. EINVAL: queue; EMFILE; ENOMEM.
 */
int cairn_channel_create(int handles[2], unsigned queue, unsigned flags);

/*
 * Sends words and payload (may be null) without waiting for an answer; waits while the queue is full. Needs WRITE.
 * 0. EPIPE: nobody can receive; EAGAIN; EINTR; ENOMEM. After an error nothing was sent or moved.
 */
int cairn_channel_send(int sender, unsigned flags, const struct cairn_message *message,
		       struct cairn_payload *payload);

/*
 * Sends as above and waits for the answer, which replaces words and fills the payload's receive fields. Needs WRITE.
 * 0. EPIPE: nobody can receive, or the call was dropped; EINTR: a signal came after the message was received; EAGAIN: the
 * queue is full; ENOMEM.
 */
int cairn_channel_call(int sender, unsigned flags, struct cairn_message *message,
		       struct cairn_payload *payload);

/*
 * Waits for a message and takes it. A call that the thread still holds is dropped. Needs READ.
 * CAIRN_RECEIVED_MESSAGE or CAIRN_RECEIVED_CALL. EPIPE: nobody can send any more; EAGAIN; EINTR.
 */
int cairn_channel_receive(int receiver, unsigned flags, struct cairn_message *message,
			  struct cairn_payload *payload);

/*
 * Answers the call that the thread holds (reply -1) or that of a reply handle, which is used up but stays open.
 * 0. ENOENT: no call is held, or the handle was used; ECANCELED: the caller does not wait any more; ENOMEM. A handle needs WRITE.
 */
int cairn_channel_reply(int reply, const struct cairn_message *message,
			struct cairn_payload *payload);

/*
 * Answers the call that the thread holds, if it holds one, and receives the next message: both in one switch. The words and
 * the payload's send fields are the answer, the rest is as for cairn_channel_receive. An answer that nobody waits for is
 * dropped.
 */
int cairn_channel_reply_receive(int receiver, unsigned flags, struct cairn_message *message,
				struct cairn_payload *payload);

/*
 * Makes a handle of the call that the thread holds, to answer it later or elsewhere. flags: CAIRN_HANDLE_KEEP_*.
 * The handle. ENOENT: no call is held; EMFILE; ENOMEM.
 */
int cairn_channel_reply_save(unsigned flags);

/*
 * Lowers the label of a channel. Only programs whose silo has at least that level of integrity (CAIRN_SILO_INTEGRITY) can send, receive and
 * answer; at first it is the level of the channel's maker. A server that makes do with less trusted clients lowers it before it
 * hands them out: only handles of channels with the same or a lower label can be sent through a channel. Needs CONTROL of the receiving
 * handle.
 * 0. EPERM: it would rise.
 */
int cairn_channel_label(int receiver, unsigned label);
#endif
