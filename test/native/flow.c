/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Labels of channels: what a silo of lower integrity cannot send, receive, answer, hand on or be handed. */
#include "silo_test.h"

#include <cairn/channel.h>

static int ends[2]; /* receives, sends */

static struct cairn_message message;

static void make_channel(void)
{
	REQUIRE(cairn_channel_create(ends, 8, CAIRN_HANDLE_KEEP_ON_FORK) == 0);
}

/* The silo is lowered when its member is in there with the handles. */
static void enter_and_sink(unsigned level)
{
	const int keep[] = { 0, 1, 2, silo, ends[0], ends[1] };

	ENTER(keep, 6);
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_INTEGRITY, level), 0);
}

TEST(nothing_is_sent_up)
{
	make_channel();
	make_silo();
	IN_CHILD(pid)
	{
		enter_and_sink(CAIRN_INTEGRITY_HIGHEST);
		EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, NULL), 0);
		EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_INTEGRITY, 3), 0);
		EXPECT_ERRNO(cairn_channel_send(ends[1], 0, &message, NULL), EPERM);
		EXPECT_ERRNO(cairn_channel_call(ends[1], 0, &message, NULL), EPERM);
		EXPECT_ERRNO(cairn_channel_receive(ends[0], 0, &message, NULL), EPERM);
		EXPECT_ERRNO(cairn_channel_reply_receive(ends[0], 0, &message, NULL), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(cairn_channel_receive(ends[0], CAIRN_CHANNEL_NONBLOCK, &message, NULL),
		  CAIRN_RECEIVED_MESSAGE);
	EXPECT_ERRNO(cairn_channel_receive(ends[0], CAIRN_CHANNEL_NONBLOCK, &message, NULL),
		     EAGAIN);
	EXPECT_EQ(info().denied, 4);
	EXPECT(was_denied(CAIRN_SILO_DENIED_FLOW, CAIRN_INTEGRITY_HIGHEST));
}

TEST(levels_and_labels_only_sink)
{
	make_channel();
	make_silo();
	EXPECT_EQ(info().integrity, CAIRN_INTEGRITY_HIGHEST);
	EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_INTEGRITY, 16), EPERM);
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_INTEGRITY, 5), 0);
	EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_INTEGRITY, 6), EPERM);
	EXPECT_EQ(info().integrity, 5);
	EXPECT_ERRNO(cairn_channel_label(ends[0], 16), EPERM);
	EXPECT_EQ(cairn_channel_label(ends[0], 5), 0);
	EXPECT_ERRNO(cairn_channel_label(ends[0], 6), EPERM);
	EXPECT_ERRNO(cairn_channel_label(ends[1], 0), EINVAL);
	IN_CHILD(pid)
	{
		const int keep[] = { 0, 1, 2, ends[0], ends[1] };
		int inner;

		ENTER(keep, 5);
		EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, NULL), 0);
		EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, NULL),
			  CAIRN_RECEIVED_MESSAGE);
		make_channel(); /* it has the level of its maker */
		EXPECT_ERRNO(cairn_channel_label(ends[0], 6), EPERM);
		inner = cairn_silo_create(0);
		EXPECT_ERRNO(cairn_silo_configure(inner, CAIRN_SILO_INTEGRITY, 6), EPERM);
		EXPECT_EQ(cairn_silo_configure(inner, CAIRN_SILO_INTEGRITY, 5), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

/* A call is received with the level that it needs; then that sinks. */
TEST(an_answer_is_sent_too)
{
	make_channel();
	EXPECT_EQ(cairn_channel_label(ends[0], 7), 0);
	make_silo();
	IN_CHILD(pid)
	{
		struct cairn_message call;
		int saved;

		enter_and_sink(7);
		EXPECT_EQ(cairn_channel_receive(ends[0], 0, &call, NULL), CAIRN_RECEIVED_CALL);
		EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_INTEGRITY, 2), 0);
		EXPECT_ERRNO(cairn_channel_reply(-1, &call, NULL), EPERM);
		EXPECT_ERRNO(cairn_channel_reply_receive(ends[0], 0, &call, NULL), EPERM);
		saved = cairn_channel_reply_save(0);
		EXPECT(saved >= 0);
		EXPECT_ERRNO(cairn_channel_reply(saved, &call, NULL), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_ERRNO(cairn_channel_call(ends[1], 0, &message, NULL), EPIPE); /* it ended */
	EXPECT_EQ(wait_status(pid), 0);
}

/* Words that go from register to register, both ways, between what is trusted and what is not. */
TEST(calling_down_is_allowed)
{
	struct cairn_message call = { .words = { 1 } };

	make_channel();
	EXPECT_EQ(cairn_channel_label(ends[0], 1), 0);
	make_silo();
	IN_CHILD(pid)
	{
		struct cairn_message got = {};
		int kind;

		enter_and_sink(1);
		close(ends[1]);
		while ((kind = cairn_channel_reply_receive(ends[0], 0, &got, NULL)) ==
		       CAIRN_RECEIVED_CALL)
			got.words[0]++;
		EXPECT(kind < 0 && errno == EPIPE);
		_exit(test_has_failed());
	}
	close(ends[0]);
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(cairn_channel_call(ends[1], 0, &call, NULL), 0);
	EXPECT_EQ(call.words[0], 11);
	close(ends[1]);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(no_handle_up_travels_down)
{
	int low[2], received;
	struct cairn_transfer transfer = { .operation = CAIRN_TRANSFER_MOVE,
					   .rights = CAIRN_RIGHTS_SAME };
	struct cairn_payload out = { .send_handles = (unsigned long)&transfer,
				     .send_handle_count = 1 };
	struct cairn_payload in = { .receive_handles = (unsigned long)&received,
				    .receive_handle_count = 1 };

	make_channel();
	low[0] = ends[0];
	low[1] = ends[1];
	EXPECT_EQ(cairn_channel_label(low[0], 4), 0);
	make_channel();
	transfer.handle = ends[1];
	EXPECT_ERRNO(cairn_channel_send(low[1], 0, &message, &out), EPERM);
	EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, NULL), 0); /* nothing was moved */
	EXPECT_EQ(cairn_channel_label(ends[0], 4), 0);
	EXPECT_EQ(cairn_channel_send(low[1], 0, &message, &out), 0);
	EXPECT_EQ(cairn_channel_receive(low[0], 0, &message, &in), CAIRN_RECEIVED_MESSAGE);
	EXPECT_EQ(cairn_channel_send(received, 0, &message, NULL), 0);
}

TEST(nobody_enters_with_a_handle_up)
{
	make_channel();
	make_silo();
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_INTEGRITY, 4), 0);
	IN_CHILD(pid)
	{
		EXPECT_ERRNO(cairn_silo_enter(silo, &ends[1], 1), EPERM);
		EXPECT_EQ(cairn_channel_label(ends[0], 4), 0);
		EXPECT_EQ(cairn_silo_enter(silo, &ends[1], 1), 0);
		EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, NULL), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, NULL), CAIRN_RECEIVED_MESSAGE);
}
