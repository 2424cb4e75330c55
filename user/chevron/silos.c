/* SPDX-License-Identifier: MIT */
/* Commands on silos. */
#define _GNU_SOURCE
#include "silos.h"
#include "chevron.h"

#include <cairn/confine.h>
#include <cairn/handle.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct silo silos[SILOS_MAX];
int silo_count;

struct silo *silo_find(const char *name)
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
	struct silo *s = silo_find(argv[1]);
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

static void note_scheme(struct silo *s, const char *prefix, const char *rights)
{
	size_t used = strlen(s->schemes);

	snprintf(s->schemes + used, sizeof(s->schemes) - used, "%s%s:%s", used ? " " : "", prefix,
		 rights);
}

/* Something at a prefix below the root: a directory or file of the host, proc, or memory. */
static int scheme(int argc, char **argv)
{
	const char *what = argv[3];
	int proc = strcmp(what, "proc") == 0, memory = strcmp(what, "memory") == 0;
	const char *rights = argc > 4 ? argv[4] : memory ? "rw" : "r";
	struct silo *s = silo_find(argv[1]);
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
	else
		note_scheme(s, argv[2], rights);
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
	struct silo *s = silo_find(argv[1]);
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
	struct silo *s = silo_find(argv[1]);

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
	struct silo *s = silo_find(argv[1]);
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
	struct silo *s = silo_find(argv[1]);
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

/* Never returns. */
static void run_in(const struct silo *s, char **argv)
{
	static const int keep[] = { 0, 1, 2 };

	setsid();
	if (cairn_silo_enter(s->handle, keep, 3) ||
	    (s->promises != CAIRN_PROMISES_ALL && cairn_pledge(s->promises, CAIRN_PLEDGE_ON_EXEC)))
		_exit(complain("enter", s->name));
	execvp(argv[0], argv);
	_exit(complain("start", argv[0]));
}

/* start SILO PROGRAM... [&] */
static int start(int argc, char **argv)
{
	int background = strcmp(argv[argc - 1], "&") == 0, entered[2], status;
	struct silo *s;
	pid_t pid;

	if (argc == 2)
		return task_start(argv[1]);
	s = silo_find(argv[1]);
	if (!s)
		return 1;
	if (background)
		argv[argc - 1] = NULL;
	fflush(stdout);
	if (pipe2(entered, O_CLOEXEC))
		return complain("start", argv[2]);
	pid = fork();
	if (pid == 0)
		run_in(s, argv + 2);
	close(entered[1]);
	/* Who enters leaves all other handles behind: the end of the pipe is when it is in. */
	while (pid > 0 && read(entered[0], &status, 1) < 0 && errno == EINTR)
		;
	close(entered[0]);
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
	struct silo *s = silo_find(name);

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
	{ "start", "SILO PROGRAM [WORD...] [&] | TASK", "runs a program inside; starts a task", 1,
	  start },
	{ "pause", "SILO", "stops its processes", 1, pause_silo },
	{ "resume", "SILO", "lets them go on", 1, resume },
	{ "kill", "SILO|STRATE|all", "ends them, and leaves nothing", 1, kill_silo },
	{ "list", "[POOL]", "all silos and what they use; the slots of a pool", 0, silo_list },
	{ "events", "SILO", "what happened, and what was denied", 1, silo_events },
	{ "top", "[ROUNDS]", "what they use and do, every second until a key is pressed", 0,
	  silo_top },
	{ 0 },
};
