/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's books: what a process made is gone with it. Each case runs in many processes, one after the other, and
 * neither the number of objects nor that of any slab cache's may have grown by as many as there were.
 */
#include <guest_test.h>

#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 24
#define CACHES 96

struct books {
	long objects;
	unsigned count;
	struct {
		char name[32];
		long in_use;
	} caches[CACHES];
};

static void open_books(struct books *b)
{
	static char line[512];
	FILE *file = fopen("/proc/sys/vm/drop_caches", "w");

	*b = (struct books){};
	REQUIRE(file && fputs("3", file) >= 0 && fclose(file) == 0);
	file = fopen("/proc/cairn/counts", "r");
	REQUIRE(file != NULL);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "objects %ld", &b->objects);
	fclose(file);
	file = fopen("/proc/slabinfo", "r");
	REQUIRE(file != NULL);
	while (fgets(line, sizeof(line), file) && b->count < CACHES)
		if (sscanf(line, "%31s %ld", b->caches[b->count].name,
			   &b->caches[b->count].in_use) == 2)
			b->count++;
	fclose(file);
	REQUIRE(b->objects > 0 && b->count > 10);
}

static bool grew(const struct books *before, const struct books *after, char *what, size_t size)
{
	if (after->objects >= before->objects + PROCESSES) {
		snprintf(what, size, "objects %ld -> %ld", before->objects, after->objects);
		return true;
	}
	for (unsigned i = 0; i < after->count; i++)
		for (unsigned j = 0; j < before->count; j++)
			if (!strcmp(after->caches[i].name, before->caches[j].name) &&
			    after->caches[i].in_use >= before->caches[j].in_use + PROCESSES) {
				snprintf(what, size, "%s %ld -> %ld", after->caches[i].name,
					 before->caches[j].in_use, after->caches[i].in_use);
				return true;
			}
	return false;
}

static void run_many(void (*body)(void))
{
	for (unsigned i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			body();
			_exit(0);
		}
		REQUIRE(pid > 0 && waitpid(pid, NULL, 0) == pid);
	}
}

static void leaves_nothing(void (*body)(void))
{
	struct books before, after;
	char what[128] = "";

	run_many(body); /* what is made once stays */
	open_books(&before);
	run_many(body);
	/* What a grace period or a worker has in hand goes in its own time. */
	for (unsigned i = 0; i < 100; i++) {
		open_books(&after);
		if (!grew(&before, &after, what, sizeof(what)))
			return;
		usleep(20000);
	}
	test_fail(__FILE__, __LINE__, "%s", what);
}

#define BOOKS_TEST(name)                                                                           \
	static void name##_body(void);                                                             \
	TEST(name)                                                                                 \
	{                                                                                          \
		leaves_nothing(name##_body);                                                       \
	}                                                                                          \
	static void name##_body(void)

BOOKS_TEST(forks)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void *nap(void *arg)
{
	if (arg)
		pause();
	return NULL;
}

BOOKS_TEST(threads)
{
	pthread_t ends, stays;

	pthread_create(&stays, NULL, nap, "");
	pthread_create(&ends, NULL, nap, NULL);
	pthread_join(ends, NULL);
}

BOOKS_TEST(killed_threads)
{
	pthread_t thread;

	pthread_create(&thread, NULL, nap, "");
	kill(getpid(), SIGKILL);
}

BOOKS_TEST(small_objects)
{
	int fds[2];

	(void)!pipe(fds);
	epoll_create1(0);
	eventfd(0, 0);
	inotify_init();
	timerfd_create(CLOCK_MONOTONIC, 0);
	syscall(SYS_pidfd_open, getpid(), 0);
	open("/proc/self", O_RDONLY);
	open("/proc/self/maps", O_RDONLY);
	(void)!ftruncate(memfd_create("memory", 0), 10000);
	mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1,
	     0);
}

BOOKS_TEST(terminals)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), number = 0;

	ioctl(master, TIOCGPTN, &number);
}

BOOKS_TEST(timers)
{
	timer_t timer;

	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	alarm(100);
}

BOOKS_TEST(socket_pairs)
{
	int fds[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds);
	(void)!write(fds[0], "x", 1);
}

BOOKS_TEST(unix_connections)
{
	struct sockaddr_un name = { AF_UNIX, "books" };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(name.sun_path);
	(void)!bind(listener, (struct sockaddr *)&name, sizeof(name));
	listen(listener, 5);
	for (unsigned i = 0; i < 2; i++) {
		int client = socket(AF_UNIX, SOCK_STREAM, 0);

		(void)!connect(client, (struct sockaddr *)&name, sizeof(name));
		(void)!write(client, "x", 1);
	}
	accept(listener, NULL, NULL);
}

BOOKS_TEST(unix_datagrams)
{
	struct sockaddr_un name = { AF_UNIX, "books" };
	int receiver = socket(AF_UNIX, SOCK_DGRAM, 0), sender = socket(AF_UNIX, SOCK_DGRAM, 0);

	unlink(name.sun_path);
	(void)!bind(receiver, (struct sockaddr *)&name, sizeof(name));
	(void)!connect(sender, (struct sockaddr *)&name, sizeof(name));
	(void)!write(sender, "x", 1);
}

/* A cycle of handles in flight is found when a socket ends. */
BOOKS_TEST(handles_in_flight)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = {};
	struct iovec data = { "x", 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	*header = (struct cmsghdr){ CMSG_LEN(sizeof(fds)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	sendmsg(fds[0], &message, 0);
	close(socket(AF_UNIX, SOCK_STREAM, 0));
}

BOOKS_TEST(internet_sockets)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage name = {};
	socklen_t size = sizeof(name);

	listen(listener, 5);
	getsockname(listener, (struct sockaddr *)&name, &size);
	(void)!connect(client, (struct sockaddr *)&name, size);
	socket(AF_INET6, SOCK_DGRAM, 0);
	socket(AF_NETLINK, SOCK_RAW, 0);
	socket(AF_PACKET, SOCK_RAW, 0);
}

BOOKS_TEST(name_spaces)
{
	if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWPID | CLONE_FILES |
		    CLONE_FS))
		_exit(1);
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mount("books", "/tmp", "tmpfs", 0, "size=8m");
	mkdir("/tmp/d", 0755);
	(void)!chdir("/tmp/d");
	close(mq_open("/q", O_CREAT | O_RDWR, 0600, NULL));
	pid_t pid = fork();

	if (pid == 0)
		pause();
	kill(pid, SIGKILL);
}

/* Also what is not there has a name in memory while it is looked for. */
BOOKS_TEST(queues)
{
	if (unshare(CLONE_NEWIPC))
		_exit(1);
	mq_unlink("/not-there");
	close(mq_open("/there", O_CREAT | O_RDWR, 0600, NULL));
	mq_unlink("/there");
	mq_unlink("/there");
}

BOOKS_TEST(files)
{
	struct flock lock = { .l_type = F_RDLCK };
	int fd = open("books-a", O_CREAT | O_RDWR, 0644);

	flock(fd, LOCK_EX);
	fcntl(open("books-a", O_RDWR), F_SETLK, &lock);
	fcntl(open("books-a", O_RDWR), F_OFD_SETLK, &lock);
	rename("books-a", "books-b");
	(void)!link("books-b", "books-c");
	unlink("books-b");
	unlink("books-c");
	mkdir("books-d", 0755);
	rmdir("books-d");
}

BOOKS_TEST(exec)
{
	char *arguments[] = { "nothing", NULL };

	execv("/does/not/exist", arguments);
	execv(GUEST_PROGRAM, (char *[]){ "init", "helper", "none", NULL });
}
