/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fork(2), vfork(2), clone(2), clone3(2), exit, threads. */
#include "guest_test.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

TEST(child_has_its_own_memory)
{
	volatile int value = 1;

	IN_CHILD(pid)
	{
		value = 2;
		_exit(value);
	}
	EXPECT_EQ(wait_status(pid), 2);
	EXPECT_EQ(value, 1);
}

TEST(child_knows_its_parent)
{
	pid_t parent = getpid();

	IN_CHILD(pid)
	{
		_exit(getppid() == parent && getpid() != parent &&
				      getpid() == (pid_t)syscall(SYS_gettid)
			      ? 0
			      : 1);
	}
	EXPECT_NE(pid, parent);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(shared_mapping_is_shared)
{
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(shared != MAP_FAILED);
	IN_CHILD(pid)
	{
		*shared = 77;
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(*shared, 77);
}

TEST(descriptors_share_the_offset)
{
	int fd = open("f", O_CREAT | O_RDWR, 0600);

	REQUIRE(fd >= 0);
	IN_CHILD(pid)
	{
		_exit(write(fd, "abc", 3) == 3 ? 0 : 1);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 3);
}

TEST(vfork_waits_for_exec_or_exit)
{
	static volatile int value;
	pid_t pid = vfork();

	if (!pid) {
		value = 5;
		_exit(3);
	}
	EXPECT_EQ(value, 5);
	EXPECT_EQ(wait_status(pid), 3);
}

TEST(many_forks)
{
	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(i & 0x7f);
		REQUIRE(pid > 0);
		REQUIRE(wait_status(pid) == (i & 0x7f));
	}
}

static void *add(void *arg)
{
	__atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
	return arg;
}

TEST(threads_share_memory_and_are_joined)
{
	pthread_t threads[20];
	int count = 0;

	for (int i = 0; i < 20; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, add, &count));
	for (int i = 0; i < 20; i++) {
		void *result;

		EXPECT_EQ(pthread_join(threads[i], &result), 0);
		EXPECT(result == &count);
	}
	EXPECT_EQ(count, 20);
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

TEST(exit_group_ends_all_threads)
{
	IN_CHILD(pid)
	{
		pthread_t thread;

		for (int i = 0; i < 5; i++)
			pthread_create(&thread, NULL, sleep_for_ever, NULL);
		exit(9);
	}
	EXPECT_EQ(wait_status(pid), 9);
}

TEST(leader_may_exit_before_its_threads)
{
	IN_CHILD(pid)
	{
		pthread_t thread;

		pthread_create(&thread, NULL, sleep_for_ever, NULL);
		syscall(SYS_exit, 4);
	}
	int status;

	sleep_ms(50);
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_EQ(kill(pid, SIGTERM), 0);
	EXPECT_EQ(wait_status(pid), 128 + SIGTERM);
}

TEST(clone_refuses_impossible_flags)
{
	EXPECT_ERRNO(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clone, CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0), EINVAL);
}

TEST(clone3_checks_its_arguments)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	EXPECT_ERRNO(syscall(SYS_clone3, &args, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clone3, &args, 100000), E2BIG);
	EXPECT_ERRNO(syscall(SYS_clone3, NULL, sizeof(args)), EFAULT);
	args.exit_signal = 65;
	EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
	args = (struct clone_args){ .exit_signal = SIGCHLD, .stack = 4096 };
	EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
	args = (struct clone_args){ .flags = CLONE_DETACHED };
	EXPECT_ERRNO(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
}

TEST(clone3_makes_a_child_with_a_pidfd)
{
	int pidfd = -1, parent_tid = 0;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
		.exit_signal = SIGCHLD,
		.pidfd = (uintptr_t)&pidfd,
		.parent_tid = (uintptr_t)&parent_tid,
	};
	siginfo_t info;
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(21);
	REQUIRE(pid > 0);
	EXPECT_EQ(parent_tid, pid);
	EXPECT(pidfd >= 0);
	EXPECT_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	EXPECT_EQ(info.si_pid, pid);
	EXPECT_EQ(info.si_status, 21);
	EXPECT_EQ(info.si_code, CLD_EXITED);
}

static int set_value(void *arg)
{
	*(volatile int *)arg = 31;
	return 6;
}

TEST(clone_vm_shares_memory)
{
	static char stack[65536] __attribute__((aligned(16)));
	volatile int value = 0;
	pid_t pid = clone(set_value, stack + sizeof(stack), CLONE_VM | SIGCHLD, (void *)&value);

	REQUIRE(pid > 0);
	EXPECT_EQ(wait_status(pid), 6);
	EXPECT_EQ(value, 31);
}

TEST(child_tid_is_stored_and_cleared)
{
	static char stack[65536] __attribute__((aligned(16)));
	int set = 0, tid = 1;
	pid_t pid =
		clone(set_value, stack + sizeof(stack),
		      CLONE_VM | CLONE_VFORK | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
		      &set, NULL, NULL, &tid);

	REQUIRE(pid > 0);
	EXPECT_EQ(wait_status(pid), 6);
	EXPECT_EQ(tid, 0);
}

TEST(unshare_of_files_separates_descriptors)
{
	static char stack[65536] __attribute__((aligned(16)));
	int value = 0, fd = open("/", O_RDONLY);
	pid_t pid =
		clone(set_value, stack + sizeof(stack), CLONE_VM | CLONE_FILES | SIGCHLD, &value);

	EXPECT_EQ(wait_status(pid), 6);
	EXPECT_EQ(unshare(CLONE_FILES | CLONE_FS), 0);
	EXPECT_EQ(close(fd), 0);
}
