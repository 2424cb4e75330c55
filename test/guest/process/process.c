/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fork, exec, wait, exit, identities, limits. */
#include "guest_test.h"

#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int run_helper(const char *name, const char *argument)
{
	IN_CHILD(pid)
	{
		execl(GUEST_PROGRAM, "init", "helper", name, argument, (char *)NULL);
		_exit(126);
	}
	return wait_status(pid);
}

TEST(fork_gives_a_copy)
{
	int value = 1;

	IN_CHILD(pid)
	{
		value = 2;
		_exit(value == 2 && getppid() > 0 ? 42 : 1);
	}
	EXPECT_EQ(wait_status(pid), 42);
	EXPECT_EQ(value, 1);
}

TEST(fork_shares_open_files)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	IN_CHILD(pid)
	{
		EXPECT_EQ(write(fd, "abc", 3), 3);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 3);
}

TEST(vfork_waits_for_the_child)
{
	volatile int value = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		value = 7;
		_exit(3);
	}
	EXPECT_EQ(value, 7);
	EXPECT_EQ(wait_status(pid), 3);
}

TEST(wait_reports_how_a_child_ended)
{
	int status;
	siginfo_t info = {};
	struct rusage usage;

	IN_CHILD(a)
	{
		_exit(300);
	}
	EXPECT_EQ(waitpid(a, &status, 0), a);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 44);
	IN_CHILD(b)
	{
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	EXPECT_EQ(waitid(P_PID, (id_t)b, &info, WEXITED | WNOWAIT), 0);
	EXPECT_EQ(info.si_code, CLD_KILLED);
	EXPECT_EQ(info.si_status, SIGKILL);
	EXPECT_EQ(info.si_pid, b);
	EXPECT_EQ(info.si_signo, SIGCHLD);
	EXPECT_EQ(wait4(b, &status, 0, &usage), b);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_ERRNO(waitpid(b, &status, 0), ECHILD);
	EXPECT_ERRNO(waitpid(-1, &status, 0), ECHILD);
	EXPECT_ERRNO(waitpid(-1, &status, 0x1000), EINVAL);
}

TEST(wait_without_hang)
{
	int status;

	IN_CHILD(pid)
	{
		pause();
	}
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGTERM);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(wait_sees_stops_and_continues)
{
	int status;

	IN_CHILD(pid)
	{
		for (;;)
			pause();
	}
	EXPECT_EQ(kill(pid, SIGSTOP), 0);
	EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	EXPECT_EQ(kill(pid, SIGCONT), 0);
	EXPECT_EQ(waitpid(pid, &status, WCONTINUED), pid);
	EXPECT(WIFCONTINUED(status));
	kill(pid, SIGKILL);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
}

TEST(wait_selects_by_group)
{
	int status;

	IN_CHILD(a)
	{
		setpgid(0, 0);
		_exit(1);
	}
	IN_CHILD(b)
	{
		_exit(2);
	}
	setpgid(a, a);
	EXPECT_EQ(waitpid(0, &status, 0), b);
	EXPECT_EQ(waitpid(-a, &status, 0), a);
}

