/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AF_UNIX sockets: unix(7), socket(7), and the calls of all sockets. */
#include "guest_test.h"

#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

/* Not known to the compiler, which would warn. */
static void *volatile bad_address = (void *)8;

static volatile sig_atomic_t pipe_signals;

static void count_signal(int signo)
{
	(void)signo;
	pipe_signals++;
}

static short ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };

	EXPECT(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static socklen_t make_name(struct sockaddr_un *name, const char *text)
{
	size_t length = strlen(text);

	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	if (text[0] == '@') {
		memcpy(name->sun_path + 1, text + 1, length - 1);
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	}
	memcpy(name->sun_path, text, length);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static int bound(int type, const char *text)
{
	struct sockaddr_un name;
	socklen_t length = make_name(&name, text);
	int fd = socket(AF_UNIX, type, 0);

	EXPECT(fd >= 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&name, length), 0);
	return fd;
}

static int connect_name(int fd, const char *text)
{
	struct sockaddr_un name;
	socklen_t length = make_name(&name, text);

	return connect(fd, (struct sockaddr *)&name, length);
}

TEST(unix_socket_arguments)
{
	int fds[2];

	EXPECT_ERRNO(socket(AF_UNIX, 0, 0), ESOCKTNOSUPPORT);
	EXPECT_ERRNO(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
	EXPECT_ERRNO(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
	EXPECT_ERRNO(socket(AF_UNIX, 15, 0), EINVAL);
	EXPECT_ERRNO(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
	EXPECT_ERRNO(socket(1000, SOCK_STREAM, 0), EAFNOSUPPORT);
	EXPECT_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, bad_address), EFAULT);
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	EXPECT_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(fds[1], F_GETFL), O_RDWR | O_NONBLOCK);
	EXPECT_ERRNO(send(999, "x", 1, 0), EBADF);
	EXPECT_ERRNO(send(0, "x", 1, 0), ENOTSOCK);
	EXPECT_ERRNO(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
	EXPECT_ERRNO(send(fds[0], bad_address, 1, 0), EFAULT);
	EXPECT_EQ(send(fds[0], "x", 1, 0), 1);
	EXPECT_ERRNO(recv(fds[1], bad_address, 1, 0), EFAULT);
	EXPECT_EQ(recv(fds[1], &(char){ 0 }, 1, 0), 1);
	EXPECT_ERRNO(accept4(fds[0], NULL, NULL, 1), EINVAL);
	EXPECT_ERRNO(accept(fds[0], NULL, NULL), EINVAL);
	EXPECT_ERRNO(listen(fds[0], 1), EINVAL);
	EXPECT_ERRNO(shutdown(fds[0], 3), EINVAL);
	EXPECT_ERRNO(recvmsg(fds[0], bad_address, 0), EFAULT);
	EXPECT_ERRNO(sendmsg(fds[0], bad_address, 0), EFAULT);
}

TEST(unix_stream_pair)
{
	char buf[16];
	int fds[2], n;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	EXPECT_EQ(ready(fds[0]), POLLOUT);
	EXPECT_EQ(write(fds[0], "hello ", 6), 6);
	EXPECT_EQ(send(fds[0], "world", 5, 0), 5);
	EXPECT_EQ(ioctl(fds[1], FIONREAD, &n), 0);
	EXPECT_EQ(n, 11);
	EXPECT_EQ(ready(fds[1]), POLLIN | POLLOUT);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), MSG_PEEK), 11);
	EXPECT_EQ(memcmp(buf, "hello world", 11), 0);
	EXPECT_EQ(read(fds[1], buf, 3), 3);
	EXPECT_EQ(read(fds[1], buf, sizeof(buf)), 8);
	EXPECT_EQ(memcmp(buf, "lo world", 8), 0);
	EXPECT_ERRNO(recv(fds[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	EXPECT_EQ(shutdown(fds[0], SHUT_WR), 0);
	EXPECT_EQ(read(fds[1], buf, 1), 0);
	EXPECT_EQ(ready(fds[1]), POLLIN | POLLOUT | POLLRDHUP);
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	EXPECT_EQ(close(fds[1]), 0);
	EXPECT_EQ(read(fds[0], buf, sizeof(buf)), 1);
	EXPECT_EQ(read(fds[0], buf, sizeof(buf)), 0);
}

TEST(unix_stream_broken)
{
	char buf[4];
	int fds[2], error;
	socklen_t length = sizeof(error);

	signal(SIGPIPE, count_signal);
	pipe_signals = 0;
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	close(fds[1]);
	EXPECT_EQ(ready(fds[0]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	EXPECT_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	EXPECT_EQ(pipe_signals, 0);
	EXPECT_ERRNO(write(fds[0], "x", 1), EPIPE);
	EXPECT_ERRNO(send(fds[0], "x", 1, 0), EPIPE);
	EXPECT_EQ(pipe_signals, 2);
	close(fds[0]);
	/* Unread data: the other side learns of it. */
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	EXPECT_EQ(write(fds[0], "x", 1), 1);
	close(fds[1]);
	EXPECT_EQ(ready(fds[0]), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	EXPECT_ERRNO(read(fds[0], buf, 1), ECONNRESET);
	EXPECT_EQ(read(fds[0], buf, 1), 0);
	close(fds[0]);
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	EXPECT_EQ(write(fds[0], "x", 1), 1);
	close(fds[1]);
	EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_ERROR, &error, &length), 0);
	EXPECT_EQ(error, ECONNRESET);
	EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_ERROR, &error, &length), 0);
	EXPECT_EQ(error, 0);
}

TEST(unix_names)
{
	struct sockaddr_un name;
	socklen_t length;
	struct stat st;
	int fd, other;

	fd = bound(SOCK_STREAM, "here");
	EXPECT_EQ(stat("here", &st), 0);
	EXPECT(S_ISSOCK(st.st_mode));
	length = sizeof(name);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	EXPECT_EQ(length, offsetof(struct sockaddr_un, sun_path) + 5);
	EXPECT_EQ(strcmp(name.sun_path, "here"), 0);
	length = sizeof(name);
	EXPECT_ERRNO(getpeername(fd, (struct sockaddr *)&name, &length), ENOTCONN);
	length = make_name(&name, "there");
	EXPECT_ERRNO(bind(fd, (struct sockaddr *)&name, length), EINVAL);
	EXPECT_ERRNO(open("here", O_RDWR), ENXIO);
	other = socket(AF_UNIX, SOCK_STREAM, 0);
	length = make_name(&name, "here");
	EXPECT_ERRNO(bind(other, (struct sockaddr *)&name, length), EADDRINUSE);
	EXPECT_ERRNO(bind(other, (struct sockaddr *)&name, sizeof(name) + 1), EINVAL);
	EXPECT_ERRNO(bind(other, (struct sockaddr *)&name, 1), EINVAL);
	EXPECT_ERRNO(connect_name(other, "here"), ECONNREFUSED);
	EXPECT_ERRNO(connect_name(other, "nowhere"), ENOENT);
	EXPECT_ERRNO(connect_name(other, "@nobody"), ECONNREFUSED);
	close(open("plain", O_CREAT | O_RDWR, 0600));
	EXPECT_ERRNO(connect_name(other, "plain"), ECONNREFUSED);
	EXPECT_EQ(listen(fd, 5), 0);
	close(other);
	other = socket(AF_UNIX, SOCK_DGRAM, 0);
	EXPECT_ERRNO(connect_name(other, "here"), EPROTOTYPE);
	close(other);
	/* The name goes with the socket, the file stays. */
	close(fd);
	other = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT_ERRNO(connect_name(other, "here"), ECONNREFUSED);
	EXPECT_EQ(unlink("here"), 0);
	/* Abstract names. */
	fd = bound(SOCK_STREAM, "@some name");
	length = make_name(&name, "@some name");
	EXPECT_ERRNO(bind(other, (struct sockaddr *)&name, length), EADDRINUSE);
	close(fd);
	EXPECT_EQ(bind(other, (struct sockaddr *)&name, length), 0);
	/* Autobind. */
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	name.sun_family = AF_UNIX;
	EXPECT_EQ(bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
	length = sizeof(name);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	EXPECT_EQ(length, offsetof(struct sockaddr_un, sun_path) + 6);
	EXPECT_EQ(name.sun_path[0], 0);
	/* No name at all. */
	close(fd);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	length = sizeof(name);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	EXPECT_EQ(length, sizeof(sa_family_t));
}

TEST(unix_listen_accept)
{
	int server = bound(SOCK_STREAM, "@server"), client, connection, value;
	struct sockaddr_un name;
	socklen_t length = sizeof(name);
	struct ucred peer;
	char buf[8];

	EXPECT_ERRNO(accept(server, NULL, NULL), EINVAL);
	EXPECT_EQ(listen(server, 5), 0);
	EXPECT_EQ(fcntl(server, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(accept(server, NULL, NULL), EAGAIN);
	EXPECT_EQ(ready(server), 0);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT_EQ(ready(client), POLLOUT | POLLHUP);
	EXPECT_ERRNO(send(client, "x", 1, MSG_NOSIGNAL), ENOTCONN);
	EXPECT_ERRNO(recv(client, buf, 1, 0), EINVAL);
	EXPECT_EQ(connect_name(client, "@server"), 0);
	EXPECT_ERRNO(connect_name(client, "@server"), EISCONN);
	EXPECT_EQ(ready(client), POLLOUT);
	EXPECT_EQ(ready(server), POLLIN);
	EXPECT_EQ(send(client, "early", 5, 0), 5);
	connection = accept4(server, (struct sockaddr *)&name, &length, SOCK_NONBLOCK);
	EXPECT(connection >= 0);
	EXPECT_EQ(length, sizeof(sa_family_t));
	EXPECT_EQ(fcntl(connection, F_GETFL), O_RDWR | O_NONBLOCK);
	EXPECT_EQ(recv(connection, buf, sizeof(buf), 0), 5);
	length = sizeof(name);
	EXPECT_EQ(getsockname(connection, (struct sockaddr *)&name, &length), 0);
	EXPECT_EQ(length, offsetof(struct sockaddr_un, sun_path) + 7);
	length = sizeof(peer);
	EXPECT_EQ(getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
	EXPECT_EQ(peer.pid, getpid());
	EXPECT_EQ(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
	EXPECT_EQ(peer.pid, getpid());
	length = sizeof(value);
	EXPECT_EQ(getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &value, &length), 0);
	EXPECT_EQ(value, 1);
	EXPECT_EQ(getsockopt(connection, SOL_SOCKET, SO_ACCEPTCONN, &value, &length), 0);
	EXPECT_EQ(value, 0);
	EXPECT_EQ(send(connection, "answer", 6, 0), 6);
	EXPECT_EQ(recv(client, buf, sizeof(buf), 0), 6);
}

TEST(unix_backlog)
{
	int server = bound(SOCK_STREAM, "@backlog"), clients[4], status;

	EXPECT_EQ(listen(server, 1), 0);
	for (int i = 0; i < 4; i++)
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	EXPECT_EQ(connect_name(clients[0], "@backlog"), 0);
	EXPECT_EQ(connect_name(clients[1], "@backlog"), 0);
	EXPECT_ERRNO(connect_name(clients[2], "@backlog"), EAGAIN);
	/* One that waits gets in when there is room. */
	if (fork() == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		_exit(connect_name(fd, "@backlog") == 0 ? 0 : errno);
	}
	usleep(20000);
	EXPECT(accept(server, NULL, NULL) >= 0);
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
	/* Those that were never accepted are reset. */
	close(server);
	EXPECT_ERRNO(recv(clients[1], &status, 1, 0), ECONNRESET);
	EXPECT_ERRNO(connect_name(clients[3], "@backlog"), ECONNREFUSED);
}

TEST(unix_datagrams)
{
	int a = bound(SOCK_DGRAM, "@dgram a"), b = bound(SOCK_DGRAM, "@dgram b"), n;
	struct sockaddr_un name;
	socklen_t length;
	char buf[8];

	EXPECT_ERRNO(send(a, "x", 1, 0), ENOTCONN);
	EXPECT_ERRNO(listen(a, 1), EOPNOTSUPP);
	EXPECT_ERRNO(recv(a, buf, 1, MSG_DONTWAIT), EAGAIN);
	length = make_name(&name, "@dgram b");
	EXPECT_EQ(sendto(a, "one", 3, 0, (struct sockaddr *)&name, length), 3);
	EXPECT_EQ(sendto(a, "", 0, 0, (struct sockaddr *)&name, length), 0);
	EXPECT_EQ(sendto(a, "longer one", 10, 0, (struct sockaddr *)&name, length), 10);
	EXPECT_EQ(ioctl(b, FIONREAD, &n), 0);
	EXPECT_EQ(n, 3);
	length = sizeof(name);
	EXPECT_EQ(recvfrom(b, buf, sizeof(buf), 0, (struct sockaddr *)&name, &length), 3);
	EXPECT_EQ(length, offsetof(struct sockaddr_un, sun_path) + 8);
	EXPECT_EQ(memcmp(name.sun_path, "\0dgram a", 8), 0);
	EXPECT_EQ(recv(b, buf, sizeof(buf), 0), 0);
	EXPECT_EQ(recv(b, buf, 4, MSG_TRUNC | MSG_PEEK), 10);
	EXPECT_EQ(recv(b, buf, 4, 0), 4);
	EXPECT_ERRNO(recv(b, buf, 4, MSG_DONTWAIT), EAGAIN);
	/* Connected: only the peer may send. */
	EXPECT_EQ(connect_name(b, "@dgram a"), 0);
	length = make_name(&name, "@dgram b");
	EXPECT_EQ(send(b, "x", 1, 0), 1);
	n = socket(AF_UNIX, SOCK_DGRAM, 0);
	EXPECT_ERRNO(sendto(n, "x", 1, 0, (struct sockaddr *)&name, length), EPERM);
	EXPECT_EQ(recvfrom(a, buf, 1, 0, NULL, NULL), 1);
	/* Nowhere again. */
	name.sun_family = AF_UNSPEC;
	EXPECT_EQ(connect(b, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
	EXPECT_ERRNO(send(b, "x", 1, 0), ENOTCONN);
	EXPECT_EQ(connect_name(b, "@dgram a"), 0);
	close(a);
	EXPECT_ERRNO(send(b, "x", 1, 0), ECONNREFUSED);
	EXPECT_ERRNO(send(b, "x", 1, 0), ENOTCONN);
}

TEST(unix_datagram_queue)
{
	int to = bound(SOCK_DGRAM, "@queue"), from = socket(AF_UNIX, SOCK_DGRAM, 0), n = 0, status;
	char buf[8];

	EXPECT_EQ(connect_name(from, "@queue"), 0);
	while (send(from, "x", 1, MSG_DONTWAIT) == 1)
		n++;
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_EQ(n, 11);
	EXPECT_EQ(ready(from) & POLLOUT, 0);
	if (fork() == 0)
		_exit(send(from, "last", 4, 0) == 4 ? 0 : 1);
	usleep(20000);
	EXPECT_EQ(waitpid(-1, &status, WNOHANG), 0);
	EXPECT_EQ(recv(to, buf, sizeof(buf), 0), 1);
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
	while (n--)
		EXPECT(recv(to, buf, sizeof(buf), MSG_DONTWAIT) > 0);
	EXPECT_EQ(memcmp(buf, "last", 4), 0);
	EXPECT_EQ(ready(from) & POLLOUT, POLLOUT);
}

TEST(unix_seqpacket)
{
	char buf[16];
	int fds[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	EXPECT_EQ(send(fds[0], "first", 5, 0), 5);
	EXPECT_EQ(send(fds[0], "second", 6, 0), 6);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), 0), 5);
	EXPECT_EQ(recv(fds[1], buf, 3, 0), 3);
	EXPECT_ERRNO(recv(fds[1], buf, 3, MSG_DONTWAIT), EAGAIN);
	close(fds[0]);
	EXPECT_EQ(recv(fds[1], buf, 3, 0), 0);
	EXPECT_ERRNO(send(fds[1], "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* --- Blocking --- */

TEST(unix_timeouts)
{
	struct timeval limit = { 0, 30000 }, told;
	socklen_t length = sizeof(told);
	char buf[4];
	int fds[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	EXPECT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &told, &length), 0);
	EXPECT(told.tv_sec == 0 && told.tv_usec > 20000 && told.tv_usec < 50000);
	EXPECT_ERRNO(recv(fds[0], buf, 1, 0), EAGAIN);
	EXPECT_ERRNO(read(fds[0], buf, 1), EAGAIN);
	limit.tv_usec = 1000000;
	EXPECT_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), EDOM);
	EXPECT_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, 4), EINVAL);
	/* MSG_WAITALL gives what there is when the time is over. */
	EXPECT_EQ(write(fds[1], "ab", 2), 2);
	EXPECT_EQ(recv(fds[0], buf, 4, MSG_WAITALL), 2);
}

TEST(unix_signals)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = SA_RESTART };
	struct timeval limit = { 10, 0 };
	char buf[4];
	int fds[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	sigaction(SIGALRM, &action, NULL);
	/* With a time-out the call is not restarted, signal(7). */
	EXPECT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	ualarm(20000, 0);
	EXPECT_ERRNO(recv(fds[0], buf, 1, 0), EINTR);
	ualarm(20000, 0);
	EXPECT_ERRNO(read(fds[0], buf, 1), EINTR);
	limit.tv_sec = 0;
	EXPECT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	if (fork() == 0) {
		usleep(60000);
		_exit(write(fds[1], "x", 1) != 1);
	}
	ualarm(20000, 0);
	EXPECT_EQ(recv(fds[0], buf, 1, 0), 1);
	EXPECT(pipe_signals >= 3);
}

/* Fills the buffer, then a blocked writer goes on when it is read. */
TEST(unix_flow_control)
{
	static char block[100000], back[100000];
	long sent = 0, received = 0;
	int fds[2], size, n, status;
	socklen_t length = sizeof(size);

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	size = 20000;
	EXPECT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	EXPECT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, &length), 0);
	EXPECT_EQ(size, 40000);
	size = 1;
	EXPECT_EQ(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	EXPECT_EQ(getsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, &length), 0);
	EXPECT_EQ(size, 4608);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 7 + i / 256);
	while ((n = (int)send(fds[0], block, sizeof(block), MSG_DONTWAIT)) > 0)
		sent += n;
	EXPECT_EQ(errno, EAGAIN);
	EXPECT(sent > 10000 && sent < 100000);
	EXPECT_EQ(ready(fds[0]), 0);
	while (sent > received && (n = (int)read(fds[1], back, sizeof(back))) > 0)
		received += n;
	EXPECT_EQ(sent, received);
	EXPECT_EQ(ready(fds[0]), POLLOUT);
	EXPECT_EQ(ioctl(fds[0], SIOCOUTQ, &n), 0);
	EXPECT_EQ(n, 0);
	if (fork() == 0)
		_exit(write(fds[0], block, sizeof(block)) == sizeof(block) ? 0 : 1);
	EXPECT_EQ(recv(fds[1], back, sizeof(back), MSG_WAITALL), (long)sizeof(back));
	EXPECT_EQ(memcmp(block, back, sizeof(block)), 0);
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 0);
}

