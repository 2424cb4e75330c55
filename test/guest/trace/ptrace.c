/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptrace(2): attaching, stops, memory and registers, events. */
#include <elf.h>
#include <guest_test.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

static bool stopped_by(int status, int signo)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == signo;
}

static bool is_event(int status, int event)
{
	return status >> 8 == (SIGTRAP | event << 8);
}

static int wait_for(pid_t pid)
{
	int status = 0;

	EXPECT_EQ(waitpid(pid, &status, __WALL), pid);
	return status;
}

/* A child that asked to be traced and stopped itself. */
#define TRACED_CHILD(pid)                                                                          \
	fflush(stdout);                                                                            \
	pid_t pid = fork();                                                                        \
	if (pid == 0 && (ptrace(PTRACE_TRACEME, 0, 0, 0) || raise(SIGSTOP)))                       \
		_exit(100);                                                                        \
	if (pid > 0)                                                                               \
		EXPECT(stopped_by(wait_for(pid), SIGSTOP));                                        \
	if (pid == 0)

TEST(traceme_stop_and_continue)
{
	siginfo_t info;

	TRACED_CHILD(pid)
	{
		_exit(7);
	}
	EXPECT_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	EXPECT_EQ(info.si_signo, SIGSTOP);
	EXPECT_EQ(info.si_code, SI_TKILL);
	EXPECT_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQ(wait_status(pid), 7);
}

TEST(signals_stop_for_the_tracer)
{
	TRACED_CHILD(pid)
	{
		raise(SIGUSR1); /* suppressed */
		raise(SIGCHLD); /* ignored by default, yet it stops */
		raise(SIGUSR2); /* becomes SIGTERM */
		_exit(1);
	}
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGUSR1));
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGCHLD));
	ptrace(PTRACE_CONT, pid, 0, SIGCHLD);
	EXPECT(stopped_by(wait_for(pid), SIGUSR2));
	ptrace(PTRACE_CONT, pid, 0, SIGTERM);
	EXPECT_EQ(wait_status(pid), 128 + SIGTERM);
}

static long traced_word = 0x1234;

TEST(memory_is_read_and_written)
{
	static const long constant = 55;

	TRACED_CHILD(pid)
	{
		_exit(traced_word == 0x4321 && *(volatile const long *)&constant == 77 ? 0 : 1);
	}
	EXPECT_EQ(ptrace(PTRACE_PEEKDATA, pid, &traced_word, 0), 0x1234);
	EXPECT_EQ(ptrace(PTRACE_POKEDATA, pid, &traced_word, 0x4321), 0);
	EXPECT_EQ(traced_word, 0x1234);
	/* Read-only memory too: so are breakpoints set. */
	EXPECT_EQ(ptrace(PTRACE_POKETEXT, pid, &constant, 77), 0);
	EXPECT_ERRNO(ptrace(PTRACE_PEEKDATA, pid, 8, 0), EIO);
	EXPECT_ERRNO(ptrace(PTRACE_POKEDATA, pid, 8, 0), EIO);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(vdso_is_readable)
{
	unsigned long address = getauxval(AT_SYSINFO_EHDR);
	static char whole[4096];
	int fd;

	TRACED_CHILD(pid)
	{
		_exit(0);
	}
	REQUIRE(address != 0);
	EXPECT_EQ(ptrace(PTRACE_PEEKDATA, pid, address, 0), *(long *)address);
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	EXPECT_EQ(pread(fd, whole, sizeof(whole), (off_t)address), (long)sizeof(whole));
	EXPECT(memcmp(whole, (void *)address, 4) == 0);
	/* The same file writes, even where the program cannot. */
	traced_word = 5;
	EXPECT_EQ(pwrite(fd, &traced_word, sizeof(traced_word), (off_t)&traced_word),
		  (long)sizeof(traced_word));
	EXPECT_EQ(ptrace(PTRACE_PEEKDATA, pid, &traced_word, 0), 5);
	traced_word = 0x1234;
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(syscall_stops_come_in_pairs)
{
	struct __ptrace_syscall_info info;

	TRACED_CHILD(pid)
	{
		syscall(SYS_getppid);
		syscall(SYS_close, -1);
		_exit(3);
	}
	EXPECT_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	for (int i = 0; i < 200; i++) {
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		EXPECT(stopped_by(wait_for(pid), SIGTRAP | 0x80));
		memset(&info, 0xff, sizeof(info));
		EXPECT(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_getppid)
			break;
	}
	EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_ENTRY);
	EXPECT_EQ(info.entry.nr, SYS_getppid);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGTRAP | 0x80));
	EXPECT(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
	EXPECT_EQ(info.exit.rval, getpid());
	EXPECT(!info.exit.is_error);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGTRAP | 0x80));
	EXPECT(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	EXPECT_EQ(info.entry.nr, SYS_close);
	EXPECT_EQ((int)info.entry.args[0], -1);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGTRAP | 0x80));
	EXPECT(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	EXPECT_EQ(info.exit.rval, -EBADF);
	EXPECT(info.exit.is_error);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 3);
}

