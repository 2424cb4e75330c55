/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Silos: what runs inside, the ways out, records, the end. */
#include "silo_test.h"

#include <cairn/channel.h>
#include <cairn/handle.h>
#include <cairn/silo.h>
#include <dirent.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(configure_and_states)
{
	struct pollfd item;
	struct cairn_silo_event event;
	int file;

	make_silo();
	file = open("secret", O_RDONLY);
	EXPECT_EQ(info().state, CAIRN_SILO_STATE_NEW);
	EXPECT_EQ(info().task_limit, 256);
	EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_ROOT, (__u64)file), ENOTDIR);
	EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_ROOT, 99), EBADF);
	EXPECT_ERRNO(cairn_silo_configure(silo, 99, 0), EINVAL);
	EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_ALLOW, 4), EINVAL);
	EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_CAPABILITIES, 1ull << CAP_SYS_ADMIN),
		     EPERM);
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_MEMORY, 64 << 20), 0);
	EXPECT_EQ(info().memory_limit, 64 << 20);
	EXPECT_ERRNO(cairn_silo_configure(file, CAIRN_SILO_MEMORY, 1), EINVAL);
	EXPECT_ERRNO(cairn_silo_event(silo, &event, CAIRN_SILO_NONBLOCK), EAGAIN);
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		sleep_ms(100);
		_exit(0);
	}
	sleep_ms(50);
	EXPECT_EQ(info().state, CAIRN_SILO_STATE_RUNNING);
	EXPECT_EQ(info().tasks, 1);
	EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_ALLOW, 0), EBUSY);
	EXPECT_EQ(wait_status(pid), 0);
	item = (struct pollfd){ silo, 0, 0 };
	EXPECT_EQ(poll(&item, 1, 1000), 1); /* hung up */
	EXPECT_EQ(info().state, CAIRN_SILO_STATE_STOPPED);
	item = (struct pollfd){ silo, POLLIN, 0 };
	EXPECT_EQ(poll(&item, 1, 1000), 1);
	EXPECT_EQ(item.revents, POLLIN | POLLHUP);
	EXPECT_EQ(cairn_silo_event(silo, &event, 0), 0);
	EXPECT_EQ(event.kind, CAIRN_SILO_EVENT_STARTED);
	EXPECT_EQ(event.pid, pid);
	EXPECT_EQ(cairn_silo_event(silo, &event, 0), 0);
	EXPECT_EQ(event.kind, CAIRN_SILO_EVENT_STOPPED);
}

TEST(unassigned_numbers_are_no_calls)
{
	for (long i = 0; i < 200; i++)
		if (i > 82 || (i > 3 && i < 8) || (i > 44 && i < 64) || (i > 70 && i < 80))
			EXPECT_ERRNO(syscall(0x10000 + i, 0, 0, 0, 0, 0, 0), ENOSYS);
}

