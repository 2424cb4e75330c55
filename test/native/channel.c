/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels: words, payloads, handles, calls and replies, hang-up, limits, revocation. */
#include <guest_test.h>

#include <cairn/channel.h>
#include <cairn/handle.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2]; /* receives, sends */

static void make_channel(unsigned queue)
{
	REQUIRE(cairn_channel_create(ends, queue, CAIRN_HANDLE_KEEP_ON_FORK) == 0);
}

static short readiness(int fd)
{
	struct pollfd item = { fd, POLLIN | POLLOUT, 0 };

	EXPECT(poll(&item, 1, 0) >= 0);
	return item.revents;
}

TEST(words_arrive_in_order_with_the_badge)
{
	struct cairn_message message = { .words = { 1, 2, 3, 4 } }, got;
	int child;

	make_channel(3);
	child = cairn_handle_derive(ends[1], CAIRN_RIGHTS_SAME, 77, 0);
	EXPECT_EQ(readiness(ends[0]), 0);
	EXPECT_EQ(readiness(ends[1]), POLLOUT);
	EXPECT_EQ(cairn_channel_send(child, 0, &message, NULL), 0);
	message.words[0] = 10;
	EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, NULL), 0);
	EXPECT_EQ(readiness(ends[0]), POLLIN);
	EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, NULL), 0);
	EXPECT_EQ(readiness(ends[1]), 0);
	EXPECT_ERRNO(cairn_channel_send(ends[1], CAIRN_CHANNEL_NONBLOCK, &message, NULL), EAGAIN);
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &got, NULL), CAIRN_RECEIVED_MESSAGE);
	EXPECT(got.words[0] == 1 && got.words[1] == 2 && got.words[2] == 3 && got.words[3] == 4);
	EXPECT_EQ(got.badge, 77);
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &got, NULL), CAIRN_RECEIVED_MESSAGE);
	EXPECT_EQ(got.words[0], 10);
	EXPECT_EQ(got.badge, 0);
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &got, NULL), CAIRN_RECEIVED_MESSAGE);
	EXPECT_ERRNO(cairn_channel_receive(ends[0], CAIRN_CHANNEL_NONBLOCK, &got, NULL), EAGAIN);
}

TEST(rights_and_arguments)
{
	struct cairn_message message = {};
	struct cairn_payload payload = { .send_size = CAIRN_PAYLOAD_BYTES_MAX + 1 };
	int fds[2], narrow;

	make_channel(1);
	EXPECT_ERRNO(cairn_channel_create(fds, 0, 0), EINVAL);
	EXPECT_ERRNO(cairn_channel_create(fds, 1025, 0), EINVAL);
	EXPECT_ERRNO(cairn_channel_create(NULL, 1, 0), EFAULT);
	EXPECT_ERRNO(cairn_channel_send(ends[0], 0, &message, NULL), EINVAL);
	EXPECT_ERRNO(cairn_channel_receive(ends[1], 0, &message, NULL), EINVAL);
	EXPECT_ERRNO(cairn_channel_send(0, 0, &message, NULL), EINVAL);
	EXPECT_ERRNO(cairn_channel_send(99, 0, &message, NULL), EBADF);
	EXPECT_ERRNO(cairn_channel_send(ends[1], 2, &message, NULL), EINVAL);
	EXPECT_ERRNO(cairn_channel_send(ends[1], 0, &message, &payload), E2BIG);
	EXPECT_ERRNO(cairn_channel_send(ends[1], 0, &message, (void *)8), EFAULT);
	narrow = cairn_handle_duplicate(ends[1], CAIRN_RIGHT_INSPECT, 0);
	EXPECT_ERRNO(cairn_channel_send(narrow, 0, &message, NULL), EACCES);
	EXPECT_ERRNO(cairn_channel_reply(-1, &message, NULL), ENOENT);
	EXPECT_ERRNO(cairn_channel_reply_save(0), ENOENT);
	EXPECT_ERRNO(read(ends[0], &message, 1), EBADF);
	EXPECT_EQ(readiness(ends[1]), POLLOUT);
}

