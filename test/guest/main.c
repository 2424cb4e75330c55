/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's init and the driver of the tests in guest_test.h. As process 1 it mounts what programs expect, lets a
 * child run the tests, and powers off. For each test it prints "begin AREA.NAME" and "ok AREA.NAME" or "not ok AREA.NAME".
 *
 * Environment (words of the kernel's command line): only=PREFIX runs the tests whose name begins so; after=AREA.NAME those
 * behind that one, to go on after one that took the kernel down.
 */
#include "guest_test.h"

#include <dirent.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define TEST_SECONDS 30

extern const struct guest_test __start_guest_tests[], __stop_guest_tests[];
extern const struct guest_helper __start_guest_helpers[] __attribute__((weak)),
	__stop_guest_helpers[] __attribute__((weak));

static bool failed;

void test_fail(const char *file, int line, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	int error = errno;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	dprintf(1, "# %s:%d: %s\n", file, line, text);
	failed = true;
	errno = error;
}

bool test_has_failed(void)
{
	return failed;
}

int wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, text, strlen(text)), strlen(text));
	EXPECT_EQ(close(fd), 0);
}

ssize_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while (used < size - 1 && (n = read(fd, buf + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	buf[used] = 0;
	return (ssize_t)used;
}

/* In the test's own process. */
static void run_test(const struct guest_test *test)
{
	setpgid(0, 0);
	if (chdir("/work"))
		test_fail(__FILE__, __LINE__, "chdir: errno %d", errno);
	test->run();
	exit(failed);
}

static bool supervise(pid_t pid)
{
	int status;
	long long end = now_ms() + TEST_SECONDS * 1000;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ms() > end) {
			dprintf(1, "# does not end\n");
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return false;
		}
		usleep(500);
	}
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status))
		dprintf(1, "# died of signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int by_name(const void *a, const void *b)
{
	const struct guest_test *x = a, *y = b;
	int area = strcmp(x->area, y->area);

	return area ? area : strcmp(x->name, y->name);
}

__attribute__((weak)) void mount_work(const char *area)
{
	mount("work", "/work", "tmpfs", 0, NULL);
}

static void run_tests(void)
{
	const char *only = getenv("only"), *after = getenv("after");
	size_t count = (size_t)(__stop_guest_tests - __start_guest_tests);
	struct guest_test tests[count];

	memcpy(tests, __start_guest_tests, sizeof(tests));
	qsort(tests, count, sizeof(tests[0]), by_name);
	for (size_t i = 0; i < count; i++) {
		char name[128];
		pid_t pid;
		bool ok;

		snprintf(name, sizeof(name), "%s.%s", tests[i].area, tests[i].name);
		if (after && strcmp(name, after) == 0) {
			after = NULL;
			continue;
		}
		if (after || (only && strncmp(name, only, strlen(only)) != 0))
			continue;
		dprintf(1, "begin %s\n", name);
		mount_work(tests[i].area);
		pid = fork();
		if (pid == 0)
			run_test(&tests[i]);
		ok = pid > 0 && supervise(pid);
		umount2("/work", MNT_DETACH);
		dprintf(1, "%s %s\n", ok ? "ok" : "not ok", name);
	}
	dprintf(1, "end of tests\n");
}

/* What tests need of Debian's kernel that it has as modules: /modules, in the order of their names. Others have it built in. */
static void load_modules(void)
{
	struct dirent **names;
	int count = scandir("/modules", &names, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[300];
		int fd;

		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		syscall(SYS_finit_module, fd, "", 0);
		close(fd);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

static void mount_all(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mkdir("/work", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
	mkdir("/dev/shm", 01777);
	mount("shm", "/dev/shm", "tmpfs", 0, NULL);
}

int main(int argc, char **argv)
{
	pid_t driver, pid;

	if (argc > 2 && strcmp(argv[1], "helper") == 0) {
		for (const struct guest_helper *h = __start_guest_helpers; h < __stop_guest_helpers;
		     h++)
			if (strcmp(h->name, argv[2]) == 0)
				return h->run(argc - 2, argv + 2);
		return 127;
	}
	if (getpid() != 1) {
		run_tests();
		return 0;
	}
	mount_all();
	load_modules();
	driver = fork();
	if (driver == 0) {
		setsid();
		run_tests();
		_exit(0);
	}
	do
		pid = wait(NULL);
	while (pid != driver && !(pid < 0 && errno == ECHILD));
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
