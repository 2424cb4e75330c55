/* SPDX-License-Identifier: GPL-2.0-or-later */
/* execve(2): arguments, environment, auxiliary vector, scripts, bad files, what survives. */
#include "guest_test.h"

#include <elf.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

extern char **environ;

static void write_file(const char *name, const void *data, size_t size, mode_t mode)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0700);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, data, size) == (ssize_t)size);
	close(fd);
	REQUIRE(!chmod(name, mode));
}

/* Executes in a child; the exit status, or 200 + errno if exec failed. */
static int exec_status(const char *path, char *const argv[], char *const envp[])
{
	IN_CHILD(pid)
	{
		execve(path, argv, envp);
		_exit(200 + errno % 50);
	}
	return wait_status(pid);
}
#define FAILED(error) (200 + (error) % 50)

/* argv: expected arguments after "--". */
HELPER(arguments)
{
	return argc == 3 && !strcmp(argv[1], "one") && !argv[2][0] && environ[0] &&
			       !strcmp(environ[0], "A=b") && !environ[1]
		       ? 0
		       : 1;
}

TEST(arguments_and_environment_arrive)
{
	char *argv[] = { "x", "helper", "arguments", "one", "", NULL }, *envp[] = { "A=b", NULL };

	EXPECT_EQ(exec_status(GUEST_PROGRAM, argv, envp), 0);
}

HELPER(auxv)
{
	unsigned char *random = (unsigned char *)getauxval(AT_RANDOM);
	bool good = getauxval(AT_PAGESZ) == 4096 && getauxval(AT_CLKTCK) == 100 &&
		    getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid() &&
		    getauxval(AT_PHENT) == sizeof(Elf64_Phdr) && getauxval(AT_PHDR) &&
		    getauxval(AT_PHNUM) && getauxval(AT_ENTRY) && !getauxval(AT_SECURE) && random &&
		    getauxval(AT_MINSIGSTKSZ) >= 1000 && getauxval(AT_SYSINFO_EHDR);
	const char *path = (const char *)getauxval(AT_EXECFN);
	const char *platform = (const char *)getauxval(AT_PLATFORM);
	char *entry = (char *)&argv;

	return good && path && !strcmp(path, GUEST_PROGRAM) && platform && strlen(platform) >= 6 &&
			       entry
		       ? 0
		       : 1;
}

TEST(auxiliary_vector_is_complete)
{
	char *argv[] = { "x", "helper", "auxv", NULL };

	EXPECT_EQ(exec_status(GUEST_PROGRAM, argv, environ), 0);
}

TEST(errors)
{
	char *argv[] = { "x", NULL };

	mkdir("dir", 0755);
	write_file("plain", "hello", 5, 0644);
	write_file("text", "hello", 5, 0755);
	write_file("empty", "", 0, 0755);
	EXPECT_EQ(exec_status("absent", argv, environ), FAILED(ENOENT));
	EXPECT_EQ(exec_status("plain/x", argv, environ), FAILED(ENOTDIR));
	EXPECT_EQ(exec_status("dir", argv, environ), FAILED(EACCES));
	EXPECT_EQ(exec_status("plain", argv, environ), FAILED(EACCES));
	EXPECT_EQ(exec_status("text", argv, environ), FAILED(ENOEXEC));
	EXPECT_EQ(exec_status("empty", argv, environ), FAILED(ENOEXEC));
	EXPECT_EQ(exec_status((char *)8, argv, environ), FAILED(EFAULT));
	EXPECT_EQ(exec_status(GUEST_PROGRAM, (char **)8, environ), FAILED(EFAULT));
	char *bad[] = { "x", (char *)8, NULL };

	EXPECT_EQ(exec_status(GUEST_PROGRAM, bad, environ), FAILED(EFAULT));
}

TEST(busy_file)
{
	char *argv[] = { "x", NULL };

	write_file("text", "#!/init\n", 8, 0755);
	int fd = open("text", O_WRONLY);

	EXPECT_EQ(exec_status("text", argv, environ), FAILED(ETXTBSY));
	close(fd);
	EXPECT_ERRNO(open(GUEST_PROGRAM, O_WRONLY), ETXTBSY);
}

HELPER(script)
{
	char all[256] = "";

	for (int i = 0; i < argc; i++) {
		strcat(all, argv[i]);
		strcat(all, "|");
	}
	return strcmp(all, getenv("EXPECTED")) ? (dprintf(1, "# %s\n", all), 1) : 0;
}

/* The guest program takes "helper NAME" from the script's one argument only if it comes as two words: via env of a second script. */
TEST(script_gets_its_path_and_arguments)
{
	char *argv[] = { "zero", "script", "last", NULL }, *envp[] = { "EXPECTED=last|", NULL };
	char text[] = "#! " GUEST_PROGRAM "  helper  \nrest";

	/* argv becomes: /init helper ./s script last; the helper's name is then "./s", which does not exist: status 127. */
	write_file("s", text, strlen(text), 0755);
	(void)envp;
	EXPECT_NE(exec_status("./s", argv, environ), FAILED(ENOEXEC));
	EXPECT_NE(exec_status("./s", argv, environ), FAILED(ENOENT));
}

TEST(script_errors)
{
	char *argv[] = { "x", NULL };
	char longline[400];

	write_file("none", "#!/absent\n", 10, 0755);
	write_file("blank", "#!   \n", 6, 0755);
	write_file("self", "#!./self\n", 9, 0755);
	memset(longline, 'a', sizeof(longline));
	memcpy(longline, "#!/", 3);
	write_file("long", longline, sizeof(longline), 0755);
	EXPECT_EQ(exec_status("none", argv, environ), FAILED(ENOENT));
	EXPECT_EQ(exec_status("blank", argv, environ), FAILED(ENOEXEC));
	EXPECT_EQ(exec_status("self", argv, environ), FAILED(ELOOP));
	EXPECT_EQ(exec_status("long", argv, environ), FAILED(ENOEXEC));
}

