/* SPDX-License-Identifier: MIT */
/* Handles and channels by hand, to learn from. The slots of chevron's own pool are the numbers. */
#include "chevron.h"

#include <cairn/channel.h>
#include <cairn/handle.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char letters[] = "rwxmdtpciev";

static const char *rights_text(unsigned rights)
{
	static char text[12];

	for (unsigned i = 0; i < 11; i++)
		text[i] = rights >> i & 1 ? letters[i] : '-';
	return text;
}

static int slots(int argc, char **argv)
{
	struct cairn_handle_info info;

	(void)argc;
	(void)argv;
	for (int fd = 0; fd < 256; fd++) {
		if (cairn_handle_inspect(fd, &info, sizeof(info)))
			continue;
		const char *state = info.state & CAIRN_HANDLE_REVOKED	? "revoked"
				    : info.state & CAIRN_HANDLE_DERIVED ? "derived"
									: "";

		if (json_line("handle%u type%s rights%s handles%u badge%u state%s",
			      (unsigned long long)fd, info.type, rights_text(info.rights),
			      (unsigned long long)info.handles, info.badge, state))
			continue;
		printf("%4d  %-15s %s  %u handle%s", fd, info.type, rights_text(info.rights),
		       info.handles, info.handles == 1 ? "" : "s");
		if (info.badge)
			printf(", badge %llu", info.badge);
		printf("%s%s\n", *state ? ", " : "", state);
	}
	return 0;
}

static unsigned rights_of(const char *text)
{
	unsigned rights = 0;

	if (strcmp(text, "same") == 0)
		return CAIRN_RIGHTS_SAME;
	for (; *text; text++)
		for (unsigned i = 0; i < 11; i++)
			if (letters[i] == *text)
				rights |= 1u << i;
	return rights;
}

static int narrow(int argc, char **argv)
{
	(void)argc;
	return made("narrow", cairn_handle_duplicate(atoi(argv[1]), rights_of(argv[2]), 0));
}

static int derive(int argc, char **argv)
{
	return made("derive", cairn_handle_derive(atoi(argv[1]),
						  argc > 2 ? rights_of(argv[2]) : CAIRN_RIGHTS_SAME,
						  argc > 3 ? strtoul(argv[3], NULL, 0) : 0, 0));
}

static int revoke_all(int argc, char **argv)
{
	long n = cairn_handle_revoke(atoi(argv[1]));

	(void)argc;
	if (n < 0)
		return complain("revoke", argv[1]);
	if (!json_line("revoked%u", (unsigned long long)n))
		printf("%ld revoked\n", n);
	return 0;
}

static int close_slot(int argc, char **argv)
{
	(void)argc;
	return close(atoi(argv[1])) ? complain("close", argv[1]) : 0;
}

static int channel(int argc, char **argv)
{
	int ends[2];

	(void)argc;
	(void)argv;
	if (cairn_channel_create(ends, 16, 0))
		return complain("channel", NULL);
	if (!json_line("receiver%u sender%u", (unsigned long long)ends[0],
		       (unsigned long long)ends[1]))
		printf("%d receives, %d sends\n", ends[0], ends[1]);
	return 0;
}

/* send FD raw W0.. | bytes TEXT | cap FD; call, which waits for the answer */
static int send_message(int argc, char **argv)
{
	struct cairn_transfer transfer = { 0, CAIRN_TRANSFER_DUPLICATE, CAIRN_RIGHTS_SAME };
	struct cairn_message message = { .words = { 0 } };
	struct cairn_payload payload = { 0 };

	if (strcmp(argv[2], "raw") == 0) {
		for (int i = 0; i < 4 && i + 3 < argc; i++)
			message.words[i] = strtoul(argv[i + 3], NULL, 0);
	} else if (strcmp(argv[2], "bytes") == 0) {
		payload.send = (unsigned long)argv[3];
		payload.send_size = (unsigned)strlen(argv[3]);
	} else if (strcmp(argv[2], "cap") == 0) {
		transfer.handle = atoi(argv[3]);
		payload.send_handles = (unsigned long)&transfer;
		payload.send_handle_count = 1;
	} else {
		errno = EINVAL;
		return complain("send", argv[2]);
	}
	if (strcmp(argv[0], "send") == 0)
		return cairn_channel_send(atoi(argv[1]), CAIRN_CHANNEL_NONBLOCK, &message, &payload)
			       ? complain("send", argv[1])
			       : 0;
	if (cairn_channel_call(atoi(argv[1]), 0, &message, &payload))
		return complain("call", argv[1]);
	if (!json_line("word0%u word1%u word2%u word3%u", (unsigned long long)message.words[0],
		       (unsigned long long)message.words[1], (unsigned long long)message.words[2],
		       (unsigned long long)message.words[3]))
		printf("answer %lu %lu %lu %lu\n", message.words[0], message.words[1],
		       message.words[2], message.words[3]);
	return 0;
}

static int receive(int argc, char **argv)
{
	struct cairn_message message = { .words = { 0 } };
	static char bytes[CAIRN_PAYLOAD_BYTES_MAX + 1];
	int handles[CAIRN_PAYLOAD_HANDLES_MAX];
	struct cairn_payload payload = { .receive = (unsigned long)bytes,
					 .receive_size = CAIRN_PAYLOAD_BYTES_MAX,
					 .receive_handles = (unsigned long)handles,
					 .receive_handle_count = CAIRN_PAYLOAD_HANDLES_MAX };

	(void)argc;
	if (cairn_channel_receive(atoi(argv[1]), CAIRN_CHANNEL_NONBLOCK, &message, &payload) < 0)
		return complain("receive", argv[1]);
	bytes[payload.receive_size] = 0;
	if (json_line("badge%u word0%u word1%u word2%u word3%u bytes%s handles%u handle%d",
		      (unsigned long long)message.badge, (unsigned long long)message.words[0],
		      (unsigned long long)message.words[1], (unsigned long long)message.words[2],
		      (unsigned long long)message.words[3], bytes,
		      (unsigned long long)payload.receive_handle_count,
		      payload.receive_handle_count ? (long long)handles[0] : -1ll))
		return 0;
	printf("badge %lu, words %lu %lu %lu %lu", message.badge, message.words[0],
	       message.words[1], message.words[2], message.words[3]);
	if (payload.receive_size)
		printf(", bytes \"%.*s\"", (int)payload.receive_size, bytes);
	for (unsigned i = 0; i < payload.receive_handle_count; i++)
		printf(", handle %d", handles[i]);
	putchar('\n');
	return 0;
}

const struct command raw_commands[] = {
	{ "slots", "", "the handles of this chevron", 0, slots },
	{ "narrow", "HANDLE RIGHTS", "a second handle with fewer rights", 2, narrow },
	{ "derive", "HANDLE [RIGHTS|same [BADGE]]", "a child that can be revoked", 1, derive },
	{ "revoke", "HANDLE", "all that was derived from it", 1, revoke_all },
	{ "close", "HANDLE", "gives it up", 1, close_slot },
	{ "channel", "", "makes a channel", 0, channel },
	{ "send", "HANDLE raw W...|bytes TEXT|cap HANDLE", "sends words, bytes or a handle", 3,
	  send_message },
	{ "call", "HANDLE raw W...|bytes TEXT|cap HANDLE", "the same, and waits for the answer", 3,
	  send_message },
	{ "receive", "HANDLE", "takes the next message", 1, receive },
	{ 0 },
};
