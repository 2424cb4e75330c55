/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSIX message queues: mq_overview(7). */
#include "guest_test.h"

#include <dirent.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static mqd_t make(const char *name, long count, long size, int flags)
{
	struct mq_attr attr = { .mq_maxmsg = count, .mq_msgsize = size };
	mqd_t q = mq_open(name, O_CREAT | O_EXCL | flags, 0600, &attr);

	REQUIRE(q >= 0);
	return q;
}

static struct timespec after_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

TEST(mqueue_orders_by_priority)
{
	mqd_t q = make("/q", 4, 16, O_RDWR);
	char buf[16];
	unsigned priority;

	EXPECT_EQ(mq_send(q, "low", 3, 1), 0);
	EXPECT_EQ(mq_send(q, "high", 4, 30), 0);
	EXPECT_EQ(mq_send(q, "low2", 4, 1), 0);
	EXPECT_EQ(mq_send(q, "", 0, 5), 0);
	EXPECT_EQ(mq_receive(q, buf, 16, &priority), 4);
	EXPECT_EQ(priority, 30);
	EXPECT(memcmp(buf, "high", 4) == 0);
	EXPECT_EQ(mq_receive(q, buf, 16, &priority), 0);
	EXPECT_EQ(priority, 5);
	EXPECT_EQ(mq_receive(q, buf, 16, NULL), 3);
	EXPECT_EQ(mq_receive(q, buf, 16, NULL), 4);
	EXPECT(memcmp(buf, "low2", 4) == 0);
	EXPECT_ERRNO(mq_send(q, "x", 1, 32768), EINVAL);
	EXPECT_ERRNO(mq_send(q, buf, 17, 0), EMSGSIZE);
	EXPECT_ERRNO(mq_receive(q, buf, 15, NULL), EMSGSIZE);
	mq_close(q);
	EXPECT_EQ(mq_unlink("/q"), 0);
}