TEST(bytes_and_handles_travel)
{
	struct cairn_message message = {};
	struct cairn_transfer transfers[2] = {
		{ 0, CAIRN_TRANSFER_MOVE, CAIRN_RIGHTS_SAME },
		{ 0, CAIRN_TRANSFER_DUPLICATE, CAIRN_RIGHT_READ | CAIRN_RIGHT_WAIT },
	};
	char text[] = "through the channel", buffer[64];
	int pipes[2], got[2] = { -1, -1 };
	struct cairn_payload payload = { .send = (unsigned long)text,
					 .send_size = sizeof(text),
					 .send_handles = (unsigned long)transfers,
					 .send_handle_count = 2,
					 .receive = (unsigned long)buffer,
					 .receive_handles = (unsigned long)got };

	make_channel(4);
	REQUIRE(pipe(pipes) == 0);
	transfers[0].handle = pipes[1];
	transfers[1].handle = pipes[0];
	EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, &payload), 0);
	EXPECT_ERRNO(write(pipes[1], "x", 1), EBADF);
	EXPECT_EQ(fcntl(pipes[0], F_GETFD), 0);
	/* Without room the message stays, and tells what it needs. */
	EXPECT_ERRNO(cairn_channel_receive(ends[0], 0, &message, &payload), EMSGSIZE);
	EXPECT_EQ(payload.receive_size, sizeof(text));
	EXPECT_EQ(payload.receive_handle_count, 2);
	EXPECT_ERRNO(cairn_channel_receive(ends[0], 0, &message, NULL), EMSGSIZE);
	payload.receive_size = sizeof(buffer);
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, &payload), 0);
	EXPECT_EQ(payload.receive_size, sizeof(text));
	EXPECT_STREQ(buffer, text);
	EXPECT_EQ(write(got[0], "y", 1), 1);
	EXPECT_EQ(read(got[1], buffer, 1), 1);
	EXPECT_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	EXPECT_ERRNO(dup(got[1]), EACCES);
	/* What cannot be sent moves nothing. */
	transfers[0].handle = got[0];
	transfers[1].handle = ends[0];
	EXPECT_ERRNO(cairn_channel_send(ends[1], 0, &message, &payload), EACCES);
	EXPECT_EQ(write(got[0], "z", 1), 1);
}

/* A call from a client that sends a payload of the wrong kind leaves the server with its handles. */
static void *answer_twice(void *unused)
{
	struct cairn_message message = {};

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(cairn_channel_reply_receive(ends[0], 0, &message, NULL),
			  CAIRN_RECEIVED_CALL);
		message.words[0] += message.words[1];
		message.words[3] = message.badge;
	}
	EXPECT_EQ(cairn_channel_reply(-1, &message, NULL), 0);
	EXPECT_ERRNO(cairn_channel_reply(-1, &message, NULL), ENOENT);
	return NULL;
}

TEST(call_and_reply)
{
	struct cairn_message message;
	pthread_t thread;

	make_channel(4);
	REQUIRE(pthread_create(&thread, NULL, answer_twice, NULL) == 0);
	for (unsigned long i = 0; i < 3; i++) {
		int client = cairn_handle_derive(ends[1], CAIRN_RIGHTS_SAME, i + 100, 0);

		if (i == 2)
			sleep_ms(30);
		message = (struct cairn_message){ .words = { i, 1000, 0, 0 } };
		EXPECT_EQ(cairn_channel_call(client, 0, &message, NULL), 0);
		EXPECT_EQ(message.words[0], i + 1000);
		EXPECT_EQ(message.words[3], i + 100);
	}
	pthread_join(thread, NULL);
}

