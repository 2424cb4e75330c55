/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seccomp(2). */
#include <guest_test.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
/* If the call is `nr`, the filter's result is `value`. */
#define RULE(nr, value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), RETURN(value)

static int install(struct sock_filter *program, size_t count, unsigned flags)
{
	struct sock_fprog fprog = { (unsigned short)count, program };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog);
}
#define FILTER(flags, ...)                                                                         \
	({                                                                                         \
		struct sock_filter program_[] = { LOAD(nr), __VA_ARGS__,                           \
						  RETURN(SECCOMP_RET_ALLOW) };                     \
		install(program_, sizeof(program_) / sizeof(program_[0]), flags);                  \
	})

static void no_new_privs(void)
{
	EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
}

TEST(strict_mode_allows_four_calls)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), 0);
		syscall(SYS_write, 1, "", 0);
		syscall(SYS_exit, 3);
	}
	EXPECT_EQ(wait_status(pid), 3);
	IN_CHILD(bad)
	{
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		syscall(SYS_getpid);
		syscall(SYS_exit, 3);
	}
	EXPECT_EQ(wait_status(bad), 128 + SIGKILL);
}

TEST(filter_gives_errors)
{
	IN_CHILD(pid)
	{
		no_new_privs();
		EXPECT_EQ(prctl(PR_GET_SECCOMP), 0);
		EXPECT_EQ(FILTER(0, RULE(SYS_getppid, SECCOMP_RET_ERRNO | 77),
				 RULE(SYS_getsid, SECCOMP_RET_ERRNO)),
			  0);
		EXPECT_EQ(prctl(PR_GET_SECCOMP), 2);
		EXPECT_ERRNO(syscall(SYS_getppid), 77);
		EXPECT_EQ(syscall(SYS_getsid, 0), 0);
		EXPECT_EQ(getpid(), syscall(SYS_getpid));
		/* Inherited by children and programs. */
		IN_CHILD(child)
		{
			EXPECT_ERRNO(syscall(SYS_getppid), 77);
			_exit(test_has_failed());
		}
		EXPECT_EQ(wait_status(child), 0);
		/* The most restrictive of several wins. */
		EXPECT_EQ(FILTER(0, RULE(SYS_getppid, SECCOMP_RET_ERRNO | 78)), 0);
		EXPECT_ERRNO(syscall(SYS_getppid), 78);
		char text[4096];
		EXPECT(read_file("/proc/self/status", text, sizeof(text)) > 0);
		EXPECT(strstr(text, "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t2\n"));
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(filter_sees_arguments)
{
	IN_CHILD(pid)
	{
		struct sock_filter program[] = {
			LOAD(arch),
#ifdef __x86_64__
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
#else
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_AARCH64, 1, 0),
#endif
			RETURN(SECCOMP_RET_KILL_PROCESS),
			LOAD(nr),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup3, 1, 0),
			RETURN(SECCOMP_RET_ALLOW),
			LOAD(args[2]),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 12345, 0, 1),
			RETURN(SECCOMP_RET_ERRNO | ENOTTY),
			RETURN(SECCOMP_RET_ALLOW),
		};

		no_new_privs();
		EXPECT_EQ(install(program, sizeof(program) / sizeof(program[0]), 0), 0);
		EXPECT_ERRNO(syscall(SYS_dup3, 0, 1, 12345), ENOTTY);
		EXPECT_ERRNO(syscall(SYS_dup3, -1, 1, 0), EBADF);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

static volatile int trapped_call, trapped_data;
static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	trapped_call = info->si_syscall;
	trapped_data = info->si_errno;
}

TEST(filter_traps_and_kills)
{
	IN_CHILD(pid)
	{
		struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

		sigaction(SIGSYS, &action, NULL);
		no_new_privs();
		EXPECT_EQ(FILTER(0, RULE(SYS_getppid, SECCOMP_RET_TRAP | 55),
				 RULE(SYS_getsid, SECCOMP_RET_KILL_PROCESS)),
			  0);
		syscall(SYS_getppid);
		EXPECT_EQ(trapped_call, SYS_getppid);
		EXPECT_EQ(trapped_data, 55);
		if (test_has_failed())
			_exit(1);
		syscall(SYS_getsid, 0);
		_exit(2);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGSYS);
}

static void *killed_thread(void *unused)
{
	syscall(SYS_getppid);
	return unused;
}

TEST(kill_thread_ends_one_thread)
{
	IN_CHILD(pid)
	{
		pthread_t thread;

		no_new_privs();
		EXPECT_EQ(FILTER(0, RULE(SYS_getppid, SECCOMP_RET_KILL_THREAD)), 0);
		pthread_create(&thread, NULL, killed_thread, NULL);
		pthread_join(thread, NULL);
		_exit(6);
	}
	EXPECT_EQ(wait_status(pid), 6);
}

TEST(filters_need_privilege_and_sense)
{
	struct sock_filter bad_jump[] = { BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0), RETURN(0) };
	struct sock_filter no_return[] = { LOAD(nr) };
	struct sock_filter bytes[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RETURN(0) };
	unsigned action = SECCOMP_RET_TRAP, unknown = 0x12340000;

	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(FILTER(0, RULE(SYS_getppid, SECCOMP_RET_ERRNO)), EACCES);
		no_new_privs();
		EXPECT_ERRNO(install(bad_jump, 2, 0), EINVAL);
		EXPECT_ERRNO(install(no_return, 1, 0), EINVAL);
		EXPECT_ERRNO(install(bytes, 2, 0), EINVAL);
		EXPECT_ERRNO(install(bytes, 0, 0), EINVAL);
		EXPECT_ERRNO(FILTER(0x8000, RULE(SYS_getppid, SECCOMP_RET_ERRNO)), EINVAL);
		EXPECT_EQ(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action), 0);
		EXPECT_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown),
			     EOPNOTSUPP);
		EXPECT_ERRNO(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

static int go[2];
static void *filtered_thread(void *out)
{
	char byte;

	read(go[0], &byte, 1);
	*(long *)out = syscall(SYS_getppid) == -1 ? errno : 0;
	return NULL;
}

TEST(tsync_filters_all_threads)
{
	IN_CHILD(pid)
	{
		pthread_t thread;
		long result = -1;

		REQUIRE(pipe(go) == 0);
		pthread_create(&thread, NULL, filtered_thread, &result);
		no_new_privs();
		EXPECT_EQ(FILTER(SECCOMP_FILTER_FLAG_TSYNC,
				 RULE(SYS_getppid, SECCOMP_RET_ERRNO | 44)),
			  0);
		write(go[1], "", 1);
		pthread_join(thread, NULL);
		EXPECT_EQ(result, 44);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(trace_asks_the_tracer)
{
	unsigned long message;
	int status;

	IN_CHILD(pid)
	{
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		no_new_privs();
		FILTER(0, RULE(SYS_getppid, SECCOMP_RET_TRACE | 99));
		_exit(syscall(SYS_getppid) > 0 ? 8 : 9);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
	EXPECT_EQ(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	EXPECT_EQ(message, 99);
	struct __ptrace_syscall_info info;
	EXPECT(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_SECCOMP);
	EXPECT_EQ(info.seccomp.nr, SYS_getppid);
	EXPECT_EQ(info.seccomp.ret_data, 99);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 8);
	/* Without a tracer the call does not exist. */
	IN_CHILD(alone)
	{
		no_new_privs();
		FILTER(0, RULE(SYS_getppid, SECCOMP_RET_TRACE));
		EXPECT_ERRNO(syscall(SYS_getppid), ENOSYS);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(alone), 0);
}
