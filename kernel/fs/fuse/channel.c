/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server behind a channel: each request is a call whose payload is what /dev/fuse would have given, and whose reply's
 * payload is what the server would have written there. No queue, no second thread: the caller switches to the server.
 */
#include <fs/fuse/fuse_priv.h>
#include <ipc/channel.h>
#include <lib/string.h>

/* What the server said, checked. */
static int take_answer(struct fuse_request *r, const struct channel_payload *payload)
{
	const struct fuse_out_header *header = (const void *)payload->bytes;
	u32 size = payload->size - (u32)sizeof(*header);

	if (payload->size < sizeof(*header) || header->len != payload->size ||
	    header->unique != fuse_header(r)->unique || header->error > 0 || header->error <= -512)
		return -EIO;
	if (header->error)
		return header->error;
	if (size > r->out_capacity || (r->exact && size != r->out_capacity))
		return -EIO;
	memcpy(r->out, payload->bytes + sizeof(*header), size);
	r->out_size = size;
	return 0;
}

void fuse_channel_send(struct fuse_connection *c, struct fuse_request *r)
{
	struct channel_message message = {};
	int error = fuse_aborted(c) ? -ENOTCONN
				    : channel_payload_create(r->in_size, 0, &message.payload);

	if (error) {
		fuse_request_finish(c, r, error);
		return;
	}
	memcpy(message.payload->bytes, r->in, r->in_size);
	message.words[0] = fuse_header(r)->opcode;
	if (r->no_answer) {
		error = channel_send(c->channel, &message, CHANNEL_NONBLOCK);
		if (!error)
			message.payload = nullptr;
	} else {
		error = channel_call(c->channel, &message, 0);
		if (!error)
			error = message.payload ? take_answer(r, message.payload) : -EIO;
		else if (error == -ERESTARTSYS)
			error = -EINTR;
		else if (error == -EPIPE)
			error = -EIO;
	}
	channel_payload_free(message.payload);
	fuse_request_finish(c, r, error);
}
