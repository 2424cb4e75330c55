/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name spaces: namespaces(7), uts_namespaces(7), ipc_namespaces(7). */
#include <guest_test.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <linux/nsfs.h>
#include <linux/reboot.h>
#include <linux/sched.h>

TEST(uts_namespace_has_its_own_names)
{
	struct utsname before, after;

	REQUIRE(uname(&before) == 0);
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWUTS), 0);
		EXPECT_EQ(uname(&after), 0);
		EXPECT_STREQ(after.nodename, before.nodename);
		EXPECT_EQ(sethostname("inside", 6), 0);
		EXPECT_EQ(uname(&after), 0);
		EXPECT_STREQ(after.nodename, "inside");
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(uname(&after), 0);
	EXPECT_STREQ(after.nodename, before.nodename);
}

TEST(ipc_namespace_hides_identifiers)
{
	int queue = msgget(4711, IPC_CREAT | 0600), segment = shmget(4711, 4096, IPC_CREAT | 0600);
	char *memory = shmat(segment, NULL, 0);

	REQUIRE(queue >= 0 && segment >= 0 && memory != (char *)-1);
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWIPC), 0);
		EXPECT_ERRNO(msgget(4711, 0), ENOENT);
		EXPECT_ERRNO(shmget(4711, 4096, 0), ENOENT);
		/* What is attached stays; what is made here goes with the name space. */
		memory[0] = 'x';
		EXPECT_NE(msgget(4711, IPC_CREAT | 0600), -1);
		EXPECT_NE(semget(4711, 3, IPC_CREAT | 0600), -1);
		int inner = shmget(4712, 4096, IPC_CREAT | 0600);
		EXPECT_NE(inner, -1);
		EXPECT_NE((long)shmat(inner, NULL, 0), -1);
		EXPECT_NE(shmget(4713, 4096, IPC_CREAT | 0600), -1);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(memory[0], 'x');
	EXPECT_ERRNO(shmget(4712, 4096, 0), ENOENT);
	EXPECT_EQ(shmdt(memory), 0);
	EXPECT_EQ(shmctl(segment, IPC_RMID, NULL), 0);
	EXPECT_EQ(msgctl(queue, IPC_RMID, NULL), 0);
}

TEST(new_namespace_takes_privilege)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(unshare(CLONE_NEWUTS), EPERM);
		EXPECT_ERRNO(unshare(CLONE_NEWIPC), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

static int pid_namespace_body(void)
{
	char text[64];

	EXPECT_EQ(getpid(), 1);
	EXPECT_EQ(getppid(), 0);
	EXPECT_EQ(gettid(), 1);
	IN_CHILD(pid)
	{
		EXPECT_EQ(getpid(), 2);
		EXPECT_EQ(getppid(), 1);
		EXPECT_EQ(kill(1, 0), 0);
		EXPECT_ERRNO(kill(77, 0), ESRCH);
		/* Process 1 is spared, whoever asks from inside. */
		EXPECT_EQ(kill(1, SIGKILL), 0);
		EXPECT_EQ(setsid(), 2);
		EXPECT_EQ(getpgid(0), 2);
		EXPECT_EQ(getsid(0), 2);
		_exit(test_has_failed());
	}
	EXPECT_EQ(pid, 2);
	EXPECT_EQ(wait_status(pid), 0);
	mkdir("proc", 0755);
	EXPECT_EQ(mount("proc", "proc", "proc", 0, NULL), 0);
	EXPECT_EQ(readlink("proc/self", text, sizeof(text)), 1);
	EXPECT_EQ(text[0], '1');
	EXPECT_EQ(access("proc/1", F_OK), 0);
	EXPECT_ERRNO(access("proc/2", F_OK), ENOENT);
	EXPECT_EQ(umount("proc"), 0);
	/* An orphan is this process's. */
	IN_CHILD(middle)
	{
		IN_CHILD(orphan)
		{
			sleep_ms(50);
			_exit(getppid() == 1 ? 0 : 1);
		}
		_exit(0);
	}
	EXPECT_EQ(wait_status(middle), 0);
	int status = -1;
	EXPECT(waitpid(-1, &status, 0) > 0);
	EXPECT_EQ(status, 0);
	return test_has_failed();
}

TEST(pid_namespace_counts_from_one)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWPID), 0);
		IN_CHILD(first)
		{
			_exit(pid_namespace_body());
		}
		EXPECT_NE(first, 1);
		EXPECT_EQ(wait_status(first), 0);
		/* Its process 1 is gone: nobody can be born there. */
		EXPECT_ERRNO(fork(), ENOMEM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(pid_namespace_ends_with_its_first_process)
{
	int fds[2];
	char byte;

	REQUIRE(pipe(fds) == 0);
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWPID), 0);
		IN_CHILD(first)
		{
			for (int i = 0; i < 3; i++) {
				IN_CHILD(other)
				{
					setsid();
					for (;;)
						pause();
				}
			}
			_exit(0);
		}
		close(fds[1]);
		EXPECT_EQ(wait_status(first), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	close(fds[1]);
	/* Nobody holds the other end any more. */
	EXPECT_EQ(read(fds[0], &byte, 1), 0);
}

