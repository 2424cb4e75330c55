/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights, derivation and revocation of handles, as programs see them. */
#include <guest_test.h>

#include <cairn/handle.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct cairn_handle_info info_of(int fd)
{
	struct cairn_handle_info info = {};

	EXPECT_EQ(cairn_handle_inspect(fd, &info, sizeof(info)), 0);
	return info;
}

TEST(inspect_and_narrow)
{
	struct cairn_handle_info info;
	int pipes[2], fd;
	char c = 'x';

	REQUIRE(pipe(pipes) == 0);
	info = info_of(pipes[0]);
	EXPECT_STREQ(info.type, "file");
	EXPECT(info.rights & CAIRN_RIGHT_READ);
	EXPECT(!(info.rights & CAIRN_RIGHT_WRITE));
	EXPECT_EQ(info.flags, CAIRN_HANDLE_KEEP_ON_EXEC | CAIRN_HANDLE_KEEP_ON_FORK);
	EXPECT_EQ(info.handles, 1);
	fd = cairn_handle_duplicate(pipes[1], CAIRN_RIGHT_INSPECT, 0);
	REQUIRE(fd >= 0);
	info = info_of(fd);
	EXPECT_EQ(info.rights, CAIRN_RIGHT_INSPECT);
	EXPECT_EQ(info.flags, 0);
	EXPECT_EQ(info.handles, 2);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_ERRNO(write(fd, &c, 1), EBADF);
	EXPECT_ERRNO(cairn_handle_duplicate(fd, CAIRN_RIGHT_INSPECT, 0), EACCES);
	EXPECT_ERRNO(cairn_handle_duplicate(pipes[0], CAIRN_RIGHT_WRITE, 0), EACCES);
	EXPECT_ERRNO(cairn_handle_duplicate(pipes[0], 0x1000, 0), EINVAL);
	EXPECT_ERRNO(cairn_handle_duplicate(pipes[0], 0, 4), EINVAL);
	EXPECT_ERRNO(cairn_handle_duplicate(99, 0, 0), EBADF);
	EXPECT_ERRNO(cairn_handle_inspect(fd, &info, 39), EINVAL);
	EXPECT_ERRNO(cairn_handle_inspect(fd, NULL, sizeof(info)), EFAULT);
	EXPECT_EQ(write(pipes[1], &c, 1), 1);
}