TEST(paths_do_not_lead_out)
{
	char buffer[100];

	make_silo();
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		EXPECT_EQ(read_file("/inside", buffer, sizeof(buffer)), 2);
		EXPECT_EQ(read_file("inside", buffer, sizeof(buffer)), 2);
		EXPECT_STREQ(getcwd(buffer, sizeof(buffer)), "/");
		EXPECT_EQ(read_file("../secret", buffer, sizeof(buffer)), -1);
		EXPECT_EQ(read_file("/../../../../secret", buffer, sizeof(buffer)), -1);
		EXPECT_EQ(symlink("/secret", "link"), 0);
		EXPECT_EQ(symlink("../../secret", "link2"), 0);
		EXPECT_EQ(read_file("link", buffer, sizeof(buffer)), -1);
		EXPECT_EQ(read_file("link2", buffer, sizeof(buffer)), -1);
		EXPECT_EQ(mkdir("d", 0755), 0);
		EXPECT_ERRNO(chroot("d"), EPERM);
		EXPECT_ERRNO(mount("none", "d", "tmpfs", 0, NULL), EPERM);
		EXPECT_ERRNO(mount("none", "d", "proc", 0, NULL), EPERM);
		EXPECT_ERRNO(mknod("null", S_IFCHR | 0666, makedev(1, 3)), EPERM);
		EXPECT_NE(unshare(CLONE_NEWUTS), 0);
		EXPECT_NE(syscall(SYS_pivot_root, "d", "d"), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT(was_denied(CAIRN_SILO_DENIED_CAPABILITY, CAP_SYS_CHROOT));
	EXPECT(was_denied(CAIRN_SILO_DENIED_CAPABILITY, CAP_SYS_ADMIN));
}

/* A directory handle that reaches the silo later is no way out either. */
TEST(handed_directories_do_not_lead_out)
{
	int ends[2], host = open(".", O_RDONLY | O_DIRECTORY), fds[4], pair[2], keep[2];
	int secret;

	make_silo();
	mkdir("root/proc", 0755);
	EXPECT_EQ(cairn_silo_mount(silo, "proc", CAIRN_SCHEME_PROC, 0), 0);
	secret = open("secret", O_RDONLY);
	REQUIRE(cairn_channel_create(ends, 4, CAIRN_HANDLE_KEEP_ON_FORK) == 0 && host >= 0);
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	keep[0] = host;
	IN_CHILD(refused)
	{
		EXPECT_ERRNO(cairn_silo_enter(silo, keep, 1), EISDIR);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(refused), 0);
	IN_CHILD(pid)
	{
		struct cairn_message message = {};
		struct cairn_payload payload = { .receive_handles = (unsigned long)fds,
						 .receive_handle_count = 4 };
		int all[] = { 0, 1, 2, ends[0], secret };
		char path[64];

		ENTER(all, 5);
		EXPECT_ERRNO(fcntl(host, F_GETFD), EBADF);
		EXPECT_ERRNO(fcntl(silo, F_GETFD), EBADF);
		EXPECT_EQ(cairn_channel_receive(ends[0], 0, &message, &payload), 0);
		EXPECT_ERRNO(openat(fds[0], "secret", O_RDONLY), EACCES);
		EXPECT_ERRNO(openat(fds[0], "root/../secret", O_RDONLY), EACCES);
		EXPECT_ERRNO(fchdir(fds[0]), EACCES);
		EXPECT_ERRNO(openat(fds[0], "../init", O_RDONLY), EACCES);
		snprintf(path, sizeof(path), "/proc/self/fd/%d/secret", fds[0]);
		EXPECT_ERRNO(open(path, O_RDONLY), EACCES);
		/* A handle that reads is not opened anew to write. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", secret);
		EXPECT_ERRNO(open(path, O_RDWR), EACCES);
		_exit(test_has_failed());
	}
	sleep_ms(50);
	{
		struct cairn_transfer transfer = { host, CAIRN_TRANSFER_MOVE, CAIRN_RIGHTS_SAME };
		struct cairn_payload payload = { .send_handles = (unsigned long)&transfer,
						 .send_handle_count = 1 };
		struct cairn_message message = {};

		EXPECT_EQ(cairn_channel_send(ends[1], 0, &message, &payload), 0);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(info().denied, 6);
}

TEST(nobody_outside_is_seen)
{
	struct iovec local = { &outside, sizeof(outside) }, remote = local;
	int status;

	make_silo();
	IN_CHILD(pid)
	{
		pid_t child;

		setsid();
		ENTER(standard, 3);
		EXPECT_ERRNO(kill(outside, 0), ESRCH);
		EXPECT_ERRNO(kill(-outside, SIGTERM), ESRCH);
		EXPECT_ERRNO(kill(-1, SIGTERM), ESRCH);
		EXPECT_ERRNO(syscall(SYS_tgkill, outside, outside, SIGTERM), ESRCH);
		EXPECT_ERRNO(ptrace(PTRACE_ATTACH, outside, 0, 0), ESRCH);
		EXPECT_ERRNO(process_vm_readv(outside, &local, 1, &remote, 1, 0), ESRCH);
		EXPECT_ERRNO(syscall(SYS_pidfd_open, outside, 0), ESRCH);
		EXPECT_ERRNO(getpgid(outside), ESRCH);
		EXPECT_ERRNO(getsid(outside), ESRCH);
		EXPECT_ERRNO(setpriority(PRIO_PROCESS, (id_t)outside, 5), ESRCH);
		EXPECT_ERRNO(sched_getscheduler(outside), ESRCH);
		EXPECT_ERRNO(syscall(SYS_prlimit64, outside, RLIMIT_CPU, NULL, NULL), ESRCH);
		child = fork();
		if (child == 0) {
			pause();
			_exit(0);
		}
		EXPECT_EQ(kill(child, SIGKILL), 0);
		EXPECT_EQ(waitpid(child, &status, 0), child);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT(was_denied(CAIRN_SILO_DENIED_PROCESS, (unsigned long)outside));
}

TEST(proc_shows_the_silo_only)
{
	make_silo();
	mkdir("root/proc", 0755);
	EXPECT_EQ(cairn_silo_mount(silo, "proc", CAIRN_SCHEME_PROC, 0), 0);
	IN_CHILD(pid)
	{
		unsigned numbers = 0;
		struct dirent *entry;
		struct stat st;
		char path[64];
		DIR *dir;

		ENTER(standard, 3);
		dir = opendir("/proc");
		REQUIRE(dir);
		while ((entry = readdir(dir)))
			numbers += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
		EXPECT_EQ(numbers, 1);
		snprintf(path, sizeof(path), "/proc/%d/root", outside);
		EXPECT_ERRNO(stat(path, &st), ENOENT);
		EXPECT_EQ(stat("/proc/self/root/inside", &st), 0);
		EXPECT_EQ(stat("/proc/1/root/inside", &st), 0); /* itself */
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

/* All that enter one silo share its names; outside nothing changes. */
TEST(names_are_its_own)
{
	struct utsname before, name;
	int go[2];

	make_silo();
	REQUIRE(pipe(go) == 0);
	EXPECT_EQ(uname(&before), 0);
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_HOST_NAME, (unsigned long)"inside"), 0);
	EXPECT_EQ(uname(&name), 0);
	EXPECT_STREQ(before.nodename, name.nodename);
	IN_CHILD(first)
	{
		char c;

		ENTER(((const int[]){ 0, 1, 2, go[0] }), 4);
		EXPECT_EQ(uname(&name), 0);
		EXPECT_STREQ(name.nodename, "inside");
		EXPECT_ERRNO(sethostname("evil", 4), EPERM);
		EXPECT_EQ(getpid(), 1);
		EXPECT_EQ(getppid(), 0);
		EXPECT(shmget(1234, 4096, IPC_CREAT | 0600) >= 0);
		EXPECT_EQ(read(go[0], &c, 1), 1);
		_exit(test_has_failed());
	}
	sleep_ms(50);
	EXPECT_ERRNO(shmget(1234, 4096, 0600), ENOENT);
	IN_CHILD(second)
	{
		int status;
		pid_t child;

		ENTER(standard, 3);
		EXPECT_EQ(getpid(), 2);
		EXPECT(shmget(1234, 4096, 0600) >= 0);
		EXPECT_EQ(kill(1, 0), 0);
		child = fork();
		if (child == 0)
			_exit(getpid() == 3 && getppid() == 2 ? 0 : 1);
		EXPECT_EQ(child, 3);
		EXPECT_EQ(waitpid(3, &status, 0), 3);
		EXPECT_EQ(status, 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(second), 0);
	EXPECT_EQ(write(go[1], "x", 1), 1);
	EXPECT_EQ(wait_status(first), 0);
	IN_CHILD(third) /* number 1 has ended, and the silo lives on */
	{
		ENTER(standard, 3);
		EXPECT_EQ(uname(&name), 0);
		EXPECT_STREQ(name.nodename, "inside");
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(third), 0);
}

TEST(schemes)
{
	int data, null;

	make_silo();
	mkdir("data", 0755);
	make_file("data/file", "data");
	mkdir("root/d", 0755);
	mkdir("root/w", 0755);
	mkdir("root/proc", 0755);
	mkdir("root/m", 0755);
	make_file("root/null", "");
	data = open("data", O_RDONLY | O_DIRECTORY);
	null = open("/dev/null", O_RDWR);
	REQUIRE(data >= 0 && null >= 0);
	EXPECT_EQ(cairn_silo_mount(silo, "d", data, 0), 0);
	EXPECT_EQ(cairn_silo_mount(silo, "/w", data, CAIRN_RIGHT_WRITE), 0);
	EXPECT_EQ(cairn_silo_mount(silo, "proc", CAIRN_SCHEME_PROC, 0), 0);
	EXPECT_EQ(cairn_silo_mount(silo, "m", CAIRN_SCHEME_MEMORY, CAIRN_RIGHT_WRITE), 0);
	EXPECT_EQ(cairn_silo_mount(silo, "null", null, CAIRN_RIGHT_WRITE), 0);
	EXPECT_ERRNO(cairn_silo_mount(silo, "none", data, 0), ENOENT);
	EXPECT_ERRNO(cairn_silo_mount(silo, "inside", data, 0), ENOTDIR);
	EXPECT_ERRNO(cairn_silo_mount(silo, "../data", data, 0), ENOENT);
	EXPECT_ERRNO(cairn_silo_mount(silo, "d", 99, 0), EBADF);
	EXPECT_ERRNO(cairn_silo_mount(silo, "d", -3, 0), EINVAL);
	IN_CHILD(pid)
	{
		char buffer[64];

		ENTER(standard, 3);
		EXPECT_EQ(read_file("/d/file", buffer, sizeof(buffer)), 4);
		EXPECT_ERRNO(open("/d/new", O_CREAT | O_WRONLY, 0600), EROFS);
		EXPECT(open("/w/new", O_CREAT | O_WRONLY, 0600) >= 0);
		EXPECT(open("/m/new", O_CREAT | O_WRONLY, 0600) >= 0);
		EXPECT_EQ(write(open("/null", O_WRONLY), "x", 1), 1);
		EXPECT_EQ(readlink("/proc/self", buffer, sizeof(buffer)), 1);
		EXPECT_EQ(buffer[0], '1');
		EXPECT_ERRNO(umount("/d"), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(access("data/new", F_OK), 0);
	EXPECT_NE(access("root/m/new", F_OK), 0); /* mounted inside only */
}

/* Without privileges one can confine oneself, for good. */
TEST(anybody_may_enter_without_new_privileges)
{
	make_silo();
	EXPECT_EQ(chmod("root", 0755), 0);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setresuid(1000, 1000, 1000), 0);
		EXPECT_ERRNO(cairn_silo_enter(silo, standard, 3), EPERM);
		EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		ENTER(standard, 3);
		EXPECT_EQ(access("/inside", F_OK), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

/* A silo within a silo: its tasks count for both, and it sees what the outer one shows it. */
TEST(silos_in_silos)
{
	int root;

	make_silo();
	mkdir("root/deeper", 0755);
	make_file("root/deeper/inner", "x");
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_TASKS, 3), 0);
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		silo = cairn_silo_create(CAIRN_HANDLE_KEEP_ON_FORK);
		REQUIRE(silo >= 0);
		EXPECT_ERRNO(cairn_silo_enter(silo, standard, 3), EINVAL);
		root = open("/deeper", O_RDONLY | O_DIRECTORY);
		EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_ROOT, (__u64)root), 0);
		EXPECT_ERRNO(cairn_silo_configure(silo, CAIRN_SILO_ALLOW, CAIRN_SILO_ALLOW_UNIX),
			     EPERM);
		IN_CHILD(inner)
		{
			ENTER(standard, 3);
			EXPECT_EQ(getpid(), 1);
			EXPECT_EQ(access("/inner", F_OK), 0);
			EXPECT_NE(access("/inside", F_OK), 0);
			if (fork() == 0)
				pause();
			EXPECT_ERRNO(fork(), EAGAIN);
			EXPECT_EQ(kill(-1, SIGKILL), 0); /* not itself, nobody above */
			_exit(test_has_failed());
		}
		EXPECT_EQ(wait_status(inner), 0);
		EXPECT_EQ(getpid(), 1);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT(was_denied(CAIRN_SILO_DENIED_TASK, 3));
}

TEST(crashes_are_told)
{
	struct cairn_silo_event event;

	make_silo();
	IN_CHILD(pid)
	{
		struct rlimit none = { 0, 0 };

		ENTER(standard, 3);
		setrlimit(RLIMIT_CORE, &none);
		*(volatile int *)8 = 1;
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGSEGV);
	EXPECT(event_of(CAIRN_SILO_EVENT_CRASHED, &event));
	EXPECT_EQ(event.value, SIGSEGV);
	EXPECT_EQ(event.pid, pid);
}

TEST(pause_and_resume)
{
	int pipes[2];
	char c;

	REQUIRE(pipe2(pipes, O_NONBLOCK) == 0);
	make_silo();
	IN_CHILD(pid)
	{
		int keep[] = { 0, 1, 2, pipes[1] };

		ENTER(keep, 4);
		for (;;) {
			(void)!write(pipes[1], "x", 1);
			sleep_ms(5);
		}
	}
	sleep_ms(60);
	EXPECT_EQ(read(pipes[0], &c, 1), 1);
	EXPECT_EQ(cairn_silo_control(silo, CAIRN_SILO_PAUSE), 0);
	EXPECT_EQ(info().state, CAIRN_SILO_STATE_PAUSED);
	sleep_ms(60);
	while (read(pipes[0], &c, 1) == 1)
		;
	sleep_ms(60);
	EXPECT_ERRNO(read(pipes[0], &c, 1), EAGAIN);
	EXPECT_EQ(cairn_silo_control(silo, CAIRN_SILO_RESUME), 0);
	sleep_ms(60);
	EXPECT_EQ(read(pipes[0], &c, 1), 1);
	/* The last handle: everybody inside ends. */
	EXPECT_EQ(close(silo), 0);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
}