TEST(first_process_is_killed_from_outside)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWPID), 0);
		IN_CHILD(first)
		{
			for (;;)
				pause();
		}
		sleep_ms(20);
		kill(first, SIGTERM);
		sleep_ms(20);
		EXPECT_EQ(waitpid(first, NULL, WNOHANG), 0);
		kill(first, SIGKILL);
		EXPECT_EQ(wait_status(first), 128 + SIGKILL);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

static void expect_reboot_ends(unsigned command, int signo)
{
	IN_CHILD(first)
	{
		IN_CHILD(other)
		{
			syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command,
				NULL);
			_exit(0);
		}
		for (;;)
			pause();
	}
	EXPECT_EQ(wait_status(first), 128 + signo);
}

TEST(pid_namespace_reboots_alone)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWPID), 0);
		expect_reboot_ends(LINUX_REBOOT_CMD_RESTART, SIGHUP);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	IN_CHILD(second)
	{
		EXPECT_EQ(unshare(CLONE_NEWPID), 0);
		IN_CHILD(first)
		{
			EXPECT_ERRNO(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
					     LINUX_REBOOT_CMD_CAD_ON, NULL),
				     EINVAL);
			if (test_has_failed())
				_exit(1);
			syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
				LINUX_REBOOT_CMD_POWER_OFF, NULL);
			_exit(2);
		}
		EXPECT_EQ(wait_status(first), 128 + SIGINT);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(second), 0);
}