TEST(mqueue_names_and_rights)
{
	mqd_t q = make("/q", 2, 8, O_WRONLY), r;
	struct mq_attr bad = { .mq_maxmsg = 0, .mq_msgsize = 8 };
	struct stat st;
	char buf[8];

	EXPECT_ERRNO(mq_open("/q", O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
	EXPECT_ERRNO(mq_open("/none", O_RDWR), ENOENT);
	EXPECT_ERRNO(syscall(SYS_mq_open, "a/b", O_RDWR, 0, NULL), EACCES);
	EXPECT_ERRNO(syscall(SYS_mq_open, "", O_RDWR, 0, NULL), ENOENT);
	EXPECT_ERRNO(syscall(SYS_mq_open, "..", O_RDWR | O_CREAT, 0, NULL), EACCES);
	EXPECT_ERRNO(mq_open("/bad", O_CREAT | O_RDWR, 0600, &bad), EINVAL);
	EXPECT_ERRNO(mq_receive(q, buf, 8, NULL), EBADF);
	r = mq_open("/q", O_RDONLY);
	EXPECT(r >= 0);
	EXPECT_ERRNO(mq_send(r, "x", 1, 0), EBADF);
	EXPECT_EQ(fcntl(r, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fstat(r, &st), 0);
	EXPECT_EQ(st.st_size, 80);
	EXPECT_EQ(st.st_mode, S_IFREG | 0600);
	EXPECT_ERRNO(mq_send(0, "x", 1, 0), EBADF);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(mq_open("/q", O_RDONLY), EACCES);
		EXPECT_ERRNO(syscall(SYS_mq_unlink, "q"), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(mq_unlink("/q"), 0);
	EXPECT_ERRNO(mq_unlink("/q"), ENOENT);
	EXPECT_EQ(mq_send(q, "x", 1, 0), 0);
	EXPECT_EQ(mq_receive(r, buf, 8, NULL), 1);
	mq_close(q);
	mq_close(r);
}

TEST(mqueue_waits_and_times_out)
{
	mqd_t q = make("/q", 1, 8, O_RDWR);
	struct timespec t = after_ms(50);
	struct mq_attr attr, nonblock = { .mq_flags = O_NONBLOCK };
	struct pollfd p = { .fd = q, .events = POLLIN | POLLOUT };
	char buf[8];

	EXPECT_ERRNO(mq_timedreceive(q, buf, 8, NULL, &t), ETIMEDOUT);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT_EQ(p.revents, POLLOUT);
	EXPECT_EQ(mq_send(q, "1", 1, 0), 0);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT_EQ(p.revents, POLLIN);
	t = after_ms(50);
	EXPECT_ERRNO(mq_timedsend(q, "2", 1, 0, &t), ETIMEDOUT);
	t.tv_nsec = -1;
	EXPECT_ERRNO(mq_timedsend(q, "2", 1, 0, &t), EINVAL);
	IN_CHILD(pid)
	{
		sleep_ms(50);
		EXPECT_EQ(mq_receive(q, buf, 8, NULL), 1);
		_exit(test_has_failed());
	}
	EXPECT_EQ(mq_send(q, "2", 1, 0), 0);
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(mq_setattr(q, &nonblock, &attr), 0);
	EXPECT_EQ(attr.mq_flags, 0);
	EXPECT_EQ(attr.mq_maxmsg, 1);
	EXPECT_EQ(attr.mq_msgsize, 8);
	EXPECT_EQ(attr.mq_curmsgs, 1);
	EXPECT_ERRNO(mq_send(q, "3", 1, 0), EAGAIN);
	EXPECT_EQ(mq_receive(q, buf, 8, NULL), 1);
	EXPECT_ERRNO(mq_receive(q, buf, 8, NULL), EAGAIN);
	EXPECT_EQ(mq_getattr(q, &attr), 0);
	EXPECT_EQ(attr.mq_flags, O_NONBLOCK);
	nonblock.mq_flags = O_APPEND;
	EXPECT_ERRNO(syscall(SYS_mq_getsetattr, q, &nonblock, NULL), EINVAL);
	mq_close(q);
	mq_unlink("/q");
}

static volatile int got;
static siginfo_t last;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	got++;
	last = *info;
}

TEST(mqueue_notifies_once)
{
	mqd_t q = make("/q", 4, 8, O_RDWR);
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1,
				  .sigev_value.sival_int = 42 };
	char buf[128];

	sigaction(SIGUSR1, &action, NULL);
	EXPECT_EQ(mq_notify(q, &event), 0);
	EXPECT_ERRNO(mq_notify(q, &event), EBUSY);
	EXPECT(read(q, buf, sizeof(buf)) > 0);
	EXPECT(strncmp(buf, "QSIZE:0          NOTIFY:0     SIGNO:10    NOTIFY_PID:", 50) == 0);
	EXPECT_EQ(mq_send(q, "a", 1, 0), 0);
	EXPECT_EQ(got, 1);
	EXPECT_EQ(last.si_code, SI_MESGQ);
	EXPECT_EQ(last.si_value.sival_int, 42);
	EXPECT_EQ(last.si_pid, getpid());
	EXPECT_EQ(mq_send(q, "b", 1, 0), 0);
	EXPECT_EQ(mq_notify(q, &event), 0);
	EXPECT_EQ(mq_send(q, "c", 1, 0), 0);
	EXPECT_EQ(got, 1);
	EXPECT_EQ(mq_notify(q, NULL), 0);
	event.sigev_notify = SIGEV_NONE;
	EXPECT_EQ(mq_notify(q, &event), 0);
	mq_close(q);
	q = mq_open("/q", O_RDWR);
	EXPECT_EQ(mq_notify(q, &event), 0);
	event.sigev_notify = 99;
	EXPECT_ERRNO(mq_notify(q, &event), EINVAL);
	mq_close(q);
	mq_unlink("/q");
}

TEST(mqueue_directory)
{
	mqd_t q = make("/q", 2, 8, O_RDWR);
	struct dirent *entry;
	struct stat st;
	DIR *dir;
	bool seen = false;
	int f;

	mkdir("m", 0755);
	REQUIRE(mount("none", "m", "mqueue", 0, NULL) == 0);
	EXPECT_EQ(stat("m", &st), 0);
	EXPECT_EQ(st.st_mode, S_IFDIR | 01777);
	dir = opendir("m");
	while ((entry = readdir(dir)))
		seen = seen || strcmp(entry->d_name, "q") == 0;
	closedir(dir);
	EXPECT(seen);
	f = open("m/new", O_CREAT | O_RDWR, 0600);
	EXPECT(f >= 0);
	EXPECT_EQ(mq_send(f, "x", 1, 0), 0);
	close(f);
	EXPECT_ERRNO(mkdir("m/d", 0755), EPERM);
	EXPECT_EQ(unlink("m/q"), 0);
	EXPECT_ERRNO(mq_open("/q", O_RDWR), ENOENT);
	EXPECT_EQ(mq_unlink("/new"), 0);
	EXPECT_ERRNO(stat("m/new", &st), ENOENT);
	EXPECT_EQ(umount("m"), 0);
	mq_close(q);
}

TEST(mqueue_limits)
{
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = 8192 };
	struct rlimit limit = { 100000, 100000 };
	char text[32];

	EXPECT(read_file("/proc/sys/fs/mqueue/msg_max", text, sizeof(text)) > 0);
	EXPECT_STREQ(text, "10\n");
	IN_CHILD(pid)
	{
		EXPECT_EQ(setrlimit(RLIMIT_MSGQUEUE, &limit), 0);
		EXPECT_EQ(setuid(1000), 0);
		attr.mq_maxmsg = 11;
		EXPECT_ERRNO(mq_open("/a", O_CREAT | O_RDWR, 0600, &attr), EINVAL);
		attr.mq_maxmsg = 10;
		EXPECT(mq_open("/a", O_CREAT | O_RDWR, 0600, &attr) >= 0);
		EXPECT_ERRNO(mq_open("/b", O_CREAT | O_RDWR, 0600, &attr), EMFILE);
		mq_unlink("/a");
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

static int calls, call_value;

static void on_message(union sigval value)
{
	__atomic_store_n(&call_value, value.sival_int, __ATOMIC_RELEASE);
	__atomic_fetch_add(&calls, 1, __ATOMIC_RELEASE);
}

/* The C library's thread reads what the kernel sends to its netlink socket. */
TEST(mqueue_notifies_by_a_thread)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 8 };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD,
				  .sigev_notify_function = on_message,
				  .sigev_value.sival_int = 42 };
	mqd_t q = mq_open("/by_thread", O_CREAT | O_RDWR, 0600, &attr);
	char text[8];

	REQUIRE(q != (mqd_t)-1);
	mq_unlink("/by_thread");
	EXPECT_EQ(mq_notify(q, &event), 0);
	EXPECT_ERRNO(mq_notify(q, &event), EBUSY);
	EXPECT_EQ(mq_send(q, "a", 1, 0), 0);
	for (int i = 0; i < 1000 && !__atomic_load_n(&calls, __ATOMIC_ACQUIRE); i++)
		sleep_ms(10);
	EXPECT_EQ(calls, 1);
	EXPECT_EQ(call_value, 42);
	EXPECT_EQ(mq_receive(q, text, sizeof(text), NULL), 1);
	EXPECT_EQ(mq_notify(q, &event), 0);
	EXPECT_EQ(mq_notify(q, NULL), 0);
	mq_close(q);
}
