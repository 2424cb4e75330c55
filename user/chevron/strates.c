/* SPDX-License-Identifier: MIT */
/* Strates: programs that serve a file system on a directory, in the foreground, until they are ended. */
#include "chevron.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRATES_MAX 32
#define TICK_US 20000u
#define PATIENCE 500 /* ticks until one must have begun, or ended */

static struct strate {
	char name[32], directory[256];
	pid_t pid; /* 0: free */
} strates[STRATES_MAX];

static int is_over(struct strate *s)
{
	return waitpid(s->pid, NULL, WNOHANG) != 0;
}

/* Until the directory is on another device than it was: the strate serves. */
static int await_mount(struct strate *s, dev_t before)
{
	struct stat now;

	for (int i = 0; i < PATIENCE; i++) {
		if (stat(s->directory, &now) || now.st_dev != before)
			return 0;
		if (is_over(s))
			break;
		usleep(TICK_US);
	}
	kill(s->pid, SIGKILL);
	s->pid = 0;
	errno = 0;
	return complain("it serves nothing", s->name);
}

/* strate NAME DIRECTORY PROGRAM... */
static int strate(int argc, char **argv)
{
	struct strate *s = strates;
	struct stat before;

	(void)argc;
	while (s < strates + STRATES_MAX && s->pid)
		s++;
	if (s == strates + STRATES_MAX)
		return complain("too many strates", argv[1]);
	if (stat(argv[2], &before))
		return complain("strate", argv[2]);
	snprintf(s->name, sizeof(s->name), "%s", argv[1]);
	snprintf(s->directory, sizeof(s->directory), "%s", argv[2]);
	fflush(stdout);
	s->pid = fork();
	if (s->pid == 0) {
		setsid();
		execvp(argv[3], argv + 3);
		_exit(complain("strate", argv[3]));
	}
	if (s->pid < 0) {
		s->pid = 0;
		return complain("strate", argv[3]);
	}
	return await_mount(s, before.st_dev);
}

/* SIGTERM is how a FUSE program is asked to write back and unmount. */
static void end(struct strate *s)
{
	int left = PATIENCE;

	kill(s->pid, SIGTERM);
	while (!is_over(s) && left--)
		usleep(TICK_US);
	if (left < 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	umount2(s->directory, MNT_DETACH); /* if it did not */
	s->pid = 0;
}

int end_strate(const char *name)
{
	for (struct strate *s = strates; s < strates + STRATES_MAX; s++)
		if (s->pid && strcmp(s->name, name) == 0) {
			end(s);
			return 1;
		}
	return 0;
}

void end_strates(void)
{
	for (struct strate *s = strates; s < strates + STRATES_MAX; s++)
		if (s->pid)
			end(s);
}

void list_strates(void)
{
	int title = 0;

	for (struct strate *s = strates; s < strates + STRATES_MAX; s++) {
		const char *state = s->pid && kill(s->pid, 0) == 0 ? "running" : "ended";

		if (!s->pid || json_line("strate%s state%s process%u directory%s", s->name, state,
					 (unsigned long long)s->pid, s->directory))
			continue;
		if (!title++)
			printf("%-16s %-8s %8s DIRECTORY\n", "STRATE", "STATE", "PROCESS");
		printf("%-16s %-8s %8d %s\n", s->name, state, (int)s->pid, s->directory);
	}
}

const struct command strate_commands[] = {
	{ "strate", "NAME DIRECTORY PROGRAM [WORD...]", "runs a server of a file system", 3,
	  strate },
	{ 0 },
};