static void get_registers(pid_t pid, struct user_regs_struct *regs)
{
	struct iovec iov = { regs, sizeof(*regs) };

	EXPECT_EQ(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov), 0);
	EXPECT_EQ(iov.iov_len, sizeof(*regs));
}

static void set_registers(pid_t pid, struct user_regs_struct *regs)
{
	struct iovec iov = { regs, sizeof(*regs) };

	EXPECT_EQ(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov), 0);
}

#ifdef __x86_64__
#define floating_point user_fpregs_struct
#define PC(r) ((r).rip)
#define RESULT(r) ((r).rax)
#define ARGUMENT0(r) ((r).rdi)
#else
#include <asm/ptrace.h>
#define floating_point user_fpsimd_struct
#define PC(r) ((r).pc)
#define RESULT(r) ((r).regs[0])
#define ARGUMENT0(r) ((r).regs[0])
#endif

TEST(arguments_and_results_are_changed)
{
	struct user_regs_struct regs;
	int pipe_fds[2];

	REQUIRE(pipe(pipe_fds) == 0);
	TRACED_CHILD(pid)
	{
		/* The tracer lets it write to the pipe instead of nowhere, and says that 40 bytes went. */
		_exit((int)syscall(SYS_write, -1, "hi", 2));
	}
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
	for (;;) {
		struct __ptrace_syscall_info info;

		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		REQUIRE(stopped_by(wait_for(pid), SIGTRAP | 0x80));
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_write)
			break;
	}
	get_registers(pid, &regs);
	EXPECT_EQ((int)ARGUMENT0(regs), -1);
	ARGUMENT0(regs) = pipe_fds[1];
	set_registers(pid, &regs);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGTRAP | 0x80));
	get_registers(pid, &regs);
	EXPECT_EQ(RESULT(regs), 2);
	RESULT(regs) = 40;
	set_registers(pid, &regs);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 40);
	char text[3] = "";
	EXPECT_EQ(read(pipe_fds[0], text, 2), 2);
	EXPECT_STREQ(text, "hi");
}

static volatile int stepped;
__attribute__((noinline)) static void step_here(void)
{
	stepped = 1;
	stepped = 2;
}

#ifdef __x86_64__
#define TRAP_INSTRUCTION 0xccul
#define TRAP_SIZE 1
#define TRAP_MASK 0xfful
#else
#define TRAP_INSTRUCTION 0xd4200000ul
#define TRAP_SIZE 0
#define TRAP_MASK 0xfffffffful
#endif

TEST(breakpoint_and_single_step)
{
	struct user_regs_struct regs;
	uint64_t before;
	long code;

	TRACED_CHILD(pid)
	{
		step_here();
		_exit(stepped);
	}
	code = ptrace(PTRACE_PEEKTEXT, pid, step_here, 0);
	EXPECT_EQ(ptrace(PTRACE_POKETEXT, pid, step_here, (code & ~TRAP_MASK) | TRAP_INSTRUCTION),
		  0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGTRAP));
	get_registers(pid, &regs);
	EXPECT_EQ(PC(regs), (uintptr_t)step_here + TRAP_SIZE);
	PC(regs) = (uintptr_t)step_here;
	set_registers(pid, &regs);
	ptrace(PTRACE_POKETEXT, pid, step_here, code);
	for (int i = 0; i < 3; i++) {
		get_registers(pid, &regs);
		before = PC(regs);
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		EXPECT(stopped_by(wait_for(pid), SIGTRAP));
		get_registers(pid, &regs);
		EXPECT_NE(PC(regs), before);
	}
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 2);
}