TEST(not_kept_by_fork_and_exec)
{
	int pipes[2], fd, kept;

	REQUIRE(pipe(pipes) == 0);
	fd = cairn_handle_duplicate(pipes[0], CAIRN_RIGHTS_SAME, 0);
	kept = cairn_handle_duplicate(pipes[0], CAIRN_RIGHTS_SAME, CAIRN_HANDLE_KEEP_ON_FORK);
	IN_CHILD(pid)
	{
		EXPECT_ERRNO(fcntl(fd, F_GETFD), EBADF);
		EXPECT_EQ(fcntl(kept, F_GETFD), FD_CLOEXEC);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(badges_are_given_once)
{
	int pipes[2], fd, child;

	REQUIRE(pipe(pipes) == 0);
	fd = cairn_handle_derive(pipes[1], CAIRN_RIGHTS_SAME, 42, 0);
	REQUIRE(fd >= 0);
	EXPECT_EQ(info_of(fd).badge, 42);
	EXPECT(info_of(fd).state & CAIRN_HANDLE_DERIVED);
	EXPECT_ERRNO(cairn_handle_derive(fd, CAIRN_RIGHTS_SAME, 43, 0), EACCES);
	child = cairn_handle_derive(fd, CAIRN_RIGHT_WRITE, 0, 0);
	REQUIRE(child >= 0);
	EXPECT_EQ(info_of(child).badge, 42);
	EXPECT_ERRNO(cairn_handle_derive(child, CAIRN_RIGHT_WRITE, 0, 0), EACCES);
	EXPECT_EQ(info_of(dup(fd)).badge, 42);
}

TEST(revoke_kills_descendants_and_their_copies)
{
	int pipes[2], a, b, copy;
	char c = 'x';

	REQUIRE(pipe(pipes) == 0);
	a = cairn_handle_derive(pipes[1], CAIRN_RIGHTS_SAME, 0, 0);
	b = cairn_handle_derive(a, CAIRN_RIGHTS_SAME, 0, 0);
	copy = dup(b);
	EXPECT_EQ(write(copy, &c, 1), 1);
	EXPECT_EQ(cairn_handle_revoke(a), 1);
	EXPECT_EQ(write(a, &c, 1), 1);
	EXPECT_ERRNO(write(b, &c, 1), EKEYREVOKED);
	EXPECT_ERRNO(write(copy, &c, 1), EKEYREVOKED);
	EXPECT_ERRNO(dup(b), EKEYREVOKED);
	EXPECT_ERRNO(cairn_handle_derive(b, CAIRN_RIGHTS_SAME, 0, 0), EKEYREVOKED);
	EXPECT_ERRNO(cairn_handle_revoke(b), EKEYREVOKED);
	EXPECT(info_of(b).state & CAIRN_HANDLE_REVOKED);
	b = cairn_handle_derive(a, CAIRN_RIGHTS_SAME, 0, 0);
	EXPECT_EQ(write(b, &c, 1), 1);
	/* Closing is no revocation, and hides nothing from it. */
	EXPECT_EQ(close(a), 0);
	EXPECT_EQ(write(b, &c, 1), 1);
	EXPECT_EQ(cairn_handle_revoke(pipes[1]), 1);
	EXPECT_ERRNO(write(b, &c, 1), EKEYREVOKED);
	EXPECT_EQ(cairn_handle_revoke(pipes[1]), 0);
	EXPECT_EQ(close(b), 0);
}

static void send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, c = 'x';
	struct iovec iov = { &c, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	EXPECT_EQ(sendmsg(socket, &message, 0), 1);
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], c;
	struct iovec iov = { &c, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int fd = -1;

	EXPECT_EQ(recvmsg(socket, &message, 0), 1);
	if (CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

TEST(revoke_reaches_a_queued_message)
{
	int sockets[2], pipes[2], fd;
	char c = 'x';

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		return;
	REQUIRE(pipe(pipes) == 0);
	fd = cairn_handle_derive(pipes[1], CAIRN_RIGHTS_SAME, 0, 0);
	send_fd(sockets[0], fd);
	EXPECT_EQ(close(fd), 0);
	EXPECT_EQ(cairn_handle_revoke(pipes[1]), 1);
	fd = receive_fd(sockets[1]);
	EXPECT_ERRNO(write(fd, &c, 1), EKEYREVOKED);
}

TEST(revoke_reaches_another_process_and_wakes_it)
{
	int pipes[2], fd, ready[2];
	long long start;
	char c;

	REQUIRE(pipe(pipes) == 0 && pipe(ready) == 0);
	fd = cairn_handle_derive(pipes[0], CAIRN_RIGHTS_SAME, 0, CAIRN_HANDLE_KEEP_ON_FORK);
	IN_CHILD(pid)
	{
		EXPECT_EQ(write(ready[1], "x", 1), 1);
		EXPECT_ERRNO(read(fd, &c, 1), EKEYREVOKED);
		EXPECT_ERRNO(read(fd, &c, 1), EKEYREVOKED);
		_exit(test_has_failed());
	}
	EXPECT_EQ(read(ready[0], &c, 1), 1);
	sleep_ms(50);
	start = now_ms();
	EXPECT_EQ(cairn_handle_revoke(pipes[0]), 1);
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_LT(now_ms() - start, 3000);
}

static void on_signal(int signo)
{
}

/* A signal in the same moment must not make a revoked call start again. */
TEST(revoke_wakes_with_restarting_handlers_too)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	int pipes[2], fd;
	char c;

	REQUIRE(pipe(pipes) == 0);
	fd = cairn_handle_derive(pipes[0], CAIRN_RIGHTS_SAME, 0, CAIRN_HANDLE_KEEP_ON_FORK);
	IN_CHILD(pid)
	{
		sigaction(SIGUSR1, &action, NULL);
		EXPECT_ERRNO(read(fd, &c, 1), EKEYREVOKED);
		_exit(test_has_failed());
	}
	sleep_ms(100);
	EXPECT_EQ(kill(pid, SIGUSR1), 0);
	sleep_ms(20);
	EXPECT_EQ(cairn_handle_revoke(pipes[0]), 1);
	EXPECT_EQ(wait_status(pid), 0);
}

static void *poll_it(void *argument)
{
	struct pollfd item = { *(int *)argument, POLLIN, 0 };

	EXPECT_ERRNO(poll(&item, 1, 5000), EKEYREVOKED);
	EXPECT_EQ(poll(&item, 1, 0), 1);
	EXPECT_EQ(item.revents, POLLNVAL);
	return NULL;
}

TEST(revoke_wakes_poll)
{
	pthread_t thread;
	int pipes[2], fd;

	REQUIRE(pipe(pipes) == 0);
	fd = cairn_handle_derive(pipes[0], CAIRN_RIGHTS_SAME, 0, 0);
	REQUIRE(pthread_create(&thread, NULL, poll_it, &fd) == 0);
	sleep_ms(50);
	EXPECT_EQ(cairn_handle_revoke(pipes[0]), 1);
	pthread_join(thread, NULL);
}

TEST(revoke_shows_in_epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	int pipes[2], fd, epoll = epoll_create1(0);

	REQUIRE(pipe(pipes) == 0);
	fd = cairn_handle_derive(pipes[0], CAIRN_RIGHTS_SAME, 0, 0);
	EXPECT_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	EXPECT_EQ(cairn_handle_revoke(pipes[0]), 1);
	EXPECT_EQ(write(pipes[1], "x", 1), 1);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	EXPECT_EQ(event.events, EPOLLERR | EPOLLHUP);
	EXPECT_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), EKEYREVOKED);
}

TEST(revoke_unmaps)
{
	char path[] = "/tmp/native-XXXXXX", *page, c = 0;
	int file = mkstemp(path), fd, status;

	REQUIRE(file >= 0 && ftruncate(file, 3 * 4096) == 0);
	unlink(path);
	fd = cairn_handle_derive(file, CAIRN_RIGHTS_SAME, 0, CAIRN_HANDLE_KEEP_ON_FORK);
	page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(page != MAP_FAILED);
	page[0] = 'a';
	page[8192] = 'b';
	EXPECT_EQ(mprotect(page + 4096, 4096, PROT_READ), 0); /* three mappings now */
	IN_CHILD(pid)
	{
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		EXPECT_EQ(page[0], 'a');
		sleep_ms(200);
		c = page[8192]; /* SIGSEGV */
		_exit(c == 'b' ? 1 : 2);
	}
	sleep_ms(50);
	EXPECT_EQ(cairn_handle_revoke(file), 1);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	EXPECT_ERRNO(mprotect(page, 4096, PROT_READ), ENOMEM);
	EXPECT_ERRNO(mprotect(page + 8192, 4096, PROT_READ), ENOMEM);
	EXPECT_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), EKEYREVOKED);
	EXPECT_EQ(pread(file, &c, 1, 8192), 1);
	EXPECT_EQ(c, 'b');
}