TEST(calls_across_processes)
{
	struct cairn_message message = {};

	make_channel(4);
	IN_CHILD(pid)
	{
		close(ends[1]);
		while (cairn_channel_reply_receive(ends[0], 0, &message, NULL) ==
		       CAIRN_RECEIVED_CALL)
			message.words[0]++;
		EXPECT_EQ(errno, EPIPE);
		_exit(test_has_failed());
	}
	close(ends[0]);
	for (unsigned long i = 0; i < 2000; i++) {
		message.words[0] = i;
		if (cairn_channel_call(ends[1], 0, &message, NULL) || message.words[0] != i + 1) {
			test_fail(__FILE__, __LINE__, "call %lu: %lu, errno %d", i,
				  message.words[0], errno);
			break;
		}
	}
	EXPECT_EQ(close(ends[1]), 0);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(reply_handles_answer_once)
{
	struct cairn_message message = { .words = { 5 } };
	int reply;

	make_channel(4);
	IN_CHILD(pid)
	{
		EXPECT_EQ(cairn_channel_call(ends[1], 0, &message, NULL), 0);
		EXPECT_EQ(message.words[0], 9);
		EXPECT_ERRNO(cairn_channel_call(ends[1], 0, &message, NULL), EPIPE);
		EXPECT_ERRNO(cairn_channel_call(ends[1], 0, &message, NULL), EPIPE);
		_exit(test_has_failed());
	}
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, NULL), CAIRN_RECEIVED_CALL);
	reply = cairn_channel_reply_save(0);
	REQUIRE(reply >= 0);
	EXPECT_ERRNO(cairn_channel_reply(-1, &message, NULL), ENOENT);
	message.words[0] = 9;
	EXPECT_EQ(cairn_channel_reply(reply, &message, NULL), 0);
	EXPECT_ERRNO(cairn_channel_reply(reply, &message, NULL), ENOENT);
	EXPECT_EQ(close(reply), 0);
	/* Closing the reply handle, or the receiver, ends the call. */
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, NULL), CAIRN_RECEIVED_CALL);
	reply = cairn_channel_reply_save(0);
	EXPECT_EQ(close(reply), 0);
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, NULL), CAIRN_RECEIVED_CALL);
	EXPECT_EQ(close(ends[0]), 0);
	reply = cairn_channel_reply_save(0);
	EXPECT_EQ(close(reply), 0);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(a_server_that_dies_hangs_up)
{
	struct cairn_message message = {};

	make_channel(4);
	IN_CHILD(pid)
	{
		EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, NULL), CAIRN_RECEIVED_CALL);
		kill(getpid(), SIGKILL);
	}
	close(ends[0]);
	EXPECT_ERRNO(cairn_channel_call(ends[1], 0, &message, NULL), EPIPE);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
	EXPECT(readiness(ends[1]) & POLLERR);
	EXPECT_ERRNO(cairn_channel_send(ends[1], 0, &message, NULL), EPIPE);
}

TEST(a_client_that_dies_leaves_its_call)
{
	struct cairn_message message = {};

	make_channel(4);
	IN_CHILD(pid)
	{
		close(ends[0]);
		(void)cairn_channel_call(ends[1], 0, &message, NULL);
		_exit(0);
	}
	close(ends[1]);
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, NULL), CAIRN_RECEIVED_CALL);
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
	EXPECT_ERRNO(cairn_channel_reply(-1, &message, NULL), ECANCELED);
	EXPECT_ERRNO(cairn_channel_receive(ends[0], 0, &message, NULL), EPIPE);
	EXPECT(readiness(ends[0]) & POLLHUP);
}

static void on_alarm(int signo)
{
}

