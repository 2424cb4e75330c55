/* SPDX-License-Identifier: MIT */
/* Commands on silos. */
#define _GNU_SOURCE
#include "chevron.h"

#include <cairn/handle.h>
#include <cairn/silo.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SILOS_MAX 64

static struct silo {
	char name[32], root[256];
	int handle;
} silos[SILOS_MAX];
static int silo_count;

static const char *const states[] = { "new", "running", "paused", "stopped", "killed" };

static struct silo *find(const char *name)
{
	for (int i = 0; i < silo_count; i++)
		if (strcmp(silos[i].name, name) == 0)
			return &silos[i];
	errno = 0;
	complain("no such silo", name);
	return NULL;
}

static int create(int argc, char **argv)
{
	struct silo *s = &silos[silo_count];

	(void)argc;
	if (silo_count == SILOS_MAX)
		return complain("too many silos", argv[1]);
	s->handle = cairn_silo_create(CAIRN_HANDLE_KEEP_ON_FORK);
	if (s->handle < 0)
		return complain("create", argv[1]);
	snprintf(s->name, sizeof(s->name), "%s", argv[1]);
	silo_count++;
	return 0;
}

static int root(int argc, char **argv)
{
	struct silo *s = find(argv[1]);
	int directory;

	(void)argc;
	if (!s)
		return 1;
	directory = open(argv[2], O_RDONLY | O_DIRECTORY);
	if (directory < 0 ||
	    cairn_silo_configure(s->handle, CAIRN_SILO_ROOT, (unsigned long)directory))
		return complain("root", argv[2]);
	close(directory);
	snprintf(s->root, sizeof(s->root), "%s", argv[2]);
	return 0;
}

/* A directory of the host at a prefix below the root, with the rights that are named. */
static int scheme(int argc, char **argv)
{
	const char *rights = argc > 4 ? argv[4] : "r";
	unsigned long flags = MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV;
	struct silo *s = find(argv[1]);
	char at[600];

	if (!s)
		return 1;
	errno = 0;
	if (!s->root[0])
		return complain("it has no root yet", s->name);
	snprintf(at, sizeof(at), "%s/%s", s->root, argv[2]);
	if (!strchr(rights, 'w'))
		flags |= MS_RDONLY;
	if (!strchr(rights, 'x'))
		flags |= MS_NOEXEC;
	if (mkdir(at, 0755) && errno != EEXIST)
		return complain("scheme", at);
	if (mount(argv[3], at, NULL, MS_BIND, NULL) || mount(NULL, at, NULL, flags, NULL))
		return complain("scheme", at);
	return 0;
}

static int limit(int argc, char **argv)
{
	struct silo *s = find(argv[1]);
	unsigned what = strcmp(argv[2], "memory") == 0 ? CAIRN_SILO_MEMORY : CAIRN_SILO_TASKS;

	(void)argc;
	if (!s)
		return 1;
	errno = EINVAL;
	if ((what == CAIRN_SILO_TASKS && strcmp(argv[2], "tasks") != 0) ||
	    cairn_silo_configure(s->handle, what, size_of(argv[3])))
		return complain("limit", argv[2]);
	return 0;
}

static int allow(int argc, char **argv)
{
	struct silo *s = find(argv[1]);
	unsigned bits = 0;

	if (!s)
		return 1;
	for (int i = 2; i < argc; i++)
		bits |= strcmp(argv[i], "network") == 0 ? CAIRN_SILO_ALLOW_NETWORK
			: strcmp(argv[i], "unix") == 0	? CAIRN_SILO_ALLOW_UNIX
							: 0x80000000u;
	return cairn_silo_configure(s->handle, CAIRN_SILO_ALLOW, bits) ? complain("allow", s->name)
								       : 0;
}

static int start(int argc, char **argv)
{
	static const int keep[] = { 0, 1, 2 };
	struct silo *s = find(argv[1]);
	int background = strcmp(argv[argc - 1], "&") == 0, status;
	pid_t pid;

	if (!s)
		return 1;
	if (background)
		argv[argc - 1] = NULL;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setsid();
		if (cairn_silo_enter(s->handle, keep, 3))
			_exit(complain("enter", s->name));
		execvp(argv[2], argv + 2);
		_exit(complain("start", argv[2]));
	}
	if (pid < 0)
		return complain("start", argv[2]);
	if (background)
		return 0;
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int control(const char *name, unsigned operation)
{
	struct silo *s = find(name);

	if (!s)
		return 1;
	return cairn_silo_control(s->handle, operation) ? complain("control", name) : 0;
}

