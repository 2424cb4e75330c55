/* SPDX-License-Identifier: MIT */
/* Commands on silos. */
#define _GNU_SOURCE
#include "chevron.h"

#include <cairn/confine.h>
#include <cairn/handle.h>
#include <cairn/silo.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SILOS_MAX 64

static struct silo {
	char name[32], root[256];
	int handle;
	unsigned promises; /* of what is started */
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

const char *silo_name(int i)
{
	return i < silo_count ? silos[i].name : NULL;
}

static int create(int argc, char **argv)
{
	struct silo *s = &silos[silo_count];

	(void)argc;
	if (silo_count == SILOS_MAX)
		return complain("too many silos", argv[1]);
	s->promises = CAIRN_PROMISES_ALL;
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

/* Makes the directories of a path below the root, or a file at its end, for something to be mounted on. */
static int make_place(const char *root, const char *prefix, int is_directory)
{
	char at[600];
	size_t length = (size_t)snprintf(at, sizeof(at), "%s/%s", root, prefix);
	int file;

	if (length >= sizeof(at))
		return -1;
	for (char *slash = at + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		if (mkdir(at, 0755) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	if (is_directory)
		return mkdir(at, 0755) && errno != EEXIST ? -1 : 0;
	file = open(at, O_WRONLY | O_CREAT, 0644);
	return file < 0 ? -1 : close(file);
}

static unsigned scheme_rights(const char *letters)
{
	return (strchr(letters, 'r') ? CAIRN_RIGHT_READ : 0) |
	       (strchr(letters, 'w') ? CAIRN_RIGHT_WRITE : 0) |
	       (strchr(letters, 'x') ? CAIRN_RIGHT_EXECUTE : 0);
}

/* Something at a prefix below the root: a directory or file of the host, proc, or memory. */
static int scheme(int argc, char **argv)
{
	const char *what = argv[3];
	int proc = strcmp(what, "proc") == 0, memory = strcmp(what, "memory") == 0;
	const char *rights = argc > 4 ? argv[4] : memory ? "rw" : "r";
	struct silo *s = find(argv[1]);
	struct stat st = { .st_mode = S_IFDIR };
	int source = proc ? CAIRN_SCHEME_PROC : CAIRN_SCHEME_MEMORY, error;

	if (!s)
		return 1;
	errno = 0;
	if (!s->root[0])
		return complain("it has no root yet", s->name);
	if (!proc && !memory) {
		source = open(what, O_RDONLY | O_NONBLOCK);
		if (source < 0 || fstat(source, &st))
			return complain("scheme", what);
	}
	error = make_place(s->root, argv[2], S_ISDIR(st.st_mode)) ||
		cairn_silo_mount(s->handle, argv[2], source, scheme_rights(rights));
	if (error)
		complain("scheme", argv[2]);
	if (source >= 0)
		close(source);
	return error;
}

/* 20% of one CPU, or a weight. */
static unsigned long cpu_limit(const char *text, unsigned *what)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end == '%') {
		*what = CAIRN_SILO_CPU_QUOTA;
		return CAIRN_SILO_CPU_TIME(n * 1000, 100000);
	}
	*what = CAIRN_SILO_CPU_WEIGHT;
	return n;
}

static int limit(int argc, char **argv)
{
	struct silo *s = find(argv[1]);
	unsigned long value = size_of(argv[3]);
	unsigned what = ~0u;

	(void)argc;
	if (!s)
		return 1;
	if (strcmp(argv[2], "memory") == 0)
		what = CAIRN_SILO_MEMORY;
	else if (strcmp(argv[2], "tasks") == 0)
		what = CAIRN_SILO_TASKS;
	else if (strcmp(argv[2], "handles") == 0)
		what = CAIRN_SILO_HANDLES;
	else if (strcmp(argv[2], "integrity") == 0)
		what = CAIRN_SILO_INTEGRITY;
	else if (strcmp(argv[2], "cpu") == 0)
		value = cpu_limit(argv[3], &what);
	errno = EINVAL;
	return what == ~0u || cairn_silo_configure(s->handle, what, value)
		       ? complain("limit", argv[2])
		       : 0;
}

static int host(int argc, char **argv)
{
	struct silo *s = find(argv[1]);

	(void)argc;
	if (!s)
		return 1;
	return cairn_silo_configure(s->handle, CAIRN_SILO_HOST_NAME, (unsigned long)argv[2])
		       ? complain("host", argv[2])
		       : 0;
}

/* "bind:80", "connect:10.0.0.0/8:443": an IPv4 rule; 0 if it is none. */
static int parse_rule(const char *text, struct cairn_silo_network_rule *rule)
{
	unsigned a[4] = { 0 }, bits = 0, port, end = 0;
	int bind = strncmp(text, "bind:", 5) == 0;

	if (!bind && strncmp(text, "connect:", 8) != 0)
		return 0;
	text += bind ? 5 : 8;
	if (sscanf(text, "%u.%u.%u.%u/%u:%u%n", &a[0], &a[1], &a[2], &a[3], &bits, &port, &end) !=
		    6 &&
	    (sscanf(text, "%u%n", &port, &end) != 1 || text[end]))
		return 0;
	if (text[end] || bits > 32 || port > 65535)
		return 0;
	*rule = (struct cairn_silo_network_rule){
		.prefix = (unsigned char)(96 + bits),
		.operations = bind ? CAIRN_SILO_NETWORK_BIND : CAIRN_SILO_NETWORK_CONNECT,
		.first_port = (unsigned short)port,
		.last_port = (unsigned short)port,
	};
	rule->address[10] = rule->address[11] = 0xff;
	for (int i = 0; i < 4; i++)
		rule->address[12 + i] = (unsigned char)a[i];
	return 1;
}

static int allow(int argc, char **argv)
{
	struct silo *s = find(argv[1]);
	struct cairn_silo_network_rule rule;
	unsigned bits = 0;

	if (!s)
		return 1;
	for (int i = 2; i < argc; i++) {
		errno = EINVAL;
		if (strcmp(argv[i], "network") == 0)
			bits |= CAIRN_SILO_ALLOW_NETWORK;
		else if (strcmp(argv[i], "unix") == 0)
			bits |= CAIRN_SILO_ALLOW_UNIX;
		else if (!parse_rule(argv[i], &rule) || cairn_silo_allow_network(s->handle, &rule))
			return complain("allow", argv[i]);
	}
	return cairn_silo_configure(s->handle, CAIRN_SILO_ALLOW, bits) ? complain("allow", s->name)
								       : 0;
}

/* pledge SILO PROMISE... */
static int promise(int argc, char **argv)
{
	static const char *const names[] = { "stdio", "rpath", "wpath", "cpath", "fattr",
					     "flock", "inet",  "unix",	"ipc",	 "proc",
					     "exec",  "id",    "tty",	"native" };
	struct silo *s = find(argv[1]);
	unsigned promises = 0, i;

	if (!s)
		return 1;
	for (int word = 2; word < argc; word++) {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strcmp(names[i], argv[word]) == 0)
				break;
		errno = EINVAL;
		if (i == sizeof(names) / sizeof(names[0]))
			return complain("pledge", argv[word]);
		promises |= 1u << i;
	}
	s->promises = promises;
	return 0;
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
		if (cairn_silo_enter(s->handle, keep, 3) ||
		    (s->promises != CAIRN_PROMISES_ALL &&
		     cairn_pledge(s->promises, CAIRN_PLEDGE_ON_EXEC)))
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

	(void)argc;
	if (strcmp(argv[1], "all") != 0)
		return end_strate(argv[1]) ? 0 : control(argv[1], CAIRN_SILO_KILL);
	for (int i = 0; i < silo_count; i++)
		status |= control(silos[i].name, CAIRN_SILO_KILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	end_strates(); /* after those that use them */
	return status;
}

static int list(int argc, char **argv)
{
	struct cairn_silo_info info;

	(void)argc;
	(void)argv;
	if (!json && silo_count)
		printf("%-16s %-8s %6s %10s %12s %12s %8s\n", "SILO", "STATE", "TASKS", "CPU MS",
		       "MEMORY", "LIMIT", "DENIED");
	for (int i = 0; i < silo_count; i++) {
		long long limit;

		if (cairn_silo_inspect(silos[i].handle, &info, sizeof(info)))
			return complain("inspect", silos[i].name);
		limit = info.memory_limit > 1ull << 62 ? -1ll : (long long)info.memory_limit;
		if (!json_line("silo%s state%s tasks%u cpu_ms%u memory%u limit%d denied%u",
			       silos[i].name, states[info.state], (unsigned long long)info.tasks,
			       info.cpu_ns / 1000000, info.memory_used, limit, info.denied))
			printf("%-16s %-8s %6u %10llu %12llu %12lld %8llu\n", silos[i].name,
			       states[info.state], info.tasks, info.cpu_ns / 1000000,
			       info.memory_used, limit, info.denied);
	}
	list_strates();
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
	case CAIRN_SILO_DENIED_ADDRESS:
		return "denied: address";
	case CAIRN_SILO_DENIED_DIRECTORY:
		return "denied: directory";
	case CAIRN_SILO_DENIED_FLOW:
		return "denied: flow";
	case CAIRN_SILO_DENIED_PROMISE:
		return "denied: promise";
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
		if (!json_line("time_ns%u pid%d task%s event%s value%u lost%u", e.time_ns,
			       (long long)e.pid, e.name, event_name(e.kind), e.value, e.lost))
			printf("%6llu.%06llu %5d %-15s %s %llu\n", e.time_ns / 1000000000,
			       e.time_ns / 1000 % 1000000, e.pid, e.name, event_name(e.kind),
			       e.value);
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
	{ "scheme", "SILO PREFIX PATH|proc|memory [rwx]", "shows it a directory or file", 3,
	  scheme },
	{ "limit", "SILO memory|tasks|handles|cpu|integrity N[K|M|G|%]", "at most so much", 3,
	  limit },
	{ "host", "SILO NAME", "its host name", 2, host },
	{ "allow", "SILO [network] [unix] [bind|connect:[A.B.C.D/BITS:]PORT]", "sockets", 1,
	  allow },
	{ "pledge", "SILO PROMISE...",
	  "classes of calls that programs started from now on may make", 2, promise },
	{ "start", "SILO PROGRAM [WORD...] [&]", "runs a program inside", 2, start },
	{ "pause", "SILO", "stops its processes", 1, pause_silo },
	{ "resume", "SILO", "lets them go on", 1, resume },
	{ "kill", "SILO|STRATE|all", "ends them, and leaves nothing", 1, kill_silo },
	{ "list", "", "all silos and what they use", 0, list },
	{ "events", "SILO", "what happened, and what was denied", 1, events },
	{ "top", "[ROUNDS]", "list, every second", 0, top },
	{ 0 },
};
