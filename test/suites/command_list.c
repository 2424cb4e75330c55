/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's init for suites that are lists of commands (of /suite or of the path): runs those lines "PART SECONDS WORDS" of
 * /commands whose part is that of the kernel's command line, and prints "start PART/WORDS" before and "ended STATUS PART/WORDS" after each. The
 * status is 128 + signal for one that was killed, 124 for one that did not end in time, which patience=N of the command line multiplies.
 */
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 32

static int run(char *line, unsigned seconds)
{
	char *words[WORDS_MAX + 1], program[128];
	time_t end = time(NULL) + seconds;
	unsigned n = 0;
	int status;
	pid_t pid;

	for (char *word = strtok(line, " "); word && n < WORDS_MAX; word = strtok(NULL, " "))
		words[n++] = word;
	words[n] = NULL;
	pid = fork();
	if (pid == 0) {
		setsid();
		snprintf(program, sizeof(program), "/suite/%s", words[0]);
		execv(program, words);
		execvp(words[0], words);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (time(NULL) > end) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return 124;
		}
		usleep(2000);
	}
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void run_all(const char *wanted, unsigned patience)
{
	char line[512], part[64], name[512];
	FILE *commands = fopen("/commands", "r");
	unsigned seconds;
	int at;

	while (commands && fgets(line, sizeof(line), commands)) {
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%63s %u %n", part, &seconds, &at) != 2 ||
		    strcmp(part, wanted) != 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", part, line + at);
		printf("start %s\n", name);
		printf("\nended %d %s\n", run(line + at, seconds * patience), name);
	}
	printf("=== end\n");
}

static void bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		perror("lo");
	close(fd);
}

int main(void)
{
	const char *part = getenv("part"), *patience = getenv("patience");

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mkdir("/dev/shm", 01777);
	mount("shm", "/dev/shm", "tmpfs", 0, NULL);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	mount("run", "/run", "tmpfs", 0, NULL);
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, "gid=5,mode=620,ptmxmode=666");
	chdir("/suite");
	setenv("PATH", "/suite:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setvbuf(stdout, NULL, _IONBF, 0);
	bring_loopback_up();
	run_all(part ? part : "", patience ? (unsigned)atoi(patience) : 1);
	reboot(RB_POWER_OFF);
	return 1;
}