TEST(single_step_over_a_system_call_and_into_a_handler)
{
	int status, steps = 0;

	TRACED_CHILD(pid)
	{
		syscall(SYS_getppid);
		_exit(9);
	}
	do {
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		status = wait_for(pid);
		steps++;
	} while (stopped_by(status, SIGTRAP) && steps < 5000);
	EXPECT(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 9);
	EXPECT(steps > 5);
}

TEST(hardware_watchpoint)
{
	static volatile long watched;
	int status;

	TRACED_CHILD(pid)
	{
		watched = 1;
		stepped = 1;
		_exit(0);
	}
#ifdef __x86_64__
	size_t registers = offsetof(struct user, u_debugreg);
	EXPECT_EQ(ptrace(PTRACE_POKEUSER, pid, registers, &watched), 0);
	/* Slot 0, on writes of 8 bytes. */
	EXPECT_EQ(ptrace(PTRACE_POKEUSER, pid, registers + 7 * 8, 1 | 1 << 16 | 2 << 18), 0);
#else
	struct user_hwdebug_state state = {};
	struct iovec iov = { &state, sizeof(state) };
	EXPECT_EQ(ptrace(PTRACE_GETREGSET, pid, NT_ARM_HW_WATCH, &iov), 0);
	EXPECT((state.dbg_info & 0xff) > 0);
	state.dbg_regs[0].addr = (uintptr_t)&watched;
	state.dbg_regs[0].ctrl = 0xff << 5 | 2 << 3 | 2 << 1 | 1; /* 8 bytes, writes, user mode */
	iov.iov_len = offsetof(struct user_hwdebug_state, dbg_regs) + 16;
	EXPECT_EQ(ptrace(PTRACE_SETREGSET, pid, NT_ARM_HW_WATCH, &iov), 0);
#endif
	ptrace(PTRACE_CONT, pid, 0, 0);
	status = wait_for(pid);
	EXPECT(stopped_by(status, SIGTRAP));
	siginfo_t info;
	EXPECT_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	EXPECT_EQ(info.si_code, 4 /* TRAP_HWBKPT */);
#ifdef __x86_64__
	EXPECT_EQ(ptrace(PTRACE_PEEKUSER, pid, registers + 6 * 8, 0) & 15, 1);
	EXPECT_EQ(ptrace(PTRACE_POKEUSER, pid, registers + 7 * 8, 0), 0);
#else
	EXPECT(info.si_addr == (void *)&watched);
	state.dbg_regs[0].ctrl = 0;
	EXPECT_EQ(ptrace(PTRACE_SETREGSET, pid, NT_ARM_HW_WATCH, &iov), 0);
#endif
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(floating_point_registers)
{
	struct floating_point fp = {};
	struct iovec iov = { &fp, sizeof(fp) };

	TRACED_CHILD(pid)
	{
		_exit(0);
	}
	EXPECT_EQ(ptrace(PTRACE_GETREGSET, pid, NT_PRFPREG, &iov), 0);
	EXPECT_EQ(iov.iov_len, sizeof(fp));
	((char *)&fp)[200] ^= 0x55;
	struct floating_point changed = fp;
	EXPECT_EQ(ptrace(PTRACE_SETREGSET, pid, NT_PRFPREG, &iov), 0);
	memset(&fp, 0, sizeof(fp));
	EXPECT_EQ(ptrace(PTRACE_GETREGSET, pid, NT_PRFPREG, &iov), 0);
	EXPECT(memcmp(&fp, &changed, sizeof(fp)) == 0);
	EXPECT_ERRNO(ptrace(PTRACE_GETREGSET, pid, 0x12345, &iov), EINVAL);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(attach_and_detach)
{
	IN_CHILD(pid)
	{
		for (;;)
			pause();
	}
	char text[4096];
	char path[64];
	EXPECT_EQ(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
	EXPECT(stopped_by(wait_for(pid), SIGSTOP));
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	EXPECT(read_file(path, text, sizeof(text)) > 0);
	char wanted[64];
	snprintf(wanted, sizeof(wanted), "TracerPid:\t%d\n", getpid());
	EXPECT(strstr(text, wanted));
	EXPECT(strstr(text, "State:\tt (tracing stop)\n"));
	EXPECT_ERRNO(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM);
	EXPECT_EQ(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
	EXPECT_ERRNO(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
	EXPECT_EQ(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGTERM);
	EXPECT_EQ(wait_status(pid), 128 + SIGTERM);
	EXPECT_ERRNO(ptrace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	EXPECT_ERRNO(ptrace(PTRACE_ATTACH, 999999, 0, 0), ESRCH);
}

TEST(attach_needs_permission)
{
	IN_CHILD(victim)
	{
		for (;;)
			pause();
	}
	IN_CHILD(pid)
	{
		EXPECT_EQ(setgid(1000), 0);
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(ptrace(PTRACE_ATTACH, victim, 0, 0), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	kill(victim, SIGKILL);
	EXPECT_EQ(wait_status(victim), 128 + SIGKILL);
}

TEST(seize_interrupt_and_listen)
{
	siginfo_t info;
	int status;

	IN_CHILD(pid)
	{
		for (;;)
			pause();
	}
	EXPECT_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	sleep_ms(50);
	EXPECT_EQ(waitpid(pid, &status, WNOHANG | __WALL), 0);
	EXPECT_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	EXPECT_EQ(wait_for(pid) >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
	EXPECT_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	kill(pid, SIGSTOP);
	EXPECT_EQ(wait_for(pid) >> 8, SIGSTOP);
	EXPECT_EQ(ptrace(PTRACE_CONT, pid, 0, SIGSTOP), 0);
	EXPECT_EQ(wait_for(pid) >> 8, SIGSTOP | PTRACE_EVENT_STOP << 8);
	EXPECT_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	EXPECT_EQ(ptrace(PTRACE_LISTEN, pid, 0, 0), 0);
	sleep_ms(50);
	EXPECT_EQ(waitpid(pid, &status, WNOHANG | __WALL), 0);
	kill(pid, SIGCONT);
	EXPECT_EQ(wait_for(pid) >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
	EXPECT_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQ(wait_for(pid) >> 8, SIGCONT);
	EXPECT_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	kill(pid, SIGKILL);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
}

TEST(group_stop_of_a_tracee)
{
	siginfo_t info;

	TRACED_CHILD(pid)
	{
		for (;;)
			pause();
	}
	EXPECT_EQ(ptrace(PTRACE_CONT, pid, 0, SIGSTOP), 0);
	EXPECT(stopped_by(wait_for(pid), SIGSTOP));
	EXPECT_ERRNO(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), EINVAL);
	EXPECT_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	kill(pid, SIGKILL);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
}

TEST(events_of_fork_exec_and_exit)
{
	unsigned long message = 0;
	int status;

	TRACED_CHILD(pid)
	{
		pid_t child = fork();

		if (child == 0)
			_exit(4);
		waitpid(child, &status, 0);
		execl(GUEST_PROGRAM, "init", "helper", "exit_with", "6", (char *)NULL);
		_exit(100);
	}
	EXPECT_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0,
			 PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT |
				 PTRACE_O_EXITKILL),
		  0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT(is_event(wait_for(pid), PTRACE_EVENT_FORK));
	EXPECT_EQ(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	pid_t child = (pid_t)message;
	EXPECT(stopped_by(wait_for(child), SIGSTOP));
	ptrace(PTRACE_CONT, child, 0, 0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT(is_event(wait_for(child), PTRACE_EVENT_EXIT));
	EXPECT_EQ(ptrace(PTRACE_GETEVENTMSG, child, 0, &message), 0);
	EXPECT_EQ(message, 4 << 8);
	ptrace(PTRACE_CONT, child, 0, 0);
	/* The tracer hears first, then the parent. */
	status = wait_for(child);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 4);
	EXPECT(stopped_by(wait_for(pid), SIGCHLD));
	ptrace(PTRACE_CONT, pid, 0, SIGCHLD);
	EXPECT(is_event(wait_for(pid), PTRACE_EVENT_EXEC));
	EXPECT_EQ(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	EXPECT_EQ(message, pid);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT(is_event(wait_for(pid), PTRACE_EVENT_EXIT));
	ptrace(PTRACE_CONT, pid, 0, 0);
	status = wait_for(pid);
	EXPECT(WIFEXITED(status));
}

TEST(exec_without_the_option_sends_sigtrap)
{
	TRACED_CHILD(pid)
	{
		execl(GUEST_PROGRAM, "init", "helper", "exit_with", "6", (char *)NULL);
		_exit(100);
	}
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGTRAP));
	ptrace(PTRACE_KILL, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
}

static void *thread_body(void *unused)
{
	sleep_ms(20);
	return unused;
}

TEST(threads_are_traced_and_waited_for)
{
	unsigned long message = 0;
	int status, ends = 0;
	pid_t thread = 0, leader;

	TRACED_CHILD(pid)
	{
		pthread_t t;

		pthread_create(&t, NULL, thread_body, NULL);
		pthread_join(t, NULL);
		exit(11);
	}
	leader = pid;
	EXPECT_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE), 0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	while (ends < 2) {
		pid_t found = waitpid(-1, &status, __WALL);

		if (!EXPECT(found > 0))
			break;
		if (WIFEXITED(status)) {
			if (found == leader)
				EXPECT_EQ(WEXITSTATUS(status), 11);
			ends++;
			continue;
		}
		if (is_event(status, PTRACE_EVENT_CLONE)) {
			EXPECT_EQ(ptrace(PTRACE_GETEVENTMSG, found, 0, &message), 0);
			thread = (pid_t)message;
			EXPECT_NE(thread, leader);
		}
		EXPECT_EQ(ptrace(PTRACE_CONT, found, 0, 0), 0);
	}
	EXPECT(thread > 0);
	EXPECT_ERRNO(waitpid(-1, &status, __WALL), ECHILD);
}

TEST(tracer_exit_kills_or_frees)
{
	for (int kill_it = 0; kill_it < 2; kill_it++) {
		int ready[2];

		REQUIRE(pipe(ready) == 0);
		IN_CHILD(victim)
		{
			char byte;

			close(ready[1]);
			/* Ends with the tracer's end of the pipe, if it may. */
			read(ready[0], &byte, 1);
			_exit(5);
		}
		IN_CHILD(tracer)
		{
			EXPECT_EQ(ptrace(PTRACE_SEIZE, victim, 0, kill_it ? PTRACE_O_EXITKILL : 0),
				  0);
			ptrace(PTRACE_INTERRUPT, victim, 0, 0);
			EXPECT_EQ(wait_for(victim) >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
			_exit(test_has_failed());
		}
		EXPECT_EQ(wait_status(tracer), 0);
		close(ready[0]);
		close(ready[1]);
		EXPECT_EQ(wait_status(victim), kill_it ? 128 + SIGKILL : 5);
	}
}

TEST(masks_and_queued_signals_are_shown)
{
	struct __ptrace_peeksiginfo_args args = { .nr = 10, .flags = PTRACE_PEEKSIGINFO_SHARED };
	siginfo_t infos[10];
	uint64_t mask = 0;

	TRACED_CHILD(pid)
	{
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigaddset(&set, SIGRTMIN);
		sigprocmask(SIG_BLOCK, &set, NULL);
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 42 });
		kill(getpid(), SIGUSR1);
		raise(SIGSTOP);
		_exit(0);
	}
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGSTOP));
	EXPECT_EQ(ptrace(PTRACE_GETSIGMASK, pid, 8, &mask), 0);
	EXPECT_EQ(mask, 1ull << (SIGUSR1 - 1) | 1ull << (SIGRTMIN - 1));
	EXPECT_EQ(ptrace(PTRACE_PEEKSIGINFO, pid, &args, infos), 2);
	EXPECT_EQ(infos[0].si_signo, SIGRTMIN);
	EXPECT_EQ(infos[0].si_value.sival_int, 42);
	EXPECT_EQ(infos[1].si_signo, SIGUSR1);
	mask = 1ull << (SIGRTMIN - 1);
	EXPECT_EQ(ptrace(PTRACE_SETSIGMASK, pid, 8, &mask), 0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT(stopped_by(wait_for(pid), SIGUSR1));
	ptrace(PTRACE_CONT, pid, 0, 0);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(requests_to_what_is_not_traced_fail)
{
	IN_CHILD(pid)
	{
		for (;;)
			pause();
	}
	EXPECT_ERRNO(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
	EXPECT_ERRNO(ptrace(PTRACE_INTERRUPT, pid, 0, 0), ESRCH);
	EXPECT_ERRNO(ptrace(PTRACE_SEIZE, pid, 1, 0), EIO);
	EXPECT_ERRNO(ptrace(PTRACE_SEIZE, pid, 0, 0xf0000000), EIO);
	EXPECT_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	EXPECT_ERRNO(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH); /* it runs */
	kill(pid, SIGKILL);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL);
}