TEST(unix_epoll_edges)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got;
	char buf[8];
	int fds[2], ep = epoll_create1(0);

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &event), 0);
	EXPECT_EQ(epoll_wait(ep, &got, 1, 0), 0);
	EXPECT_EQ(write(fds[0], "ab", 2), 2);
	EXPECT_EQ(epoll_wait(ep, &got, 1, 0), 1);
	EXPECT_EQ(epoll_wait(ep, &got, 1, 0), 0);
	EXPECT_EQ(read(fds[1], buf, 1), 1);
	EXPECT_EQ(epoll_wait(ep, &got, 1, 0), 0);
	EXPECT_EQ(write(fds[0], "c", 1), 1);
	EXPECT_EQ(epoll_wait(ep, &got, 1, 0), 1);
	close(fds[0]);
	EXPECT_EQ(epoll_wait(ep, &got, 1, 0), 1);
	EXPECT_EQ(got.events & EPOLLHUP, (unsigned)EPOLLHUP);
}

TEST(unix_urgent_data)
{
	char buf[8];
	int fds[2], mark;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	EXPECT_ERRNO(recv(fds[1], buf, 1, MSG_OOB), EINVAL);
	EXPECT_EQ(send(fds[0], "abc", 3, MSG_OOB), 3);
	EXPECT_EQ(ready(fds[1]) & POLLPRI, POLLPRI);
	EXPECT_EQ(send(fds[0], "de", 2, 0), 2);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), 0), 2);
	EXPECT_EQ(memcmp(buf, "ab", 2), 0);
	EXPECT_EQ(ioctl(fds[1], SIOCATMARK, &mark), 0);
	EXPECT_EQ(mark, 1);
	EXPECT_EQ(recv(fds[1], buf, 1, MSG_OOB), 1);
	EXPECT_EQ(buf[0], 'c');
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), 0), 2);
	EXPECT_EQ(memcmp(buf, "de", 2), 0);
}