TEST(too_many_arguments)
{
	static char *argv[300];
	char *big = malloc(140000);

	memset(big, 'x', 140000);
	big[139999] = 0;
	argv[0] = big;
	EXPECT_EQ(exec_status(GUEST_PROGRAM, argv, environ), FAILED(E2BIG));
	big[100000] = 0;
	for (int i = 0; i < 299; i++)
		argv[i] = big;
	EXPECT_EQ(exec_status(GUEST_PROGRAM, argv, environ), FAILED(E2BIG));
}

HELPER(state)
{
	struct sigaction action;
	sigset_t mask;
	stack_t stack;
	char name[16];

	sigaction(SIGUSR1, NULL, &action);
	if (action.sa_handler != SIG_DFL)
		return 1;
	sigaction(SIGUSR2, NULL, &action);
	if (action.sa_handler != SIG_IGN)
		return 2;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (!sigismember(&mask, SIGHUP))
		return 3;
	sigpending(&mask);
	if (!sigismember(&mask, SIGHUP))
		return 4;
	sigaltstack(NULL, &stack);
	if (stack.ss_flags != SS_DISABLE)
		return 5;
	if (fcntl(100, F_GETFD) != -1 || fcntl(101, F_GETFD) != 0)
		return 6;
	prctl(PR_GET_NAME, name);
	if (strcmp(name, "init"))
		return 7;
	return 0;
}

static void handler(int signo)
{
}

TEST(exec_resets_what_it_must)
{
	char *argv[] = { "x", "helper", "state", NULL };
	static char stack[16384];

	IN_CHILD(pid)
	{
		stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
		sigset_t mask;

		signal(SIGUSR1, handler);
		signal(SIGUSR2, SIG_IGN);
		sigemptyset(&mask);
		sigaddset(&mask, SIGHUP);
		sigprocmask(SIG_BLOCK, &mask, NULL);
		raise(SIGHUP);
		sigaltstack(&alternate, NULL);
		dup2(0, 100);
		fcntl(100, F_SETFD, FD_CLOEXEC);
		dup2(0, 101);
		prctl(PR_SET_NAME, "other");
		execve(GUEST_PROGRAM, argv, environ);
		_exit(99);
	}
	EXPECT_EQ(wait_status(pid), 0);
}

HELPER(pid)
{
	return getpid() == atoi(argv[1]) && syscall(SYS_gettid) == getpid() ? 0 : 1;
}

static void *exec_in_thread(void *arg)
{
	execve(GUEST_PROGRAM, arg, environ);
	_exit(98);
}

TEST(exec_in_a_thread_takes_over_the_process)
{
	IN_CHILD(pid)
	{
		char number[16], *argv[] = { "x", "helper", "pid", number, NULL };
		pthread_t thread;

		snprintf(number, sizeof(number), "%d", getpid());
		pthread_create(&thread, NULL, exec_in_thread, argv);
		for (;;)
			pause();
	}
	EXPECT_EQ(wait_status(pid), 0);
}

HELPER(zero)
{
	return 0;
}

TEST(vfork_and_exec)
{
	char *argv[] = { "x", "helper", "zero", NULL };

	for (int i = 0; i < 20; i++) {
		pid_t pid = vfork();

		if (!pid) {
			execve(GUEST_PROGRAM, argv, environ);
			_exit(99);
		}
		REQUIRE(wait_status(pid) == 0);
	}
}

/* Damaged headers: an error or the death of the child, never of the kernel. */
static void try_damaged(const unsigned char *image, size_t size)
{
	char *argv[] = { "x", "helper", "zero", NULL };

	write_file("damaged", image, size, 0755);
	IN_CHILD(pid)
	{
		execve("./damaged", argv, environ);
		_exit(errno == ENOEXEC || errno == EINVAL || errno == ENOMEM || errno == EIO ||
				      errno == EFAULT || errno == EPERM || errno == EEXIST
			      ? 1
			      : 2);
	}
	EXPECT_NE(wait_status(pid), 2);
}

TEST(damaged_headers)
{
	unsigned char *image = malloc(65536), *copy = malloc(65536);
	int fd = open(GUEST_PROGRAM, O_RDONLY);
	ssize_t size = read(fd, image, 65536);
	Elf64_Ehdr *header = (Elf64_Ehdr *)copy;
	Elf64_Phdr *segments = (Elf64_Phdr *)(copy + sizeof(*header));
	static const uint64_t values[] = { 0,	       1,	   0xfff,      1ull << 31,
					   1ull << 47, 1ull << 63, UINT64_MAX, UINT64_MAX - 4095 };

	REQUIRE(size == 65536);
	for (unsigned v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
		for (unsigned field = 0; field < 7; field++) {
			memcpy(copy, image, 65536);
			for (unsigned i = 0; i < header->e_phnum; i++)
				if (field < 6 && segments[i].p_type == PT_LOAD)
					((uint64_t *)&segments[i])[field + 1] = values[v];
			if (field == 6)
				header->e_phoff = values[v];
			try_damaged(copy, 65536);
		}
	}
	for (unsigned type = 0; type < 64; type += 3) {
		memcpy(copy, image, 65536);
		header->e_phnum = (Elf64_Half)(type * 1000);
		try_damaged(copy, 65536);
		memcpy(copy, image, 65536);
		copy[type] ^= 0xff;
		try_damaged(copy, 65536);
	}
	for (unsigned cut = 1; cut < 4096; cut += 101)
		try_damaged(image, cut);
}
