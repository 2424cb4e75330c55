/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Garbage in every argument of every system call: an errno or a signal, and the kernel goes on. */
#include "../guest_test.h"

#include <grp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define CHILDREN 24
#define CALLS 1500
#define HIGHEST_CALL 440
#define CANNOT_START 77 /* exit status of a child that made no call */

static unsigned long state;

/* xorshift64: the same calls in each run of a test. */
static unsigned long next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Calls that would end or stop others of this user, or never return. */
static bool is_left_out(long number)
{
	static const long left_out[] = {
		SYS_kill,
		SYS_tkill,
		SYS_tgkill,
		SYS_rt_sigqueueinfo,
		SYS_rt_tgsigqueueinfo,
		SYS_pidfd_send_signal,
		SYS_clone,
		SYS_clone3,
		SYS_exit,
		SYS_exit_group,
		SYS_rt_sigreturn,
		SYS_reboot,
#ifdef SYS_fork
		SYS_fork,
		SYS_vfork,
		SYS_pause,
#endif
	};

	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (left_out[i] == number)
			return true;
	return false;
}

static unsigned long garbage(char *memory)
{
	switch (next_random() % 10) {
	case 0:
		return 0;
	case 1:
		return next_random() % 16;
	case 2:
		return -1ul;
	case 3:
		return next_random() % 4096;
	case 4:
		return 1ul << next_random() % 64;
	case 5:
		return next_random();
	case 6:
		return 0xffff800000000000ul + next_random() % 0x100000000ul;
	case 7:
		return (unsigned long)memory + 4096 - next_random() % 16; /* runs over the end */
	default:
		return (unsigned long)memory + next_random() % 2048;
	}
}

static void on_alarm(int signo)
{
	(void)signo;
}

static void call_at_random(unsigned seed)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 5000 }, { 0, 5000 } };
	char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	state = 0x9e3779b97f4a7c15ul * (seed + 1);
	munmap(memory + 4096, 4096);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned i = 0; i < CALLS; i++) {
		long number = (long)(next_random() % HIGHEST_CALL);
		unsigned long a[6];

		for (unsigned j = 0; j < 6; j++)
			a[j] = garbage(memory);
		if (!is_left_out(number))
			syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
}

/* Waits for a child, at most `ms`, then ends it: a call may sleep for ever by right. */
static void end_child(pid_t pid, int ms)
{
	int status;

	for (; ms > 0; ms -= 5) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			EXPECT(!WIFEXITED(status) || WEXITSTATUS(status) != CANNOT_START);
			return;
		}
		usleep(5000);
	}
	kill(pid, SIGKILL);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
}

TEST(garbage_in_every_argument)
{
	for (unsigned seed = 0; seed < CHILDREN; seed++) {
		pid_t pid = fork();

		if (pid == 0) {
			int null = open("/dev/null", O_RDWR);

			dup2(null, 0);
			dup2(null, 1);
			dup2(null, 2);
			setpgid(0, 0);
			if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
				_exit(CANNOT_START);
			call_at_random(seed);
			_exit(0);
		}
		end_child(pid, 400);
	}
	/* Whoever is still there can be talked to. */
	EXPECT_EQ(access("/dev/null", F_OK), 0);
}
