/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals: actions, masks, queues, restarting, alternate stacks, stopping, waiting for them. */
#include "guest_test.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t calls;
static volatile int order[16];
static siginfo_t last;

static void note(int signo, siginfo_t *info, void *context)
{
	if (calls < 16)
		order[calls] = signo;
	calls++;
	last = *info;
}

static void install(int signo, int flags)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | flags };

	REQUIRE(!sigaction(signo, &action, NULL));
}

static sigset_t only(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	return set;
}

TEST(kill_calls_the_handler_with_siginfo)
{
	install(SIGUSR1, 0);
	EXPECT_EQ(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQ(calls, 1);
	EXPECT_EQ(last.si_signo, SIGUSR1);
	EXPECT_EQ(last.si_code, SI_USER);
	EXPECT_EQ(last.si_pid, getpid());
	EXPECT_EQ(last.si_uid, getuid());
	EXPECT_EQ(raise(SIGUSR1), 0);
	EXPECT_EQ(last.si_code, SI_TKILL);
}

TEST(bad_arguments)
{
	struct sigaction action = { .sa_handler = SIG_IGN };

	EXPECT_ERRNO(kill(getpid(), 65), EINVAL);
	EXPECT_ERRNO(kill(getpid(), -1), EINVAL);
	EXPECT_ERRNO(kill(31999, 0), ESRCH);
	EXPECT_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
	EXPECT_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
	EXPECT_ERRNO(sigaction(0, &action, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 4), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)8, NULL, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_tgkill, getpid(), 0, SIGUSR1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_tgkill, 1, syscall(SYS_gettid), SIGUSR1), ESRCH);
}

TEST(standard_signals_do_not_queue_real_time_ones_do)
{
	sigset_t set = only(SIGUSR1);
	union sigval value;

	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGRTMIN);
	install(SIGUSR1, 0);
	install(SIGRTMIN + 1, 0);
	install(SIGRTMIN, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3; i++) {
		value.sival_int = i;
		kill(getpid(), SIGUSR1);
		EXPECT_EQ(sigqueue(getpid(), SIGRTMIN + 1, value), 0);
		EXPECT_EQ(sigqueue(getpid(), SIGRTMIN, value), 0);
	}
	EXPECT_EQ(calls, 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	EXPECT_EQ(calls, 7);
}

TEST(queued_values_come_in_order)
{
	sigset_t set = only(SIGRTMIN);
	siginfo_t info;

	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i }), 0);
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
		EXPECT_EQ(info.si_code, SI_QUEUE);
		EXPECT_EQ(info.si_value.sival_int, i);
	}
	struct timespec soon = { 0, 20000000 };

	EXPECT_ERRNO(sigtimedwait(&set, &info, &soon), EAGAIN);
}

TEST(queue_limit)
{
	struct rlimit limit = { 3, 3 };
	sigset_t set = only(SIGRTMIN);
	int sent = 0;

	IN_CHILD(pid)
	{
		if (setuid(4321))
			_exit(1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		setrlimit(RLIMIT_SIGPENDING, &limit);
		while (sent < 10 && !sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 0 }))
			sent++;
		_exit(errno == EAGAIN ? 10 + sent : 2);
	}
	EXPECT_EQ(wait_status(pid), 13);
}

TEST(sigtimedwait_is_interrupted_by_others)
{
	struct itimerval soon = { .it_value = { 0, 30000 } };
	sigset_t set = only(SIGUSR1);

	install(SIGALRM, SA_RESTART);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT_ERRNO(sigwaitinfo(&set, NULL), EINTR);
	EXPECT_EQ(calls, 1);
}

TEST(mask_during_handler)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	sigset_t pending;

	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	install(SIGUSR2, 0);
	raise(SIGUSR1);
	EXPECT_EQ(calls, 1);
	sigpending(&pending);
	EXPECT(!sigismember(&pending, SIGUSR2));
	sigprocmask(SIG_SETMASK, NULL, &pending);
	EXPECT(!sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));
}

static volatile int depth, deepest;
static void nest(int signo)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (depth < 3)
		raise(signo);
	depth--;
}

TEST(nodefer_nests_and_resethand_resets)
{
	struct sigaction action = { .sa_handler = nest, .sa_flags = SA_NODEFER }, now;

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	EXPECT_EQ(deepest, 3);
	install(SIGUSR2, (int)SA_RESETHAND);
	raise(SIGUSR2);
	EXPECT_EQ(calls, 1);
	sigaction(SIGUSR2, NULL, &now);
	EXPECT(now.sa_handler == SIG_DFL);
}