TEST(orphans_go_to_the_subreaper)
{
	int status, pipes[2];
	pid_t orphan = 0;

	EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	EXPECT_EQ(pipe(pipes), 0);
	IN_CHILD(pid)
	{
		pid_t parent = getpid();
		pid_t grandchild = fork();

		if (grandchild == 0) {
			while (getppid() == parent)
				sleep_ms(5);
			_exit(9);
		}
		_exit(write(pipes[1], &grandchild, sizeof(grandchild)) != sizeof(grandchild));
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(read(pipes[0], &orphan, sizeof(orphan)), sizeof(orphan));
	EXPECT_EQ(waitpid(-1, &status, 0), orphan);
	EXPECT_EQ(WEXITSTATUS(status), 9);
}

TEST(exec_passes_arguments_and_environment)
{
	char buf[256] = "";
	int out[2];

	EXPECT_EQ(pipe(out), 0);
	IN_CHILD(pid)
	{
		char *argv[] = { "x", "helper", "show", "a b", "", "c", NULL },
		     *envp[] = { "K=V", "E=", NULL };

		dup2(out[1], 1);
		execve(GUEST_PROGRAM, argv, envp);
		_exit(126);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_GE(read(out[0], buf, sizeof(buf) - 1), 1);
	EXPECT_STREQ(buf, "[a b][][c]{K=V}{E=}");
}

TEST(exec_closes_what_is_marked)
{
	open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	EXPECT_EQ(open("/dev/null", O_RDONLY | O_CLOEXEC), 3);
	EXPECT_EQ(open("/dev/null", O_RDONLY), 4);
	EXPECT_EQ(run_helper("count_descriptors", NULL), 1);
}

TEST(exec_resets_handlers_only)
{
	sigset_t set;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGTERM, exit);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	EXPECT_EQ(run_helper("signal_state", NULL), 3);
}

TEST(exec_gives_an_auxiliary_vector)
{
	EXPECT_EQ(run_helper("auxiliary_vector", NULL), 0);
}

TEST(exec_reports_errors)
{
	char *argv[] = { "x", NULL };
	char *huge = malloc(3 << 20), *big_argv[] = { "x", huge, NULL };

	EXPECT_ERRNO(execve("absent", argv, NULL), ENOENT);
	EXPECT_ERRNO(execve(".", argv, NULL), EACCES);
	make_file("text", "no program\n");
	EXPECT_ERRNO(execve("text", argv, NULL), EACCES);
	EXPECT_EQ(chmod("text", 0755), 0);
	EXPECT_ERRNO(execve("text", argv, NULL), ENOEXEC);
	make_file("empty", "");
	EXPECT_EQ(chmod("empty", 0755), 0);
	EXPECT_ERRNO(execve("empty", argv, NULL), ENOEXEC);
	EXPECT_ERRNO(execve(GUEST_PROGRAM, (char **)8, NULL), EFAULT);
	memset(huge, 'x', 3 << 20);
	huge[(3 << 20) - 1] = 0;
	EXPECT_ERRNO(execve(GUEST_PROGRAM, big_argv, NULL), E2BIG);
}

TEST(exec_runs_scripts)
{
	int fd = open("script", O_WRONLY | O_CREAT, 0755);

	/* init helper exit_with: the one argument of #! lines is "helper", so the script's name is the helper's. */
	dprintf(fd, "#! " GUEST_PROGRAM " helper\n");
	close(fd);
	EXPECT_EQ(symlink("script", "exit_with"), 0);
	IN_CHILD(pid)
	{
		execl("exit_with", "ignored", "33", (char *)NULL);
		_exit(126);
	}
	EXPECT_EQ(wait_status(pid), 33);
	fd = open("self", O_WRONLY | O_CREAT, 0755);
	dprintf(fd, "#!/work/self\n");
	close(fd);
	EXPECT_ERRNO(execl("self", "self", (char *)NULL), ELOOP);
	fd = open("lost", O_WRONLY | O_CREAT, 0755);
	dprintf(fd, "#!/no/such/interpreter\n");
	close(fd);
	EXPECT_ERRNO(execl("lost", "lost", (char *)NULL), ENOENT);
}

TEST(exec_of_a_file_open_for_writing_fails)
{
	char buf[4096];
	int in = open(GUEST_PROGRAM, O_RDONLY), out = open("copy", O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		EXPECT_EQ(write(out, buf, (size_t)n), n);
	EXPECT_ERRNO(execl("copy", "copy", (char *)NULL), ETXTBSY);
	close(out);
	IN_CHILD(pid)
	{
		execl("copy", "copy", "helper", "exit_with", "5", (char *)NULL);
		_exit(126);
	}
	EXPECT_EQ(wait_status(pid), 5);
}

TEST(execveat_of_a_descriptor)
{
	int fd = open(GUEST_PROGRAM, O_RDONLY | O_CLOEXEC);
	char *argv[] = { "x", "helper", "exit_with", "6", NULL };

	IN_CHILD(pid)
	{
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		_exit(126);
	}
	EXPECT_EQ(wait_status(pid), 6);
}

TEST(exec_from_a_thread_leaves_one)
{
	IN_CHILD(pid)
	{
		char *stack = malloc(65536);

		/* A second thread that sleeps for ever must not survive the exec. */
		clone((int (*)(void *))(void *)pause, stack + 65536,
		      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);
		execl(GUEST_PROGRAM, "x", "helper", "exit_with", "8", (char *)NULL);
		_exit(126);
	}
	EXPECT_EQ(wait_status(pid), 8);
}

static void write_elf_with(size_t at, const void *bytes, size_t size)
{
	char buf[65536];
	int in = open(GUEST_PROGRAM, O_RDONLY),
	    out = open("bad", O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		EXPECT_EQ(write(out, buf, (size_t)n), n);
	EXPECT_EQ(pwrite(out, bytes, size, (off_t)at), (ssize_t)size);
	close(in);
	close(out);
}

/* The program must not start well: exec fails, or the process dies by a signal. */
static void expect_no_start(void)
{
	int status;

	IN_CHILD(pid)
	{
		execl("bad", "bad", "helper", "exit_with", "0", (char *)NULL);
		_exit(126);
	}
	status = wait_status(pid);
	EXPECT(status == 126 || status > 128);
}

TEST(damaged_programs_do_not_start)
{
	static const unsigned char ones[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f };
	static const unsigned short machine = 0x28;

	write_elf_with(18, &machine, 2); /* another machine */
	expect_no_start();
	write_elf_with(24, ones, 8); /* entry */
	expect_no_start();
	write_elf_with(32, ones, 8); /* place of the program headers */
	expect_no_start();
	write_elf_with(54, ones, 2); /* their size */
	expect_no_start();
	write_elf_with(64 + 16, ones, 8); /* address of the first segment */
	expect_no_start();
	EXPECT_EQ(truncate("bad", 100), 0);
	expect_no_start();
}

TEST(sessions_and_groups)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(setsid(), getpid());
		EXPECT_EQ(getsid(0), getpid());
		EXPECT_EQ(getpgrp(), getpid());
		EXPECT_ERRNO(setsid(), EPERM);
		EXPECT_ERRNO(setpgid(0, 0), EPERM);
		exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_ERRNO(getpgid(999999), ESRCH);
	EXPECT_ERRNO(setpgid(0, -1), EINVAL);
	EXPECT_ERRNO(setpgid(1, 0), ESRCH);
}

TEST(identities_change_by_the_rules)
{
	IN_CHILD(pid)
	{
		uid_t r, e, s;
		gid_t groups[] = { 5, 6 }, have[8];

		EXPECT_EQ(setgroups(2, groups), 0);
		EXPECT_EQ(getgroups(8, have), 2);
		EXPECT_EQ(have[1], 6);
		EXPECT_EQ(setresuid(100, 200, 300), 0);
		EXPECT_EQ(getresuid(&r, &e, &s), 0);
		EXPECT(r == 100 && e == 200 && s == 300);
		EXPECT_EQ(getuid(), 100);
		EXPECT_EQ(geteuid(), 200);
		EXPECT_EQ(seteuid(300), 0);
		EXPECT_EQ(seteuid(100), 0);
		EXPECT_ERRNO(seteuid(0), EPERM);
		EXPECT_ERRNO(setgroups(2, groups), EPERM);
		EXPECT_ERRNO(getgroups(1, have), EINVAL);
		exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(set_user_id_programs_change_the_user)
{
	char buf[65536];
	int in = open(GUEST_PROGRAM, O_RDONLY), out = open("suid", O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		EXPECT_EQ(write(out, buf, (size_t)n), n);
	close(out);
	EXPECT_EQ(chmod("/work", 0755), 0);
	EXPECT_EQ(chown("suid", 77, 0), 0);
	EXPECT_EQ(chmod("suid", 04755), 0);
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(1000), 0);
		execl("suid", "suid", "helper", "effective_user", (char *)NULL);
		_exit(126);
	}
	EXPECT_EQ(wait_status(pid), 77);
}

HELPER(effective_user)
{
	return getuid() == 1000 ? (int)geteuid() : 125;
}

TEST(limits_are_kept)
{
	struct rlimit limit;

	EXPECT_EQ(getrlimit(RLIMIT_STACK, &limit), 0);
	EXPECT_EQ(limit.rlim_cur, 8 << 20);
	limit = (struct rlimit){ 10, 5 };
	EXPECT_ERRNO(setrlimit(RLIMIT_CORE, &limit), EINVAL);
	EXPECT_ERRNO(getrlimit(99, &limit), EINVAL);
	limit = (struct rlimit){ 4096, 4096 };
	EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_IGN);
	EXPECT_ERRNO(pwrite(open("f", O_RDWR | O_CREAT, 0600), "x", 1, 4096), EFBIG);
}

TEST(process_limit_stops_a_fork_bomb)
{
	IN_CHILD(pid)
	{
		struct rlimit limit = { 8, 8 };
		int children = 0;

		EXPECT_EQ(setrlimit(RLIMIT_NPROC, &limit), 0);
		EXPECT_EQ(setuid(4321), 0);
		for (pid_t child; (child = fork()) >= 0; children++)
			if (child == 0) {
				pause();
				_exit(0);
			}
		EXPECT_EQ(errno, EAGAIN);
		EXPECT_EQ(children, 7);
		kill(0, SIGTERM);
		exit(1);
	}
	setpgid(pid, pid);
	EXPECT_EQ(wait_status(pid), 128 + SIGTERM);
}

TEST(stack_grows_to_its_limit)
{
	volatile char area[4 << 20];

	area[0] = 1;
	area[sizeof(area) - 1] = 2;
	EXPECT_EQ(area[0] + area[sizeof(area) - 1], 3);
}

static int overflow(int depth)
{
	volatile char frame[4096];

	frame[0] = (char)depth;
	return depth < 0 ? 0 : overflow(depth + 1) + frame[0];
}

TEST(stack_overflow_is_a_segmentation_fault)
{
	IN_CHILD(pid)
	{
		_exit(overflow(0));
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGSEGV);
}

TEST(prctl_names_and_flags)
{
	char name[32] = "";

	EXPECT_EQ(prctl(PR_SET_NAME, "a-very-long-name-that-is-cut"), 0);
	EXPECT_EQ(prctl(PR_GET_NAME, name), 0);
	EXPECT_STREQ(name, "a-very-long-nam");
	EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	EXPECT_ERRNO(prctl(9999), EINVAL);
}

TEST(parent_death_signal)
{
	int p[2];
	char c;

	EXPECT_EQ(pipe(p), 0);
	IN_CHILD(pid)
	{
		pid_t parent = getpid();

		if (fork() == 0) {
			close(p[0]);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (getppid() == parent)
				sleep_ms(5);
			sleep_ms(500);
			_exit(write(p[1], "x", 1) != 1);
		}
		sleep_ms(100);
		_exit(0);
	}
	close(p[1]);
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(read(p[0], &c, 1), 0);
}

TEST(priorities_and_scheduling)
{
	struct sched_param param = { .sched_priority = 5 };
	cpu_set_t set;

	EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
	EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 5);
	EXPECT_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
	EXPECT_EQ(sched_getscheduler(0), SCHED_FIFO);
	param.sched_priority = 0;
	EXPECT_ERRNO(sched_setscheduler(0, SCHED_FIFO, &param), EINVAL);
	EXPECT_EQ(sched_setscheduler(0, SCHED_OTHER, &param), 0);
	EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	EXPECT_GE(CPU_COUNT(&set), 1);
	EXPECT_EQ(sched_yield(), 0);
}

TEST(thousand_processes_come_and_go)
{
	for (int i = 0; i < 1000; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i & 127);
		if (!EXPECT(pid > 0) || !EXPECT_EQ(wait_status(pid), i & 127))
			return;
	}
}

TEST(hundred_programs_are_executed)
{
	for (int i = 0; i < 100; i++)
		if (!EXPECT_EQ(run_helper("exit_with", "11"), 11))
			return;
}

TEST(pidfd_signals_and_waits)
{
	siginfo_t info = {};
	int fd;

	IN_CHILD(pid)
	{
		pause();
		_exit(0);
	}
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	REQUIRE(fd >= 0);
	EXPECT_EQ(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
	EXPECT_EQ(waitid((idtype_t)3, (id_t)fd, &info, WEXITED), 0); /* P_PIDFD */
	EXPECT_EQ(info.si_status, SIGTERM);
}
