/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Process groups, sessions, pidfds, limits, other attributes. */
#include "guest_test.h"

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/utsname.h>

TEST(setpgid_rules)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(setpgid(0, 0), 0);
		EXPECT_EQ(getpgid(0), getpid());
		EXPECT_ERRNO(setpgid(0, -1), EINVAL);
		EXPECT_ERRNO(setpgid(1, 0), ESRCH);
		EXPECT_ERRNO(setpgid(0, 31999), EPERM);
		EXPECT_ERRNO(getpgid(31999), ESRCH);
		EXPECT_ERRNO(setsid(), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(setsid_makes_a_leader)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(setsid(), getpid());
		EXPECT_EQ(getsid(0), getpid());
		EXPECT_EQ(getpgrp(), getpid());
		EXPECT_ERRNO(setpgid(0, 0), EPERM);
		EXPECT_ERRNO(setsid(), EPERM);
		EXPECT_EQ(open("/dev/tty", O_RDWR), -1);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

HELPER(wait_for_input)
{
	char c;

	return read(0, &c, 1) < 0;
}

TEST(child_that_has_executed_is_not_moved)
{
	int fds[2], ready[2];
	char c;

	REQUIRE(!pipe(fds) && !pipe2(ready, O_CLOEXEC));
	IN_CHILD(pid)
	{
		dup2(fds[0], 0);
		close(fds[1]);
		execl(GUEST_PROGRAM, "x", "helper", "wait_for_input", NULL);
		_exit(99);
	}
	close(ready[1]);
	EXPECT_EQ(read(ready[0], &c, 1), 0);
	EXPECT_ERRNO(setpgid(pid, pid), EACCES);
	close(fds[1]);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(pidfd_polls_and_signals)
{
	IN_CHILD(pid)
	{
		for (;;)
			pause();
	}
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	REQUIRE(fd >= 0);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
	EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
	EXPECT_EQ(poll(&p, 1, 5000), 1);
	EXPECT_EQ(p.revents, POLLIN);
	EXPECT_EQ(wait_status(pid), 128 + SIGTERM);
	EXPECT_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), ESRCH);
	EXPECT_ERRNO(syscall(SYS_pidfd_open, pid, 0), ESRCH);
	EXPECT_ERRNO(syscall(SYS_pidfd_open, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_pidfd_open, getpid(), 1), EINVAL);
}

TEST(pidfd_getfd_copies_a_descriptor)
{
	int fds[2], fd, copy;

	REQUIRE(!pipe(fds));
	IN_CHILD(pid)
	{
		for (;;)
			pause();
	}
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	copy = (int)syscall(SYS_pidfd_getfd, fd, fds[1], 0);
	EXPECT(copy > fds[1]);
	EXPECT_EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(write(copy, "x", 1), 1);
	EXPECT_ERRNO(syscall(SYS_pidfd_getfd, fd, 500, 0), EBADF);
	EXPECT_ERRNO(syscall(SYS_pidfd_getfd, fds[0], 0, 0), EBADF);
	kill(pid, SIGKILL);
	wait_status(pid);
}

TEST(limits)
{
	struct rlimit limit, old;

	EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = (struct rlimit){ 20, 10 };
	EXPECT_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
	EXPECT_ERRNO(getrlimit(99, &limit), EINVAL);
	limit = (struct rlimit){ 10, old.rlim_max };
	EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	int last = -1, fd;

	while ((fd = dup(0)) >= 0)
		last = fd;
	EXPECT_EQ(errno, EMFILE);
	EXPECT_EQ(last, 9);
	EXPECT_EQ(getrlimit(RLIMIT_STACK, &limit), 0);
	EXPECT_EQ(limit.rlim_cur, 8 << 20);
}

TEST(cpu_limit_sends_sigxcpu)
{
	struct rlimit limit = { 1, 3 };

	IN_CHILD(pid)
	{
		setrlimit(RLIMIT_CPU, &limit);
		for (;;)
			;
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGXCPU);
}

TEST(name_and_other_options)
{
	char name[20] = "";

	EXPECT_EQ(prctl(PR_SET_NAME, "a name that is too long"), 0);
	EXPECT_EQ(prctl(PR_GET_NAME, name), 0);
	EXPECT_STREQ(name, "a name that is ");
	EXPECT_EQ(prctl(PR_GET_DUMPABLE), 1);
	EXPECT_ERRNO(prctl(PR_SET_DUMPABLE, 3), EINVAL);
	EXPECT_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	EXPECT_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(prctl(12345), EINVAL);
}

TEST(scheduling_parameters)
{
	struct sched_param param = { 0 };
	cpu_set_t set;

	EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
	EXPECT_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	EXPECT_EQ(sched_get_priority_min(SCHED_RR), 1);
	EXPECT_EQ(sched_get_priority_max(SCHED_OTHER), 0);
	EXPECT_ERRNO(sched_get_priority_max(77), EINVAL);
	EXPECT_EQ(sched_setscheduler(0, SCHED_BATCH, &param), 0);
	EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
	param.sched_priority = 5;
	EXPECT_ERRNO(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL);
	EXPECT_EQ(sched_setscheduler(0, SCHED_RR, &param), 0);
	EXPECT_EQ(sched_getparam(0, &param), 0);
	EXPECT_EQ(param.sched_priority, 5);
	param.sched_priority = 0;
	EXPECT_EQ(sched_setscheduler(0, SCHED_OTHER, &param), 0);
	EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 50), 0);
	EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 19);
	EXPECT_EQ(setpriority(PRIO_PROCESS, 0, -5), 0);
	EXPECT_ERRNO(getpriority(9, 0), EINVAL);
	EXPECT_ERRNO(setpriority(PRIO_PROCESS, 31999, 0), ESRCH);
	EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	EXPECT(CPU_COUNT(&set) >= 1);
	EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0, 4, &set), EINVAL);
	EXPECT_EQ(sched_yield(), 0);
}

TEST(uname_says_linux)
{
	struct utsname name;

	EXPECT_EQ(uname(&name), 0);
	EXPECT_STREQ(name.sysname, "Linux");
	EXPECT(!strncmp(name.release, "6.", 2));
}

TEST(times_grow)
{
	struct tms tms;
	clock_t start = times(&tms);

	sleep_ms(50);
	EXPECT(times(&tms) > start);
}