TEST(signals_end_calls)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct cairn_message message = {};

	make_channel(4);
	sigaction(SIGUSR1, &action, NULL);
	IN_CHILD(pid)
	{
		/* Nobody has received it: it is taken back. */
		EXPECT_ERRNO(cairn_channel_call(ends[1], 0, &message, NULL), EINTR);
		EXPECT_ERRNO(cairn_channel_call(ends[1], 0, &message, NULL), EINTR);
		EXPECT_ERRNO(cairn_channel_receive(ends[0], 0, &message, NULL), EINTR);
		_exit(test_has_failed());
	}
	sleep_ms(50);
	EXPECT_EQ(readiness(ends[0]), POLLIN);
	EXPECT_EQ(kill(pid, SIGUSR1), 0);
	sleep_ms(50);
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, NULL), CAIRN_RECEIVED_CALL);
	EXPECT_EQ(kill(pid, SIGUSR1), 0);
	sleep_ms(50);
	EXPECT_ERRNO(cairn_channel_reply(-1, &message, NULL), ECANCELED);
	EXPECT_EQ(kill(pid, SIGUSR1), 0);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(revocation_ends_calls_and_sends)
{
	struct cairn_message message = {};
	int client;

	make_channel(1);
	client = cairn_handle_derive(ends[1], CAIRN_RIGHTS_SAME, 1, CAIRN_HANDLE_KEEP_ON_FORK);
	IN_CHILD(pid)
	{
		EXPECT_ERRNO(cairn_channel_call(client, 0, &message, NULL), EKEYREVOKED);
		EXPECT_ERRNO(cairn_channel_send(client, 0, &message, NULL), EKEYREVOKED);
		_exit(test_has_failed());
	}
	EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, NULL), CAIRN_RECEIVED_CALL);
	sleep_ms(30);
	EXPECT_EQ(cairn_handle_revoke(ends[1]), 1);
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_ERRNO(cairn_channel_reply(-1, &message, NULL), ECANCELED);
}

static void *send_many(void *argument)
{
	struct cairn_message message = { .words = { (unsigned long)argument } };

	for (unsigned long i = 0; i < 500; i++) {
		message.words[1] = i;
		EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, NULL), 0);
	}
	return NULL;
}

/* Back-pressure: three senders that are faster than the receiver lose nothing, each in order. */
TEST(many_senders)
{
	unsigned long next[3] = {};
	struct cairn_message message;
	pthread_t threads[3];

	make_channel(2);
	for (unsigned long i = 0; i < 3; i++)
		REQUIRE(pthread_create(&threads[i], NULL, send_many, (void *)i) == 0);
	for (int i = 0; i < 1500; i++) {
		if (cairn_channel_receive(ends[0], 0, &message, NULL) ||
		    message.words[1] != next[message.words[0]]++) {
			test_fail(__FILE__, __LINE__, "message %d is out of order", i);
			break;
		}
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

TEST(calls_with_payloads)
{
	struct cairn_message message = {};
	static char question[60000], answer[60000];
	struct cairn_payload payload = {};

	make_channel(4);
	IN_CHILD(pid)
	{
		close(ends[1]);
		for (;;) {
			payload.receive = payload.send = (unsigned long)question;
			payload.receive_size = sizeof(question);
			if (cairn_channel_reply_receive(ends[0], 0, &message, &payload) < 0)
				break;
			payload.send_size = payload.receive_size;
			question[0]++;
		}
		EXPECT_EQ(errno, EPIPE);
		_exit(test_has_failed());
	}
	close(ends[0]);
	memset(question, 'q', sizeof(question));
	for (unsigned size = 1; size < sizeof(question); size = size * 3 + 1) {
		payload = (struct cairn_payload){ .send = (unsigned long)question,
						  .send_size = size,
						  .receive = (unsigned long)answer,
						  .receive_size = sizeof(answer) };
		EXPECT_EQ(cairn_channel_call(ends[1], 0, &message, &payload), 0);
		EXPECT_EQ(payload.receive_size, size);
		EXPECT_EQ(answer[0], 'r');
		EXPECT(size == 1 || answer[size - 1] == 'q');
	}
	/* An answer that does not fit is lost, the channel goes on. */
	payload.receive_size = 1;
	payload.send_size = 2;
	EXPECT_ERRNO(cairn_channel_call(ends[1], 0, &message, &payload), EMSGSIZE);
	EXPECT_EQ(cairn_channel_call(ends[1], 0, &message, NULL), 0);
	close(ends[1]);
	EXPECT_EQ(wait_status(pid), 0);
}
