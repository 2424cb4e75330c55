/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls on channels. */
#include "native_call.h"

#include <cairn/channel.h>
#include <cairn/number.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Handle and flags share a register. The kernel changes those of the words, and the last. */
static long exchange(long number, int handle, unsigned flags, struct cairn_message *message,
		     struct cairn_payload *payload)
{
	unsigned long r[6] = { (unsigned)handle | (unsigned long)flags << 32,
			       message->words[0],
			       message->words[1],
			       message->words[2],
			       message->words[3],
			       (unsigned long)payload };
	long result = native_call(number, r);

	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	for (int i = 0; i < 4; i++)
		message->words[i] = r[1 + i];
	message->badge = r[5];
	return result;
}

int cairn_channel_create(int handles[2], unsigned queue, unsigned flags)
{
	return (int)syscall(CAIRN_NR_channel_create, handles, queue, flags);
}

int cairn_channel_send(int sender, unsigned flags, const struct cairn_message *message,
		       struct cairn_payload *payload)
{
	struct cairn_message copy = *message;

	return (int)exchange(CAIRN_NR_channel_send, sender, flags, &copy, payload);
}

int cairn_channel_call(int sender, unsigned flags, struct cairn_message *message,
		       struct cairn_payload *payload)
{
	return (int)exchange(CAIRN_NR_channel_call, sender, flags, message, payload);
}

int cairn_channel_receive(int receiver, unsigned flags, struct cairn_message *message,
			  struct cairn_payload *payload)
{
	return (int)exchange(CAIRN_NR_channel_receive, receiver, flags, message, payload);
}

int cairn_channel_reply(int reply, const struct cairn_message *message,
			struct cairn_payload *payload)
{
	struct cairn_message copy = *message;

	return (int)exchange(CAIRN_NR_channel_reply, reply, 0, &copy, payload);
}

int cairn_channel_reply_receive(int receiver, unsigned flags, struct cairn_message *message,
				struct cairn_payload *payload)
{
	return (int)exchange(CAIRN_NR_channel_reply_receive, receiver, flags, message, payload);
}

int cairn_channel_label(int receiver, unsigned label)
{
	return (int)syscall(CAIRN_NR_channel_label, receiver, label);
}

int cairn_channel_reply_save(unsigned flags)
{
	return (int)syscall(CAIRN_NR_channel_reply_save, flags);
}