/* What was begun through a handle that is closed since does not escape. */
TEST(revoke_unmaps_what_a_closed_handle_mapped)
{
	char path[] = "/tmp/native-XXXXXX", *page;
	int file = mkstemp(path), fd;

	REQUIRE(file >= 0 && ftruncate(file, 4096) == 0);
	unlink(path);
	fd = cairn_handle_derive(file, CAIRN_RIGHTS_SAME, 0, 0);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(page != MAP_FAILED);
	page[0] = 'a';
	EXPECT_EQ(close(fd), 0);
	EXPECT_EQ(cairn_handle_revoke(file), 1);
	EXPECT_ERRNO(mprotect(page, 4096, PROT_READ), ENOMEM);
	EXPECT_EQ(cairn_handle_revoke(file), 0);
}

static void *read_blocked(void *fd)
{
	char c;
	long result = read(*(int *)fd, &c, 1) < 0 ? errno : 0;

	return (void *)result;
}

TEST(revoke_wakes_who_reads_through_a_closed_handle)
{
	pthread_t thread;
	void *result = NULL;
	int pipes[2], fd;

	REQUIRE(pipe(pipes) == 0);
	fd = cairn_handle_derive(pipes[0], CAIRN_RIGHTS_SAME, 0, 0);
	REQUIRE(pthread_create(&thread, NULL, read_blocked, &fd) == 0);
	sleep_ms(50);
	EXPECT_EQ(close(fd), 0);
	EXPECT_EQ(cairn_handle_revoke(pipes[0]), 1);
	pthread_join(thread, &result);
	EXPECT_EQ((long)result, EKEYREVOKED);
}

TEST(revoke_shows_in_an_epoll_that_watches_by_a_closed_handle)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), pipes[2], fd;

	REQUIRE(pipe(pipes) == 0);
	fd = cairn_handle_derive(pipes[0], CAIRN_RIGHTS_SAME, 0, 0);
	EXPECT_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	EXPECT_EQ(close(fd), 0);
	EXPECT_EQ(cairn_handle_revoke(pipes[0]), 1);
	EXPECT_EQ(write(pipes[1], "x", 1), 1);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 1000), 1);
	EXPECT_EQ(event.events, EPOLLERR | EPOLLHUP);
}

#define MANY 10000

TEST(revoke_of_many)
{
	struct rlimit limit = { MANY + 100, MANY + 100 };
	int pipes[2], previous;
	char c = 'x';

	REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0 && pipe(pipes) == 0);
	previous = pipes[1];
	/* A chain and a bush in turn. */
	for (int i = 0; i < MANY; i++) {
		int fd = cairn_handle_derive(i % 2 ? previous : pipes[1], CAIRN_RIGHTS_SAME, 0, 0);

		REQUIRE(fd >= 0);
		previous = fd;
	}
	EXPECT_EQ(cairn_handle_revoke(pipes[1]), MANY);
	EXPECT_ERRNO(write(previous, &c, 1), EKEYREVOKED);
	EXPECT_ERRNO(write(previous - 1, &c, 1), EKEYREVOKED);
}
