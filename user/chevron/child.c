/* SPDX-License-Identifier: MIT */
/* The program that chevron can load into a task made by hand (child.h). It is one function, without strings, tables or libraries. */
#include "child.h"
#include "../lib/native_call.h"

#include <cairn/channel.h>
#include <cairn/number.h>
#include <sys/syscall.h>

#define RECEIVER 0
#define OUTPUT 1

#define INSIDE static inline __attribute__((always_inline))

/* Eight letters at most, as a number of which the lowest byte is the first. */
INSIDE char *put_letters(char *to, unsigned long letters)
{
	for (; letters; letters >>= 8)
		*to++ = (char)letters;
	return to;
}

INSIDE char *put_number(char *to, unsigned long n)
{
	unsigned long unit = 1;

	while (n / unit >= 10)
		unit *= 10;
	for (; unit; unit /= 10)
		*to++ = (char)('0' + n / unit % 10);
	return to;
}

#define CHILD_ 0x3a646c696863ul	   /* "child:" */
#define HANDLE_ 0x20656c646e6168ul /* "handle " */

/* r: words and badge as they came. The line that tells of it. */
INSIDE char *describe(char *to, const unsigned long r[6], const struct cairn_payload *p, int handle)
{
	to = put_letters(to, CHILD_);
	for (int i = 1; i <= 4; i++) {
		*to++ = ' ';
		to = put_number(to, r[i]);
	}
	if (p->receive_size) {
		const char *from = (const char *)p->receive;

		*to++ = ' ';
		for (unsigned i = 0; i < p->receive_size; i++)
			*to++ = from[i];
	}
	if (p->receive_handle_count) {
		*to++ = ' ';
		to = put_letters(to, HANDLE_);
		to = put_number(to, (unsigned long)handle);
	}
	*to++ = '\n';
	return to;
}

__attribute__((section("child_code"), used, noinline,
	       optimize("no-tree-loop-distribute-patterns", "no-tree-vectorize"))) static void
child(void)
{
	char text[400], bytes[200];
	unsigned long message[6], print[6];
	struct cairn_payload payload;
	int handle;

	message[1] = message[2] = message[3] = message[4] = 0;
	for (;;) {
		payload.send = payload.send_handles = 0;
		payload.send_size = payload.send_handle_count = 0;
		payload.receive = (unsigned long)bytes;
		payload.receive_handles = (unsigned long)&handle;
		payload.receive_size = sizeof(bytes);
		payload.receive_handle_count = 1;
		payload.handle_flags = payload.reserved = 0;
		message[0] = RECEIVER;
		message[5] = (unsigned long)&payload;
		if (native_call(CAIRN_NR_channel_reply_receive, message) < 0)
			break; /* nobody can send any more */
		print[0] = OUTPUT;
		print[3] = print[4] = print[5] = 0;
		print[1] = (unsigned long)text;
		print[2] = (unsigned long)(describe(text, message, &payload, handle) - text);
		native_call(SYS_write, print);
	}
	message[0] = 0;
	native_call(SYS_exit_group, message);
}