TEST(namespace_files_are_entered)
{
	char mine[64] = "", other[64] = "", path[64];
	struct utsname names;
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	EXPECT(readlink("/proc/self/ns/uts", mine, sizeof(mine)) > 0);
	EXPECT(strncmp(mine, "uts:[", 5) == 0);
	IN_CHILD(holder)
	{
		unshare(CLONE_NEWUTS | CLONE_NEWIPC);
		sethostname("there", 5);
		write(fds[1], "", 1);
		for (;;)
			pause();
	}
	read(fds[0], path, 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", holder);
	EXPECT(readlink(path, other, sizeof(other)) > 0);
	EXPECT(strcmp(mine, other) != 0);
	IN_CHILD(pid)
	{
		int fd = open(path, O_RDONLY);
		struct stat st;

		EXPECT(fd >= 0);
		EXPECT_EQ(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWUTS);
		EXPECT_EQ(fstat(fd, &st), 0);
		EXPECT_EQ(st.st_ino, strtoul(other + 5, NULL, 10));
		EXPECT_ERRNO(setns(fd, CLONE_NEWIPC), EINVAL);
		EXPECT_EQ(setns(fd, 0), 0);
		EXPECT_EQ(uname(&names), 0);
		EXPECT_STREQ(names.nodename, "there");
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	IN_CHILD(by_pidfd)
	{
		int fd = (int)syscall(SYS_pidfd_open, holder, 0);

		EXPECT_ERRNO(setns(fd, 0), EINVAL);
		EXPECT_EQ(setns(fd, CLONE_NEWUTS | CLONE_NEWIPC), 0);
		EXPECT_EQ(uname(&names), 0);
		EXPECT_STREQ(names.nodename, "there");
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(by_pidfd), 0);
	kill(holder, SIGKILL);
	EXPECT_EQ(wait_status(holder), 128 + SIGKILL);
}

static bool is_mounted(const char *path)
{
	char text[16384] = "";

	read_file("/proc/self/mounts", text, sizeof(text));
	return strstr(text, path);
}

TEST(mount_namespace_is_a_copy)
{
	int fds[2], fd;
	char byte;

	REQUIRE(pipe(fds) == 0);
	mkdir("m", 0755);
	mkdir("n", 0755);
	EXPECT_EQ(mount("tmpfs", "m", "tmpfs", 0, NULL), 0);
	make_file("m/before", "x");
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWNS), 0);
		EXPECT_EQ(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
		EXPECT_EQ(access("m/before", F_OK), 0);
		EXPECT_EQ(mount("inner", "n", "tmpfs", 0, NULL), 0);
		make_file("n/inner", "y");
		EXPECT(is_mounted("inner"));
		EXPECT_EQ(umount("m"), 0);
		EXPECT_ERRNO(access("m/before", F_OK), ENOENT);
		write(fds[1], "", 1);
		sleep_ms(100);
		_exit(test_has_failed());
	}
	read(fds[0], &byte, 1);
	EXPECT_ERRNO(access("n/inner", F_OK), ENOENT);
	EXPECT_EQ(access("m/before", F_OK), 0);
	EXPECT(!is_mounted("inner"));
	/* From outside one can go in. */
	IN_CHILD(visitor)
	{
		char path[64], cwd[256];

		getcwd(cwd, sizeof(cwd));
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
		fd = open(path, O_RDONLY);
		EXPECT_EQ(setns(fd, CLONE_NEWNS), 0);
		EXPECT_EQ(chdir(cwd), 0);
		EXPECT_EQ(access("n/inner", F_OK), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(visitor), 0);
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(umount("m"), 0);
	EXPECT_ERRNO(unshare(CLONE_NEWNS | 0x4), EINVAL);
}

/* A child with these numbers, innermost first; its exit status, or -1 with errno. */
static int clone_with_numbers(const pid_t *numbers, size_t count)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)numbers,
				   .set_tid_size = count };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(getpid());
	return pid < 0 ? -1 : wait_status(pid);
}

TEST(clone3_chooses_numbers_of_several_levels)
{
	pid_t outer = 23456, two[] = { 31, outer }, three[] = { 31, outer, 77 },
	      wrong[] = { 31, 0 }, taken[] = { 33, 1 };

	EXPECT_ERRNO(clone_with_numbers(two, 2), EINVAL);
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWPID), 0);
		/* Nobody comes before process 1. */
		EXPECT_ERRNO(clone_with_numbers(two, 2), EINVAL);
		IN_CHILD(first)
		{
			struct clone_args args = { .exit_signal = SIGCHLD,
						   .set_tid = (uintptr_t)two,
						   .set_tid_size = 2 };
			char text[4096] = "";

			EXPECT_EQ(clone_with_numbers(two, 1), 31);
			EXPECT_EQ(clone_with_numbers(two, 2), 31);
			EXPECT_ERRNO(clone_with_numbers(wrong, 2), EINVAL);
			EXPECT_ERRNO(clone_with_numbers(taken, 2), EEXIST);
			pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

			if (child == 0) {
				/* /proc is of outside. */
				read_file("/proc/self/status", text, sizeof(text));
				EXPECT(strstr(text, "NSpid:\t23456\t31\n"));
				_exit(test_has_failed());
			}
			EXPECT_EQ(child, 31);
			EXPECT_EQ(wait_status(child), 0);
			EXPECT_ERRNO(clone_with_numbers(three, 33), EINVAL);
			_exit(test_has_failed());
		}
		EXPECT_EQ(wait_status(first), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}