TEST(read_restarts_or_not)
{
	struct itimerval soon = { .it_value = { 0, 30000 } };
	int fds[2];
	char c;

	REQUIRE(!pipe(fds));
	install(SIGALRM, 0);
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT_ERRNO(read(fds[0], &c, 1), EINTR);
	install(SIGALRM, SA_RESTART);
	IN_CHILD(pid)
	{
		sleep_ms(100);
		_exit(write(fds[1], "x", 1) != 1);
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	EXPECT_EQ(calls, 2);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(pause_and_nanosleep_do_not_restart)
{
	struct itimerval soon = { .it_value = { 0, 30000 } };
	struct timespec request = { 5, 0 }, left = { 0, 0 };

	install(SIGALRM, SA_RESTART);
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT_ERRNO(pause(), EINTR);
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT_ERRNO(nanosleep(&request, &left), EINTR);
	EXPECT(left.tv_sec == 4 && left.tv_nsec > 500000000);
}

TEST(stop_and_continue_do_not_end_a_sleep)
{
	IN_CHILD(pid)
	{
		struct timespec request = { 0, 200000000 };

		_exit(nanosleep(&request, NULL) ? 1 : 0);
	}
	int status;

	sleep_ms(30);
	kill(pid, SIGSTOP);
	EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	kill(pid, SIGCONT);
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(sigsuspend_delivers_and_restores)
{
	sigset_t block = only(SIGUSR1), none, now;

	sigemptyset(&none);
	install(SIGUSR1, 0);
	sigprocmask(SIG_BLOCK, &block, NULL);
	kill(getpid(), SIGUSR1);
	EXPECT_EQ(calls, 0);
	EXPECT_ERRNO(sigsuspend(&none), EINTR);
	EXPECT_EQ(calls, 1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EXPECT(sigismember(&now, SIGUSR1));
}

TEST(ignored_signals_vanish)
{
	sigset_t set = only(SIGUSR1), pending;

	signal(SIGUSR1, SIG_IGN);
	kill(getpid(), SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	sigpending(&pending);
	EXPECT(sigismember(&pending, SIGUSR1));
	/* Ignoring it again discards it. */
	signal(SIGUSR1, SIG_IGN);
	sigpending(&pending);
	EXPECT(!sigismember(&pending, SIGUSR1));
}

static char alternate[65536] __attribute__((aligned(16)));
static volatile int on_alternate;
static void where(int signo, siginfo_t *info, void *context)
{
	char here;
	ucontext_t *uc = context;
	stack_t now;

	sigaltstack(NULL, &now);
	on_alternate = &here >= alternate && &here < alternate + sizeof(alternate) &&
		       now.ss_flags == SS_ONSTACK && uc->uc_stack.ss_sp == alternate;
	EXPECT_ERRNO(sigaltstack(&now, NULL), EPERM);
}

TEST(alternate_stack)
{
	struct sigaction action = { .sa_sigaction = where, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };

	EXPECT_EQ(sigaltstack(&stack, NULL), 0);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	EXPECT(on_alternate);
	stack.ss_size = 100;
	EXPECT_ERRNO(sigaltstack(&stack, NULL), ENOMEM);
	stack = (stack_t){ .ss_flags = 64 };
	EXPECT_ERRNO(sigaltstack(&stack, NULL), EINVAL);
}

static sigjmp_buf escape;
static void jump(int signo, siginfo_t *info, void *context)
{
	last = *info;
	siglongjmp(escape, 1);
}

__attribute__((noinline)) static int recurse(volatile char *p)
{
	volatile char buf[4096];

	buf[0] = *p;
	if (buf[0] == 77)
		return 0;
	return recurse(buf) + buf[0];
}

TEST(stack_overflow_is_caught_on_the_alternate_stack)
{
	struct sigaction action = { .sa_sigaction = jump, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	volatile char c = 0;

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	if (!sigsetjmp(escape, 1))
		recurse(&c);
	EXPECT_EQ(last.si_signo, SIGSEGV);
	IN_CHILD(pid)
	{
		signal(SIGSEGV, SIG_DFL);
		recurse(&c);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGSEGV);
}

TEST(fault_codes)
{
	struct sigaction action = { .sa_sigaction = jump, .sa_flags = SA_SIGINFO };
	char *readonly = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	char *beyond = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (!sigsetjmp(escape, 1))
		*(volatile char *)16 = 1;
	EXPECT_EQ(last.si_code, SEGV_MAPERR);
	EXPECT(last.si_addr == (void *)16);
	if (!sigsetjmp(escape, 1))
		*(volatile char *)readonly = 1;
	EXPECT_EQ(last.si_code, SEGV_ACCERR);
	EXPECT(last.si_addr == readonly);
	if (!sigsetjmp(escape, 1))
		(void)*(volatile char *)beyond;
	EXPECT_EQ(last.si_signo, SIGBUS);
	EXPECT_EQ(last.si_code, BUS_ADRERR);
	EXPECT(last.si_addr == beyond);
}

TEST(blocked_fault_kills)
{
	IN_CHILD(pid)
	{
		sigset_t set = only(SIGSEGV);

		install(SIGSEGV, 0);
		sigprocmask(SIG_BLOCK, &set, NULL);
		*(volatile char *)16 = 1;
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGSEGV);
}

TEST(bad_stack_pointer_kills)
{
	IN_CHILD(pid)
	{
		stack_t stack = { .ss_sp = (void *)0x1000, .ss_size = 65536 };

		sigaltstack(&stack, NULL);
		install(SIGUSR1, SA_ONSTACK);
		raise(SIGUSR1);
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGSEGV);
}

static void change_register(int signo, siginfo_t *info, void *context)
{
	calls++;
}

TEST(handlers_preserve_everything)
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	struct sigaction action = { .sa_sigaction = change_register,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	double x = 1.0;
	uint64_t sum = 0;
	long long end;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	end = now_ms() + 300;
	for (uint64_t i = 1; now_ms() < end; i++) {
		x = x * 1.0000001 + 0.5 / (double)i;
		x = x / 1.0000001 - 0.5 / (double)i / 1.0000001;
		sum += i;
		if (sum != i * (i + 1) / 2)
			break;
		REQUIRE(x > 0.99 && x < 1.01);
	}
	EXPECT(calls > 20);
}

TEST(signal_to_a_group)
{
	int status;

	IN_CHILD(pid)
	{
		setpgid(0, 0);
		if (!fork())
			for (;;)
				pause();
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	sleep_ms(30);
	EXPECT_EQ(kill(-pid, SIGTERM), 0);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(WTERMSIG(status), SIGTERM);
	EXPECT_ERRNO(kill(-31999, 0), ESRCH);
}

TEST(orphaned_group_is_not_stopped_by_terminal_signals)
{
	IN_CHILD(pid)
	{
		setsid();
		raise(SIGTSTP);
		_exit(8);
	}
	EXPECT_EQ(wait_status(pid), 8);
}

TEST(stopped_orphans_are_hung_up)
{
	int fds[2];
	char c;

	REQUIRE(!pipe(fds));
	IN_CHILD(leader)
	{
		setsid();
		pid_t pid = fork();

		if (!pid) {
			setpgid(0, 0);
			raise(SIGSTOP);
			_exit(0);
		}
		setpgid(pid, pid);
		waitpid(pid, NULL, WUNTRACED);
		_exit(0);
	}
	close(fds[1]);
	EXPECT_EQ(wait_status(leader), 0);
	/* The stopped one holds the pipe open until SIGHUP ends it. */
	EXPECT_EQ(read(fds[0], &c, 1), 0);
}

static volatile int thread_tid, delivered_to;
static void record_tid(int signo)
{
	delivered_to = (int)syscall(SYS_gettid);
}
static void *wait_for_signal(void *arg)
{
	sigset_t set = only(SIGUSR1);

	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	thread_tid = (int)syscall(SYS_gettid);
	while (!delivered_to)
		usleep(1000);
	return NULL;
}

TEST(a_thread_that_does_not_block_it_takes_the_signal)
{
	sigset_t set = only(SIGUSR1);
	pthread_t thread;

	signal(SIGUSR1, record_tid);
	sigprocmask(SIG_BLOCK, &set, NULL);
	REQUIRE(!pthread_create(&thread, NULL, wait_for_signal, NULL));
	while (!thread_tid)
		usleep(1000);
	EXPECT_EQ(kill(getpid(), SIGUSR1), 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(delivered_to, thread_tid);
}

TEST(sigqueueinfo_rules)
{
	siginfo_t info = { .si_code = SI_USER };

	IN_CHILD(pid)
	{
		for (;;)
			pause();
	}
	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
	info.si_code = SI_QUEUE;
	EXPECT_EQ(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), 0);
	EXPECT_EQ(wait_status(pid), 128 + SIGUSR1);
}

TEST(restarted_wait)
{
	struct itimerval soon = { .it_value = { 0, 30000 } };
	int status;

	install(SIGALRM, SA_RESTART);
	IN_CHILD(pid)
	{
		sleep_ms(100);
		_exit(11);
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(calls, 1);
}

TEST(garbage_in_sigreturn_is_harmless)
{
	IN_CHILD(pid)
	{
		syscall(SYS_rt_sigreturn);
		_exit(0);
	}
	EXPECT(wait_status(pid) >= 128);
}