TEST(unix_many_messages)
{
	struct mmsghdr messages[4] = {};
	struct iovec vectors[4];
	char text[4][8], buf[8];
	struct timespec limit = { 0, 20000000 };
	int fds[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	for (int i = 0; i < 4; i++) {
		vectors[i] = (struct iovec){ text[i], (size_t)snprintf(text[i], 8, "n%d", i) };
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	EXPECT_EQ(sendmmsg(fds[0], messages, 4, 0), 4);
	EXPECT_EQ(messages[3].msg_len, 2);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), 0), 2);
	for (int i = 0; i < 4; i++)
		vectors[i].iov_len = 8;
	EXPECT_EQ(recvmmsg(fds[1], messages, 4, MSG_WAITFORONE, &limit), 3);
	EXPECT_EQ(messages[0].msg_len, 2);
	EXPECT_EQ(memcmp(text[2], "n3", 2), 0);
	EXPECT_ERRNO(recvmmsg(fds[1], messages, 4, MSG_DONTWAIT, NULL), EAGAIN);
	messages[0].msg_hdr.msg_iovlen = 2000;
	EXPECT_ERRNO(sendmsg(fds[0], &messages[0].msg_hdr, 0), EMSGSIZE);
}

TEST(unix_splice)
{
	char buf[16];
	int fds[2], pipes[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && pipe(pipes) == 0);
	EXPECT_EQ(write(pipes[1], "through", 7), 7);
	EXPECT_EQ(splice(pipes[0], NULL, fds[0], NULL, 16, 0), 7);
	EXPECT_EQ(splice(fds[1], NULL, pipes[1], NULL, 16, 0), 7);
	EXPECT_EQ(read(pipes[0], buf, sizeof(buf)), 7);
	EXPECT_EQ(memcmp(buf, "through", 7), 0);
}

TEST(unix_open_and_close_many)
{
	int fds[2];

	for (int i = 0; i < 20000; i++) {
		if (socketpair(AF_UNIX, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0, fds)) {
			EXPECT(!"socketpair");
			break;
		}
		if (i % 3)
			EXPECT_EQ(write(fds[0], "x", 1), 1);
		close(fds[0]);
		close(fds[1]);
	}
}
