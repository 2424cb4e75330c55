// SPDX-License-Identifier: GPL-2.0-or-later
/* Cairn's own calls, which have no neighbour on Linux: to be read beside pipe_round_trip and unix_round_trip. */
#include "bench.h"

#include <cairn/channel.h>
#include <cairn/handle.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int64_t channel_round_trips(unsigned n, unsigned long badge)
{
	struct cairn_message message = { .words = { 1 } };
	int ends[2], client, status;
	int64_t ns;

	if (cairn_channel_create(ends, 4, CAIRN_HANDLE_KEEP_ON_FORK))
		return -1;
	client = badge ? cairn_handle_derive(ends[1], CAIRN_RIGHTS_SAME, badge, 0) : ends[1];
	pid_t pid = fork();

	if (pid == 0) {
		close(ends[1]);
		while (cairn_channel_reply_receive(ends[0], 0, &message, 0) >= 0)
			message.words[0]++;
		_exit(0);
	}
	close(ends[0]);
	ns = TIMED(n, cairn_channel_call(client, 0, &message, 0));
	close(ends[1]);
	close(client);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return message.words[0] > n ? ns : -1;
}

BENCH("native", channel_round_trip, 3000)
{
	return channel_round_trips(n, 0);
}

BENCH("native", channel_round_trip_badge, 3000)
{
	return channel_round_trips(n, 7);
}

BENCH("native", channel_send_receive, 3000)
{
	struct cairn_message message = { .words = { 1 } };
	int ends[2];
	int64_t ns;

	if (cairn_channel_create(ends, 4, 0))
		return -1;
	ns = TIMED(n, {
		cairn_channel_send(ends[1], 0, &message, 0);
		cairn_channel_receive(ends[0], 0, &message, 0);
	});
	close(ends[0]);
	close(ends[1]);
	return ns;
}

BENCH("native", derive_close, 3000)
{
	int fd = dup(0);

	if (cairn_handle_derive(fd, CAIRN_RIGHTS_SAME, 0, 0) < 0)
		return -1;
	return TIMED(n, close(cairn_handle_derive(fd, CAIRN_RIGHTS_SAME, 0, 0)));
}

/* One operation is the revocation of one derived handle out of 10,000. */
BENCH("native", revoke_10000, 10000)
{
	struct rlimit limit = { 20000, 20000 };
	int fd = dup(0);
	int64_t ns;

	if (setrlimit(RLIMIT_NOFILE, &limit) || n > 10000)
		return -1;
	for (unsigned i = 0; i < n; i++)
		if (cairn_handle_derive(fd, CAIRN_RIGHTS_SAME, 0, 0) < 0)
			return -1;
	ns = TIMED(1, cairn_handle_revoke(fd));
	for (unsigned i = 0; i < n + 1; i++)
		close(fd + (int)i);
	return ns;
}

BENCH("native", read_derived, 3000)
{
	int fds[2], fd;
	char c = 'x';

	if (pipe(fds) || (fd = cairn_handle_derive(fds[0], CAIRN_RIGHTS_SAME, 0, 0)) < 0)
		return -1;
	return TIMED(n, { (void)!(write(fds[1], &c, 1) + read(fd, &c, 1)); });
}