static int pause_silo(int argc, char **argv)
{
	(void)argc;
	return control(argv[1], CAIRN_SILO_PAUSE);
}

static int resume(int argc, char **argv)
{
	(void)argc;
	return control(argv[1], CAIRN_SILO_RESUME);
}

static int kill_silo(int argc, char **argv)
{
	int status = 0;

	if (strcmp(argv[1], "all") != 0)
		return control(argv[1], CAIRN_SILO_KILL);
	(void)argc;
	for (int i = 0; i < silo_count; i++)
		status |= control(silos[i].name, CAIRN_SILO_KILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return status;
}

static int list(int argc, char **argv)
{
	struct cairn_silo_info info;

	(void)argc;
	(void)argv;
	if (json)
		printf("[");
	else
		printf("%-16s %-8s %6s %12s %12s %8s\n", "SILO", "STATE", "TASKS", "MEMORY",
		       "LIMIT", "DENIED");
	for (int i = 0; i < silo_count; i++) {
		if (cairn_silo_inspect(silos[i].handle, &info, sizeof(info)))
			return complain("inspect", silos[i].name);
		printf(json ? "%s{\"name\":\"%s\",\"state\":\"%s\",\"tasks\":%u,\"memory\":%llu,"
			      "\"limit\":%lld,\"denied\":%llu}"
			    : "%s%-16s %-8s %6u %12llu %12lld %8llu\n",
		       json && i ? "," : "", silos[i].name, states[info.state], info.tasks,
		       info.memory_used,
		       info.memory_limit > 1ull << 62 ? -1ll : (long long)info.memory_limit,
		       info.denied);
	}
	if (json)
		printf("]\n");
	return 0;
}

static const char *event_name(unsigned kind)
{
	switch (kind) {
	case CAIRN_SILO_EVENT_STARTED:
		return "started";
	case CAIRN_SILO_EVENT_STOPPED:
		return "stopped";
	case CAIRN_SILO_EVENT_CRASHED:
		return "ended by signal";
	case CAIRN_SILO_EVENT_OUT_OF_MEMORY:
		return "out of memory";
	case CAIRN_SILO_DENIED_CAPABILITY:
		return "denied: capability";
	case CAIRN_SILO_DENIED_PROCESS:
		return "denied: process";
	case CAIRN_SILO_DENIED_TASK:
		return "denied: task";
	case CAIRN_SILO_DENIED_SOCKET:
		return "denied: socket";
	case CAIRN_SILO_DENIED_DIRECTORY:
		return "denied: directory";
	default:
		return "?";
	}
}

static int events(int argc, char **argv)
{
	struct silo *s = find(argv[1]);
	struct cairn_silo_event e;

	(void)argc;
	if (!s)
		return 1;
	while (cairn_silo_event(s->handle, &e, CAIRN_SILO_NONBLOCK) == 0)
		printf(json ? "{\"time\":%llu.%06llu,\"pid\":%d,\"task\":\"%s\",\"event\":\"%s\","
			      "\"value\":%llu}\n"
			    : "%6llu.%06llu %5d %-15s %s %llu\n",
		       e.time_ns / 1000000000, e.time_ns / 1000 % 1000000, e.pid, e.name,
		       event_name(e.kind), e.value);
	return 0;
}

static int top(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1 << 30;

	for (int i = 0; i < rounds; i++) {
		if (!json)
			printf("\033[H\033[2J");
		if (list(argc, argv))
			return 1;
		if (i + 1 < rounds)
			sleep(1);
	}
	return 0;
}

const struct command silo_commands[] = {
	{ "create", "SILO", "makes a silo, which may do nothing yet", 1, create },
	{ "root", "SILO DIRECTORY", "what its / is", 2, root },
	{ "scheme", "SILO PREFIX DIRECTORY [rwx]", "shows it a directory of the host", 3, scheme },
	{ "limit", "SILO memory|tasks N[K|M|G]", "at most so much", 3, limit },
	{ "allow", "SILO [network] [unix]", "sockets", 1, allow },
	{ "start", "SILO PROGRAM [WORD...] [&]", "runs a program inside", 2, start },
	{ "pause", "SILO", "stops its processes", 1, pause_silo },
	{ "resume", "SILO", "lets them go on", 1, resume },
	{ "kill", "SILO|all", "ends them, and leaves nothing", 1, kill_silo },
	{ "list", "", "all silos and what they use", 0, list },
	{ "events", "SILO", "what happened, and what was denied", 1, events },
	{ "top", "[ROUNDS]", "list, every second", 0, top },
	{ 0 },
};
