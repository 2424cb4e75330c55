/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait4(2), waitid(2), zombies, orphans, SIGCHLD. */
#include "guest_test.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

TEST(no_child)
{
	EXPECT_ERRNO(waitpid(-1, NULL, 0), ECHILD);
	EXPECT_ERRNO(waitpid(getpid(), NULL, 0), ECHILD);
	EXPECT_ERRNO(waitpid(-1, NULL, 0x10000), EINVAL);
	EXPECT_ERRNO(waitpid(INT32_MIN, NULL, 0), ESRCH);
}

TEST(status_of_exit_and_signal)
{
	int status;

	IN_CHILD(one)
	{
		_exit(0x1ff);
	}
	EXPECT_EQ(waitpid(one, &status, 0), one);
	EXPECT(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 0xff);
	IN_CHILD(two)
	{
		for (;;)
			pause();
	}
	EXPECT_EQ(kill(two, SIGKILL), 0);
	EXPECT_EQ(waitpid(two, &status, 0), two);
	EXPECT(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(wnohang_and_wnowait)
{
	siginfo_t info;
	int status;

	IN_CHILD(pid)
	{
		sleep_ms(100);
		_exit(5);
	}
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	memset(&info, 0xff, sizeof(info));
	EXPECT_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
	EXPECT_EQ(info.si_pid, 0);
	EXPECT_EQ(info.si_signo, 0);
	EXPECT_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	EXPECT_EQ(info.si_pid, pid);
	EXPECT_EQ(info.si_signo, SIGCHLD);
	EXPECT_EQ(info.si_status, 5);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_ERRNO(waitpid(pid, &status, 0), ECHILD);
}

TEST(waitid_needs_an_event)
{
	siginfo_t info;

	EXPECT_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	EXPECT_ERRNO(waitid(P_ALL, 0, &info, WEXITED | 0x100000), EINVAL);
	EXPECT_ERRNO(waitid((idtype_t)17, 0, &info, WEXITED), EINVAL);
	EXPECT_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
}

TEST(stopped_and_continued)
{
	int status;

	IN_CHILD(pid)
	{
		for (;;)
			pause();
	}
	EXPECT_EQ(kill(pid, SIGSTOP), 0);
	EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT(WIFSTOPPED(status));
	EXPECT_EQ(WSTOPSIG(status), SIGSTOP);
	EXPECT_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	EXPECT_EQ(kill(pid, SIGCONT), 0);
	EXPECT_EQ(waitpid(pid, &status, WCONTINUED), pid);
	EXPECT(WIFCONTINUED(status));
	EXPECT_EQ(kill(pid, SIGSTOP), 0);
	EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(by_group)
{
	IN_CHILD(one)
	{
		setpgid(0, 0);
		_exit(1);
	}
	setpgid(one, one);
	IN_CHILD(two)
	{
		_exit(2);
	}
	int status;

	EXPECT_EQ(waitpid(0, &status, 0), two);
	EXPECT_EQ(waitpid(-one, &status, 0), one);
}

TEST(ignored_sigchld_reaps)
{
	signal(SIGCHLD, SIG_IGN);
	IN_CHILD(pid)
	{
		_exit(0);
	}
	EXPECT_ERRNO(waitpid(pid, NULL, 0), ECHILD);
	/* It goes a moment after its parent has heard. */
	for (int ms = 0; ms < 1000 && kill(pid, 0) == 0; ms++)
		usleep(1000);
	EXPECT_ERRNO(kill(pid, 0), ESRCH);
}

TEST(no_cldwait_reaps)
{
	struct sigaction action = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };

	sigaction(SIGCHLD, &action, NULL);
	IN_CHILD(pid)
	{
		_exit(0);
	}
	EXPECT_ERRNO(waitpid(pid, NULL, 0), ECHILD);
}

static volatile sig_atomic_t children;
static siginfo_t last;
static void count_child(int signo, siginfo_t *info, void *context)
{
	children++;
	last = *info;
}

TEST(sigchld_tells_what_happened)
{
	struct sigaction action = { .sa_sigaction = count_child,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	int status;

	sigaction(SIGCHLD, &action, NULL);
	IN_CHILD(pid)
	{
		_exit(7);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(children, 1);
	EXPECT_EQ(last.si_pid, pid);
	EXPECT_EQ(last.si_code, CLD_EXITED);
	EXPECT_EQ(last.si_status, 7);
	EXPECT_EQ(last.si_uid, getuid());
}

TEST(clone_children_need_wclone)
{
	int status;
	pid_t pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);

	if (!pid)
		_exit(3);
	sleep_ms(30);
	EXPECT_ERRNO(waitpid(-1, &status, WNOHANG), ECHILD);
	EXPECT_EQ(waitpid(-1, &status, __WALL), pid);
	pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (!pid)
		_exit(4);
	EXPECT_EQ(waitpid(-1, &status, __WCLONE), pid);
	EXPECT_EQ(WEXITSTATUS(status), 4);
}

TEST(usage_of_children_is_added)
{
	struct rusage usage;
	int status;

	IN_CHILD(pid)
	{
		long long end = now_ms() + 100;

		while (now_ms() < end)
			;
		_exit(0);
	}
	EXPECT_EQ(wait4(pid, &status, 0, &usage), pid);
	EXPECT(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec + usage.ru_utime.tv_sec * 1000000 >
	       20000);
	EXPECT_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
	EXPECT(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec + usage.ru_utime.tv_sec * 1000000 >
	       20000);
	EXPECT(usage.ru_maxrss > 0);
}
